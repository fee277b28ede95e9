"""A detector's camera IOC: ADEiger's records in front, the detector's state machine and its emitter behind.

Mirrors ADEiger's control task: Acquire arms, triggers or waits for triggers, and completes when the series
has ended and the detector's state has settled. What clients put is decided in ``camera_puts``; the course
of an acquisition is ``acquisition``'s; here is what both act upon, and what is posted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ioc import names
from ioc.menus import DetectorState, DisableEnable, NoYes
from ioc.records import PutError, Severity
from ioc.server import Server
from ioc.tables import cam
from layouts.beamline import Beamline, Detector
from sim import faults, truth
from sim.acquisition import Acquisition
from sim.camera_puts import Puts
from sim.camera_view import View
from sim.commands import Motion, SetFaults
from sim.detector import initial_config
from sim.eiger import (
    Abort,
    Arm,
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
    Trigger,
    step,
)
from sim.eiger_config import TriggerMode
from sim.link import Link
from sim.plugins import Plugins
from sim.reports import Ended, Progress, Report
from sim.shutter import Shutter
from sim.status_line import RECORD, StatusLine

_COMMANDS = {Arm: "arm", Trigger: "trigger", Abort: "abort", Initialize: "initialize"}

_log = logging.getLogger(__name__)


class Camera:
    """One detector as clients see it.

    Args:
        server: Serves its records.
        beamline: The description.
        detector: The detector in it.
        file: The beamline file, for the emitter; the built-in one if nothing.
        prefix: Of all PVs.

    Attributes:
        ended: What the emitter has said at the end of the series.
        changed: Notified whenever the detector's state or ``ended`` changes.
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
            on_refused=self._refused,
        )
        self.sim = server.device(names.sim(prefix, detector.pv), cam.truth(), self._put_sim)
        self.status = StatusLine(self.device)
        self.view = View(self.device, detector, primed=beamline.simulation.primed)
        self.shutter = Shutter(self.device)
        self.plugins = Plugins(self.sim)
        self.changed = asyncio.Condition()
        self.ended: Ended | None = None
        self.simulation = beamline.simulation
        self._puts = Puts(self)
        self._run: asyncio.Task[None] | None = None
        self._acquisition: Acquisition | None = None
        self._anew = asyncio.Lock()

    async def start(self) -> None:
        """Start the emitter and initialize the detector.

        Raises:
            LinkError: The emitter could not be started.
        """
        await self.link.ensure()
        await self.apply(Initialize())
        await self.view.start(self.eiger)
        await self.view.links(alive=True)
        await self.status.say("Ready")

    async def close(self) -> None:
        """End the emitter and what runs."""
        if self._run is not None:
            self._run.cancel()
            await asyncio.wait([self._run], timeout=0.2)
        await self.view.close()
        await self._puts.close()
        await self.link.close()

    def move(self, motion: Motion) -> None:
        """A motor has begun to move, or stopped."""
        self.link.send(motion)

    async def pulse(self, at: float, width: float) -> None:
        """An edge on the external trigger input."""
        await self.apply(Pulse(at=at, width=width))

    @property
    def is_manual(self) -> bool:
        """Whether triggers come by hand."""
        return self.device["ManualTrigger_RBV"] == DisableEnable.ENABLE

    @property
    def takes_exposures(self) -> bool:
        """Whether an exposure is of the triggers to come, and not of the config."""
        return self.eiger.is_running and self.eiger.config.trigger_mode is TriggerMode.INTE

    # --- the machine --------------------------------------------------------------------------------------

    async def apply(self, event: Event) -> None:
        """Let something happen to the detector, and do what follows.

        Raises:
            RefusedError: The command does not fit the state.
            ConfigError: The value is not taken.
        """
        ran = self.eiger.is_running
        self.eiger, actions = step(self.eiger, event, time.monotonic())
        for action in actions:
            if isinstance(action, SendStart):
                self.ended = None
                # What was simulated before is not the truth of this series, should it never end.
                await self.sim.post("Truth_RBV", "")
            self.link.send(action)
        async with self.changed:
            self.changed.notify_all()
        said: dict[str, object] = {"State_RBV": str(self.eiger.state), "Error_RBV": self.eiger.error[:39]}
        if word := _COMMANDS.get(type(event)):
            said |= {"StringToServer_RBV": word, "StringFromServer_RBV": f"sequence id {self.eiger.series}"}
        if isinstance(event, Pulse):
            said["NumExposuresCounter_RBV"] = len(self.eiger.gates)
        await self.view.show(said)
        if self.eiger.is_running != ran:
            await self.view.modules(self.eiger)

    def configure(self, name: str, value: Any) -> None:
        """Set a config value; the emitter hears of it when the next series is armed.

        Raises:
            RefusedError: A series is armed.
            ConfigError: The value is not taken.
        """
        self.eiger, _ = step(self.eiger, Configure(name=name, value=value), time.monotonic())

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """While a change is on its way to the detector; afterwards the readbacks say what it has taken."""
        await self.device.post("StaleParameters_RBV", NoYes.YES)
        try:
            yield
        finally:
            await self.view.settle(self.eiger)
            await self.device.post("StaleParameters_RBV", NoYes.NO)

    async def trigger(self) -> None:
        """Trigger by software; in Internal Enable for as long as was asked for last.

        Raises:
            RefusedError: The detector does not wait for one.
        """
        exposure = None
        if self.eiger.config.trigger_mode is TriggerMode.INTE:
            asked = float(self.device["TriggerExposure_RBV"])
            exposure = asked if asked > 0 else self.view.exposure
        await self.shutter.expose(to_open=True)
        try:
            await self.apply(Trigger(count_time=exposure))
        except RefusedError:
            await self.shutter.expose(to_open=False)
            raise

    # --- reports of the emitter ---------------------------------------------------------------------------

    async def _hear(self, report: Report) -> None:
        if isinstance(report, Progress | Ended) and report.series == self.eiger.series:
            await self.view.count(report.counts, self.eiger)
            if isinstance(report, Ended):
                await self._finished(report)
            else:
                await self.apply(Produced(series=report.series, frames=report.counts.frames))

    async def _finished(self, report: Ended) -> None:
        await self.view.flush()
        if self.simulation.truth:
            await self.sim.post("Truth_RBV", truth.as_text(report.truth))
        self.ended = report
        async with self.changed:
            self.changed.notify_all()

    async def _died(self, message: str) -> None:
        await self.apply(Failed(message=message))
        await self.view.links(alive=False)
        await self.status.say(message, Severity.MAJOR)
        await self.device.post("DetectorState_RBV", DetectorState.ERROR, severity=Severity.MAJOR)

    async def revive(self) -> None:
        """Start an emitter that has died; does nothing to one that lives.

        Raises:
            LinkError: It could not be started.
        """
        if await self.link.ensure():
            await self.apply(Recovered())
            await self.view.links(alive=True)

    # --- what clients ask for -----------------------------------------------------------------------------

    async def _put(self, name: str, value: Any) -> None:
        await self._puts(name, value)

    async def _refused(self, _name: str, message: str) -> None:
        """Tell of a put that did not get as far as being decided here."""
        if not message.endswith(str(self.device[RECORD])):
            await self.status.note(message)

    async def acquire(self, *, begin: bool) -> None:
        """Begin an acquisition, or abort the one under way; returns when it is over and written."""
        while begin and self._run is not None and not self._run.done() and self._is_draining:
            await asyncio.shield(self._run)
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

    @property
    def _is_draining(self) -> bool:
        return self._acquisition is not None and self._acquisition.draining

    async def initialize(self, name: str) -> None:
        """Begin anew; Restart starts the emitter again as well.

        Args:
            name: Initialize or Restart, which goes back to Done.

        Raises:
            LinkError: The emitter could not be started.
        """
        async with self._anew:  # a second Restart would kill the emitter that the first has just started
            if name == "Restart":
                await self.link.kill()
            if self._acquisition is not None:
                await self._acquisition.stop()
            await self.device.post("DetectorState_RBV", DetectorState.INITIALIZING, severity=Severity.NONE)
            await self.revive()
            await self.apply(Initialize())
            await self.plugins.forget()
            await self.device.post("DetectorState_RBV", DetectorState.IDLE)
            await self.status.say("Ready")
            await self.device.post(name, "Done")

    async def _put_sim(self, name: str, value: Any) -> None:
        if name != "Faults":
            await self.plugins.put(name, value)
            await self.view.pool(self.plugins.pool)
            return
        try:
            faults.parse(value)
        except faults.FaultError as error:
            raise PutError(f"{self.sim.prefix}{name}: {error}") from None
        self.link.send(SetFaults(text=value))
        await self.sim.settle(name, value)
