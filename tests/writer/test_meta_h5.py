"""Meta files: columns in order whatever the order of frames, arrays once, readers let in when it is safe."""

import shutil
import subprocess

import h5py
import numpy as np
import pytest

from layouts.raw.names import Column, Meta
from writer.meta_h5 import MetaFile, Row, read_array, read_columns
from writer.write_errors import WriteError

NOON = 1_700_000_000_000_000_000


def row(place, series=7):
    return Row(place, series, place + 100, 10 * place, 10 * place + 9, 8, 555, NOON + place).packed


def test_columns(tmp_path):
    meta = MetaFile(tmp_path / "run_meta.h5", {"detector": "EIG1"})
    meta.plan(6)
    meta.write([row(3), row(0), row(1)])
    meta.write([])
    meta.write([row(4)])
    meta.finish(6)
    columns = read_columns(tmp_path / "run_meta.h5")
    assert columns[Column.STORED].tolist() == [1, 1, 0, 1, 1, 0]
    assert columns[Column.SERIES].tolist() == [7, 7, -1, 7, 7, -1]
    assert columns[Column.FRAME].tolist() == [100, 101, -1, 103, 104, -1]
    assert columns[Column.START_TIME].tolist() == [0, 10, 0, 30, 40, 0]
    assert columns[Column.SIZE].tolist() == [555, 555, 0, 555, 555, 0]
    assert columns[Column.ARRIVAL][4] == 1_700_000_000_000_000_004


def test_columns_grow_without_a_plan(tmp_path):
    meta = MetaFile(tmp_path / "run_meta.h5")
    for place in range(0, 5000, 500):
        meta.write([row(index) for index in range(place, place + 500)])
    meta.finish(5000)
    assert read_columns(tmp_path / "run_meta.h5")[Column.FRAME].tolist() == list(range(100, 5100))


def test_arrays_and_headers_of_any_series_are_kept_and_arrays_once(tmp_path):
    path = tmp_path / "run_meta.h5"
    mask = np.arange(12, dtype=np.uint32).reshape(3, 4)
    meta = MetaFile(path)
    meta.add_header(1, b'{"a":1}')
    name = meta.add_array(Meta.MASKS, mask)
    meta.write([row(0, series=1)])
    meta.add_header(2, '{"b":"\u00e9"}'.encode())
    assert meta.add_array(Meta.MASKS, mask.copy()) == name
    other = meta.add_array(Meta.MASKS, mask + 1)
    meta.write([row(1, series=2)])
    meta.finish(2)
    np.testing.assert_array_equal(read_array(path, Meta.MASKS, name), mask)
    np.testing.assert_array_equal(read_array(path, Meta.MASKS, other), mask + 1)
    with h5py.File(path) as file:
        assert len(file[Meta.MASKS]) == 2
        headers = [bytes(file[Meta.HEADERS][key][0]).decode() for key in sorted(file[Meta.HEADERS])]
        assert headers == ['{"a":1}', '{"b":"\u00e9"}']
        assert [int(file[Meta.HEADERS][key].attrs["series"]) for key in sorted(file[Meta.HEADERS])] == [1, 2]


def test_a_capture_without_frames_keeps_its_headers(tmp_path):
    meta = MetaFile(tmp_path / "run_meta.h5")
    meta.add_header(1, b"")
    meta.finish(0)
    with h5py.File(tmp_path / "run_meta.h5") as file:
        assert len(file[Meta.HEADERS]) == 1


def test_a_reader_sees_what_was_written(tmp_path):
    meta = MetaFile(tmp_path / "run_meta.h5")
    meta.plan(10)
    meta.write([row(0)])
    with h5py.File(tmp_path / "run_meta.h5", "r", swmr=True, locking=False) as file:
        stored = file[f"{Meta.COLUMNS}/{Column.STORED}"]
        assert stored[()].tolist() == [1] + [0] * 9
        meta.write([row(1), row(2)])
        stored.refresh()
        assert int(stored[()].sum()) == 3
        for name, data in file[Meta.COLUMNS].items():
            assert data.chunks is not None, name
    meta.finish(10)


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "run_meta.h5").write_text("mine")
    with pytest.raises(WriteError, match="never overwritten"):
        MetaFile(tmp_path / "run_meta.h5")


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump (hdf5-tools) is not installed")
def test_hdf5_of_the_other_readers_takes_them(tmp_path):
    meta = MetaFile(tmp_path / "run_meta.h5")
    meta.add_header(1, b'{"nimages":2}')
    meta.write([row(0), row(1)])
    meta.finish(2)
    for what in (f"{Meta.COLUMNS}/{Column.FRAME}", f"{Meta.HEADERS}/000000"):
        done = subprocess.run(
            ["h5dump", "-d", what, str(meta.path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "101" in done.stdout or "nimages" in done.stdout
