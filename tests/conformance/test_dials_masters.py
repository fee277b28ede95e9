"""DIALS reads both masters: format, panel, goniometer, scan, masks, every pixel depth."""

import json

import numpy as np
import pytest

from layouts import beamline, geometry
from layouts.capture import AxisPositions
from tests.conformance.dials_tools import MCSTAS_TO_DXTBX, available, run
from tests.conformance.dials_tools import geometry as imported_geometry
from tests.kit.fabricate import acquire, counts, shot
from writer.masters import publish

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not available(), reason="DIALS is not installed (Debian: dials and bitshuffle)"),
]

BEAMLINE = beamline.load()
SPEC = BEAMLINE.detector("EIG1").spec
ROWS = 8
MOVED = {"omega": (33.0, 0.2), "kappa": 48.0, "phi": -21.0, "det_z": 203.25, "energy": 11000.0}
CASES = {
    "as built in": {"omega": (0.0, 0.1)},
    "everything moved": MOVED,
    "backwards": {"omega": (10.0, -0.1), "sam_x": 1.5},
}


def published(directory, **more):
    made = publish(
        acquire(directory, BEAMLINE, [shot("EIG1", counts(ROWS, SPEC.shape), rows_per_file=3, **more)])
    )
    assert made.ok
    return made.paths


def imported(master, folder):
    printed = run("dials.import", str(master), folder=folder)
    assert "Writing experiments" in printed
    return printed, folder / "imported.expt"


@pytest.mark.parametrize("style", ["NXmx", "Dectris"])
@pytest.mark.parametrize("case", CASES)
def test_geometry_goniometer_and_scan_are_right(tmp_path, case, style):
    positions = CASES[case]
    master = published(tmp_path, **positions)[0 if style == "NXmx" else 1]
    printed, experiments = imported(master, tmp_path)
    wanted_format = "FormatNXmx.FormatNXmx'" if style == "NXmx" else "FormatHDF5EigerNearlyNexus'"
    assert wanted_format in printed
    found = imported_geometry(experiments)
    fixed = {k: v for k, v in positions.items() if not isinstance(v, tuple)}
    panel = geometry.panel(BEAMLINE, BEAMLINE.detector("EIG1"), fixed)
    np.testing.assert_allclose(found.origin, panel.origin, atol=1e-3)
    np.testing.assert_allclose(found.fast, panel.fast, atol=1e-7)
    np.testing.assert_allclose(found.slow, panel.slow, atol=1e-7)
    assert abs(found.distance - panel.distance) < 1e-3
    np.testing.assert_allclose(found.beam_centre, panel.beam_centre, atol=0.01)
    np.testing.assert_allclose(found.wavelength, geometry.wavelength(fixed.get("energy", 12700.0)), rtol=1e-9)
    start, step = positions["omega"]
    sign = np.sign(step)
    np.testing.assert_allclose(found.oscillation, [sign * start, sign * step], atol=1e-9)
    assert found.images == ROWS
    assert found.trusted_range[1] == 50000
    goniometer = json.loads(experiments.read_text())["goniometer"][0]
    assert goniometer["names"] == ["phi", "kappa", "omega"]
    assert goniometer["scan_axis"] == 2
    np.testing.assert_allclose(goniometer["angles"][:2], [fixed.get("phi", 0.0), fixed.get("kappa", 0.0)])
    for axis, name in zip(goniometer["axes"], goniometer["names"], strict=True):
        wanted = MCSTAS_TO_DXTBX @ geometry.unit(BEAMLINE.motor(name).vector)
        wanted = wanted * sign if name == "omega" else wanted
        np.testing.assert_allclose(axis, wanted, atol=1e-9)


PEAKS = [(100, 200), (300, 700), (700, 300), (900, 900)]


def spotty(dtype):
    """Frames with the same four spots on every one, a rocking curve each."""
    frames = np.full((ROWS, *SPEC.shape), 1, dtype=dtype)
    noise = np.random.default_rng(3).poisson(1.0, SPEC.shape).astype(dtype)
    frames[:] = noise
    for row in range(ROWS):
        for k, (y, x) in enumerate(PEAKS):
            if abs(row - 2 - k % 3) <= 1:
                frames[row, y - 1 : y + 2, x - 1 : x + 2] += np.array(60, dtype=dtype)
    return frames


@pytest.mark.parametrize("style", ["NXmx", "Dectris"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_spots_are_found_at_every_pixel_depth_and_none_in_missing_frames(tmp_path, dtype, style):
    made = publish(
        acquire(
            tmp_path,
            BEAMLINE,
            [shot("EIG1", spotty(dtype), rows_per_file=3, missing=[6], omega=(0.0, 0.1))],
        )
    )
    _, experiments = imported(made.paths[0 if style == "NXmx" else 1], tmp_path)
    text = run("dials.find_spots", str(experiments), "nproc=1", "min_spot_size=3", folder=tmp_path)
    assert f"Saved {len(PEAKS)} reflections to strong.refl" in text, text[-2000:]


def test_masters_that_were_copied_without_the_meta_file_still_read(tmp_path):
    masters = published(tmp_path, omega=(0.0, 0.1))
    for meta in tmp_path.glob("*_meta.h5"):
        meta.unlink()
    for master in masters:
        printed, experiments = imported(master, tmp_path)
        assert f"num images: {ROWS}" in printed
        experiments.unlink()


def test_a_step_scan_is_as_many_stills(tmp_path):
    steps = AxisPositions(values=np.repeat([0.0, 10.0], ROWS // 2))
    printed, experiments = imported(published(tmp_path, omega=steps, series=(4, 4))[0], tmp_path)
    assert f"num images: {ROWS}" in printed
    models = json.loads(experiments.read_text())
    assert len(models["experiment"]) == ROWS
    assert all(scan["oscillation"][1] == 0 for scan in models["scan"])


def test_the_second_detector_reads_when_it_comes_first(tmp_path):
    second = shot("EIG2", counts(4, BEAMLINE.detector("EIG2").spec.shape), omega=(0.0, 0.1), arm=37.0)
    made = publish(acquire(tmp_path, BEAMLINE, [second]))
    for master in made.paths:
        _, experiments = imported(master, tmp_path)
        found = imported_geometry(experiments)
        panel = geometry.panel(BEAMLINE, BEAMLINE.detector("EIG2"), {"arm": 37.0})
        np.testing.assert_allclose(found.origin, panel.origin, atol=1e-3)
        np.testing.assert_allclose(found.fast, panel.fast, atol=1e-7)
        assert abs(found.distance - panel.distance) < 1e-3
        experiments.unlink()
