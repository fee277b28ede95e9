"""Spots onto a frame: each a normal distribution integrated over pixels, its photons counted one by one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.scenes import normal
from sim.scenes.reflections import Reflections

Array = NDArray[np.float64]

_HALF = 4
"""Pixels on either side of a spot's own that its photons may fall into."""

_OFFSETS = np.arange(-_HALF, _HALF + 2)
_FAINTEST = 0.01
"""Reflections of fewer expected counts in a frame are left out."""


class Painter:
    """Adds spots to frames of one detector."""

    def __init__(self, masked: NDArray[np.bool_]) -> None:
        """Args: masked: Pixels that count nothing, shape (slow, fast)."""
        self._good = ~masked
        self._masked = np.flatnonzero(masked)
        self._tally = np.zeros(masked.size, dtype=np.int64)

    def paint(
        self,
        frame: NDArray[np.unsignedinteger],
        reflections: Reflections,
        saturation: int,
        rng: np.random.Generator,
    ) -> None:
        """Add the spots with their noise, then set what is masked to the highest value.

        Args:
            frame: Background, shape (slow, fast); changed in place.
            reflections: What to add.
            saturation: Where a pixel's count ends, before the frame's depth cuts it.
            rng: Where the noise comes from.
        """
        flat = frame.reshape(-1)
        where, expected = self._pixels(reflections)
        photons = rng.poisson(expected)
        hit = np.flatnonzero(photons)
        where, photons = where[hit], photons[hit]
        # Pixels may come twice where spots overlap: tallied first, each then gets its whole sum.
        np.add.at(self._tally, where, photons)
        total = np.minimum(flat[where] + self._tally[where], saturation)
        self._tally[where] = 0
        flat[where] = total.astype(frame.dtype)
        flat[self._masked] = np.iinfo(frame.dtype).max

    def _pixels(self, reflections: Reflections) -> tuple[NDArray[np.int64], Array]:
        """Flat pixel numbers and expected counts of all spots."""
        height, width = self._good.shape
        bright = np.flatnonzero(reflections.counts > _FAINTEST)
        left, across = _spread(reflections.x[bright], reflections.sigma_x[bright])
        top, down = _spread(reflections.y[bright], reflections.sigma_y[bright])
        across *= (left >= 0) & (left < width)
        down *= ((top >= 0) & (top < height)) * reflections.counts[bright][:, None]
        columns, rows = np.clip(left, 0, width - 1), np.clip(top, 0, height - 1)
        where = (rows[:, :, None] * width + columns[:, None, :]).ravel()
        expected = (down[:, :, None] * across[:, None, :]).ravel()
        return where, expected * self._good.reshape(-1)[where]


def _spread(centre: Array, sigma: Array) -> tuple[NDArray[np.int64], Array]:
    """Pixels around each centre and the share of a spot that falls into each, shapes (n, pixels)."""
    first = np.floor(centre).astype(np.int64)
    edges = first[:, None] + _OFFSETS
    below = normal.integral((edges - centre[:, None]) / sigma[:, None])
    return edges[:, :-1], np.diff(below, axis=1)
