"""A capture followed while a real worker writes it: by our follower and by plain h5py, each a process."""

import re
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from layouts.raw.follower import Follower, FollowState
from layouts.raw.names import meta_file, raw_file
from layouts.stream.messages import Codec
from tests.kit import stripes
from tests.kit.beamline import running
from tests.kit.live import READER, Reader, capture_with
from tests.kit.stage import impatient, on_stage
from tests.kit.worker import Worker
from writer import control

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

OURS = """
import sys
from pathlib import Path
from layouts.raw.follower import Follower
with Follower(Path(sys.argv[1])) as follower:
    for new in follower.follow(interval=0.002, timeout=60):
        for place in new.places.tolist():
            print(place, *follower.frame(place)[0, :2].tolist(), flush=True)
    print(follower.state.value, flush=True)
"""


def ours(directory):
    return Reader([sys.executable, "-c", OURS, directory / meta_file("run")], directory / "ours.txt")


def plain(directory, name="plain"):
    files = directory / meta_file("run"), directory / raw_file("run", 1)
    return Reader([sys.executable, READER, *files], directory / f"{name}.txt")


@pytest.mark.parametrize("codec", [Codec.BSLZ4, Codec.NONE])
def test_readers_see_every_frame_as_itself_and_the_last_before_the_end(push, worker, tmp_path, codec):
    push.codec = codec
    readers = [ours(tmp_path), plain(tmp_path), plain(tmp_path, "another")]
    capture_with(readers, push, worker, tmp_path)


def test_the_follower_goes_from_file_to_file_and_on_when_they_get_their_names(push, worker, tmp_path):
    capture_with([ours(tmp_path)], push, worker, tmp_path, images_per_file=23, temp_suffix=".part")
    assert (tmp_path / raw_file("run", 2)).exists()


@pytest.mark.parametrize("images_per_file", [0, 11])
def test_the_follower_finds_the_stripes_of_several_workers(push, tmp_path, images_per_file):
    fan = Worker(push.endpoint, options=("--workers", "2"))
    try:
        order = {"images_per_file": images_per_file, "frames_per_block": 4}
        capture_with([ours(tmp_path)], push, fan, tmp_path, stripes.tags, **order)
    finally:
        fan.close()


def test_the_command_prints_what_comes_and_what_is_missing(push, worker, tmp_path):
    command = [sys.executable, "-m", "softbeam", "follow", tmp_path / raw_file("run", 1)]
    reader = Reader([*command, "--timeout", "60"], tmp_path / "command.txt")
    try:
        worker.capture(tmp_path, num_capture=0)
        push.start(1, 30)
        push.images(1, [*range(10), *range(12, 30)])
        push.end(1)
        worker.wait(control.SeriesEnded)
        worker.send(control.Stop(capture="c1"))
        worker.done()
        assert reader.over() == 0, reader.complaint()
        first, *lines, last = reader.lines()
        assert first.startswith("# place series frame")
        rows = [line.split() for line in lines]
        assert [[int(word) for word in row[:3]] for row in rows] == [
            [place, 1, place] for place in range(30) if place not in (10, 11)
        ]
        assert all(float(row[3]) >= 0 for row in rows)
        assert last == "# ended: 28 of 30 frames, 2 missing: 10, 11"
    finally:
        reader.close()


def test_a_discarded_capture_is_no_success(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=5, shape=(24, 36), dtype="uint16")
    with Follower(tmp_path / meta_file("run")) as follower:
        assert len(follower.poll()) == 0
        worker.send(control.Stop(capture="c1"))
        worker.done()
        assert len(follower.poll()) == 0
        assert follower.state is FollowState.WAITING
    reader = Reader(
        [sys.executable, "-m", "softbeam", "follow", tmp_path / "run.h5", "--timeout", "0.2"],
        tmp_path / "command.txt",
    )
    assert reader.over() == 1
    assert re.search(r"run_meta.h5: waiting, and nothing came for 0.2 s", reader.complaint())


def test_what_a_real_emitter_sends_is_what_is_followed(tmp_path):
    """From the record that a client sets to the frames that its live view shows."""

    async def work(stage):
        await stage.set_up("live", 40, time=0.02)
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        full = Path(await stage.get(f"{stage.hdf}FullFileName_RBV"))
        with Follower(full.with_name(meta_file(full.stem))) as follower:
            acquire = stage.client.put(f"{stage.cam}Acquire", 1, wait=False, timeout=10)
            await acquire
            frames, looks = {}, 0
            while not follower.is_over:
                new = follower.poll()
                looks += len(new) > 0
                frames |= {int(p): follower.frame(int(p)) for p in new.places}
                assert new.frames.tolist() == new.places.tolist()
                await stage.get(f"{stage.hdf}NumCaptured_RBV")
            await capture
            assert looks > 1
            assert follower.missing.size == 0
        told = await stage.get(f"{stage.hdf}MasterFile_RBV")
        assert stage.check(told).ok
        assert sorted(frames) == list(range(40))
        with h5py.File(told) as file:
            for place, frame in frames.items():
                np.testing.assert_array_equal(file["entry/data/data"][place], frame)

    with running(impatient(), tmp_path) as up:
        on_stage(up.beamline, up.folder, work)
