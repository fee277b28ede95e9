"""Files of writers that were killed at any moment: what was flushed comes back, and nothing is touched."""

import json
import os
import random
from pathlib import Path

import h5py
import numpy as np
import pytest

from layouts.beamline import load
from layouts.raw.mapping import Mapping
from layouts.raw.names import DATA, Column, meta_file, raw_file
from layouts.stream.messages import Codec
from tests.kit.killed import (
    ALIVE,
    STEM,
    Writer,
    bring_back,
    check_frames,
    frames_of,
    killed,
    pixels,
    simple,
    striped,
)
from writer.meta_h5 import read_columns
from writer.salvage import opened, salvage_file
from writer.salvage_run import salvage


def test_what_was_flushed_comes_back_and_a_second_run_writes_over_nothing(tmp_path):
    killed(simple, tmp_path)
    with pytest.raises(OSError, match="already open"):
        h5py.File(tmp_path / raw_file(STEM, 1))
    result = bring_back(tmp_path)
    nexus = check_frames(result, range(14), 14)
    assert nexus.name == "run_salvaged.nxs"
    (brought,) = result.captures
    assert (brought.found, brought.lost, brought.record.missing) == ((), (), ())
    columns = read_columns(tmp_path / meta_file(f"{STEM}_salvaged"))
    assert columns[Column.STORED].tolist() == [1] * 14
    assert columns[Column.START_TIME].tolist() == [10_000_000 * (n + 1) for n in range(14)]
    with h5py.File(nexus) as file:
        assert file["entry/instrument/detector/pixel_mask"][2, 3] == 1
    again = bring_back(tmp_path)
    assert not again.ok
    assert "is there already" in str(again.findings[0])
    assert frames_of(nexus).shape[0] == 14


@pytest.mark.parametrize("codec", list(Codec))
def test_every_codec_and_missing_frames(tmp_path, codec):
    out = tmp_path / "out"
    lost = {0, 3, 4, 9}
    killed(lambda tell: simple(tell, tmp_path, missing=lost, codec=codec))
    result = bring_back(tmp_path, out=out)
    check_frames(result, set(range(14)) - lost, 14)
    assert result.masters[0].parent == out
    assert result.captures[0].record.missing == tuple(sorted(lost))


@pytest.mark.parametrize("seed", range(6))
def test_a_writer_that_is_killed_at_a_random_moment(tmp_path, seed):
    chance = random.Random(seed)
    rows_per_file = chance.choice([0, 0, 7, 10])
    codec = chance.choice(list(Codec))
    first = chance.choice([None, "given name.h5"]) if not rows_per_file else None
    places = [place for place in range(chance.randint(20, 60)) if chance.random() > 0.1]
    for _ in range(4):  # some come late
        at = chance.randrange(len(places) - 1)
        places[at], places[at + 1] = places[at + 1], places[at]
    moment = chance.randrange(5, len(places))

    def work(tell):
        writer = Writer(tmp_path, codec=codec, rows_per_file=rows_per_file, first=first)
        writer.begin(chance.choice([10, 100]))
        unflushed = []
        for place in places[:moment]:
            writer.write(place)
            unflushed.append(place)
            if chance.random() < 0.2:
                writer.flush()
                tell(unflushed)
                unflushed = []
        if unflushed and chance.random() < 0.3:
            writer.flush(rows=False)
            tell(unflushed)

    flushed = {place for told in killed(work) for place in told}
    result = bring_back(tmp_path)
    if not flushed:
        assert not result.ok
        assert "no frame" in str(result.findings[0])
        return
    (brought,) = result.captures
    stored = set(range(brought.record.rows)) - set(brought.record.missing)
    assert flushed <= stored <= set(places[:moment])
    check_frames(result, stored, brought.record.rows)


def _data_before_rows(tell, directory):
    writer = Writer(directory)
    writer.begin(40)
    for place in range(10):
        writer.write(place)
    writer.flush()
    for place in range(10, 16):
        writer.write(place)
    writer.flush(rows=False)


def test_frames_without_a_row_get_their_series_and_number_and_no_times(tmp_path):
    killed(_data_before_rows, tmp_path)
    result = bring_back(tmp_path)
    check_frames(result, range(16), 16)
    assert result.captures[0].found == tuple(range(10, 16))
    columns = read_columns(tmp_path / meta_file(f"{STEM}_salvaged"))
    assert columns[Column.FRAME].tolist() == list(range(16))
    assert columns[Column.SERIES].tolist() == [1] * 16
    assert columns[Column.START_TIME][10:].tolist() == [0] * 6
    assert (columns[Column.SIZE] > 0).all()


