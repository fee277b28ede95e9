"""Raw files hold every frame at its row, and readers of two HDF5 generations take them."""

import errno
import shutil
import subprocess

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest

from layouts.raw.names import DATA
from layouts.stream.codecs import chunk_parts, pack
from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.raw_h5 import RawFiles
from writer.write_errors import WriteError

SHAPE = (12, 20)


def frame(number, dtype="uint16"):
    return np.full(SHAPE, number % 200, dtype)


def pixels(codec=Codec.BSLZ4, dtype="uint16"):
    return PixelFormat(SHAPE, dtype, codec)


def chunk(number, codec=Codec.BSLZ4, dtype="uint16", version=2):
    return chunk_parts(pack(frame(number, dtype), codec, version=version))


def written(tmp_path, places, *, rows, planned=0, **options):
    files = RawFiles(tmp_path, "run", **options)
    files.start(pixels())
    files.plan(planned)
    for place in places:
        files.write(place, chunk(place))
    return files.finish(rows)


def read(path):
    with h5py.File(path, "r") as file:
        return file[DATA][()]


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_codec_and_type_comes_back(tmp_path, codec, dtype, version):
    files = RawFiles(tmp_path, "run")
    files.start(pixels(codec, dtype))
    for place in (0, 1, 3):
        files.write(place, chunk(place, codec, dtype, version))
    [(path, rows)] = files.finish(4)
    data = read(path)
    assert path.name == "run_000001.h5"
    assert rows == 4
    assert data.dtype == dtype
    for place in (0, 1, 3):
        np.testing.assert_array_equal(data[place], frame(place, dtype))
    assert (data[2] == np.iinfo(dtype).max).all()


def test_files_are_cut_and_numbered(tmp_path):
    files = written(tmp_path, range(25), rows=25, planned=25, rows_per_file=10)
    assert [(path.name, rows) for path, rows in files] == [
        ("run_000001.h5", 10),
        ("run_000002.h5", 10),
        ("run_000003.h5", 5),
    ]
    with h5py.File(files[1][0]) as file:
        assert file[DATA].attrs["image_nr_low"] == 11
        assert file[DATA].attrs["image_nr_high"] == 20
        assert file[DATA].chunks == (1, *SHAPE)
        assert file[DATA].maxshape == (None, *SHAPE)
    with h5py.File(files[2][0]) as file:
        assert file[DATA].attrs["image_nr_high"] == 25
    everything = np.concatenate([read(path) for path, _ in files])
    np.testing.assert_array_equal(everything[:, 0, 0], np.arange(25))


def test_order_does_not_matter_even_across_closed_files(tmp_path):
    places = [49, 3, 41, 0, 11, 29, 1, 30, 2]
    files = written(tmp_path, places, rows=50, rows_per_file=10)
    data = np.concatenate([read(path) for path, _ in files])
    assert len(data) == 50
    for place in range(50):
        expected = frame(place) if place in places else np.full(SHAPE, 65535)
        np.testing.assert_array_equal(data[place], expected)


def test_grows_beyond_the_plan_and_gives_back(tmp_path):
    [(path, rows)] = written(tmp_path, range(130), rows=130, planned=10)
    assert read(path).shape[0] == rows == 130
    [(path, _)] = RawFilesOf(tmp_path / "b").planned(1000, stored=7)
    assert read(path).shape[0] == 7


class RawFilesOf:
    def __init__(self, directory):
        directory.mkdir()
        self.directory = directory

    def planned(self, rows, stored):
        return written(self.directory, range(stored), rows=stored, planned=rows)


def test_planned_extent_is_there_before_any_frame_and_readable_at_once(tmp_path):
    files = RawFiles(tmp_path, "run", first=tmp_path / "full name.h5")
    files.start(pixels())
    files.plan(40)
    files.flush()
    with h5py.File(tmp_path / "full name.h5", "r", swmr=True, locking=False) as file:
        assert file[DATA].shape == (40, *SHAPE)
        assert file[DATA][39, 0, 0] == 65535
    files.finish(0)


