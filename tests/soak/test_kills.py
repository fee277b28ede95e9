"""Processes killed at any moment: what readers could see is there afterwards, all else counted as missing.

A follower reads along until the kill. What it has seen must be in the master that the coordinator made, or
``softbeam salvage`` makes; each frame must be the one of its place; and the next acquisition must be clean.
``SOFTBEAM_SEEDS`` says how many moments; each seed is one moment and one kind of process.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from layouts.nexus.check_h5 import check
from layouts.raw.follower import Follower
from layouts.raw.names import DATA, meta_file
from tests.kit.fake_beamline import Plan
from tests.kit.masters import children, command, run
from tests.kit.simulated import gone

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(7200)]

SEEDS = int(os.environ.get("SOFTBEAM_SEEDS", "4"))
VICTIMS = ("worker", "storer", "coordinator", "fan")
MASKED = np.iinfo(np.uint16).max
DETECTOR = "EIG1"


class Reader(threading.Thread):
    """Follows a capture until it is told that the kill comes."""

    def __init__(self, meta: Path) -> None:
        super().__init__(daemon=True)
        self.seen: set[int] = set()
        self._meta, self._over = meta, threading.Event()

    def run(self) -> None:
        with Follower(self._meta) as follower:
            while not self._over.wait(0.005):
                new = follower.poll()
                for place in new.places.tolist():
                    assert follower.frame(place)[0, 1] == place % 251
                    self.seen.add(place)

    def stop(self) -> set[int]:
        self._over.set()
        self.join(20)
        assert not self.is_alive()
        return self.seen


def family(pid):
    return [pid, *(each for child in children(pid) for each in family(child))]


def victim(rig, kind):
    """The process of a kind, of the main detector."""
    if kind == "coordinator":
        return rig.writer.process.pid
    module = b"writer.storer" if kind == "storer" else b"writer.worker"
    found = [
        pid
        for pid in family(rig.writer.process.pid)
        if module in command(pid) and (kind == "storer" or DETECTOR.encode() in command(pid).split(b"\0"))
    ]
    return min(found)


def present(master, series=1):
    """Places of a master that have a frame, each its own, and how many places there are."""
    with h5py.File(master) as file:
        data = file[DATA]
        marks = [(int(data[i, 0, 0]), int(data[i, 0, 1])) for i in range(len(data))]
    found = {place for place, mark in enumerate(marks) if mark != (MASKED, MASKED)}
    for place in found:
        assert marks[place][1] == place % 251
        assert marks[place][0] == series or series is None
    return found, len(marks)


def salvaged(data, out, beamline):
    """The master that ``softbeam salvage`` makes of what was left, and what it said; that stays as it was."""
    before = {path: path.read_bytes() for path in data.iterdir()}
    out.mkdir()
    command = ["softbeam", "salvage", data, "--out", out, "--beamline", beamline]
    done = subprocess.run(
        [sys.executable, "-m", *command], capture_output=True, text=True, timeout=120, check=False
    )
    assert {path: path.read_bytes() for path in before} == before
    return next(iter(sorted(out.glob("*.nxs"))), None), done.stdout + done.stderr


async def next_is_clean(rig, folder):
    """Another acquisition, as soon as whatever was killed is there again."""
    folder.mkdir()
    await rig.put(rig.acq("FilePath"), str(folder))
    for attempt in range(60):
        if await rig.acquire(name=f"next{attempt}", images=6) == "complete":
            found, rows = present(folder / f"next{attempt}.nxs", series=None)
            assert (len(found), rows) == (6, 6)
            assert check(folder / f"next{attempt}.nxs", deep=True).ok
            return
        await asyncio.sleep(0.25)
    raise AssertionError("no acquisition was complete again: " + str(await rig.get(rig.acq("Message_RBV"))))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_readers_saw_before_a_kill_is_there_after_it(seed, tmp_path):
    chance = random.Random(seed)
    kind = VICTIMS[seed % len(VICTIMS)]
    images = chance.randint(60, 300)
    moment = round(chance.random() * images)
    options = {
        "images_per_file": chance.choice([0, 7, 40]),
        "workers": chance.randint(2, 3) if kind in ("storer", "fan") else 1,
        "flush_interval": 0.02,
    }
    data = tmp_path / "data"

    async def work(rig):
        rig.cameras[DETECTOR].plan = Plan(gap=0.002)
        await rig.setup(name="run", images=images)
        reader = Reader(data / meta_file(f"run_{DETECTOR}"))
        reader.start()
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await rig.until(rig.hdf(DETECTOR, "NumCaptured_RBV"), lambda captured: captured >= moment)
        processes = family(rig.writer.process.pid)
        os.kill(victim(rig, kind), signal.SIGKILL)
        seen = await asyncio.to_thread(reader.stop)
        if kind == "coordinator":
            start.cancel()
            assert await asyncio.to_thread(gone, processes, 5.0)
        else:
            await asyncio.wait_for(asyncio.gather(start, return_exceptions=True), 30)
            await next_is_clean(rig, tmp_path / "next")
        return seen

    seen = run(work, tmp_path, **options)
    master, said = data / "run.nxs", ""
    if not master.exists():
        master, said = salvaged(data, tmp_path / "salvaged", tmp_path / "beamline.json")
    if master is None:
        assert not seen, said
        return
    found, rows = present(master)
    assert seen <= found, (sorted(seen - found), said)
    assert rows <= images
    report = check(master, deep=True)
    assert report.ok, (report, said)