def _two_series(tell, directory):
    writer = Writer(directory)
    writer.begin(4)
    for place in range(4):
        writer.write(place)
    writer.flush()
    for place in (4, 5, 7):
        writer.write(place, series=2, frame=place - 4)
    writer.flush()


def test_series_are_told_apart_by_their_numbers(tmp_path):
    killed(_two_series, tmp_path)
    result = bring_back(tmp_path)
    check_frames(result, {0, 1, 2, 3, 4, 5, 7}, 8)
    one, two = result.captures[0].record.series
    assert (one.series, one.row, one.rows, one.stored, one.outcome) == (1, 0, 4, 4, "complete")
    assert (two.series, two.row, two.rows, two.stored, two.outcome) == (2, 4, 4, 3, "incomplete")


@pytest.mark.parametrize("harm", ["lost", "cut", "scribbled"])
def test_without_a_meta_file_the_frames_come_back(tmp_path, harm):
    killed(lambda tell: simple(tell, tmp_path, frames=40, flushed=40, rows_per_file=15))
    meta = tmp_path / meta_file(STEM)
    if harm == "lost":
        meta.unlink()
    elif harm == "cut":
        os.truncate(meta, 100)
    else:
        meta.write_bytes(b"\0" * 4096)
    result = bring_back(tmp_path)
    check_frames(result, range(40), 40)
    (brought,) = result.captures
    assert brought.record.detector == "EIG1"
    assert len(brought.record.raw_files) == 3
    assert any(STEM in str(f) and "meta" in str(f) for f in result.findings)


def test_a_lost_raw_file_reads_as_masked(tmp_path):
    killed(lambda tell: simple(tell, tmp_path, frames=40, flushed=40, rows_per_file=15))
    (tmp_path / raw_file(STEM, 2)).unlink()
    result = bring_back(tmp_path)
    check_frames(result, {*range(15), *range(30, 40)}, 40)
    (brought,) = result.captures
    assert brought.lost == tuple(range(15, 30))
    assert any("the raw file that it stands for is lost" in str(f) for f in result.findings)


def test_nothing_flushed_is_said(tmp_path):
    killed(lambda tell: simple(tell, tmp_path, frames=20, flushed=100))
    result = bring_back(tmp_path)
    assert not result.ok
    assert not result.masters
    assert "no frame was flushed" in str(result.findings[0])
    assert {path.name for path in tmp_path.iterdir()} == {raw_file(STEM, 1), meta_file(STEM)}


def test_raw_files_all_lost(tmp_path):
    killed(simple, tmp_path)
    (tmp_path / raw_file(STEM, 1)).unlink()
    result = bring_back(tmp_path)
    assert "no raw file is there" in str(result.findings[0])


def _reopened(tell, directory):
    """Killed in a file that was opened again for a late frame: marked, but not for SWMR readers."""
    writer = Writer(directory, rows_per_file=10)
    writer.begin(40)
    for place in range(40):
        writer.write(place)
    writer.flush()
    writer.raw.finish(40)
    ALIVE.append(h5py.File(directory / raw_file(STEM, 2), "r+", libver=("v110", "v110"), locking=False))


def test_a_file_that_its_writer_had_opened_again(tmp_path):
    killed(_reopened, tmp_path)
    path = tmp_path / raw_file(STEM, 2)
    with pytest.raises(OSError, match="open"):
        h5py.File(path, swmr=True)
    with opened(path) as file:
        assert file[DATA].shape[0] == 10
    check_frames(bring_back(tmp_path), range(40), 40)


@pytest.mark.parametrize("codec", [Codec.BSLZ4, Codec.LZ4])
def test_zeros_and_a_cut_as_a_power_failure_leaves_them(tmp_path, codec):
    killed(lambda tell: simple(tell, tmp_path, frames=30, flushed=30, codec=codec))
    path = tmp_path / raw_file(STEM, 1)
    where = {}
    with opened(path) as file:
        file[DATA].id.chunk_iter(lambda info: where.update({info.chunk_offset[0]: info}))
    with path.open("r+b") as file:
        file.seek(where[4].byte_offset)
        file.write(bytes(where[4].size))
        last = max(where.values(), key=lambda info: info.byte_offset)
    whole = last.byte_offset + last.size == path.stat().st_size
    if whole:
        os.truncate(path, path.stat().st_size - 3)
    gone = {4, last.chunk_offset[0]} if whole else {4}
    result = bring_back(tmp_path)
    rows = 30
    check_frames(result, set(range(rows)) - gone, rows)
    assert result.captures[0].lost == tuple(sorted(gone))
    assert any("1 frames are damaged: rows 4" in str(f) for f in result.findings)


