"""What a put to a setting of ``HDF1:`` is worth: pure judgements, each with the sentence a client gets.

Most settings are kept and shown whatever they are, as on a real NDFileHDF5. Those here would promise what
the writer does not do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.parsers import expat

from ioc.records import PutError

_RATES: Final = ("MinCallbackTime", "MaxArrayRate", "MaxByteRate")
_COUNTS: Final = ("NumCapture", "NumFramesFlush")
_LAYOUT: Final = "hdf5_layout"
_LARGEST: Final = 1 << 20
UNUSED: Final = "layout files are not used: files have NDFileHDF5's default layout; put an empty XMLFileName"


def check(name: str, value: object, source: str) -> None:
    """Refuse what would not be done.

    Args:
        name: The record.
        value: What was put.
        source: Port of the camera.

    Raises:
        PutError: Says what would be right.
    """
    if name in _RATES and isinstance(value, int | float) and value:
        raise PutError(f"{name} {value:g}: the writer leaves no frame out to keep a rate; 0 is right")
    if name in _COUNTS and isinstance(value, int) and value < 0:
        raise PutError(f"{name} {value}: there are no fewer than 0 frames; 0 is no limit")
    if name == "NDArrayPort" and value != source:
        raise PutError(f"NDArrayPort {value!r}: the writer takes a detector's own stream; {source} is right")
    if name == "TempSuffix" and ("/" in str(value) or any(ord(c) < 32 for c in str(value))):
        raise PutError(f"TempSuffix {value!r}: it stands behind a file's name; right is a word such as .tmp")


def layout(value: str) -> tuple[bool, str]:
    """Whether a layout is one, and what is to be said of it.

    Args:
        value: XMLFileName: a file's name, or XML.

    Returns:
        XMLValid_RBV and XMLErrorMsg_RBV.
    """
    if not value.strip():
        return True, ""
    text = value
    if not value.lstrip().startswith("<"):
        try:
            path = Path(value)
            if path.stat().st_size > _LARGEST:
                return False, f"XMLFileName: {value} is too large for a layout"
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text"
            return False, f"XMLFileName: {value[:100]} cannot be read: {why}; {UNUSED}"
    problem = _parsed(text)
    return (False, f"{problem}; {UNUSED}") if problem else (True, UNUSED)


def _parsed(text: str) -> str:
    """What is wrong with an XML; empty if it is a layout."""
    roots: list[str] = []

    def start(name: str, _attributes: dict[str, str]) -> None:
        roots.append(name)

    def entity(*_declared: object) -> None:
        raise expat.ExpatError("entities are not taken")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        return f"XML: {error}"
    return "" if roots[0] == _LAYOUT else f"XML: the root is <{roots[0]}>; <{_LAYOUT}> is right"
