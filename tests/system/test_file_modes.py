"""NDFileHDF5's modes at the real coordinator and its workers: Single, Capture, and what goes with Stream."""

import asyncio
import contextlib
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import pytest

from ioc.client import PutFailedError
from layouts.raw.names import DATA
from tests.kit.fake_beamline import Plan
from tests.kit.masters import frames_of, run

pytestmark = pytest.mark.system


async def puts(rig, **values):
    for record, value in values.items():
        await rig.put(rig.hdf("EIG1", record), value)


async def gets(rig, *records):
    return [await rig.get(rig.hdf("EIG1", record)) for record in records]


async def take(rig, images):
    """A series that the camera takes by itself; no capture need be open."""
    await rig.put(rig.cam("EIG1", "NumImages"), images)
    await rig.put(rig.cam("EIG1", "Acquire"), 1)


async def come(rig, frames):
    await rig.until(rig.hdf("EIG1", "ArrayCounter_RBV"), lambda v: v == frames)


async def refused(rig, record, value, sentence):
    with pytest.raises(PutFailedError):
        await puts(rig, **{record: value})
    status, message = await gets(rig, "WriteStatus", "WriteMessage")
    assert status == "Write error"
    assert sentence in message


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def test_single_mode_writes_the_latest_frame(tmp_path):
    async def work(rig):
        await puts(rig, FileWriteMode="Single", FileName="one")
        await refused(rig, "WriteFile", 1, "no frame has come yet")
        writing = await rig.watch(rig.hdf("EIG1", "WriteFile_RBV"))
        await take(rig, 4)
        await come(rig, 4)
        await puts(rig, FileNumber=5, WriteFile=1)
        found = await gets(rig, "FullFileName_RBV", "FileNumber_RBV", "NumCaptured_RBV", "WriteStatus")
        assert found[1:] == [6, 1, "Write OK"]
        assert await gets(rig, "WriteFile", "WriteFile_RBV") == ["Done", "Done"]
        assert writing[-2:] == ["Writing", "Done"]
        await puts(rig, FileNumber=5)
        await refused(rig, "WriteFile", 1, "never overwritten")
        await puts(rig, AutoIncrement="No", FileNumber=9, FileName="sub/two", TempSuffix=".part")
        await puts(rig, WriteFile=1)
        assert await gets(rig, "FileNumber_RBV", "WriteStatus") == [9, "Write OK"]
        second = Path((await gets(rig, "FullFileName_RBV"))[0])
        await refused(rig, "Capture", 1, "Single mode")
        assert await gets(rig, "Capture", "Capture_RBV") == ["Done", "Done"]
        await refused(rig, "ReadFile", 1, "FullFileName_RBV")
        return Path(found[0]), second

    first, second = run(work, tmp_path)
    assert first.name == "one_000005.h5"
    assert second == first.parent / "sub" / "two_000009.h5"
    assert frames_of(first) == frames_of(second) == [(1, 3)]
    assert names(first.parent) == ["one_000005.h5", "sub"]
    assert names(second.parent) == ["two_000009.h5"]
    with h5py.File(first) as file:
        assert file["entry/instrument/NDAttributes/NDArrayUniqueId"][0] == 3
        assert file["entry/data"].attrs["signal"] == "data"


def test_single_mode_with_autosave_writes_each_frame(tmp_path):
    async def work(rig):
        await puts(rig, FileWriteMode="Single", FileName="each", FileNumber=3, AutoSave="Yes")
        await take(rig, 4)
        await rig.until(rig.hdf("EIG1", "FileNumber_RBV"), lambda v: v == 7)
        await puts(rig, EnableCallbacks="Disable")
        await take(rig, 2)
        await rig.until(rig.hdf("EIG1", "NumUnwanted_RBV"), lambda v: v == 2)
        await puts(rig, EnableCallbacks="Enable", FileName="other", FileNumber=1)
        await take(rig, 1)
        await rig.until(rig.hdf("EIG1", "FullFileName_RBV"), lambda v: "other" in v)
        await come(rig, 5)
        await puts(rig, FileNumber=1)
        await take(rig, 1)
        await rig.until(rig.hdf("EIG1", "WriteMessage"), lambda v: "never overwritten" in v)
        await puts(rig, FileWriteMode="Stream")
        await take(rig, 2)
        await come(rig, 8)
        return Path((await gets(rig, "FilePath"))[0])

    directory = run(work, tmp_path)
    assert names(directory) == [*(f"each_{n:06d}.h5" for n in (3, 4, 5, 6)), "other_000001.h5"]
    assert [frames_of(directory / f"each_{n:06d}.h5") for n in (3, 6)] == [[(1, 0)], [(1, 3)]]


