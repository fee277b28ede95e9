"""Where a diffracted ray lands on the detector, how wide, and how much of it is counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Detector
from layouts.geometry import Panel, wavelength
from sim.scenes import matter

Array = NDArray[np.float64]

BEAM_STOP = np.deg2rad(0.45)
"""Rays closer than this to the beam are stopped before they reach the detector."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landing:
    """Where rays land.

    Attributes:
        x: Centroid along fast in pixels from the outer corner, shape (n,); NaN where a ray never arrives.
        y: Along slow.
        sigma_x: Width along fast, pixels.
        sigma_y: Along slow.
        weight: Polarisation and efficiency over sin of the scattering angle (the Lorentz factor, but for
            what the rotation axis has to do with it).
    """

    x: Array
    y: Array
    sigma_x: Array
    sigma_y: Array
    weight: Array

    def on(self, shape: tuple[int, int], margin: float) -> NDArray[np.bool_]:
        """Which land on a panel of that shape (slow, fast), or no further outside than the margin."""
        height, width = shape
        inside = (self.x > -margin) & (self.x < width + margin)
        return inside & (self.y > -margin) & (self.y < height + margin)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Optics:
    """Beam and detector as they stand.

    Attributes:
        panel: The detector in the laboratory.
        wavelength: Angstrom.
        attenuation: Of the sensor, 1/mm.
        thickness: Of the sensor, mm.
        polarization: Fraction of horizontal polarisation.
        spot_size: Sigma of a spot in pixels, before the depth of the sensor widens it.
    """

    panel: Panel
    wavelength: float
    attenuation: float
    thickness: float
    polarization: float
    spot_size: float

    def factor(self, rays: Array) -> Array:
        """Polarisation times the sensor's efficiency for unit rays, shape (n, 3) to (n,)."""
        x, y = rays[:, 0], rays[:, 1]
        share = self.polarization
        polarized = share * (1.0 - x * x) + (1.0 - share) * (1.0 - y * y)
        cosine = np.abs(rays @ self.panel.normal)
        return polarized * matter.efficiency(self.attenuation, self.thickness, np.maximum(cosine, 1e-3))

    def land(self, rays: Array, points: Array) -> Landing:
        """Follow rays from the crystal into the sensor.

        Args:
            rays: Unit vectors, shape (n, 3).
            points: Where the crystal was, mm, shape (n, 3) or (3,).
        """
        panel = self.panel
        with np.errstate(divide="ignore", invalid="ignore"):
            along = rays @ panel.normal
            reach = (panel.origin - points) @ panel.normal / along
            reach = np.where(reach > 0, reach, np.nan)
            mean, spread = matter.depth(self.attenuation, self.thickness, np.maximum(np.abs(along), 1e-3))
            local = points + rays * (reach + mean)[:, None] - panel.origin
            across_x, across_y = rays @ panel.fast, rays @ panel.slow
            sine = np.hypot(rays[:, 0], rays[:, 1])
            seen = (rays[:, 2] < np.cos(BEAM_STOP)) & np.isfinite(reach)
            weight = np.where(seen, self.factor(rays) / sine, 0.0)
        size = panel.pixel_size
        return Landing(
            x=local @ panel.fast / size,
            y=local @ panel.slow / size,
            sigma_x=np.hypot(self.spot_size, spread * across_x / size),
            sigma_y=np.hypot(self.spot_size, spread * across_y / size),
            weight=weight,
        )


def optics(
    panel: Panel, detector: Detector, *, energy: float, polarization: float, spot_size: float
) -> Optics:
    """Beam and detector at a photon energy in eV."""
    return Optics(
        panel=panel,
        wavelength=wavelength(energy),
        attenuation=matter.attenuation(detector.sensor_material, energy),
        thickness=detector.sensor_thickness * 1e3,
        polarization=polarization,
        spot_size=spot_size,
    )
