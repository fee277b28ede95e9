"""Packing and unpacking pixels, and what HDF5 must be told of them.

A payload is stored as it came: bslz4 is the chunk of HDF5 filter 32008, framed lz4 that of 32004; version 1's
lz4 alone has no frame and gets one. Every function may be called from any thread.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from layouts.stream import codecs_native, payloads
from layouts.stream.arrays import PIXEL_TYPES, THRESHOLD_1, from_bytes
from layouts.stream.codecs_native import Native
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, Payload

_log = logging.getLogger(__name__)

FILTERS: Final[dict[Codec, tuple[int, tuple[int, ...]]]] = {
    Codec.BSLZ4: (32008, (0, 2)),
    Codec.LZ4: (32004, (0,)),
    Codec.BSZSTD: (32008, (0, 3)),
}
"""Number and client data of the HDF5 filter whose chunks a codec's payloads are."""
_SAID_LAST: Final = 4
"""Where bitshuffle's client data in a file says what packs the shuffled bits."""


def hdf5_filter(codec: Codec) -> tuple[int, tuple[int, ...]] | None:
    """What a dataset's filter is for a codec's payloads: its number and client data; nothing for "none"."""
    return FILTERS.get(codec)


def codec_of(number: int, options: Sequence[int]) -> Codec | None:
    """What a dataset's filter packs with; None if it is none of these.

    Args:
        number: Of the filter.
        options: Its client data as a file has it; bitshuffle puts three values before what it is told.
    """
    if number == FILTERS[Codec.LZ4][0]:
        return Codec.LZ4
    if number != FILTERS[Codec.BSLZ4][0]:
        return None
    zstd = FILTERS[Codec.BSZSTD][1][1]
    return Codec.BSZSTD if len(options) > _SAID_LAST and options[_SAID_LAST] == zstd else Codec.BSLZ4


def chunk_parts(payload: Payload) -> bytes | memoryview:
    """The payload as a chunk for HDF5's direct write: its own bytes, without a copy, but for unframed lz4.

    Raises:
        StreamError: Unframed lz4 that is damaged.
    """
    return payload.data if payload.framed else payloads.framed(payload).data


def compress(array: NDArray[Any], codec: Codec, *, framed: bool = True) -> bytes:
    """Pack pixels.

    Args:
        array: uint8, uint16 or uint32, of any shape.
        codec: How.
        framed: With HDF5's header before lz4; version 1 sends it without.

    Raises:
        StreamError: Not a type that a detector sends.
    """
    dtype = array.dtype.name
    if dtype not in PIXEL_TYPES or not array.size:
        raise StreamError(f"{array.size} pixels of {dtype}", "pixels", f"use one of {', '.join(PIXEL_TYPES)}")
    pixels = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if codec is Codec.NONE:
        return pixels.tobytes()
    native = _native()
    if native is None:
        from layouts.stream import codecs_h5

        chunk = codecs_h5.pack(pixels, *FILTERS[codec])
        return chunk if framed or codec is not Codec.LZ4 else bytes(payloads.bare_block(memoryview(chunk)))
    if codec is Codec.BSLZ4:
        return native.bslz4(pixels)
    if codec is Codec.BSZSTD:
        return native.bszstd(pixels)
    return native.lz4(pixels) if framed else native.lz4_block(pixels)


def pack(array: NDArray[Any], codec: Codec, *, version: int = 2, channel: str = THRESHOLD_1) -> Payload:
    """Pack one channel of a frame for a version of the stream.

    Args:
        array: Pixels, (slow, fast), uint8, uint16 or uint32.
        codec: How.
        version: 1 or 2.
        channel: Its name.

    Raises:
        StreamError: Not an array that a detector sends.
    """
    if array.ndim != 2:
        raise StreamError(f"{array.ndim} dimensions", f"pixels of {channel}", "two are right: (slow, fast)")
    bare = version == 1 and codec is Codec.LZ4
    slow, fast = array.shape
    return Payload(
        channel=channel,
        shape=(slow, fast),
        dtype=array.dtype.name,
        codec=codec,
        data=compress(array, codec, framed=not bare),
        framed=not bare,
    )


def decompress(payload: Payload) -> NDArray[Any]:
    """Unpack one channel of a frame.

    Returns:
        Pixels, (slow, fast); a read-only view of the message where they were not packed.

    Raises:
        StreamError: The payload is damaged.
    """
    payloads.check(payload)
    data, dtype, shape = memoryview(payload.data).cast("B"), payload.dtype, payload.shape
    if payload.codec is Codec.NONE:
        return from_bytes(data, dtype, shape, f"payload of {payload.channel}")
    native = _native()
    if native is None:
        from layouts.stream import codecs_h5

        payloads.check_blocks(payload)
        return codecs_h5.unpack(chunk_parts(payload), shape, dtype, *FILTERS[payload.codec])
    if payload.codec is Codec.BSLZ4:
        return native.unbslz4(data, dtype, shape)
    if payload.codec is Codec.BSZSTD:
        return native.unbszstd(data, dtype, shape)
    return native.unlz4(data, dtype, shape) if payload.framed else native.unlz4_block(data, dtype, shape)


def backend() -> str:
    """Which codecs are in use: "native", or "hdf5" where those are missing or fail their test."""
    return "hdf5" if _native() is None else "native"


def load(library: Path | None = None) -> Native | None:
    """The fast routines, or nothing (and a warning in the log) where they are missing or fail their test.

    Args:
        library: Where they are; hdf5plugin's bitshuffle library unless given.
    """
    try:
        native = Native(library or codecs_native.library())
        _self_test(native)
    except (OSError, AttributeError, RuntimeError, StreamError) as error:
        _log.warning("pixels are packed by the HDF5 filters, two to three times slower: %s", error)
        return None
    return native


def _self_test(native: Native) -> None:
    """Each must read what the other wrote: all depths, whole blocks, a part of one and odd pixels."""
    from layouts.stream import codecs_h5

    counts = np.random.default_rng(7).poisson(2.0, 10003)
    routines = (
        (Codec.BSLZ4, native.bslz4, native.unbslz4),
        (Codec.LZ4, native.lz4, native.unlz4),
        (Codec.BSZSTD, native.bszstd, native.unbszstd),
    )
    for dtype in PIXEL_TYPES:
        pixels = counts.astype(dtype)
        pixels[100:200] = np.iinfo(dtype).max
        for codec, pack_native, unpack_native in routines:
            chunk = memoryview(codecs_h5.pack(pixels, *FILTERS[codec]))
            there = unpack_native(chunk, dtype, pixels.shape)
            back = codecs_h5.unpack(pack_native(pixels), pixels.shape, dtype, *FILTERS[codec])
            if not (np.array_equal(there, pixels) and np.array_equal(back, pixels)):
                raise RuntimeError(f"hdf5plugin's library and its HDF5 filter disagree on {codec} of {dtype}")


_loading = threading.Lock()


@functools.cache
def _loaded() -> Native | None:
    return load()


def _native() -> Native | None:
    # The lock keeps two threads that come first from testing twice.
    with _loading:
        return _loaded()
