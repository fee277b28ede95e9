"""DBR values: what a record shows, as the bytes that a client asks for.

Pure, and written from the CA protocol specification: all 35 buffer types, with conversion from the record's
own type as EPICS does it. Large arrays are numpy's and are turned round in one step.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ioc import numbers
from ioc.wire import Dbr

STS, TIME, GR, CTRL = 1, 2, 3, 4
"""Groups of seven types each, behind the plain ones."""
PUT_ACKT, PUT_ACKS, STSACK_STRING, CLASS_NAME = 35, 36, 37, 38
LAST = CLASS_NAME
SIZES = {
    Dbr.STRING: 40,
    Dbr.INT: 2,
    Dbr.FLOAT: 4,
    Dbr.ENUM: 2,
    Dbr.CHAR: 1,
    Dbr.LONG: 4,
    Dbr.DOUBLE: 8,
}
DTYPES = {
    Dbr.INT: np.dtype(">i2"),
    Dbr.FLOAT: np.dtype(">f4"),
    Dbr.ENUM: np.dtype(">u2"),
    Dbr.CHAR: np.dtype("u1"),
    Dbr.LONG: np.dtype(">i4"),
    Dbr.DOUBLE: np.dtype(">f8"),
}
_PACK = {
    Dbr.INT: struct.Struct(">h").pack,
    Dbr.FLOAT: struct.Struct(">f").pack,
    Dbr.ENUM: struct.Struct(">H").pack,
    Dbr.CHAR: struct.Struct(">B").pack,
    Dbr.LONG: struct.Struct(">i").pack,
    Dbr.DOUBLE: struct.Struct(">d").pack,
}
_LETTERS = {Dbr.INT: "h", Dbr.FLOAT: "f", Dbr.CHAR: "B", Dbr.LONG: "i", Dbr.DOUBLE: "d"}
_ALARM = struct.Struct(">hh")
_STAMP = struct.Struct(">hhII")
_STS_PAD = {Dbr.CHAR: 1, Dbr.DOUBLE: 4}
_TIME_PAD = {Dbr.INT: 2, Dbr.ENUM: 2, Dbr.CHAR: 3, Dbr.DOUBLE: 4}
_STATES, _STATE_SIZE = 16, 26
_UNITS = 8
_NAN = math.nan


class NoConversionError(ValueError):
    """The record's value cannot be given in the type that was asked for: a text that is no number."""


@dataclass(slots=True, kw_only=True)
class Shown:
    """What a record shows.

    Attributes:
        native: Its own type.
        value: A number; the index of a menu; bytes of CHARs; texts as bytes; or an array.
        status: Alarm status.
        severity: Alarm severity.
        seconds: Time of the value, since 1990.
        nanoseconds: The rest of it.
        acknowledge_transient: ACKT.
        to_acknowledge: ACKS.
        units: EGU, encoded.
        precision: PREC.
        limits: Upper and lower display; HIHI, HIGH, LOW, LOLO; upper and lower control.
        states: Choices of a menu, encoded.
        rtype: Record type.
    """

    native: Dbr
    value: float | bytes | tuple[bytes, ...] | npt.NDArray[Any]
    status: int = 0
    severity: int = 0
    seconds: int = 0
    nanoseconds: int = 0
    acknowledge_transient: int = 1
    to_acknowledge: int = 0
    units: bytes = b""
    precision: int = 0
    limits: tuple[float, ...] = (0.0, 0.0, _NAN, _NAN, _NAN, _NAN, 0.0, 0.0)
    states: tuple[bytes, ...] = field(default=())
    rtype: str = ""


def encode(shown: Shown, code: int, count: int = 0) -> tuple[int, bytes]:
    """A value as a client asks for it.

    Args:
        shown: What the record shows.
        code: DBR type.
        count: Elements asked for; 0 for as many as there are. What is missing is filled with zeros.

    Returns:
        Number of elements, and the bytes, not padded.

    Raises:
        NoConversionError: The value cannot be given in this type.
        ValueError: No type that can be read has this code.
    """
    if code == CLASS_NAME:
        number = max(1, count)
        return number, shown.rtype.encode().ljust(40 * number, b"\0")
    if code == STSACK_STRING:
        number, data = body(shown, Dbr.STRING, count)
        acks = (shown.status, shown.severity, shown.acknowledge_transient, shown.to_acknowledge)
        return number, struct.pack(">hhHH", *acks) + data
    if not 0 <= code < PUT_ACKT:
        raise ValueError(f"DBR type {code} cannot be read")
    group, base = divmod(code, 7)
    native = Dbr(base)
    number, data = body(shown, native, count)
    return number, head(shown, group, native) + data


