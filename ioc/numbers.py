"""Numbers as EPICS converts them: text to numbers, numbers to text, and one type of C into another.

Pure. Mirrors dbConvert and epicsStdlib of EPICS base 7.0.8 as measured on a real softIoc: a text may go on
behind its number, whole numbers are decimal, and what does not fit into an integer becomes the least of 32
bits, cut to the width asked for.
"""

from __future__ import annotations

import math
import re
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

_DOUBLE = re.compile(
    r"\s*([+-]?(?:0x[0-9a-f]+|(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf(?:inity)?))", re.IGNORECASE
)
_WHOLE = re.compile(r"\s*([+-]?\d+)")
_STRICT = re.compile(r"\s*([+-]?\d+)\s*\Z")
_LEAST = -(2**31)
_SINGLE_MAX = 3.4028234663852886e38
_FIXED = 1e7
"""From here on a number is printed with three decimals, as cvtDoubleToString does."""
_EXPONENT = 1e16


def parse_double(text: str) -> float:
    """The number that a text begins with; 0 for an empty text.

    Raises:
        ValueError: It begins with none, or with one that no double can hold.
    """
    if not text:
        return 0.0
    found = _DOUBLE.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a number")
    digits = found[1]
    value = float(int(digits, 16)) if "x" in digits.lower() else float(digits)
    if math.isinf(value) and "i" not in digits.lower():
        raise ValueError(f"{text!r} is beyond what a double holds")
    return value


def parse_whole(text: str, bits: int = 32, *, strict: bool = False, unsigned: bool = False) -> int:
    """The whole number that a text begins with; 0 for an empty text.

    Args:
        text: Decimal digits; what follows them is left out.
        bits: Width of the type it goes into.
        strict: Nothing may follow the digits, and an empty text is no number.
        unsigned: The type has no sign; a negative number wraps, as strtoul has it.

    Raises:
        ValueError: It begins with none, or with one that does not fit.
    """
    if not text and not strict:
        return 0
    found = (_STRICT if strict else _WHOLE).match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a whole number")
    value = int(found[1])
    top = 2**bits if unsigned else 2 ** (bits - 1)
    if not -top <= value < top:
        raise ValueError(f"{text!r} is beyond {bits} bits")
    return value % 2**bits if unsigned else value


def to_long(value: float) -> int:
    """A number as 32 bits with sign hold it: cut towards zero, the least one if it does not fit."""
    if isinstance(value, int):
        return (value + 2**31) % 2**32 - 2**31
    return int(value) if -(2**31) - 1 < value < 2**31 else _LEAST


def to_short(value: float) -> int:
    """A number as 16 bits with sign hold it."""
    return (to_long(value) + 2**15) % 2**16 - 2**15


def to_byte(value: float) -> int:
    """A number as 8 bits without sign hold it."""
    return to_long(value) & 0xFF


def to_single(value: float) -> float:
    """A number as 32 bits hold it: the greatest of them for one that is greater."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return math.copysign(_SINGLE_MAX, value)


def to_longs(values: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Numbers as 32 bits with sign hold them, element by element as ``to_long``."""
    if values.dtype.kind != "f":
        return values.astype(np.int32, copy=False)
    with np.errstate(invalid="ignore"):
        fits = (values > -(2.0**31) - 1) & (values < 2.0**31)
        return np.where(fits, values, _LEAST).astype(np.int32)


def text_of(value: float, precision: int) -> str:
    """A number with so many decimals, as cvtDoubleToString prints it."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value) or math.isinf(value):
        return str(value)
    if precision <= 8 and abs(value) <= _FIXED:
        return f"{value:.{max(0, precision)}f}"
    if precision > 8 or abs(value) > _EXPONENT:
        return f"{value:{precision + 7}.{min(precision, 17)}e}"
    return f"{value:.{min(3, precision)}f}"
