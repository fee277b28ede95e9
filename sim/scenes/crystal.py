"""The crystal: cell, orientation, and the reflections it has with their intensities.

Reciprocal vectors have no 2 pi: their length is 1/d in 1/Angstrom. B follows Busing and Levy with a along x
in the crystal's own frame, as the PDB has it, and A = UB turns an index into the McStas laboratory with
every goniometer angle at zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Crystal
from layouts.symmetry import SpaceGroup, space_group

Matrix = NDArray[np.float64]

_SLAB = 1 << 20
"""Indices looked at in one go: bounds the memory that a large cell needs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lattice:
    """A crystal as it is mounted.

    Attributes:
        group: Its space group.
        unitary: U, the orientation, shape (3, 3).
        cartesian: B, reciprocal axes in the crystal's own frame, shape (3, 3), 1/Angstrom.
        hkl: Indices of every reflection that is not extinct, shape (n, 3).
        intensity: Scattering power of each, relative to the mean at low angle, shape (n,).
    """

    group: SpaceGroup
    unitary: Matrix
    cartesian: Matrix
    hkl: NDArray[np.int32]
    intensity: Matrix

    @property
    def setting(self) -> Matrix:
        """A = UB, shape (3, 3), 1/Angstrom."""
        return self.unitary @ self.cartesian


def grow(crystal: Crystal) -> Lattice:
    """The crystal of a beamline file.

    Raises:
        ValueError: The space group is unknown, or the cell is impossible or does not fit it.
    """
    group = space_group(crystal.space_group)
    cartesian = reciprocal(crystal.cell)
    if not group.fits(crystal.cell):
        raise ValueError(
            f"sample.crystal.cell: {list(crystal.cell)} is no lattice of {group.symbol} ({group.laue}); "
            "its lengths and angles must be equal, or 90 or 120 degrees, where the space group says so"
        )
    hkl = _indices(crystal.cell, cartesian, 1.0 / crystal.resolution)
    hkl = hkl[~group.absent(hkl)]
    squared = np.square(hkl @ cartesian.T).sum(axis=1)
    falloff = np.exp(-0.5 * crystal.b_factor * squared)
    return Lattice(
        group=group,
        unitary=orientation(crystal.seed),
        cartesian=cartesian,
        hkl=hkl,
        intensity=_wilson(group, hkl, crystal.seed) * falloff,
    )


def reciprocal(cell: Sequence[float]) -> Matrix:
    """B of a cell: columns are a*, b*, c*, shape (3, 3), 1/Angstrom.

    Raises:
        ValueError: No such cell exists: its angles do not go together.
    """
    a, b, c = cell[:3]
    alpha, beta, gamma = np.deg2rad(np.asarray(cell[3:], dtype=np.float64))
    x = np.cos(beta)
    y = (np.cos(alpha) - np.cos(beta) * np.cos(gamma)) / np.sin(gamma)
    rest = 1.0 - x * x - y * y
    if not (rest > 1e-6 and np.sin(gamma) > 1e-3):
        raise ValueError(f"sample.crystal.cell: no cell has the angles {list(cell[3:])}; 90 each is safe")
    direct = np.array(
        [[a, b * np.cos(gamma), c * x], [0.0, b * np.sin(gamma), c * y], [0.0, 0.0, c * np.sqrt(rest)]]
    )
    return np.linalg.inv(direct).T


def orientation(seed: int) -> Matrix:
    """A rotation that comes from the seed, all being equally likely, shape (3, 3)."""
    quaternion = np.random.default_rng([seed, 1]).normal(size=4)
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _indices(cell: Sequence[float], cartesian: Matrix, limit: float) -> NDArray[np.int32]:
    """All indices but 0 0 0 whose vectors are no longer than the limit."""
    # An index is the scalar product with an edge of the cell, so it cannot exceed edge times length.
    h_max, k_max, l_max = (int(edge * limit) for edge in cell[:3])
    k, el = np.meshgrid(np.arange(-k_max, k_max + 1), np.arange(-l_max, l_max + 1), indexing="ij")
    layer = np.stack([np.zeros(k.size), k.ravel(), el.ravel()], axis=1).astype(np.int32)
    rows = max(1, _SLAB // len(layer))
    kept: list[NDArray[np.int32]] = []
    for first in range(-h_max, h_max + 1, rows):
        h = np.arange(first, min(first + rows, h_max + 1), dtype=np.int32)
        hkl = np.tile(layer, (len(h), 1))
        hkl[:, 0] = np.repeat(h, len(layer))
        squared = np.square(hkl @ cartesian.T).sum(axis=1)
        kept.append(hkl[(squared <= limit * limit) & (squared > 0)])
    return np.concatenate(kept)


def _wilson(group: SpaceGroup, hkl: NDArray[np.int32], seed: int) -> Matrix:
    """Intensities by Wilson's statistics, one for all equivalents; their mean is the multiplicity."""
    unique, back = np.unique(group.representative(hkl), axis=0, return_inverse=True)
    rng = np.random.default_rng([seed, 2])
    acentric = rng.exponential(size=len(unique))
    centric = np.square(rng.normal(size=len(unique)))
    intensity = np.where(group.centric(unique), centric, acentric) * group.multiplicity(unique)
    return intensity[back.ravel()].astype(np.float64)
