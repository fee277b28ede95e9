"""Several storers behind the fan of one detector: real processes, fed by a socket like a detector's."""

from pathlib import Path

import h5py
import pytest

from layouts.beamline_storage import Durability
from layouts.capture import Outcome
from layouts.raw.checksums import COLUMN, Checksum, digest_of
from layouts.raw.mapping import Location
from layouts.raw.names import DATA, Column, Meta, Stripe
from tests.kit.push import Push
from tests.kit.stripes import file_of, mapping_of, tags
from tests.kit.worker import Worker, check_sums
from writer import control
from writer.keeping import Keeping
from writer.meta_h5 import read_columns

pytestmark = pytest.mark.system


@pytest.fixture(params=[1, 2], ids=["v1", "v2"], scope="module")
def push(request):
    source = Push(request.param)
    yield source
    source.close()


@pytest.fixture(params=[2, 3], ids=["two", "three"], scope="module")
def fan(request, push):
    running = Worker(push.endpoint, options=("--workers", str(request.param)))
    yield running
    running.close()


@pytest.fixture
def workers(fan):
    """How many there are; nothing is left of what the fan has told before."""
    fan.events.clear()
    return len(fan.status.storers)


def whole(series, images):
    return [(series, frame) for frame in range(images)]


@pytest.mark.parametrize(("block", "per_file"), [(1, 0), (4, 10), (7, 5)])
def test_frames_are_dealt_in_blocks_and_found_again(fan, push, tmp_path, workers, block, per_file):
    fan.capture(tmp_path, num_capture=65, images_per_file=per_file, frames_per_block=block)
    push.series(3, 65)
    done = fan.done()
    assert done.outcome is Outcome.COMPLETE
    check_sums(done.counters)
    assert done.counters.stored == done.counters.received == 65
    assert tags(done) == whole(3, 65)
    record = done.record
    assert (record.workers, record.frames_per_block, record.images_per_file) == (workers, block, per_file)
    mapping = mapping_of(done)
    for rank in range(workers):
        assert tuple(r.rows for r in record.raw_files if r.worker == rank) == mapping.files(rank, 65)
    for raw in record.raw_files:
        with h5py.File(raw.path, "r") as file:
            said = dict(file[DATA].attrs)
        assert (said[Stripe.RANK], said[Stripe.WORKERS]) == (raw.worker, workers)
        number = file_of(raw, mapping)
        assert said["image_nr_low"] == mapping.place(Location(raw.worker, number, 0)) + 1
        assert said["image_nr_high"] == mapping.place(Location(raw.worker, number, raw.rows - 1)) + 1
    columns = read_columns(tmp_path / "run_meta.h5")
    assert columns[Column.FRAME].tolist() == list(range(65))
    assert columns[Column.STORED].all()
    with h5py.File(tmp_path / "run_meta.h5") as file:
        said = dict(file[Meta.COLUMNS].attrs)
    rule = (said[Stripe.WORKERS], said[Stripe.FRAMES_PER_BLOCK], said[Stripe.IMAGES_PER_FILE])
    assert rule == (workers, block, per_file)
    added = fan.of(control.FileAdded)
    assert {each.path: each.worker for each in added} == {r.path: r.worker for r in record.raw_files}


def test_many_series_of_one_frame(fan, push, tmp_path, workers):
    fan.capture(tmp_path, num_capture=40)
    for series in range(1, 41):
        push.series(series, 1)
    done = fan.done()
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == [(series, 0) for series in range(1, 41)]
    assert [report.rows for report in done.record.series] == [1] * 40
    check_sums(done.counters)
    assert len(fan.of(control.SeriesEnded)) == 40


def test_duplicates_holes_and_frames_out_of_order(fan, push, tmp_path, workers):
    fan.capture(tmp_path, num_capture=8)
    push.start(1, 8)
    push.images(1, [0, 2, 1, 1, 4, 6, 5, 0])
    push.end(1)
    done = fan.done()
    assert done.outcome is Outcome.INCOMPLETE
    assert done.record.missing == (3, 7)
    assert done.counters.duplicate == 2
    check_sums(done.counters)
    assert tags(done) == [(1, n) if n not in (3, 7) else None for n in range(8)]


def test_aborted_in_the_middle(fan, push, tmp_path, workers):
    fan.capture(tmp_path, num_capture=100)
    push.start(1, 100)
    push.images(1, range(37))
    fan.until(lambda status: status.counters.stored == 37)
    fan.send(control.Aborted(series=1))
    ended = fan.wait(control.SeriesEnded)
    assert ended.report.outcome is Outcome.ABORTED
    assert ended.report.rows == 37
    fan.send(control.Stop(capture="c1"))
    done = fan.done()
    check_sums(done.counters)
    assert tags(done) == whole(1, 37)


def test_checksums_fsync_and_temporary_names_are_the_storers_work_too(fan, push, tmp_path, workers):
    keeping = Keeping(durability=Durability.AT_CLOSE, checksum=Checksum.XXH3, mode="0640")
    fan.capture(tmp_path, num_capture=17, images_per_file=3, temp_suffix=".part", keeping=keeping)
    push.start(1, 17)
    push.images(1, range(5))
    fan.until(lambda status: status.captured == 5)
    assert all(path.suffix == ".part" for path in tmp_path.glob("run_0*"))
    push.images(1, range(5, 17))
    push.end(1)
    done = fan.done()
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == whole(1, 17)
    assert not list(tmp_path.glob("*.part"))
    mapping = mapping_of(done)
    with h5py.File(tmp_path / "run_meta.h5") as file:
        sums = file[f"{Meta.COLUMNS}/{COLUMN}"][()]
    digest = digest_of(Checksum.XXH3)
    for raw in done.record.raw_files:
        assert Path(raw.path).stat().st_mode & 0o777 == 0o640
        with h5py.File(raw.path) as file:
            for row in range(raw.rows):
                _, chunk = file[DATA].id.read_direct_chunk((row, 0, 0))
                place = mapping.place(Location(raw.worker, file_of(raw, mapping), row))
                assert sums[place] == digest(chunk)
