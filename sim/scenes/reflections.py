"""Reflections of one frame: each with its place, its share in the frame, and its counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TAILS = 4.5
"""A rocking curve is followed to this many sigma on both sides; 7 in a million lie beyond."""

MARGIN = 5.0
"""A spot whose centre lies this far outside the detector, in pixels, leaves nothing on it."""

_DWELL = 0.025
"""Seconds per degree at which the beamline file's intensity holds: 40 deg/s, as fast rotations go."""

_WAVELENGTH = 0.976
"""And the wavelength, Angstrom."""

_SINE = 0.0976
"""And the sine of the scattering angle: of 10 Angstrom at that wavelength."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reflections:
    """Reflections of one frame, before noise; all arrays run over the same n.

    Attributes:
        hkl: Indices, shape (n, 3).
        x: Centroid along fast, pixels from the outer corner.
        y: Along slow.
        sigma_x: Width along fast, pixels.
        sigma_y: Along slow.
        fraction: Share of the full reflection that falls into the frame; for a still, the height on the
            rocking curve.
        counts: Photons expected to be counted in the frame.
    """

    hkl: NDArray[np.int32]
    x: Array
    y: Array
    sigma_x: Array
    sigma_y: Array
    fraction: Array
    counts: Array

    def __len__(self) -> int:
        return len(self.counts)


def brightness(intensity: float, wavelength: float, transmission: float) -> float:
    """Counts per second and per (unit intensity x weight / degree) of a reflection.

    Times the integral of the rocking curve over time this gives a reflection's counts. A crystal scatters
    with the cube of the wavelength (Darwin).

    Args:
        intensity: Of the beamline file: mean counts of a full low-angle reflection.
        wavelength: Angstrom.
        transmission: Of the attenuator, 0 to 1.
    """
    return intensity * _SINE * (wavelength / _WAVELENGTH) ** 3 * transmission / _DWELL
