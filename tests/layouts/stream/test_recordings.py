"""Recordings of real detectors: read whole, and written again to the same bytes."""

import hashlib

import numpy as np
import pytest

from layouts.stream import codecs, codecs_h5, stream
from layouts.stream.messages import End, HeaderDetail, Image, Start
from layouts.stream.parameters import config_v1, config_v2, parameters
from tests import recordings
from tests.layouts.stream import examples

VERSIONS = pytest.mark.parametrize("version", [1, 2])


@VERSIONS
def test_every_message_is_written_as_it_was_read(version):
    for parts in recordings.load(version):
        assert examples.encode(stream.decode(parts), version) == parts


@VERSIONS
def test_the_messages_are_what_they_are(version):
    messages = [stream.decode(parts) for parts in recordings.load(version)]
    kinds = [type(message) for message in messages]
    assert kinds == ([Start] + [Image] * 9 if version == 1 else [Start] + [Image] * 10 + [End])
    start = messages[0]
    assert start.detail is HeaderDetail.ALL
    assert start.flatfield["threshold_1"].shape == start.pixel_mask["threshold_1"].shape == (1065, 1030)
    assert [m.frame for m in messages if isinstance(m, Image)] == list(range(kinds.count(Image)))
    assert len({m.series for m in messages}) == 1


@VERSIONS
def test_views_of_frames_do_as_well_as_bytes(version):
    for parts in recordings.load(version):
        views = [memoryview(part) for part in parts]
        assert examples.same(stream.decode(views), stream.decode(parts))


@VERSIONS
def test_peek_agrees_with_decode(version):
    for parts in recordings.load(version):
        message, peeked = stream.decode(parts), stream.peek(parts[0])
        assert (peeked.version, peeked.kind, peeked.series) == (version, type(message), message.series)
        assert peeked.frame == getattr(message, "frame", None)


@VERSIONS
def test_pixels_are_those_that_hdf5_reads(version):
    for parts in recordings.load(version):
        message = stream.decode(parts)
        if not isinstance(message, Image):
            continue
        (payload,) = message.payloads
        read = codecs_h5.unpack(
            codecs.chunk_parts(payload), payload.shape, payload.dtype, *codecs.FILTERS[payload.codec]
        )
        assert codecs.chunk_parts(payload) is payload.data
        np.testing.assert_array_equal(codecs.decompress(payload), read)
        assert codecs.decompress(codecs.pack(read, payload.codec)).tobytes() == read.tobytes()


@VERSIONS
def test_our_encoder_packs_as_well_as_the_detector(version):
    payload = stream.decode(recordings.load(version)[1]).payloads[0]
    ours = codecs.compress(codecs.decompress(payload), payload.codec)
    assert len(ours) < 1.02 * len(payload.data)
    assert bytes(ours[:12]) == bytes(payload.data[:12])


def test_the_hash_is_that_of_the_next_part():
    start, *images = recordings.load(1)
    assert len(start) == 9
    for parts in images:
        assert hashlib.md5(parts[1]).hexdigest().encode() in parts[0]


@VERSIONS
def test_parameters_give_the_same_words_back(version):
    start = stream.decode(recordings.load(version)[0])
    said = parameters(start)
    assert said.image_size == (1030, 1065)
    assert said.energy == 8000.0
    assert said.saturation_value == 2943293
    if version == 1:
        inner = ("frame_count_time", "frame_period", "number_of_excluded_pixels")
        config = config_v1(said, **{key: start.config[key] for key in inner})
        assert len(config) == 48
        assert said.images == 100_000
        assert said.countrate_cutoff == 2943293
    else:
        config = config_v2(said)
        assert said.goniometer == {}
        assert said.dtype is None
        assert said.images == 10
    assert list(config.items()) == list(start.config.items())


def test_the_countrate_table_of_version_1_maps_counted_to_true():
    table = stream.decode(recordings.load(1)[0]).countrate_table
    assert table is not None
    assert table.shape == (2, 4000)
    assert (np.diff(table[0]) > 0).all()
    np.testing.assert_allclose(table[0, 1:10], table[1, 1:10], rtol=0.01)
