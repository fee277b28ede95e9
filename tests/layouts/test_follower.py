"""The follower on files that this process writes, step by step; the reader is a child, as in life."""

import multiprocessing
import random
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np
import pytest

from layouts.raw.follower import Follower, FollowError, FollowState
from layouts.raw.growing import OpenTwiceError, growing
from layouts.raw.mapping import Mapping
from layouts.raw.names import DATA, About, meta_file
from layouts.stream.codecs import chunk_parts, pack
from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.meta_h5 import MetaFile, Row
from writer.raw_h5 import RawFiles

SHAPE = (6, 8)


def pixels(place):
    frame = np.zeros(SHAPE, np.uint16)
    frame[0, 0], frame[3, 5] = place % 60000, 7
    return frame


class Writer:
    """A capture as a worker writes it: frames, then their rows, then ``stored``."""

    def __init__(self, directory, rows_per_file=0, codec=Codec.BSLZ4, suffix="", plan=0):
        self.codec = codec
        self.raw = RawFiles(directory, "run", rows_per_file=rows_per_file, suffix=suffix)
        about = {About.FIRST_FILE: "", About.TEMP_SUFFIX: suffix}
        dealt = Mapping(rows_per_file=rows_per_file)
        self.meta = MetaFile(directory / meta_file("run"), about, dealt=dealt)
        self.raw.plan(plan)
        self.meta.plan(plan)
        self.raw.start(PixelFormat(SHAPE, "uint16", codec))
        self.rows = []

    def write(self, *places):
        for place in places:
            chunk = chunk_parts(pack(pixels(place), self.codec))
            self.raw.write(place, chunk)
            self.rows.append(Row(place, 1, place, 0, 0, 0, len(chunk), 5).packed)
        return self

    def flush(self):
        self.raw.flush()
        self.meta.write(self.rows)
        self.rows.clear()

    def finish(self, rows):
        self.flush()
        self.raw.finish(rows)
        self.meta.finish(rows)


class Child:
    """A follower in a process of its own, asked step by step."""

    def __init__(self, path, method="spawn"):
        context = multiprocessing.get_context(method)
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(path, theirs))
        self.process.start()
        theirs.close()

    def look(self):
        """State, and the place that each new frame says it is of, by place."""
        self.pipe.send("look")
        assert self.pipe.poll(60)
        return self.pipe.recv()

    def end(self):
        self.pipe.send(None)
        self.process.join(30)
        self.pipe.close()
        return self.process.exitcode


def _serve(path, pipe):
    follower = Follower(path)
    while True:
        if pipe.recv() is None:
            return
        new = follower.poll()
        found = {int(p): int(follower.frame(int(p))[0, 0]) for p in new.places}
        pipe.send((follower.state.value, found, follower.missing.tolist(), follower.rows))


@pytest.fixture(params=["spawn", "fork"])
def child(request, tmp_path):
    running = Child(tmp_path / "run_meta.h5", request.param)
    yield running
    if running.process.is_alive():
        running.process.kill()
        running.process.join()


def same(*places):
    return {place: place for place in places}


def test_frames_are_seen_as_they_are_flushed_in_any_order_and_never_before(child, tmp_path):
    assert child.look() == ("waiting", {}, [], None)
    writer = Writer(tmp_path, plan=10)
    assert child.look()[:2] == ("waiting", {})
    writer.write(0, 1).flush()
    assert child.look() == ("growing", same(0, 1), [], None)
    writer.write(4, 3)
    assert child.look()[1] == {}
    writer.flush()
    assert child.look() == ("growing", same(3, 4), [2], None)
    writer.write(2, 250).flush()
    assert child.look()[:2] == ("growing", same(2, 250))
    writer.write(251).finish(300)
    state, found, missing, rows = child.look()
    assert (state, found, rows) == ("ended", same(251), 300)
    assert missing == [*range(5, 250), *range(252, 300)]
    assert child.look()[1] == {}
    assert child.end() == 0