def _closed(tell, directory):
    writer = Writer(directory, stem="run_EIG2")
    writer.begin(5)
    for place in range(5):
        writer.write(place)
    writer.flush()
    writer.raw.finish(5)
    writer.meta.finish(5)
    simple(tell, directory)


def test_the_other_detector_of_an_acquisition_is_taken_as_it_lies(tmp_path):
    killed(_closed, tmp_path)
    result = bring_back(tmp_path)
    assert result.ok, result.findings
    assert [path.name for path in result.masters] == [
        "run_salvaged.nxs",
        "run_salvaged_EIG1_master.h5",
        "run_salvaged_EIG2_master.h5",
    ]
    with h5py.File(result.masters[0]) as file:
        assert {len(file[f"{entry}/data/data"]) for entry in file} == {14, 5}
    assert not (tmp_path / raw_file("run_EIG2_salvaged", 1)).exists()


def test_what_its_writer_has_closed_gets_the_master_that_it_lacks_and_is_left_alone(tmp_path):
    killed(_closed, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = salvage(tmp_path / meta_file("run_EIG2"), load())
    assert result.ok
    assert not any(each.made for each in result.captures)
    assert result.masters[0].name == "run_salvaged.nxs"
    assert {path: path.read_bytes() for path in before} == before
    assert len(list(tmp_path.iterdir())) == len(before) + len(result.masters)
    result = salvage(tmp_path / meta_file("run_EIG2"), load())
    assert result.ok
    assert "there is nothing to bring back" in str(result.findings[0])
    assert not salvage(tmp_path / "nothing.h5", load()).ok


def test_a_writer_that_lives_keeps_its_files(tmp_path):
    writer = Writer(tmp_path)
    writer.begin(10)
    writer.write(0)
    writer.flush()
    result = salvage(tmp_path, load())
    assert not result.ok
    assert f"process {os.getpid()} is writing on it" in str(result.findings[0])
    writer.raw.finish(1)
    writer.meta.finish(1)


def test_frames_of_nobody_knows_whom_need_a_name(tmp_path):
    killed(lambda tell: simple(tell, tmp_path, stem="plain"))
    (tmp_path / meta_file("plain")).unlink()
    assert "--detector" in str(salvage(tmp_path, load()).findings[0])
    check_frames(bring_back(tmp_path, detector="EIG1"), range(14), 14)


def test_one_file_by_itself(tmp_path):
    killed(simple, tmp_path)
    done = salvage_file(tmp_path / raw_file(STEM, 1), tmp_path / "new.h5")
    assert (done.rows, done.frames, done.missing) == (14, 14, ())
    with h5py.File(tmp_path / "new.h5") as file:
        data = file[DATA]
        assert (data.attrs["image_nr_low"], data.attrs["image_nr_high"]) == (1, 14)
        np.testing.assert_array_equal(data[13], pixels(13))
    with pytest.raises(FileExistsError):
        salvage_file(tmp_path / raw_file(STEM, 1), tmp_path / "new.h5")
    short = salvage_file(tmp_path / raw_file(STEM, 1), tmp_path / "more.h5", rows=16)
    assert short.missing == (14, 15)
    Path(tmp_path / "text.h5").write_text(json.dumps({}))
    with pytest.raises(OSError, match="signature"):
        salvage_file(tmp_path / "text.h5", tmp_path / "other.h5")
    assert not (tmp_path / "other.h5").exists()


@pytest.mark.parametrize("meta", ["there", "lost"])
def test_stripes_of_several_workers_come_back_in_order(tmp_path, meta):
    mapping = Mapping(rows_per_file=8, workers=2, block=3)
    killed(striped, tmp_path, mapping)
    if meta == "lost":
        (tmp_path / meta_file(STEM)).unlink()
    result = bring_back(tmp_path)
    check_frames(result, range(33), 33)
