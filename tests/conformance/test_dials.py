"""DIALS, given only a master, finds the crystal that was simulated: the whole chain, from Channel Access on.

Everything is real: the simulator's motors, detectors and streams, the writer, the masters. Neither cell nor
space group is given.
"""

import numpy as np
import pytest

from layouts.beamline import load
from layouts.geometry import panel, wavelength
from layouts.raw.names import dectris_master_file
from layouts.scan import Sweep
from sim.scenes import Scene
from sim.scenes import sweep as exposures
from tests.conformance import dials_tools as dials
from tests.kit.beamline import running

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.slow,
    pytest.mark.skipif(
        not dials.available(), reason="dials.import is not on the path (Debian: dials, bitshuffle)"
    ),
    pytest.mark.timeout(900),
]

SWEEP = Sweep(start=10.0, increment=0.5, images=150, frame_time=0.01)
CASES = {
    "as built in": ({}, {}, {}, SWEEP, "uint16"),
    "det_z and energy moved": ({}, {}, {"det_z": 150.0, "energy": 13200.0}, SWEEP, "uint16"),
    "stream version 1": ({"version": 1}, {}, {}, SWEEP, "uint16"),
    "32 bit": ({}, {}, {}, Sweep(start=10.0, increment=0.5, images=150, frame_time=0.04), "uint32"),
    # As fast as eight bits are for; a crystal that scatters enough in half a millisecond.
    "8 bit": (
        {},
        {"intensity": 12000.0},
        {},
        Sweep(start=10.0, increment=0.15, images=300, frame_time=1 / 2400),
        "uint8",
    ),
}


@pytest.fixture(scope="module", params=CASES.items(), ids=CASES)
def case(request, tmp_path_factory):
    """One rotation of one detector, and what DIALS makes of it."""
    _, (stream, crystal, moves, sweep, dtype) = request.param
    folder = tmp_path_factory.mktemp("dials")
    b = load()
    first = b.detectors[0].model_copy(update={"stream": b.detectors[0].stream.model_copy(update=stream)})
    sample = b.sample.model_copy(update={"crystal": b.sample.crystal.model_copy(update=crystal)})
    b = b.model_copy(update={"detectors": (first, b.detectors[1]), "sample": sample})
    with running(b, folder) as up:
        up.move(moves)
        result = up.rotate("run", sweep, ["EIG1"])
        assert (result.outcome, result.missing) == ("complete", 0), f"{result}\n{up.log}"
        truth = up.truth("run")["EIG1"]["scene"]
    work = folder / "work"
    work.mkdir()
    positions = {m.name: moves.get(m.name, m.initial) for m in b.motors}
    return b, positions, sweep, dtype, result.master, truth, dials.process(result.master, work, truth)


def test_the_imported_geometry_is_the_true_one(case):
    b, positions, sweep, _, _, _, found = case
    true = panel(b, b.detectors[0], positions)
    assert found.imported.distance == pytest.approx(true.distance, abs=0.001)
    assert found.imported.beam_centre == pytest.approx(true.beam_centre, abs=0.01)
    assert np.allclose(found.imported.origin, true.origin, atol=0.001)
    assert found.imported.wavelength == pytest.approx(wavelength(positions["energy"]), rel=1e-6)
    assert found.imported.oscillation == pytest.approx((sweep.start, sweep.increment), abs=1e-6)
    assert found.imported.images == sweep.images


def test_the_crystal_is_found(case):
    found = case[-1]
    assert found.indexed >= 0.99
    assert found.crystal.cell_error[0] < 0.01
    assert found.crystal.cell_error[1] < 0.01
    assert found.crystal.misorientation < 0.01
    assert found.cc_half > 0.99


def test_no_image_is_empty(case):
    sweep, found = case[2], case[-1]
    inside = found.spots_per_image[1 : sweep.images - 1]
    assert inside.min() > 0.2 * np.median(inside)


def test_spots_are_where_dials_predicts_them(case):
    b, positions, sweep, dtype, _, truth, found = case
    experiments = dials.with_true_crystal(found.folder / "imported.expt", truth, found.folder / "true.expt")
    predicted = dials.predict(experiments, found.folder)
    scene = Scene(b, b.detectors[0])
    depth = np.dtype(dtype).itemsize * 8
    hkl, places = [], []
    for frame in range(5, sweep.images, 20):
        at = sweep.starts[frame]
        exposure = next(iter(exposures("omega", at, sweep.increment, 1, depth=depth, positions=positions)))
        drawn = scene.spots(exposure)
        # Those whose peak is in this frame: their place in z is then known to half a frame.
        whole = drawn.fraction > 0.9 * drawn.fraction.max()
        hkl.append(drawn.hkl[whole])
        places.append(np.stack([drawn.x, drawn.y, np.full(len(drawn), frame + 0.5)], axis=1)[whole])
    offsets = dials.offsets(predicted, np.concatenate(hkl), np.concatenate(places))
    assert offsets.matched > 0.95
    assert offsets.mean < 0.1
    assert max(offsets.rms) < 0.1


def test_the_dectris_master_is_imported_and_spots_are_found(case, tmp_path):
    sweep, master, found = case[2], case[4], case[-1]
    dectris = master.with_name(dectris_master_file("run", "EIG1"))
    dials.run("dials.import", str(dectris), folder=tmp_path)
    dials.run("dials.find_spots", "imported.expt", "nproc=2", folder=tmp_path)
    assert dials.geometry(tmp_path / "imported.expt").images == sweep.images
    strong = len(dials.reflections(tmp_path / "strong.refl").flags)
    assert strong == pytest.approx(found.strong, rel=0.02)
