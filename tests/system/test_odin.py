"""Odin's records of the DLS preset: the real writer behind them, cameras that do what the test says."""

import asyncio
from pathlib import Path

import h5py
import pytest

import layouts.filters_h5  # noqa: F401  registers the filter of the frames
from ioc.client import PutFailedError
from layouts.raw.names import DATA
from tests.kit.fake_beamline import Plan
from tests.kit.masters import run

pytestmark = pytest.mark.system


async def asked(rig, name: str, frames: int) -> None:
    await rig.put(rig.odin("EIG1", "FileName"), name)
    await rig.put(rig.odin("EIG1", "NumCapture"), frames)
    slow, fast = rig.cameras["EIG1"].push.shape
    await rig.put(rig.odin("EIG1", "ImageHeight"), slow)
    await rig.put(rig.odin("EIG1", "ImageWidth"), fast)


def test_one_put_of_the_file_name_tells_everyone_and_makes_meta_active(tmp_path):
    async def work(rig):
        assert await rig.get(rig.odin("EIG1", "META:AcquisitionActive_RBV")) == "Inactive"
        await asked(rig, "i03_7", 4)
        for record in ("FileName_RBV", "AcquisitionID_RBV", "FP:FileName_RBV"):
            assert await rig.get(rig.odin("EIG1", record)) == "i03_7"
        for record in ("META:FileName", "META:AcquisitionID_RBV", "FAN:AcquisitionID_RBV"):
            assert await rig.get(rig.odin("EIG1", record)) == "i03_7"
        assert await rig.get(rig.odin("EIG1", "META:AcquisitionActive_RBV")) == "Active"
        await rig.put(rig.odin("EIG1", "META:Stop"), 1)
        assert await rig.get(rig.odin("EIG1", "META:Stop")) == "Stop"  # clients wait to read it back
        assert await rig.get(rig.odin("EIG1", "META:AcquisitionActive_RBV")) == "Inactive"

    run(work, tmp_path, preset="dls")


def test_a_capture_is_seen_at_fan_meta_and_nodes(tmp_path):
    async def work(rig):
        odin = rig.odin
        await asked(rig, "run_1", 6)
        await rig.put(rig.cam("EIG1", "NumImages"), 6)
        edges = {
            record: await rig.watch(pv)
            for record, pv in {
                "Capture": odin("EIG1", "Capture_RBV"),
                "META": odin("EIG1", "META:Writing_RBV"),
                "node 1": rig.node("EIG1", 1, "Writing_RBV"),
                "node 4": rig.node("EIG1", 4, "Writing_RBV"),
            }.items()
        }
        ready = await rig.watch(odin("EIG1", "FAN:StateReady_RBV"))
        capture = asyncio.create_task(rig.put(odin("EIG1", "Capture"), 1))
        await rig.until(odin("EIG1", "META:Writing_RBV"), lambda v: v == "Writing")
        assert await rig.get(odin("EIG1", "FAN:StateReady_RBV")) == 0.0
        rig.cameras["EIG1"].plan = Plan(gap=0.15)
        acquire = asyncio.create_task(rig.put(rig.cam("EIG1", "Acquire"), 1))
        await rig.until(odin("EIG1", "FAN:StateReady_RBV"), lambda v: v == 1.0)
        await acquire
        await capture
        for seen in edges.values():
            assert seen in (["Done", "Writing", "Done"], ["Done", "Capturing", "Done"])
        assert ready == [0.0, 1.0, 0.0]
        assert await rig.get(odin("EIG1", "NumCaptured_RBV")) == 6
        assert await rig.get(rig.node("EIG1", 1, "NumCaptured_RBV")) == 6
        assert await rig.get(rig.node("EIG1", 1, "FramesDropped_RBV")) == 0
        # The plugin's records show the same capture.
        assert await rig.get(rig.hdf("EIG1", "NumCaptured_RBV")) == 6
        return Path(await rig.get(odin("EIG1", "FullFileName_RBV")))

    full = run(work, tmp_path, preset="dls")
    assert full.name == "run_1_000001.h5"
    assert {p.name for p in full.parent.iterdir()} >= {"run_1.nxs", "run_1_meta.h5"}
    with h5py.File(full) as file:
        assert file[DATA].shape[0] == 6


