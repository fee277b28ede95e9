"""From what a worker left to what a master is made of; the same with and without a coordinator.

Pure but for the arrays, which are handed in: ``DetectorCapture`` from a ``CaptureRecord``, its parameters
completed from the camera's PVs and the beamline file where the stream was silent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Detector
from layouts.capture import AxisPositions, DetectorCapture, RawFile, SeriesRecord
from layouts.detector_models import DetectorModel
from layouts.stream.messages import GoniometerAxis, SeriesParameters
from writer.map_file import mapping_of
from writer.positions import Span
from writer.reports import CaptureRecord, SeriesReport

_HC: Final = 12398.419843320026
"""Photon energy times wavelength, eV Angstrom."""
_GAP: Final = 1
"""Dectris' mask bit of a pixel that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraFacts:
    """What a camera's PVs said when a capture began; None where they did not answer.

    Times in seconds, energies in eV.
    """

    images: int | None = None
    images_per_trigger: int | None = None
    triggers: int | None = None
    count_time: float | None = None
    frame_time: float | None = None
    energy: float | None = None
    threshold: float | None = None
    plan: Mapping[str, GoniometerAxis] = field(default_factory=dict[str, GoniometerAxis])


def complete(
    parameters: SeriesParameters,
    detector: Detector,
    *,
    shape: tuple[int, int],
    dtype: str,
    camera: CameraFacts | None = None,
) -> SeriesParameters:
    """The parameters of a series with what the stream did not say, from PVs and the beamline file.

    Args:
        parameters: As the stream had them.
        detector: Of the beamline file.
        shape: Of the frames stored, (slow, fast).
        dtype: Of the frames stored.
        camera: What its PVs said.
    """
    facts = camera or CameraFacts()
    spec = detector.spec
    energy = parameters.energy or facts.energy
    told: dict[str, object] = {
        "images": facts.images,
        "images_per_trigger": facts.images_per_trigger,
        "triggers": facts.triggers,
        "count_time": facts.count_time,
        "frame_time": facts.frame_time,
        "energy": energy,
        "wavelength": _HC / energy if energy else None,
        "image_size": (shape[1], shape[0]),
        "dtype": dtype,
        "bit_depth_image": 8 * np.dtype(dtype).itemsize,
        "description": spec.description,
        "serial_number": detector.serial_number,
        "pixel_size": (spec.pixel_size, spec.pixel_size),
        "sensor_material": detector.sensor_material,
        "sensor_thickness": detector.sensor_thickness,
    }
    silent = {k: v for k, v in told.items() if v is not None and getattr(parameters, k) is None}
    if not parameters.goniometer and facts.plan:
        silent["goniometer"] = dict(facts.plan)
    if not parameters.threshold_energy and facts.threshold is not None:
        silent["threshold_energy"] = {parameters.channels[0]: facts.threshold}
    return replace(parameters, **silent)  # type: ignore[arg-type]


def spans(
    record: CaptureRecord,
    plans: Mapping[int, Mapping[str, GoniometerAxis]] | None = None,
    exposures: Mapping[int, tuple[float, float | None]] | None = None,
) -> tuple[Span, ...]:
    """When the frames of each series were taken, and what the goniometer was told.

    Args:
        record: Of the worker.
        plans: From the camera's PVs, by series number; used where the stream was silent.
        exposures: When the camera began and ended each series, seconds since 1970, by its number. Arrivals
            come late where a worker was busy; frames are never taken outside of these.
    """
    found: list[Span] = []
    for index, report in enumerate(record.series):
        if not report.rows:
            continue
        parameters = record.series_parameters.get(index, record.parameters)
        plan = parameters.goniometer or (plans or {}).get(report.series, {})
        begin, end = _times(report, parameters)
        earliest, latest = (exposures or {}).get(report.series, (begin, None))
        if latest is not None:
            taken = report.rows * (parameters.frame_time or 0.0)
            begin = min(begin, latest - taken)
            end = min(end, latest)
        begin = max(begin, earliest)
        found.append(Span(rows=report.rows, first=report.first, begin=begin, end=max(begin, end), plan=plan))
    return tuple(found)


