"""Arrays of Stream V2: typed arrays (tags 64 to 85), their shape (tag 40), and packed bytes (tag 56500)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from layouts.stream import cbor, codecs, fields, payloads
from layouts.stream.arrays import ITEM_SIZE, from_bytes, to_bytes
from layouts.stream.cbor import Tagged
from layouts.stream.messages import Codec, Payload

TAGS: Final = {
    cbor.UINT8: "uint8",
    cbor.UINT16_LE: "uint16",
    cbor.UINT32_LE: "uint32",
    cbor.FLOAT32_LE: "float32",
}
TAG_OF: Final = {dtype: tag for tag, dtype in TAGS.items()}


def tagged_vector(array: NDArray[Any], dtype: str) -> Tagged:
    """A typed array without a shape."""
    return Tagged(TAG_OF[dtype], to_bytes(array, dtype))


def tagged_channels(arrays: Mapping[str, NDArray[Any]], dtype: str) -> dict[str, Tagged]:
    """Arrays with their shapes, by channel."""
    return {
        channel: Tagged(cbor.MULTI_DIM_ARRAY, [list(array.shape), tagged_vector(array, dtype)])
        for channel, array in arrays.items()
    }


def vector(value: Any, where: str) -> NDArray[Any]:
    """A typed array without a shape, of any of the four types.

    Raises:
        StreamError: It is something else, or damaged.
    """
    dtype, raw = _typed(value, where)
    if isinstance(raw, memoryview):
        count = raw.nbytes // ITEM_SIZE[dtype]
    else:
        _codec, data = packed(raw, dtype, where)
        if data.nbytes < payloads.FRAME.size:
            raise fields.fault(f"{data.nbytes} bytes, less than the header", where)
        count = payloads.FRAME.unpack_from(data)[0] // ITEM_SIZE[dtype]
    return _unpacked(raw, dtype, (1, count), where).reshape(-1)


def channels(value: Any, dtype: str, where: str) -> dict[str, NDArray[Any]]:
    """Arrays with their shapes, by channel; none where there is no value.

    Raises:
        StreamError: It is something else, of another type, or damaged.
    """
    found: dict[str, NDArray[Any]] = {}
    for channel, item in ({} if value is None else fields.mapping(value, where)).items():
        place = f"{where} of {channel}"
        shape, said, raw = multi_dim(item, place)
        if said != dtype:
            raise fields.fault(f"{said}, not {dtype}", place)
        found[str(channel)] = _unpacked(raw, dtype, shape, place)
    return found


def multi_dim(value: Any, where: str) -> tuple[tuple[int, int], str, Any]:
    """Shape, type and the bytes, packed or not, of an array.

    Raises:
        StreamError: It is no two-dimensional array of the four types.
    """
    match value:
        case Tagged(cbor.MULTI_DIM_ARRAY, [shape, array]):
            dtype, raw = _typed(array, where)
            return fields.shape(shape, where), dtype, raw
        case _:
            raise fields.fault("no multi-dimensional array (tag 40)", where)


def packed(raw: Any, dtype: str, where: str) -> tuple[Codec, memoryview]:
    """How bytes are packed, and the packed bytes.

    Raises:
        StreamError: Packed by something else, or no bytes.
    """
    if isinstance(raw, memoryview):
        return Codec.NONE, cast("memoryview[int]", raw)
    match raw:
        case Tagged(cbor.COMPRESSED, [algorithm, size, view]) if isinstance(view, memoryview):
            data = cast("memoryview[int]", view)
            if algorithm == "bslz4" and size == ITEM_SIZE[dtype]:
                return Codec.BSLZ4, data
            # The element size means nothing here; detectors send 0.
            if algorithm == "lz4":
                return Codec.LZ4, data
            packing = f"{str(algorithm)[:40]!r} with elements of {str(size)[:40]} byte for {dtype}"
            raise fields.fault(f"packed by {packing}", where)
        case _:
            raise fields.fault("neither bytes nor packed bytes (tag 56500)", where)


def _typed(value: Any, where: str) -> tuple[str, Any]:
    match value:
        case Tagged(tag, raw) if tag in TAGS:
            return TAGS[tag], raw
        case Tagged(tag, _):
            raise fields.fault(f"an array of tag {tag}; the stream has {sorted(TAGS)}", where)
        case _:
            raise fields.fault("no typed array", where)


def _unpacked(raw: Any, dtype: str, shape: tuple[int, int], where: str) -> NDArray[Any]:
    codec, data = packed(raw, dtype, where)
    if codec is Codec.NONE:
        return from_bytes(data, dtype, shape, where)
    if not math.prod(shape):
        raise fields.fault("an empty array", where)
    # The codecs know pixels; the bits of a float32 are those of a uint32.
    pixels = "uint32" if dtype == "float32" else dtype
    payload = Payload(channel=where, shape=shape, dtype=pixels, codec=codec, data=data)
    return codecs.decompress(payload).view(np.dtype(dtype))
