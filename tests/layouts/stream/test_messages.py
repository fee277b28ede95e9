"""Every message of both versions, to bytes and back."""

import hashlib
from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.stream import cbor, codecs, codecs_h5, stream
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, HeaderDetail, Image, Rational
from tests.layouts.stream import examples, strategies

VERSIONS = pytest.mark.parametrize("version", [1, 2])
FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)


@VERSIONS
@FEW
@given(st.data())
def test_what_is_written_is_read_and_written_the_same(version, data):
    message = data.draw(strategies.messages(version))
    parts = examples.encode(message, version)
    read = stream.decode(parts)
    assert examples.same(read, message)
    assert examples.encode(read, version) == parts
    assert stream.version_of(parts) == version
    assert stream.peek(parts[0]).series == message.series


@pytest.mark.parametrize("key", ["start_time", "stop_time", "real_time"])
def test_a_time_over_zero_is_refused(key):
    payload = codecs.pack(examples.pixels(), Codec.BSLZ4)
    (message,) = examples.encode(examples.image(2, payload, **{key: Rational(5, 0)}), 2)
    with pytest.raises(StreamError, match=key):
        stream.decode([message])


@VERSIONS
def test_lz4_is_sent_as_each_version_has_it(version):
    array = np.arange(600, dtype=np.uint16).reshape(20, 30) // 50
    for made_for in (1, 2):
        payload = codecs.pack(array, Codec.LZ4, version=made_for)
        image = stream.decode(examples.encode(examples.image(version, payload), version))
        (read,) = image.payloads
        assert read.framed == (version == 2)
        np.testing.assert_array_equal(codecs.decompress(read), array)


@pytest.mark.parametrize("detail", list(HeaderDetail))
def test_version_1_takes_an_appendix_at_every_detail(detail):
    start = examples.start(1, detail=detail)
    parts = examples.encode(start, 1)
    assert len(parts) == {"none": 2, "basic": 3, "all": 9}[detail]
    read = stream.decode(parts)
    assert read.appendix == start.appendix
    assert stream.decode(parts[:-1]).appendix is None
    assert bool(read.flatfield) == (detail is HeaderDetail.ALL)
    assert bool(read.config) == (detail is not HeaderDetail.NONE)


def test_an_appendix_of_version_1_may_be_anything():
    assert stream.decode([*examples.encode(examples.end(1), 1)]).series == 7
    start = examples.start(1, detail=HeaderDetail.NONE)
    assert stream.decode(examples.encode(replace(start, appendix=b"\xff\xfe"), 1)).appendix == b"\xff\xfe"
    assert stream.decode(examples.encode(replace(start, appendix={"a": 1}), 1)).appendix == '{"a":1}'


def test_version_1_sizes_are_width_and_height_and_the_hash_is_of_part_2():
    payload = codecs.pack(examples.pixels(), Codec.BSLZ4, version=1)
    first, about, blob, times = examples.encode(examples.image(1, payload), 1)
    assert orjson.loads(about) == {
        "encoding": "bs16-lz4<",
        "htype": "dimage_d-1.0",
        "shape": [3, 2],
        "size": len(blob),
        "type": "uint16",
    }
    assert orjson.loads(first)["hash"] == hashlib.md5(about).hexdigest()
    assert orjson.loads(times)["stop_time"] == 4_999_995


def test_ticks_of_version_2_become_whole_nanoseconds_in_version_1():
    payload = codecs.pack(examples.pixels(), Codec.BSLZ4)
    image = examples.image(2, payload)
    read = stream.decode(examples.encode(image, 1))
    assert read.stop_time == Rational(99_999_900, 10**9)
    with pytest.raises(StreamError, match="nanoseconds"):
        examples.encode(replace(image, stop_time=Rational(1, 3)), 1)


def test_two_channels_go_in_version_2_only():
    payloads = tuple(
        codecs.pack(examples.pixels() + n, Codec.BSLZ4, channel=f"threshold_{n + 1}") for n in range(2)
    )
    read = stream.decode(examples.encode(examples.image(2, *payloads), 2))
    assert isinstance(read, Image)
    assert [p.channel for p in read.payloads] == ["threshold_1", "threshold_2"]
    with pytest.raises(StreamError, match="version 2"):
        examples.encode(examples.image(1, *payloads), 1)


@pytest.mark.parametrize("filter_id", [32008, 32004])
def test_packed_masks_flatfields_and_tables_are_read(filter_id):
    start = examples.start(2)
    algorithm, size = {32008: ("bslz4", 4), 32004: ("lz4", 0)}[filter_id]

    def packed(array):
        options = {32008: (0, 2), 32004: (0,)}[filter_id]
        return cbor.Tagged(cbor.COMPRESSED, [algorithm, size, codecs_h5.pack(array, filter_id, options)])

    message = cbor.decode(examples.encode(start, 2)[0]).copy()
    for key, arrays, tag in (("flatfield", start.flatfield, 85), ("pixel_mask", start.pixel_mask, 70)):
        array = arrays["threshold_1"]
        message[key] = {"threshold_1": cbor.Tagged(40, [[2, 3], cbor.Tagged(tag, packed(array))])}
    message["countrate_correction_lookup_table"] = cbor.Tagged(70, packed(start.countrate_table))
    assert examples.same(stream.decode([cbor.encode(message)]), start)


def test_keys_of_later_firmware_are_kept_in_their_places():
    start = examples.start(2)
    message = cbor.decode(examples.encode(start, 2)[0])
    keys = list(message)
    keys.insert(keys.index("frame_time"), "frame_shape_factor")
    keys.insert(-1, "zenith")
    longer = {key: message.get(key, 1.5) for key in keys}
    longer["arm_date"] = cbor.Tagged(0, examples.DATE)
    parts = [cbor.SELF_DESCRIBED_BYTES + cbor.encode(longer)]
    read = stream.decode(parts)
    assert read.config["zenith"] == 1.5
    assert examples.encode(read, 2) == parts


@pytest.mark.parametrize("version", [0, 3])
def test_there_are_two_versions(version):
    with pytest.raises(StreamError, match="1 and 2"):
        stream.encoder(version)


@pytest.mark.parametrize("missing", ["flatfield", "pixel_mask", "countrate_table"])
def test_version_1_does_not_send_all_without_all(missing):
    nothing = None if missing == "countrate_table" else {}
    with pytest.raises(StreamError, match="give it"):
        examples.encode(examples.start(1, **{missing: nothing}), 1)


@pytest.mark.parametrize("message", [examples.start(2), examples.end(2), examples.image(2)])
def test_version_2_does_not_send_without_unique_id(message):
    with pytest.raises(StreamError, match="unique id"):
        examples.encode(replace(message, unique_id=None), 2)


@pytest.mark.parametrize("key", ["type", "series_id", "pixel_mask", "user_data"])
def test_version_2_has_each_key_once(key):
    start = examples.start(2)
    with pytest.raises(StreamError, match=key):
        examples.encode(replace(start, config={**start.config, key: 1}), 2)


@VERSIONS
def test_what_cannot_be_said_is_refused(version):
    start = examples.start(version)
    with pytest.raises(StreamError):
        examples.encode(replace(start, config={"a": object()}), version)
    with pytest.raises(StreamError):
        examples.encode(replace(start, appendix=object()), version)
