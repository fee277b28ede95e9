"""A capture followed while it is written, by the HDF5 1.10 that DIALS has."""

import subprocess

import pytest

from layouts.raw.names import meta_file, raw_file
from layouts.stream.messages import Codec
from tests.conformance.dials_programs import DialsError, python
from tests.kit.live import READER, Reader, capture_with
from tests.kit.push import Push
from tests.kit.worker import Worker

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(300)]

_ASK = """
import h5py
print(h5py.version.hdf5_version, h5py.h5z.filter_avail(32008))
"""


@pytest.fixture(scope="module")
def interpreter():
    """DIALS' Python, and whether its HDF5 has the bitshuffle filter."""
    try:
        found = python()
    except DialsError as error:
        pytest.skip(str(error))
    asked = subprocess.run([*found, "-c", _ASK], capture_output=True, text=True, timeout=60, check=False)
    if asked.returncode:
        pytest.skip(f"{found[0]} has no h5py: {asked.stderr.strip()[-200:]}")
    version, bitshuffle = asked.stdout.split()
    if not version.startswith("1.10."):
        pytest.skip(f"DIALS' HDF5 is {version}: this test is about 1.10")
    return found, bitshuffle == "True"


@pytest.mark.parametrize("codec", [Codec.BSLZ4, Codec.NONE])
def test_hdf5_1_10_follows_to_the_last_frame(interpreter, codec, tmp_path):
    command, bitshuffle = interpreter
    if codec is Codec.BSLZ4 and not bitshuffle:
        pytest.skip("the HDF5 of DIALS has no bitshuffle filter; install Debian's package bitshuffle")
    push = Push(2, codec=codec)
    worker = Worker(push.endpoint)
    try:
        files = tmp_path / meta_file("run"), tmp_path / raw_file("run", 1)
        readers = [Reader([*command, READER, *files], tmp_path / f"{name}.txt") for name in ("one", "two")]
        capture_with(readers, push, worker, tmp_path)
        assert readers[0].lines()[0].startswith("1.10.")
    finally:
        worker.close()
        push.close()
