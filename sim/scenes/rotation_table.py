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
from sim.scenes.optics import Optics
from sim.scenes.reflections import MARGIN, TAILS, Reflections

Array = NDArray[np.float64]

_BLOCK = 1 << 18
_ZETA_MIN = 0.02
"""Reflections so near the axis stay on the sphere for many degrees and never peak."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """Crossings of about one rocking width.

    Attributes:
        reach: How far from an exposure, in degrees, one may be and still have a share in it.
        angle: Where each crosses, ascending, deg, shape (n,).
        rows: Its zeta, number in the lattice, x, y, both sigmas and weight, shape (n, 7).
    """

    reach: float
    angle: Array
    rows: Array


class RotationTable:
    """Every crossing of a full turn that lands on the detector."""

    def __init__(self, lattice: Lattice, optics: Optics, turn: Turn, rocking: float) -> None:
        """Solve a full turn; takes about a microsecond for each reflection.

        Args:
            lattice: The crystal.
            optics: Beam and detector.
            turn: The axis.
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
        angle = np.concatenate([np.empty(0), *(a for a, _ in found)])
        rows = np.concatenate([np.empty((0, 7)), *(r for _, r in found)])
        zeta, number, x, y, sigma_x, sigma_y, weight = rows.T
        which = number.astype(np.int64)
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

    def _slices(self, part: _Part, low: float, high: float) -> list[tuple[Array, Array]]:
        """Angles and rows of the crossings that matter to an exposure, for each turn it touches."""
        first = int((low - part.reach) // 360.0)
        last = int((high + part.reach) // 360.0)
        pieces: list[tuple[Array, Array]] = []
        for turns in range(first, last + 1):
            shift = 360.0 * turns
            begin, end = np.searchsorted(part.angle, (low - part.reach - shift, high + part.reach - shift))
            angle, rows = part.angle[begin:end] + shift, part.rows[begin:end]
            width = TAILS * self._rocking / rows[:, 0]
            inside = (angle > low - width) & (angle < high + width)
            pieces.append((angle[inside], rows[inside]))
        return pieces

    def _sorted(self, lattice: Lattice, optics: Optics, turn: Turn) -> list[_Part]:
        blocks = [
            _solve(lattice, optics, turn, first, min(first + _BLOCK, len(lattice.hkl)))
            for first in range(0, len(lattice.hkl), _BLOCK)
        ]
        angle = np.concatenate([a for a, _ in blocks])
        rows = np.concatenate([r for _, r in blocks])
        order = np.argsort(angle, kind="stable")
        # Those of about equal width together, so that a frame looks only as far as these reach.
        octave = np.floor(-np.log2(rows[order, 0])).astype(np.int64)
        parts: list[_Part] = []
        for level in np.unique(octave):
            at = order[octave == level]
            reach = TAILS * self._rocking / float(rows[at, 0].min())
            parts.append(_Part(reach=reach, angle=angle[at], rows=rows[at]))
        return parts


def _solve(lattice: Lattice, optics: Optics, turn: Turn, first: int, last: int) -> tuple[Array, Array]:
    """Crossings of some reflections: angles, and rows of a part."""
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
    points = rotate(turn.axis, radians, turn.swings) + turn.stands
    landing = optics.land(rays, points)
    on = landing.on(optics.panel.shape, MARGIN) & (zeta > _ZETA_MIN) & (landing.weight > 0)
    rows = np.empty((int(on.sum()), 7), dtype=np.float64)
    landed = (landing.x, landing.y, landing.sigma_x, landing.sigma_y, landing.weight)
    for column, values in enumerate((zeta, which + first, *landed)):
        rows[:, column] = values[on]
    return np.rad2deg(radians[on]) % 360.0, rows


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
