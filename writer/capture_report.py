"""What a worker tells of a capture and its series: bookkeeping in monotonic seconds turned into reports."""

from __future__ import annotations

from dataclasses import dataclass

from layouts.capture import Outcome
from layouts.stream.messages import SeriesParameters
from writer import control
from writer.capture import Capture
from writer.capture_files import Arrays
from writer.capture_values import Began, Ended, Finished, Tally
from writer.raw_h5 import Added
from writer.reports import CaptureRecord, RawFileReport, SeriesReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What was written.

    Attributes:
        meta: Path of the meta file; empty if nothing was written.
        workers: How many processes have written raw files.
    """

    raw: tuple[RawFileReport, ...]
    meta: str
    arrays: Arrays
    workers: int = 1


def started(capture: str, began: Began, to_wall: float) -> control.Started:
    """A series of a capture of that name has its places; ``to_wall`` as for ``series_report``."""
    return control.Started(
        capture=capture,
        series=began.key.number,
        row=began.row,
        first=began.first,
        planned=began.planned,
        parameters=began.parameters,
        arrival=began.arrival + to_wall,
    )


def file_added(capture: str, added: Added) -> control.FileAdded:
    """A raw file of a capture of that name was made."""
    return control.FileAdded(
        capture=capture,
        path=str(added.path),
        row=added.row,
        rows=added.rows,
        worker=added.worker,
        shape=added.pixels.shape,
        dtype=added.pixels.dtype,
        codec=added.pixels.codec,
    )


def series_ended(capture: str, report: SeriesReport, tally: Tally, last: int) -> control.SeriesEnded:
    """A series of a capture of that name has ended; ``last`` is the number of its last frame, -1 if none."""
    return control.SeriesEnded(capture=capture, report=report, counters=tally.counters(), last_frame=last)


def series_report(ended: Ended, to_wall: float) -> SeriesReport:
    """A series that has ended.

    Args:
        ended: From the bookkeeping.
        to_wall: What is added to monotonic seconds for seconds since 1970.
    """
    return SeriesReport(
        series=ended.key.number,
        row=ended.row,
        first=ended.first,
        rows=ended.rows,
        stored=ended.stored,
        planned=ended.planned,
        outcome=ended.outcome,
        reason=ended.reason,
        began=ended.arrival + to_wall,
        first_frame=None if ended.first_frame is None else ended.first_frame + to_wall,
        ended=ended.ended + to_wall,
    )


def capture_record(
    order: control.Capture,
    capture: Capture,
    finished: Finished,
    files: Files,
    *,
    opened: float,
    now: float,
    to_wall: float,
) -> CaptureRecord:
    """A capture that has ended.

    Args:
        order: What was asked for.
        capture: The bookkeeping.
        finished: What it decided.
        files: What was written.
        opened: When it was opened, monotonic seconds.
        now: Monotonic seconds.
        to_wall: What is added to them for seconds since 1970.
    """
    ended = capture.ended
    first = ended[0].parameters if ended else SeriesParameters()
    times = [each.first_frame for each in ended if each.first_frame is not None]
    pixels = capture.format
    return CaptureRecord(
        detector=order.detector,
        images_per_file=order.images_per_file,
        workers=files.workers,
        frames_per_block=order.frames_per_block,
        raw_files=files.raw,
        meta_file=files.meta,
        rows=finished.rows,
        missing=finished.missing,
        shape=None if pixels is None else pixels.shape,
        dtype=None if pixels is None else pixels.dtype,
        codec=None if pixels is None else pixels.codec,
        series=tuple(series_report(each, to_wall) for each in ended),
        parameters=first,
        series_parameters={
            index: each.parameters for index, each in enumerate(ended) if each.parameters != first
        },
        pixel_mask=files.arrays.pixel_mask,
        flatfield=files.arrays.flatfield,
        opened=opened + to_wall,
        first_frame=min(times) + to_wall if times else None,
        ended=now + to_wall,
    )


def refused(
    order: control.Capture, number: int, why: str, wall: float
) -> tuple[control.Failed, control.Done]:
    """What is said of a capture that cannot be opened.

    Args:
        order: What was asked for.
        number: The system's, 0 if it is not the system that refuses.
        why: In words.
        wall: Seconds since 1970.
    """
    record = CaptureRecord(
        detector=order.detector, raw_files=(), meta_file="", rows=0, opened=wall, ended=wall
    )
    return (
        control.Failed(capture=order.capture, errno=number, message=why),
        control.Done(
            capture=order.capture,
            outcome=Outcome.INCOMPLETE,
            reason=why,
            record=record,
            counters=control.Counters(),
        ),
    )


def done(
    order: control.Capture,
    capture: Capture,
    finished: Finished,
    files: Files,
    *,
    opened: float,
    now: float,
    to_wall: float,
) -> control.Done:
    """The last word on a capture; arguments as those of its record."""
    return control.Done(
        capture=order.capture,
        outcome=Outcome.INCOMPLETE if capture.broken else finished.outcome,
        reason=capture.broken or finished.reason,
        record=capture_record(order, capture, finished, files, opened=opened, now=now, to_wall=to_wall),
        counters=capture.tally.counters(),
    )
