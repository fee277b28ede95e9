"""Recordings of real detectors, where they are present; tests that need them skip where not.

>>> messages = load(2)   # in a test: one list of parts for each message, in order of arrival
"""

import functools
import gzip
import io
import os
from pathlib import Path

import cbor2
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "recordings"


def path(version: int) -> Path:
    """Where the recording of a stream version is, or would be."""
    folder = Path(os.environ.get("SOFTBEAM_RECORDINGS") or FOLDER)
    return folder / f"eiger1-1m-stream-v{version}.cborseq.gz"


def load(version: int) -> list[list[bytes]]:
    """All messages of a recording as lists of parts; skips the calling test where it is not there."""
    file = path(version)
    if not file.is_file():
        pytest.skip(f"recording {file} is missing; SOFTBEAM_RECORDINGS names its folder")
    return _read(file)


@functools.cache
def _read(file: Path) -> list[list[bytes]]:
    sequence = gzip.decompress(file.read_bytes())
    stream = io.BytesIO(sequence)
    decoder = cbor2.CBORDecoder(stream)
    messages: list[list[bytes]] = []
    while stream.tell() < len(sequence):
        messages.append(decoder.decode())
    return messages
