"""The record of a capture from its closed files alone: what a worker would have told at its end. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from layouts.capture import Outcome
from layouts.raw.names import Column
from layouts.stream.messages import SeriesParameters
from writer.capture_values import PixelFormat
from writer.reports import CaptureRecord, RawFileReport, SeriesReport
from writer.salvage_meta import Known

Numbers = NDArray[np.int64]


def record_of(
    known: Known, raw: tuple[RawFileReport, ...], pixels: PixelFormat, *, meta: str, when: float
) -> CaptureRecord:
    """What a capture left.

    Args:
        known: Its meta file, which was closed.
        raw: Its raw files.
        pixels: What the frames look like.
        meta: Path of the meta file.
        when: Seconds since 1970, for frames of which nobody knows when they came.
    """
    rows = known.ended or 0
    stored = known.stored[:rows]
    columns = {column: values[:rows] for column, values in known.columns.items()}
    arrivals = columns[Column.ARRIVAL][stored] * 1e-9
    arrivals = arrivals[arrivals > 0]
    first, last = (float(arrivals.min()), float(arrivals.max())) if arrivals.size else (when, when)
    headers = dict(known.headers)
    series = reports(columns, stored, {n: said.images for n, said in headers.items()}, when=when)
    said = [headers.get(report.series) for report in series]
    usual = next((each for each in said if each is not None), SeriesParameters())
    return CaptureRecord(
        detector=known.detector,
        raw_files=raw,
        images_per_file=known.mapping.rows_per_file,
        workers=known.mapping.workers,
        frames_per_block=known.mapping.block,
        meta_file=meta,
        rows=rows,
        missing=tuple(np.flatnonzero(~stored).tolist()),
        shape=pixels.shape,
        dtype=pixels.dtype,
        codec=pixels.codec,
        series=series,
        parameters=usual,
        series_parameters={i: each for i, each in enumerate(said) if each is not None and each != usual},
        pixel_mask=known.pixel_mask,
        flatfield=known.flatfield,
        opened=first,
        first_frame=first,
        ended=last,
    )


def reports(
    columns: Mapping[Column, Numbers],
    stored: NDArray[np.bool_],
    planned: Mapping[int, int | None],
    *,
    when: float,
) -> tuple[SeriesReport, ...]:
    """The series of a capture: a series is frames whose places are as far apart as their numbers.

    Args:
        columns: Of the meta file, each of the capture's length.
        stored: Which places have a frame, of the same length.
        planned: Frames that the detector announced, by series.
        when: Seconds since 1970, for series of which nobody knows when they came.
    """
    places = np.flatnonzero(stored)
    if not places.size:
        return ()
    series, offset = columns[Column.SERIES][places], places - columns[Column.FRAME][places]
    begins = np.flatnonzero(np.diff(series, prepend=series[0] - 1) | np.diff(offset, prepend=offset[0] - 1))
    rows = np.maximum(offset[begins], 0)
    # What lies before the first frame known, or between two series, nobody knows: it is the earlier one's.
    rows[0] = 0
    ends = np.append(rows[1:], stored.size)
    found: list[SeriesReport] = []
    for begin, row, end in zip(begins.tolist(), rows.tolist(), ends.tolist(), strict=True):
        number = int(series[begin])
        count, lies = int(stored[row:end].sum()), int(end - row)
        images = planned.get(number)
        whole = count == lies and images in (None, count)
        arrivals = columns[Column.ARRIVAL][row:end][stored[row:end]] * 1e-9
        arrivals = arrivals[arrivals > 0]
        began = float(arrivals.min()) if arrivals.size else when
        found.append(
            SeriesReport(
                series=number,
                row=row,
                first=max(row - int(offset[begin]), 0),
                rows=lies,
                stored=count,
                planned=images,
                outcome=Outcome.COMPLETE if whole else Outcome.INCOMPLETE,
                reason="" if whole else f"{count} of {images or lies} frames were brought back",
                began=began,
                first_frame=began if arrivals.size else None,
                ended=float(arrivals.max()) if arrivals.size else when,
            )
        )
    return tuple(found)
