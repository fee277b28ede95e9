"""Frames that come without compression, packed by the worker: pixels, sizes, sums and ends are right."""

import errno
import os
import shutil
import subprocess

import h5py
import numpy as np
import pytest

from layouts.beamline_pack import Pack
from layouts.capture import Outcome
from layouts.filters_h5 import FOLDER
from layouts.nexus.check_h5 import check
from layouts.raw import checksums
from layouts.raw.names import DATA, Column, Meta
from layouts.stream.codecs import codec_of
from layouts.stream.messages import Codec
from tests.kit.masters import frames_of, run
from tests.kit.push import Push, pixels
from tests.kit.worker import Worker, check_sums, frames, tags
from writer import control
from writer.keeping import Keeping

pytestmark = pytest.mark.system

PACKS = (Pack.BSLZ4, Pack.BSZSTD)


@pytest.fixture
def rig():
    made = []

    def make(**changes):
        push = Push(**({"codec": Codec.NONE} | changes))
        worker = Worker(push.endpoint)
        made.extend((worker, push))
        return push, worker

    yield make
    for each in made:
        each.close()


def packs(pack=Pack.BSLZ4, **changes):
    return Keeping(pack=pack, **changes)


def filter_of(path):
    with h5py.File(path, swmr=True) as file:
        plist = file[DATA].id.get_create_plist()
        if not plist.get_nfilters():
            return Codec.NONE
        number, _, options, _ = plist.get_filter(0)
        return codec_of(number, options)


def columns(done):
    with h5py.File(done.record.meta_file) as file:
        return {name: data[()] for name, data in file[Meta.COLUMNS].items()}


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_every_pixel_comes_back_and_sizes_and_checksums_are_of_what_is_stored(rig, tmp_path, dtype, pack):
    push, worker = rig(dtype=dtype)
    keeping = packs(pack, checksum=checksums.Checksum.XXH3)
    worker.capture(tmp_path, num_capture=25, images_per_file=10, codec=Codec.NONE, keeping=keeping)
    push.series(1, 25)
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    check_sums(done.counters)
    assert done.counters.stored == 25
    expected = np.stack([pixels(1, frame, dtype) for frame in range(25)])
    np.testing.assert_array_equal(frames(done), expected)
    assert done.record.codec == Codec(pack)
    assert {event.codec for event in worker.of(control.FileAdded)} == {Codec(pack)}
    assert {filter_of(raw.path) for raw in done.record.raw_files} == {Codec(pack)}
    known = columns(done)
    digest = checksums.digest_of(checksums.Checksum.XXH3)
    place = 0
    for raw in done.record.raw_files:
        with h5py.File(raw.path) as file:
            for row in range(raw.rows):
                _, chunk = file[DATA].id.read_direct_chunk((row, 0, 0))
                assert len(chunk) == known[Column.SIZE][place] < expected[0].nbytes
                assert digest(chunk) == known[checksums.COLUMN][place]
                place += 1
    assert done.counters.bytes == known[Column.SIZE].sum()
    assert known[Column.STORED].all()


@pytest.mark.parametrize("pack", PACKS)
def test_a_master_of_frames_that_the_beamline_file_has_packed(tmp_path, pack):
    async def work(rig):
        rig.cameras["EIG1"].push.codec = Codec.NONE
        return await rig.acquire(images=10)

    packed = {"pack": pack.value, "pack_threads": 3}
    assert run(work, tmp_path, images_per_file=4, checksum="xxh3", main=packed) == "complete"
    master = tmp_path / "data" / "run.nxs"
    assert frames_of(master) == [(1, frame) for frame in range(10)]
    with h5py.File(master) as file:
        np.testing.assert_array_equal(file["entry/data/data"][9], pixels(1, 9))
    assert filter_of(master.parent / "run_EIG1_000003.h5") is Codec(pack)
    found = check(master, deep=True)
    assert not found.findings


@pytest.mark.parametrize("pack", PACKS)
def test_hdf5_1_10_reads_it_with_the_plugin_of_hdf5plugin(rig, tmp_path, pack):
    h5dump = shutil.which("h5dump", path="/usr/bin")
    if h5dump is None:
        pytest.skip("Debian's h5dump is not installed (package hdf5-tools)")
    push, worker = rig()
    worker.capture(tmp_path, num_capture=3, keeping=packs(pack))
    push.series(1, 3)
    (raw,) = worker.done().record.raw_files
    command = [h5dump, "-d", DATA, "-s", "2,0,0", "-c", "1,1,2", raw.path]
    environment = os.environ | {"HDF5_PLUGIN_PATH": str(FOLDER)}
    read = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "(2,0,0): 1, 2" in read.stdout


