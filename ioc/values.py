"""What a client's put means to a record, and how a program's value is brought to it.

Pure: numbers, bytes and strings in, the record's own kind of value out, or a PutError that says what would be
right. Puts mean what they mean to dbPut of EPICS base, as measured on a real softIoc: numbers come as text
too, what is too long is cut, limits clamp. Where ours differ, and why, is in docs/decisions/0009.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from ioc import numbers
from ioc.records import STRING_SIZE, ConversionError, Kind, PutError, Record, Value

Raw = str | bytes | Sequence[float | str] | npt.NDArray[Any]
"""What was put: a text that is one, CHARs, DBR_STRINGs as a list, or numbers."""

ENCODING = "utf-8"
_STRING_PRECISION = 6
_STRICT_MENUS = frozenset({"bo", "bi", "busy", "menu"})
"""Record types whose menus take a number only if nothing stands behind it."""
_LEADING = re.compile(r"\s*\+?(\d+)")
_ALONE = re.compile(r"\s*\+?(\d+)\s*\Z")
_BOUNDS = {Kind.LONG: 2**31, Kind.SHORT: 2**15}
_WHOLE: dict[Kind, Callable[[float], int]] = {
    Kind.LONG: numbers.to_long,
    Kind.SHORT: numbers.to_short,
    Kind.CHAR: numbers.to_byte,
}
_BITS = {Kind.LONG: 32, Kind.SHORT: 16, Kind.CHAR: 8}


def decode(record: Record, raw: Raw) -> Value:
    """The value a put gives to a record.

    Raises:
        ConversionError: It is no value of the record's type: nothing happens to the record.
        PutError: It cannot be used.
    """
    try:
        return _decoded(record, raw)
    except PutError:
        raise
    except ValueError as error:
        raise ConversionError(f"{record.name}: {error}") from None


def encode(record: Record, value: object) -> Any:
    """A program's value brought to the record's kind: menus to their string, texts cut to their length.

    An array of numpy stays one, in the record's own width.

    Raises:
        ValueError: It is not of the record's kind or not on its menu.
    """
    try:
        return _ENCODERS[record.kind](record, value)
    except (PutError, TypeError, ValueError) as error:
        raise ValueError(f"{record.name}: {error}") from error


def same(one: object, other: object) -> bool:
    """Whether two values of a record are the same; NaN is itself."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(np.asarray(one), np.asarray(other))
    return one == other or (isinstance(one, float) and math.isnan(one) and one is other)


def cut(text: str, size: int) -> str:
    """A text that fits into ``size`` bytes with its NUL, cut between characters."""
    data = text.encode(ENCODING, "replace")
    return text if len(data) < size else data[: size - 1].decode(ENCODING, "ignore")


def same_choice(record: Record, value: Value, other: Record) -> Value:
    """The value of a setpoint as its readback says it: the same index where their menus differ."""
    if record.menu is other.menu or record.kind is not Kind.ENUM:
        return value
    chosen = other.choices[record.choices.index(str(value))]
    return other.menu(chosen) if isinstance(other.menu, type) and issubclass(other.menu, StrEnum) else chosen


def _decoded(record: Record, raw: Raw) -> Value:
    match record.kind:
        case Kind.TEXT:
            return _long_text(record, raw)
        case Kind.DOUBLES | Kind.LONGS:
            return _array(record, raw)
        case Kind.ENUM:
            return _choice(record, _first(record, raw))
        case Kind.STRING:
            return _string(record, raw)
        case Kind.DOUBLE | Kind.FLOAT:
            given = _first(record, raw)
            value = numbers.parse_double(given) if isinstance(given, str) else float(given)
            value = _clamped(record, value)
            return value if record.kind is Kind.DOUBLE else numbers.to_single(value)
        case _:
            given = _first(record, raw)
            if isinstance(given, str):
                bits = _BITS[record.kind]
                given = numbers.parse_whole(given, bits, unsigned=record.kind is Kind.CHAR)
            return int(_clamped(record, _WHOLE[record.kind](given)))


def _first(record: Record, raw: Raw) -> str | float:
    if isinstance(raw, str):
        return raw
    if len(raw) == 0:
        raise ConversionError(f"{record.name}: nothing was sent; {record.kind.value} is right")
    return raw[0]