def test_capture_mode_holds_frames_until_they_are_written(tmp_path):
    async def work(rig):
        directory = Path((await gets(rig, "FilePath"))[0])
        await puts(rig, FileWriteMode="Capture", FileName="held", NumCapture=3)
        await refused(rig, "WriteFile", 1, "no frames are held")
        number = (await gets(rig, "FileNumber_RBV"))[0]

        async def capture(images):
            ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
            await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
            assert await gets(rig, "FullFileName_RBV", "WriteFile_RBV") == ["", "Done"]
            await take(rig, images)
            await ended

        await capture(3)
        assert await gets(rig, "NumCaptured_RBV", "FileNumber_RBV") == [3, number]
        hidden = names(directory)
        assert [name[0] for name in hidden] == [".", "."]
        with h5py.File(directory / hidden[0]) as file:
            assert len(file[DATA]) == 3
        await puts(rig, WriteFile=1)
        full, master, count = await gets(rig, "FullFileName_RBV", "MasterFile_RBV", "NumCaptured_RBV")
        assert count == 0
        await refused(rig, "WriteFile", 1, "no frames are held")
        await capture(3)
        await puts(rig, FreeCapture=1)
        assert await gets(rig, "NumCaptured_RBV", "FreeCapture") == [0, "Done"]
        left = names(directory)
        await puts(rig, AutoSave="Yes", FileName="auto")
        await capture(5)
        auto, master2 = await gets(rig, "FullFileName_RBV", "MasterFile_RBV")
        assert await gets(rig, "NumCaptured_RBV") == [0]
        await puts(rig, FileNumber=number)
        await puts(rig, FileName="held")
        with pytest.raises(PutFailedError):
            await capture(3)
        assert "exists" in (await gets(rig, "WriteMessage"))[0]
        await puts(rig, FileName="later", WriteFile=1)
        return (
            Path(full),
            Path(master),
            left,
            Path(auto),
            Path(master2),
            Path((await gets(rig, "FullFileName_RBV"))[0]),
        )

    full, master, left, auto, master2, later = run(work, tmp_path)
    assert full.name.startswith("held_")
    assert frames_of(full) == frames_of(master) == [(1, 0), (1, 1), (1, 2)]
    assert not [name for name in left if name.startswith(".")]
    assert auto.name.startswith("auto_")
    assert frames_of(auto) == frames_of(master2) == [(3, 0), (3, 1), (3, 2)]
    assert frames_of(later) == [(4, 0), (4, 1), (4, 2)]
    with h5py.File(full) as file:
        assert list(file["entry/instrument/NDAttributes/NDArrayUniqueId"]) is not None
    assert not [name for name in names(full.parent) if name.startswith(".")]


@pytest.mark.parametrize("per_file", [0, 4])
def test_files_have_their_suffix_until_they_are_closed(tmp_path, per_file):
    async def work(rig):
        directory = Path((await gets(rig, "FilePath"))[0])
        await refused(rig, "TempSuffix", "/x", "behind a file's name")
        await puts(rig, FileName="temp", TempSuffix=".part", NumCapture=6)
        ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        rig.cameras["EIG1"].plan = Plan(stop_after=5)
        acquire = asyncio.create_task(take(rig, 6))
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v == 5)
        full = Path((await gets(rig, "FullFileName_RBV"))[0])
        live = names(directory)
        with h5py.File(f"{full}.part", swmr=True) as file:
            early = int(file[DATA][4, 0, 1])
        await rig.put(rig.cam("EIG1", "Acquire"), 0)
        await acquire
        await puts(rig, Capture=0)
        await ended
        return full, live, early

    full, live, early = run(work, tmp_path, images_per_file=per_file)
    assert early == 4
    assert full.suffix == ".h5"
    assert [name for name in live if not name.endswith("_meta.h5")] == [
        name for name in live if name.endswith(".part")
    ]
    assert not [name for name in names(full.parent) if name.endswith(".part")]
    assert frames_of(full) == [(1, i) for i in range(5)]
    assert frames_of(full.with_suffix(".nxs")) == [(1, i) for i in range(5)]


