"""The map over raw files while a capture runs: a reader follows it, and lives."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.nexus.tree_h5 import read
from layouts.raw.mapping import Location, Mapping
from layouts.raw.names import DATA, raw_file
from tests.kit import map_reader
from writer import map_file
from writer.map_file import Part
from writer.reports import CaptureRecord, RawFileReport

SHAPE = (2, 3)
MASKED = 65535
DEBIAN = Path("/usr/bin/python3")


def old_hdf5():
    """Whether Debian's Python has an h5py of its own, with HDF5 1.10."""
    if not DEBIAN.exists():
        return False
    done = subprocess.run([DEBIAN, "-c", "import h5py"], capture_output=True, check=False, timeout=60)
    return done.returncode == 0


PYTHONS = [
    pytest.param(Path(sys.executable), id="our HDF5"),
    pytest.param(
        DEBIAN,
        id="HDF5 1.10",
        marks=[
            pytest.mark.conformance,
            pytest.mark.skipif(not old_hdf5(), reason="Debian's python3-h5py is not installed"),
        ],
    ),
]


class Rig:
    """Raw files that grow as workers' do, and the map over them.

    Args:
        folder: Of the files.
        mapping: How places are dealt.
        extent: Rows that a file has from the start.
        step: Rows by which it grows.
    """

    def __init__(self, folder, mapping, *, extent=0, step=1):
        self.folder, self.mapping, self.extent, self.step = folder, mapping, extent, step
        self.files = {}
        self.parts = []
        self.path = folder / "run.h5"

    def make(self, worker, number):
        path = self.folder / raw_file("run", number * self.mapping.workers + worker + 1)
        file = h5py.File(path, "x", libver=("v110", "v110"))
        data = file.create_dataset(
            DATA,
            shape=(self.extent, *SHAPE),
            maxshape=(None, *SHAPE),
            chunks=(1, *SHAPE),
            dtype="u2",
            fillvalue=MASKED,
        )
        file.swmr_mode = True
        self.files[worker, number] = data
        self.parts.append(Part(path, self.mapping.place(Location(worker, number, 0)), self.extent))

    def publish(self):
        made = map_file.tree(
            self.folder,
            self.parts,
            rows=0,
            shape=SHAPE,
            dtype="uint16",
            mapping=self.mapping,
            follow=True,
        )
        map_file.publish(self.path, made)

    def write(self, place):
        worker, number, row = self.mapping.locate(place)
        if (worker, number) not in self.files:
            self.make(worker, number)
            self.publish()
        data = self.files[worker, number]
        if row >= data.shape[0]:
            room = row + self.step
            limit = self.mapping.rows_per_file
            data.resize(min(room, limit) if limit else room, axis=0)
        data.id.write_direct_chunk((row, 0, 0), np.full(SHAPE, place, "u2").tobytes())
        data.flush()

    def finish(self, rows):
        """Cut each file to what it has of so many places, and close it."""
        for (worker, number), data in self.files.items():
            lengths = self.mapping.files(worker, rows)
            data.resize(lengths[number] if number < len(lengths) else 0, axis=0)
            data.file.close()

    def record(self, rows):
        files = tuple(
            RawFileReport(path=str(path), rows=length, worker=worker)
            for worker in range(self.mapping.workers)
            for number, length in enumerate(self.mapping.files(worker, rows))
            for path in [self.folder / raw_file("run", number * self.mapping.workers + worker + 1)]
        )
        return CaptureRecord(
            detector="EIG1",
            raw_files=files,
            images_per_file=self.mapping.rows_per_file,
            workers=self.mapping.workers,
            frames_per_block=self.mapping.block,
            meta_file="",
            rows=rows,
            opened=0.0,
            ended=0.0,
        )


class Reader:
    """The program that reads; ``ask`` fails with its signal if it died."""

    def __init__(self, python, path):
        self.child = subprocess.Popen(
            [python, map_reader.__file__, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"HDF5_USE_FILE_LOCKING": "FALSE"},
        )
        self.version = self._answer()

    def ask(self, what):
        self.child.stdin.write(what + "\n")
        self.child.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.child.stdout.readline()
        assert line, f"the reader ended with {self.child.wait(10)}: {self.child.stderr.read()}"
        return json.loads(line)

    def close(self):
        self.child.communicate(timeout=30)


