"""Codecs against HDF5's own filters, on their native and on their slow path, whole and damaged."""

import contextlib
import threading
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.stream import codecs, codecs_h5, lz4_block, payloads
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, Image, Rational
from layouts.stream.stream import encoder

PACKED = (Codec.BSLZ4, Codec.LZ4, Codec.BSZSTD)
DTYPES = ("uint8", "uint16", "uint32")
SHAPES = [(1, 1), (2, 3), (7, 9), (64, 64), (129, 515), (1, 8192), (3, 40961)]


def counts(shape, dtype, seed=1, mean=1.5):
    array = np.random.default_rng(seed).poisson(mean, shape).astype(dtype)
    array[: shape[0] // 4] = np.iinfo(dtype).max
    return array


def noise(shape, dtype):
    return np.random.default_rng(3).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.fixture(params=["native", "hdf5"])
def path(request, monkeypatch):
    if request.param == "hdf5":
        monkeypatch.setattr(codecs, "_native", lambda: None)
    assert codecs.backend() == request.param
    return request.param


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_packed_is_unpacked(path, dtype, codec, version):
    for array in (counts((129, 515), dtype), noise((33, 17), dtype), counts((1, 1), dtype)):
        payload = codecs.pack(array, codec, version=version)
        assert payload.framed == (version == 2 or codec is not Codec.LZ4)
        back = codecs.decompress(payload)
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize("dtype", DTYPES)
def test_hdf5_reads_every_payload_as_a_chunk(path, dtype, codec, version):
    for shape in SHAPES:
        for array in (counts(shape, dtype), noise(shape, dtype)):
            chunk = codecs.chunk_parts(codecs.pack(array, codec, version=version))
            read = codecs_h5.unpack(chunk, shape, dtype, *codecs.FILTERS[codec])
            np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize("dtype", DTYPES)
def test_we_read_what_hdf5_packs(dtype, codec):
    for shape in SHAPES:
        for array in (counts(shape, dtype), noise(shape, dtype)):
            payload = codecs.pack(array, codec)
            chunk = codecs_h5.pack(array, *codecs.FILTERS[codec])
            np.testing.assert_array_equal(codecs.decompress(replace(payload, data=chunk)), array)


def test_native_codecs_are_in_use_here():
    assert codecs.backend() == "native"


def test_a_library_without_the_routines_falls_back(tmp_path, caplog):
    assert codecs.load(tmp_path / "missing.so") is None
    import ctypes.util

    plain = ctypes.util.find_library("m")
    if plain is not None:
        assert codecs.load(plain) is None
    assert "HDF5 filters" in caplog.text


def test_a_library_that_packs_something_else_falls_back(monkeypatch, caplog):
    from layouts.stream.codecs_native import Native

    right = Native.bslz4
    monkeypatch.setattr(Native, "bslz4", lambda self, pixels: right(self, pixels // 2))
    assert codecs.load() is None
    assert "disagree" in caplog.text


def test_a_payload_that_is_a_chunk_already_is_not_copied():
    payload = codecs.pack(counts((64, 64), "uint16"), Codec.BSLZ4)
    assert codecs.chunk_parts(payload) is payload.data


def test_views_and_odd_arrays_are_packed_as_they_look():
    array = counts((64, 66), "uint16")
    for view in (array[::2, ::3], array.T, array.astype(">u2"), np.asfortranarray(array)):
        for codec in Codec:
            np.testing.assert_array_equal(codecs.decompress(codecs.pack(view, codec)), view)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2)), np.zeros((2, 2), "int32"), np.zeros((0, 4), "uint16"), np.zeros(4, "uint16")]
)
def test_what_no_detector_sends_is_refused(array):
    with pytest.raises(StreamError):
        codecs.pack(array, Codec.BSLZ4)


def test_lz4_gains_and_loses_its_frame():
    array = counts((64, 64), "uint32")
    with_frame, without = (codecs.pack(array, Codec.LZ4, version=version) for version in (2, 1))
    assert payloads.framed(without).data == with_frame.data
    assert bytes(payloads.unframed(with_frame).data) == without.data
    assert payloads.framed(with_frame) is with_frame
    assert payloads.unframed(without) is without
    incompressible = codecs.pack(noise((64, 64), "uint32"), Codec.LZ4)
    bare = payloads.unframed(incompressible)
    np.testing.assert_array_equal(codecs.decompress(bare), codecs.decompress(incompressible))


def test_a_block_as_long_as_its_pixels_is_stored_unpacked():
    # Noise with a few bytes said twice, which saves as much as the tokens and counts take.
    noisy = np.random.default_rng(5).integers(0, 256, 60, dtype=np.uint8)
    made = 0
    for again in range(4, 12):
        array = np.concatenate([noisy[:40], noisy[3 : 3 + again], noisy[40:54]])[None]
        payload = codecs.pack(array, Codec.LZ4, version=1)
        made += len(payload.data) == array.nbytes
        read = codecs_h5.unpack(codecs.chunk_parts(payload), array.shape, "uint8", *codecs.FILTERS[Codec.LZ4])
        np.testing.assert_array_equal(read, array)
    assert made


