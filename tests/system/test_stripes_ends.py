"""What becomes of a fan and its storers when one of them dies, stands still, or has a disk that is full."""

import errno
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from layouts.capture import Outcome
from layouts.raw.names import Column, meta_file
from layouts.stream.messages import Codec
from tests.kit.masters import children, command
from tests.kit.push import Push, settle
from tests.kit.simulated import gone
from tests.kit.stripes import mapping_of, tags
from tests.kit.worker import ROOT, Worker, check_sums
from tests.system.test_worker_disk_full import mounted
from writer import control
from writer.meta_h5 import read_columns

pytestmark = pytest.mark.system


@pytest.fixture
def fan(push):
    running = Worker(push.endpoint, options=("--workers", "2", "--credits", "200000"))
    running.until(lambda status: all(each.alive for each in status.storers))
    yield running
    running.close()


def storers(fan):
    """Processes, by rank."""
    found = {}
    for pid in children(fan.process.pid):
        line = command(pid).split(b"\0")
        if b"writer.storer" in line:
            found[int(line[line.index(b"--rank") + 1])] = pid
    return found


def whole(series, images):
    return [(series, frame) for frame in range(images)]


def test_a_storer_that_is_killed_loses_nothing_that_readers_could_see(fan, push, tmp_path):
    fan.capture(tmp_path, num_capture=60, images_per_file=0)
    push.start(1, 60)
    push.images(1, range(20))
    fan.until(lambda status: status.captured == 20)
    os.kill(storers(fan)[1], signal.SIGKILL)
    fan.until(lambda status: "SIGKILL: frames of its stripe are not stored" in status.message)
    push.images(1, range(20, 60))
    push.end(1)
    done = fan.done()
    assert done.outcome is Outcome.INCOMPLETE
    assert "storer 1" in done.reason
    assert "SIGKILL" in done.reason
    check_sums(done.counters)
    assert done.counters.received == 60
    assert done.counters.failed == 20
    lost = [place for place in range(20, 60) if place % 2]
    assert list(done.record.missing) == lost
    assert tags(done) == [None if place in lost else (1, place) for place in range(60)]
    columns = read_columns(tmp_path / "run_meta.h5")
    assert np.flatnonzero(columns[Column.STORED] == 0).tolist() == lost
    # the next one waits for another storer, and is whole
    fan.capture(tmp_path, capture="c2", stem="next", num_capture=9)
    push.series(2, 9)
    assert tags(fan.done()) == whole(2, 9)


def test_frames_in_flight_to_a_storer_that_is_killed_are_counted_as_failed(fan, push, tmp_path):
    fan.capture(tmp_path, num_capture=40)
    push.start(1, 40)
    push.images(1, range(10))
    fan.until(lambda status: status.captured == 10)
    stopped = storers(fan)[0]
    os.kill(stopped, signal.SIGSTOP)
    push.images(1, range(10, 16))
    fan.until(lambda status: status.storers[0].queue > 0)
    os.kill(stopped, signal.SIGKILL)
    push.images(1, range(16, 40))
    push.end(1)
    done = fan.done()
    check_sums(done.counters)
    assert done.counters.failed == 15
    assert list(done.record.missing) == list(range(10, 40, 2))
    assert tags(done) == [None if n in done.record.missing else (1, n) for n in range(40)]


def test_a_storer_that_stands_still_holds_the_detector_back_and_nothing_is_lost(fan, push, tmp_path):
    push.codec = Codec.NONE
    push.shape = (200, 300)
    images = 30  # of 120 kB each, of which 100 kB may be on their way to each storer
    fan.capture(tmp_path, num_capture=images)
    push.start(1, images)
    push.images(1, range(2))
    fan.until(lambda status: status.captured == 2)
    stopped = storers(fan)[1]
    os.kill(stopped, signal.SIGSTOP)
    push.images(1, range(2, images))
    status = fan.until(lambda status: "storer 1 has said nothing" in status.message)
    assert status.counters.received < images
    assert status.storers[1].queue > 0
    os.kill(stopped, signal.SIGCONT)
    done = fan.done()
    assert done.outcome is Outcome.COMPLETE, done.reason
    assert done.counters.stored == done.counters.received == images
    assert tags(done) == whole(1, images)


