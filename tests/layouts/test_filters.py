"""Filters work also where HDF5 has loaded them by itself, as in a shell that has read ``softbeam env``."""

import os
import subprocess
import sys

import pytest

from layouts.filters_h5 import FOLDER

CODE = """
import sys
import h5py
import numpy as np
import layouts.filters_h5

with h5py.File(sys.argv[1], "w") as file:
    for number, options in ((32008, (0, 2)), (32004, (0,))):
        name = str(number)
        file.create_dataset(
            name, data=np.arange(10000, dtype="u2"), chunks=(10000,),
            compression=number, compression_opts=options,
        )
        assert (file[name][()] == np.arange(10000)).all()
"""


@pytest.mark.parametrize("path", ["", FOLDER, "/nowhere"])
def test_frames_are_packed_and_unpacked_whatever_the_plugin_path(tmp_path, path):
    done = subprocess.run(
        [sys.executable, "-c", CODE, tmp_path / "file.h5"],
        env=os.environ | {"HDF5_PLUGIN_PATH": path},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
