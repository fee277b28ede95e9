"""What lies between the spots: scatter of air and solvent, and its noise at three hundred frames a second.

Drawing a million Poisson numbers takes longer than a frame may. So a frame is put together from bands of
rows, each the sum of two samples that are drawn once for half the light and taken again in other pairs and
some pixels off: with eight of each and 49 x 9 places every band has twelve million forms, and a frame of 34
bands never comes twice, nor does the sum of many show what it is made of. Every sample is exact, and the
sum of two Poisson numbers is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.scenes.optics import BEAM_STOP, Optics

Array = NDArray[np.float64]
Counts = NDArray[np.unsignedinteger]

_RATE = 110.0
"""Counts per second in a pixel of 75 um at 120 mm, in units of the profile below."""

_SOLID_ANGLE = (0.075 / 120.0) ** 2
_GRID = 8
_SAMPLES = 8
_SHIFT = 24
"""Pixels to either side."""
_ROWS = 4
"""Rows up or down."""
_BAND_PIXELS = 1 << 15


def profile(inverse_d: Array) -> Array:
    """Scatter by 1/d in 1/Angstrom: air, falling; the ring of water near 3.1 Angstrom; and a diffuse rest."""
    air = 0.9 * np.exp(-inverse_d / 0.11)
    ring = 0.8 * np.exp(-0.5 * np.square((inverse_d - 0.32) / 0.055))
    return air + ring + 0.25 * np.exp(-inverse_d / 0.8)


def rates(optics: Optics) -> Array:
    """Counts per second of each pixel at full transmission, shape (slow, fast).

    Computed on every eighth pixel and interpolated: it is smooth. The beam stop is not in it.
    """
    panel = optics.panel
    height, width = panel.shape
    fast, slow = np.arange(0, width + _GRID, _GRID), np.arange(0, height + _GRID, _GRID)
    points = panel.points(_centres(fast, slow))
    squared = np.square(points).sum(axis=1)
    rays = points / np.sqrt(squared)[:, None]
    inverse_d = 2.0 * np.sin(0.5 * np.arccos(np.clip(rays[:, 2], -1, 1))) / optics.wavelength
    angle = panel.pixel_size**2 * np.abs(rays @ panel.normal) / squared / _SOLID_ANGLE
    coarse = (_RATE * profile(inverse_d) * angle * optics.factor(rays)).reshape(len(slow), len(fast))
    return _stretch(_stretch(coarse, height).T, width).T


def _stretch(coarse: Array, length: int) -> Array:
    """Interpolate the first axis from every eighth pixel to each."""
    pixel = np.arange(length)
    below, part = pixel // _GRID, (pixel % _GRID / _GRID)[:, None]
    return coarse[below] * (1 - part) + coarse[below + 1] * part


def shadow(optics: Optics) -> NDArray[np.bool_]:
    """Pixels in the shadow of the beam stop, shape (slow, fast)."""
    panel = optics.panel
    dark = np.zeros(panel.shape, dtype=np.bool_)
    x, y = panel.beam_centre
    radius = 1.1 * np.tan(BEAM_STOP) * panel.beam_distance / panel.pixel_size / abs(panel.normal[2])
    if panel.beam_distance <= 0 or not np.isfinite([x, y, radius]).all():
        return dark
    left, right = (int(np.clip(edge, 0, panel.shape[1])) for edge in (x - radius, x + radius + 1))
    top, bottom = (int(np.clip(edge, 0, panel.shape[0])) for edge in (y - radius, y + radius + 1))
    points = panel.points(_centres(np.arange(left, right), np.arange(top, bottom)))
    close = points[:, 2] > np.cos(BEAM_STOP) * np.sqrt(np.square(points).sum(axis=1))
    dark[top:bottom, left:right] = close.reshape(bottom - top, right - left)
    return dark


def _centres(columns: NDArray[np.int64], rows: NDArray[np.int64]) -> Array:
    """Centres of pixels, row by row, shape (n, 2)."""
    grid = np.empty((len(rows), len(columns), 2), dtype=np.float64)
    grid[..., 0] = columns + 0.5
    grid[..., 1] = rows[:, None] + 0.5
    return grid.reshape(-1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """How much of it there is in one frame.

    Attributes:
        seconds: Count time times transmission.
        dtype: Of the frame.
    """

    seconds: float
    dtype: np.dtype[np.unsignedinteger]


class NoisePool:
    """Background frames of one setting of beam and detector; samples are drawn when first needed."""

    def __init__(
        self, rate: Array, light: Light, seed: list[int], dark: NDArray[np.bool_] | None = None
    ) -> None:
        """Draw nothing yet.

        Args:
            rate: Counts per second of each pixel, shape (slow, fast); smooth over a few pixels.
            dark: Pixels that no light reaches, same shape.
            light: Of the frames.
            seed: Where the samples come from.
        """
        self._shape = rate.shape
        self._width = rate.shape[1]
        self._margin = _ROWS * self._width + _SHIFT
        half = np.pad(0.5 * light.seconds * rate, ((_ROWS, _ROWS), (0, 0)), mode="edge")
        self._half = np.pad(half.ravel(), _SHIFT, mode="edge")
        self._dark = np.empty(0, np.intp) if dark is None else np.flatnonzero(dark)
        self._dtype = light.dtype
        self._narrow = _narrow(light.dtype, float(self._half.max()))
        self._seed = seed
        band = max(1, _BAND_PIXELS // rate.shape[1]) * rate.shape[1]
        self._edges = [*range(0, rate.size, band), rate.size]
        self._sum = np.empty(band, dtype=self._narrow)
        self._samples: dict[tuple[int, int], Counts] = {}
        self._undrawn = iter([(band, n) for n in range(2 * _SAMPLES) for band in range(self.bands)])

    @property
    def bands(self) -> int:
        """How many bands a frame has."""
        return len(self._edges) - 1

    def draw_one(self) -> bool:
        """Draw one sample beforehand, so that no frame waits for it; says whether one was left to draw."""
        for place in self._undrawn:
            if place not in self._samples:
                self._sample(*place)
                return True
        return False

    def frame(self, rng: np.random.Generator) -> Counts:
        """A new background frame, shape (slow, fast); the generator decides which."""
        frame = np.empty(self._shape, dtype=self._dtype)
        flat = frame.reshape(-1)
        picks = rng.integers(_SAMPLES, size=(self.bands, 2)).tolist()
        columns = rng.integers(2 * _SHIFT + 1, size=(self.bands, 2))
        rows = rng.integers(2 * _ROWS + 1, size=(self.bands, 2))
        shifts = (rows * self._width + columns).tolist()
        for band, ((one, two), (left, right)) in enumerate(zip(picks, shifts, strict=True)):
            first, last = self._edges[band], self._edges[band + 1]
            a, b = self._sample(band, one), self._sample(band, _SAMPLES + two)
            length = last - first
            # Added in the narrow type and widened in cache: half the time of adding wide numbers.
            both = np.add(a[left : left + length], b[right : right + length], out=self._sum[:length])
            flat[first:last] = both
        flat[self._dark] = 0
        return frame

    def _sample(self, band: int, sample: int) -> Counts:
        found = self._samples.get((band, sample))
        if found is None:
            mean = self._half[self._edges[band] : self._edges[band + 1] + 2 * self._margin]
            drawn = np.random.default_rng([*self._seed, band, sample]).poisson(mean)
            # Eight bits roll over, as they do in the detector.
            found = self._samples[band, sample] = drawn.astype(self._narrow)
        return found


def _narrow(dtype: np.dtype[np.unsignedinteger], mean: float) -> np.dtype[np.unsignedinteger]:
    """The smallest type that holds the sum of two samples of a mean, no wider than the frame's."""
    for bits, narrow in ((8, np.uint8), (16, np.uint16)):
        if dtype.itemsize * 8 == bits or 2 * mean + 12 * np.sqrt(2 * mean) + 20 < 2**bits:
            return np.dtype(narrow)
    return dtype
