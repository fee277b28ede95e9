"""Other people's readers on frames that several workers took in turns: they find what one worker gives."""

import json
import shutil
import subprocess

import h5py
import numpy as np
import pytest

from layouts import beamline
from sim.scenes import Scene, sweep
from tests.conformance import dials_tools as dials
from tests.kit.fabricate import acquire, counts, shot
from writer.masters import publish

pytestmark = pytest.mark.conformance

BEAMLINE = beamline.load()
SHAPE = (96, 128)
ROWS, MISSING = 23, (5, 6, 22)
STRIPES = {"rows_per_file": 4, "workers": 3, "block": 2}
POSITIONS = {"omega": (20.0, 0.25), "det_z": 187.5}
FRAMES = 50
MASKED = 65535


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("masters")
    taken = shot("EIG1", counts(ROWS, SHAPE), missing=MISSING, **STRIPES, **POSITIONS)
    assert publish(acquire(directory, BEAMLINE, [taken])).ok
    return directory


@pytest.fixture(scope="module")
def model():
    frames = counts(ROWS, SHAPE)
    frames[list(MISSING)] = MASKED
    return frames


def test_nxmx_reads_it(folder):
    nxmx = pytest.importorskip("nxmx", reason="the nxmx package is not installed")
    with h5py.File(folder / "run.nxs") as file:
        (entry,) = nxmx.NXmx(file).entries
        axes = nxmx.get_rotation_axes(nxmx.get_dependency_chain(entry.samples[0].depends_on))
        assert list(axes.is_scan_axis) == [False, False, True]
        assert entry.data[0][entry.data[0].signal].shape == (ROWS, *SHAPE)


def test_silx_plots_the_frames_in_order(folder, model):
    nxdata = pytest.importorskip("silx.io.nxdata", reason="silx is not installed")
    with h5py.File(folder / "run.nxs") as file:
        plot = nxdata.get_default(file)
        assert plot.is_valid, plot.issues
        assert plot.axes_names[0] == "omega"
        np.testing.assert_array_equal(plot.signal[()], model)


def test_fabio_reads_the_frames_of_a_dectris_master_in_order(folder, model):
    fabio = pytest.importorskip("fabio", reason="fabio is not installed")
    with fabio.open(str(folder / "run_EIG1_master.h5")) as image:
        assert image.nframes == ROWS
        for row in range(ROWS):
            np.testing.assert_array_equal(image.get_frame(row).data, model[row])


@pytest.mark.parametrize(
    ("master", "path"),
    [("run.nxs", "data"), ("run.nxs", "data_000001"), ("run_EIG1_master.h5", "data_000001")],
)
def test_hdf5_1_10_reads_every_frame(folder, model, master, path):
    h5dump = shutil.which("h5dump", path="/usr/bin")
    if h5dump is None:
        pytest.skip("Debian's h5dump is not installed (package hdf5-tools)")
    # The pixel that counts the rows; raw files are packed, and h5dump has the filter only where DIALS is.
    words = ["-d", f"/entry/data/{path}", "-s", "0,3,5", "-c", f"{ROWS},1,1", "-y", str(folder / master)]
    done = subprocess.run([h5dump, *words], capture_output=True, text=True, timeout=60, check=False)
    if "unable to print data" in done.stdout + done.stderr:
        pytest.skip("Debian's HDF5 lacks the bitshuffle filter (package bitshuffle)")
    assert done.returncode == 0, done.stderr
    inside = done.stdout.split("DATA {")[1].split("}")[0]
    found = [int(word) for word in inside.replace(",", " ").split() if word.isdigit()]
    assert found == model[:, 3, 5].tolist()


@pytest.fixture(scope="module")
def series():
    scene = Scene(BEAMLINE, BEAMLINE.detector("EIG1"))
    return np.stack([scene.render(exposure) for exposure in sweep("omega", 10.0, 0.5, FRAMES)])


def indexed(series, folder, style, **stripes):
    """What DIALS finds: spots with their indices, and the lattice."""
    folder.mkdir()
    taken = shot("EIG1", series, omega=(10.0, 0.5), **stripes)
    made = publish(acquire(folder, BEAMLINE, [taken]))
    assert made.ok, made.findings
    work = folder / "work"
    work.mkdir()
    dials.run("dials.import", str(made.paths[style]), folder=work)
    dials.run("dials.find_spots", "imported.expt", "nproc=1", folder=work)
    dials.run("dials.index", "imported.expt", "strong.refl", folder=work)
    crystals = json.loads((work / "indexed.expt").read_text())["crystal"]
    return dials.reflections(work / "indexed.refl"), crystals


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not dials.available(), reason="DIALS is not installed (Debian: dials and bitshuffle)")
@pytest.mark.parametrize("style", [0, 1], ids=["NXmx", "Dectris"])
def test_dials_indexes_stripes_as_it_does_the_whole(tmp_path, series, style):
    whole, crystals = indexed(series, tmp_path / "whole", style, rows_per_file=20)
    striped, same = indexed(series, tmp_path / "striped", style, rows_per_file=10, workers=3, block=4)
    assert whole.indexed.mean() > 0.99
    assert len(whole.flags) > 1000
    for name in whole.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(striped, name), getattr(whole, name), err_msg=name)
    assert same == crystals
