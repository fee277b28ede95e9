"""Puts that no record of a kind is meant to get, and what may stand in a PV after each."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Iterator

from ioc.records import Kind, PutError, PvClass, Record
from ioc.values import Raw, decode
from tests.kit.put_cases import RawPut, chars, doubles, enums, floats, longs, shorts, strings
from tests.kit.walker import alike

_ARRAYS = (Kind.TEXT, Kind.DOUBLES, Kind.LONGS)
_SIZES = {1: "h", 2: "f", 3: "H", 5: "i", 6: "d"}


def malformed(record: Record, chance: random.Random) -> Iterator[tuple[str, RawPut]]:
    """The puts for a record, each with what it is called."""
    # A byte that begins no text stands first: what is random is never the name of a file.
    binary = b"\xfe" + chance.randbytes(299)
    yield "a text that is no number", strings("no number")
    yield "an empty text", strings("")
    yield "an index off the menu", enums(len(record.choices) if record.choices else 60000)
    yield "a negative index", shorts(-1)
    yield "NaN", doubles(math.nan)
    yield "infinity", doubles(math.inf)
    yield "minus infinity", doubles(-math.inf)
    yield "1e300", doubles(1e300)
    yield "a float without bound", floats(-math.inf)
    yield "a negative number", longs(-7)
    yield "no element", doubles()
    yield "no byte", chars(b"")
    yield "too many elements", longs(*range(1, record.length + 3 if record.kind in _ARRAYS else 4))
    yield "300 random bytes", chars(binary)
    yield "random texts", strings(*(binary[at : at + 40] for at in range(0, 280, 40)))
    yield "random numbers", (6, 37, binary[:296])


def allowed(record: Record, raw: RawPut, old: object, new: object) -> str:
    """Why a value may not stand after a put that was taken; empty if it may.

    Args:
        record: What was put to.
        raw: What was put.
        old: The value before, as clients see it.
        new: The value now.
    """
    if record.pv_class is PvClass.ECHOES:
        try:
            meant = shown(record, decode(record, as_raw(raw)))
        except PutError:
            meant = old
        return "" if alike(new, meant) or alike(new, old) else f"neither {old!r} nor {meant!r}"
    if isinstance(new, float) and not math.isfinite(new):
        return "no number stands for anything that acts"
    if isinstance(new, int | float) and record.limited and record.clamp:
        return "" if record.low <= new <= record.high else f"not within {record.low} to {record.high}"
    return ""


def shown(record: Record, value: object) -> object:
    """A value as clients see it."""
    if record.kind is Kind.ENUM:
        return record.choices.index(str(value))
    if record.kind is Kind.TEXT:
        return str(value).encode()
    return value


def as_raw(raw: RawPut) -> Raw:
    """A put as the server's own rules take it."""
    data_type, count, payload = raw
    if data_type == 0:
        texts = [payload[at : at + 40].split(b"\0", 1)[0] for at in range(0, 40 * count, 40)]
        return [text.decode("utf-8", "surrogateescape") for text in texts]
    if data_type == 4:
        return payload
    return list(
        struct.unpack(f">{count}{_SIZES[data_type]}", payload[: count * struct.calcsize(_SIZES[data_type])])
    )
