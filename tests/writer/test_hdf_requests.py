"""What the file records ask for when Capture is set, without a server, a worker or a camera."""

import asyncio

import pytest

from ioc.server import Server
from layouts.beamline import load
from layouts.raw import names
from writer.faults import Faults
from writer.hdf import HdfDevice
from writer.orders import RefusedError


def wish(directory, *, primed=True, **settings):
    """The wish of records with these settings, and what FileNumber is then."""

    async def work():
        beamline = load()
        detector = beamline.detector("EIG1")
        hdf = HdfDevice(
            Server(), beamline, detector, None, requests=None, held=None, faults=Faults(refuse=False)
        )
        await hdf.boot(directory, detector.spec.shape if primed else (0, 0), "uint16")
        for record, value in settings.items():
            await hdf.device.settle(record, value)
        return await hdf.request()

    return asyncio.run(work())


def test_what_the_records_say_goes_into_the_wish(tmp_path):
    found = wish(tmp_path, FileName="a", NumCapture=7, NumFramesFlush=3, TempSuffix=".part", LazyOpen="No")
    assert found.full_name == tmp_path / "a_000001.h5"
    assert (found.num_capture, found.flush_frames, found.temp_suffix) == (7, 3, ".part")
    assert not found.lazy
    assert found.holder is None


def test_capture_mode_asks_for_a_hidden_file(tmp_path):
    found = wish(tmp_path, FileWriteMode="Capture", TempSuffix=".part")
    assert names.is_held(found.full_name.name)
    assert found.full_name.parent == tmp_path
    assert found.temp_suffix == ""
    assert found.holder is not None


def test_sizes_that_nobody_knows_yet_can_be_waited_for_only(tmp_path):
    assert wish(tmp_path, primed=False).lazy
    with pytest.raises(RefusedError, match="Yes to LazyOpen"):
        wish(tmp_path, primed=False, LazyOpen="No")


def test_directories_in_a_file_name_are_made_as_in_a_path(tmp_path):
    assert wish(tmp_path, FileName="x/y/z").full_name == tmp_path / "x" / "y" / "z_000001.h5"
    assert (tmp_path / "x" / "y").is_dir()
    with pytest.raises(RefusedError, match="CreateDirectory"):
        wish(tmp_path, FileName="p/q/z", CreateDirectory=-1)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"FileWriteMode": "Single"}, "WriteFile"),
        ({"FilePath": "data"}, "begin it with /"),
        ({"FilePath": ""}, "FilePath is empty"),
        ({"FileTemplate": ""}, "names no file"),
        ({"FileTemplate": "%d"}, "argument 1 is the path"),
        ({"FileName": "x" * 255}, "too long"),
    ],
)
def test_what_cannot_be_done_says_what_can(tmp_path, settings, says):
    with pytest.raises(RefusedError, match=says):
        wish(tmp_path, **settings)
