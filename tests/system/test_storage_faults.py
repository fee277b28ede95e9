"""Storage that fails as storage does: what came before is readable, the reason told, the sums right."""

import errno
import os
import shutil
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zmq

from layouts.beamline_storage import Durability
from layouts.capture import Outcome
from layouts.raw.names import DATA, Column
from layouts.stream.messages import Codec
from tests.kit.push import Push
from tests.kit.storage_faults import Call, read
from tests.kit.worker import Worker, check_sums, tags
from writer import control
from writer.keeping import Keeping
from writer.meta_h5 import read_columns

pytestmark = pytest.mark.system

IMAGES = 300
RAW = "*/bad/run_0*.h5"
META = "*/bad/run_meta.h5"


@pytest.fixture
def push():
    push = Push(codec=Codec.NONE)
    yield push
    push.close()


@pytest.fixture
def worker(push, faults):
    worker = Worker(push.endpoint, environment=faults.environment)
    yield worker
    worker.close()


@pytest.fixture
def bad(tmp_path):
    place = tmp_path / "bad"
    place.mkdir()
    return place


def held(done):
    """Frames in all raw files by their places, and how the files opened."""
    ways, found, row = set(), {}, 0
    for raw in done.record.raw_files:
        how, frames = read(raw.path)
        ways.add(how)
        found |= {row + index: frame for index, frame in enumerate(frames) if frame >= 0}
        row += raw.rows
    return found, ways