def _times(report: SeriesReport, parameters: SeriesParameters) -> tuple[float, float]:
    """Begin of the first exposure and end of the last, from arrivals: a frame arrives when it is over."""
    if report.first_frame is None:
        return report.began, report.ended
    begin = max(report.began, report.first_frame - (parameters.frame_time or 0.0))
    triggers = parameters.triggers or 1
    if parameters.frame_time and triggers == 1:
        return begin, min(report.ended, begin + report.rows * parameters.frame_time)
    return begin, report.ended


def detector_capture(
    record: CaptureRecord,
    detector: Detector,
    *,
    positions: dict[str, AxisPositions],
    pixel_mask: NDArray[np.uint32] | None,
    flatfield: NDArray[np.float32] | None,
    camera: CameraFacts | None = None,
    has_attributes: bool = False,
) -> DetectorCapture:
    """What one detector gave, as masters want it.

    Args:
        record: Of the worker; has frames.
        detector: Of the beamline file.
        positions: By motor name.
        pixel_mask: Of the stream, or nothing: then the beamline file's, or the model's gaps.
        flatfield: Of the stream, or nothing.
        camera: What its PVs said.
        has_attributes: Whether NDAttributes were stored.

    Raises:
        ValueError: The record has no frames.
    """
    if record.shape is None or record.dtype is None:
        raise ValueError(f"{record.detector}: no frame came, so there is no capture to describe")
    started = record.first_frame or record.opened
    return DetectorCapture(
        detector=record.detector,
        raw_files=tuple(
            RawFile(path=Path(f.path), rows=f.rows, worker=f.worker) for f in record.raw_files if f.rows
        ),
        mapping=mapping_of(record),
        meta_file=Path(record.meta_file),
        rows=record.rows,
        missing=record.missing,
        dtype=record.dtype,
        shape=record.shape,
        series=tuple(_series(r) for r in record.series),
        parameters=complete(
            record.parameters, detector, shape=record.shape, dtype=record.dtype, camera=camera
        ),
        pixel_mask=mask_of(detector, record.shape) if pixel_mask is None else pixel_mask,
        flatfield=flatfield,
        has_attributes=has_attributes,
        positions=positions,
        started=datetime.fromtimestamp(started, UTC).astimezone(),
    )


def _series(report: SeriesReport) -> SeriesRecord:
    return SeriesRecord(
        series=report.series,
        row=report.row,
        first=report.first,
        rows=report.rows,
        stored=report.stored,
        outcome=report.outcome,
        reason=report.reason,
    )


def mask_of(detector: Detector, shape: tuple[int, int]) -> NDArray[np.uint32]:
    """The pixel mask where the stream has none: the beamline file's, or the gaps of the model.

    Args:
        detector: Of the beamline file.
        shape: Of the frames, (slow, fast); a mask of another shape is of no use.
    """
    if detector.pixel_mask is not None:
        mask = np.load(detector.pixel_mask).astype(np.uint32)
        if mask.shape == shape:
            return mask
    mask = gaps(detector.spec)
    return mask if mask.shape == shape else np.zeros(shape, np.uint32)


def gaps(spec: DetectorModel) -> NDArray[np.uint32]:
    """Mask of the pixels between a model's modules, (slow, fast)."""
    mask = np.zeros(spec.shape, np.uint32)
    for axis, along in ((0, 1), (1, 0)):
        for number in range(1, spec.grid[along]):
            end = number * (spec.module[along] + spec.gap[along])
            between = slice(end - spec.gap[along], end)
            mask[between if axis == 0 else (slice(None), between)] = _GAP
    return mask


def planned_seconds(captures: Sequence[DetectorCapture], planned: Mapping[str, int]) -> float:
    """How long the frames that were asked for take, of the slowest detector."""
    durations = [max(planned.get(c.detector, 0), c.rows) * (c.parameters.frame_time or 0.0) for c in captures]
    return max(durations, default=0.0)
