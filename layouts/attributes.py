"""NDAttributes: what a client's XML asks to have stored beside each frame.

Mirrors ``asynNDArrayDriver::readNDAttributesFile`` of ADCore: the value of ``NDAttributesFile`` is XML if it
contains ``<Attributes>``, else the name of a file; ``NDAttributesMacros`` are filled in first. Unlike there,
nothing that is not understood is taken: the answer is a status of the record's menu and a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from xml.parsers import expat

_ROOT: Final = "Attributes"
_LARGEST: Final = 1 << 20
"""Characters of an XML that is read at all."""
_DEEPEST: Final = 20
"""Macros within macros."""


class NDAttributesStatus(StrEnum):
    """Menu of the record of that name."""

    OK = "Attributes file OK"
    NOT_FOUND = "File not found"
    SYNTAX = "XML syntax error"
    MACROS = "Macro substitution error"


class AttributesError(ValueError):
    """Attributes that cannot be had.

    Attributes:
        status: What the record NDAttributesStatus shows.
    """

    def __init__(self, status: NDAttributesStatus, message: str) -> None:
        super().__init__(message)
        self.status: Final = status


class SourceType(StrEnum):
    """Where the values of an attribute come from: the words of the XML."""

    EPICS_PV = "EPICS_PV"
    PARAM = "PARAM"
    CONST = "CONST"


class AttributeType(StrEnum):
    """Type of an attribute's values, as numpy writes it."""

    INT8 = "<i1"
    INT16 = "<i2"
    INT32 = "<i4"
    INT64 = "<i8"
    UINT32 = "<u4"
    FLOAT32 = "<f4"
    FLOAT64 = "<f8"
    STRING = "S256"
    """As NDFileHDF5 stores it: 256 bytes, NUL-padded."""