@pytest.mark.parametrize("codec", list(Codec))
def test_frames_of_one_size_are_told_apart(tmp_path, codec):
    child = Child(tmp_path / "run_meta.h5")
    writer = Writer(tmp_path, codec=codec, plan=3)
    for place in range(0, 40, 3):
        writer.write(place, place + 1, place + 2).flush()
        assert child.look()[1] == same(place, place + 1, place + 2)
    writer.finish(42)
    assert child.look()[0] == "ended"
    assert child.end() == 0


def test_a_capture_of_several_files_with_names_of_their_own_until_it_ends(child, tmp_path):
    writer = Writer(tmp_path, rows_per_file=3, suffix=".part")
    writer.write(0, 1, 2, 3).flush()
    assert child.look()[1] == same(0, 1, 2, 3)
    assert (tmp_path / "run_000002.h5.part").exists()
    writer.write(*range(4, 31)).flush()
    writer.write(5).flush()
    assert child.look()[1] == same(*range(4, 31))
    writer.write(31).finish(33)
    assert child.look() == ("ended", same(31), [32], 33)
    assert child.end() == 0


def test_a_capture_that_is_removed_is_gone(child, tmp_path):
    writer = Writer(tmp_path, plan=5)
    writer.meta.begin()
    assert child.look()[0] == "growing"
    writer.raw.discard()
    writer.meta.abandon()
    writer.meta.path.unlink()
    assert child.look()[0] == "gone"
    assert child.end() == 0


def test_a_capture_that_ends_between_two_looks_is_seen_whole(child, tmp_path):
    Writer(tmp_path, plan=50).write(*range(30)).finish(30)
    assert child.look() == ("ended", same(*range(30)), [], 30)
    assert child.end() == 0


@pytest.mark.parametrize("seed", range(3))
def test_places_in_random_order_with_random_flushes(tmp_path, seed):
    chance = random.Random(seed)
    places = chance.sample(range(120), 100)
    child = Child(tmp_path / "run_meta.h5")
    writer = Writer(tmp_path, rows_per_file=chance.choice([0, 7]), codec=chance.choice(list(Codec)))
    told = {}
    for place in places:
        writer.write(place)
        if chance.random() < 0.2:
            writer.flush()
            told |= child.look()[1]
    writer.finish(120)
    state, found, missing, _ = child.look()
    assert told | found == same(*places)
    assert missing == sorted(set(range(120)) - set(places))
    assert state == "ended"
    assert child.end() == 0


def _follow_twice(path, pipe):
    first, second = Follower(path), Follower(path)
    pipe.send(None)
    while pipe.recv():
        seen = [int(each.frame(int(p))[0, 0]) for each in (first, second) for p in each.poll().places]
        pipe.send(seen)
    with h5py.File(path.with_name("run_000001.h5"), "r", swmr=True, locking=False) as file:
        data = file[DATA]
        pipe.send(None)
        pipe.recv()
        new = first.poll()
        with pytest.raises(FollowError, match="open twice in this process"):
            first.frame(int(new.places[0]))
        del data
    pipe.send(int(first.frame(int(new.places[0]))[0, 0]))


def test_two_followers_in_one_process_share_their_files_and_a_strange_handle_is_found_out(tmp_path):
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_follow_twice, args=(tmp_path / "run_meta.h5", theirs))
    process.start()
    theirs.close()
    writer = Writer(tmp_path, plan=20)
    pipe.recv()
    for place in range(0, 8, 2):
        writer.write(place, place + 1).flush()
        pipe.send(1)
        assert pipe.recv() == [place, place + 1] * 2
    pipe.send(0)
    pipe.recv()
    writer.write(8).flush()
    pipe.send(1)
    assert pipe.recv() == 8
    process.join(30)
    assert process.exitcode == 0
    writer.finish(9)


