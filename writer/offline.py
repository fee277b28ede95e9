"""What one detector gave, described without a coordinator: from what the stream and the beamline file say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from layouts.beamline import Beamline
from layouts.capture import DetectorCapture
from layouts.raw.names import Meta
from layouts.stream.messages import SeriesParameters
from writer import assemble
from writer.assemble import CameraFacts
from writer.meta_h5 import read_array
from writer.positions import History, positions, tolerance
from writer.reports import CaptureRecord


def described(
    beamline: Beamline,
    taken: CaptureRecord,
    *,
    has_attributes: bool,
    histories: Mapping[str, History] | None = None,
) -> DetectorCapture:
    """A capture as masters want it.

    Args:
        beamline: Describes what the stream is silent about.
        taken: Of a capture whose files are closed; it has frames.
        has_attributes: Whether NDAttributes were stored.
        histories: What motors said meanwhile, by name, if anybody kept it; the detector was told the rest.

    Raises:
        ValueError: It has no frames.
        OSError: The meta file cannot be read.
    """
    detector = beamline.detector(taken.detector)
    spans = assemble.spans(taken, {})
    goniometer: dict[str, str] = {str(axis): motor for axis, motor in beamline.goniometer.items()}
    known = {**told(beamline, taken.parameters, taken.opened), **(histories or {})}
    meta = Path(taken.meta_file)
    energy = taken.parameters.energy or beamline.motor(beamline.beam.energy).initial
    return assemble.detector_capture(
        taken,
        detector,
        positions=positions(beamline.motors, known, spans, goniometer),
        pixel_mask=read_array(meta, Meta.MASKS, taken.pixel_mask) if taken.pixel_mask else None,
        flatfield=read_array(meta, Meta.FLATFIELDS, taken.flatfield) if taken.flatfield else None,
        camera=CameraFacts(
            images=taken.rows,
            count_time=detector.initial_count_time,
            frame_time=detector.initial_frame_time,
            energy=energy,
            threshold=energy / 2,
        ),
        has_attributes=has_attributes,
    )


def told(beamline: Beamline, said: SeriesParameters, time: float) -> dict[str, History]:
    """What the detector was told of axes that do not turn, and of the energy, at a time (s since 1970)."""
    values = {
        motor: said.goniometer[axis].start
        for axis, motor in beamline.goniometer.items()
        if axis in said.goniometer
    }
    if said.energy is not None:
        values[beamline.beam.energy] = said.energy
    histories: dict[str, History] = {}
    for name, value in values.items():
        histories[name] = History(tolerance(beamline.motor(name)))
        histories[name].add(time, value)
    return histories
