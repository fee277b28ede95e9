"""Gets, puts and monitors taken from the bytes of a request and answered in bytes.

Pure: what a put carries, what answers look like, and the codes of EPICS for what went wrong.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import numpy as np

from ioc import dbr
from ioc.values import ENCODING, Raw
from ioc.wire import Command, Dbr, Message

_HEADER = struct.Struct(">HHHHII")
_LARGE = struct.Struct(">HHHHIIII")
_MASK = struct.Struct(">12xH")
_FEW = 16
"""Elements that are unpacked without numpy."""
_LETTERS = {Dbr.INT: "h", Dbr.FLOAT: "f", Dbr.ENUM: "H", Dbr.LONG: "i", Dbr.DOUBLE: "d"}
ALL_MASKS = 0xF


class Eca(IntEnum):
    """Status codes of Channel Access that a server gives."""

    NORMAL = 1
    BADTYPE = 114
    INTERNAL = 142
    GETFAIL = 152
    PUTFAIL = 160
    BADMASK = 330
    NOWTACCESS = 376


class BadTypeError(ValueError):
    """A put whose type no server takes: the connection is closed, as rsrv does."""


def header(command: int, size: int, data_type: int, count: int, p1: int, p2: int) -> bytes:  # noqa: PLR0917
    """Bytes of a message's header, for a payload of so many bytes."""
    if size < 0xFFFF and count < 0xFFFF:
        return _HEADER.pack(command, size, data_type, count, p1, p2)
    return _LARGE.pack(command, 0xFFFF, data_type, 0, p1, p2, size, count)


def padding(data: bytes) -> bytes:
    """What is missing to a multiple of eight bytes."""
    return bytes(-len(data) % 8)


def put_value(data_type: int, count: int, payload: bytes) -> Raw:
    """What a put carries, as the record's side takes it; what the payload is short of is zeros.

    Raises:
        BadTypeError: No put has this type.
        ValueError: The type is one that only gets have.
    """
    if data_type > dbr.LAST:
        raise BadTypeError(f"there is no DBR type {data_type}")
    if data_type > Dbr.DOUBLE:
        raise ValueError(f"DBR type {data_type} cannot be put; a plain type is right")
    native = Dbr(data_type)
    size = dbr.SIZES[native]
    count = min(count, max(1, len(payload) // size)) if count else 0
    data = payload[: count * size].ljust(count * size, b"\0")
    if native is Dbr.STRING:
        starts = range(0, len(data), 40)
        fields = (data[start : start + 40].split(b"\0", 1)[0] for start in starts)
        return [field.decode(ENCODING, "surrogateescape") for field in fields]
    if native is Dbr.CHAR:
        return data
    if count > _FEW:
        array = np.frombuffer(data, dbr.DTYPES[native])
        return array.astype(array.dtype.newbyteorder("="))
    return list(struct.unpack(f">{count}{_LETTERS[native]}", data))


def error(request: Message, cid: int, status: Eca, text: str) -> bytes:
    """An ERROR message: the header of the request, and what is wrong with it."""
    head = header(
        request.command, len(request.payload), request.data_type, request.count, request.p1, request.p2
    )
    payload = head + text.encode(ENCODING)[:511] + b"\0"
    return Message(Command.ERROR, 0, 0, cid, status, payload).encode()


def mask(payload: bytes) -> int:
    """What a subscription wants to be told of; 0 if it says nothing that can be told."""
    return _MASK.unpack_from(payload)[0] & ALL_MASKS if len(payload) >= _MASK.size else 0
