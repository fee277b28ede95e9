"""All reflections of a full turn about one axis, solved once, so that a frame only looks up its own.

A reflection meets the Ewald sphere where s0.r(phi) = -r.r / 2: a cos phi + b sin phi = c, with at most two
solutions in a turn. The rocking curve is normal in the angle from the sphere, so in phi its width is the
crystal's over zeta = e.(s1 x s0) / |s1 x s0|, which is also what the axis adds to the Lorentz factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.scenes import normal
from sim.scenes.crystal import Lattice
from sim.scenes.goniometry import Turn, rotate
from sim.scenes.optics import Landing, Optics
from sim.scenes.reflections import MARGIN, TAILS, Reflections

Array = NDArray[np.float64]

_BLOCK = 1 << 18
_ZETA_MIN = 0.02
"""Reflections so near the axis stay on the sphere for many degrees and never peak."""


_NOTHING = Reflections(
    hkl=np.empty((0, 3), dtype=np.int32),
    x=np.empty(0),
    y=np.empty(0),
    sigma_x=np.empty(0),
    sigma_y=np.empty(0),
    fraction=np.empty(0),
    counts=np.empty(0),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """Crossings of about one rocking width, by angle; arrays of the same n."""

    reach: float
    angle: Array
    zeta: Array
    which: NDArray[np.int32]
    landing: Landing


class RotationTable:
    """Every crossing of a full turn that lands on the detector."""

    def __init__(self, lattice: Lattice, optics: Optics, turn: Turn, rocking: float) -> None:
        """Solve a full turn; takes about a microsecond for each reflection.

        Args:
            lattice: The crystal.
            optics: Beam and detector.
            turn: The axis; where it starts and stops does not matter.
            rocking: Sigma of the rocking curve, deg.
        """
        self._lattice = lattice
        self._rocking = rocking
        self._parts = self._sorted(lattice, optics, turn)

    def frame(self, start: float, stop: float, count_time: float, brightness: float) -> Reflections:
        """Reflections of an exposure.

        Args:
            start: Angle at its begin, deg.
            stop: At its end, deg, on either side of start.
            count_time: Seconds.
            brightness: Of the crystal, as ``reflections.brightness`` has it.
        """
        low, high = min(start, stop), max(start, stop)
        found = [piece for part in self._parts for piece in self._slices(part, low, high)]
        if not found:
            return _NOTHING
        whole = [np.concatenate(columns) for columns in zip(*found, strict=True)]
        angle, zeta, which, x, y, sigma_x, sigma_y, weight = whole
        scale = zeta / self._rocking
        fraction = normal.integral((high - angle) * scale) - normal.integral((low - angle) * scale)
        seconds_per_degree = count_time / (high - low)
        counts = brightness * self._lattice.intensity[which] * weight / zeta * fraction * seconds_per_degree
        return Reflections(
            hkl=self._lattice.hkl[which],
            x=x,
            y=y,
            sigma_x=sigma_x,
            sigma_y=sigma_y,
            fraction=fraction,
            counts=counts,
        )

    def _slices(self, part: _Part, low: float, high: float) -> list[tuple[Array, ...]]:
        first = int(np.floor((low - part.reach) / 360.0))
        last = int(np.floor((high + part.reach) / 360.0))
        pieces: list[tuple[Array, ...]] = []
        for turns in range(first, last + 1):
            shift = 360.0 * turns
            begin, end = np.searchsorted(part.angle, [low - part.reach - shift, high + part.reach - shift])
            angle, zeta = part.angle[begin:end] + shift, part.zeta[begin:end]
            width = TAILS * self._rocking / zeta
            inside = np.flatnonzero((angle > low - width) & (angle < high + width))
            at = inside + begin
            landing = part.landing
            pieces.append(
                (
                    angle[inside],
                    zeta[inside],
                    part.which[at],
                    landing.x[at],
                    landing.y[at],
                    landing.sigma_x[at],
                    landing.sigma_y[at],
                    landing.weight[at],
                )
            )
        return pieces

    def _sorted(self, lattice: Lattice, optics: Optics, turn: Turn) -> list[_Part]:
        blocks = [
            _solve(lattice, optics, turn, first, min(first + _BLOCK, len(lattice.hkl)))
            for first in range(0, len(lattice.hkl), _BLOCK)
        ]
        columns = [np.concatenate(column) for column in zip(*blocks, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        angle, zeta, which, x, y, sigma_x, sigma_y, weight = (column[order] for column in columns)
        # Those of about equal width together, so that a frame looks only as far as these reach.
        octave = np.floor(-np.log2(zeta)).astype(np.int32)
        parts: list[_Part] = []
        for level in np.unique(octave):
            at = np.flatnonzero(octave == level)
            landing = Landing(x=x[at], y=y[at], sigma_x=sigma_x[at], sigma_y=sigma_y[at], weight=weight[at])
            reach = TAILS * self._rocking / float(zeta[at].min())
            parts.append(_Part(reach=reach, angle=angle[at], zeta=zeta[at], which=which[at], landing=landing))
        return parts


def _solve(lattice: Lattice, optics: Optics, turn: Turn, first: int, last: int) -> tuple[Array, ...]:
    """Crossings of some reflections: angle, zeta, index, x, y, both sigmas, weight."""
    vectors = lattice.hkl[first:last] @ (turn.mount @ lattice.setting).T
    incident = np.array([0.0, 0.0, 1.0 / optics.wavelength])
    angles = _crossings(vectors, turn.axis, incident)
    which, branch = np.nonzero(np.isfinite(angles))
    radians = angles[which, branch]
    scattered = incident + rotate(turn.axis, radians, vectors[which])
    rays = scattered * optics.wavelength
    normals = np.stack([rays[:, 1], -rays[:, 0], np.zeros(len(rays))], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        zeta = np.abs(normals @ turn.axis) / np.hypot(rays[:, 0], rays[:, 1])
    points = rotate(turn.axis, radians, turn.centre[0]) + turn.centre[1]
    landing = optics.land(rays, points)
    on = landing.on(optics.panel.shape, MARGIN) & (zeta > _ZETA_MIN) & (landing.weight > 0)
    return (
        np.rad2deg(radians[on]) % 360.0,
        zeta[on],
        (which[on] + first).astype(np.int32),
        landing.x[on],
        landing.y[on],
        landing.sigma_x[on],
        landing.sigma_y[on],
        landing.weight[on],
    )


def _crossings(vectors: Array, axis: Array, incident: Array) -> Array:
    """Angles in radians at which vectors, shape (n, 3), meet the sphere: shape (n, 2), NaN for never."""
    along = vectors @ axis
    a = vectors @ incident - along * (axis @ incident)
    b = np.cross(axis, vectors) @ incident
    c = -0.5 * np.square(vectors).sum(axis=1) - along * (axis @ incident)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.arccos(c / np.hypot(a, b))
    centre = np.arctan2(b, a)
    return np.stack([centre - half, centre + half], axis=1)
