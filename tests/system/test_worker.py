"""The worker's process, fed by a socket like a detector's."""

import json
import os
import signal
import time

import h5py
import pytest

from layouts.capture import Outcome
from layouts.raw.names import DATA, Column, Meta
from layouts.stream.messages import SENT, HeaderDetail
from tests.kit.push import Push
from tests.kit.worker import Worker, check_sums, tags
from writer import control
from writer.meta_h5 import read_array, read_columns

pytestmark = pytest.mark.system


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def push(request):
    source = Push(request.param)
    yield source
    source.close()


@pytest.fixture
def push2():
    source = Push(2)
    yield source
    source.close()


@pytest.fixture
def worker(request):
    name = "push" if "push" in request.fixturenames else "push2"
    running = Worker(request.getfixturevalue(name).endpoint)
    yield running
    running.close()


def whole(series, images):
    return [(series, frame) for frame in range(images)]


def test_all_in_order(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=25, images_per_file=10)
    push.series(3, 25)
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == whole(3, 25)
    assert [raw.rows for raw in done.record.raw_files] == [10, 10, 5]
    assert done.record.parameters.energy == 12700.0
    check_sums(done.counters)
    assert done.counters.stored == 25
    columns = read_columns(tmp_path / "run_meta.h5")
    assert columns[Column.FRAME].tolist() == list(range(25))
    assert set(columns[Column.SERIES].tolist()) == {3}
    step = 1_000_000 if push.version == 1 else 20_000_000
    assert columns[Column.START_TIME].tolist() == [step * frame for frame in range(25)]
    assert (columns[Column.ARRIVAL] > 1_700_000_000_000_000_000).all()
    mask = read_array(tmp_path / "run_meta.h5", Meta.MASKS, done.record.pixel_mask)
    assert mask.shape == (24, 36)
    kinds = [type(event).__name__ for event in worker.events]
    assert kinds.index("Opened") < kinds.index("Started") < kinds.index("SeriesEnded") < kinds.index("Done")


@pytest.mark.parametrize("codec", SENT)
def test_every_codec(worker, push, tmp_path, codec):
    push.codec = codec
    worker.capture(tmp_path, num_capture=3)
    push.series(1, 3)
    assert tags(worker.done()) == whole(1, 3)


def test_the_named_file_opens_at_once(push, worker, tmp_path):
    name = tmp_path / "full name.h5"
    opened = worker.capture(
        tmp_path, num_capture=4, shape=(24, 36), dtype="uint16", single_file_name=str(name)
    )
    assert opened.files == (str(name),)
    with h5py.File(name, "r", swmr=True) as file:
        assert file[DATA].shape == (4, 24, 36)
    push.series(1, 4)
    done = worker.done()
    assert done.record.raw_files[0].path == str(name)
    assert tags(done) == whole(1, 4)


def test_the_named_file_is_made_anew_for_another_type(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=2, shape=(10, 10), dtype="uint8")
    push.dtype = "uint32"
    push.series(1, 2)
    done = worker.done()
    assert (done.record.shape, done.record.dtype) == ((24, 36), "uint32")
    assert tags(done) == whole(1, 2)


def test_lost_and_repeated_and_stray_frames(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=10)
    push.start(5, 10)
    push.images(5, [0, 1, 1, 4, 3])
    push.images(99, [0, 1])
    push.image(5, 6, dtype="uint32")
    push.image(5, 7, shape=(12, 12))
    push.images(5, [9, 0])
    push.end(5)
    done = worker.done()
    assert done.outcome is Outcome.INCOMPLETE
    assert "6 of 10" not in done.reason
    assert "5 of 10 frames" in done.reason
    assert done.record.missing == (2, 5, 6, 7, 8)
    assert tags(done) == [(5, n) if n in (0, 1, 3, 4, 9) else None for n in range(10)]
    counters = done.counters
    check_sums(counters)
    assert (counters.stored, counters.duplicate, counters.foreign, counters.missing) == (5, 2, 4, 5)


def test_two_series_in_one_capture(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=9)
    push.series(1, 4)
    push.series(2, 5)
    done = worker.done()
    assert tags(done) == whole(1, 4) + whole(2, 5)
    assert [(each.row, each.rows) for each in done.record.series] == [(0, 4), (4, 5)]
    assert len(worker.of(control.SeriesEnded)) == 2


def test_twenty_series_of_three_frames_without_limit(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=0)
    for series in range(1, 21):
        push.series(series, 3)
    worker.until(lambda status: status.captured == 60)
    worker.send(control.Stop(capture="c1"))
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == [tag for series in range(1, 21) for tag in whole(series, 3)]
    with h5py.File(tmp_path / "run_meta.h5") as file:
        assert len(file[Meta.HEADERS]) == 20
        assert len(file[Meta.MASKS]) == 1
        header = json.loads(bytes(file[f"{Meta.HEADERS}/000019"][0]))
    assert header["series"] == 20


