"""Channel Access on the wire, as far as a client needs it: messages to and from bytes, and DBR values.

Pure, and written from the CA protocol specification (version 4.13): the asyncio client around it owns the
sockets. Servers go through caproto; a client of our own is small and does what caproto's asyncio client does
not: server addresses that are given, not taken from the environment, and callbacks in order.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import cast

from ioc.values import ENCODING

VERSION = 13
_HEADER = struct.Struct(">HHHHII")
_LARGE = struct.Struct(">II")
_TIME = struct.Struct(">hhII")
_EPOCH = 631152000
"""Seconds from 1970 to 1990, where EPICS time begins."""
_STATES = 16
_STATE_SIZE = 26
_TIME_OFFSET = 14
GR_ENUM = 24
VALUE_AND_ALARM = 5


class Command(IntEnum):
    """Message numbers."""

    VERSION = 0
    EVENT_ADD = 1
    EVENT_CANCEL = 2
    READ = 3
    WRITE = 4
    SEARCH = 6
    EVENTS_OFF = 8
    EVENTS_ON = 9
    ERROR = 11
    CLEAR_CHANNEL = 12
    RSRV_IS_UP = 13
    READ_NOTIFY = 15
    CREATE_CHAN = 18
    WRITE_NOTIFY = 19
    CLIENT_NAME = 20
    HOST_NAME = 21
    ACCESS_RIGHTS = 22
    ECHO = 23
    CREATE_CH_FAIL = 26
    SERVER_DISCONN = 27


class Dbr(IntEnum):
    """Native types."""

    STRING = 0
    INT = 1
    FLOAT = 2
    ENUM = 3
    CHAR = 4
    LONG = 5
    DOUBLE = 6


_FORMAT = {
    Dbr.INT: "h",
    Dbr.FLOAT: "f",
    Dbr.ENUM: "H",
    Dbr.CHAR: "B",
    Dbr.LONG: "i",
    Dbr.DOUBLE: "d",
}
_TIME_PAD = {Dbr.INT: 2, Dbr.ENUM: 2, Dbr.CHAR: 3, Dbr.DOUBLE: 4}


@dataclass(frozen=True, slots=True)
class Message:
    """One message, either way."""

    command: int
    data_type: int = 0
    count: int = 0
    p1: int = 0
    p2: int = 0
    payload: bytes = b""

    def encode(self) -> bytes:
        """Bytes of the message, payload padded to eight."""
        payload = self.payload + bytes(-len(self.payload) % 8)
        if len(payload) < 0xFFFF and self.count < 0xFFFF:
            head = _HEADER.pack(self.command, len(payload), self.data_type, self.count, self.p1, self.p2)
        else:
            head = _HEADER.pack(self.command, 0xFFFF, self.data_type, 0, self.p1, self.p2)
            head += _LARGE.pack(len(payload), self.count)
        return head + payload


@dataclass(frozen=True, slots=True)
class Timed:
    """A value with its alarm and its time.

    Attributes:
        value: A number, a str, or a list of them; an ENUM is its index here.
        severity: Alarm severity, 0 to 3.
        status: Alarm status.
        timestamp: Unix time in seconds.
    """

    value: float | int | str | bytes | list[float] | list[str]
    severity: int
    status: int
    timestamp: float


def split(buffer: bytearray) -> Iterator[Message]:
    """Take whole messages off the front of a buffer; what is left waits for more bytes."""
    while len(buffer) >= _HEADER.size:
        command, size, data_type, count, p1, p2 = _HEADER.unpack_from(buffer)
        start = _HEADER.size
        if size == 0xFFFF and count == 0:
            if len(buffer) < start + _LARGE.size:
                return
            size, count = _LARGE.unpack_from(buffer, start)
            start += _LARGE.size
        if len(buffer) < start + size:
            return
        payload = bytes(buffer[start : start + size])
        del buffer[: start + size]
        yield Message(command, data_type, count, p1, p2, payload)


def wanted(buffer: bytearray) -> int:
    """Bytes of the message that a buffer begins with, as far as it says; 0 for an empty one."""
    if len(buffer) < _HEADER.size:
        return len(buffer)
    _, size, _, count, _, _ = _HEADER.unpack_from(buffer)
    if size == 0xFFFF and count == 0 and len(buffer) >= _HEADER.size + _LARGE.size:
        size = _LARGE.unpack_from(buffer, _HEADER.size)[0]
    return _HEADER.size + int(size)


def searches(names: dict[int, str], limit: int = 1024) -> Iterator[bytes]:
    """Datagrams that ask for channels.

    Args:
        names: Channel names by the client's id.
        limit: Bytes of a datagram.
    """
    version = Message(Command.VERSION, count=VERSION).encode()
    datagram = version
    for cid, name in names.items():
        one = Message(Command.SEARCH, 5, VERSION, cid, cid, text_payload(name)).encode()
        if len(datagram) + len(one) > limit and datagram != version:
            yield datagram
            datagram = version
        datagram += one
    if datagram != version:
        yield datagram


def text_payload(text: str) -> bytes:
    """A NUL-terminated string."""
    return text.encode(ENCODING) + b"\0"


def event_add(sid: int, subscription: int, native: Dbr) -> Message:
    """Ask for monitors of a channel with time and alarm, in its own type and length."""
    payload = struct.pack(">fffHH", 0.0, 0.0, 0.0, VALUE_AND_ALARM, 0)
    return Message(Command.EVENT_ADD, native + _TIME_OFFSET, 0, sid, subscription, payload)


def read(sid: int, ioid: int, native: Dbr) -> Message:
    """Ask for a value with time and alarm, in the channel's own type and length."""
    return Message(Command.READ_NOTIFY, native + _TIME_OFFSET, 0, sid, ioid)


