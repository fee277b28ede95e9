"""A detector's camera IOC: ADEiger's records in front, the detector's state machine and its emitter behind.

Mirrors ADEiger's control task: Acquire arms, triggers or waits for triggers, and completes when the series
has ended and the detector's state has settled. Everything that can be refused is, with a sentence at the put
and in StatusMessage_RBV.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any

from ioc import names
from ioc.menus import Acquire, Acquiring, Armed, DetectorState, DisableEnable
from ioc.records import PutError, Severity, Status
from ioc.server import Server
from ioc.tables import cam
from layouts.beamline import Beamline, Detector
from sim import cam_values, faults
from sim.acquisition import Acquisition
from sim.commands import Motion, SetFaults
from sim.detector import initial_config
from sim.eiger import (
    Configure,
    Eiger,
    Event,
    Failed,
    Initialize,
    Produced,
    Pulse,
    Recovered,
    RefusedError,
    SendStart,
    State,
    Trigger,
    step,
)
from sim.eiger_config import ConfigError
from sim.link import Link, LinkError
from sim.reports import Counts, Ended, Progress, Report

TRUTH_MAX = 60_000
"""Characters of truth that are served; a longer one goes without the positions of single frames."""

_log = logging.getLogger(__name__)


class Camera:
    """One detector as clients see it.

    Args:
        server: Serves its records.
        beamline: The description.
        detector: The detector in it.
        file: The beamline file, for the emitter; the built-in one if nothing.
        prefix: Of all PVs.
    """

    def __init__(
        self, server: Server, beamline: Beamline, detector: Detector, file: Path | None, prefix: str
    ) -> None:
        self.detector = detector
        self.eiger = Eiger(config=initial_config(beamline, detector))
        self.link = Link(detector.name, file, on_report=self._hear, on_died=self._died)
        self.device = server.device(
            names.cam(prefix, detector.pv, beamline.preset),
            cam.cam(detector.spec.generation, detector.name),
            self._put,
        )
        self.sim = server.device(names.sim(prefix, detector.pv), cam.truth(), self._put_sim)
        self.changed = asyncio.Condition()
        self.ended: Ended | None = None
        self._run: asyncio.Task[None] | None = None
        self._acquisition: Acquisition | None = None
        self._counter = 0
        self._refused: set[str] = set()
        self._serve_truth = beamline.simulation.truth
        # The frame time follows the exposure until a client asks for a longer one.
        self._follows = True

    async def start(self) -> None:
        """Start the emitter and initialize the detector.

        Raises:
            LinkError: The emitter could not be started.
        """
        await self.link.ensure()
        await self.apply(Initialize())
        await self._show(cam_values.identity(self.detector))
        await self._show(cam_values.setpoints(self.eiger.config))
        await self._settle()
        await self.say("Ready")

    async def close(self) -> None:
        """End the emitter and what runs."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.wait([self._run], timeout=0.2)
        await self.link.close()

    def move(self, motion: Motion) -> None:
        """A motor has begun to move, or stopped."""
        self.link.send(motion)

    async def pulse(self, at: float, width: float) -> None:
        """An edge on the external trigger input."""
        await self.apply(Pulse(at=at, width=width))

    # --- the machine --------------------------------------------------------------------------------------

    async def apply(self, event: Event) -> None:
        """Let something happen to the detector, and do what follows.

        Raises:
            RefusedError: The command does not fit the state.
            ConfigError: The value is not taken.
        """
        self.eiger, actions = step(self.eiger, event, time.monotonic())
        for action in actions:
            if isinstance(action, SendStart):
                self.ended = None
                # What was simulated before is not the truth of this series, should it never end.
                await self.sim.post("Truth_RBV", "")
            self.link.send(action)
        async with self.changed:
            self.changed.notify_all()
        await self.device.post_changed(
            {"State_RBV": str(self.eiger.state), "Error_RBV": self.eiger.error[:39]}
        )

    async def configure(self, name: str, value: Any) -> None:
        """Set a config value; the emitter hears of it when the next series is armed."""
        self.eiger, _ = step(self.eiger, Configure(name=name, value=value), time.monotonic())

    async def _settle(self) -> None:
        await self._show(cam_values.readings(self.eiger.config, self.detector))

    async def _show(self, values: dict[str, Any]) -> None:
        """Post what this generation of detector has of these values."""
        await self.device.post_changed({name: v for name, v in values.items() if name in self.device})

    async def say(self, message: str, *, severity: Severity = Severity.NONE) -> None:
        """Tell what the detector does, or what went wrong."""
        await self.device.post("StatusMessage_RBV", message, severity=severity)

    # --- reports of the emitter ---------------------------------------------------------------------------

    async def _hear(self, report: Report) -> None:
        if isinstance(report, Progress | Ended) and report.series == self.eiger.series:
            await self._count(report.counts)
            if isinstance(report, Ended):
                await self._finished(report)
            else:
                await self.apply(Produced(series=report.series, frames=report.counts.frames))

    async def _finished(self, report: Ended) -> None:
        if self._serve_truth:
            await self.sim.post("Truth_RBV", _truth(report.truth))
        self.ended = report
        async with self.changed:
            self.changed.notify_all()

    async def _count(self, counts: Counts) -> None:
        values: dict[str, Any] = {
            "NumImagesCounter_RBV": counts.frames,
            "StreamDropped_RBV": counts.dropped,
            "UniqueId_RBV": counts.frames,
        }
        if self.device["ArrayCallbacks"] == DisableEnable.ENABLE:
            values |= {
                "ArrayCounter": self._counter + counts.frames,
                "ArrayCounter_RBV": self._counter + counts.frames,
            }
        left = max(0, self.eiger.total - counts.frames) * self.eiger.config.frame_time
        await self.device.post_changed(values | {"TimeRemaining_RBV": left})

    async def _died(self, message: str) -> None:
        await self.apply(Failed(message=message))
        await self.say(message, severity=Severity.MAJOR)
        await self.device.post("DetectorState_RBV", DetectorState.ERROR, severity=Severity.MAJOR)

    async def revive(self) -> None:
        """Start an emitter that has died; does nothing to one that lives.

        Raises:
            LinkError: It could not be started.
        """
        if await self.link.ensure():
            await self.apply(Recovered())

    # --- puts ---------------------------------------------------------------------------------------------

    async def _put(self, name: str, value: Any) -> None:
        try:
            await self._obey(name, value)
        except (ConfigError, RefusedError, LinkError) as error:
            await self.say(str(error), severity=Severity.MINOR)
            await self._alarm(name, Severity.MINOR)
            raise PutError(f"{self.device.prefix}{name}: {error}") from None
        if name in self._refused:
            await self._alarm(name, Severity.NONE)

    async def _alarm(self, name: str, severity: Severity) -> None:
        """Mark the readback of a setpoint whose last put was refused, or clear the mark."""
        readback = f"{name}_RBV"
        if readback in self.device:
            status = Status.WRITE if severity else Status.NO_ALARM
            await self.device.post(readback, self.device[readback], severity=severity, status=status)
        (self._refused.add if severity else self._refused.discard)(name)

    async def _obey(self, name: str, value: Any) -> None:
        if name == "Acquire":
            await self._acquire(begin=value == Acquire.ACQUIRE)
        elif name in ("Initialize", "Restart"):
            await self._initialize(name)
        elif name == "Trigger":
            await self._trigger(value)
        elif (found := cam_values.setting(name, value)) is not None:
            await self._set(name, *found)
        elif name == "ArrayCounter":
            self._counter = value
            await self.device.settle(name, value)
        else:
            await self.device.settle(name, cam_values.accepted(name, value, self.eiger.config, self.detector))

    async def _set(self, pv: str, name: str, value: Any) -> None:
        if pv == "AcquirePeriod":
            # 0 is the usual way to say: as short as it gets, whatever the exposure becomes.
            self._follows = value == 0
            value = value or self._shortest()
        await self.configure(name, value)
        if pv == "AcquireTime" and self._follows:
            await self.configure("frame_time", self._shortest())
        # The setpoint keeps what the client wrote; the readback says what became of it.
        await self._settle()

    def _shortest(self) -> float:
        config = self.eiger.config
        return max(config.count_time + config.readout_time, config.frame_time_min)

    async def _trigger(self, exposure: float) -> None:
        if self.device["ManualTrigger"] != DisableEnable.ENABLE:
            raise RefusedError("a trigger by hand needs ManualTrigger; enable it before Acquire")
        mode = self.eiger.config.trigger_mode
        count_time = exposure if mode.is_enable and exposure > 0 else None
        await self.apply(Trigger(count_time=count_time))

    async def _initialize(self, name: str) -> None:
        if name == "Restart":
            await self.link.kill()
        if self._acquisition is not None:
            await self._acquisition.stop()
        await self.device.post("DetectorState_RBV", DetectorState.INITIALIZING, severity=Severity.NONE)
        await self.revive()
        await self.apply(Initialize())
        await self.device.post("DetectorState_RBV", DetectorState.IDLE)
        await self.say("Ready")
        await self.device.post(name, "Done")

    async def _acquire(self, *, begin: bool) -> None:
        running = self._run is not None and not self._run.done()
        if not running and not begin:
            return
        if not running:
            self._acquisition = Acquisition(self)
            self._run = asyncio.create_task(self._acquisition.run(), name=f"acquire {self.detector.name}")
        elif not begin and self._acquisition is not None:
            await self._acquisition.stop()
        if self._run is not None:
            # A client that goes away takes its put with it, and not the acquisition.
            await asyncio.shield(self._run)

    async def _put_sim(self, name: str, value: Any) -> None:
        if name == "Faults":
            try:
                faults.parse(value)
            except faults.FaultError as error:
                raise PutError(f"{self.sim.prefix}{name}: {error}") from None
            self.link.send(SetFaults(text=value))
            await self.sim.settle(name, value)

    # --- what an acquisition posts ------------------------------------------------------------------------

    async def begin(self) -> None:
        """Edges at the begin of an acquisition, each a monitor of its own."""
        self._counter = int(self.device["ArrayCounter"])
        await self.device.post("Acquire_RBV", Acquiring.ACQUIRING)
        await self.device.post("AcquireBusy", Acquiring.ACQUIRING)
        await self.device.post("AcquireBusyCB", Acquiring.ACQUIRING)
        await self.device.post("DetectorState_RBV", DetectorState.ACQUIRE, severity=Severity.NONE)
        await self.say("Arming")
        await self.device.post_all({"NumImagesCounter_RBV": 0, "StreamDropped_RBV": 0})

    async def armed(self) -> None:
        """The series has a number, and triggers may come."""
        await self._settle()
        await self.device.post("SequenceId", self.eiger.series)
        await self.device.post("Armed", Armed.ARMED)

    async def end(self, state: DetectorState, message: str) -> None:
        """Edges at the end of an acquisition; the detector's state settles before Acquire does."""
        bad = Severity.MAJOR if state is DetectorState.ERROR else Severity.NONE
        await self.device.post("Armed", Armed.UNARMED)
        await self.device.post("TimeRemaining_RBV", 0.0)
        await self.say(message, severity=bad)
        await self.device.post("DetectorState_RBV", state, severity=bad)
        await self.device.post("AcquireBusyCB", Acquiring.DONE)
        await self.device.post("Acquire_RBV", Acquiring.DONE)
        await self.device.post("Acquire", Acquire.DONE)
        await self.device.post("AcquireBusy", Acquiring.DONE)

    @property
    def is_manual(self) -> bool:
        """Whether triggers come by hand."""
        return self.device["ManualTrigger"] == DisableEnable.ENABLE

    @property
    def state(self) -> State:
        """SIMPLON's state."""
        return self.eiger.state


def _truth(values: dict[str, Any]) -> str:
    text = json.dumps(values)
    if len(text) > TRUTH_MAX:
        for motor in values.get("motors", {}).values():
            motor.pop("start", None)
            motor.pop("stop", None)
        text = json.dumps(values)
    return text
