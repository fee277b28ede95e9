"""Other people's readers on both masters: same pixels, same axes, same geometry as the model."""

import shutil
import subprocess

import h5py
import numpy as np
import pytest

from layouts import beamline, geometry
from tests.kit.fabricate import acquire, counts, shot
from writer.masters import publish

pytestmark = pytest.mark.conformance

BEAMLINE = beamline.load()
SHAPE = (96, 128)
ROWS, MISSING = 12, (5, 6)
POSITIONS = {"omega": (20.0, 0.25), "kappa": 35.0, "phi": -12.0, "det_z": 187.5, "arm": 41.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    directory = tmp_path_factory.mktemp("masters")
    shots = [
        shot("EIG1", counts(ROWS, SHAPE), missing=MISSING, rows_per_file=5, **POSITIONS),
        shot("EIG2", counts(6, SHAPE, "uint32"), **POSITIONS | {"omega": (20.0, 0.5)}),
    ]
    published = publish(acquire(directory, BEAMLINE, shots))
    assert published.ok
    return directory


@pytest.fixture(scope="module")
def model():
    frames = counts(ROWS, SHAPE)
    frames[list(MISSING)] = 65535
    return frames


def test_nxmx_reads_geometry_scan_and_limits(folder):
    nxmx = pytest.importorskip("nxmx", reason="the nxmx package is not installed")
    with h5py.File(folder / "run.nxs") as file:
        entries = nxmx.NXmx(file).entries
        assert [e.path for e in entries] == ["/entry", "/entry_EIG2"]
        for entry, name, step in zip(entries, ("EIG1", "EIG2"), (0.25, 0.5), strict=True):
            sample, detector = entry.samples[0], entry.instruments[0].detectors[0]
            chain = nxmx.get_dependency_chain(sample.depends_on)
            axes = nxmx.get_rotation_axes(chain)
            assert list(axes.names) == ["phi", "kappa", "omega"]
            assert list(axes.is_scan_axis) == [False, False, True]
            np.testing.assert_allclose(axes.angles, [-12, 35, 20])
            np.testing.assert_allclose(chain[-1].increment_set.to("deg").magnitude, step)
            module = detector.modules[0]
            moves = nxmx.get_dependency_chain(module.fast_pixel_direction.depends_on)
            corner = nxmx.get_cumulative_transformation(moves)[0, :3, 3]
            panel = geometry.panel(BEAMLINE, BEAMLINE.detector(name), {"det_z": 187.5, "arm": 41.0})
            np.testing.assert_allclose(corner, panel.origin, atol=1e-6)
            np.testing.assert_allclose(detector.distance.to("mm").magnitude, panel.distance)
            assert detector.saturation_value == 50000
            assert detector.underload_value == 0
            assert detector.pixel_mask.shape == SHAPE
            np.testing.assert_allclose(
                entry.instruments[0].beams[0].incident_wavelength.to("angstrom").magnitude,
                geometry.wavelength(12700),
            )
            assert entry.start_time < entry.end_time_estimated
            assert entry.source.name == "Softbeam Storage Ring"


def test_silx_plots_the_frames_along_omega(folder, model):
    nxdata = pytest.importorskip("silx.io.nxdata", reason="silx is not installed")
    with h5py.File(folder / "run.nxs") as file:
        plot = nxdata.get_default(file)
        assert plot.is_valid, plot.issues
        assert plot.signal_name == "data"
        assert plot.axes_names[0] == "omega"
        np.testing.assert_array_equal(plot.signal[7], model[7])
        np.testing.assert_allclose(plot.axes[0][()], 20 + 0.25 * np.arange(ROWS))


def test_fabio_reads_the_frames(folder, model):
    fabio = pytest.importorskip("fabio", reason="fabio is not installed")
    with fabio.open(f"{folder / 'run.nxs'}::/entry/data/data") as image:
        assert image.nframes == ROWS
        np.testing.assert_array_equal(image.get_frame(7).data, model[7])
    with fabio.open(str(folder / "run_EIG1_master.h5")) as image:
        assert image.nframes == ROWS
        np.testing.assert_array_equal(image.get_frame(7).data, model[7])


def test_nexusformat_reads_the_tree(folder, model):
    nexus = pytest.importorskip("nexusformat.nexus", reason="nexusformat is not installed")
    root = nexus.nxload(str(folder / "run.nxs"))
    assert root.entry.definition.nxvalue == "NXmx"
    assert root.entry.data.nxsignal.nxname == "data"
    np.testing.assert_array_equal(root.entry.data.data[7].nxvalue, model[7])
    np.testing.assert_allclose(root.entry.sample.transformations.omega.nxvalue[:2], [20, 20.25])
    assert root.entry.sample.sample_omega.value.nxlink is not None


def test_h5dump_of_hdf5_1_10_reads_it(folder):
    h5dump = shutil.which("h5dump", path="/usr/bin")
    if h5dump is None:
        pytest.skip("Debian's h5dump is not installed (package hdf5-tools)")
    for name in ("run.nxs", "run_EIG1_master.h5"):
        done = subprocess.run(
            [h5dump, "-H", "-A", str(folder / name)], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "unable" not in done.stderr
        assert "H5T_VARIABLE" not in done.stdout
    done = subprocess.run(
        [h5dump, "-d", "/entry/sample/transformations/omega", str(folder / "run.nxs")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "20.25" in done.stdout


def test_frames_read_one_by_one_are_the_models(folder, model):
    with h5py.File(folder / "run.nxs") as file:
        data = file["entry/data/data"]
        for row in range(ROWS):
            np.testing.assert_array_equal(data[row], model[row])
