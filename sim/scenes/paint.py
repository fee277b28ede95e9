"""Spots onto a frame: normal distributions over pixels, with the noise of counted photons.

Two ways to the same statistics, each for what it is quick at: a bright spot has its distribution integrated
over each pixel and a Poisson number drawn for each; of a faint one the photons are drawn one by one, each
with a place of its own.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from sim.scenes import normal
from sim.scenes.reflections import Reflections

Array = NDArray[np.float64]
Places = NDArray[np.int64]

_HALF = 5
"""Pixels on either side of a bright spot's own that its photons may fall into."""

_OFFSETS = np.arange(-_HALF, _HALF + 2)
_BRIGHT = 150.0
"""Expected counts above which integrating is quicker."""


class Painter:
    """Adds spots to frames of one detector."""

    def __init__(self, masked: NDArray[np.bool_]) -> None:
        """Take the mask of pixels that are given no count, shape (slow, fast)."""
        self._shape = masked.shape
        self._masked = np.flatnonzero(masked)
        self._tally = np.zeros(masked.size, dtype=np.int64)

    def paint(
        self,
        frame: NDArray[np.unsignedinteger],
        reflections: Reflections,
        saturation: int,
        rng: np.random.Generator,
    ) -> None:
        """Add the spots with their noise.

        Args:
            frame: Background, shape (slow, fast); changed in place.
            reflections: What to add.
            saturation: Where a pixel's count ends, before the frame's depth cuts it.
            rng: Where the noise comes from.
        """
        flat = frame.reshape(-1)
        bright = reflections.counts > _BRIGHT
        where, photons = self._integrated(reflections, np.flatnonzero(bright), rng)
        single = self._scattered(reflections, np.flatnonzero(~bright), rng)
        # Pixels may come several times where spots overlap: tallied first, each then gets its whole sum.
        np.add.at(self._tally, where, photons)
        np.add.at(self._tally, single, 1)
        where = np.concatenate([where, single])
        total = np.minimum(flat[where] + self._tally[where], saturation)
        self._tally[where] = 0
        flat[where] = total.astype(frame.dtype)

    def mask(self, frame: NDArray[np.unsignedinteger]) -> None:
        """Set what is masked to the highest value."""
        frame.reshape(-1)[self._masked] = np.iinfo(frame.dtype).max

    def _integrated(
        self, spots: Reflections, which: Places, rng: np.random.Generator
    ) -> tuple[Places, NDArray[np.int64]]:
        """Flat pixel numbers with their photons."""
        height, width = self._shape
        left, across = _spread(spots.x[which], spots.sigma_x[which])
        top, down = _spread(spots.y[which], spots.sigma_y[which])
        across *= (left >= 0) & (left < width)
        down *= ((top >= 0) & (top < height)) * spots.counts[which][:, None]
        columns, rows = np.clip(left, 0, width - 1), np.clip(top, 0, height - 1)
        where = (rows[:, :, None] * width + columns[:, None, :]).ravel()
        expected = (down[:, :, None] * across[:, None, :]).ravel()
        photons = cast("NDArray[np.int64]", rng.poisson(expected))
        hit = np.flatnonzero(photons)
        return where[hit], photons[hit]

    def _scattered(self, spots: Reflections, which: Places, rng: np.random.Generator) -> Places:
        """Flat pixel number of each photon."""
        height, width = self._shape
        spot = np.repeat(which, rng.poisson(spots.counts[which]))
        x = np.floor(rng.normal(spots.x[spot], spots.sigma_x[spot])).astype(np.int64)
        y = np.floor(rng.normal(spots.y[spot], spots.sigma_y[spot])).astype(np.int64)
        on = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return y[on] * width + x[on]


def _spread(centre: Array, sigma: Array) -> tuple[Places, Array]:
    """Pixels around each centre and the share of a spot that falls into each, shapes (n, pixels)."""
    first = np.floor(centre).astype(np.int64)
    edges = first[:, None] + _OFFSETS
    below = normal.integral((edges - centre[:, None]) / sigma[:, None])
    return edges[:, :-1], below[:, 1:] - below[:, :-1]
