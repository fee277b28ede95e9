"""Rotations as values: from what a user asks for to what motors and detectors are told.

A sweep is continuous: frame i begins at exactly ``start + i * increment`` and the next follows without a gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class ScanError(ValueError):
    """A scan that cannot be done; says what, where and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """One continuous rotation as one detector sees it.

    Attributes:
        start: Position at the start of frame 0, degrees.
        increment: Degrees from frame to frame; negative turns backwards.
        images: Frames.
        frame_time: Seconds from frame to frame.
    """

    start: float
    increment: float
    images: int
    frame_time: float

    def __post_init__(self) -> None:
        if self.images < 1:
            raise ScanError(f"images: {self.images} frames make no sweep; 1 or more do")
        for name in ("start", "increment", "frame_time"):
            if not math.isfinite(value := getattr(self, name)):
                raise ScanError(f"{name.replace('_', ' ')}: {value} is no number to measure with")
        if self.frame_time <= 0:
            raise ScanError(f"frame time: {self.frame_time} s is not above zero; take some milliseconds")
        if self.increment == 0:
            raise ScanError("increment: 0 degrees is no rotation; take a step that is not zero")

    @property
    def end(self) -> float:
        """Position at the end of the last frame."""
        return self.start + self.images * self.increment

    @property
    def duration(self) -> float:
        """Seconds of exposure."""
        return self.images * self.frame_time

    @property
    def velocity(self) -> float:
        """Speed of the axis, always positive."""
        return abs(self.increment) / self.frame_time

    @property
    def starts(self) -> NDArray[np.float64]:
        """Positions at the start of every frame, shape (images,)."""
        return self.start + self.increment * np.arange(self.images, dtype=np.float64)

    def over(self, images: int) -> Sweep:
        """The same rotation in another number of frames.

        Raises:
            ScanError: No frames.
        """
        if images < 1:
            raise ScanError(f"images: {images} frames make no sweep; 1 or more do")
        factor = self.images / images
        return Sweep(
            start=self.start,
            increment=self.increment * factor,
            images=images,
            frame_time=self.frame_time * factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the motor does so that a sweep happens at constant speed.

    Attributes:
        begin: Where the motor waits.
        end: Where it comes to rest.
        velocity: Its speed.
    """

    begin: float
    end: float
    velocity: float


def run_up(sweep: Sweep, acceleration_time: float, *, settle: float = 0.1) -> Run:
    """The motion for a sweep, with room to reach its speed before frame 0 and to stop after the last.

    Args:
        sweep: The rotation.
        acceleration_time: Seconds from rest to speed, the record's ACCL.
        settle: Seconds at constant speed before frame 0 and after the last.
    """
    room = sweep.velocity * (acceleration_time / 2 + settle)
    sign = math.copysign(1.0, sweep.increment)
    return Run(begin=sweep.start - sign * room, end=sweep.end + sign * room, velocity=sweep.velocity)


def check_run(run: Run, *, low: float, high: float, fastest: float, axis: str) -> None:
    """Refuse a motion that the motor would refuse.

    Args:
        run: The motion.
        low: Lower soft limit; both limits 0 means none.
        high: Upper soft limit.
        fastest: Highest speed of the motor.
        axis: Its name, for messages.

    Raises:
        ScanError: Names the limit and what would be right.
    """
    if run.velocity > fastest * (1 + 1e-9):
        raise ScanError(
            f"{axis}: the sweep needs {run.velocity:g} a second, the motor does {fastest:g}; "
            "take longer frames or a smaller increment"
        )
    ends = min(run.begin, run.end), max(run.begin, run.end)
    if (low, high) != (0.0, 0.0) and not (low <= ends[0] and ends[1] <= high):
        raise ScanError(
            f"{axis}: the sweep with its run-up goes from {ends[0]:g} to {ends[1]:g}, "
            f"the limits are {low:g} to {high:g}"
        )
