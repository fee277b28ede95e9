"""One motor and its record as PVs: the shell around the pure motor.

Keeps the clock, puts what clients put, and shows what has changed: edges one by one, readbacks while it
moves, the last one before DMOV.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from ioc.records import Kind, Record, Value
from ioc.server import Device, Server
from ioc.tables.motor import motor as motor_table
from ioc.tables.motor import units_of
from sim.motor import Motor, nint
from sim.motor_fields import Field, alarm, alarm_fields, fields
from sim.motor_puts import is_kept, processes, put, tick
from sim.profile import Profile

_log = logging.getLogger(__name__)

RATE = 20.0
"""Readbacks per second of a motor that moves."""
_ALARMED = ("RBV", "RRBV", "DRBV", "DIFF", "RDIF", "MSTA")
"""Fields that the record posts when its alarm changes."""
_RANGES = {
    Kind.DOUBLE: (-1e300, 1e300),
    Kind.FLOAT: (-1e30, 1e30),
    Kind.LONG: (-(2.0**31), 2.0**31 - 1),
    Kind.SHORT: (-(2.0**15), 2.0**15 - 1),
    Kind.CHAR: (0.0, 255.0),
}
"""Limits that EPICS base tells with a field of which the record knows none."""
_MOST_DECIMALS = 15

OnMotion = Callable[[Profile], None]
Clock = Callable[[], float]


class Axis:
    """One motor and its record.

    Args:
        record: Name of the record.
        motor: What it is at first.
        server: Serves it; not started yet.
        units: EGU.
        precision: PREC.
        description: DESC.
        on_motion: Told each new motion, in the mechanism's coordinates and the clock's time.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self,
        record: str,
        motor: Motor,
        server: Server,
        *,
        units: str,
        precision: int,
        description: str,
        on_motion: OnMotion,
        clock: Clock,
    ) -> None:
        self.motor = motor
        self._settings = motor.settings
        self._record = record
        self._on_motion = on_motion
        self._clock = clock
        self._alarm = alarm(motor, clock())
        self._limits = control_limits(motor)
        self._alarm_limits = (0.0, 0.0, 0.0, 0.0)
        self._still = asyncio.Event()
        self._still.set()
        self._ticking: asyncio.Task[None] | None = None
        table = motor_table(units, precision, description)
        shown = fields(motor, clock()) | alarm_fields(*self._alarm) | {"NAME": record}
        self._device: Device = server.device(
            f"{record}.", [_at_boot(r, shown, self._limits) for r in table], self._put, at_once=False
        )

    def close(self) -> None:
        """End its task; puts that wait for a motion are not answered any more."""
        if self._ticking is not None:
            self._ticking.cancel()

    async def _put(self, field: str, value: Value) -> None:
        now = self._clock()
        states = put(self.motor, field, value, now)
        if is_kept(field):
            await self._keep(field, value)
        before = self._device[field]
        await self._show(states, now)
        if self._device[field] == before and field != "VAL":
            # A put of the value that was there is a monitor too, of all fields but the record's value.
            await self._device.post(field, before)
        if processes(field):
            # A put completes when DMOV is 1, and so does one that came meanwhile.
            await self._still.wait()

    async def _show(self, states: tuple[Motor, ...], now: float) -> None:
        """Post what the states say, one behind the other; the last of them is the motor from now on."""
        before, self.motor = self.motor, states[-1]
        if self.motor.moving:
            self._still.clear()
        if self.motor.processed != before.processed and self._device["TPRO"]:
            _log.info("process %s", self._record)
        if self.motor.drive.profile is not before.drive.profile:
            _log.debug("%s goes to %g", self._record, self.motor.drive.profile.target)
            self._on_motion(self.motor.drive.profile)
        await self._show_metadata()
        for state in states:
            view = fields(state, now, settings=state.settings is not self._settings)
            self._settings = state.settings
            await self._show_alarm(state, now)
            if state.done:
                # Before DMOV, which clients wait for; at a start DMOV comes first.
                await self._show_readback(float(view.pop("RBV")))
                await self._device.post_changed(view)
            else:
                readback = float(view.pop("RBV"))
                await self._device.post_changed(view)
                await self._show_readback(readback)
        if not self.motor.moving:
            self._still.set()
        if self._alive(now):
            self._tick()

    async def _show_readback(self, value: float) -> None:
        """RBV, unless the deadbands leave it out."""
        if value == self._device["RBV"]:
            return
        s = self.motor.settings
        monitors = not s.monitor_deadband or abs(value - self._device["MLST"]) > s.monitor_deadband
        archives = not s.archive_deadband or abs(value - self._device["ALST"]) > s.archive_deadband
        await self._device.post("RBV", value, to_monitors=monitors, to_archives=archives)
        if s.monitor_deadband and monitors:
            await self._device.post("MLST", value)
        if s.archive_deadband and archives:
            await self._device.post("ALST", value)

    async def _show_alarm(self, state: Motor, now: float) -> None:
        if (now_is := alarm(state, now)) == self._alarm:
            return
        self._alarm = severity, status = now_is
        await self._device.set_alarm(severity, status, posted=_ALARMED)
        await self._device.post_changed(alarm_fields(severity, status))

    async def _show_metadata(self) -> None:
        """Before the fields it comes from: clients ask for VAL's control limits when HLM changes."""
        for name, limits in control_limits(self.motor).items():
            if limits != self._limits[name]:
                self._limits[name] = limits
                await self._device.set_metadata(name, low=limits[0], high=limits[1])
        s = self.motor.settings
        alarms = (s.alarm_low, s.warning_low, s.warning_high, s.alarm_high)
        if alarms != self._alarm_limits:
            self._alarm_limits = alarms
            for name in ("VAL", "DVAL"):
                await self._device.set_metadata(name, alarms=alarms)

    async def _keep(self, field: str, value: Value) -> None:
        """A field that the motor itself knows nothing of."""
        await self._device.post(field, value)
        units, decimals = str(self._device["EGU"]), int(self._device["PREC"])
        if field == "EGU":
            for name, record in self._device.records.items():
                if record.kind in _RANGES:
                    await self._device.set_metadata(name, units=units_of(name, units))
        elif field == "PREC":
            decimals = decimals if 0 <= decimals <= _MOST_DECIMALS else _MOST_DECIMALS
            for name, record in self._device.records.items():
                if record.kind in (Kind.DOUBLE, Kind.FLOAT) and name != "VERS":
                    await self._device.set_metadata(name, precision=decimals)

    def _alive(self, now: float) -> bool:
        """Whether time changes anything."""
        return self.motor.drive.moving(now) or self.motor.due < math.inf

    def _tick(self) -> None:
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.get_running_loop().create_task(self._ticks())

    async def _ticks(self) -> None:
        now = self._clock()
        while self._alive(now):
            await asyncio.sleep(min(1 / RATE, max(self.motor.due - now, 0.0)))
            now = self._clock()
            await self._show(tick(self.motor, now), now)


def control_limits(motor: Motor) -> dict[str, tuple[float, float]]:
    """Limits that clients are told with a value, by field, as the record gives them."""
    s, raw = motor.settings, motor.settings.raw_limits
    return {
        **dict.fromkeys(("VAL", "RBV"), s.user_limits),
        **dict.fromkeys(("DVAL", "DRBV"), (s.low, s.high)),
        **dict.fromkeys(("RVAL", "RRBV"), (_register(raw[0]), _register(raw[1]))),
        "VELO": (s.velocity_base, s.velocity_max),
    }


def _register(steps: float) -> int:
    return max(-(2**31), min(2**31 - 1, nint(steps)))


def _at_boot(
    record: Record, values: Mapping[str, Field], limits: Mapping[str, tuple[float, float]]
) -> Record:
    initial = values.get(record.name, record.initial)
    low, high = limits.get(record.name) or _RANGES.get(record.kind, (0.0, 0.0))
    return replace(record, initial=initial, low=low, high=high, clamp=False)
