"""Which reflections a frame holds and where: against the Ewald construction, and against each other."""

import json

import numpy as np
import pytest

from layouts.beamline import load
from layouts.geometry import axis_chain, panel, transform, wavelength
from sim.scenes import Exposure, Scene, sweep


@pytest.fixture(scope="module")
def beamline():
    whole = load()
    crystal = whole.sample.crystal.model_copy(update={"resolution": 2.6})
    return whole.model_copy(update={"sample": whole.sample.model_copy(update={"crystal": crystal})})


@pytest.fixture(scope="module")
def scene(beamline):
    return Scene(beamline, beamline.detector("EIG1"))


def by_index(spots):
    return {
        (*hkl, round(float(x) / 20)): (x, y, fraction, counts)
        for hkl, x, y, fraction, counts in zip(
            spots.hkl.tolist(), spots.x, spots.y, spots.fraction, spots.counts, strict=True
        )
    }


def still(positions, **more):
    return Exposure(start=positions, stop=positions, count_time=0.01, **more)


def test_spots_lie_where_the_ewald_construction_puts_them(beamline, scene):
    positions = {"kappa": 20.0, "phi": 35.0, "det_z": 140.0, "energy": 12000.0}
    (exposure,) = sweep("omega", 10.0, 0.002, 1, positions=positions)
    spots = scene.spots(exposure)
    # Of those that rock quickest, the ones at their peak.
    best = spots.fraction > 0.5 * spots.fraction.max()
    where = positions | {"omega": 10.001}
    turn = transform(axis_chain(beamline, beamline.sample.depends_on), where)[:3, :3]
    crystal = scene.truth(exposure)["crystal"]
    vectors = spots.hkl[best] @ (turn @ np.array(crystal["A"])).T
    scattered = np.array([0, 0, 1]) + vectors * wavelength(12000.0)
    # On the sphere to within half the rocking width, and on the detector where the ray meets it.
    assert np.linalg.norm(scattered, axis=1) == pytest.approx(1, abs=np.deg2rad(0.1))
    flat = panel(beamline, beamline.detector("EIG1"), where).pixels(scattered)
    assert np.hypot(flat[:, 0] - spots.x[best], flat[:, 1] - spots.y[best]).max() < 3.0
    assert best.sum() > 10


def test_the_frames_of_a_sweep_share_out_each_reflection(scene):
    total: dict[tuple[int, ...], float] = {}
    for exposure in sweep("omega", 359.0, 0.25, 24):
        for key, (_, _, fraction, _) in by_index(scene.spots(exposure)).items():
            total[key] = total.get(key, 0.0) + fraction
    inside = [by_index(scene.spots(e)) for e in sweep("omega", 361.9, 0.05, 4)]
    peaked = {key for spots in inside for key, spot in spots.items() if spot[2] > 0.2}
    assert len(peaked) > 20
    assert [total[key] for key in peaked] == pytest.approx(np.ones(len(peaked)), abs=1e-4)


def test_direction_and_whole_turns_make_no_difference(scene):
    (forth,) = sweep("omega", 40.0, 0.2, 1)
    (back,) = sweep("omega", 40.2, -0.2, 1)
    (later,) = sweep("omega", 40.0 + 720.0, 0.2, 1)
    expected = scene.spots(forth)
    for other in (scene.spots(back), scene.spots(later)):
        assert np.array_equal(other.hkl, expected.hkl)
        assert other.counts == pytest.approx(expected.counts)


def test_slower_rotation_gives_more_light(scene):
    (fast,) = sweep("omega", 0.0, 0.2, 1, count_time=0.01)
    (slow,) = sweep("omega", 0.0, 0.2, 1, count_time=0.03)
    (dim,) = sweep("omega", 0.0, 0.2, 1, count_time=0.03, positions={"transmission": 0.1})
    assert scene.spots(slow).counts == pytest.approx(3 * scene.spots(fast).counts)
    assert scene.spots(dim).counts == pytest.approx(0.3 * scene.spots(fast).counts)


def test_the_general_way_agrees_with_the_table(scene):
    (exposure,) = sweep("omega", 12.0, 0.2, 1)
    table = by_index(scene.spots(exposure))
    # A hair's breadth of energy makes it a motion that no table covers.
    other = Exposure(
        start=dict(exposure.start),
        stop=dict(exposure.stop) | {"energy": 12700.0 + 1e-6},
        count_time=exposure.count_time,
    )
    general = by_index(scene.spots(other))
    strong = [key for key, spot in table.items() if spot[3] > 20]
    assert len(strong) > 30
    places = np.array([np.subtract(general[key][:2], table[key][:2]) for key in strong])
    ratios = np.array([general[key][3] / table[key][3] for key in strong])
    # Those near the axis rock for long, and the general way takes their curve as straight.
    assert np.quantile(np.abs(places), 0.9) < 0.02
    assert np.quantile(np.abs(ratios - 1), 0.9) < 0.02
    assert sum(general[k][3] for k in strong) == pytest.approx(sum(table[k][3] for k in strong), rel=0.005)


