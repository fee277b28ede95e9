"""Checksums of frames: kept from the socket to the meta file, and compared by softbeam check."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from layouts.raw import checksums
from layouts.raw.names import DATA, Meta
from tests.kit.masters import run

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]


def check(master, *options):
    command = [sys.executable, "-m", "softbeam", "check", str(master), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def taken(directory, **storage):
    async def work(rig):
        return await rig.acquire(images=10)

    assert run(work, directory, images_per_file=4, **storage) == "complete"
    return directory / "data" / "run.nxs"


def test_a_frame_that_has_changed_is_found(tmp_path):
    master = taken(tmp_path, checksum="xxh3")
    whole = check(master, "--deep")
    assert whole.returncode == 0, whole.stdout
    # Another frame in its place: it can be decoded, and nothing but the checksum knows.
    with h5py.File(master.parent / "run_EIG1_000002.h5", "r+") as file:
        data = file[DATA]
        _, other = data.id.read_direct_chunk((0, 0, 0))
        data.id.write_direct_chunk((1, 0, 0), other)
    with h5py.File(master.parent / "run_EIG1_meta.h5") as file:
        column = file[f"{Meta.COLUMNS}/{checksums.COLUMN}"]
        assert column.attrs[checksums.ALGORITHM] == b"xxh3"
        assert column.dtype == np.uint64
        expected = int(column[5])
    assert check(master).returncode == 0
    wrong = check(master, "--deep")
    assert wrong.returncode == 1
    (line,) = [line for line in wrong.stdout.splitlines() if "checksum" in line]
    assert "frame 5 (run_EIG1_000002.h5, row 1)" in line
    assert f"{checksums.digest_of(checksums.Checksum.XXH3)(other):016x}" in line
    assert f"{expected:016x} was expected" in line


def test_there_are_none_unless_asked_for(tmp_path):
    master = taken(tmp_path)
    with h5py.File(master.parent / "run_EIG1_meta.h5") as file:
        assert checksums.COLUMN not in file[Meta.COLUMNS]
    assert check(master, "--deep").returncode == 0
