"""The real coordinator and its workers, against cameras and motors that do what the test says."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import time
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest

from ioc.client import PutFailedError
from layouts.raw.names import DATA
from tests.kit import epics_tools
from tests.kit.fake_beamline import Plan
from tests.kit.masters import children, command, frames_of, outcome_of, run
from tests.kit.programs import client_environment

pytestmark = pytest.mark.system


def text(file, path):
    return np.asarray(file[path]).item().decode()


def test_two_detectors_of_different_rates_in_one_master(tmp_path):
    async def work(rig):
        await rig.setup(name="both", images=30, detectors="EIG1,EIG2")
        await rig.put(rig.cam("EIG2", "NumImages"), 12)
        await rig.put(rig.acq("SampleName"), "thaumatin 3")
        rig.cameras["EIG1"].plan = Plan(gap=0.002)
        rig.cameras["EIG2"].plan = Plan(gap=0.01)
        states = await rig.watch(rig.acq("State_RBV"))
        edges = await rig.watch(rig.hdf("EIG2", "Capture_RBV"))
        await rig.put(rig.acq("Start"), 1)
        assert states[-1] == "Done"
        assert [s for s in states if s in ("Capturing", "Acquiring", "Finishing")] == [
            "Capturing",
            "Acquiring",
            "Finishing",
        ]
        assert edges == ["Done", "Capturing", "Done"]
        assert await rig.get(rig.acq("Outcome_RBV")) == "complete"
        assert await rig.get(rig.acq("Stored_RBV")) == 42
        assert await rig.get(rig.hdf("EIG2", "NumCaptured_RBV")) == 12
        return Path(await rig.get(rig.acq("MasterFile_RBV")))

    master = run(work, tmp_path)
    with h5py.File(master) as file:
        entries = list(file)
        assert len(entries) == 2
        assert {text(file, f"{entry}/sample/name") for entry in entries} == {"thaumatin 3"}
    lengths = {len(frames_of(master, e)) for e in entries}
    assert lengths == {30, 12}
    for entry in entries:
        frames = frames_of(master, entry)
        assert frames == [(1, i) for i in range(len(frames))]
    truth = json.loads(master.with_name("both_truth.json").read_text())
    assert truth == {"EIG1": {"series": 1, "seed": 7}, "EIG2": {"series": 1, "seed": 7}}


def test_a_step_scan_of_twenty_series_in_one_capture(tmp_path):
    async def work(rig):
        await rig.put(rig.hdf("EIG1", "FileName"), "steps")
        await rig.put(rig.cam("EIG1", "NumImages"), 3)
        await rig.put(rig.hdf("EIG1", "NumCapture"), 60)
        capture = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        for i in range(20):
            await rig.motors.move("sam_x", 0.1 * i)
            await rig.put(rig.cam("EIG1", "Acquire"), 1)
        await capture
        assert await rig.get(rig.hdf("EIG1", "NumCaptured_RBV")) == 60
        full = Path(await rig.get(rig.hdf("EIG1", "FullFileName_RBV")))
        assert full.name == "steps_000001.h5"
        assert await rig.get(rig.hdf("EIG1", "FileNumber_RBV")) == 2
        return full, Path(await rig.get(rig.hdf("EIG1", "MasterFile_RBV")))

    full, master = run(work, tmp_path)
    expected = [(series, frame) for series in range(1, 21) for frame in range(3)]
    assert frames_of(full) == expected
    assert frames_of(master) == expected
    with h5py.File(master) as file:
        found = {}
        file["entry"].visititems(
            lambda n, o: (
                found.update({n: o[()]}) if isinstance(o, h5py.Dataset) and o.shape == (60,) else None
            )
        )
    steps = [v for v in found.values() if np.allclose(v, np.repeat(0.1 * np.arange(20), 3))]
    assert steps, list(found)


def test_abort_in_a_series_and_another_straight_after(tmp_path):
    async def work(rig):
        await rig.setup(name="first", images=50)
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=20)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await camera.sent.wait()
        await rig.put(rig.acq("Abort"), 1)
        await start
        assert await rig.get(rig.acq("State_RBV")) == "Aborted"
        first = Path(await rig.get(rig.acq("MasterFile_RBV")))
        assert await rig.acquire(name="second", images=10) == "complete"
        return first, Path(await rig.get(rig.acq("MasterFile_RBV")))

    first, second = run(work, tmp_path)
    assert frames_of(first) == [(1, i) for i in range(20)]
    assert frames_of(second) == [(2, i) for i in range(10)]
    assert outcome_of(first) == "aborted"
    with h5py.File(first) as one, h5py.File(second) as two:
        assert "end_time" not in one["entry"]
        assert "end_time" in two["entry"]


def test_abort_at_the_cameras_own_pvs(tmp_path):
    async def work(rig):
        await rig.setup(name="cam", images=50)
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=5)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await camera.sent.wait()
        await rig.put(rig.cam("EIG1", "Acquire"), 0)
        await start
        assert "at its own PVs" in await rig.get(rig.acq("Message_RBV"))
        return await rig.get(rig.acq("Outcome_RBV")), Path(await rig.get(rig.acq("MasterFile_RBV")))

    outcome, master = run(work, tmp_path)
    assert outcome == "aborted"
    assert len(frames_of(master)) == 5


def test_lost_frames_are_listed_and_masked(tmp_path):
    async def work(rig):
        rig.cameras["EIG1"].plan = Plan(skip=(3, 4, 8))
        outcome = await rig.acquire(name="lossy", images=10)
        assert await rig.get(rig.acq("Missing_RBV")) == 3
        assert await rig.get(rig.hdf("EIG1", "DroppedArrays_RBV")) == 3
        return outcome, Path(await rig.get(rig.acq("MasterFile_RBV")))

    outcome, master = run(work, tmp_path)
    assert outcome == "incomplete"
    with h5py.File(master) as file:
        data = file["entry/data/data"]
        assert data.shape[0] == 10
        gone = [i for i in range(10) if (data[i] == 65535).all()]
    assert gone == [3, 4, 8]


def test_a_stalled_camera_is_stopped(tmp_path):
    async def work(rig):
        rig.cameras["EIG1"].plan = Plan(stop_after=4, end=False)
        outcome = await rig.acquire(name="stalled", images=10)
        return outcome, await rig.get(rig.acq("Message_RBV")), rig.cameras["EIG1"].device["Acquire_RBV"]

    outcome, message, acquire = run(work, tmp_path)
    assert outcome == "incomplete"
    assert acquire == "Done"
    assert "stopped" in message


def test_waiting_for_a_trigger_is_no_stall(tmp_path):
    async def work(rig):
        await rig.setup(name="wait", images=2)
        rig.cameras["EIG1"].parameters = {"images": 4, "images_per_trigger": 2, "triggers": 2}
        await rig.put(rig.cam("EIG1", "TriggerMode"), "External Series")
        await rig.put(rig.cam("EIG1", "NumTriggers"), 2)
        rig.cameras["EIG1"].plan = Plan(images=4, stop_after=2)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await rig.cameras["EIG1"].sent.wait()
        # Three times the stall timeout of this beamline: the clock is what is under test.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(start), 2.0)
        assert not start.done()
        assert await rig.get(rig.acq("State_RBV")) == "Acquiring"
        await rig.put(rig.acq("Abort"), 1)
        await start
        return await rig.get(rig.acq("Outcome_RBV"))

    assert run(work, tmp_path) == "aborted"


def test_requests_that_cannot_be_done_say_why(tmp_path):
    async def work(rig):
        said = {}

        async def refused(key, **puts):
            await rig.setup(name="bad")
            for record, value in puts.items():
                await rig.put(rig.acq(record), value)
            with pytest.raises(PutFailedError):
                await rig.put(rig.acq("Start"), 1)
            said[key] = str(await rig.get(rig.acq("Message_RBV")))
            assert await rig.get(rig.acq("State_RBV")) == "Failed"
            await rig.put(rig.acq("FilePath"), str(rig.directory / "data"))
            await rig.put(rig.acq("CreateDirectory"), -5)

        await refused("detector", Detectors="EIG9")
        await refused("name", Name="a/b")
        await refused("path", FilePath="/proc/nothing")
        await refused("directory", CreateDirectory=0, FilePath=str(rig.directory / "new"))
        await refused("empty", Name="")
        assert await rig.acquire(name="good", images=2) == "complete"
        await refused("exists", Name="good")
        rig.cameras["EIG1"].plan = Plan(refuse="HV is off")
        await rig.setup(name="hv")
        await rig.put(rig.acq("Start"), 1)
        said["camera"] = str(await rig.get(rig.acq("Message_RBV")))
        assert await rig.acquire(name="after", images=2) == "complete"
        log = rig.writer.said()
        return said, log

    said, log = run(work, tmp_path)
    assert "no detector 'EIG9'" in said["detector"]
    assert "slashes" in said["name"]
    assert "/proc/nothing" in said["path"]
    assert "does not exist" in said["directory"]
    assert not (tmp_path / "new").exists()
    assert "exists" in said["exists"]
    assert "HV is off" in said["camera"]
    assert log.count("acquisition refused") == 6


def test_captures_that_cannot_be_done_say_why(tmp_path):
    locked = tmp_path / "locked"

    async def work(rig):
        async def refused(**puts):
            before = {}
            for record, value in puts.items():
                before[record] = await rig.get(rig.hdf("EIG1", record))
                await rig.put(rig.hdf("EIG1", record), value)
            with pytest.raises(PutFailedError):
                await rig.put(rig.hdf("EIG1", "Capture"), 1)
            assert await rig.get(rig.hdf("EIG1", "Capture")) == "Done"
            assert await rig.get(rig.hdf("EIG1", "Capture_RBV")) == "Done"
            assert await rig.get(rig.hdf("EIG1", "WriteStatus")) == "Write error"
            message = await rig.get(rig.hdf("EIG1", "WriteMessage"))
            for record, value in before.items():
                await rig.put(rig.hdf("EIG1", record), value)
            return str(message)

        assert "Single" in await refused(FileWriteMode="Single")
        assert "begin it with /" in await refused(FilePath="data")
        assert "argument 2" in await refused(FileTemplate="%s%d.h5")
        assert "does not exist" in await refused(CreateDirectory=0, FilePath=f"{locked}/a")
        assert await rig.get(rig.hdf("EIG1", "WriteStatus")) == "Write OK"
        await rig.put(rig.hdf("EIG1", "FilePath"), str(locked))
        assert await rig.get(rig.hdf("EIG1", "FilePath_RBV")) == f"{locked}/"
        assert await rig.get(rig.hdf("EIG1", "FilePathExists_RBV")) == "Yes"

    run(work, tmp_path)
    assert locked.is_dir()


def test_no_space(tmp_path):
    async def work(rig):
        outcome = await rig.acquire(name="big", images=10)
        return outcome, await rig.get(rig.acq("Message_RBV"))

    outcome, message = run(work, tmp_path, reserve=1 << 60)
    assert outcome == ""
    assert "no space" in message


def test_several_files_are_one_from_the_first_frame(tmp_path):
    async def work(rig):
        await rig.put(rig.hdf("EIG1", "NumCapture"), 10)
        await rig.put(rig.cam("EIG1", "NumImages"), 10)
        capture = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        rig.cameras["EIG1"].plan = Plan(stop_after=6)
        acquire = asyncio.create_task(rig.put(rig.cam("EIG1", "Acquire"), 1))
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v == 6)
        full = Path(await rig.get(rig.hdf("EIG1", "FullFileName_RBV")))
        with h5py.File(full, swmr=True) as file:
            data = file[DATA]
            early = data.shape, [int(data[i, 0, 1]) for i in range(6)], int(data[9].min())
        await rig.put(rig.cam("EIG1", "Acquire"), 0)
        await acquire
        await rig.put(rig.hdf("EIG1", "Capture"), 0)
        await capture
        return full, early

    full, (shape, first, last) = run(work, tmp_path, images_per_file=4)
    assert shape[0] == 10
    assert first == list(range(6))
    assert last == 65535
    assert frames_of(full) == [(1, i) for i in range(6)]


def test_a_killed_worker_is_told_of_and_replaced(tmp_path):
    async def work(rig):
        await rig.setup(name="killed", images=50)
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=5)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await camera.sent.wait()
        pid = next(p for p in children(rig.writer.process.pid) if b"EIG1" in command(p))
        gone = asyncio.create_task(rig.until(rig.hdf("EIG1", "Connected_RBV"), lambda v: v == "No"))
        await rig.until(rig.hdf("EIG1", "Connected_RBV"), lambda v: v == "Yes")
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await gone
        assert time.monotonic() - killed < 1.0
        with pytest.raises(PutFailedError):
            await start
        message = await rig.get(rig.acq("Message_RBV"))
        assert await rig.get(rig.acq("State_RBV")) == "Failed"
        assert "SIGKILL" in message
        assert "SIGKILL" in await rig.get(rig.hdf("EIG1", "WriteMessage"))
        await rig.until(rig.hdf("EIG1", "Connected_RBV"), lambda v: v == "Yes")
        return await rig.acquire(name="next", images=5)

    assert run(work, tmp_path) == "complete"


def test_real_clients_by_hand(tmp_path):
    async def work(rig):
        env = client_environment(rig.beamline.ca.sim_port, rig.beamline.ca.writer_port)

        async def call(*words):
            return await asyncio.to_thread(functools.partial(epics_tools.call, *words, env=env, timeout=40))

        hdf = rig.hdf("EIG1", "")
        await call("caput", "-S", f"{hdf}FilePath", str(tmp_path / "hand"))
        await call("caput", "-S", f"{hdf}FileName", "hand")
        await call("caput", f"{hdf}NumCapture", "7")
        assert "hand/" in await call("caget", "-S", f"{hdf}FilePath_RBV")
        waiting = asyncio.create_task(call("caput", "-c", "-w", "30", f"{hdf}Capture", "1"))
        await rig.until(f"{hdf}Capture_RBV", lambda v: v == "Capturing")
        await call("caput", rig.cam("EIG1", "NumImages"), "7")
        await call("caput", "-c", "-w", "30", rig.cam("EIG1", "Acquire"), "1")
        await waiting
        assert await call("caget", "-t", f"{hdf}NumCaptured_RBV") == "7"
        master = await call("caget", "-t", "-S", f"{hdf}MasterFile_RBV")
        await call("caput", "-c", "-w", "30", f"{hdf}FlushNow", "1")
        await call("caput", f"{hdf}FileWriteMode", "Single")
        await call("caput", "-c", "-w", "30", f"{hdf}WriteFile", "1")
        single = await call("caget", "-t", "-S", f"{hdf}FullFileName_RBV")
        assert await call("caget", "-t", f"{hdf}WriteStatus") == "Write OK"
        assert frames_of(single) == [(1, 6)]
        return master

    master = run(work, tmp_path)
    assert len(frames_of(master)) == 7
