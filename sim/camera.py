"""A detector's camera IOC: ADEiger's records in front, the detector's state machine and its emitter behind.

Mirrors ADEiger's control task: Acquire arms, triggers or waits for triggers, and completes when the series
has ended and the detector's state has settled. What clients put is decided in ``camera_puts``; the course
of an acquisition is ``acquisition``'s; here is what both act upon, and what is posted.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ioc import names
from ioc.menus import DataSource, DetectorState, DisableEnable, NoYes
from ioc.records import PutError, Severity
from ioc.server import Server
from ioc.tables import cam
from layouts.beamline import Beamline, Detector
from sim import cam_values, faults, truth
from sim.acquisition import Acquisition
from sim.announce import wall_clock
from sim.array_count import ArrayCount
from sim.camera_puts import Puts
from sim.climate import climate
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
from sim.reports import Counts, Ended, Progress, Report
from sim.shutter import Shutter
from sim.status_line import RECORD, StatusLine

RATE_EVERY = 1.0
"""Seconds between two values of ArrayRate_RBV, as the record's SCAN is."""
STATUS_EVERY = 10
"""Rates between two readings of temperature and humidity."""
BUFFER = 100.0
"""GB of the detector's own file writer; it holds no files, so all of it is free."""

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
        exposure: Exposure of the triggers to come in Internal Enable, set while the series is armed.
        busy: Whether an acquisition is under way or the writer is waited for.
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
        self.shutter = Shutter(self.device)
        self.plugins = Plugins(self.sim)
        self.changed = asyncio.Condition()
        self.ended: Ended | None = None
        self.exposure: float | None = None
        self.busy = False
        self.simulation = beamline.simulation
        self._puts = Puts(self)
        self._run: asyncio.Task[None] | None = None
        self._acquisition: Acquisition | None = None
        self._status_task: asyncio.Task[None] | None = None
        self._arrays = ArrayCount()
        self._latest: dict[str, object] = {}
        self._seen = False

    async def start(self) -> None:
        """Start the emitter and initialize the detector.

        Raises:
            LinkError: The emitter could not be started.
        """
        await self.link.ensure()
        await self.apply(Initialize())
        await self.show(cam_values.identity(self.detector))
        await self.show(cam_values.setpoints(self.eiger.config))
        await self.settle()
        await self.show_modules()
        await self.read_status()
        await self.status.say("Ready")
        self._status_task = asyncio.create_task(self._watch(), name=f"status {self.detector.name}")

    async def close(self) -> None:
        """End the emitter and what runs."""
        tasks = [task for task in (self._run, self._status_task) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=0.2)
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
        self.eiger, actions = step(self.eiger, event, time.monotonic())
        for action in actions:
            if isinstance(action, SendStart):
                self.ended = None
                # What was simulated before is not the truth of this series, should it never end.
                await self.sim.post("Truth_RBV", "")
            self.link.send(action)
        async with self.changed:
            self.changed.notify_all()
        said = {"State_RBV": str(self.eiger.state), "Error_RBV": self.eiger.error[:39]}
        if word := _COMMANDS.get(type(event)):
            said |= {"StringToServer_RBV": word, "StringFromServer_RBV": f"sequence id {self.eiger.series}"}
        if isinstance(event, Pulse):
            said["NumExposuresCounter_RBV"] = str(len(self.eiger.gates))
        await self.show(said)
        await self.show_modules()

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
            await self.settle()
            await self.device.post("StaleParameters_RBV", NoYes.NO)

    async def trigger(self) -> None:
        """Trigger by software; in Internal Enable for as long as was asked for last.

        Raises:
            RefusedError: The detector does not wait for one.
        """
        exposure = None
        if self.eiger.config.trigger_mode is TriggerMode.INTE:
            asked = float(self.device["TriggerExposure_RBV"])
            exposure = asked if asked > 0 else self.exposure
        await self.shutter.expose(to_open=True)
        try:
            await self.apply(Trigger(count_time=exposure))
        except RefusedError:
            await self.shutter.expose(to_open=False)
            raise

    # --- what is posted -----------------------------------------------------------------------------------

    async def show(self, values: Mapping[str, object]) -> None:
        """Post what has changed of these values, and what this generation of detector has of them."""
        await self.device.post_changed({name: v for name, v in values.items() if name in self.device})

    async def flush(self) -> None:
        """Post the counters as they are, and not soon."""
        await self.show(self._latest)

    async def settle(self) -> None:
        """Let the readbacks say what the detector has taken."""
        sized = self._seen or self.simulation.primed
        values = cam_values.readings(self.eiger.config, self.detector, sized=sized)
        if self.exposure is not None:
            values |= {"AcquireTime": self.exposure, "AcquireTime_RBV": self.exposure}
        await self.show(values)
        await self.show_modules()

    async def show_modules(self) -> None:
        """States of stream, file writer, monitor and links."""
        await self.show(cam_values.modules(self.device.__getitem__, running=self.eiger.is_running))
        await self.show(cam_values.links(self.detector, alive=self.link.alive) | {"FWFree_RBV": BUFFER})

    async def show_pool(self) -> None:
        """Arrays that the writer has still to store."""
        await self.show(self.plugins.pool.values(int(self.device["ArraySize_RBV"])))

    async def read_status(self) -> None:
        """Temperature and humidity; as the driver, not in mid-series."""
        if not self.busy:
            temperature, humidity = climate(self.detector.name, time.time())
            await self.show(
                {"TemperatureActual": temperature, "Temp0_RBV": temperature, "Humid0_RBV": humidity}
            )

    async def _watch(self) -> None:
        """Rate of arrays every second, the detector's climate now and then."""
        before, rounds = self._arrays.total, 0
        while True:
            await asyncio.sleep(RATE_EVERY)
            count = self._arrays.total
            await self.show({"ArrayRate_RBV": max(0, count - before) / RATE_EVERY})
            before, rounds = count, rounds + 1
            if rounds % STATUS_EVERY == 0:
                await self.read_status()

    async def set_array_counter(self, value: int) -> None:
        """Count arrays from here."""
        self._arrays = self._arrays.counted_from(value)
        self._latest["ArrayCounter_RBV"] = value
        await self.device.post("ArrayCounter_RBV", value)

    # --- reports of the emitter ---------------------------------------------------------------------------

    async def _hear(self, report: Report) -> None:
        if isinstance(report, Progress | Ended) and report.series == self.eiger.series:
            await self._count(report.counts)
            if isinstance(report, Ended):
                await self._finished(report)
            else:
                await self.apply(Produced(series=report.series, frames=report.counts.frames))

    async def _finished(self, report: Ended) -> None:
        await self.flush()
        if self.simulation.truth:
            await self.sim.post("Truth_RBV", truth.as_text(report.truth))
        self.ended = report
        async with self.changed:
            self.changed.notify_all()

    async def _count(self, counts: Counts) -> None:
        left = max(0, self.eiger.total - counts.frames) * self.eiger.config.frame_time
        values: dict[str, object] = {
            "StreamDropped_RBV": counts.dropped,
            "CompressedSize_RBV": counts.size,
            "TimeRemaining_RBV": left,
        }
        if counts.frames and self.device["DataSource_RBV"] == DataSource.STREAM:
            self._arrays = self._arrays.with_frames(counts.frames)
            values |= self._arrays.values(wall_clock(self._time_of(counts.frames - 1)))
            if not self._seen:
                self._seen = True
                await self.settle()
        self._latest = values
        self.device.post_soon(values)

    def _time_of(self, frame: int) -> float:
        """When a frame's exposure ended, on the schedule's clock; now if it was an earlier trigger's."""
        last = self.eiger.last
        if last is None or frame < last.first:
            return time.monotonic()
        return last.at + (frame - last.first) * last.period + last.count_time

    async def begin_count(self) -> None:
        """A series is armed: its frames count from 0, arrays go on counting."""
        self._arrays = self._arrays.of_next_series()
        self._latest = {"NumImagesCounter_RBV": 0, "StreamDropped_RBV": 0, "NumExposuresCounter_RBV": 0}
        await self.flush()

    async def _died(self, message: str) -> None:
        await self.apply(Failed(message=message))
        await self.status.say(message, Severity.MAJOR)
        await self.device.post("DetectorState_RBV", DetectorState.ERROR, severity=Severity.MAJOR)

    async def revive(self) -> None:
        """Start an emitter that has died; does nothing to one that lives.

        Raises:
            LinkError: It could not be started.
        """
        if await self.link.ensure():
            await self.apply(Recovered())

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
            await self.show_pool()
            return
        try:
            faults.parse(value)
        except faults.FaultError as error:
            raise PutError(f"{self.sim.prefix}{name}: {error}") from None
        self.link.send(SetFaults(text=value))
        await self.sim.settle(name, value)
