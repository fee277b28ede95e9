"""Golden bytes of our own: what stands in for the recordings where those are absent."""

import numpy as np
import pytest

from layouts.stream import codecs, stream
from layouts.stream.messages import Codec, Payload
from tests.layouts.stream import examples, golden

NAMES = pytest.mark.parametrize("name", sorted(golden.MESSAGES))


def expected(name):
    version, kind = int(name[1]), name[3:]
    if kind == "start":
        return examples.start(version)
    if kind == "end":
        return examples.end(version)
    payload = Payload(
        channel="threshold_1",
        shape=(2, 3),
        dtype="uint16",
        codec=Codec.BSLZ4,
        data=golden.read(name)[2] if version == 1 else golden.read(name)[0][-len(golden.chunk()) :],
    )
    return examples.image(version, payload, appendix="note" if version == 1 else None)


@NAMES
def test_golden_bytes_are_read(name):
    assert examples.same(stream.decode(golden.read(name)), expected(name))


@NAMES
def test_values_are_written_to_golden_bytes(name):
    assert examples.encode(expected(name), int(name[1])) == golden.read(name)


@NAMES
def test_golden_files_are_what_json_and_cbor2_make(name):
    assert golden.MESSAGES[name]() == golden.read(name)


@pytest.mark.parametrize("version", [1, 2])
def test_golden_pixels(version):
    message = stream.decode(golden.read(f"v{version}-image"))
    np.testing.assert_array_equal(codecs.decompress(message.payloads[0]), examples.pixels())
