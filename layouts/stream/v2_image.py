"""Image messages of Stream V2: one map each, the pixels at its end.

Any of them is read here, from what the walker has found; ``v2_frames`` is the hot path for those written as
``encode`` writes them, which is how detectors do.
"""

from __future__ import annotations

import functools
from typing import Any, Final

from layouts.stream import cbor, fields, payloads, v2_arrays
from layouts.stream.arrays import ITEM_SIZE
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, Image, Payload, Rational

Part = bytes | memoryview

KEYS: Final = 9
"""Of an image message without user data."""


def from_map(message: dict[Any, Any]) -> Image:
    """An image from the map that the walker has read.

    Raises:
        StreamError: Something is missing or not as documented.
    """
    where = "image"
    data = fields.mapping(message.get("data"), "data")
    if not data:
        raise fields.fault("no channel", "data")
    date = message.get("series_date")
    return Image(
        series=fields.number(message, "series_id", where),
        unique_id=None
        if "series_unique_id" not in message
        else fields.text(message, "series_unique_id", where),
        frame=fields.number(message, "image_id", where),
        payloads=tuple(_payload(str(channel), value) for channel, value in data.items()),
        start_time=_rational(message, "start_time"),
        stop_time=_rational(message, "stop_time"),
        real_time=_rational(message, "real_time"),
        series_date=None if date is None else fields.date(date, "series_date"),
        appendix=cbor.owned(message.get("user_data")),
    )


def _payload(channel: str, value: Any) -> Payload:
    where = f"data of {channel}"
    shape, dtype, raw = v2_arrays.multi_dim(value, where)
    codec, data = v2_arrays.packed(raw, dtype, where)
    payload = Payload(channel=channel, shape=shape, dtype=dtype, codec=codec, data=data)
    payloads.check(payload)
    return payload


def _rational(message: dict[Any, Any], key: str) -> Rational:
    match message.get(key):
        case [numerator, denominator]:
            return Rational(fields.whole(numerator, key), fields.positive(denominator, key))
        case other:
            raise fields.fault(f"{str(other)[:40]!r}, not numerator and denominator", key)


def encode(image: Image) -> list[bytes | memoryview]:
    """An image message, the pixels copied once into its one part.

    Raises:
        StreamError: Unique id, date or channel is missing, or a value has no form in CBOR.
    """
    if image.unique_id is None or image.series_date is None or not image.payloads:
        raise StreamError(
            "no unique id, series date or channel", f"frame {image.frame}", "version 2 sends them; give them"
        )
    has_more = image.appendix is not None
    pieces: list[Part] = [
        beginning(KEYS + has_more, image.series, image.unique_id),
        cbor.uint(image.frame),
        b"ireal_time",
        _ticks(image.real_time),
        date(image.series_date),
        _ticks(image.start_time),
        b"istop_time",
        _ticks(image.stop_time),
    ]
    if has_more:
        pieces.append(b"iuser_data")
        cbor.write(image.appendix, pieces, "user_data")
    pieces += (b"ddata", cbor.head(5, len(image.payloads)))
    for given in image.payloads:
        payload = payloads.framed(given)
        slow, fast = payload.shape
        size = memoryview(payload.data).nbytes
        pieces += (array_head(payload.channel, slow, fast, payload.dtype, payload.codec), cbor.head(2, size))
        pieces.append(payload.data)
    return [b"".join(pieces)]


def _ticks(time: Rational) -> bytes:
    return b"\x82" + cbor.uint(time.numerator) + cbor.uint(time.denominator)


# What is the same in every message of a series is made once.


@functools.lru_cache(maxsize=16)
def beginning(keys: int, series: int, unique_id: str) -> bytes:
    """An image message's first bytes, up to the number of the frame."""
    return b"".join(
        (
            cbor.SELF_DESCRIBED_BYTES,
            cbor.head(5, keys),
            b"dtypeeimage",
            b"iseries_id",
            cbor.uint(series),
            b"pseries_unique_id",
            cbor.text(unique_id),
            b"himage_id",
        )
    )


@functools.lru_cache(maxsize=16)
def date(series_date: str) -> bytes:
    """Its date, and the name of what follows."""
    return b"kseries_date" + cbor.head(6, cbor.DATE_TIME) + cbor.text(series_date) + b"jstart_time"


@functools.lru_cache(maxsize=64)
def array_head(channel: str, slow: int, fast: int, dtype: str, codec: Codec) -> bytes:
    """What stands before the bytes of a channel's pixels, but for their number.

    Raises:
        StreamError: Packed as no detector does.
    """
    if codec is Codec.BSZSTD:
        raise fields.fault("bszstd, which no detector sends", channel)
    pieces = [
        cbor.text(channel),
        cbor.head(6, cbor.MULTI_DIM_ARRAY),
        b"\x82\x82",
        cbor.uint(slow),
        cbor.uint(fast),
        cbor.head(6, v2_arrays.TAG_OF[dtype]),
    ]
    if codec is not Codec.NONE:
        element = ITEM_SIZE[dtype] if codec is Codec.BSLZ4 else 0
        pieces += (cbor.head(6, cbor.COMPRESSED), b"\x83", cbor.text(codec.value), cbor.uint(element))
    return b"".join(pieces)
