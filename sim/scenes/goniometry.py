"""How the crystal moves during an exposure, found from the positions at its two ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline, MotorKind
from layouts.geometry import Matrix, axis_chain, transform, unit
from sim.scenes.exposure import Exposure

Array = NDArray[np.float64]

_STILL = 1e-9
"""Motions below this, in degrees or mm, are none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Turn:
    """One axis turns and everything else stands.

    Attributes:
        axis: Its direction in the laboratory, unit vector.
        mount: Orientation of the crystal's own frame with this axis at zero, shape (3, 3).
        swings: Where the crystal is, mm, with this axis at zero, from a point on the axis that stands.
        stands: That point, mm.
    """

    axis: Matrix
    mount: Matrix
    swings: Matrix
    stands: Matrix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Motion:
    """Any motion at all, by its ends.

    Attributes:
        start: 4 x 4 transformation from crystal to laboratory when the exposure begins, mm.
        stop: The same when it ends.
    """

    start: Matrix
    stop: Matrix

    @property
    def rotation(self) -> tuple[Matrix, float]:
        """Axis and angle in degrees of the one rotation that leads from start to stop."""
        step = self.stop[:3, :3] @ self.start[:3, :3].T
        sine = np.array([step[2, 1] - step[1, 2], step[0, 2] - step[2, 0], step[1, 0] - step[0, 1]]) / 2
        length = float(np.linalg.norm(sine))
        if length < 1e-12:
            return np.array([1.0, 0.0, 0.0]), 0.0
        return sine / length, float(np.rad2deg(np.arctan2(length, (np.trace(step) - 1) / 2)))


def turn(beamline: Beamline, where: Mapping[str, float], motor: str) -> Turn:
    """The motion of the sample where one rotation of its stage is all that moves.

    Args:
        beamline: With the stage.
        where: Positions of all the others.
        motor: The one that turns.
    """
    chain = axis_chain(beamline, beamline.sample.depends_on)
    at = next(i for i, m in enumerate(chain) if m.name == motor)
    outer, inner = transform(chain[:at], where), transform(chain[at + 1 :], where)
    return Turn(
        axis=outer[:3, :3] @ unit(chain[at].vector),
        mount=outer[:3, :3] @ inner[:3, :3],
        swings=outer[:3, :3] @ inner[:3, 3],
        stands=outer[:3, 3],
    )


def motion(beamline: Beamline, exposure: Exposure) -> Motion:
    """The motion of the sample, whatever moves."""
    chain = axis_chain(beamline, beamline.sample.depends_on)
    return Motion(
        start=transform(chain, positions(beamline, exposure.start)),
        stop=transform(chain, positions(beamline, exposure.stop)),
    )


def positions(beamline: Beamline, given: Mapping[str, float]) -> dict[str, float]:
    """Where every motor is: as given, or at its initial position."""
    return {motor.name: float(given.get(motor.name, motor.initial)) for motor in beamline.motors}


def middle(beamline: Beamline, exposure: Exposure) -> dict[str, float]:
    """Where every motor is halfway through an exposure."""
    start, stop = positions(beamline, exposure.start), positions(beamline, exposure.stop)
    return {name: 0.5 * (start[name] + stop[name]) for name in start}


def moving(beamline: Beamline, exposure: Exposure) -> set[str]:
    """The motors that move during an exposure."""
    start, stop = positions(beamline, exposure.start), positions(beamline, exposure.stop)
    return {name for name in start if abs(stop[name] - start[name]) > _STILL}


def rotations(beamline: Beamline) -> set[str]:
    """Names of the rotations of the sample's stage."""
    chain = axis_chain(beamline, beamline.sample.depends_on)
    return {m.name for m in chain if m.kind is MotorKind.ROTATION}


def rotate(axis: Matrix, angles: Array, vectors: Array) -> Array:
    """Turn vectors about an axis, each by its own angle.

    Args:
        axis: Unit vector.
        angles: Radians, shape (n,).
        vectors: Shape (n, 3) or (3,).

    Returns:
        Shape (n, 3).
    """
    parallel = (vectors @ axis)[..., None] * axis
    across = np.cross(axis, vectors)
    return parallel + (vectors - parallel) * np.cos(angles)[:, None] + across * np.sin(angles)[:, None]
