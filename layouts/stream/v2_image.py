"""Image messages of Stream V2, the hot path: heads of some 230 bytes, and pixels that are never touched.

``scan`` reads what every detector of one channel sends by one pattern over its head. The pattern admits
nothing that the walker would not: it spells the whole head out, each length is checked, and the pixels end
the message.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

from layouts.stream import cbor, fields, payloads, v2_arrays
from layouts.stream.arrays import ITEM_SIZE
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, Image, Payload, Rational

Part = bytes | memoryview

HEAD: Final = 512
"""Bytes of a message that the pattern is tried on; real heads have some 230."""

_UINT: Final = rb"(?:[\x00-\x17]|\x18.|\x19..|\x1a.{4}|\x1b.{8})"
_RATIONAL: Final = rb"\x82(" + _UINT + rb")(" + _UINT + rb")"
_PATTERN: Final = re.compile(
    rb"\xd9\xd9\xf7\xa9dtypeeimageiseries_id"
    rb"(" + _UINT + rb"pseries_unique_idx\x1a[0-9A-Za-z]{26})"
    rb"himage_id(" + _UINT + rb")ireal_time" + _RATIONAL + rb"kseries_date\xc0"
    rb"((?:[\x60-\x77]|x.)[0-9T:.Z+-]*)"
    rb"jstart_time" + _RATIONAL + rb"istop_time" + _RATIONAL + rb"ddata\xa1"
    rb"([\x60-\x77][0-9a-z_]*\xd8\x28\x82\x82" + _UINT + _UINT + rb"\xd8[\x40\x45\x46]"
    rb"(?:\xd9\xdc\xb4\x83(?:ebslz4[\x01\x02\x04]|clz4\x00))?)"
    rb"([\x40-\x57]|\x58.|\x59..|\x5a.{4}|\x5b.{8})",
    re.DOTALL,
)


def scan(message: Part) -> Image | None:
    """Read an image message of the form that detectors send.

    Args:
        message: All its bytes; the payload is a view of them.

    Returns:
        Nothing if it is of another form, damaged ones included: the walker finds out what it is.
    """
    view = memoryview(message)
    head = bytes(view[:HEAD])
    found = _PATTERN.match(head)
    if found is None:
        return None
    # fmt: off
    (whose, frame, real, real_base, date, start, start_base, stop, stop_base, array, size) = found.groups()
    # fmt: on
    begin = found.end()
    length = size[0] & 31 if len(size) == 1 else int.from_bytes(size[1:])
    if begin + length != len(view):
        return None
    try:
        series, unique_id = _read_whose(whose)
        channel, shape, dtype, codec, total = _read_array(array)
        if codec is Codec.NONE:
            sound = length == total
        else:
            said = int.from_bytes(head[begin : begin + 8])
            sound = length >= payloads.FRAME.size and said == total <= payloads.MAX_RATIO * length
        if not sound:
            return None
        return Image(
            series=series,
            unique_id=unique_id,
            frame=_read_uint(frame),
            payloads=(Payload(channel=channel, shape=shape, dtype=dtype, codec=codec, data=view[begin:]),),
            start_time=Rational(_read_uint(start), _read_base(start_base)),
            stop_time=Rational(_read_uint(stop), _read_base(stop_base)),
            real_time=Rational(_read_uint(real), _read_base(real_base)),
            series_date=_read_date(date),
        )
    except StreamError:
        return None


def _read_uint(item: bytes) -> int:
    return item[0] if len(item) == 1 else int.from_bytes(item[1:])


# What is the same in every message of a series is taken apart once, by the walker, and remembered.


@functools.lru_cache(maxsize=64)
def _read_base(item: bytes) -> int:
    return fields.positive(cbor.decode(item), "denominator")


@functools.lru_cache(maxsize=16)
def _read_whose(item: bytes) -> tuple[int, str]:
    unique_id = item[-26:]
    return cbor.decode(item[: item.index(b"pseries_unique_id")]), unique_id.decode()


@functools.lru_cache(maxsize=16)
def _read_date(item: bytes) -> str:
    return fields.date(cbor.decode(item), "series_date")


@functools.lru_cache(maxsize=64)
def _read_array(item: bytes) -> tuple[str, tuple[int, int], str, Codec, int]:
    # A map of this channel, closed by no bytes in place of the pixels.
    message = cbor.decode(b"\xa1" + item + b"\x40")
    ((channel, value),) = message.items()
    where = f"data of {channel}"
    shape, dtype, raw = v2_arrays.multi_dim(value, where)
    codec, _nothing = v2_arrays.packed(raw, dtype, where)
    return str(channel), shape, dtype, codec, shape[0] * shape[1] * ITEM_SIZE[dtype]


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
        _beginning(10 if has_more else 9, image.series, image.unique_id),
        cbor.uint(image.frame),
        b"ireal_time",
        _ticks(image.real_time),
        _date(image.series_date),
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
        pieces += (_array_head(payload.channel, slow, fast, payload.dtype, payload.codec), cbor.head(2, size))
        pieces.append(payload.data)
    return [b"".join(pieces)]


def _ticks(time: Rational) -> bytes:
    return b"\x82" + cbor.uint(time.numerator) + cbor.uint(time.denominator)


# What is the same in every message of a series is made once.


@functools.lru_cache(maxsize=16)
def _beginning(keys: int, series: int, unique_id: str) -> bytes:
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
def _date(series_date: str) -> bytes:
    return b"kseries_date" + cbor.head(6, cbor.DATE_TIME) + cbor.text(series_date) + b"jstart_time"


@functools.lru_cache(maxsize=64)
def _array_head(channel: str, slow: int, fast: int, dtype: str, codec: Codec) -> bytes:
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
