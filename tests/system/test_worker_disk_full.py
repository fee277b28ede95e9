"""A disk that fills up: earlier frames readable, the reason told, frames counted, the worker alive."""

import errno
import os
import subprocess

import numpy as np
import pytest

from layouts.capture import Outcome
from layouts.stream.messages import Codec
from tests.kit.push import Push
from tests.kit.worker import Worker, check_sums, frames, tags
from writer import control
from writer.keeping import Keeping

pytestmark = pytest.mark.system


def mounted(place, size):
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {done.stderr.strip()}")


@pytest.fixture(params=["2m", "3m"])
def small_disk(request, tmp_path):
    place = tmp_path / "small"
    mounted(place, request.param)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("shape", [(200, 300), (24, 36)])
def test_disk_full(small_disk, tmp_path, shape):
    push = Push(codec=Codec.NONE, shape=shape)
    worker = Worker(push.endpoint)
    images = 4_000_000 // (shape[0] * shape[1] * 2)
    try:
        worker.capture(small_disk, num_capture=images, images_per_file=0)
        push.start(1, images)
        push.images(1, range(images))
        failed = worker.wait(control.Failed)
        assert failed.errno == errno.ENOSPC
        assert "ENOSPC" in failed.message
        worker.send(control.Aborted())
        push.end(1)
        done = worker.done()
        assert done.outcome is Outcome.INCOMPLETE
        assert "ENOSPC" in done.reason
        counters = done.counters
        check_sums(counters)
        assert counters.received == images
        assert counters.failed > 0
        assert done.record.rows == counters.stored > 0
        assert tags(done) == [(1, frame % 251) for frame in range(counters.stored)]
        assert not (frames(done) == np.iinfo(np.uint16).max).any()
        # the next one, elsewhere, is whole
        worker.capture(tmp_path, capture="c2", stem="next", num_capture=3)
        push.series(2, 3)
        assert tags(worker.done()) == [(2, frame) for frame in range(3)]
    finally:
        worker.close()
        push.close()


def test_a_floor_of_free_space_ends_the_storing_before_the_disk_is_full(tmp_path):
    place, floor, images = tmp_path / "small", 3_000_000, 100
    mounted(place, "8m")
    push = Push(codec=Codec.NONE, shape=(200, 300))
    worker = Worker(push.endpoint)
    try:
        worker.capture(place, num_capture=images, images_per_file=0, keeping=Keeping(floor=floor))
        push.start(1, images)
        for frame in range(images):
            push.image(1, frame)
            worker.until(lambda status, came=frame + 1: status.counters.received == came)
        (failed,) = worker.of(control.Failed)
        assert failed.errno == errno.ENOSPC
        assert "bytes are free" in failed.message
        assert str(floor) in failed.message
        worker.send(control.Aborted())
        push.end(1)
        done = worker.done()
        assert done.outcome is Outcome.INCOMPLETE
        check_sums(done.counters)
        assert done.counters.received == images
        assert done.counters.failed > 0
        assert tags(done) == [(1, frame) for frame in range(done.counters.stored)]
        found = os.statvfs(place)
        assert found.f_bavail * found.f_frsize > floor // 2
    finally:
        worker.close()
        push.close()
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_no_room_to_begin_with(tmp_path):
    place = tmp_path / "small"
    mounted(place, "512k")
    push = Push()
    worker = Worker(push.endpoint)
    try:
        order = control.Capture(capture="c1", directory=str(place), stem="run", detector="EIG1")
        worker.send(order)
        assert worker.wait(control.Failed).errno == errno.ENOSPC
        assert worker.done().outcome is Outcome.INCOMPLETE
        assert list(place.iterdir()) == []
        worker.capture(tmp_path, capture="c2", stem="next", num_capture=3)
        push.series(2, 3)
        assert tags(worker.done()) == [(2, frame) for frame in range(3)]
    finally:
        worker.close()
        push.close()
        subprocess.run(["umount", "-l", str(place)], check=True)