def decode_timed(message: Message, *, array: bool) -> Timed:
    """The value of a reply or a monitor.

    Args:
        message: EVENT_ADD or READ_NOTIFY of a DBR_TIME type.
        array: Whether the channel is an array; a CHAR array becomes bytes up to its NUL.

    Raises:
        ValueError: Not a DBR_TIME type, or shorter than its count says.
    """
    native = Dbr(message.data_type - _TIME_OFFSET)
    status, severity, seconds, nanoseconds = _TIME.unpack_from(message.payload)
    offset = _TIME.size + _TIME_PAD.get(native, 0)
    values = _values(native, message.payload, offset, message.count, array=array)
    return Timed(values, severity, status, seconds + _EPOCH + nanoseconds * 1e-9)


def decode_states(message: Message) -> tuple[str, ...]:
    """The choices of an ENUM from a DBR_GR_ENUM reply."""
    _, _, number = struct.unpack_from(">hhh", message.payload)
    fields = (message.payload[6 + i * _STATE_SIZE :][:_STATE_SIZE] for i in range(min(number, _STATES)))
    return tuple(_string(field) for field in fields)


def encode_value(native: Dbr, value: object) -> tuple[int, bytes]:
    """Element count and payload of a put in the channel's own type.

    Raises:
        ValueError: The value is not of that type.
    """
    try:
        if native is Dbr.STRING:
            texts = [value] if isinstance(value, str) else list(_sequence(value))
            return len(texts), b"".join(str(t).encode(ENCODING)[:39].ljust(40, b"\0") for t in texts)
        if native is Dbr.CHAR and isinstance(value, str | bytes):
            data = value.encode(ENCODING) if isinstance(value, str) else value
            return len(data) + 1, data + b"\0"
        numbers = list(_sequence(value))
        whole = native not in (Dbr.DOUBLE, Dbr.FLOAT)
        converted = [int(v) if whole else float(v) for v in numbers]
        return len(numbers), struct.pack(f">{len(numbers)}{_FORMAT[native]}", *converted)
    except (struct.error, TypeError) as error:
        raise ValueError(f"{value!r} does not go into a {native.name}: {error}") from None


def error_text(message: Message) -> tuple[Message | None, str]:
    """The request an ERROR message is about, and what the server says."""
    if len(message.payload) < _HEADER.size:
        return None, "no reason given"
    command, size, data_type, count, p1, p2 = _HEADER.unpack_from(message.payload)
    start = _HEADER.size + (_LARGE.size if size == 0xFFFF and count == 0 else 0)
    return Message(command, data_type, count, p1, p2), _string(message.payload[start:])


def _sequence(value: object) -> Sequence[float]:
    if isinstance(value, int | float):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return cast("Sequence[float]", value)
    raise TypeError("a number or a sequence is right")


def _values(
    native: Dbr, payload: bytes, offset: int, count: int, *, array: bool
) -> float | str | bytes | list[float] | list[str]:
    if native is Dbr.STRING:
        texts = [_string(payload[offset + i * 40 :][:40]) for i in range(count)]
        return texts if array else "".join(texts[:1])
    if native is Dbr.CHAR and array:
        return payload[offset : offset + count].split(b"\0", 1)[0]
    try:
        numbers: tuple[float, ...] = struct.unpack_from(f">{count}{_FORMAT[native]}", payload, offset)
    except struct.error as error:
        raise ValueError(f"a reply of {count} {native.name} has {len(payload)} bytes: {error}") from None
    return list(numbers) if array or not numbers else numbers[0]


def _string(data: bytes) -> str:
    return data.split(b"\0", 1)[0].decode(ENCODING, "replace")
