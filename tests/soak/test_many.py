"""Many acquisitions, and very many frames: memory, descriptors and processes stay as they were, sums exact.

``SOFTBEAM_ACQUISITIONS`` and ``SOFTBEAM_FRAMES`` say how many; ``make soak`` asks for 1000 and 100 000.
"""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from layouts.raw.names import DATA, Column, Meta
from tests.kit.masters import children, run
from tests.kit.push import Push
from tests.kit.worker import Worker

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(7200)]

ACQUISITIONS = int(os.environ.get("SOFTBEAM_ACQUISITIONS", "30"))
FRAMES = int(os.environ.get("SOFTBEAM_FRAMES", "10000"))
WARM = 15
"""Acquisitions after which everything that is kept has been made once."""
KEPT = 12 << 20
"""Bytes by which a process may grow: allocators keep some of what was freed."""
COUNTERS = ("Received", "Expected", "Stored", "Missing", "Duplicate", "Foreign", "Unwanted", "Failed")


def family(pid):
    return [pid, *(each for child in children(pid) for each in family(child))]


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def memory(pid):
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def state(pids):
    return {pid: (descriptors(pid), memory(pid)) for pid in pids}


def held_to(before, after):
    """Nothing grew but by what allocators keep."""
    assert before.keys() == after.keys()
    for pid, (open_before, kept_before) in before.items():
        open_after, kept_after = after[pid]
        about = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        assert open_after <= open_before, about
        assert kept_after <= kept_before + KEPT, (about, kept_before, kept_after)


@pytest.mark.parametrize("workers", [1, 2])
def test_acquisitions_leave_nothing_behind_in_the_programs(workers, tmp_path):
    async def work(rig):
        sums = dict.fromkeys(COUNTERS, 0)
        before = {}
        for number in range(ACQUISITIONS):
            if number == min(WARM, ACQUISITIONS // 2):
                before = state(family(rig.writer.process.pid))
            assert await rig.acquire(name=f"run{number:04d}", images=3) == "complete"
            for word in COUNTERS:
                sums[word] += int(await rig.get(rig.hdf("EIG1", f"Num{word}_RBV")))
        held_to(before, state(family(rig.writer.process.pid)))
        return sums

    sums = run(work, tmp_path, workers=workers)
    whole = 3 * ACQUISITIONS
    assert sums == dict.fromkeys(COUNTERS, 0) | {"Received": whole, "Stored": whole, "Expected": whole}
    data = tmp_path / "data"
    assert len(list(data.glob("run*.nxs"))) == ACQUISITIONS
    assert not [path for path in data.iterdir() if path.name.startswith(".") or path.suffix == ".tmp"]


@pytest.mark.parametrize("version", [1, 2])
def test_very_many_small_frames_are_stored_in_constant_memory(version, tmp_path):
    push = Push(version)
    worker = Worker(push.endpoint)
    try:
        worker.capture(tmp_path, num_capture=FRAMES, images_per_file=FRAMES // 10, stall_timeout=20.0)
        push.start(1, FRAMES)
        early = FRAMES // 10
        push.images(1, range(early))
        worker.until(lambda status: status.counters.stored >= early // 2, 120)
        before = memory(worker.process.pid)
        for begin in range(early, FRAMES, 1000):
            push.images(1, range(begin, min(begin + 1000, FRAMES)))
            while worker.pump(0):
                pass
        push.end(1)
        done = worker.done(300)
        assert (done.counters.received, done.counters.stored) == (FRAMES, FRAMES)
        assert not done.record.missing
        # The rest is what HDF5 keeps of its chunks' places.
        assert memory(worker.process.pid) <= before + KEPT + 64 * FRAMES
    finally:
        worker.close()
        push.close()
    with h5py.File(done.record.meta_file) as meta:
        columns = meta[Meta.COLUMNS]
        assert columns[Column.STORED][()].all()
        assert (columns[Column.FRAME][()] == np.arange(FRAMES)).all()
    place = 0
    for raw in done.record.raw_files:
        with h5py.File(raw.path) as file:
            data = file[DATA]
            assert len(data) == raw.rows
            for row in range(0, raw.rows, max(1, raw.rows // 20)):
                assert data[row, 0, 1] == (place + row) % 251
        place += raw.rows
    assert place == FRAMES
