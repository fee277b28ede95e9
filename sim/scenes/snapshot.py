"""Reflections of a frame during which anything may move: several axes, the energy, or nothing at all.

Each reflection's angle from the Ewald sphere is taken at both ends of the exposure; between them the rocking
curve is integrated as if the angle ran evenly, which a frame of a few degrees allows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.scenes import normal
from sim.scenes.crystal import Lattice
from sim.scenes.goniometry import Motion, rotate
from sim.scenes.optics import Optics
from sim.scenes.reflections import MARGIN, TAILS, Reflections

Array = NDArray[np.float64]

_FARTHEST = np.deg2rad(5.0)
"""How far beyond the exposure a reflection's crossing is looked for to find its place."""


def snapshot(
    lattice: Lattice,
    optics: Optics,
    motion: Motion,
    *,
    wavelengths: tuple[float, float],
    rocking: float,
    count_time: float,
    brightness: float,
) -> Reflections:
    """Reflections of an exposure.

    Args:
        lattice: The crystal.
        optics: Beam and detector, halfway.
        motion: Of the sample.
        wavelengths: At begin and end, Angstrom.
        rocking: Sigma of the rocking curve, deg.
        count_time: Seconds.
        brightness: Of the crystal, as ``reflections.brightness`` has it.
    """
    lengths = np.sqrt(np.square(lattice.hkl @ lattice.cartesian.T).sum(axis=1))
    first = _angle(lattice, motion.start[:3, :3], lengths, wavelengths[0])
    last = _angle(lattice, motion.stop[:3, :3], lengths, wavelengths[1])
    low, high = np.minimum(first, last), np.maximum(first, last)
    near = np.flatnonzero((high > -TAILS * rocking) & (low < TAILS * rocking))
    low, high, span = low[near], high[near], (last - first)[near]

    axis, degrees = motion.rotation
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.where(np.abs(span) > 1e-3 * rocking, -first[near] / span, 0.5)
    radians = np.clip(crossing * np.deg2rad(degrees), -_FARTHEST, _FARTHEST + np.deg2rad(degrees))
    vectors = lattice.hkl[near] @ (motion.start[:3, :3] @ lattice.setting).T
    rays = _onto_sphere(rotate(axis, radians, vectors), lengths[near], optics.wavelength)
    landing = optics.land(rays, 0.5 * (motion.start[:3, 3] + motion.stop[:3, 3]))
    on = landing.on(optics.panel.shape, MARGIN) & (landing.weight > 0)

    low, high, span = low[on], high[on], np.abs(span[on])
    middle = 0.5 * (low + high) / rocking
    share = normal.integral(high / rocking) - normal.integral(low / rocking)
    moves = span > 1e-3 * rocking
    with np.errstate(divide="ignore", invalid="ignore"):
        per_degree = np.where(moves, share / span, normal.density(middle) / rocking)
    intensity = lattice.intensity[near][on] * landing.weight[on]
    return Reflections(
        hkl=lattice.hkl[near][on],
        x=landing.x[on],
        y=landing.y[on],
        sigma_x=landing.sigma_x[on],
        sigma_y=landing.sigma_y[on],
        fraction=np.where(moves, share, np.exp(-0.5 * np.square(middle))),
        counts=brightness * intensity * per_degree * count_time,
    )


def _angle(lattice: Lattice, orientation: Array, lengths: Array, wavelength: float) -> Array:
    """Angle in degrees from each reciprocal vector to where it would meet the sphere; NaN beyond it."""
    along = lattice.hkl @ (orientation @ lattice.setting)[2]
    with np.errstate(invalid="ignore"):
        return np.rad2deg(np.arccos(np.clip(along / lengths, -1, 1)) - np.arccos(-0.5 * lengths * wavelength))


def _onto_sphere(vectors: Array, lengths: Array, wavelength: float) -> Array:
    """Unit rays of reflections near the sphere, each turned onto it by the shortest way, shape (n, 3)."""
    cosine = -0.5 * lengths * wavelength
    across = vectors[:, :2] / np.hypot(vectors[:, 0], vectors[:, 1])[:, None]
    sine = np.sqrt(np.maximum(1.0 - cosine * cosine, 0.0))
    rays = np.empty_like(vectors)
    rays[:, :2] = across * (lengths * sine * wavelength)[:, None]
    rays[:, 2] = 1.0 + lengths * cosine * wavelength
    return rays
