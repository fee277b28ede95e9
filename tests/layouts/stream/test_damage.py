"""Damaged, foreign and hostile messages: a StreamError in words each time, never anything else."""

import contextlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.stream import cbor, codecs, stream
from layouts.stream.cbor import Tagged
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec
from tests.layouts.stream import examples

VERSIONS = pytest.mark.parametrize("version", [1, 2])
KINDS = pytest.mark.parametrize("kind", ["start", "image", "end"])


def message(version, kind):
    if kind == "image":
        payload = codecs.pack(examples.pixels().repeat(40, axis=1), Codec.BSLZ4, version=version)
        return examples.encode(examples.image(version, payload), version)
    return examples.encode(getattr(examples, kind)(version), version)


def changed(kind, **changes):
    """A message of version 2 with other values; ... takes a key out."""
    values = cbor.decode(message(2, kind)[0]) | changes
    return [cbor.encode({key: value for key, value in values.items() if value is not ...})]


def changed_part(kind, index, **changes):
    """A message of version 1 with other values in one of its parts."""
    parts = message(1, kind)
    values = orjson.loads(parts[index]) | changes
    parts[index] = orjson.dumps({key: value for key, value in values.items() if value is not ...})
    return parts


def refused(parts, what=None):
    with pytest.raises(StreamError, match=what) as caught:
        stream.decode(parts)
    error = caught.value
    assert error.what
    assert error.where
    assert error.remedy
    assert str(error) == f"{error.where}: {error.what}; {error.remedy}"


@VERSIONS
@KINDS
def test_cut_at_every_byte(version, kind):
    parts = message(version, kind)
    # Part 1 alone tells an appendix from a part that is missing; it may be cut itself.
    whole = len(parts) - (1 if version == 1 and kind == "start" else 0)
    for index in range(whole):
        for end in range(0, len(parts[index]), 1 if len(parts[index]) < 200 else 7):
            refused([*parts[:index], parts[index][:end], *parts[index + 1 :]])


@VERSIONS
@KINDS
def test_parts_missing(version, kind):
    parts = message(version, kind)
    refused([])
    for count in range(1, len(parts) - (1 if kind == "start" else 0)):
        refused(parts[:count], "parts")


@VERSIONS
@KINDS
@settings(max_examples=100)
@given(data=st.data())
def test_bytes_changed(version, kind, data):
    parts = [bytearray(part) for part in message(version, kind)]
    for _ in range(data.draw(st.integers(1, 4))):
        part = parts[data.draw(st.integers(0, len(parts) - 1))]
        part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(StreamError):
        stream.decode([bytes(part) for part in parts])


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_noise(parts):
    with contextlib.suppress(StreamError):
        stream.decode(parts)


@pytest.mark.parametrize("first", [b"", b"\x00", b"hello", b"[1]", b"null", b"\xff\xff"])
def test_foreign_messages(first):
    refused([first])
    with pytest.raises(StreamError):
        stream.peek(first)


@pytest.mark.parametrize("text", [b"{", b"{}", b'{"htype":"deseries_end-1.0","series":1}', b'{"htype":[]}'])
def test_foreign_json(text):
    refused([text])
    with pytest.raises(StreamError):
        stream.peek(text)


def test_deep_nesting():
    refused([b'{"a":' * 100_000])
    refused([b'{"htype":"dheader-1.0","header_detail":"none","series":' + b"[" * 2000 + b"]" * 2000 + b"}"])
    refused([cbor.SELF_DESCRIBED_BYTES + b"\xa1\x61a" * 10_000], "nested")
    refused([cbor.SELF_DESCRIBED_BYTES + b"\x81" * 10_000], "nested")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"series_id": ...}, "series_id"),
        ({"series_id": "7"}, "series_id"),
        ({"series_id": -1}, "series_id"),
        ({"series_id": True}, "series_id"),
        ({"image_id": 1.0}, "image_id"),
        ({"type": "picture"}, "picture"),
        ({"type": ...}, "neither"),
        ({"series_unique_id": 5}, "series_unique_id"),
        ({"series_date": 5}, "date"),
        ({"start_time": 5}, "start_time"),
        ({"start_time": [1]}, "start_time"),
        ({"start_time": [1, 0]}, "start_time"),
        ({"start_time": [-1, 5]}, "start_time"),
        ({"start_time": [1.5, 5]}, "start_time"),
        ({"data": ...}, "data"),
        ({"data": []}, "data"),
        ({"data": {}}, "no channel"),
    ],
)
def test_fields_of_an_image_of_version_2(changes, what):
    refused(changed("image", **changes), what)


