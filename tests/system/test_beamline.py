"""The whole beamline: what its files hold is what the scene rendered, frame for frame and axis for axis."""

import asyncio
import json

import fabio
import h5py
import hdf5plugin
import numpy as np
import nxmx
import pytest
from nexusformat.nexus import nxload
from silx.io.nxdata import get_default

from ioc import names
from ioc.client import Client
from layouts.beamline import load
from layouts.geometry import panel
from layouts.nexus.check_h5 import check
from layouts.raw.names import dectris_master_file
from layouts.scan import Sweep
from sim.scenes import Exposure, Scene
from tests.kit.beamline import running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

SWEEP = Sweep(start=-5.0, increment=0.25, images=120, frame_time=0.01)
PLUGINS = hdf5plugin.PLUGIN_PATH


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(load(), tmp_path_factory.mktemp("beamline")) as up:
        yield up


@pytest.fixture(scope="module")
def rotation(up):
    """Two detectors at different rates in one acquisition."""
    result = up.rotate("sweep", SWEEP, ["EIG1", "EIG2=40"])
    assert (result.outcome, result.stored, result.missing) == ("complete", 160, 0), up.log
    return result.master, up.truth("sweep")


def rendered(up, truth, frame):
    """What the scene renders for a frame, from where the simulator says the motors were."""
    start, stop = {}, {}
    for motor, said in truth["motors"].items():
        start[motor] = said["start"][frame] if "start" in said else said["value"]
        stop[motor] = said["stop"][frame] if "stop" in said else said["value"]
    exposure = Exposure(
        start=start,
        stop=stop,
        count_time=truth["count_time"],
        summed=truth["sub_frames"],
        depth=truth["bit_depth_image"],
        frame=frame,
        series=truth["series"],
    )
    return _scene(up.beamline, truth["detector"]).render(exposure)


_SCENES = {}


def _scene(beamline, detector):
    if detector not in _SCENES:
        _SCENES[detector] = Scene(beamline, beamline.detector(detector))
    return _SCENES[detector]


@pytest.mark.parametrize(
    ("entry", "detector", "images", "increment"),
    [("entry", "EIG1", 120, 0.25), ("entry_EIG2", "EIG2", 40, 0.75)],
)
def test_every_frame_is_where_its_number_says(up, rotation, entry, detector, images, increment):
    master, truth = rotation
    with h5py.File(master) as file:
        data = file[f"{entry}/data/data"]
        assert data.shape == (images, *up.beamline.detector(detector).spec.shape)
        for frame in (0, 1, images // 3, images - 2, images - 1):
            assert np.array_equal(data[frame], rendered(up, truth[detector], frame))
        omega = file[f"{entry}/sample/transformations/omega"]
        assert np.allclose(omega[()], SWEEP.start + increment * np.arange(images), atol=1e-9)
    positions = truth[detector]["motors"]["omega"]["start"]
    assert np.allclose(positions, SWEEP.start + increment * np.arange(images), atol=1e-6)


def test_other_readers_see_the_same(up, rotation):
    master, truth = rotation
    expected = rendered(up, truth["EIG1"], 7)
    with h5py.File(master) as file:
        entry = nxmx.NXmx(file).entries[0]
        assert np.array_equal(entry.data[0][entry.data[0].signal][7], expected)
        detector = entry.instruments[0].detectors[0]
        axes = nxmx.get_rotation_axes(nxmx.get_dependency_chain(entry.samples[0].depends_on))
        assert list(axes.names[axes.is_scan_axis]) == ["omega"]
        assert detector.depends_on.path.endswith("det_z")
        true = panel(up.beamline, up.beamline.detectors[0], {})
        assert detector.distance.to("mm").magnitude == pytest.approx(true.distance, abs=1e-3)
    with h5py.File(master) as file:
        default = get_default(file)
        assert default.is_valid
        assert np.array_equal(default.signal[7], expected)
    with fabio.open(f"{master}::/entry/data/data") as image:
        assert np.array_equal(image.get_frame(7).data, expected)
    with fabio.open(str(master.with_name(dectris_master_file("sweep", "EIG1")))) as image:
        assert np.array_equal(image.get_frame(7).data, expected)
    tree = nxload(str(master))
    with tree.nxfile:
        assert np.array_equal(tree["entry/data/data"][7].nxdata, expected)
    assert check(master, deep=True).ok


def test_a_rotation_shorter_than_its_frames_take_to_come(up):
    short = Sweep(start=0.0, increment=0.5, images=6, frame_time=0.002)
    result = up.rotate("short", short, ["EIG1", "EIG2=2"])
    assert (result.outcome, result.stored, result.missing) == ("complete", 8, 0), f"{result}\n{up.log}"


def test_step_scan_is_one_file_in_order_with_the_position_of_each(up):
    """One capture over 20 series of 3 frames, with a motor moving between them."""
    b = up.beamline
    cam, hdf = (f(b.prefix, b.detectors[0].pv, b.preset) for f in (names.cam, names.hdf))
    motor = names.motor(b.prefix, b.motor("sam_x").pv)
    at = [-1.0 + 0.1 * i for i in range(20)]
    truths = []

    async def scan():
        client = Client(up.addresses)
        try:
            assert not await client.connect([f"{cam}Acquire", f"{hdf}Capture", f"{motor}.VAL"], 10)
            await client.put(f"{hdf}FilePath", str(up.folder), wait=True)
            await client.put(f"{hdf}FileName", "steps", wait=True)
            await client.put(f"{hdf}FileTemplate", "%s%s.h5", wait=True)
            await client.put(f"{hdf}NumCapture", 60, wait=True)
            settings = {
                "TriggerMode": "Internal Series",
                "NumImages": 3,
                "AcquireTime": 0.005,
                "AcquirePeriod": 0.005,
            }
            for name, value in settings.items():
                await client.put(f"{cam}{name}", value, wait=True)
            captured = asyncio.create_task(client.put(f"{hdf}Capture", 1, wait=True, timeout=100))
            while await client.get(f"{hdf}Capture_RBV") != "Capturing":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            for x in at:
                await client.put(f"{motor}.VAL", x, wait=True, timeout=20)
                await client.put(f"{cam}Acquire", 1, wait=True, timeout=20)
                truths.append(json.loads(str(await client.get(names.truth(b.prefix, b.detectors[0].pv)))))
            await captured
            assert await client.get(f"{hdf}NumCaptured_RBV") == 60
        finally:
            await client.close()

    asyncio.run(scan())
    master = up.folder / "steps.nxs"
    with h5py.File(up.folder / "steps.h5") as file:
        raw = file["entry/data/data"]
        assert len(raw) == 60
        for series in (0, 7, 19):
            for frame in range(3):
                assert np.array_equal(raw[3 * series + frame], rendered(up, truths[series], frame))
    with h5py.File(master) as file:
        assert file["entry/data/data"].shape[0] == 60
        assert np.allclose(file["entry/data/sam_x"][()], np.repeat(at, 3), atol=1e-3)
    report = check(master)
    assert report.ok, report.findings
