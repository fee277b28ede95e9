"""From a record to the caproto channel that serves it.

A channel keeps the record's value in Python beside what caproto sends. Clients' puts do not reach
caproto's own write: they are decoded here and handed to the device.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import caproto as ca

from ioc.puts import REQUEST, Client, Gate, Put, open_to_all, to_nobody
from ioc.puts import OnPut as Trace
from ioc.records import Kind, PutError, Record, Severity, Status, Value
from ioc.values import ENCODING, Raw, decode, encode

OnPut = Callable[[Value], Awaitable[None]]

UNITS = 7
"""Characters of units that control information has room for, as dbAccess cuts them; EGU has them all."""
_SHOWN = 100
"""Elements of a refused value that are kept for the log."""
_numbers = itertools.count(1)


class Channel:
    """What all served channels share; mixed into caproto's."""

    record: Record
    current: Value
    _on_put: OnPut | None
    _gate: Gate = staticmethod(open_to_all)
    _trace: Trace = staticmethod(to_nobody)
    _full_name: str = ""

    def guard(self, full_name: str, gate: Gate, trace: Trace) -> None:
        """Let the server's rules decide who may put, and its log hear of it."""
        self._full_name, self._gate, self._trace = full_name, gate, trace

    def serve(self, record: Record, on_put: OnPut | None) -> None:
        """Take the record's value, and a handler for what clients put."""
        self.record = record
        self.current = encode(record, record.default)
        self._on_put = on_put
        self._extra: dict[str, Any] = {}

    def check_access(self, hostname: str, username: str) -> ca.AccessRights:
        """What a client may do, which it is told when it connects."""
        client = Client(username, hostname, REQUEST.get().address)
        writable = self._on_put is not None and not self._gate(self._full_name, client)
        return ca.AccessRights.READ | ca.AccessRights.WRITE if writable else ca.AccessRights.READ

    async def auth_write(
        self, hostname: str, username: str, data: Any, data_type: Any, metadata: Any, **_: Any
    ) -> None:
        """A client's put."""
        request, at = REQUEST.get(), time.time()
        client = Client(username, hostname, request.address)
        put = Put(
            number=next(_numbers), pv=self._full_name, value="", client=client, at=at, waits=request.waits
        )
        try:
            value = self._accepted(client, data, data_type)
        except PutError as error:
            sent = _raw(data[:_SHOWN], ca.native_type(data_type))
            self._trace(replace(put, value=_printable(sent), taken=False, error=str(error)))
            raise
        handler = self._on_put
        if value is None or handler is None:
            await self.write_from_dbr(data, data_type, metadata)  # type: ignore[attr-defined]
            return
        put = replace(put, value=value)
        self._trace(put)
        try:
            await handler(value)
        except PutError as error:
            self._trace(replace(put, error=str(error), ended=time.time()))
            raise
        self._trace(replace(put, ended=time.time()))

    async def put(self, value: Value) -> None:
        """A put of the program itself, taken as a client's is.

        Raises:
            PutError: The value cannot be used, or the record is read-only.
        """
        if self._on_put is None:
            raise PutError(f"{self.record.name} is read-only")
        await self._on_put(decode(self.record, value if isinstance(value, str | list) else [value]))

    def _accepted(self, client: Client, data: Any, data_type: Any) -> Value | None:
        """The value that a client's put gives; nothing for an alarm acknowledgement."""
        if self._on_put is None:
            raise PutError(f"{self.record.name} is read-only ({client.user} at {client.host} has put to it)")
        if refusal := self._gate(self._full_name, client):
            raise PutError(refusal)
        if data_type in (ca.ChannelType.PUT_ACKT, ca.ChannelType.PUT_ACKS):
            return None
        return decode(self.record, _raw(data, ca.native_type(data_type)))

    async def post(
        self,
        value: object,
        *,
        severity: Severity | None = None,
        status: Status | None = None,
        timestamp: float | None = None,
        to_monitors: bool = True,
        to_archives: bool = True,
    ) -> None:
        """Give the record a value; every subscriber gets a monitor of it, unless told otherwise."""
        self.current = encode(self.record, value)
        flags = ca.SubscriptionType(0)
        flags |= ca.SubscriptionType.DBE_VALUE if to_monitors else flags
        flags |= ca.SubscriptionType.DBE_LOG if to_archives else flags
        extra: dict[str, Any] = {}
        if timestamp is not None:
            extra["timestamp"] = timestamp
        if severity is not None and int(severity) != int(self.severity):  # type: ignore[attr-defined]
            flags |= ca.SubscriptionType.DBE_ALARM
            default = Status.STATE if severity else Status.NO_ALARM
            extra |= {"severity": int(severity), "status": int(default if status is None else status)}
        wire = wire_value(self.record, self.current)
        if not flags:
            # caproto takes no flags for a monitor to everyone.
            self._data["value"] = self.preprocess_value(wire)  # type: ignore[attr-defined]
            return
        await self.write(wire, verify_value=False, flags=flags, **extra)  # type: ignore[attr-defined]

    def get_field(self, name: str) -> Any:
        """The fields that clients ask of any record: DESC, EGU, PREC, RTYP and their like.

        Raises:
            KeyError: The record has no such field.
        """
        if name == "VAL":
            return self
        if name not in self._extra:
            fields = _fields(self.record)
            self._extra[name] = make_channel(fields[name], None)
        return self._extra[name]


