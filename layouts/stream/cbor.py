"""CBOR (RFC 8949) as the Dectris stream uses it: a strict walker and a plain encoder.

The walker yields byte strings as views of the message, so that megabytes of pixels are never copied; it
takes definite lengths only, checks every bound before it reads, and limits the depth. The encoder keeps the
order of keys and writes every number in its shortest form, floats included, as detectors do.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from layouts.stream.errors import StreamError

Buffer = bytes | memoryview

SELF_DESCRIBED: Final = 55799
SELF_DESCRIBED_BYTES: Final = b"\xd9\xd9\xf7"
DATE_TIME: Final = 0
MULTI_DIM_ARRAY: Final = 40
UINT8: Final = 64
UINT16_LE: Final = 69
UINT32_LE: Final = 70
FLOAT32_LE: Final = 85
COMPRESSED: Final = 56500

MAX_DEPTH: Final = 16
"""Levels of arrays, maps and tags; a start message of the detector has six."""

_FLOATS: Final = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_SIMPLE: Final[dict[int, bool | None]] = {20: False, 21: True, 22: None}
_MEANING: Final = "a message of Stream V2 is right here; is something else sending to this port?"


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag and the value it stands before."""

    tag: int
    value: Any


def decode(message: Buffer) -> Any:
    """Read one message: exactly one item, with or without the self-described tag before it.

    Args:
        message: All its bytes.

    Returns:
        int, float, str, bool, None, list, dict, ``Tagged``, or a memoryview of ``message`` for byte strings.

    Raises:
        StreamError: It is cut short, has bytes left over, or uses what the stream does not.
    """
    view = memoryview(message).cast("B")
    walker = _Walker(view)
    if bytes(view[:3]) == SELF_DESCRIBED_BYTES:
        walker.position = 3
    value = walker.item(0)
    if walker.position != len(view):
        raise walker.error(f"{len(view) - walker.position} bytes follow the message")
    return value


def owned(value: Any) -> Any:
    """A decoded value that no longer refers to its message: byte strings are copied."""
    match value:
        case memoryview():
            return bytes(cast("memoryview[int]", value))
        case Tagged():
            return Tagged(value.tag, owned(value.value))
        case list():
            return [owned(item) for item in cast("list[Any]", value)]
        case dict():
            return {key: owned(item) for key, item in cast("dict[Any, Any]", value).items()}
        case _:
            return value


class _Walker:
    """Position in a message."""

    __slots__ = ("position", "view")

    def __init__(self, view: memoryview) -> None:
        self.view = view
        self.position = 0

    def error(self, what: str) -> StreamError:
        return StreamError(what, f"byte {self.position} of {len(self.view)}", _MEANING)

    def item(self, depth: int) -> Any:  # noqa: PLR0911 - one for each major type
        if depth > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels")
        initial = self.take(1)[0]
        major, info = initial >> 5, initial & 31
        if major == 7:
            return self._simple(info)
        argument = self._argument(info)
        match major:
            case 0:
                return argument
            case 1:
                return -1 - argument
            case 2:
                return self.take(argument)
            case 3:
                return self._text(argument)
            case 4:
                self._enough(argument)
                return [self.item(depth + 1) for _ in range(argument)]
            case 5:
                return self._map(argument, depth)
            case _:
                return Tagged(argument, self.item(depth + 1))

    def take(self, length: int) -> memoryview:
        end = self.position + length
        if end > len(self.view):
            raise self.error(
                f"cut short: {length} bytes are announced, {len(self.view) - self.position} left"
            )
        taken = self.view[self.position : end]
        self.position = end
        return taken

    def _argument(self, info: int) -> int:
        if info < 24:
            return info
        if info < 28:
            return int.from_bytes(self.take(1 << (info - 24)))
        kind = "an indefinite length" if info == 31 else f"reserved length {info}"
        raise self.error(f"{kind}, which the stream does not use")

    def _enough(self, items: int) -> None:
        # Every item takes a byte at least: refuse a count no message can hold before making room for it.
        if items > len(self.view) - self.position:
            raise self.error(f"cut short: {items} items are announced")

    def _text(self, length: int) -> str:
        raw = self.take(length)
        try:
            return str(raw, "utf-8")
        except UnicodeDecodeError as error:
            raise self.error(f"a text is not UTF-8 ({error.reason})") from None

    def _map(self, pairs: int, depth: int) -> dict[str | int, Any]:
        self._enough(2 * pairs)
        found: dict[str | int, Any] = {}
        for _ in range(pairs):
            key = self.item(depth + 1)
            if isinstance(key, bool) or not isinstance(key, str | int):
                raise self.error("a map's key is neither text nor number")
            if key in found:
                raise self.error(f"key {key!r} twice in a map")
            found[key] = self.item(depth + 1)
        return found

    def _simple(self, info: int) -> float | bool | None:
        if info in _SIMPLE:
            return _SIMPLE[info]
        if info in _FLOATS:
            form, size = _FLOATS[info]
            return float(struct.unpack(form, self.take(size))[0])
        raise self.error(f"simple value {info}, which the stream does not use")