@pytest.fixture
def reader():
    readers = []

    def start(python, path):
        readers.append(Reader(python, path))
        return readers[-1]

    yield start
    for each in readers:
        each.close()


def as_sent(found, sent):
    """Each place has its own frame or is masked, and nothing that was sent is masked."""
    held = {place for place, value in enumerate(found) if value != MASKED}
    assert all(found[place] == place for place in held)
    assert held == set(sent)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("mapping", "extent", "step"),
    [
        (Mapping(workers=2, block=3), 0, 1),
        (Mapping(workers=3, block=1), 5, 4),
        (Mapping(workers=2, block=4, rows_per_file=6), 6, 1),
        (Mapping(workers=2, block=4, rows_per_file=6), 0, 2),
        (Mapping(workers=1, rows_per_file=7), 0, 3),
    ],
    ids=str,
)
def test_a_reader_follows_growing_files_and_outlives_their_end(
    tmp_path, reader, python, mapping, extent, step
):
    rig = Rig(tmp_path, mapping, extent=extent, step=step)
    for worker in range(mapping.workers):
        rig.make(worker, 0)
    rig.publish()
    child = reader(python, rig.path)
    late = np.random.default_rng(5)
    order = [int(place) for begin in range(0, 40, 8) for place in begin + late.permutation(8)]
    seen, sent = len(rig.files), []
    for place in order:
        rig.write(place)
        sent.append(place)
        if place % 4 == 3:
            as_sent(child.ask("refresh" if seen == len(rig.files) else "open"), sent)
            seen = len(rig.files)
    as_sent(child.ask("open"), sent)
    rig.finish(40)
    as_sent(child.ask("hold"), sent)
    found = child.ask("refresh")
    as_sent(found, sent)
    assert len(found) == 40
    assert child.ask("open") == list(range(40))


@pytest.mark.parametrize("python", PYTHONS)
def test_a_reader_outlives_files_that_are_cut_to_less_than_was_planned(tmp_path, reader, python):
    rig = Rig(tmp_path, Mapping(workers=2, block=5), extent=100)
    for worker in range(2):
        rig.make(worker, 0)
    rig.publish()
    child = reader(python, rig.path)
    for place in range(12):
        rig.write(place)
    assert len(child.ask("refresh")) == 200
    rig.finish(12)
    as_sent(child.ask("hold"), range(12))
    assert child.ask("refresh") == list(range(12))
    assert child.ask("open") == list(range(12))


@pytest.mark.parametrize("python", PYTHONS)
def test_a_file_that_is_not_there_yet_reads_as_masked(tmp_path, reader, python):
    rig = Rig(tmp_path, Mapping(workers=2, block=2))
    rig.make(0, 0)
    rig.parts.append(Part(tmp_path / "later.h5", 2, 0))
    rig.publish()
    child = reader(python, rig.path)
    for place in (0, 1, 4):
        rig.write(place)
    assert child.ask("refresh") == [0, 1, MASKED, MASKED, 4]


@settings(max_examples=30, deadline=None)
@given(
    mapping=st.builds(
        Mapping, rows_per_file=st.integers(0, 7), workers=st.integers(1, 4), block=st.integers(1, 6)
    ),
    rows=st.integers(1, 60),
)
def test_the_map_of_an_ended_capture_has_each_place_once(tmp_path_factory, mapping, rows):
    rig = Rig(tmp_path_factory.mktemp("map"), mapping)
    for place in range(rows):
        worker, number, _ = mapping.locate(place)
        if (worker, number) not in rig.files:
            rig.make(worker, number)
        rig.write(place)
    rig.finish(rows)
    record = rig.record(rows)
    parts = map_file.parts_of(record)
    assert {(part.path, part.row) for part in parts} == {(part.path, part.row) for part in rig.parts}
    assert map_file.reach(parts, mapping) == rows
    made = map_file.tree(
        rig.folder,
        parts,
        rows=rows,
        shape=SHAPE,
        dtype="uint16",
        mapping=map_file.mapping_of(record),
    )
    map_file.publish(rig.path, made)
    with h5py.File(rig.path) as file:
        assert file[DATA][:, 0, 0].tolist() == list(range(rows))


def test_a_map_that_follows_its_files_is_no_master(tmp_path):
    rig = Rig(tmp_path, Mapping(workers=2))
    rig.make(0, 0)
    rig.publish()
    with pytest.raises(OSError, match="grows with its sources"):
        read(rig.path)