def test_a_full_disk_keeps_what_was_stored_and_counts_the_rest(push, tmp_path):
    place = tmp_path / "small"
    mounted(place, "5m")
    push.codec, push.shape, images = Codec.NONE, (200, 300), 60
    fan = Worker(push.endpoint, options=("--workers", "2"))
    try:
        fan.capture(place, num_capture=images)
        push.start(1, images)
        push.images(1, range(images))
        failed = fan.wait(control.Failed)
        assert failed.errno == errno.ENOSPC
        # Whichever has come too late for the last block.
        by_storer = "(storer " in failed.message
        assert by_storer or meta_file("run") in failed.message
        fan.send(control.Aborted())
        push.end(1)
        done = fan.done()
        assert done.outcome is Outcome.INCOMPLETE
        check_sums(done.counters)
        assert done.counters.received == images
        assert done.counters.failed > 0
        assert done.counters.stored > 0 or not by_storer
        assert tags(done) == [None if n in done.record.missing else (1, n) for n in range(done.record.rows)]
        fan.capture(tmp_path, capture="c2", stem="next", num_capture=5)
        push.series(2, 5)
        assert tags(fan.done()) == whole(2, 5)
    finally:
        fan.close()
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_name_that_is_taken_is_refused_and_nothing_is_left(fan, push, tmp_path):
    (tmp_path / "run_000002.h5").write_bytes(b"somebody's")
    order = control.Capture(
        capture="c1", directory=str(tmp_path), stem="run", detector="EIG1", shape=(24, 36), dtype="uint16"
    )
    fan.send(order)
    failed = fan.wait(control.Failed)
    assert failed.errno == errno.EEXIST
    assert fan.done().outcome is Outcome.INCOMPLETE
    assert [path.name for path in tmp_path.iterdir()] == ["run_000002.h5"]
    assert (tmp_path / "run_000002.h5").read_bytes() == b"somebody's"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_runs_on_when_the_fan_has_ended(fan, push, tmp_path, how):
    fan.capture(tmp_path, num_capture=100)
    push.start(1, 100)
    push.images(1, range(30))
    fan.until(lambda status: status.captured == 30)
    push.images(1, range(30, 33))
    below = list(storers(fan).values())
    fan.process.send_signal(how)
    assert gone([fan.process.pid, *below], 2.0)
    if how is signal.SIGTERM:
        done = fan.wait_left()
        check_sums(done.counters)
        assert done.counters.stored >= 30
        assert tags(done) == whole(1, done.record.rows)


def test_a_fan_ends_in_time_though_a_storer_stands_still(fan, push, tmp_path):
    fan.capture(tmp_path, num_capture=100)
    push.start(1, 100)
    push.images(1, range(30))
    fan.until(lambda status: status.captured == 30)
    below = storers(fan)
    os.kill(below[0], signal.SIGSTOP)
    push.images(1, range(30, 40))
    fan.until(lambda status: status.storers[0].queue > 0)
    fan.process.send_signal(signal.SIGTERM)
    assert gone([fan.process.pid, *below.values()], 2.0)
    done = fan.wait_left()
    check_sums(done.counters)
    assert done.counters.failed == 5
    assert "storer 0" in done.reason


def test_storers_that_others_start_are_found_again_by_the_next_fan(push, tmp_path):
    free = Push(2)
    endpoint = free.endpoint
    free.close()
    options = ("--workers", "2", "--storers", endpoint)
    fan = Worker(push.endpoint, options=options)
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "writer.storer", "--fan", endpoint, "--rank", str(rank)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    try:
        fan.capture(tmp_path, num_capture=6)
        push.series(1, 6)
        assert tags(fan.done()) == whole(1, 6)
        fan.terminate()
        fan.close()
        assert [storer.poll() for storer in both] == [None, None]
        fan = Worker(push.endpoint, options=options)
        fan.capture(tmp_path, stem="again", num_capture=6)
        push.series(2, 6)
        done = fan.done()
        assert tags(done) == whole(2, 6)
        assert mapping_of(done).workers == 2
        for storer in both:
            storer.stdin.close()
        assert settle(lambda: all(storer.poll() == 0 for storer in both), 5.0)
    finally:
        fan.close()
        for storer in both:
            storer.kill()
            storer.wait()


@pytest.mark.slow
def test_a_storer_that_stands_still_for_too_long_is_held_for_dead(fan, push, tmp_path):
    fan.capture(tmp_path, num_capture=40)
    push.start(1, 40)
    push.images(1, range(10))
    fan.until(lambda status: status.captured == 10)
    os.kill(storers(fan)[1], signal.SIGSTOP)
    push.images(1, range(10, 40))
    push.end(1)
    done = fan.done(40)
    check_sums(done.counters)
    assert "storer 1" in done.reason
    assert "said nothing for 20 s" in done.reason
    assert list(done.record.missing) == list(range(11, 40, 2))
    assert tags(done) == [None if n in done.record.missing else (1, n) for n in range(40)]
    fan.capture(tmp_path, capture="c2", stem="next", num_capture=4)
    push.series(2, 4)
    assert tags(fan.done()) == whole(2, 4)