def test_frames_pass_by_while_callbacks_are_disabled(tmp_path):
    async def work(rig):
        await puts(rig, EnableCallbacks="Disable", FileName="by")
        ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        await take(rig, 3)
        await rig.until(rig.hdf("EIG1", "NumUnwanted_RBV"), lambda v: v == 3)
        assert await gets(rig, "ArrayCounter_RBV", "NumStored_RBV") == [0, 0]
        await puts(rig, EnableCallbacks="Enable")
        await take(rig, 2)
        await rig.until(rig.hdf("EIG1", "NumStored_RBV"), lambda v: v == 2)
        await puts(rig, Capture=0)
        await ended
        return Path((await gets(rig, "FullFileName_RBV"))[0])

    full = run(work, tmp_path)
    assert frames_of(full)[-2:] == [(2, 0), (2, 1)]


def test_flush_now_is_done_when_what_came_can_be_read(tmp_path):
    async def work(rig):
        await puts(rig, FileName="flush", LazyOpen="No")
        ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "SWMRActive_RBV"), lambda v: v == "Active")
        full = Path((await gets(rig, "FullFileName_RBV"))[0])
        assert full.name in names(full.parent)
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=3)
        acquire = asyncio.create_task(take(rig, 9))
        await camera.sent.wait()
        flush = await rig.watch(rig.hdf("EIG1", "FlushNow"))
        await puts(rig, FlushNow=1)
        with h5py.File(full, swmr=True) as file:
            seen = [int(file[DATA][i, 0, 1]) for i in range(3)]
        assert flush[-2:] == ["Flush", "Done"]
        await rig.until(rig.hdf("EIG1", "SWMRCbCounter_RBV"), lambda v: v >= 1)
        await rig.put(rig.cam("EIG1", "Acquire"), 0)
        await acquire
        await puts(rig, Capture=0)
        await ended
        assert await gets(rig, "SWMRActive_RBV", "FlushNow") == ["Off", "Done"]
        return seen

    # flushed only because it was asked for: by time it would be ten seconds later
    assert run(work, tmp_path, flush_interval=10.0) == [0, 1, 2]


def test_swmr_is_said_to_be_active_in_captures_that_ask_for_it(tmp_path):
    async def work(rig):
        seen = await rig.watch(rig.hdf("EIG1", "SWMRActive_RBV"))
        for mode in ("Off", "On"):
            await puts(rig, FileName=mode, SWMRMode=mode, NumCapture=2)
            del seen[:]
            ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
            await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
            await take(rig, 2)
            await ended
            assert ("Active" in seen) == (mode == "On")
            assert await gets(rig, "SWMRActive_RBV", "NumStored_RBV") == ["Off", 2]

    run(work, tmp_path)


def test_frames_after_which_to_flush(tmp_path):
    async def work(rig):
        await refused(rig, "NumFramesFlush", -1, "no fewer than 0")
        await puts(rig, FileName="often", NumFramesFlush=4)
        ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=10)
        acquire = asyncio.create_task(take(rig, 20))
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v == 8)
        await rig.until(rig.hdf("EIG1", "QueueUse"), lambda v: v == 2)
        size, free, flushes = await gets(rig, "QueueSize_RBV", "QueueFree", "SWMRCbCounter_RBV")
        assert flushes == 2
        assert size > 1000  # what the worker's budget of bytes is in frames of the detector
        assert free == size - 2
        await puts(rig, QueueSize=30)
        assert await gets(rig, "QueueSize_RBV", "QueueUseHIGH", "QueueFree") == [30, 22.5, free]
        await rig.put(rig.cam("EIG1", "Acquire"), 0)
        await acquire
        await puts(rig, Capture=0)
        await ended
        return await gets(rig, "NumCaptured_RBV", "QueueUse")

    assert run(work, tmp_path, flush_interval=10.0) == [10, 0]


def test_capture_is_stopped_in_mid_series_though_frames_go_on(tmp_path):
    async def work(rig):
        await puts(rig, FileName="mid")
        ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        rig.cameras["EIG1"].plan = Plan(gap=0.01)
        acquire = asyncio.create_task(take(rig, 3000))
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v >= 10)
        await puts(rig, Capture=0)
        await ended
        assert not acquire.done()
        count, master = await gets(rig, "NumCaptured_RBV", "MasterFile_RBV")
        await rig.put(rig.cam("EIG1", "Acquire"), 0)
        await acquire
        return count, master

    # the grace is far beyond the series: neither its end nor silence can have ended the capture
    count, master = run(work, tmp_path, grace=60.0)
    assert frames_of(master) == [(1, i) for i in range(count)]