def test_blocks_per_file_cut_the_capture_into_files(tmp_path):
    async def work(rig):
        await asked(rig, "blocks", 10)
        await rig.put(rig.odin("EIG1", "BlockSize"), 2)
        await rig.put(rig.odin("EIG1", "BlocksPerFile"), 2)
        await rig.put(rig.cam("EIG1", "NumImages"), 10)
        capture = asyncio.create_task(rig.put(rig.odin("EIG1", "Capture"), 1))
        await rig.until(rig.odin("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        await rig.put(rig.cam("EIG1", "Acquire"), 1)
        await capture
        return Path(await rig.get(rig.odin("EIG1", "FullFileName_RBV")))

    full = run(work, tmp_path, preset="dls")
    assert full.name == "blocks.h5"
    rows = []
    for number in (1, 2, 3):
        with h5py.File(full.with_name(f"blocks_{number:06d}.h5")) as file:
            rows.append(file[DATA].shape[0])
    assert rows == [4, 4, 2]
    with h5py.File(full) as file:
        assert file[DATA].shape[0] == 10


def test_directories_are_made_as_deep_as_was_put(tmp_path):
    async def work(rig):
        odin = rig.odin
        directory = tmp_path / "visit" / "sample"
        await asked(rig, "deep", 3)
        await rig.put(odin("EIG1", "CreateDirectory"), 0)
        await rig.put(odin("EIG1", "FilePath"), str(directory))
        assert await rig.get(odin("EIG1", "FilePathExists_RBV")) == "No"
        assert await rig.get(odin("EIG1", "META:FilePath")) == await rig.get(odin("EIG1", "FP:FilePath"))
        await rig.put(odin("EIG1", "CreateDirectory"), -2)
        assert await rig.get(odin("EIG1", "FilePathExists_RBV")) == "Yes"
        await rig.put(rig.cam("EIG1", "NumImages"), 3)
        capture = asyncio.create_task(rig.put(odin("EIG1", "Capture"), 1))
        await rig.until(odin("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        await rig.put(rig.cam("EIG1", "Acquire"), 1)
        await capture
        return directory

    directory = run(work, tmp_path, preset="dls")
    assert (directory / "deep_000001.h5").exists()


def test_frames_of_another_type_than_was_put_are_an_error_and_are_stored(tmp_path):
    async def work(rig):
        await rig.put(rig.cam("EIG1", "NumImages"), 3)
        for name, promised, state in (("as_it_comes", "UInt16", "No Errors"), ("other", "UInt8", "Error")):
            await asked(rig, name, 3)
            await rig.put(rig.odin("EIG1", "DataType"), promised)
            capture = asyncio.create_task(rig.put(rig.odin("EIG1", "Capture"), 1))
            await rig.until(rig.odin("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
            await rig.put(rig.cam("EIG1", "Acquire"), 1)
            await capture
            assert await rig.get(rig.node("EIG1", 1, "FPErrorState_RBV")) == state
            assert await rig.get(rig.odin("EIG1", "NumCaptured_RBV")) == 3
        assert "put UInt16" in await rig.get(rig.node("EIG1", 1, "FPErrorMessage_RBV"))
        return Path(await rig.get(rig.odin("EIG1", "FullFileName_RBV")))

    with h5py.File(run(work, tmp_path, preset="dls")) as file:
        assert (file[DATA].shape[0], file[DATA].dtype) == (3, "uint16")


@pytest.mark.parametrize(("record", "up"), [("StartTimeout", "Capture"), ("StartCloseTimeout", "Timeout")])
def test_the_close_timer_ends_a_capture_whose_frames_do_not_come(tmp_path, record, up):
    async def work(rig):
        await asked(rig, "short", 6)
        await rig.put(rig.cam("EIG1", "NumImages"), 6)
        await rig.put(rig.odin("EIG1", "CloseFileTimeout"), 300)
        rig.cameras["EIG1"].plan = Plan(skip=(4, 5))
        capture = asyncio.create_task(rig.put(rig.odin("EIG1", "Capture"), 1))
        await rig.until(rig.odin("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        timer = await rig.watch(rig.odin("EIG1", record))
        await rig.put(rig.cam("EIG1", "Acquire"), 1)
        await rig.put(rig.odin("EIG1", record), 1)
        await rig.until(rig.odin("EIG1", "Capture_RBV"), lambda v: v == "Done")
        await asyncio.wait([capture])
        await rig.until(rig.odin("EIG1", record), lambda v: v == "Done")
        assert timer == ["Done", up, "Done"]
        assert await rig.get(rig.node("EIG1", 1, "FramesTimedOut_RBV")) == 2

    run(work, tmp_path, preset="dls")


def test_what_cannot_be_captured_is_an_error_at_the_node_until_cleared(tmp_path):
    async def work(rig):
        node = rig.node("EIG1", 1, "")
        await asked(rig, "bad", 3)
        slow, fast = rig.cameras["EIG1"].push.shape
        for record, value, said in (
            ("ImageHeight", 17, f"17 x {fast},"),
            ("ImageWidth", 19, "17 x 19,"),
            ("ImageHeight", slow, f"{slow} x 19,"),
        ):
            await rig.put(rig.odin("EIG1", record), value)
            with pytest.raises(PutFailedError):
                await rig.put(rig.odin("EIG1", "Capture"), 1)
            assert await rig.get(f"{node}FPErrorState_RBV") == "Error"
            assert said in await rig.get(f"{node}FPErrorMessage_RBV")
        assert await rig.get(rig.odin("EIG1", "Capture_RBV")) == "Done"
        await rig.put(rig.node("EIG1", 3, "FPClearErrors"), 1)
        assert await rig.get(f"{node}FPErrorState_RBV") == "No Errors"
        assert await rig.get(f"{node}FPErrorMessage_RBV") == ""

    run(work, tmp_path, preset="dls")
