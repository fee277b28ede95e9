"""The position trigger as PVs: watches a motor's motion and pulses the detectors' trigger inputs.

The pure part knows when the next crossing comes; this one sleeps until then. Pulses carry the time of the
crossing, so that frame 0 begins there however late this process wakes up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Protocol

from ioc.menus import DisableEnable, TriggerDirection
from ioc.records import PutError
from ioc.server import Server
from ioc.tables.trigger import trigger as table
from sim.profile import Profile, rest
from sim.trigger import PositionTrigger, arm, disarm, elapse, moved

OnPulse = Callable[[float, float], Awaitable[None]]
"""Called with the time of a rising edge and the pulse's width in seconds."""

_WAYS = {TriggerDirection.EITHER: 0, TriggerDirection.POSITIVE: 1, TriggerDirection.NEGATIVE: -1}


class MotorView(Protocol):
    """What the trigger must know of motors."""

    def profile(self, name: str) -> Profile:
        """Present motion in physical coordinates."""
        ...

    def physical(self, name: str, user: float) -> float:
        """Physical position of user coordinates."""
        ...

    def user(self, name: str, physical: float) -> float:
        """User coordinates of a physical position."""
        ...


class TriggerDevice:
    """One position-compare box.

    Args:
        server: Serves its records.
        prefix: Of its PVs.
        motors: Names of the motors it can watch.
        view: Where they are.
        on_pulse: Every detector's trigger input.
    """

    def __init__(
        self, server: Server, prefix: str, motors: tuple[str, ...], view: MotorView, on_pulse: OnPulse
    ) -> None:
        self.device = server.device(prefix, table(motors), self._put)
        self._motors, self._view, self._on_pulse = motors, view, on_pulse
        self._box = PositionTrigger(profile=rest(time.monotonic(), 0.0))
        self._motor = str(self.device["Motor"])
        self._count = 0
        self._late: list[float] = []
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._watch(), name="position trigger")

    async def close(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.2)

    def move(self, motor: str, profile: Profile) -> None:
        """A motor goes another way."""
        if motor == self._motor:
            self._box, pulses = moved(self._box, profile)
            self._late += pulses
            self._changed.set()

    async def _watch(self) -> None:
        while True:
            self._changed.clear()
            self._box, pulses = elapse(self._box, time.monotonic())
            for at in (*self._take_late(), *pulses):
                await self._fire(at)
            due = self._box.due
            timeout = None if due is None else max(0.0, due - time.monotonic())
            try:
                async with asyncio.timeout(timeout):
                    await self._changed.wait()
            except TimeoutError:
                pass

    def _take_late(self) -> list[float]:
        late, self._late = self._late, []
        return late

    async def _fire(self, at: float) -> None:
        await self._on_pulse(at, float(self.device["PulseWidth"]))
        self._count += 1
        place = self._view.user(self._motor, self._view.profile(self._motor).position(at))
        await self.device.post_all(
            {
                "Fired_RBV": place,
                "FiredAt_RBV": time.time() + (at - time.monotonic()),
                "Count_RBV": self._count,
            }
        )
        if not self._box.armed:
            await self._stand_down(f"fired at {place:g}")

    async def _stand_down(self, message: str) -> None:
        await self.device.post_changed({"Armed_RBV": "Unarmed", "Message_RBV": message})
        await self.device.settle("Arm", DisableEnable.DISABLE)

    async def _put(self, name: str, value: Any) -> None:
        match name:
            case "Arm":
                await self._arm(on=value == DisableEnable.ENABLE)
            case "PulseIn":
                await self._pulse_in(value)
            case "Motor" if value not in self._motors:
                known = ", ".join(self._motors)
                raise PutError(f"{self.device.prefix}Motor: there is no {value!r}; there are {known}")
            case "PulseWidth" if not 0 <= value < 1e6:
                raise PutError(f"{self.device.prefix}PulseWidth: {value:g} s is no width; 0 or more is right")
            case "Motor" | "Position" | "Direction" | "Pulses" if self._box.armed:
                raise PutError(f"{self.device.prefix}{name}: cannot change while armed; set Arm to Disable")
            case _:
                await self.device.settle(name, value)

    async def _arm(self, *, on: bool) -> None:
        if not on:
            self._box = disarm(self._box)
            self._changed.set()
            await self._stand_down("")
            return
        self._motor = str(self.device["Motor"])
        user = float(self.device["Position"])
        self._box = replace(
            self._box,
            profile=self._view.profile(self._motor),
            position=self._view.physical(self._motor, user),
            direction=_WAYS[TriggerDirection(self.device["Direction"])],
            pulses=int(self.device["Pulses"]),
        )
        self._box = arm(self._box, time.monotonic())
        self._changed.set()
        await self.device.post_changed(
            {"Armed_RBV": "Armed", "Message_RBV": f"waits for {self._motor} at {user:g}"}
        )
        await self.device.settle("Arm", DisableEnable.ENABLE)

    async def _pulse_in(self, value: str) -> None:
        """A pulse by hand: its width is the record's, or the time until the input goes down again."""
        if value != "High":
            return
        await self._on_pulse(time.monotonic(), float(self.device["PulseWidth"]))
        self._count += 1
        await self.device.post("Count_RBV", self._count)
        await self.device.post("PulseIn", "Low")
