"""What a detector looks at while its shutter is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One frame's worth of light.

    Attributes:
        start: Physical position of each motor when the exposure begins: deg, mm, eV or transmission. A motor
            not named is at the beamline file's initial position.
        stop: The same when it ends; between the two each motor moves evenly.
        count_time: Seconds.
        summed: Sub-frames that a 32-bit frame is the sum of.
        depth: Bits of a pixel in the frame.
        frame: Number in the series, from 0; it and the series enter the seed of the noise.
        series: The detector's number of the series.
        region: Rows and columns that are read; the whole area unless given.
        masked: Whether masked pixels get the mask value.
        flattened: Whether the flatfield correction is applied.
    """

    start: Mapping[str, float]
    stop: Mapping[str, float]
    count_time: float
    summed: int = 1
    depth: Literal[8, 16, 32] = 16
    frame: int = 0
    series: int = 1
    region: tuple[slice, slice] | None = None
    masked: bool = True
    flattened: bool = True


def sweep(
    motor: str,
    start: float,
    increment: float,
    frames: int,
    *,
    count_time: float = 0.01,
    depth: Literal[8, 16, 32] = 16,
    series: int = 1,
    positions: Mapping[str, float] | None = None,
) -> Iterator[Exposure]:
    """Exposures of a rotation without dead time.

    Args:
        motor: The one that turns.
        start: Where it is when the first exposure begins, deg.
        increment: What it turns in one exposure, deg.
        frames: How many.
        count_time: Seconds of each.
        depth: Bits of a pixel.
        series: Number of the series.
        positions: Where other motors are, if not at their initial positions.
    """
    others = dict(positions or {})
    for frame in range(frames):
        yield Exposure(
            start=others | {motor: start + frame * increment},
            stop=others | {motor: start + (frame + 1) * increment},
            count_time=count_time,
            depth=depth,
            frame=frame,
            series=series,
        )
