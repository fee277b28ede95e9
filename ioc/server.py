"""The one adapter between record tables and a Channel Access server.

A device is a table under a prefix with a handler for puts. What a client puts is visible to every monitor
before the handler runs; the client that waits for completion is answered when the handler returns. Handlers
run as tasks of their own, so an abort gets through while an acquisition is under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from ioc.channels import UNITS, limits, make_channel
from ioc.puts import Gate, open_to_all, to_nobody
from ioc.puts import OnPut as Trace
from ioc.records import Kind, PutError, PvClass, Record, Severity, Status, Value, expand
from ioc.shims import Context, PortTakenError
from ioc.values import encode, same_choice

__all__ = ["Device", "PortTakenError", "Server"]

_log = logging.getLogger(__name__)

OnPut = Callable[[str, Any], Awaitable[None]]

_ALARM_LIMITS = ("lower_alarm_limit", "lower_warning_limit", "upper_warning_limit", "upper_alarm_limit")


class Device:
    """The PVs of one table under one prefix.

    Values are read with ``device["NumImages"]`` and given with ``await device.post("NumImages", 5)``.
    """

    def __init__(
        self, prefix: str, records: Iterable[Record], on_put: OnPut | None, *, at_once: bool = True
    ) -> None:
        self.prefix = prefix
        self._at_once = at_once
        self.records = expand(records)
        self._on_put = on_put
        self.channels: dict[str, Any] = {
            name: make_channel(record, self._putter(record) if record.writable else None)
            for name, record in self.records.items()
        }

    def __getitem__(self, name: str) -> Any:
        return self.channels[name].current

    def __contains__(self, name: str) -> bool:
        return name in self.channels

    async def post(
        self,
        name: str,
        value: object,
        *,
        severity: Severity | None = None,
        status: Status | None = None,
        timestamp: float | None = None,
        to_monitors: bool = True,
        to_archives: bool = True,
    ) -> None:
        """Give a PV a value; each call is a monitor of its own, so edges survive.

        The readback of an echoing setpoint follows.

        Args:
            name: PV behind the prefix.
            value: Of the record's kind; a menu takes its string or its index.
            severity: New alarm severity; unchanged unless given.
            status: Alarm status that goes with it.
            timestamp: Unix time of the value; now unless given.
            to_monitors: Whether subscribers to values get it (deadbands: MDEL).
            to_archives: Whether subscribers to archived values get it (ADEL).

        Raises:
            KeyError: The device has no such PV.
            ValueError: The value is not of the record's kind.
        """
        channel = self.channels[name]
        await channel.post(
            value,
            severity=severity,
            status=status,
            timestamp=timestamp,
            to_monitors=to_monitors,
            to_archives=to_archives,
        )
        record = self.records[name]
        if record.readback and record.pv_class is PvClass.ECHOES:
            await self._follow(record, channel.current, timestamp)

    async def post_all(self, values: Mapping[str, object], *, timestamp: float | None = None) -> None:
        """Give several PVs their values, in this order."""
        for name, value in values.items():
            await self.post(name, value, timestamp=timestamp)

    async def post_changed(self, values: Mapping[str, object]) -> None:
        """Give several PVs their values, leaving out those that have them already."""
        for name, value in values.items():
            if self.channels[name].current != encode(self.records[name], value):
                await self.post(name, value)

    async def settle(self, name: str, value: object) -> None:
        """Give a setpoint and its readback the value that was accepted."""
        channel = self.channels[name]
        if channel.current != encode(self.records[name], value):
            await channel.post(value)
        await self._follow(self.records[name], channel.current, None)

    async def set_alarm(self, severity: Severity, status: Status, *, posted: Collection[str]) -> None:
        """Give all PVs the alarm of the one record whose fields they are.

        Args:
            severity: New severity.
            status: New status.
            posted: PVs whose subscribers are told; the others have it when they are next read or posted.
        """
        for name, channel in self.channels.items():
            if name in posted:
                await channel.post(channel.current, severity=severity, status=status)
            else:
                await channel.write_metadata(publish=False, severity=int(severity), status=int(status))

    async def set_metadata(
        self,
        name: str,
        *,
        low: float | None = None,
        high: float | None = None,
        units: str | None = None,
        precision: int | None = None,
        alarms: tuple[float, float, float, float] | None = None,
    ) -> None:
        """Change the limits, units or precision that clients get as control information.

        Alarms are the limits LOLO, LOW, HIGH and HIHI.
        """
        channel = self.channels[name]
        record = self.records[name]
        changes: dict[str, Any] = {"units": units and units[:UNITS]}
        if low is not None and high is not None:
            changes |= limits(low, high)
        if alarms is not None:
            changes |= dict(zip(_ALARM_LIMITS, alarms, strict=True))
        if precision is not None and record.kind in (Kind.DOUBLE, Kind.FLOAT, Kind.DOUBLES):
            changes["precision"] = precision
        await channel.write_metadata(**changes)

    async def _follow(self, record: Record, value: Value, timestamp: float | None) -> None:
        readback = f"{record.name}_RBV"
        if readback in self.channels:
            said = same_choice(record, value, self.records[readback])
            await self.channels[readback].post(said, timestamp=timestamp)

    def _putter(self, record: Record) -> Callable[[Value], Awaitable[None]]:
        async def put(value: Value) -> None:
            await self._put(record.name, value)

        return put

    async def _put(self, name: str, value: Value) -> None:
        channel = self.channels[name]
        before = channel.current
        if self._at_once or self._on_put is None:
            await self.post(name, value)
        if self._on_put is None:
            return
        try:
            await self._on_put(name, encode(self.records[name], value))
        except PutError:
            await self._restore(name, before, value)
            raise
        except Exception as error:
            _log.exception("the put of %s%s = %r failed", self.prefix, name, value)
            await self._restore(name, before, value)
            raise PutError(f"{self.prefix}{name}: internal error ({error}); see the log") from error

    async def _restore(self, name: str, before: Value, refused: Value) -> None:
        # Another put may have come in meanwhile: its value stays.
        if self.channels[name].current == refused:
            await self.post(name, before)


class Server:
    """A Channel Access server on one port of one interface, or of several.

    Args:
        interface: Address to bind, or several; loopback unless told otherwise.
        port: TCP and UDP port; 0 takes a free one, which ``port`` then says.
        gate: Says who may put what.
        trace: Is told of every put when it is taken or refused.
    """

    def __init__(
        self,
        interface: str | Sequence[str] = "127.0.0.1",
        port: int = 5064,
        *,
        gate: Gate = open_to_all,
        trace: Trace = to_nobody,
    ) -> None:
        self.interfaces = (interface,) if isinstance(interface, str) else tuple(interface)
        self.port = port
        self.devices: list[Device] = []
        self._gate, self._trace = gate, trace
        self._channels: dict[str, Any] = {}
        self._contexts: list[Context] = []

    @property
    def names(self) -> list[str]:
        """Every PV that is served."""
        return list(self._channels)

    @property
    def connections(self) -> tuple[int, int]:
        """Clients that are connected, and channels that they have."""
        circuits = [circuit for context in self._contexts for circuit in context.circuits]
        return len(circuits), sum(len(circuit.circuit.channels) for circuit in circuits)

    def device(
        self,
        prefix: str,
        records: Iterable[Record],
        on_put: OnPut | None = None,
        *,
        at_once: bool = True,
    ) -> Device:
        """Serve a table under a prefix; before ``start``.

        Args:
            prefix: What stands before the records' names. A prefix that ends in "." makes them fields of one
                record, which itself then answers as VAL.
            records: The table.
            on_put: Called with name and value of each put, after the value is visible; the put completes when
                it returns, and fails if it raises PutError.
            at_once: Whether what is put is visible before the handler runs; otherwise the handler posts it.

        Raises:
            ValueError: Two records have the same name.
        """
        device = Device(prefix, records, on_put, at_once=at_once)
        names = {prefix + name: channel for name, channel in device.channels.items()}
        for name, channel in names.items():
            channel.guard(name, self._gate, self._trace)
        if prefix.endswith(".") and "VAL" in device:
            names[prefix[:-1]] = device.channels["VAL"]
        double = names.keys() & self._channels.keys()
        if double:
            raise ValueError(f"{min(double)} is served twice; each PV is right once")
        self._channels |= names
        self.devices.append(device)
        return device

    async def put(self, name: str, value: Value) -> None:
        """Put a value as a client does, through the same limits and handler; gate and trace hear nothing.

        Raises:
            KeyError: No PV has this name.
            PutError: The value cannot be used, or the PV is read-only.
        """
        await self._channels[name].put(value)

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            PortTakenError: The port is in use.
        """
        for interface in self.interfaces:
            context = Context(self._channels, interface, self.port)
            try:
                await context.start()
            except PortTakenError:
                await self.close()
                raise
            self._contexts.append(context)
            self.port = context.ca_server_port
            _log.info("%d PVs on %s:%d", len(self._channels), interface, self.port)

    async def close(self) -> None:
        """Stop serving; clients see their channels disconnect."""
        while self._contexts:
            await self._contexts.pop().close()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set.

        Raises:
            PortTakenError: The port is in use.
        """
        await self.start()
        try:
            await stop.wait()
        finally:
            await self.close()