def test_two_axes_that_turn_together_are_one_rotation(beamline, scene):
    start = {"omega": 5.0, "phi": 5.0}
    both = Exposure(start=start, stop={"omega": 5.1, "phi": 5.1}, count_time=0.01)
    (one,) = sweep("omega", 5.0, 0.2, 1, positions={"phi": 5.0})
    # Omega and phi are almost parallel, so turning both by half is almost turning one by all.
    together, alone = by_index(scene.spots(both)), by_index(scene.spots(one))
    strong = [key for key, spot in alone.items() if spot[3] > 50]
    shared = [key for key in strong if key in together]
    assert len(shared) > 0.95 * len(strong)
    ratio = sum(together[k][3] for k in shared) / sum(alone[k][3] for k in shared)
    assert ratio == pytest.approx(1, abs=0.05)


def test_a_still_is_a_slow_rotation_at_its_middle(scene):
    (exposure,) = sweep("omega", 30.0 - 5e-4, 1e-3, 1)
    turning, standing = by_index(scene.spots(exposure)), by_index(scene.spots(still({"omega": 30.0})))
    strong = [key for key, spot in turning.items() if spot[3] > 100]
    assert len(strong) > 10
    places = np.array([np.subtract(standing[key][:2], turning[key][:2]) for key in strong])
    ratios = np.array([standing[key][3] / turning[key][3] for key in strong])
    # A still takes the shortest way to the sphere, a rotation its own.
    assert np.median(np.abs(places)) < 0.2
    assert np.abs(places).max() < 1.5
    assert np.quantile(np.abs(ratios - 1), 0.9) < 0.02


@pytest.mark.parametrize(
    ("motor", "position", "outward"),
    [("det_z", 150.0, 1.25), ("energy", 10160.0, 1.25), ("energy", 14000.0, 0.9)],
)
def test_distance_and_energy_move_the_spots(beamline, scene, motor, position, outward):
    def mean_radius(positions):
        where = {"omega": 0.0} | positions
        centre = panel(beamline, beamline.detector("EIG1"), where).beam_centre
        table = {}
        for exposure in sweep("omega", 0.0, 1.0, 6, positions=positions):
            for key, (x, y, fraction, _) in by_index(scene.spots(exposure)).items():
                if fraction > 0.05:
                    table[key[:3]] = np.hypot(x - centre[0], y - centre[1])
        return table

    near, far = mean_radius({}), mean_radius({motor: position})
    ratios = [far[key] / near[key] for key in near.keys() & far.keys() if near[key] < 300]
    assert len(ratios) > 100
    assert np.median(ratios) == pytest.approx(outward, abs=0.02)


def test_a_crystal_off_the_axis_moves_the_spots_with_it(scene):
    (centred,) = sweep("omega", 0.0, 0.2, 1)
    (shifted,) = sweep("omega", 0.0, 0.2, 1, positions={"sam_x": 0.15})
    one, other = scene.spots(centred), scene.spots(shifted)
    common = by_index(one).keys() & by_index(other).keys()
    moved = [by_index(other)[key][0] - by_index(one)[key][0] for key in common]
    assert np.median(moved) == pytest.approx(-2.0, abs=0.02)


def test_the_second_detector_stands_on_its_own_arm(beamline):
    scene = Scene(beamline, beamline.detector("EIG2"))
    near, far = ({"arm": 20.0, "arm_z": 200.0}, {"arm": 20.5, "arm_z": 200.0})
    one, other = (next(iter(sweep("omega", 3.0, 2.0, 1, positions=p))) for p in (near, far))
    low, high = scene.spots(one), scene.spots(other)
    assert len(low) > 5
    pixels = {tuple(h): x for h, x in zip(low.hkl.tolist(), low.x, strict=True)}
    shifts = [
        x - pixels[tuple(h)] for h, x in zip(high.hkl.tolist(), high.x, strict=True) if tuple(h) in pixels
    ]
    assert abs(np.median(shifts)) == pytest.approx(np.deg2rad(0.5) * 200 / 0.075, rel=0.1)


def test_the_truth_is_json_and_says_what_was_simulated(beamline, scene):
    truth = json.loads(json.dumps(scene.truth(still({"det_z": 150.0, "omega": 20.0}))))
    assert truth["crystal"]["cell"] == [78.1, 78.1, 37.2, 90.0, 90.0, 90.0]
    assert truth["crystal"]["space_group"] == "P 43 21 2"
    assert np.array(truth["crystal"]["U"]) @ np.array(truth["crystal"]["B"]) == pytest.approx(
        np.array(truth["crystal"]["A"])
    )
    place = panel(beamline, beamline.detector("EIG1"), {"det_z": 150.0})
    assert truth["distance"] == pytest.approx(place.distance)
    assert truth["beam_centre"] == pytest.approx(place.beam_centre)
    assert truth["panel"]["origin"] == pytest.approx(place.origin.tolist())
    assert truth["positions"]["omega"] == 20.0
