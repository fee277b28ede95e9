"""Stream V1 ("legacy"): JSON and blobs in several parts, as SIMPLON 1.8 documents it and detectors send it.

Key order, number format and the hash (MD5 of the part that follows it) are those of recorded messages.
Shapes on the wire are [width, height]; here they are (slow, fast).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from layouts.stream import fields, payloads
from layouts.stream.arrays import ITEM_SIZE, THRESHOLD_1, from_bytes, to_bytes
from layouts.stream.errors import StreamError
from layouts.stream.messages import (
    Codec,
    End,
    HeaderDetail,
    Image,
    Message,
    Payload,
    Rational,
    Start,
)

Part = bytes | memoryview

START: Final = "dheader-1.0"
IMAGE: Final = "dimage-1.0"
END: Final = "dseries_end-1.0"
_PARTS: Final = {HeaderDetail.NONE: 1, HeaderDetail.BASIC: 2, HeaderDetail.ALL: 8}
"""Parts of a start message, by detail; one more is its appendix."""
_IMAGE_PARTS: Final = 4
_NANOSECONDS: Final = 1_000_000_000
_ENCODING: Final = re.compile(r"(?:bs(8|16|32)-?)?(lz4)?([<>])?")


def encode_start(start: Start) -> list[bytes | memoryview]:
    """A start message's parts; arrays are parts of their own, without a copy.

    Raises:
        StreamError: The detail asks for an array that is not there.
    """
    first = {"header_detail": start.detail.value, "htype": START, "series": start.series}
    parts: list[Part] = [_dump(first, "part 1")]
    if start.detail is not HeaderDetail.NONE:
        parts.append(_dump(dict(start.config), "part 2"))
    if start.detail is HeaderDetail.ALL:
        flatfield = _given(start.flatfield.get(THRESHOLD_1), "flatfield")
        mask = _given(start.pixel_mask.get(THRESHOLD_1), "pixel mask")
        table = _given(start.countrate_table, "countrate table")
        parts += _array_parts("dflatfield-1.0", flatfield, "float32", flatfield.shape[::-1])
        parts += _array_parts("dpixelmask-1.0", mask, "uint32", mask.shape[::-1])
        parts += _array_parts("dcountrate_table-1.0", table.T, "float32", table.shape)
    return parts + _appendix_parts(start.appendix)


def encode_image(image: Image) -> list[bytes | memoryview]:
    """An image message's parts; the pixels are a part of their own, without a copy.

    Raises:
        StreamError: More than one channel, or times that are no whole nanoseconds.
    """
    if len(image.payloads) != 1:
        raise StreamError(
            f"{len(image.payloads)} channels", f"frame {image.frame}", "version 1 sends one; use version 2"
        )
    payload = payloads.unframed(image.payloads[0])
    size = memoryview(payload.data).nbytes
    slow, fast = payload.shape
    about = (
        f'{{"encoding":"{_encoding(payload)}","htype":"dimage_d-1.0","shape":[{fast},{slow}],'
        f'"size":{size},"type":"{payload.dtype}"}}'
    ).encode()
    digest = hashlib.md5(about, usedforsecurity=False).hexdigest()
    first = f'{{"frame":{image.frame},"hash":"{digest}","htype":"{IMAGE}","series":{image.series}}}'
    times = (
        f'{{"htype":"dconfig-1.0","real_time":{_ns(image.real_time)},"start_time":{_ns(image.start_time)},'
        f'"stop_time":{_ns(image.stop_time)}}}'
    )
    return [first.encode(), about, payload.data, times.encode(), *_appendix_parts(image.appendix)]


def encode_end(end: End) -> list[bytes | memoryview]:
    """An end message's part."""
    return [f'{{"htype":"{END}","series":{end.series}}}'.encode()]


def peek(first: Part) -> tuple[type[Start | Image | End], int, int | None]:
    """Kind, series and frame (of images only) of a message, from its first part.

    Raises:
        StreamError: It begins no message of version 1.
    """
    said = _load(first, "part 1")
    series = fields.number(said, "series", "part 1")
    match said.get("htype"):
        case "dimage-1.0":
            return Image, series, fields.number(said, "frame", "part 1")
        case "dheader-1.0":
            return Start, series, None
        case "dseries_end-1.0":
            return End, series, None
        case other:
            raise fields.fault(f"htype {str(other)[:40]!r}, neither start, image nor end", "part 1")


def decode(parts: Sequence[Part]) -> Message:
    """Read a message.

    Args:
        parts: All its parts; arrays and pixels of the result are views of them.

    Raises:
        StreamError: It is no message of version 1.
    """
    if not parts:
        raise fields.fault("no parts", "message")
    first = _load(parts[0], "part 1")
    match first.get("htype"):
        case "dimage-1.0":
            return _image(first, parts)
        case "dheader-1.0":
            return _start(first, parts)
        case "dseries_end-1.0":
            return End(series=fields.number(first, "series", "part 1"))
        case other:
            raise fields.fault(f"htype {str(other)[:40]!r}, neither start, image nor end", "part 1")


