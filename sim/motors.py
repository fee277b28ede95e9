"""The motors of a beamline as PVs: the shell around the pure motor.

Serves every motor's record, keeps the clock, shows readbacks while a motor moves, and tells whoever wants to
know each new motion as a profile in physical coordinates: those of the beamline file, whatever clients have
made of OFF and DIR since.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ioc import names
from ioc.records import Record, Severity
from ioc.server import Device, Server
from ioc.tables.motor import motor as motor_table
from layouts.beamline import Beamline
from layouts.beamline import Motor as MotorModel
from sim.motor import Field, Motor, Step, alarm, at_rest, fields, tick
from sim.motor_puts import moves, put
from sim.profile import Profile

_log = logging.getLogger(__name__)

RATE = 20.0
"""Readbacks per second of a motor that moves."""
_HARD_MARGIN = 0.01
"""Part of the travel by which the limit switches lie beyond the soft limits."""

OnMotion = Callable[[str, Profile], None]
Clock = Callable[[], float]


class Motors:
    """All motors of a beamline.

    Args:
        beamline: Says which.
        server: Serves them; not started yet.
        on_motion: Told each motor's profile when it changes, in physical coordinates and the clock's time.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self,
        beamline: Beamline,
        server: Server,
        on_motion: OnMotion | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._axes = {
            model.name: _Axis(model, beamline.prefix, server, on_motion, clock) for model in beamline.motors
        }

    def position(self, name: str, at: float | None = None) -> float:
        """Physical position of a motor at a time, now unless given; what the scene is rendered for.

        Raises:
            KeyError: No motor has the name.
        """
        return self._axes[name].position(at)

    def profile(self, name: str) -> Profile:
        """Present motion of a motor in physical coordinates.

        Raises:
            KeyError: No motor has the name.
        """
        return self._axes[name].profile()

    def physical(self, name: str, user: float) -> float:
        """Physical position of user coordinates, as clients see them now."""
        return self._axes[name].physical(user)

    def user(self, name: str, physical: float) -> float:
        """User coordinates of a physical position."""
        return self._axes[name].user(physical)

    def initial(self) -> Mapping[str, float]:
        """Physical positions of all motors now."""
        return {name: axis.position(None) for name, axis in self._axes.items()}

    def moving(self, name: str) -> bool:
        """Whether a motor is under way."""
        return self._axes[name].motor.moving

    async def close(self) -> None:
        """End the motors' tasks; puts that wait for a motion are not answered any more."""
        for axis in self._axes.values():
            axis.close()
        await asyncio.sleep(0)


class _Axis:
    """One motor and its record."""

    def __init__(
        self, model: MotorModel, prefix: str, server: Server, on_motion: OnMotion | None, clock: Clock
    ) -> None:
        self.motor = motor_of(model, clock())
        self._model = model
        self._on_motion = on_motion
        self._clock = clock
        self._limits = self.motor.user_limits
        self._severity = Severity.NONE
        self._still = asyncio.Event()
        self._still.set()
        self._ticking: asyncio.Task[None] | None = None
        record = f"{names.motor(prefix, model.pv)}"
        table = motor_table(model.units, model.precision, model.description)
        shown = fields(self.motor, clock()) | {"NAME": record}
        self._device: Device = server.device(
            f"{record}.", [_at_boot(r, shown, self._limits) for r in table], self._put
        )

    def position(self, at: float | None) -> float:
        return self.motor.profile.position(self._clock() if at is None else at) + self._model.offset

    def profile(self) -> Profile:
        return self.motor.profile.shifted(self._model.offset)

    def physical(self, user: float) -> float:
        return self.motor.dial(user) + self.motor.zero + self._model.offset

    def user(self, physical: float) -> float:
        return self.motor.user(physical - self._model.offset - self.motor.zero)

    def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()

    async def _put(self, field: str, value: Any) -> None:
        if field == "EGU":
            await self._describe(units=value)
        elif field == "PREC":
            await self._describe(precision=value)
        now = self._clock()
        await self._show(put(self.motor, field, value, now), now)
        if moves(field):
            # A put completes when what it began has ended, and so does one that came meanwhile.
            await self._still.wait()

    async def _show(self, step: Step, now: float) -> None:
        before, self.motor = self.motor, step.motor
        if self.motor.moving:
            self._still.clear()
        if self.motor.profile is not before.profile:
            _log.debug("%s goes to %g", self._model.name, self.motor.profile.target)
            if self._on_motion is not None:
                self._on_motion(self._model.name, self.profile())
        if self.motor.user_limits != self._limits:
            # Before the limits themselves are posted: clients ask for VAL's control limits when they are.
            self._limits = self.motor.user_limits
            low, high = self._limits if self.motor.limited else (0.0, 0.0)
            await self._device.set_metadata("VAL", low=low, high=high)
            await self._device.set_metadata("RBV", low=low, high=high)
        severity, status = alarm(self.motor, now)
        for view in step.views:
            if severity != self._severity:
                self._severity = severity
                readback = view.get("RBV", self._device["RBV"])
                await self._device.post("RBV", readback, severity=severity, status=status)
            await self._device.post_changed(view)
        if self.motor.moving:
            self._tick()
        else:
            self._still.set()

    def _tick(self) -> None:
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.get_running_loop().create_task(self._ticks())

    async def _ticks(self) -> None:
        while self.motor.moving:
            left = self.motor.end - self._clock()
            await asyncio.sleep(min(1 / RATE, max(left, 0.0)))
            now = self._clock()
            await self._show(tick(self.motor, now), now)

    async def _describe(self, *, units: str | None = None, precision: int | None = None) -> None:
        for name, record in self._device.records.items():
            if record.units == self._model.units and record.units:
                await self._device.set_metadata(name, units=units, precision=precision)


def motor_of(model: MotorModel, now: float) -> Motor:
    """The motor that a beamline file describes, at rest where it says.

    Its user position is physical at first; the limit switches lie a little beyond the soft limits.
    """
    offset = model.offset
    limited = (model.low, model.high) != (0.0, 0.0)
    margin = _HARD_MARGIN * (model.high - model.low)
    return at_rest(
        model.initial - offset,
        now,
        offset=offset,
        low=model.low - offset if limited else 0.0,
        high=model.high - offset if limited else 0.0,
        hard=(model.low - offset - margin, model.high - offset + margin) if limited else None,
        resolution=model.resolution,
        velocity=model.velocity,
        velocity_max=model.velocity_max or model.velocity,
        ramp=model.acceleration,
        jog_velocity=model.velocity,
        jog_acceleration=model.velocity / model.acceleration,
        home_velocity=model.velocity,
    )


def _at_boot(record: Record, values: Mapping[str, Field], limits: tuple[float, float]) -> Record:
    initial = values.get(record.name, record.initial)
    if record.name in ("VAL", "RBV"):
        return replace(record, initial=initial, low=limits[0], high=limits[1])
    if record.name in ("HOPR", "LOPR"):
        return replace(record, initial=limits[record.name == "HOPR"])
    if record.name in ("ERES", "RDBD"):
        return replace(record, initial=values["MRES"])
    return replace(record, initial=initial)