def old_hdf5_reads(path):
    if shutil.which("h5dump") is None:
        return True
    command = ["h5dump", "-d", DATA, "-s", "0,0,0", "-c", "1,1,3", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def next_is_whole(push, worker, place):
    """The next capture, elsewhere, has every frame, and nothing of the last one is held open."""
    worker.capture(place, capture="c2", stem="next", num_capture=3)
    push.series(2, 3)
    done = worker.done()
    assert tags(done) == [(2, frame) for frame in range(3)]
    assert done.outcome is Outcome.COMPLETE
    assert worker.process.poll() is None
    handles = Path(f"/proc/{worker.process.pid}/fd")
    assert not [link for link in map(os.readlink, handles.iterdir()) if "/bad/" in link]


def fail_in_mid_series(push, worker, bad, number, arm, **order):
    """A series whose storing fails after its first 100 frames can be read; the last word on it."""
    worker.capture(bad, **({"num_capture": IMAGES, "images_per_file": 0} | order))
    push.start(1, IMAGES)
    push.images(1, range(100))
    worker.until(lambda status: status.captured == 100)
    arm()
    push.images(1, range(100, IMAGES))
    failed = worker.wait(control.Failed)
    assert failed.errno == number
    assert errno.errorcode[number] in failed.message
    worker.send(control.Aborted())
    push.end(1)
    done = worker.done()
    assert done.outcome is Outcome.INCOMPLETE
    assert errno.errorcode[number] in done.reason
    check_sums(done.counters)
    assert done.counters.received == IMAGES
    assert done.counters.stored >= 100
    assert done.record.rows == done.counters.stored + done.counters.missing
    return done


@dataclass(frozen=True)
class Fault:
    """What the storage does to the raw files."""

    name: str
    number: int
    calls: Call
    how: str = "plain"
    """How they can be opened afterwards."""
    after: int = 100_000
    times: int = -1
    growing: bool = False
    pattern: str = RAW
    images_per_file: int = 0


FAULTS = [
    Fault("two writes", errno.EIO, Call.WRITE, times=2),
    Fault("a broken disk", errno.EIO, Call.WRITE | Call.TRUNCATE, how="swmr"),
    Fault("quota", errno.EDQUOT, Call.WRITE | Call.TRUNCATE, growing=True),
    Fault("mounted read-only on the way", errno.EROFS, Call.WRITE | Call.TRUNCATE, how="swmr"),
    Fault(
        "no right to make the second file",
        errno.EACCES,
        Call.OPEN,
        after=0,
        pattern="*/bad/run_000002.h5",
        images_per_file=100,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_storing_fails_in_mid_series(faults, push, worker, bad, tmp_path, fault):
    def arm():
        more = {"after": fault.after, "times": fault.times, "growing": fault.growing}
        faults.fail(fault.calls, fault.number, fault.pattern, **more)

    done = fail_in_mid_series(push, worker, bad, fault.number, arm, images_per_file=fault.images_per_file)
    assert done.counters.failed > 0
    found, ways = held(done)
    assert ways == {fault.how}
    assert found == {place: place % 251 for place in range(done.counters.stored)}
    assert all(old_hdf5_reads(raw.path) for raw in done.record.raw_files) or fault.how == "swmr"
    stored = read_columns(Path(done.record.meta_file))[Column.STORED]
    assert np.flatnonzero(stored).tolist() == sorted(found)
    next_is_whole(push, worker, tmp_path)


def test_a_write_that_fails_once_is_done_again(faults, push, worker, bad):
    worker.capture(bad, num_capture=IMAGES)
    push.start(1, IMAGES)
    push.images(1, range(100))
    worker.until(lambda status: status.captured == 100)
    faults.fail(Call.WRITE, errno.EIO, RAW, after=100_000, times=1)
    push.images(1, range(100, IMAGES))
    push.end(1)
    done = worker.done()
    assert faults.failed == 1
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == [(1, frame % 251) for frame in range(IMAGES)]


@pytest.mark.parametrize("times", [1, -1], ids=["once", "for ever"])
def test_the_meta_file_cannot_be_written(faults, push, worker, bad, tmp_path, times):
    def arm():
        faults.fail(Call.WRITE | Call.TRUNCATE, errno.EIO, META, times=times)

    done = fail_in_mid_series(push, worker, bad, errno.EIO, arm)
    found, ways = held(done)
    assert ways == {"plain"}
    assert found == {place: place % 251 for place in range(done.counters.stored)}
    if times == 1:
        stored = read_columns(Path(done.record.meta_file))[Column.STORED]
        assert np.flatnonzero(stored).tolist() == sorted(found)
    next_is_whole(push, worker, tmp_path)


@pytest.mark.parametrize("pattern", [RAW, META])
def test_the_files_cannot_be_closed(faults, push, worker, bad, tmp_path, pattern):
    """HDF5 neither ends the process nor keeps the file."""
    worker.capture(bad, num_capture=IMAGES, images_per_file=0, flush_interval=0.05)
    push.start(1, IMAGES)
    push.images(1, range(IMAGES - 1))
    worker.until(lambda status: status.captured == IMAGES - 1)
    faults.fail(Call.WRITE | Call.TRUNCATE, errno.EIO, pattern)
    worker.send(control.Stop(capture="c1", drain=False))
    assert worker.wait(control.Failed).errno == errno.EIO
    done = worker.done()
    assert done.outcome is Outcome.INCOMPLETE
    check_sums(done.counters)
    assert done.counters.stored == IMAGES - 1
    found, _ = held(done)
    assert found == {place: place % 251 for place in range(IMAGES - 1)}
    next_is_whole(push, worker, tmp_path)


def test_read_only_to_begin_with(push, worker, bad, tmp_path):
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,ro", "tmpfs", str(bad)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {done.stderr.strip()}")
    try:
        worker.send(control.Capture(capture="c1", directory=str(bad), stem="run", detector="EIG1"))
        failed = worker.wait(control.Failed)
        assert failed.errno == errno.EROFS
        assert "read-only" in failed.message
        assert worker.done().outcome is Outcome.INCOMPLETE
        next_is_whole(push, worker, tmp_path)
    finally:
        subprocess.run(["umount", "-l", str(bad)], check=True)


# ---------------------------------------------------------------- fsync


def kept(durability, interval=0.05):
    return Keeping(durability=durability, fsync_interval=interval)


def test_a_late_error_says_how_many_frames_are_safe(faults, push, worker, bad, tmp_path):
    faults.count(RAW)
    worker.capture(bad, num_capture=IMAGES, keeping=kept(Durability.INTERVAL))
    push.start(1, IMAGES)
    push.images(1, range(100))
    worker.until(lambda status: status.captured == 100 and faults.synced > 1)
    faults.fail(Call.SYNC, errno.EIO, RAW, times=1)
    push.images(1, range(100, 200))
    failed = worker.wait(control.Failed)
    assert failed.errno == errno.EIO
    assert "at fsync" in failed.message
    assert "frames are safe on the disk" in failed.message
    push.images(1, range(200, IMAGES))
    worker.send(control.Aborted())
    push.end(1)
    done = worker.done()
    assert done.outcome is Outcome.INCOMPLETE
    check_sums(done.counters)
    assert done.counters.received == IMAGES
    assert tags(done) == [(1, frame % 251) for frame in range(done.counters.stored)]
    next_is_whole(push, worker, tmp_path)


@pytest.mark.parametrize(
    "durability", [Durability.AT_CLOSE, pytest.param(Durability.INTERVAL, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("pattern", [RAW, META])
def test_an_error_at_the_last_fsync_makes_the_capture_incomplete(
    faults, push, worker, bad, tmp_path, durability, pattern
):
    worker.capture(bad, num_capture=30, images_per_file=10, keeping=kept(durability, 3600.0))
    push.start(1, 30)
    push.images(1, range(30 - 1))
    worker.until(lambda status: status.captured == 30 - 1)
    faults.fail(Call.SYNC, errno.EIO, pattern.replace("run_0*", "run_000003"))
    push.image(1, 30 - 1)
    push.end(1)
    failed, done = worker.wait(control.Failed), worker.done()
    assert failed.errno == errno.EIO
    assert "at fsync" in failed.message
    assert done.outcome is Outcome.INCOMPLETE
    assert "EIO" in done.reason
    check_sums(done.counters)
    assert tags(done) == [(1, frame) for frame in range(30)]
    next_is_whole(push, worker, tmp_path)


def test_a_capture_ends_when_its_files_are_on_the_disk(faults, push, worker, bad, tmp_path):
    faults.stall(Call.SYNC, "*/bad/*")
    worker.capture(bad, num_capture=30, images_per_file=10, keeping=kept(Durability.AT_CLOSE))
    push.series(1, 30)
    waiting = worker.until(
        lambda status: status.state is control.WorkerState.DRAINING and faults.waiting == 1
    )
    assert waiting.counters.stored == 30
    worker.until(lambda status: status.cpu > waiting.cpu)  # it goes on telling how things stand
    assert not worker.of(control.Done)
    faults.resume()
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    assert faults.synced >= 4  # three raw files and the meta file
    assert tags(done) == [(1, frame) for frame in range(30)]
    next_is_whole(push, worker, tmp_path)


def test_a_worker_that_is_ended_does_not_wait_for_the_disk(faults, push, worker, bad):
    faults.stall(Call.SYNC, RAW)
    worker.capture(bad, num_capture=30, keeping=kept(Durability.AT_CLOSE))
    push.series(1, 30)
    worker.until(lambda status: status.state is control.WorkerState.DRAINING and faults.waiting == 1)
    worker.process.terminate()
    done = worker.wait_left()
    faults.resume()
    assert worker.process.wait(5) == 0
    assert done.outcome is Outcome.INCOMPLETE
    assert "ETIMEDOUT" in done.reason
    assert tags(done) == [(1, frame) for frame in range(30)]


def test_nothing_is_synced_unless_asked(faults, push, worker, bad):
    faults.count("*/bad/*")
    worker.capture(bad, num_capture=30)
    push.series(1, 30)
    assert worker.done().outcome is Outcome.COMPLETE
    assert faults.written > 0
    assert faults.synced == 0


# ---------------------------------------------------------------- a disk that stands still


def resident(pid):
    """Bytes of a process in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_while_the_disk_stands_still_memory_is_bounded_and_the_sender_waits(faults, bad, tmp_path):
    shape, images, queue = (500, 500), 160, 20
    size = shape[0] * shape[1] * 2
    push = Push(codec=Codec.NONE, shape=shape, queue=5)
    worker = Worker(push.endpoint, environment=faults.environment, options=("--queue", str(queue)))
    sent = threading.Semaphore(0)

    def send():
        push.start(1, images)
        for frame in range(images):
            push.image(1, frame)
            sent.release()
        push.end(1)

    try:
        worker.capture(bad, num_capture=images)
        faults.stall(Call.WRITE, RAW, after=10 * size)
        before = resident(worker.process.pid)
        sender = threading.Thread(target=send)
        push.socket.set(zmq.SNDTIMEO, 60_000)
        sender.start()
        taken = 0
        while sent.acquire(timeout=2.0):  # until the sender has stood still for a while
            taken += 1
        assert faults.waiting == 1
        assert taken < images
        # What may wait, what the kernel and both ends' sockets hold, and what Python needs besides.
        assert resident(worker.process.pid) - before < (queue + 20) * size + 30_000_000
        faults.resume()
        sender.join(30)
        done = worker.done()
        assert done.outcome is Outcome.COMPLETE
        assert done.counters.stored == done.counters.received == images
        assert tags(done) == [(1, frame) for frame in range(images)]
    finally:
        faults.resume()
        worker.close()
        push.close()
