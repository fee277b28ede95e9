"""A file that its writer never closed opens for plain readers once it is mended, with what was flushed."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from writer.mend_h5 import mend

LEAVE = """
import h5py, os, sys
file = h5py.File(sys.argv[1], "x", libver=("v110", "v110"), locking=False)
data = file.create_dataset("data", shape=(10, 6), maxshape=(None, 6), chunks=(1, 6), dtype="u2")
file.swmr_mode = True
data[:7] = 5
data.flush()
os._exit(0)
"""


def test_what_was_left_open_can_be_read(tmp_path):
    path = tmp_path / "left.h5"
    subprocess.run([sys.executable, "-c", LEAVE, str(path)], check=True)
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(path)
    size = path.stat().st_size
    mend(path)
    assert path.stat().st_size == size
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["data"][:7], 5)
        np.testing.assert_array_equal(file["data"][7:], 0)


def test_other_files_are_left_alone(tmp_path):
    path = tmp_path / "old.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        file["x"] = 1
    before = path.read_bytes()
    with pytest.raises(OSError, match="not one of ours"):
        mend(path)
    (tmp_path / "short").write_bytes(b"\x89HDF")
    with pytest.raises(OSError, match="not one of ours"):
        mend(tmp_path / "short")
    assert path.read_bytes() == before