def test_a_capture_without_frames_leaves_nothing(tmp_path):
    async def work(rig):
        directory = Path((await gets(rig, "FilePath"))[0])
        for lazy in ("Yes", "No"):
            await puts(rig, FileName="none", FileNumber=1, LazyOpen=lazy)
            ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
            await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
            assert (directory / "none_000001.h5").exists() == (lazy == "No")
            await puts(rig, Capture=0)
            with contextlib.suppress(PutFailedError):
                await ended
        return names(directory)

    assert run(work, tmp_path) == []


def test_settings_that_promise_too_much_are_refused(tmp_path):
    async def work(rig):
        await refused(rig, "MaxArrayRate", 10, "leaves no frame out")
        await refused(rig, "MaxByteRate", 1e6, "leaves no frame out")
        await refused(rig, "MinCallbackTime", 0.5, "leaves no frame out")
        await refused(rig, "NumCapture", -3, "no limit")
        await refused(rig, "NDArrayPort", "ROI1", "EIG1")
        assert await gets(rig, "MaxArrayRate", "NumCapture", "NDArrayPort") == [0.0, 0, "EIG1"]
        await puts(rig, MaxArrayRate=0, NDArrayPort="EIG1", XMLFileName="<hdf5_layout/>")
        valid, said = await gets(rig, "XMLValid_RBV", "XMLErrorMsg_RBV")
        assert (valid, "not used" in said) == ("Yes", True)
        await puts(rig, XMLFileName="/not/there.xml")
        assert await gets(rig, "XMLValid_RBV", "XMLFileName_RBV") == ["No", "/not/there.xml"]
        await puts(rig, XMLFileName="")
        assert await gets(rig, "XMLValid_RBV", "XMLErrorMsg_RBV", "XMLFileName_RBV") == ["Yes", "", ""]

    run(work, tmp_path)


def test_attributes_take_their_macros_and_commands_are_done(tmp_path):
    async def work(rig):
        wanted = '<Attributes><Attribute name="Note" type="CONST" source="$(WHICH)"/></Attributes>'
        await refused(rig, "NDAttributesFile", wanted, "WHICH")
        assert await gets(rig, "NDAttributesStatus") == ["Macro substitution error"]
        await puts(rig, NDAttributesMacros="WHICH=this")
        await puts(rig, NDAttributesFile=wanted, PreAllocBuffers=1)
        assert await gets(rig, "NDAttributesStatus") == ["Attributes file OK"]
        assert await gets(rig, "PreAllocBuffers", "PoolAllocBuffers") == ["Done", 0]

    run(work, tmp_path)


def test_counters_are_set_by_clients_and_go_on(tmp_path):
    async def work(rig):
        await take(rig, 3)
        await come(rig, 3)
        await puts(rig, ArrayCounter=100)
        rig.cameras["EIG1"].plan = Plan(skip=(1, 2))
        await rig.acquire(name="lossy", images=6)
        await come(rig, 104)
        assert await gets(rig, "DroppedArrays_RBV") == [2]
        rig.cameras["EIG1"].plan = Plan(skip=(1,))
        await rig.acquire(name="lossy2", images=6)
        assert await gets(rig, "DroppedArrays_RBV") == [3]
        await puts(rig, DroppedArrays=10)
        rig.cameras["EIG1"].plan = Plan(skip=(1,))
        await rig.acquire(name="lossy3", images=6)
        assert await gets(rig, "DroppedArrays_RBV", "DroppedArrays") == [11, 11]
        unique, codec, size, time = await gets(
            rig, "UniqueId_RBV", "Codec_RBV", "CompressedSize_RBV", "TimeStamp_RBV"
        )
        assert (unique, codec) == (5, "bslz4")
        assert size > 0
        assert time > 1e9
        return await gets(rig, "IOSpeed", "RunTime", "ExecutionTime_RBV")

    assert all(value > 0 for value in run(work, tmp_path))


def test_the_camera_hears_how_far_the_writer_is(tmp_path):
    async def work(rig):
        truth = rig.cameras["EIG1"].truth
        await puts(rig, FileName="told", NumCapture=4)
        ended = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        assert truth["Writing"] == "Yes"
        await take(rig, 4)
        await ended
        await rig.until(f"{truth.prefix}Stored", lambda v: v == 1)
        assert truth["Queued"] == 0

    run(work, tmp_path)