def test_an_abort_gives_back_and_the_next_capture_is_clean(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=100)
    push.start(1, 100)
    push.images(1, range(7))
    worker.until(lambda status: status.captured == 7)
    worker.send(control.Aborted(series=1))
    push.end(1)
    worker.wait(control.SeriesEnded)
    worker.send(control.Stop(capture="c1", drain=False))
    done = worker.done()
    assert done.outcome is Outcome.ABORTED
    assert (done.record.rows, done.record.missing) == (7, ())
    worker.capture(tmp_path, capture="c2", stem="second", num_capture=5)
    push.images(1, [7, 8])
    push.series(2, 5)
    second = worker.done()
    assert second.outcome is Outcome.COMPLETE
    assert tags(second) == whole(2, 5)
    assert second.counters.foreign == 2
    check_sums(second.counters)


def test_a_stall_ends_a_series_but_not_a_wait_for_a_trigger(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=6, images_per_trigger=3, stall_timeout=0.3)
    push.start(1, 6, images_per_trigger=3, triggers=2)
    push.images(1, [0, 1, 2])
    worker.until(lambda status: status.captured == 3)
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        worker.pump(0.1)
    assert worker.status.state is control.WorkerState.WRITING
    push.image(1, 3)
    done = worker.done()
    assert done.outcome is Outcome.INCOMPLETE
    assert "no frame came for" in done.reason
    assert done.record.missing == (4, 5)


def test_the_end_overtakes_frames(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=5, grace=5.0)
    push.start(1, 5)
    push.images(1, [0, 1])
    push.end(1)
    push.images(1, [3, 2, 4])
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == whole(1, 5)


@pytest.mark.parametrize("detail", [HeaderDetail.NONE, HeaderDetail.BASIC])
def test_little_headers(push, worker, tmp_path, detail):
    worker.capture(tmp_path, images=4)
    push.start(1, 4, detail=detail)
    push.images(1, range(4))
    worker.until(lambda status: status.captured == 4)
    worker.send(control.Stop(capture="c1"))
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    assert done.record.pixel_mask is None


def test_capture_in_mid_series(push, worker, tmp_path):
    push.start(1, 10)
    push.images(1, range(4))
    worker.until(lambda status: status.totals.unwanted == 4)
    worker.capture(tmp_path)
    push.images(1, range(4, 10))
    worker.until(lambda status: status.captured == 6)
    worker.send(control.Stop(capture="c1"))
    done = worker.done()
    assert done.record.series[0].first == 4
    assert tags(done) == whole(1, 10)[4:]


def test_what_cannot_be_understood_is_counted(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=3)
    push.start(1, 3)
    push.image(1, 0)
    for parts in (
        [b""],
        [b"{"],
        [b"nonsense"],
        [b"\xd9\xd9\xf7\xa1dtypeeimage"],
        [b'{"htype":"dimage-1.0","series":1,"frame":1}'],
        push.image_parts(1, 1)[:1] + [b"x"] * 9,
        [bytes(push.image_parts(1, 1)[0])[:60]],
    ):
        push.send(parts)
    push.images(1, [1, 2])
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    # version 2 takes a whole message with strange parts behind it for what it says it is
    assert done.counters.failed >= 6 - (push.version == 2)
    check_sums(done.counters)
    assert tags(done) == whole(1, 3)


def test_refused_where_files_are(push2, worker, tmp_path):
    (tmp_path / "run_meta.h5").write_text("mine")
    worker.send(
        control.Capture(capture="c1", directory=str(tmp_path), stem="run", detector="EIG1", num_capture=1)
    )
    failed = worker.wait(control.Failed)
    assert "never overwritten" in failed.message
    assert worker.done().outcome is Outcome.INCOMPLETE
    worker.capture(tmp_path, capture="c2", stem="other", num_capture=2)
    push2.series(1, 2)
    assert tags(worker.done()) == whole(1, 2)


def test_sigterm_closes_files(push2, worker, tmp_path):
    worker.capture(tmp_path, num_capture=50)
    push2.start(1, 50)
    push2.images(1, range(20))
    worker.until(lambda status: status.counters.stored == 20)
    assert worker.terminate() == 0
    done = worker.wait_left()
    assert done.record.rows == 20
    assert tags(done) == whole(1, 20)


@pytest.mark.parametrize("way", ["stdin", "shutdown"])
def test_ends_with_who_started_it(push2, worker, way):
    if way == "stdin":
        worker.process.stdin.close()
    else:
        worker.send(control.Shutdown())
    assert worker.process.wait(5) == 0


def test_kill_leaves_what_was_flushed(push2, worker, tmp_path):
    worker.capture(tmp_path, num_capture=500)
    push2.start(1, 500)
    push2.images(1, range(200))
    status = worker.until(lambda status: status.captured >= 100)
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait(5)
    with (
        h5py.File(tmp_path / "run_000001.h5", "r", swmr=True) as raw,
        h5py.File(tmp_path / "run_meta.h5", "r", swmr=True) as meta,
    ):
        stored = meta[f"{Meta.COLUMNS}/{Column.STORED}"][()]
        assert int(stored.sum()) >= status.captured
        for place in range(500):
            if stored[place]:
                assert raw[DATA][place, 0, 1] == place % 251


def test_a_coordinator_that_does_not_know_it_is_told(push2, worker):
    worker.send(control.Identify())
    assert worker.wait(control.Hello).pid == worker.process.pid