def test_a_reader_follows(tmp_path):
    files = RawFiles(tmp_path, "run")
    files.start(pixels())
    files.plan(3)
    with h5py.File(files.paths[0], "r", swmr=True, locking=False) as file:
        data = file[DATA]
        files.write(0, chunk(5))
        files.flush()
        data.refresh()
        np.testing.assert_array_equal(data[0], frame(5))
        files.write(120, chunk(6))
        files.flush()
        data.refresh()
        np.testing.assert_array_equal(data[120], frame(6))
    files.finish(121)


def test_is_made_anew_while_empty(tmp_path):
    files = RawFiles(tmp_path, "run")
    files.start(pixels())
    files.start(PixelFormat((6, 8), "uint32", Codec.LZ4))
    [(path, rows)] = files.finish(0)
    assert rows == 0
    assert read(path).shape == (0, 6, 8)
    assert read(path).dtype == np.uint32


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "run_000001.h5").write_text("mine")
    files = RawFiles(tmp_path, "run")
    with pytest.raises(WriteError, match=r"never overwritten") as info:
        files.start(pixels())
    assert info.value.errno == errno.EEXIST
    assert (tmp_path / "run_000001.h5").read_text() == "mine"


def test_a_missing_directory_is_named(tmp_path):
    files = RawFiles(tmp_path / "no", "run")
    with pytest.raises(WriteError, match=r"ENOENT.*make it"):
        files.start(pixels())


def test_abandoned_files_can_be_read(tmp_path):
    files = RawFiles(tmp_path, "run", rows_per_file=4)
    files.start(pixels())
    files.plan(100)
    for place in range(6):
        files.write(place, chunk(place))
    reports = files.abandon(6)
    assert [rows for _, rows in reports] == [4, 2]
    np.testing.assert_array_equal(np.concatenate([read(path) for path, _ in reports])[:, 0, 0], np.arange(6))


@pytest.mark.skipif(shutil.which("h5dump") is None, reason="h5dump (hdf5-tools) is not installed")
def test_hdf5_of_the_other_readers_takes_them(tmp_path):
    files = RawFiles(tmp_path, "run")
    files.start(pixels(Codec.NONE))
    files.plan(3)
    files.write(1, chunk(7, Codec.NONE))
    [(path, _)] = files.finish(3)
    done = subprocess.run(
        ["h5dump", "-d", DATA, "-s", "0,0,0", "-c", "3,1,1", "-m", "%u", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    values = [line.split(":")[1].strip() for line in done.stdout.splitlines() if line.strip().startswith("(")]
    assert values[:3] == ["65535", "7", "65535"]


def test_files_have_their_suffix_until_all_are_finished(tmp_path):
    files = RawFiles(tmp_path, "run", rows_per_file=2, suffix=".part")
    files.start(pixels())
    files.plan(6)
    for place in range(5):
        files.write(place, chunk(place))
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"run_00000{n}.h5.part" for n in (1, 2, 3)]
    found = files.finish(5)
    assert [path.name for path, _ in found] == [f"run_00000{n}.h5" for n in (1, 2, 3)]
    assert sorted(tmp_path.iterdir()) == [path for path, _ in found]
    assert (read(found[2][0])[0] == frame(4)).all()


def test_a_suffix_goes_after_an_error_too_but_never_over_another_file(tmp_path):
    (tmp_path / "run_000002.h5").write_text("precious")
    files = RawFiles(tmp_path, "run", rows_per_file=2, suffix=".part")
    files.start(pixels())
    for place in range(4):
        files.write(place, chunk(place))
    with pytest.raises(WriteError, match="another name"):
        files.finish(4)
    found = files.abandon(4)
    assert [path.name for path, _ in found] == ["run_000001.h5", "run_000002.h5.part"]
    assert (tmp_path / "run_000002.h5").read_text() == "precious"
    assert (read(found[1][0])[1] == frame(3)).all()
