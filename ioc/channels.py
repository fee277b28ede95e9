"""From a record to the channel that serves it.

A channel keeps the record's value in Python and what Channel Access shows of it. Clients' puts are decoded
here and handed to the record's owner, and whoever has asked for monitors gets them from here. caproto sees a
``ChannelData`` and reads from it where a client has asked for a filter.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Protocol

import caproto as ca

from ioc import dbr
from ioc.fields import State, fields, moving, rtype
from ioc.puts import REQUEST, Client, Gate, Put, open_to_all, to_nobody
from ioc.puts import OnPut as Trace
from ioc.records import AccessDeniedError, PutError, PvClass, Record, Severity, Status, Value
from ioc.shown import ARRAYS, as_chars, shown, stamp, wire_value
from ioc.values import ENCODING, Raw, decode, encode
from ioc.wire import Dbr

VALUE, LOG, ALARM, PROPERTY = 1, 2, 4, 8
"""What subscribers ask to be told of."""
_SHOWN = 100
"""Elements of a refused value that are kept for the log."""
_LONG_STRINGS = {"DESC": 41, "EGU": 16}
_puts = itertools.count(1)

Work = Coroutine[Any, Any, None]


class Owner(Protocol):
    """Whose record it is: decides what becomes of puts."""

    def take(self, name: str, value: Value) -> Work | None:
        """Show a value that was put; what remains to be done until the put is complete."""
        ...

    def refused(self, name: str, error: PutError) -> None:
        """Hear of a put that was not taken."""
        ...


class Listener(Protocol):
    """Who has asked for monitors."""

    mask: int

    def tell(self, channel: Channel) -> None:
        """Take what the channel shows now."""
        ...


class Channel(ca.ChannelData):
    """A record as it is served.

    Args:
        record: What to serve.
        owner: Decides what becomes of puts; clients may not put where there is none.
    """

    def __init__(self, record: Record, owner: Owner | None) -> None:
        length = record.length if record.kind in ARRAYS else 1
        super().__init__(
            value=0, max_length=length, reported_record_type=rtype(record), string_encoding=ENCODING
        )
        self._most = length
        self.record = record
        self.current: Any = encode(record, record.default)
        self.listeners: list[Listener] = []
        self.put_alarm = False
        """Whether the alarm comes from a put, and goes with the next good one."""
        self._owner = owner
        self._name = record.name
        self._gate: Gate = open_to_all
        self._trace: Trace = to_nobody
        self._fields: dict[str, Channel] = {}
        self._encoded: dict[tuple[int, int, bool], tuple[int, bytes]] = {}
        self._shown = shown(record, self.current)
        self.data_type = ca.ChannelType(self._shown.native)

    def guard(self, full_name: str, gate: Gate, trace: Trace) -> None:
        """Let the server's rules decide who may put, and its log hear of it."""
        self._name, self._gate, self._trace = full_name, gate, trace

    @property
    def full_name(self) -> str:
        """The PV's name."""
        return self._name

    @property
    def shown_alarm(self) -> tuple[int, int]:
        """Alarm severity and status."""
        return self._shown.severity, self._shown.status

    @property
    def long_string_max_length(self) -> int:
        """Bytes of the field as a long string, ``NAME$``."""
        return _LONG_STRINGS.get(self.record.name, 40)

    def access(self, client: Client) -> int:
        """What a client may do, which it is told when it connects: 1 is to read, 2 to write."""
        return 3 if self._owner is not None and not self._gate(self._name, client) else 1

    def check_access(self, hostname: str, username: str) -> ca.AccessRights:
        """The same for caproto."""
        return ca.AccessRights(self.access(Client(username, hostname, REQUEST.get().address)))

    def described(self, *, long: bool) -> tuple[Dbr, int]:
        """Type and greatest count that a client is told of; ``long`` for a text as CHARs, ``NAME$``."""
        if long:
            return Dbr.CHAR, self.long_string_max_length
        return self._shown.native, self._most

    def show(
        self,
        value: object,
        *,
        severity: int | None = None,
        status: int | None = None,
        timestamp: float | None = None,
        to_monitors: bool = True,
        to_archives: bool = True,
    ) -> None:
        """Give the record a value; every subscriber gets a monitor of it, unless told otherwise.

        Raises:
            ValueError: It is not of the record's kind.
        """
        self.current = encode(self.record, value)
        self._shown.value = wire_value(self.record, self.current)
        stamp(self._shown, timestamp)
        flags = (VALUE if to_monitors else 0) | (LOG if to_archives else 0)
        self._publish(flags | self._set_alarm(severity, status))

    def set_alarm(self, severity: int, status: int) -> None:
        """Change the alarm; subscribers see it with the next value."""
        self._set_alarm(severity, status)
        self._publish(0)

    def set_metadata(
        self,
        *,
        low: float | None = None,
        high: float | None = None,
        units: str | None = None,
        precision: int | None = None,
        alarms: tuple[float, float, float, float] | None = None,
    ) -> None:
        """Change what clients get as control information; alarms are LOLO, LOW, HIGH and HIHI."""
        if low is not None and high is not None:
            self._shown.limits = (high, low, *self._shown.limits[2:6], high, low)
        if units is not None:
            self._shown.units = units.encode(ENCODING)
        if precision is not None and self._shown.native in (Dbr.DOUBLE, Dbr.FLOAT):
            self._shown.precision = precision
        if alarms is not None:
            display, control = self._shown.limits[:2], self._shown.limits[6:]
            self._shown.limits = (*display, *reversed(alarms), *control)
        told = {"LOPR": low, "DRVL": low, "HOPR": high, "DRVH": high, "EGU": units, "PREC": precision}
        for name, value in told.items():
            if value is not None and name in self._fields:
                self._fields[name].show(value)
        self._publish(PROPERTY)

    def encoded(self, code: int, count: int = 0, *, long: bool = False) -> tuple[int, bytes]:
        """Element count and bytes of the value in a DBR type; the bytes are made once for all who ask.

        Args:
            code: DBR type.
            count: Elements asked for; 0 for as many as there are.
            long: Whether a text is asked for as CHARs, ``NAME$``.

        Raises:
            ValueError: It cannot be given in this type.
        """
        key = (code, min(count, self.long_string_max_length if long else self._most), long)
        found = self._encoded.get(key)
        if found is None:
            found = self._encoded[key] = dbr.encode(as_chars(self._shown) if long else self._shown, *key[:2])
        return found

    def take(self, raw: Raw, client: Client, *, waits: bool) -> Work | None:
        """A client's put.

        Returns:
            What remains to be done until it is complete; nothing if it is.

        Raises:
            PutError: It is refused.
        """
        number, at = next(_puts), time.time()
        try:
            value = self._accepted(client, raw)
            owner = self._owner
            assert owner is not None  # noqa: S101 (a record without one accepts nothing)
        except PutError as error:
            put = Put(number=number, pv=self._name, value=_printable(raw), client=client, at=at, waits=waits)
            self._trace(replace(put, taken=False, error=str(error)))
            if self._owner is not None and not isinstance(error, AccessDeniedError):
                self._owner.refused(self.record.name, error)
            raise
        put = Put(number=number, pv=self._name, value=value, client=client, at=at, waits=waits)
        self._trace(put)
        if len(raw) == 0 and not isinstance(raw, str) and self.record.kind not in ARRAYS:
            self._nothing_sent()
            return None
        work = owner.take(self.record.name, value)
        if work is None:
            self._trace(replace(put, ended=time.time()))
            return None
        return self._traced(work, put)

    def acknowledge(self, code: int, value: int) -> None:
        """Take an acknowledgement of an alarm (PUT_ACKT, PUT_ACKS)."""
        shown = self._shown
        if code == dbr.PUT_ACKT:
            shown.acknowledge_transient = int(bool(value))
        elif value >= shown.to_acknowledge:
            shown.to_acknowledge = 0
        self._publish(ALARM)

    async def put(self, value: Value) -> None:
        """A put of the program itself, taken as a client's is.

        Raises:
            PutError: The value cannot be used, or the record is read-only.
        """
        if self._owner is None:
            raise AccessDeniedError(f"{self.record.name} is read-only")
        given = decode(self.record, value if isinstance(value, str | list) else [value])
        work = self._owner.take(self.record.name, given)
        if work is not None:
            await work

    def get_field(self, name: str) -> Channel:
        """A field of the record.

        Raises:
            KeyError: The record has no such field.
        """
        if name == "VAL":
            return self
        if name not in self._fields:
            record = fields(self.record, self._name.removesuffix(".VAL"))[name]
            channel = Channel(record, _Fields(self) if record.writable else None)
            channel.guard(f"{self._name.removesuffix('.VAL')}.{name}", self._gate, self._trace)
            self._fields[name] = channel
            self._refresh()
        return self._fields[name]

    def field_put(self, name: str, value: Any) -> Work | None:
        """A put to one of the fields that act."""
        if name == "PROC":
            if self._owner is not None and self.record.pv_class is PvClass.ACTS:
                return self._owner.take(self.record.name, self.current)
            self.show(self.current)
        elif name in ("HOPR", "LOPR"):
            upper, lower = self._shown.limits[:2]
            display = (value, lower) if name == "HOPR" else (upper, value)
            self._shown.limits = (*display, *self._shown.limits[2:])
            self._publish(PROPERTY)
        elif name == "EGU":
            self.set_metadata(units=value)
        elif name == "PREC":
            self.set_metadata(precision=value)
        self._fields[name].show(value)
        return None

    async def _read(self, data_type: Any) -> tuple[Any, Any]:
        """What caproto reads where a client has asked for a filter."""
        group, base = divmod(int(data_type.value), 7)
        long = self._shown.native is Dbr.STRING and not isinstance(data_type, ca.ChannelType)
        shown, native = as_chars(self._shown) if long else self._shown, Dbr(base)
        header = bytearray(dbr.head(shown, group, native))
        struct: Any = ca.DBR_TYPES[ca.ChannelType(data_type.value)]  # type: ignore[index]  (a dict)
        metadata = struct.from_buffer(header) if header else b""
        return metadata, dbr.elements(shown, native)

    async def _traced(self, work: Work, put: Put) -> None:
        try:
            await work
        except PutError as error:
            self._trace(replace(put, error=str(error), ended=time.time()))
            raise
        self._trace(replace(put, ended=time.time()))

    def _accepted(self, client: Client, raw: Raw) -> Any:
        """The value that a client's put gives; the present one if nothing was sent."""
        if self._owner is None:
            raise AccessDeniedError(
                f"{self._name} is read-only ({client.user} at {client.host} has put to it)"
            )
        if refusal := self._gate(self._name, client):
            raise AccessDeniedError(refusal)
        if len(raw) == 0 and not isinstance(raw, str) and self.record.kind not in ARRAYS:
            return self.current
        value = decode(self.record, raw)
        acts = self.record.pv_class is PvClass.ACTS
        if acts and isinstance(value, float) and not math.isfinite(value):
            raise PutError(f"{self.record.name}: {value} is not a finite number")
        return value

    def _nothing_sent(self) -> None:
        if rtype(self.record) in ("mbbo", "mbbi"):
            self.show(self.current)
            return
        self.put_alarm = True
        self.show(self.current, severity=Severity.INVALID, status=Status.LINK)

    def _set_alarm(self, severity: int | None, status: int | None) -> int:
        shown = self._shown
        if severity is None:
            return 0
        default = Status.STATE if severity else Status.NO_ALARM
        new = (int(severity), int(default if status is None else status))
        if new == (shown.severity, shown.status):
            return 0
        if severity > shown.to_acknowledge or not shown.acknowledge_transient:
            shown.to_acknowledge = int(severity)
        shown.severity, shown.status = new
        return ALARM

    def _publish(self, flags: int) -> None:
        self._encoded.clear()
        if self._fields:
            self._refresh()
        if not flags:
            return
        for listener in tuple(self.listeners):
            if listener.mask & flags:
                listener.tell(self)
        if self._queues:
            _at_once(self.publish(ca.SubscriptionType(flags)))

    def _refresh(self) -> None:
        value = self._shown.value
        count = 1 if isinstance(value, int | float) else len(value)
        severity, status = self.shown_alarm
        state = State(value=self.current, severity=severity, status=status, elements=count)
        for name, said in moving(self.record, state).items():
            field = self._fields.get(name)
            if field is not None and field.current != said:
                field.show(said)


class _Fields:
    """Owner of a record's fields."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def take(self, name: str, value: Value) -> Work | None:
        return self._channel.field_put(name, value)

    def refused(self, name: str, error: PutError) -> None:
        """Nothing happens to the record."""


def _at_once(work: Work) -> None:
    """Run what only looks asynchronous: nothing in it waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError(f"{work} waits")


def _printable(raw: Raw) -> Any:
    if isinstance(raw, bytes):
        return raw[:_SHOWN].decode(ENCODING, "replace")
    if isinstance(raw, str):
        return raw[:_SHOWN]
    items = list(raw[:_SHOWN])
    return items[0] if len(items) == 1 and isinstance(items[0], str) else items