def _choice(record: Record, given: str | float) -> str:
    choices = record.choices
    if isinstance(given, str) and given not in choices:
        index = _index(record, given)
        if index is None or index >= len(choices):
            right = "one of " + ", ".join(choices)
            raise ConversionError(f"{record.name}: {given!r} is not on the menu; right is {right}")
        given = index
    if not isinstance(given, str):
        index = numbers.to_long(given) & 0xFFFF
        if index >= len(choices):
            raise PutError(f"{record.name}: there is no choice {given}; right is 0 to {len(choices) - 1}")
        given = choices[index]
    return record.menu(given) if isinstance(record.menu, type) else given


def _index(record: Record, text: str) -> int | None:
    found = (_ALONE if record.rtype in _STRICT_MENUS else _LEADING).match(text)
    return int(found[1]) if found else None


def _clamped(record: Record, value: float) -> float:
    if not record.limited or not record.clamp or math.isnan(value):
        return value
    return min(max(value, record.low), record.high)


def _array(record: Record, raw: Raw) -> list[float] | list[int]:
    given = [raw] if isinstance(raw, str) else raw[: record.length]
    longs = record.kind is Kind.LONGS
    if isinstance(given, list | tuple) and any(isinstance(item, str) for item in given):
        texts = [str(item) for item in given]
        if not all(texts):
            raise ConversionError(f"{record.name}: an empty text among numbers")
        return (
            [numbers.parse_whole(text) for text in texts]
            if longs
            else [numbers.parse_double(text) for text in texts]
        )
    array = np.frombuffer(given, "u1") if isinstance(given, bytes) else np.asarray(given)
    if array.size == 0:
        return []
    return numbers.to_longs(array).tolist() if longs else array.astype(float).tolist()


def _long_text(record: Record, raw: Raw) -> str:
    """A CHAR array as text; DBR_STRINGs are its elements as numbers, as EPICS base has it."""
    if isinstance(raw, str):
        data = raw.encode(ENCODING)
    elif isinstance(raw, bytes):
        data = raw
    elif len(raw) and isinstance(raw[0], str):
        data = bytes(_element(record, str(item)) for item in raw[: record.length])
    else:
        data = bytes(numbers.to_byte(float(item)) for item in raw[: record.length])
    return cut(_text(record, data[: 2 * record.length]), record.length + 1)


def _element(record: Record, text: str) -> int:
    if not text:
        raise ConversionError(f"{record.name}: a text is sent as CHARs; caput -S does so")
    try:
        return numbers.parse_whole(text, 8, unsigned=True)
    except ValueError:
        raise ConversionError(f"{record.name}: {text!r} came as DBR_STRING; caput -S sends CHARs") from None


def _string(record: Record, raw: Raw) -> str:
    given = _first(record, raw)
    if not isinstance(given, str):
        given = numbers.text_of(given, _STRING_PRECISION)
    return cut(_text(record, given.encode(ENCODING, "surrogateescape")), STRING_SIZE)


def _text(record: Record, data: bytes) -> str:
    data = data.split(b"\0", 1)[0]
    try:
        return data.decode(ENCODING)
    except UnicodeDecodeError as error:
        if error.end == len(data) and "unexpected end" in error.reason:
            return data.decode(ENCODING, "ignore")
        raise PutError(f"{record.name}: not text; UTF-8 is right") from None


def _encode_integer(record: Record, value: Any) -> int:
    bound = _BOUNDS[record.kind]
    return max(-bound, min(bound - 1, int(value)))


def _encode_array(record: Record, value: Any) -> Any:
    dtype = np.int32 if record.kind is Kind.LONGS else np.float64
    if isinstance(value, np.ndarray):
        flat = value.reshape(-1)[: record.length]
        return numbers.to_longs(flat) if record.kind is Kind.LONGS else flat.astype(dtype, copy=False)
    whole = record.kind is Kind.LONGS
    return [int(v) if whole else float(v) for v in value][: record.length]


_ENCODERS: dict[Kind, Callable[[Record, Any], Any]] = {
    Kind.ENUM: lambda record, value: _choice(record, value if isinstance(value, str) else int(value)),
    Kind.STRING: lambda _, value: cut(str(value), STRING_SIZE),
    Kind.TEXT: lambda record, value: cut(str(value), record.length + 1),
    Kind.DOUBLES: _encode_array,
    Kind.LONGS: _encode_array,
    Kind.DOUBLE: lambda _, value: float(value),
    Kind.FLOAT: lambda _, value: numbers.to_single(float(value)),
    Kind.CHAR: lambda _, value: int(value) & 0xFF,
    Kind.LONG: _encode_integer,
    Kind.SHORT: _encode_integer,
}
