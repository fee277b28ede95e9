"""Storers killed and stopped at random while frames come: whatever happens, sums and files agree."""

import os
import random
import signal

import pytest

from layouts.capture import Outcome
from tests.kit.masters import children, command
from tests.kit.push import settle
from tests.kit.stripes import tags
from tests.kit.worker import Worker, check_sums
from writer import control

pytestmark = [pytest.mark.system, pytest.mark.slow, pytest.mark.timeout(500)]


@pytest.fixture
def fan(push):
    running = Worker(push.endpoint, options=("--workers", "3", "--credits", "20000"))
    yield running
    running.close()


def storers(fan):
    return [pid for pid in children(fan.process.pid) if b"writer.storer" in command(pid).split(b"\0")]


def wreak(fan, kind):
    pids = storers(fan)
    if kind == "nothing" or not pids:
        return None
    pid = random.choice(pids)
    os.kill(pid, signal.SIGKILL if kind == "kill" else signal.SIGSTOP)
    return pid if kind == "stop" else None


def ended(fan):
    """How many series are over."""
    fan.pump(0.05)
    return len(fan.of(control.SeriesEnded))


@pytest.mark.parametrize("seed", range(12))
def test_sums_and_files_agree_whatever_becomes_of_storers(fan, push, tmp_path, seed):
    random.seed(seed)
    kind = random.choice(["kill", "kill", "stop", "nothing"])
    series = [random.randint(1, 40) for _ in range(random.randint(1, 6))]
    fan.until(lambda status: all(each.alive for each in status.storers))
    fan.capture(
        tmp_path,
        num_capture=random.choice([0, sum(series)]),
        images_per_file=random.choice([0, 3, 10]),
        frames_per_block=random.randint(1, 5),
    )
    fatal, sent, stopped = random.randrange(sum(series)), 0, None
    for number, images in enumerate(series, start=1):
        push.start(number, images)
        for frame in range(images):
            if sent == fatal:
                stopped = wreak(fan, kind)
            push.images(number, [frame] * random.choice([1, 1, 1, 2]))
            sent += 1
        push.end(number)
    if stopped is not None:
        os.kill(stopped, signal.SIGCONT)
    assert settle(lambda: ended(fan) == len(series), 60)
    fan.send(control.Stop(capture="c1"))
    (done,) = fan.of(control.Done) or [fan.done()]
    check_sums(done.counters)
    record = done.record
    assert record.rows == done.counters.expected == sum(series)
    expected = [(number, frame) for number, images in enumerate(series, start=1) for frame in range(images)]
    missing = set(record.missing)
    assert tags(done) == [None if place in missing else expected[place] for place in range(record.rows)]
    assert len(missing) == done.counters.missing
    if kind != "kill":
        assert done.outcome is Outcome.COMPLETE, done.reason
    if missing:
        assert "storer" in done.reason
