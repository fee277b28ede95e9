"""What a client's put means to a record, and what a record's value looks like on the wire.

Pure: numbers, bytes and strings in, the record's own kind of value out, or a PutError that says what would be
right. Puts behave as dbPut does: a menu takes its string or its index, numbers come as text too, and limits
clamp.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from ioc.records import STRING_SIZE, Kind, PutError, Record, Value

Raw = str | bytes | Sequence[float | str]
"""What came over the wire: a DBR_STRING, CHARs, or an array."""

ENCODING = "utf-8"
_INTEGERS = {Kind.LONG: 2**31, Kind.SHORT: 2**15, Kind.CHAR: 2**8, Kind.LONGS: 2**31}


_LARGEST_SINGLE = 3.4028234663852886e38


def decode(record: Record, raw: Raw) -> Value:
    """The value a put gives to a record.

    Raises:
        PutError: It cannot be used.
    """
    match record.kind:
        case Kind.ENUM:
            return _choice(record, _scalar(record, raw))
        case Kind.STRING:
            return _text(record, raw, STRING_SIZE)
        case Kind.TEXT:
            return _text(record, raw, record.length)
        case Kind.DOUBLES | Kind.LONGS:
            return _numbers(record, raw)
        case Kind.DOUBLE | Kind.FLOAT:
            value = _clamped(record, _float(record, _scalar(record, raw)))
            return value if record.kind is Kind.DOUBLE else _single(value)
        case Kind.LONG | Kind.SHORT | Kind.CHAR:
            number = int(_clamped(record, _integer(record, _scalar(record, raw))))
            return number & 0xFF if record.kind is Kind.CHAR else number


def encode(record: Record, value: object) -> Value:
    """A program's value brought to the record's kind: menus to their string, texts cut to their length.

    Raises:
        ValueError: It is not of the record's kind or not on its menu.
    """
    try:
        return _ENCODERS[record.kind](record, value)
    except (PutError, TypeError, ValueError) as error:
        raise ValueError(f"{record.name}: {error}") from error


def cut(text: str, size: int) -> str:
    """A text that fits into ``size`` bytes with its NUL, cut between characters."""
    data = text.encode(ENCODING, "replace")
    return text if len(data) < size else data[: size - 1].decode(ENCODING, "ignore")


def _scalar(record: Record, raw: Raw) -> str | float:
    if isinstance(raw, str):
        return raw.strip()
    if len(raw) == 0:
        raise PutError(f"{record.name}: nothing was sent; {record.kind.value} is right")
    if isinstance(raw, bytes) and len(raw) > 1:
        return _decoded(record, raw).strip()
    return raw[0]


def _choice(record: Record, given: str | float) -> str:
    choices = record.choices
    if isinstance(given, str) and given not in choices:
        if not given.isdigit():
            raise PutError(f"{record.name}: {given!r} is not on the menu; right is one of {list(choices)}")
        given = int(given)
    if not isinstance(given, str):
        if not (math.isfinite(given) and 0 <= given < len(choices)):
            raise PutError(f"{record.name}: there is no choice {given}; right is 0 to {len(choices) - 1}")
        given = choices[int(given)]
    return record.menu(given) if isinstance(record.menu, type) else given


def _float(record: Record, given: str | float) -> float:
    try:
        value = float(given)
    except ValueError:
        raise PutError(f"{record.name}: {given!r} is not a number") from None
    if not math.isfinite(value):
        raise PutError(f"{record.name}: {value} is not a finite number")
    return value


def _single(value: float) -> float:
    """A number as 32 bits hold it."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(_LARGEST_SINGLE, value)


def _integer(record: Record, given: str | float) -> int:
    value = int(_float(record, given))
    bound = _INTEGERS[record.kind]
    if not -bound <= value < bound:
        raise PutError(f"{record.name}: {value} is beyond the {bound.bit_length()} bits of the record")
    return value


def _clamped(record: Record, value: float) -> float:
    if not record.limited or not record.clamp:
        return value
    return min(max(value, record.low), record.high)


def _numbers(record: Record, raw: Raw) -> list[float] | list[int]:
    given = [raw] if isinstance(raw, str) else list(raw)
    if len(given) > record.length:
        raise PutError(f"{record.name}: {len(given)} elements; at most {record.length} are right")
    if record.kind is Kind.LONGS:
        return [_integer(record, v) for v in given]
    return [_float(record, v) for v in given]


def _text(record: Record, raw: Raw, size: int) -> str:
    text = raw if isinstance(raw, str) else _decoded(record, raw)
    if len(text.encode(ENCODING)) >= size:
        raise PutError(f"{record.name}: {len(text)} characters; at most {size - 1} bytes are right")
    return text


def _decoded(record: Record, raw: bytes | Sequence[float | str]) -> str:
    try:
        data = raw if isinstance(raw, bytes) else bytes(int(v) & 0xFF for v in raw)
        return data.split(b"\0", 1)[0].decode(ENCODING)
    except (UnicodeDecodeError, ValueError, OverflowError):
        raise PutError(f"{record.name}: not text; UTF-8 is right") from None


def same_choice(record: Record, value: Value, other: Record) -> Value:
    """The value of a setpoint as its readback says it: the same index where their menus differ."""
    if record.menu is other.menu or record.kind is not Kind.ENUM:
        return value
    chosen = other.choices[record.choices.index(str(value))]
    return other.menu(chosen) if isinstance(other.menu, type) and issubclass(other.menu, StrEnum) else chosen


def _encode_integer(record: Record, value: Any) -> int:
    bound = _INTEGERS[record.kind]
    return max(-bound, min(bound - 1, int(value)))


_ENCODERS: dict[Kind, Callable[[Record, Any], Value]] = {
    Kind.ENUM: lambda record, value: _choice(record, value if isinstance(value, str) else int(value)),
    Kind.STRING: lambda _, value: cut(str(value), STRING_SIZE),
    Kind.TEXT: lambda record, value: cut(str(value), record.length),
    Kind.DOUBLES: lambda record, value: [float(v) for v in value][: record.length],
    Kind.LONGS: lambda record, value: [int(v) for v in value][: record.length],
    Kind.DOUBLE: lambda _, value: float(value),
    Kind.FLOAT: lambda _, value: _single(float(value)),
    Kind.CHAR: lambda _, value: int(value) & 0xFF,
    Kind.LONG: _encode_integer,
    Kind.SHORT: _encode_integer,
}