def test_two_blocks_are_read_and_not_sent_as_one():
    array = counts((64, 64), "uint16")
    chunk = codecs_h5.pack(array, 32004, (4096,))
    payload = replace(codecs.pack(array, Codec.LZ4), data=chunk)
    np.testing.assert_array_equal(codecs.decompress(payload), array)
    with pytest.raises(StreamError, match="several blocks"):
        payloads.unframed(payload)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("codec", list(Codec))
def test_payloads_cut_short_are_refused(codec, version):
    payload = codecs.pack(counts((64, 64), "uint16"), codec, version=version)
    for end in range(0, len(payload.data), 7):
        with pytest.raises(StreamError):
            codecs.decompress(replace(payload, data=payload.data[:end]))


@settings(max_examples=150)
@given(st.data(), st.sampled_from(PACKED), st.sampled_from([1, 2]))
def test_damaged_payloads_are_refused_or_read_never_followed_astray(data, codec, version):
    payload = codecs.pack(counts((33, 65), "uint16"), codec, version=version)
    damaged = bytearray(payload.data)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(StreamError):
        assert codecs.decompress(replace(payload, data=bytes(damaged))).shape == (33, 65)


@pytest.mark.parametrize(
    "change", [{"shape": (64, 63)}, {"dtype": "uint32"}, {"shape": (0, 64)}, {"dtype": "float32"}]
)
@pytest.mark.parametrize("codec", [Codec.BSLZ4, Codec.NONE])
def test_a_size_that_disagrees_with_the_shape_is_refused(codec, change):
    payload = codecs.pack(counts((64, 64), "uint16"), codec)
    with pytest.raises(StreamError):
        payloads.check(replace(payload, **change))


@settings(max_examples=100)
@given(st.binary(max_size=400) | st.binary(max_size=3).map(lambda some: some * 200))
def test_plain_python_reads_lz4(plain):
    if plain:
        block = codecs.compress(np.frombuffer(plain, np.uint8), Codec.LZ4, framed=False)
        assert lz4_block.expand(memoryview(block), len(plain)) == plain
    assert lz4_block.expand(memoryview(lz4_block.literal(memoryview(plain))), len(plain)) == plain


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_plain_python_survives_noise(noise):
    with contextlib.suppress(StreamError):
        assert len(lz4_block.expand(memoryview(noise), 50)) == 50


def test_threads_pack_the_same(monkeypatch):
    monkeypatch.setattr(codecs, "_loaded", codecs.functools.cache(codecs.load))
    array = counts((128, 128), "uint16")
    right = codecs.codecs_native.Native(codecs.codecs_native.library()).bslz4(array)
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(codecs.compress(array, Codec.BSLZ4))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [right] * 6


def test_filters_are_those_of_hdf5():
    assert codecs.hdf5_filter(Codec.BSLZ4) == (32008, (0, 2))
    assert codecs.hdf5_filter(Codec.LZ4) == (32004, (0,))
    assert codecs.hdf5_filter(Codec.NONE) is None
    assert codecs.hdf5_filter(Codec.BSZSTD) == (32008, (0, 3))


@pytest.mark.parametrize("codec", PACKED)
def test_a_codec_is_known_by_the_filter_of_a_file(codec, tmp_path):
    number, options = codecs.FILTERS[codec]
    with h5py.File(tmp_path / "f.h5", "w") as file:
        data = file.create_dataset(
            "d", (4, 4), "u2", chunks=(4, 4), compression=number, compression_opts=options
        )
        found, _, said, _ = data.id.get_create_plist().get_filter(0)
    assert codecs.codec_of(found, said) is codec
    assert codecs.codec_of(1, (4,)) is None


def test_the_emptiest_frame_is_unpacked_however_well_it_was_packed():
    array = np.zeros((1000, 1000), "uint32")
    payload = codecs.pack(array, Codec.BSZSTD)
    assert array.nbytes > 300 * len(payload.data)
    np.testing.assert_array_equal(codecs.decompress(payload), array)


@pytest.mark.parametrize("version", [1, 2])
def test_no_stream_carries_bszstd(version):
    payload = codecs.pack(np.zeros((4, 4), "uint16"), Codec.BSZSTD)
    zero = Rational(0, 1_000_000_000)
    image = Image(
        series=1,
        unique_id="u" * 26 if version == 2 else None,
        frame=0,
        payloads=(payload,),
        series_date="2026-03-01T12:00:01.000+00:00" if version == 2 else None,
        start_time=zero,
        stop_time=zero,
        real_time=zero,
    )
    with pytest.raises(StreamError, match="no detector sends"):
        encoder(version).encode_image(image)


@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_cut_short_or_too_long_are_found_without_unpacking(shape, dtype, codec):
    payload = codecs.pack(noise(shape, dtype), codec)
    payloads.check_blocks(payload)
    size = len(payload.data)
    for wrong in (payload.data[: size // 2], payload.data[:-1], bytes(payload.data) + b"\0"):
        with pytest.raises(StreamError):
            payloads.check_blocks(replace(payload, data=wrong))