class _Double(Channel, ca.ChannelDouble):
    pass


class _Long(Channel, ca.ChannelInteger):
    pass


class _Short(Channel, ca.ChannelShort):
    pass


class _Float(Channel, ca.ChannelFloat):
    pass


class _Byte(Channel, ca.ChannelByte):
    pass


class _Enum(Channel, ca.ChannelEnum):
    pass


class _String(Channel, ca.ChannelString):
    pass


class _Text(Channel, ca.ChannelChar):
    pass


_CLASSES: dict[Kind, Any] = {
    Kind.DOUBLE: _Double,
    Kind.FLOAT: _Float,
    Kind.CHAR: _Byte,
    Kind.LONG: _Long,
    Kind.SHORT: _Short,
    Kind.ENUM: _Enum,
    Kind.STRING: _String,
    Kind.TEXT: _Text,
    Kind.DOUBLES: _Double,
    Kind.LONGS: _Long,
}
_RTYPES = {
    Kind.DOUBLE: ("ao", "ai"),
    Kind.FLOAT: ("ao", "ai"),
    Kind.CHAR: ("longout", "longin"),
    Kind.LONG: ("longout", "longin"),
    Kind.SHORT: ("longout", "longin"),
    Kind.ENUM: ("mbbo", "mbbi"),
    Kind.STRING: ("stringout", "stringin"),
}


def make_channel(record: Record, on_put: OnPut | None) -> Any:
    """The caproto channel of a record.

    Args:
        record: What to serve.
        on_put: Called with each value that a client puts; None makes the channel read-only.
    """
    args: dict[str, Any] = {
        "value": wire_value(record, encode(record, record.default)),
        "max_length": record.length if record.kind in (Kind.TEXT, Kind.DOUBLES, Kind.LONGS) else 1,
        "reported_record_type": rtype(record),
        "string_encoding": ENCODING,
    }
    if record.kind is Kind.ENUM:
        args["enum_strings"] = record.choices
    elif record.kind not in (Kind.STRING, Kind.TEXT):
        args["units"] = record.units[:UNITS]
        args |= limits(record.low, record.high)
    if record.kind is Kind.CHAR:
        # One byte, no text: a NUL is a value like any other.
        args |= {"string_encoding": None, "strip_null_terminator": False}
    if record.kind in (Kind.DOUBLE, Kind.FLOAT, Kind.DOUBLES):
        args["precision"] = record.precision
    channel = _CLASSES[record.kind](**args)
    channel.serve(record, on_put)
    return channel


def limits(low: float, high: float) -> dict[str, float]:
    """Control and display limits as caproto names them."""
    return {
        "lower_ctrl_limit": low,
        "upper_ctrl_limit": high,
        "lower_disp_limit": low,
        "upper_disp_limit": high,
    }


def rtype(record: Record) -> str:
    """Record type, as a real IOC would say."""
    if record.rtype:
        return record.rtype
    return _RTYPES.get(record.kind, ("waveform", "waveform"))[0 if record.writable else 1]


def wire_value(record: Record, value: Value) -> Any:
    """What caproto keeps: a text carries its NUL, so that an empty one is not an empty array.

    libca's clients do not take an array of no elements for an empty string.
    """
    if record.kind is Kind.TEXT:
        return f"{value}\0"
    if record.kind is Kind.ENUM:
        return str(value)
    if record.kind is Kind.CHAR:
        return bytes([int(str(value))])
    return value if value != [] else [0]


def _raw(data: Any, native: Any) -> Raw:
    if native is ca.ChannelType.STRING:
        texts = [bytes(item).split(b"\0", 1)[0].decode(ENCODING, "replace") for item in data]
        return texts if len(texts) > 1 else "".join(texts)
    if native is ca.ChannelType.CHAR:
        return bytes(data.tobytes()) if hasattr(data, "tobytes") else bytes(data)
    return data.tolist() if hasattr(data, "tolist") else list(data)


def _printable(raw: Raw) -> Any:
    return raw.decode(ENCODING, "replace") if isinstance(raw, bytes) else raw


def _fields(record: Record) -> dict[str, Record]:
    def text(name: str, value: str) -> Record:
        return Record(name=name, kind=Kind.STRING, initial=value)

    def number(name: str, value: float) -> Record:
        return Record(name=name, kind=Kind.DOUBLE, initial=value)

    def short(name: str, value: int) -> Record:
        return Record(name=name, kind=Kind.SHORT, initial=value)

    numeric = record.kind not in (Kind.ENUM, Kind.STRING, Kind.TEXT)
    fields = [
        text("NAME", record.name),
        text("DESC", record.doc),
        text("RTYP", rtype(record)),
        short("DISA", int(record.disabled)),
        short("DISV", 1),
        short("TPRO", 0),
    ]
    if numeric:
        fields += [text("EGU", record.units), short("PREC", record.precision)]
        fields += [number(n, record.low) for n in ("LOPR", "DRVL")]
        fields += [number(n, record.high) for n in ("HOPR", "DRVH")]
    return {field.name: field for field in fields}
