"""Photons in the sensor: how many are counted, and how deep.

Mass attenuation coefficients are those of NIST (Hubbell and Seltzer), between whose energies the logarithms
run straight.
"""

from __future__ import annotations

import math
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SILICON = (
    (4.0, 452.9), (5.0, 245.0), (6.0, 147.0), (8.0, 64.68), (10.0, 33.89), (15.0, 10.34), (20.0, 4.464),
    (30.0, 1.436), (40.0, 0.7012), (50.0, 0.4385), (60.0, 0.3207), (80.0, 0.2228), (100.0, 0.1835),
)  # fmt: skip
_CADMIUM = (
    (4.0, 1082.0), (5.0, 768.5), (6.0, 479.3), (8.0, 225.4), (10.0, 124.4), (15.0, 41.78), (20.0, 19.2),
    (26.7112, 8.809), (26.7113, 50.65), (30.0, 37.65), (40.0, 17.78), (50.0, 9.779), (60.0, 5.975),
    (80.0, 2.751), (100.0, 1.524),
)  # fmt: skip
_TELLURIUM = (
    (4.0, 361.3), (4.9392, 929.2), (5.0, 901.4), (6.0, 572.1), (8.0, 270.2), (10.0, 150.1), (15.0, 50.78),
    (20.0, 23.41), (31.8138, 6.738), (31.8139, 37.19), (40.0, 20.64), (50.0, 11.45), (60.0, 7.041),
    (80.0, 3.255), (100.0, 1.801),
)  # fmt: skip

_SENSORS: dict[str, tuple[float, tuple[tuple[float, tuple[tuple[float, float], ...]], ...]]] = {
    "Si": (2.33, ((1.0, _SILICON),)),
    "CdTe": (5.85, ((0.4684, _CADMIUM), (0.5316, _TELLURIUM))),
}
"""Density in g/cm3, then each element's share of the mass and its coefficients (keV, cm2/g)."""


def attenuation(material: Literal["Si", "CdTe"], energy: float) -> float:
    """Linear attenuation coefficient of a sensor at an energy in eV, 1/mm."""
    density, parts = _SENSORS[material]
    total = 0.0
    for share, table in parts:
        logs = np.log(np.array(table, dtype=np.float64))
        mass = cast("float", np.interp(math.log(energy / 1e3), logs[:, 0], logs[:, 1]))
        total += share * math.exp(mass)
    return total * density / 10.0


def efficiency(coefficient: float, thickness: float, cosine: Array) -> Array:
    """Fraction of photons the sensor absorbs, by the cosine of their angle to its normal.

    Args:
        coefficient: Of attenuation, 1/mm.
        thickness: Of the sensor, mm.
        cosine: Any shape.
    """
    return -np.expm1(-coefficient * thickness / cosine)


def depth(coefficient: float, thickness: float, cosine: Array) -> tuple[Array, Array]:
    """How far into the sensor photons are absorbed, along the rays that make a spot.

    The mean is that of the photons that are counted. XDS and DIALS correct for the integral of depth times
    absorption instead, which is this times the efficiency: their spots lie up to 0.13 pixels further in at
    the edge of a 1M detector at 120 mm and 12.7 keV, and refinement takes the difference for 27 um of
    distance. A real sensor gives them the same.

    Returns:
        Mean and standard deviation in mm, of the shape of the cosine.
    """
    path = thickness / cosine
    passed = np.exp(-coefficient * path)
    absorbed = 1.0 - passed
    mean = 1.0 / coefficient - path * passed / absorbed
    variance = 1.0 / coefficient**2 - path**2 * passed / absorbed**2
    return mean, np.sqrt(np.maximum(variance, 0.0))