_DBR: Final = {
    "DBR_CHAR": AttributeType.INT8,
    "DBR_SHORT": AttributeType.INT16,
    "DBR_ENUM": AttributeType.INT16,
    # Channel Access has one code for INT and SHORT; clients (ophyd-async) describe INT as 32 bit.
    "DBR_INT": AttributeType.INT32,
    "DBR_LONG": AttributeType.INT32,
    "DBR_FLOAT": AttributeType.FLOAT32,
    "DBR_DOUBLE": AttributeType.FLOAT64,
    "DBR_STRING": AttributeType.STRING,
    "DBR_NATIVE": None,
}
_PARAM: Final = {
    "INT": AttributeType.INT32,
    "INT64": AttributeType.INT64,
    "DOUBLE": AttributeType.FLOAT64,
    "STRING": AttributeType.STRING,
}
RESERVED: Final = ("NDArrayUniqueId", "NDArrayTimeStamp", "NDArrayEpicsTSSec", "NDArrayEpicsTSnSec")
"""Names that the file writer gives to what it stores of every frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSource:
    """One attribute as it is asked for.

    Attributes:
        name: Of its dataset.
        type: Where its values come from.
        source: A PV, a parameter (drvInfo), or the value itself.
        value_type: Of its values; None where the PV's own decides.
        description: For the reader of the file.
        addr: asyn address of a parameter.
    """

    name: str
    type: SourceType
    source: str
    value_type: AttributeType | None
    description: str = ""
    addr: int = 0


def load(value: str, macros: str = "") -> tuple[AttributeSource, ...]:
    """The attributes that a record ``NDAttributesFile`` asks for.

    Args:
        value: XML, or the name of a file that holds it; empty asks for none.
        macros: ``NDAttributesMacros``, such as ``P=SB:,M=MOT:OMEGA``.

    Raises:
        AttributesError: They cannot be had.
    """
    if not value.strip():
        return ()
    if f"<{_ROOT}>" in value or value.lstrip().startswith("<"):
        return parse(value, macros)
    try:
        with Path(value).open(encoding="utf-8") as file:
            text = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise AttributesError(
            NDAttributesStatus.NOT_FOUND,
            f"NDAttributesFile {value!r} cannot be read: {why}; put the name of a file that the IOC's host "
            f"can read, or XML that begins with <{_ROOT}>",
        ) from None
    return parse(text, macros)


def parse(text: str, macros: str = "") -> tuple[AttributeSource, ...]:
    """The attributes in an XML text, in its order; of two with one name the later counts.

    Args:
        text: XML with the root element Attributes.
        macros: Values for ``$(NAME)`` in it.

    Raises:
        AttributesError: It is not understood; the message names the line and what would be right.
    """
    if len(text) > _LARGEST:
        raise _syntax(f"more than {_LARGEST} characters; split the attributes over camera and file plugin")
    found: dict[str, AttributeSource] = {}
    for line, keys in _elements(_expand(text, macros)):
        one = _attribute(line, keys)
        found.pop(one.name.casefold(), None)
        found[one.name.casefold()] = one
    return tuple(found.values())


# ---------------------------------------------------------------- one attribute


def _attribute(line: int, keys: Mapping[str, str]) -> AttributeSource:
    where = f"line {line}"
    name = keys.get("name", "")
    if not name:
        raise _syntax(f'{where}: an attribute without a name; give it name="..."')
    if "/" in name or "\0" in name or name in (".", ".."):
        raise _syntax(f"{where}: {name!r} cannot be the name of a dataset; take letters, digits and _")
    if name in RESERVED:
        raise _syntax(f"{where}: {name} is stored of every frame anyway; take another name")
    where = f"{where}, attribute {name}"
    source = keys.get("source")
    if not source:
        raise _syntax(f'{where}: no source; give it source="..." with a PV, a parameter or a constant')
    word = keys.get("type", SourceType.EPICS_PV)
    try:
        kind = SourceType(word)
    except ValueError:
        if word.startswith("FUNCT"):
            raise _syntax(
                f"{where}: type FUNCTION calls a function that was compiled into the IOC, and there is none "
                "here; serve its value as a PV and take type EPICS_PV"
            ) from None
        raise _syntax(f"{where}: type {word!r} is not known; {_or(SourceType)} is right") from None
    return AttributeSource(
        name=name,
        type=kind,
        source=source,
        value_type=_value_type(where, kind, keys),
        description=keys.get("description", ""),
        addr=_addr(where, keys.get("addr", "0")),
    )


def _value_type(where: str, kind: SourceType, keys: Mapping[str, str]) -> AttributeType | None:
    if kind is SourceType.CONST:
        return AttributeType.STRING
    if kind is SourceType.PARAM:
        word = keys.get("datatype", "INT")
        # ADCore's manual says that case does not matter, its code stores NaN for "double".
        if word.upper() not in _PARAM:
            raise _syntax(f"{where}: datatype {word!r} is not known; {_or(_PARAM)} is right")
        return _PARAM[word.upper()]
    word = keys.get("dbrtype", "DBR_NATIVE")
    if word not in _DBR:
        raise _syntax(f"{where}: dbrtype {word!r} is not known; {_or(_DBR)} is right")
    return _DBR[word]


def _addr(where: str, word: str) -> int:
    try:
        return int(word, 0)
    except ValueError:
        raise _syntax(f"{where}: addr {word!r} is no number") from None


def _or(words: Mapping[str, object] | type[StrEnum]) -> str:
    *first, last = (str(word) for word in words)
    return f"{', '.join(first)} or {last}"


def _syntax(why: str) -> AttributesError:
    return AttributesError(NDAttributesStatus.SYNTAX, f"NDAttributesFile: {why}")


# ---------------------------------------------------------------- XML


def _elements(text: str) -> list[tuple[int, dict[str, str]]]:
    """Line and XML attributes of each child of the root.

    Entities of the document's own are refused before they can grow or reach a file: expat expands them.
    """
    parser = expat.ParserCreate()
    found: list[tuple[int, dict[str, str]]] = []
    depth = 0

    def begin(tag: str, keys: dict[str, str]) -> None:
        nonlocal depth
        if depth == 0 and tag != _ROOT:
            raise _syntax(f"line {parser.CurrentLineNumber}: the root is <{tag}>; <{_ROOT}> is right")
        if depth == 1:
            found.append((parser.CurrentLineNumber, keys))
        depth += 1

    def end(_tag: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(name: str, *_rest: object) -> None:
        raise _syntax(
            f"line {parser.CurrentLineNumber}: it declares the entity {name}; write out what it means"
        )

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text.encode().lstrip(), True)
    except expat.ExpatError as error:
        raise _syntax(
            f"line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}; is every "
            "element closed, and every value in quotes?"
        ) from None
    except UnicodeEncodeError as error:
        raise _syntax(f"it is no text: {error.reason}") from None
    return found


# ---------------------------------------------------------------- macros

_MACRO: Final = re.compile(r"\$[({]([^(){}$]*)[)}]")


def _expand(text: str, macros: str) -> str:
    """Fill in macros as EPICS' macLib does: ``$(NAME)``, ``${NAME}``, ``$(NAME=default)``, also nested."""
    known = _definitions(macros)

    def value(match: re.Match[str]) -> str:
        name, given, default = match[1].partition("=")
        if name.strip() in known:
            return known[name.strip()]
        if given:
            return default
        line = text.count("\n", 0, max(text.find(match[0]), 0)) + 1
        raise AttributesError(
            NDAttributesStatus.MACROS,
            f"NDAttributesFile: line {line}: {match[0]} has no value; put {name.strip()}=... to "
            "NDAttributesMacros",
        )

    for _ in range(_DEEPEST):
        if _MACRO.search(text) is None:
            return text
        text = _MACRO.sub(value, text)
        if len(text) > _LARGEST:
            break
    raise AttributesError(
        NDAttributesStatus.MACROS,
        f"NDAttributesMacros: a macro in {macros!r} contains itself; define it plainly",
    )


def _definitions(macros: str) -> dict[str, str]:
    """``A=1,B="x,y"`` as a dictionary; quotes and backslashes as in macLib."""
    found: dict[str, str] = {}
    for part in _parts(macros):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise AttributesError(
                NDAttributesStatus.MACROS,
                f"NDAttributesMacros: {part.strip()!r} is no definition; NAME=value,NAME=value is right",
            )
        found[name.strip()] = _unquoted(value.strip())
    return found


def _parts(macros: str) -> list[str]:
    """Pieces between commas that are not within quotes or behind a backslash."""
    parts, quote, escaped = [""], "", False
    for letter in macros:
        if letter == "," and not quote and not escaped:
            parts.append("")
            continue
        parts[-1] += letter
        if escaped:
            escaped = False
        elif letter == "\\":
            escaped = True
        elif letter in "\"'" and quote in ("", letter):
            quote = "" if quote else letter
    return parts


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)|[\"']", lambda match: match[1] or "", value)