def head(major: int, argument: int) -> bytes:
    """First bytes of an item: its major type (0 to 7) and length, count, tag or unsigned value."""
    kind = major << 5
    if argument < 24:
        return bytes((kind | argument,))
    if argument < 1 << 8:
        return bytes((kind | 24, argument))
    if argument < 1 << 16:
        return struct.pack(">BH", kind | 25, argument)
    if argument < 1 << 32:
        return struct.pack(">BI", kind | 26, argument)
    if argument < 1 << 64:
        return struct.pack(">BQ", kind | 27, argument)
    raise StreamError("a number of more than 64 bit", str(argument), "CBOR holds up to 64 bit")


def uint(value: int) -> bytes:
    """An unsigned number."""
    return head(0, value)


def text(value: str) -> bytes:
    """A text."""
    raw = value.encode("utf-8")
    return head(3, len(raw)) + raw


def encode(value: Any, where: str = "value") -> bytes:
    """One item with all that it holds.

    Args:
        value: What ``decode`` gives, and bytes.
        where: Name for messages.

    Raises:
        StreamError: A value has no form in CBOR.
    """
    pieces: list[Buffer] = []
    write(value, pieces, where)
    return b"".join(pieces)


def write(value: Any, pieces: list[Buffer], where: str = "value") -> None:
    """Append an item's bytes to ``pieces``; byte strings are appended as they are, without a copy.

    Raises:
        StreamError: A value has no form in CBOR.
    """
    match value:
        case None:
            pieces.append(b"\xf6")
        case bool():
            pieces.append(b"\xf5" if value else b"\xf4")
        case int():
            pieces.append(head(0, value) if value >= 0 else head(1, -1 - value))
        case float():
            pieces.append(_float(value))
        case str():
            pieces.append(text(value))
        case bytes():
            pieces += (head(2, len(value)), value)
        case memoryview():
            view = cast("memoryview[int]", value)
            pieces += (head(2, view.nbytes), view)
        case _:
            _write_nested(value, pieces, where)


def _write_nested(value: Any, pieces: list[Buffer], where: str) -> None:
    match value:
        case Tagged():
            pieces.append(head(6, value.tag))
            write(value.value, pieces, where)
        case list() | tuple():
            items = cast("Sequence[Any]", value)
            pieces.append(head(4, len(items)))
            for item in items:
                write(item, pieces, where)
        case Mapping():
            pairs = cast("Mapping[Any, Any]", value)
            pieces.append(head(5, len(pairs)))
            for key, item in pairs.items():
                write(key, pieces, where)
                write(item, pieces, str(key))
        case _:
            raise StreamError(f"a {type(value).__name__} has no form in CBOR", where, "send numbers and text")


def _float(value: float) -> bytes:
    for initial, form in ((0xF9, ">e"), (0xFA, ">f")):
        try:
            short = struct.pack(form, value)
        except OverflowError:
            continue
        if struct.unpack(form, short)[0] == value:
            return bytes((initial,)) + short
    # NaN equals nothing, itself included.
    return b"\xf9\x7e\x00" if value != value else b"\xfb" + struct.pack(">d", value)  # noqa: PLR0124