def head(shown: Shown, group: int, native: Dbr) -> bytes:
    """What stands before the value."""
    if group == 0:
        return b""
    if group == TIME:
        stamp = _STAMP.pack(shown.status, shown.severity, shown.seconds, shown.nanoseconds)
        return stamp + bytes(_TIME_PAD.get(native, 0))
    alarm = _ALARM.pack(shown.status, shown.severity)
    if group == STS or native is Dbr.STRING:
        return alarm + bytes(_STS_PAD.get(native, 0) if group == STS else 0)
    if native is Dbr.ENUM:
        states = shown.states[:_STATES]
        fields = b"".join(state[: _STATE_SIZE - 1].ljust(_STATE_SIZE, b"\0") for state in states)
        return alarm + struct.pack(">h", len(states)) + fields.ljust(_STATES * _STATE_SIZE, b"\0")
    units = shown.units[: _UNITS - 1].ljust(_UNITS, b"\0")
    limits = shown.limits[: 8 if group == CTRL else 6]
    whole = native not in (Dbr.DOUBLE, Dbr.FLOAT)
    given = [_whole(limit, native) for limit in limits] if whole else [_real(v, native) for v in limits]
    precision = b"" if whole else struct.pack(">hh", numbers.to_short(shown.precision), 0)
    packed = struct.pack(f">{len(given)}{_LETTERS[native]}", *given)
    return alarm + precision + units + packed + (b"\0" if native is Dbr.CHAR else b"")


def body(shown: Shown, native: Dbr, count: int = 0) -> tuple[int, bytes]:
    """The elements of a value in a type; raises as ``encode`` does."""
    value = shown.value
    if isinstance(value, int | float):
        number = 1
        data = _PACK[native](value) if native is shown.native else _scalar(shown, value, native)
    else:
        kept = value[:count] if count else value
        number = len(kept)
        data = _array(shown, kept, native)
    if count > number:
        return count, data + bytes((count - number) * SIZES[native])
    return number, data


def elements(shown: Shown, native: Dbr) -> list[bytes] | npt.NDArray[Any]:
    """The elements one by one, in the order of bytes of the wire; raises as ``encode`` does."""
    _, data = body(shown, native)
    if native is Dbr.STRING:
        return [data[start : start + 40] for start in range(0, len(data), 40)]
    return np.frombuffer(data, DTYPES[native])


def _scalar(shown: Shown, value: float, native: Dbr) -> bytes:
    if native is Dbr.STRING:
        return _text(shown, value).ljust(40, b"\0")
    return _PACK[native](_number(value, native))


def _array(shown: Shown, value: bytes | tuple[bytes, ...] | npt.NDArray[Any], native: Dbr) -> bytes:
    if isinstance(value, bytes):
        if native is Dbr.CHAR:
            return value
        value = np.frombuffer(value, "u1")
    if isinstance(value, tuple):
        if native is Dbr.STRING:
            return b"".join(text[:39].ljust(40, b"\0") for text in value)
        try:
            return b"".join(_PACK[native](_parsed(text.decode("latin-1"), native)) for text in value)
        except ValueError as error:
            raise NoConversionError(str(error)) from None
    if native is Dbr.STRING:
        return b"".join(_text(shown, item).ljust(40, b"\0") for item in value.tolist())
    if native in (Dbr.DOUBLE, Dbr.FLOAT):
        with np.errstate(over="ignore"):
            return value.astype(DTYPES[native]).tobytes()
    return numbers.to_longs(value).astype(DTYPES[native]).tobytes()


def _text(shown: Shown, value: float) -> bytes:
    if shown.native is Dbr.ENUM and int(value) < len(shown.states):
        return shown.states[int(value)]
    return numbers.text_of(value, shown.precision).encode()[:39]


def _parsed(text: str, native: Dbr) -> float:
    if native in (Dbr.DOUBLE, Dbr.FLOAT):
        return _number(numbers.parse_double(text), native)
    return numbers.parse_whole(text, 8 * SIZES[native], unsigned=native in (Dbr.ENUM, Dbr.CHAR))


def _number(value: float, native: Dbr) -> float:
    match native:
        case Dbr.DOUBLE:
            return float(value)
        case Dbr.FLOAT:
            return numbers.to_single(value)
        case Dbr.LONG:
            return numbers.to_long(value)
        case Dbr.INT:
            return numbers.to_short(value)
        case Dbr.ENUM:
            return numbers.to_long(value) & 0xFFFF
        case _:
            return numbers.to_byte(value)


def _whole(value: float, native: Dbr) -> float:
    return _number(value, native) if math.isfinite(value) else 0


def _real(value: float, native: Dbr) -> float:
    return _number(value, native)
