"""The coordinator over a detector whose frames several storers store: what clients and masters see of it."""

import asyncio
import os
import signal
from pathlib import Path

import h5py
import numpy as np
import pytest

from layouts.beamline import Beamline
from layouts.nexus.check_h5 import check
from tests.kit.beamline import running
from tests.kit.fake_beamline import Plan
from tests.kit.masters import children, command, frames_of, outcome_of, run
from tests.kit.simulated import gone
from tests.kit.stage import impatient, on_stage

pytestmark = pytest.mark.system


def family(pid):
    """A process and all below it."""
    return [pid, *(each for child in children(pid) for each in family(child))]


def storers_of(rig):
    """Processes of the storers, by rank."""
    lines = {pid: command(pid).split(b"\0") for pid in family(rig.writer.process.pid)}
    found = [pid for pid, line in lines.items() if b"writer.storer" in line]
    return sorted(found, key=lambda pid: lines[pid][lines[pid].index(b"--rank") + 1])


def test_a_rotation_a_step_scan_and_the_end_with_three_storers(tmp_path):
    async def work(rig):
        rig.cameras["EIG1"].plan = Plan(gap=0.001)
        await rig.setup(name="turn", images=31)
        await rig.put(rig.acq("Start"), 1)
        assert await rig.get(rig.acq("Outcome_RBV")) == "complete"
        turn = Path(await rig.get(rig.acq("MasterFile_RBV")))
        # a step scan: one capture of many series
        await rig.put(rig.hdf("EIG1", "FileName"), "steps")
        await rig.put(rig.cam("EIG1", "NumImages"), 3)
        await rig.put(rig.hdf("EIG1", "NumCapture"), 15)
        capture = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        for _ in range(5):
            await rig.put(rig.cam("EIG1", "Acquire"), 1)
        await capture
        steps = Path(await rig.get(rig.hdf("EIG1", "FullFileName_RBV")))
        assert await rig.get(rig.hdf("EIG1", "NumStored_RBV")) == 15
        all_of_them = family(rig.writer.process.pid)
        assert len(storers_of(rig)) == 3
        rig.writer.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(gone, all_of_them, 2.0)
        return turn, steps

    turn, steps = run(work, tmp_path, workers=3, images_per_file=4)
    assert frames_of(turn) == [(1, frame) for frame in range(31)]
    assert frames_of(steps) == [(series, frame) for series in range(2, 7) for frame in range(3)]
    assert check(turn, deep=True).ok
    assert check(steps.with_suffix(".nxs"), deep=True).ok


def test_an_abort_and_a_storer_that_is_killed(tmp_path):
    async def work(rig):
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=9)
        await rig.setup(name="cut", images=30)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v == 9)
        await rig.put(rig.acq("Abort"), 1)
        await start
        cut = Path(await rig.get(rig.acq("MasterFile_RBV")))
        assert await rig.get(rig.acq("Outcome_RBV")) == "aborted"

        camera.plan = Plan(gap=0.05)
        await rig.setup(name="hurt", images=40)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v >= 8)
        os.kill(storers_of(rig)[1], signal.SIGKILL)
        await rig.until(rig.hdf("EIG1", "WriteMessage"), lambda v: "storer 1" in v)
        await start
        hurt = Path(await rig.get(rig.acq("MasterFile_RBV")))
        said = await rig.get(rig.acq("Message_RBV"))
        stored, missing = [await rig.get(rig.acq(f"{word}_RBV")) for word in ("Stored", "Missing")]

        camera.plan = Plan(gap=0.001)
        await rig.setup(name="next", images=20)
        await rig.put(rig.acq("Start"), 1)
        assert await rig.get(rig.acq("Outcome_RBV")) == "complete"
        return cut, hurt, str(said), (stored, missing), Path(await rig.get(rig.acq("MasterFile_RBV")))

    cut, hurt, said, (stored, missing), after = run(work, tmp_path, workers=2)
    assert frames_of(cut) == [(1, frame) for frame in range(9)]
    assert outcome_of(cut) == "aborted"
    assert outcome_of(hurt) == "incomplete"
    assert "storer 1" in said
    assert "SIGKILL" in said
    assert stored + missing == 40
    with h5py.File(hurt) as file:
        data = file["entry/data/data"][()]
        lost = set(file["entry/capture/missing"][()].tolist())
    assert len(lost) == missing > 0
    assert all(place // 2 % 2 == 1 for place in lost)  # its stripe alone, in blocks of two
    for place in range(40):
        masked = (data[place] == np.iinfo(data.dtype).max).all()
        assert masked if place in lost else (data[place, 0, 0], data[place, 0, 1]) == (2, place)
    assert check(hurt, deep=True).ok
    assert frames_of(after) == [(3, frame) for frame in range(20)]


def test_odins_nodes_are_the_storers(tmp_path):
    async def work(rig):
        slow, fast = rig.cameras["EIG1"].push.shape
        wanted = {"FileName": "nodes", "NumCapture": 7, "ImageHeight": slow, "ImageWidth": fast}
        for record, value in wanted.items():
            await rig.put(rig.odin("EIG1", record), value)
        await rig.put(rig.cam("EIG1", "NumImages"), 7)
        capture = asyncio.create_task(rig.put(rig.odin("EIG1", "Capture"), 1))
        await rig.until(rig.odin("EIG1", "META:Writing_RBV"), lambda v: v == "Writing")
        await rig.put(rig.cam("EIG1", "Acquire"), 1)
        await capture
        assert await rig.get(rig.odin("EIG1", "NumCaptured_RBV")) == 7
        for node, frames in {1: 4, 2: 3, 3: 0}.items():  # 0 1 4 5, and 2 3 6
            await rig.until(rig.node("EIG1", node, "NumCaptured_RBV"), lambda v, n=frames: v == n)
        return Path(await rig.get(rig.odin("EIG1", "FullFileName_RBV")))

    full = run(work, tmp_path, workers=2, preset="dls")
    assert frames_of(full) == [(1, frame) for frame in range(7)]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_simulated_beamline_gives_the_same_frames_with_two_workers_as_with_one(tmp_path):
    found = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        values = impatient().model_dump(mode="json")
        values["detectors"][0] |= {"workers": workers, "frames_per_block": 3, "images_per_file": 5}

        async def work(stage):
            await stage.set_up("turn", 24)
            await stage.start()
            told = await stage.result()
            assert (told["Outcome"], told["Stored"]) == ("complete", 24), told
            assert stage.check(told["MasterFile"]).ok
            await stage.counters()
            with h5py.File(told["MasterFile"]) as file:
                found.append(file["entry/data/data"][()])

        with running(Beamline.model_validate(values), folder) as up:
            on_stage(up.beamline, up.folder, work)
    one, two = found
    assert len({frame.tobytes() for frame in one}) == 24
    assert (one == two).all()
