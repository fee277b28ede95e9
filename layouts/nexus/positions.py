"""Where the axes stood for one detector's frames, as masters say it.

A scan axis has one value a frame. Any other has one number, whatever its monitors said: readers find the scan
axis by exact equality of its values, so a fixed axis that jitters, or the staircase of a step scan, would be
taken for a rotation. Positions that differ from frame to frame go to NXdata instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline, Motor, MotorKind
from layouts.capture import AxisPositions, DetectorCapture, Origin
from layouts.geometry import Panel, axis_chain, panel

LINEAR = 1e-3
"""Part of an increment that a planned value may be off a straight line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One motor as a master describes it.

    Attributes:
        motor: Its description.
        values: In the frame of the geometry (dial), shape (frames,) of a scan axis, else (1,).
        increment: From the start to the end of a frame; 0 if it is no scan axis.
        steps: One value a frame, if it stood elsewhere for other frames and is no scan axis.
        readback: By frame, as the monitors said for the frame's series; nothing if they said nothing.
        origin: How the values are known.
    """

    motor: Motor
    values: NDArray[np.float64]
    increment: float = 0.0
    steps: NDArray[np.float64] | None = None
    readback: NDArray[np.float64] | None = None
    origin: Origin = Origin.CONFIGURED

    @property
    def is_scan(self) -> bool:
        """Whether it moved steadily while the frames were taken."""
        return self.increment != 0.0

    @property
    def is_reversed(self) -> bool:
        """Whether masters turn it about the opposite direction: DIALS refuses a sweep of negative width."""
        return self.motor.kind is MotorKind.ROTATION and self.increment < 0


def axis(beamline: Beamline, capture: DetectorCapture, name: str) -> Axis:
    """One motor's positions for a capture; the initial value where nothing is known.

    Args:
        beamline: Description of the motors.
        capture: Frames and positions.
        name: The motor's.
    """
    motor = beamline.motor(name)
    found = capture.positions.get(name)
    if found is None or not found.values.size:
        return Axis(motor=motor, values=np.array([motor.initial]))
    values = np.asarray(found.values, dtype=np.float64) - motor.offset
    whole = values.size == capture.rows
    if found.is_scan and whole:
        increment, steps = found.increment, None
    else:
        increment, steps = 0.0, (values if whole and np.ptp(values) > 0 else None)
        values = values[:1]
    return Axis(
        motor=motor,
        values=values,
        increment=increment,
        steps=steps,
        readback=_by_frame(found, capture, motor.offset),
        origin=found.origin,
    )


def axes(beamline: Beamline, capture: DetectorCapture, end: str) -> list[Axis]:
    """Positions of a chain of axes, from the laboratory to the one named."""
    return [axis(beamline, capture, motor.name) for motor in axis_chain(beamline, end)]


def panel_at_start(beamline: Beamline, capture: DetectorCapture) -> Panel:
    """The detector in the laboratory as its first frame began."""
    detector = beamline.detector(capture.detector)
    positions = {a.motor.name: float(a.values[0]) for a in axes(beamline, capture, detector.stage)}
    return panel(beamline, detector, positions)


def energies(beamline: Beamline, capture: DetectorCapture) -> tuple[NDArray[np.float64], Origin]:
    """Photon energy in eV, shape (1,) or (frames,) if it changed, and how it is known.

    What the detector was told stands in where no motor answered.
    """
    found = axis(beamline, capture, beamline.beam.energy)
    if found.origin is Origin.CONFIGURED and capture.parameters.energy:
        return np.array([capture.parameters.energy]), Origin.PLAN
    return (found.values if found.steps is None else found.steps), found.origin


def transmissions(beamline: Beamline, capture: DetectorCapture) -> NDArray[np.float64] | None:
    """Transmission, shape (1,) or (frames,) if it changed; nothing if the beamline has no attenuator."""
    if beamline.beam.attenuator is None:
        return None
    found = axis(beamline, capture, beamline.beam.attenuator)
    return found.values if found.steps is None else found.steps


def is_one_sweep(found: Axis) -> bool:
    """Whether a scan axis advances by its increment from each frame to the next.

    Readers take the first two values and believe the rest.
    """
    wanted = found.values[0] + found.increment * np.arange(found.values.size)
    return bool(np.all(np.abs(found.values - wanted) <= LINEAR * abs(found.increment)))


def _by_frame(found: AxisPositions, capture: DetectorCapture, offset: float) -> NDArray[np.float64] | None:
    said = np.asarray(found.readback, dtype=np.float64) - offset
    if not said.size or np.all(np.isnan(said)):
        return None
    frames = np.full(capture.rows, np.nan)
    for series, value in zip(capture.series, said, strict=False):
        frames[series.row : series.row + series.rows] = value
    return frames
