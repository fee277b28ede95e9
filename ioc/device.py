"""The PVs of one table under one prefix: their values, and what becomes of puts.

What a client puts is visible to every monitor before the handler runs; the client that waits for completion
is answered when the handler returns. A put that is refused leaves the value as it was, and an alarm until the
next good one.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

from ioc.channels import Channel, Work
from ioc.records import ConversionError, PutError, PvClass, Record, Severity, Status, Value, expand
from ioc.values import encode, same, same_choice

_log = logging.getLogger(__name__)

OnPut = Callable[[str, Any], Awaitable[None]]
OnRefused = Callable[[str, str], Awaitable[None]]

SOON = 0.05
"""Seconds between two posts of values that need not be told at once."""


class Device:
    """The PVs of one table under one prefix.

    Values are read with ``device["NumImages"]`` and given with ``await device.post("NumImages", 5)``.
    """

    def __init__(
        self,
        prefix: str,
        records: Iterable[Record],
        on_put: OnPut | None,
        *,
        at_once: bool = True,
        on_refused: OnRefused | None = None,
    ) -> None:
        self.prefix = prefix
        self._at_once = at_once
        self.records = expand(records)
        self._on_put = on_put
        self._on_refused = on_refused
        self._telling: set[asyncio.Task[None]] = set()
        self._soon: dict[str, object] = {}
        self._soon_timer: asyncio.TimerHandle | None = None
        self._soon_at = -SOON
        self.channels: dict[str, Channel] = {
            name: Channel(record, self if record.writable else None) for name, record in self.records.items()
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
        self._soon.pop(name, None)
        channel = self.channels[name]
        channel.show(
            value,
            severity=severity,
            status=status,
            timestamp=timestamp,
            to_monitors=to_monitors,
            to_archives=to_archives,
        )
        if severity is not None:
            channel.put_alarm = False
        record = self.records[name]
        if record.readback and record.pv_class is PvClass.ECHOES:
            self._follow(record, channel.current, timestamp)

    async def post_all(self, values: Mapping[str, object], *, timestamp: float | None = None) -> None:
        """Give several PVs their values, in this order."""
        for name, value in values.items():
            await self.post(name, value, timestamp=timestamp)

    async def post_changed(self, values: Mapping[str, object]) -> None:
        """Give several PVs their values, leaving out those that have them already."""
        for name, value in values.items():
            if not same(self.channels[name].current, encode(self.records[name], value)):
                await self.post(name, value)

    def post_soon(self, values: Mapping[str, object]) -> None:
        """Give several PVs their values within 50 ms, and no oftener than that: counters, progress.

        The first is told at once and the last always; what comes between is left out, as is what has not
        changed. A value that is posted by ``post`` meanwhile stands.
        """
        self._soon |= values
        loop = asyncio.get_running_loop()
        if self._soon_timer is None:
            self._soon_timer = loop.call_at(max(loop.time(), self._soon_at + SOON), self._post_soon)

    async def settle(self, name: str, value: object) -> None:
        """Give a setpoint and its readback the value that was accepted."""
        channel = self.channels[name]
        if not same(channel.current, encode(self.records[name], value)):
            channel.show(value)
        self._follow(self.records[name], channel.current, None)

    async def set_alarm(self, severity: Severity, status: Status, *, posted: Collection[str]) -> None:
        """Give all PVs the alarm of the one record whose fields they are.

        Args:
            severity: New severity.
            status: New status.
            posted: PVs whose subscribers are told; the others have it when they are next read or posted.
        """
        for name, channel in self.channels.items():
            if name in posted:
                channel.show(channel.current, severity=severity, status=status)
            else:
                channel.set_alarm(severity, status)

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
        self.channels[name].set_metadata(low=low, high=high, units=units, precision=precision, alarms=alarms)

    def take(self, name: str, value: Value) -> Work | None:
        """Show what a client has put, and say what remains to be done until the put is complete."""
        channel, record = self.channels[name], self.records[name]
        before = channel.current
        if self._at_once or self._on_put is None:
            self._soon.pop(name, None)
            channel.show(value, **self._alarm_of(channel, value))
            if record.readback and record.pv_class is PvClass.ECHOES:
                self._follow(record, channel.current, None)
        return None if self._on_put is None else self._handle(self._on_put, name, value, before)

    def refused(self, name: str, error: PutError) -> None:
        """Show by its alarm that a record has refused a put, and tell the device."""
        channel = self.channels[name]
        if not isinstance(error, ConversionError):
            channel.show(channel.current, severity=Severity.INVALID, status=Status.WRITE)
            channel.put_alarm = True
        if self._on_refused is not None:
            task = asyncio.ensure_future(self._on_refused(name, str(error)))
            self._telling.add(task)
            task.add_done_callback(self._told)

    def _told(self, task: asyncio.Future[None]) -> None:
        self._telling.discard(task)  # type: ignore[arg-type]
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s: telling of a refused put failed", self.prefix, exc_info=task.exception())

    def _alarm_of(self, channel: Channel, value: Value) -> dict[str, Any]:
        """The alarm that a put gives: NaN is undefined, and a good put ends the alarm of a bad one."""
        if isinstance(value, float) and math.isnan(value):
            channel.put_alarm = True
            return {"severity": Severity.INVALID, "status": Status.UDF}
        if channel.put_alarm:
            channel.put_alarm = False
            return {"severity": Severity.NONE}
        return {}

    async def _handle(self, on_put: OnPut, name: str, value: Value, before: Any) -> None:
        try:
            await on_put(name, encode(self.records[name], value))
        except PutError as error:
            self._restore(name, before, value)
            self.refused(name, error)
            raise
        except Exception as error:
            _log.exception("the put of %s%s = %r failed", self.prefix, name, value)
            self._restore(name, before, value)
            failed = PutError(f"{self.prefix}{name}: internal error ({error}); see the log")
            self.refused(name, failed)
            raise failed from error

    def _restore(self, name: str, before: Any, refused: Value) -> None:
        # Another put may have come in meanwhile: its value stays.
        channel, record = self.channels[name], self.records[name]
        if same(channel.current, encode(record, refused)):
            channel.show(before)
            if record.readback and record.pv_class is PvClass.ECHOES:
                self._follow(record, before, None)

    def _follow(self, record: Record, value: Value, timestamp: float | None) -> None:
        readback = f"{record.name}_RBV"
        if readback in self.channels:
            said = same_choice(record, value, self.records[readback])
            self.channels[readback].show(said, timestamp=timestamp)

    def _post_soon(self) -> None:
        self._soon_timer, self._soon_at = None, asyncio.get_running_loop().time()
        values, self._soon = self._soon, {}
        for name, value in values.items():
            channel, record = self.channels[name], self.records[name]
            if not same(channel.current, encode(record, value)):
                channel.show(value)
                if record.readback and record.pv_class is PvClass.ECHOES:
                    self._follow(record, channel.current, None)
