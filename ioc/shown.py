"""What Channel Access shows of a record: its value, time and control information, ready to be encoded.

Pure, but for the clock.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from ioc import dbr
from ioc.fields import rtype
from ioc.records import Kind, Record
from ioc.values import ENCODING
from ioc.wire import Dbr

NATIVE = {
    Kind.DOUBLE: Dbr.DOUBLE,
    Kind.FLOAT: Dbr.FLOAT,
    Kind.CHAR: Dbr.CHAR,
    Kind.LONG: Dbr.LONG,
    Kind.SHORT: Dbr.INT,
    Kind.ENUM: Dbr.ENUM,
    Kind.STRING: Dbr.STRING,
    Kind.TEXT: Dbr.CHAR,
    Kind.DOUBLES: Dbr.DOUBLE,
    Kind.LONGS: Dbr.LONG,
}
ARRAYS = (Kind.TEXT, Kind.DOUBLES, Kind.LONGS)
_EPOCH = 631152000
"""Seconds from 1970 to 1990, where EPICS time begins."""


def shown(record: Record, value: Any) -> dbr.Shown:
    """What is shown of a record that has a value."""
    native = NATIVE[record.kind]
    made = dbr.Shown(
        native=native,
        value=wire_value(record, value),
        states=tuple(choice.encode(ENCODING) for choice in record.choices),
        rtype=rtype(record),
        units=record.units.encode(ENCODING),
        precision=record.precision if native in (Dbr.DOUBLE, Dbr.FLOAT) else 0,
    )
    made.limits = (record.high, record.low, *made.limits[2:6], record.high, record.low)
    stamp(made, None)
    return made


def stamp(given: dbr.Shown, timestamp: float | None) -> None:
    """Set the time of a value: Unix time, or now."""
    now = time.time() if timestamp is None else timestamp
    seconds = math.floor(now)
    given.seconds, given.nanoseconds = seconds - _EPOCH, int((now - seconds) * 1e9)


def as_chars(given: dbr.Shown) -> dbr.Shown:
    """A text as CHARs, as ``NAME$`` shows it."""
    value = given.value
    return replace(given, native=Dbr.CHAR, value=value[0] + b"\0") if isinstance(value, tuple) else given


def wire_value(record: Record, value: Any) -> Any:
    """What Channel Access shows: a text carries its NUL where there is room, so that an empty one is seen.

    libca's clients do not take an array of no elements for an empty string.
    """
    match record.kind:
        case Kind.TEXT:
            data = value.encode(ENCODING)
            return data + b"\0" if len(data) < record.length else data[: record.length]
        case Kind.STRING:
            return (value.encode(ENCODING),)
        case Kind.ENUM:
            return record.choices.index(value)
        case Kind.DOUBLES:
            return np.asarray(value, np.float64)
        case Kind.LONGS:
            return np.asarray(value, np.int32)
        case _:
            return value