def test_a_frame_that_nobody_told_of_is_not_given(tmp_path):
    writer = Writer(tmp_path, plan=5)
    writer.write(0).finish(5)
    with Follower(tmp_path / "run_meta.h5") as follower:
        with pytest.raises(KeyError, match="no frame at place 0"):
            follower.frame(0)
        follower.poll()
        assert follower.chunk(0) == chunk_parts(pack(pixels(0), Codec.BSLZ4))
        for place in (1, 5, -1):
            with pytest.raises(KeyError):
                follower.chunk(place)


def test_a_raw_file_that_is_lost_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("layouts.raw.follower._PATIENCE", 0.02)
    Writer(tmp_path).write(0).finish(1)
    (tmp_path / "run_000001.h5").unlink()
    with Follower(tmp_path / "run_meta.h5") as follower:
        assert follower.poll().places.tolist() == [0]
        with pytest.raises(FollowError, match=r"run_000001.h5: frame at place 0"):
            follower.frame(0)


def test_waiting_for_nothing_ends_and_says_why(tmp_path):
    path = tmp_path / "run_meta.h5"
    with pytest.raises(TimeoutError, match=r"waiting, and nothing came for 0\.02 s"):
        list(Follower(path).follow(interval=0.005, timeout=0.02))
    path.write_bytes(b"no HDF5")
    with pytest.raises(TimeoutError, match="signature"):
        list(Follower(path).follow(interval=0.005, timeout=0.02))
    with pytest.raises(ValueError, match="no meta file"):
        Follower(tmp_path / "run_000001.h5")


def test_all_frames_come_in_one_loop(tmp_path):
    Writer(tmp_path, rows_per_file=4).write(*range(10)).finish(10)
    with Follower(tmp_path / "run_meta.h5") as follower:
        found = [int(p) for new in follower.follow(timeout=5) for p in new.places]
        assert found == follower.seen.tolist() == list(range(10))
        assert follower.state is FollowState.ENDED


def test_a_meta_file_that_is_open_twice_is_refused(tmp_path):
    Writer(tmp_path).write(0).finish(1)
    path: Path = tmp_path / "run_meta.h5"
    follower = Follower(path)
    follower.poll()
    follower.state = FollowState.GROWING
    with h5py.File(path, "r", swmr=True, locking=False) as file:
        stored = file["frames/stored"]
        with pytest.raises(OpenTwiceError, match="close the other handle"):
            follower.poll()
        del stored
    assert growing(path) is growing(path)


def _beside_a_virtual_data_set(path, pipe):
    pipe.recv()
    with h5py.File(path.with_name("vds.h5"), "r", swmr=True, locking=False) as file:
        virtual, follower = file["v"], Follower(path)
        assert virtual[0, 0, 0] == 0
        found = []
        for _ in range(2):
            places = follower.poll().places.tolist()
            virtual.refresh()
            for place in places:
                with suppress(FollowError):
                    found.append((place, int(follower.frame(place)[0, 0])))
            pipe.send(places)
            pipe.recv()
        pipe.send(found)


def test_a_virtual_data_set_open_beside_makes_no_frame_another(tmp_path):
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_beside_a_virtual_data_set, args=(tmp_path / "run_meta.h5", theirs))
    process.start()
    writer = Writer(tmp_path, codec=Codec.NONE, plan=6)
    writer.write(0, 1).flush()
    layout = h5py.VirtualLayout((6, *SHAPE), "u2")
    layout[:6] = h5py.VirtualSource(tmp_path / "run_000001.h5", DATA, (6, *SHAPE))
    with h5py.File(tmp_path / "vds.h5", "w", libver=("v110", "v110")) as file:
        file.create_virtual_dataset("v", layout, fillvalue=9)
    pipe.send(1)
    assert pipe.recv() == [0, 1]
    writer.write(2, 3).flush()
    pipe.send(1)
    assert pipe.recv() == [2, 3]
    pipe.send(1)
    found = pipe.recv()
    assert all(place == tag for place, tag in found), found
    process.join(30)
    assert process.exitcode == 0
    writer.finish(6)