@pytest.mark.parametrize(
    ("array", "what"),
    [
        (b"abcdef", "tag 40"),
        (Tagged(41, [[2, 3], Tagged(64, b"abcdef")]), "tag 40"),
        (Tagged(40, [[2, 3], Tagged(65, b"abcdef")]), "tag 65"),
        (Tagged(40, [[2, 3], b"abcdef"]), "typed array"),
        (Tagged(40, [[2, 3], Tagged(85, b"abcd" * 6)]), "float32"),
        (Tagged(40, [[2, 3], Tagged(64, b"abcde")]), "5 bytes"),
        (Tagged(40, [[3, 3], Tagged(64, b"abcdef")]), "6 bytes"),
        (Tagged(40, [[2, 3, 1], Tagged(64, b"abcdef")]), "shape"),
        (Tagged(40, [[0, 3], Tagged(64, b"")]), "above"),
        (Tagged(40, [[-2, -3], Tagged(64, b"abcdef")]), "whole number"),
        (Tagged(40, [[True, 6], Tagged(64, b"abcdef")]), "whole number"),
        (Tagged(40, [[2, 3], Tagged(64, "abcdef")]), "bytes"),
        (Tagged(40, [[2, 3], Tagged(64, Tagged(56500, ["zstd", 1, b"abcdef"]))]), "zstd"),
        (Tagged(40, [[2, 3], Tagged(64, Tagged(56500, ["bslz4", 2, b"abcdef" * 5]))]), "elements of 2"),
        (Tagged(40, [[2, 3], Tagged(64, Tagged(56500, ["bslz4", 1, b"abcdef"]))]), "less than the header"),
        (Tagged(40, [[2, 3], Tagged(64, Tagged(56500, ["bslz4", 1, b"\0" * 20]))]), "header says 0"),
        (Tagged(40, [[2, 3], Tagged(64, Tagged(56500, ["lz4", 0, "text"]))]), "bytes"),
        (Tagged(40, [[2, 3], Tagged(64, Tagged(56501, ["lz4", 0, b"abcdef"]))]), "56500"),
        (Tagged(40, [[2**63, 2**63], Tagged(64, b"abcdef")]), "6 bytes"),
    ],
)
def test_arrays_of_an_image_of_version_2(array, what):
    refused(changed("image", data={"threshold_1": array}), what)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"series_id": ...}, "series_id"),
        ({"flatfield": 5}, "map"),
        ({"flatfield": {"threshold_1": Tagged(40, [[1, 1], Tagged(70, b"abcd")])}}, "not float32"),
        ({"pixel_mask": {"threshold_1": Tagged(40, [[1, 2], Tagged(70, b"abcd")])}}, "4 bytes"),
        ({"countrate_correction_lookup_table": b"abcd"}, "typed"),
        ({"countrate_correction_lookup_table": Tagged(70, b"abcde")}, "5 bytes"),
        ({"countrate_correction_lookup_table": Tagged(70, Tagged(56500, ["lz4", 0, b"abc"]))}, "header"),
        (
            {"countrate_correction_lookup_table": Tagged(70, Tagged(56500, ["lz4", 0, b"\0" * 16]))},
            "empty|shape",
        ),
        (
            {"countrate_correction_lookup_table": Tagged(70, Tagged(56500, ["lz4", 0, b"\xff" * 16]))},
            "room for",
        ),
        ({"arm_date": 5}, "date"),
    ],
)
def test_fields_of_a_start_of_version_2(changes, what):
    refused(changed("start", **changes), what)


@pytest.mark.parametrize(
    ("index", "changes", "what"),
    [
        (0, {"series": ...}, "series"),
        (0, {"series": -1}, "series"),
        (0, {"frame": "0"}, "frame"),
        (1, {"encoding": "bs16-lz4>"}, "big-endian"),
        (1, {"encoding": "bs32-lz4<"}, "widths"),
        (1, {"encoding": "bs16<"}, "encoding"),
        (1, {"encoding": "zstd<"}, "encoding"),
        (1, {"encoding": 5}, "encoding"),
        (1, {"encoding": "<"}, "are right"),
        (1, {"type": "float32"}, "float32"),
        (1, {"type": ...}, "type"),
        (1, {"shape": [2, 2]}, "header says"),
        (1, {"shape": [2]}, "shape"),
        (1, {"shape": [2, -2]}, "whole number"),
        (1, {"shape": ...}, "shape"),
        (1, {"size": 5}, "part 2 says 5"),
        (3, {"start_time": 1.5}, "start_time"),
        (3, {"real_time": ...}, "real_time"),
    ],
)
def test_fields_of_an_image_of_version_1(index, changes, what):
    refused(changed_part("image", index, **changes), what)


@pytest.mark.parametrize(
    ("index", "changes", "what"),
    [
        (0, {"header_detail": "some"}, "some"),
        (0, {"header_detail": ...}, "header_detail"),
        (0, {"series": None}, "series"),
        (2, {"htype": "dpixelmask-1.0"}, "dpixelmask"),
        (2, {"shape": [3, 3]}, "24 bytes"),
        (4, {"type": "uint16"}, "uint16"),
        (6, {"shape": [4, 4]}, "32 bytes"),
    ],
)
def test_fields_of_a_start_of_version_1(index, changes, what):
    refused(changed_part("start", index, **changes), what)


def test_encodings_of_version_1_with_and_without_their_marks():
    for encoding in ("bs16-lz4<", "bs16lz4<", "bs16-lz4"):
        parts = changed_part("image", 1, encoding=encoding)
        assert stream.decode(parts).payloads[0].codec is Codec.BSLZ4
    eight = codecs.pack(examples.pixels().astype("uint8"), Codec.NONE)
    parts = examples.encode(examples.image(1, eight), 1)
    parts[1] = parts[1].replace(b'"<"', b'">"')
    assert stream.decode(parts).payloads[0].codec is Codec.NONE


def test_a_message_of_version_2_in_two_parts():
    refused([*message(2, "end"), b"more"], "parts")