def _image(first: dict[Any, Any], parts: Sequence[Part]) -> Image:
    count = len(parts)
    if count < _IMAGE_PARTS:
        raise fields.fault(f"{count} parts, an image has {_IMAGE_PARTS}", "image")
    about, times = _load(parts[1], "part 2"), _load(parts[3], "part 4")
    kind = _kind(fields.text(about, "encoding", "part 2"), fields.text(about, "type", "part 2"))
    fast, slow = fields.shape(about.get("shape"), "part 2")
    data = parts[2]
    held = len(data) if isinstance(data, bytes) else data.nbytes
    if fields.number(about, "size", "part 2") != held:
        raise fields.fault(f"{held} bytes, part 2 says {about['size']}", "part 3")
    payload = Payload(
        channel=THRESHOLD_1,
        shape=(slow, fast),
        dtype=kind.dtype,
        codec=kind.codec,
        data=data,
        framed=kind.codec is not Codec.LZ4,
    )
    payloads.check(payload)
    return Image(
        series=fields.number(first, "series", "part 1"),
        frame=fields.number(first, "frame", "part 1"),
        payloads=(payload,),
        start_time=Rational(fields.number(times, "start_time", "part 4"), _NANOSECONDS),
        stop_time=Rational(fields.number(times, "stop_time", "part 4"), _NANOSECONDS),
        real_time=Rational(fields.number(times, "real_time", "part 4"), _NANOSECONDS),
        appendix=_text(parts[_IMAGE_PARTS]) if count > _IMAGE_PARTS else None,
    )


def _start(first: dict[Any, Any], parts: Sequence[Part]) -> Start:
    said = fields.text(first, "header_detail", "part 1")
    if said not in tuple(HeaderDetail):
        raise fields.fault(f"header_detail {said[:40]!r}", "part 1")
    detail = HeaderDetail(said)
    expected = _PARTS[detail]
    if len(parts) < expected:
        raise fields.fault(f"{len(parts)} parts, a start with detail {detail} has {expected}", "start")
    flatfield: dict[str, NDArray[np.float32]] = {}
    mask: dict[str, NDArray[np.uint32]] = {}
    table: NDArray[Any] | None = None
    if detail is HeaderDetail.ALL:
        flatfield[THRESHOLD_1] = _array(parts, 2, "dflatfield-1.0", "float32")
        mask[THRESHOLD_1] = _array(parts, 4, "dpixelmask-1.0", "uint32")
        table = _array(parts, 6, "dcountrate_table-1.0", "float32").T
    return Start(
        version=1,
        series=fields.number(first, "series", "part 1"),
        detail=detail,
        config={} if detail is HeaderDetail.NONE else _load(parts[1], "part 2"),
        flatfield=flatfield,
        pixel_mask=mask,
        countrate_table=table,
        appendix=_text(parts[expected]) if len(parts) > expected else None,
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    codec: Codec
    dtype: str


_kinds: dict[tuple[str, str], _Kind] = {}


def _kind(encoding: str, dtype: str) -> _Kind:
    """Codec and type from their words; remembered, as a series has one pair of them."""
    known = _kinds.get((encoding, dtype))
    if known is not None:
        return known
    where = "part 2"
    if dtype not in payloads.PIXEL_TYPES:
        raise fields.fault(f"pixels of type {dtype[:40]!r}", where)
    found = _ENCODING.fullmatch(encoding)
    if found is None or (found[1] and not found[2]):
        raise fields.fault(f"encoding {encoding[:40]!r}", where)
    bits, packed, order = found.groups()
    if order == ">" and dtype != "uint8":
        raise fields.fault(f"encoding {encoding!r}: big-endian pixels, which no detector sends", where)
    if bits and int(bits) != 8 * ITEM_SIZE[dtype]:
        raise fields.fault(f"encoding {encoding!r} of {dtype}: the widths differ", where)
    kind = _Kind(Codec.BSLZ4 if bits else Codec.LZ4 if packed else Codec.NONE, dtype)
    _kinds[encoding, dtype] = kind
    return kind


def _encoding(payload: Payload) -> str:
    match payload.codec:
        case Codec.BSLZ4:
            return f"bs{8 * ITEM_SIZE[payload.dtype]}-lz4<"
        case Codec.LZ4:
            return "lz4<"
        case Codec.NONE:
            return "<"
        case Codec.BSZSTD:
            raise fields.fault("bszstd, which no detector sends", "part 2")


def _array(parts: Sequence[Part], index: int, htype: str, dtype: str) -> NDArray[Any]:
    where = f"part {index + 1}"
    about = _load(parts[index], where)
    if about.get("htype") != htype or about.get("type") != dtype:
        said = f"{about.get('htype')} of {about.get('type')}"
        raise fields.fault(f"{said[:80]!r}, not {htype} of {dtype}", where)
    fast, slow = fields.shape(about.get("shape"), where)
    return from_bytes(parts[index + 1], dtype, (slow, fast), f"part {index + 2}")


def _array_parts(htype: str, array: NDArray[Any], dtype: str, shape: tuple[int, ...]) -> list[Part]:
    about = {"htype": htype, "shape": list(shape), "type": dtype}
    return [_dump(about, htype), to_bytes(array, dtype)]


def _given(array: NDArray[Any] | None, name: str) -> NDArray[Any]:
    if array is None:
        raise StreamError(f"no {name}", "start", "header detail all sends it; give it or send basic")
    return array


def _load(part: Part, where: str) -> dict[Any, Any]:
    try:
        return fields.mapping(orjson.loads(part), where)
    except orjson.JSONDecodeError as error:
        raise fields.fault(f"not JSON ({error})", where) from None


def _dump(value: Mapping[str, Any], where: str) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError as error:
        raise StreamError(
            f"not to be said in JSON ({error})", where, "send numbers, text and lists"
        ) from None


def _text(part: Part) -> str | bytes:
    raw = bytes(part)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _appendix_parts(appendix: Any) -> list[Part]:
    match appendix:
        case None:
            return []
        case str():
            return [appendix.encode()]
        case bytes() | memoryview():
            return [appendix]
        case _:
            return [_dump(appendix, "appendix")]


def _ns(time: Rational) -> int:
    whole, rest = divmod(time.numerator * _NANOSECONDS, time.denominator)
    if rest:
        raise StreamError(
            f"{time.numerator}/{time.denominator} s", "times", "version 1 sends whole nanoseconds"
        )
    return whole
