"""The simulated crystal: cell, orientation, intensities; and photons in the sensor."""

import numpy as np
import pytest

from layouts.beamline import Crystal
from layouts.geometry import wavelength
from sim.scenes import matter
from sim.scenes.crystal import grow, orientation, reciprocal

TETRAGONAL = Crystal(cell=(78.1, 78.1, 37.2, 90, 90, 90), space_group="P 43 21 2", resolution=4.0, seed=3)


def test_reciprocal_axes_belong_to_the_cell():
    cell = (41.0, 52.0, 63.0, 81.0, 95.0, 104.0)
    edges = np.linalg.inv(reciprocal(cell))
    assert np.linalg.norm(edges, axis=1) == pytest.approx(cell[:3])
    assert edges[0] @ edges[1] == pytest.approx(41 * 52 * np.cos(np.deg2rad(104)))
    assert edges[1] @ edges[2] == pytest.approx(52 * 63 * np.cos(np.deg2rad(81)))
    assert edges[0, 1:] == pytest.approx([0, 0], abs=1e-9)


def test_orientation_is_a_rotation_of_the_seed():
    assert orientation(5) @ orientation(5).T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(orientation(5)) == pytest.approx(1)
    assert not np.allclose(orientation(5), orientation(6))


def test_all_reflections_to_the_limit_and_none_that_is_extinct():
    crystal = grow(TETRAGONAL)
    d = 1 / np.linalg.norm(crystal.hkl @ crystal.setting.T, axis=1)
    assert d.min() >= 4.0
    assert len(crystal.hkl) == pytest.approx(4 / 3 * np.pi * 78.1**2 * 37.2 / 4**3, rel=0.02)
    assert not crystal.group.absent(crystal.hkl).any()
    assert len(np.unique(crystal.hkl, axis=0)) == len(crystal.hkl)


def test_equivalents_and_friedel_mates_share_their_intensity():
    crystal = grow(TETRAGONAL)
    table = {tuple(h): i for h, i in zip(crystal.hkl.tolist(), crystal.intensity, strict=True)}
    for h, k, ell in ((5, 3, 2), (7, 1, 4), (4, 4, 1)):
        mates = [(h, k, ell), (-h, -k, ell), (-k, h, ell), (k, h, -ell), (-h, -k, -ell), (h, k, -ell)]
        assert len({table[mate] for mate in mates}) == 1
    assert table[5, 3, 2] != table[5, 3, 1]


def test_intensities_follow_wilson():
    crystal = grow(TETRAGONAL.model_copy(update={"b_factor": 1e-6, "resolution": 2.5}))
    centric = crystal.group.centric(crystal.hkl)
    plain = ~centric & (crystal.group.multiplicity(crystal.hkl) == 1)
    unique = np.unique(crystal.intensity[plain])
    assert unique.mean() == pytest.approx(1, abs=0.06)
    assert unique.var() == pytest.approx(1, abs=0.25)
    assert np.unique(crystal.intensity[centric]).var() > 1.3


def test_the_b_factor_lets_intensities_fall():
    hard = grow(TETRAGONAL.model_copy(update={"b_factor": 1e-6}))
    soft = grow(TETRAGONAL)
    squared = np.square(hard.hkl @ hard.cartesian.T).sum(axis=1)
    assert soft.intensity / hard.intensity == pytest.approx(np.exp(-18 / 2 * squared), rel=1e-5)


def test_a_cell_that_does_not_fit_says_so():
    with pytest.raises(ValueError, match=r"sample\.crystal\.cell.*P 43 21 2"):
        grow(TETRAGONAL.model_copy(update={"cell": (78.1, 70.0, 37.2, 90, 90, 90)}))
    with pytest.raises(ValueError, match="no cell has the angles"):
        grow(TETRAGONAL.model_copy(update={"cell": (78.1, 78.1, 37.2, 30, 30, 90), "space_group": "P 1"}))


@pytest.mark.parametrize(
    ("material", "energy", "per_mm"),
    [("Si", 12700.0, 3.922), ("Si", 8000.0, 15.07), ("CdTe", 20000.0, 12.54)],
)
def test_attenuation_is_that_of_the_tables(material, energy, per_mm):
    assert matter.attenuation(material, energy) == pytest.approx(per_mm, rel=0.01)


def test_efficiency_and_depth_are_integrals_of_the_exponential_law():
    coefficient, thickness, cosine = 3.9, 0.45, 0.9
    path = np.linspace(0, thickness / cosine, 20001)
    law = coefficient * np.exp(-coefficient * path)
    mean, spread = matter.depth(coefficient, thickness, np.array(cosine))
    absorbed = np.trapezoid(law, path)
    assert matter.efficiency(coefficient, thickness, np.array(cosine)) == pytest.approx(absorbed, rel=1e-6)
    assert mean == pytest.approx(np.trapezoid(path * law, path) / absorbed, rel=1e-6)
    variance = np.trapezoid((path - mean) ** 2 * law, path) / absorbed
    assert spread == pytest.approx(np.sqrt(variance), rel=1e-6)


def test_wavelength_of_the_default_energy():
    assert wavelength(12700.0) == pytest.approx(0.97625, abs=1e-5)
