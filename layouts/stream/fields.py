"""Taking fields out of a decoded map or JSON object with a clear word where they are missing or wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from layouts.stream.cbor import Tagged
from layouts.stream.errors import StreamError

_MISSING: Any = object()
_REMEDY = "a message as Dectris documents it is right here; is something else sending to this port?"


def fault(what: str, where: str) -> StreamError:
    """A field that is not as documented."""
    return StreamError(what, where, _REMEDY)


def number(fields: Mapping[Any, Any], key: str, where: str) -> int:
    """An unsigned whole number.

    Raises:
        StreamError: It is missing, negative or something else.
    """
    value = fields.get(key, _MISSING)
    if type(value) is not int or value < 0:
        raise _wrong(value, key, where, "a whole number from 0")
    return value


def whole(value: Any, where: str) -> int:
    """A whole number from 0.

    Raises:
        StreamError: It is something else.
    """
    if type(value) is not int or value < 0:
        raise fault(f"{str(value)[:40]!r}, not a whole number from 0", where)
    return value


def positive(value: Any, where: str) -> int:
    """A whole number above 0.

    Raises:
        StreamError: It is something else.
    """
    if not whole(value, where):
        raise fault("0, not a whole number above it", where)
    return value


def text(fields: Mapping[Any, Any], key: str, where: str) -> str:
    """A text.

    Raises:
        StreamError: It is missing or something else.
    """
    value = fields.get(key, _MISSING)
    if not isinstance(value, str):
        raise _wrong(value, key, where, "a text")
    return value


def date(value: Any, where: str) -> str:
    """A date and time, by its own words (tag 0, or a plain text).

    Raises:
        StreamError: It is something else.
    """
    match value:
        case Tagged(0, str(said)) | str(said):
            return said
        case _:
            raise fault(f"{str(value)[:40]!r} is no date and time", where)


def shape(value: Any, where: str) -> tuple[int, int]:
    """Two whole numbers above 0.

    Raises:
        StreamError: They are something else.
    """
    match value:
        case [first, second]:
            return positive(first, where), positive(second, where)
        case _:
            raise _wrong(value, "shape", where, "two whole numbers")


def mapping(value: Any, where: str) -> dict[Any, Any]:
    """A map.

    Raises:
        StreamError: It is something else.
    """
    if not isinstance(value, dict):
        raise fault(f"a {type(value).__name__} in place of a map", where)
    return cast("dict[Any, Any]", value)


def _wrong(value: Any, key: str, where: str, right: str) -> StreamError:
    if value is _MISSING:
        return fault(f"no {key!r}", where)
    return fault(f"{key!r} is {str(value)[:40]!r}, not {right}", where)