@pytest.mark.parametrize(("codec", "version"), [(Codec.BSLZ4, 2), (Codec.LZ4, 1)])
def test_a_stream_that_is_packed_is_stored_as_it_comes(rig, tmp_path, codec, version):
    push, worker = rig(codec=codec, version=version)
    worker.capture(tmp_path, num_capture=30, keeping=packs(Pack.BSZSTD))
    push.series(1, 30)
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == [(1, frame) for frame in range(30)]
    assert {filter_of(raw.path) for raw in done.record.raw_files} == {codec}
    assert done.record.codec is codec


def test_a_fan_does_not_pack_and_says_what_to_do():
    push = Push(codec=Codec.NONE)
    worker = Worker(push.endpoint, options=("--workers", "2"))
    try:
        order = control.Capture(capture="c1", directory="/", stem="run", detector="EIG1", keeping=packs())
        worker.send(order)
        failed = worker.wait(control.Failed)
        assert "pack bslz4 needs one worker, and there are 2; start the worker without" in failed.message
        assert worker.done().outcome is Outcome.INCOMPLETE
    finally:
        worker.close()
        push.close()


def test_without_pack_it_is_stored_as_it_comes(rig, tmp_path):
    push, worker = rig()
    worker.capture(tmp_path, num_capture=3)
    push.series(1, 3)
    done = worker.done()
    assert {filter_of(raw.path) for raw in done.record.raw_files} == {Codec.NONE}


def test_the_first_file_is_there_before_the_first_frame(rig, tmp_path):
    push, worker = rig()
    order = {"shape": push.shape, "dtype": "uint16", "codec": Codec.NONE, "num_capture": 4}
    opened = worker.capture(tmp_path, keeping=packs(), **order)
    assert filter_of(opened.files[0]) is Codec.BSLZ4
    push.series(1, 4)
    assert tags(worker.done()) == [(1, frame) for frame in range(4)]


def test_series_follow_each_other_and_late_and_double_frames_are_counted(rig, tmp_path):
    push, worker = rig()
    worker.capture(tmp_path, num_capture=12, keeping=packs())
    push.series(1, 4)
    push.start(2, 4)
    push.images(2, [0, 2, 2, 1, 3])
    push.end(2)
    push.series(3, 4)
    done = worker.done()
    check_sums(done.counters)
    assert done.counters.duplicate == 1
    assert done.outcome is Outcome.COMPLETE
    assert tags(done) == [(series, frame) for series in (1, 2, 3) for frame in range(4)]


@pytest.mark.parametrize("drain", [True, False])
def test_an_abort_in_mid_series_keeps_what_came(rig, tmp_path, drain):
    push, worker = rig(shape=(400, 600))
    worker.capture(tmp_path, keeping=packs(Pack.BSZSTD))
    push.start(1, 500)
    push.images(1, range(60))
    worker.until(lambda status: status.counters.received == 60)
    if drain:
        worker.send(control.Aborted())
        push.end(1)
    worker.send(control.Stop(capture="c1", drain=drain))
    done = worker.done()
    check_sums(done.counters)
    assert done.outcome is not Outcome.COMPLETE
    assert done.counters.received == 60 == done.counters.stored + done.counters.failed
    assert tags(done)[: done.counters.stored] == [(1, frame) for frame in range(done.counters.stored)]
    assert done.counters.stored == 60 or not drain


def test_sigterm_closes_the_files_and_counts_what_was_on_its_way(rig, tmp_path):
    push, worker = rig(shape=(400, 600))
    worker.capture(tmp_path, keeping=packs(Pack.BSZSTD))
    push.start(1, 500)
    push.images(1, range(100))
    worker.until(lambda status: status.counters.received > 0)
    assert worker.terminate() == 0
    done = worker.wait_left()
    counters = done.counters
    check_sums(counters)
    found = tags(done)
    assert len([tag for tag in found if tag is not None]) == counters.stored > 0


def test_disk_full_in_mid_series(rig, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(place)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        push, worker = rig(shape=(200, 300))
        noise = np.random.default_rng(5).integers(0, 65535, (200, 300), "uint16")
        worker.capture(place, num_capture=60, images_per_file=0, keeping=packs())
        push.start(1, 60)
        for frame in range(60):
            noise[0, :2] = 1, frame
            push.image(1, frame, array=noise)
        failed = worker.wait(control.Failed)
        assert failed.errno == errno.ENOSPC
        push.end(1)
        worker.send(control.Aborted())
        done = worker.done()
        check_sums(done.counters)
        assert done.outcome is Outcome.INCOMPLETE
        assert "ENOSPC" in done.reason
        assert done.counters.received == 60
        assert done.counters.failed > 0
        assert tags(done) == [(1, frame) for frame in range(done.counters.stored)]
        assert done.counters.stored > 0
        # the next one, elsewhere, is whole
        worker.capture(tmp_path, capture="c2", stem="next", num_capture=3, keeping=packs())
        push.series(2, 3)
        assert tags(worker.done()) == [(2, frame) for frame in range(3)]
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
