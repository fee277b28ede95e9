"""One acquisition of a camera, from Acquire 1 until AcquireBusy is 0, as ADEiger's control task does it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ioc.menus import Acquire, Acquiring, Armed, DataSource, DetectorState, DisableEnable, NoYes, TriggerMode
from ioc.records import Severity
from sim import cam_values
from sim.eiger import Abort, Arm, Discard, RefusedError, State
from sim.eiger_config import ConfigError
from sim.link import LinkError

if TYPE_CHECKING:
    from sim.camera import Camera

ABORT_WITHIN = 5.0
"""Seconds an emitter has to end a series that was aborted; then it is taken for dead."""

_log = logging.getLogger(__name__)


class _Stopped(Exception):  # noqa: N818 it is no error
    """The client has asked for the end."""


class Acquisition:
    """Arms the detector, triggers it or waits for triggers, and sees its series to the end.

    Attributes:
        draining: Whether it is over but for the writer, which is waited for.
    """

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._stop = asyncio.Event()
        self.draining = False

    async def stop(self) -> None:
        """Abort: the series ends at once."""
        self._stop.set()
        async with self._camera.changed:
            self._camera.changed.notify_all()

    async def run(self) -> None:
        """Do it; whatever happens, Acquire goes back to Done and the state says how it went."""
        camera = self._camera
        images = camera.device["NumImages_RBV"]
        await self._begin()
        try:
            state, message = await self._series()
        except _Stopped:
            state, message = await self._abort()
        except (ConfigError, RefusedError, LinkError) as error:
            state, message = DetectorState.ERROR, str(error)
        except Exception as error:
            _log.exception("the acquisition of %s failed", camera.detector.name)
            state, message = DetectorState.ERROR, f"internal error ({error}); see the log"
        await self._restore(images)
        await self._end(state, message)
        await self._free(message)

    async def _series(self) -> tuple[DetectorState, str]:
        camera = self._camera
        await camera.revive()
        self._check_source()
        while True:
            for name, value in cam_values.series_settings(camera.device.__getitem__, camera.eiger.config):
                camera.configure(name, value)
            self._check_stopped()
            await camera.status.say("Arming")
            await camera.apply(Arm())
            await self._armed()
            await self._triggers()
            await self._until(lambda: not camera.eiger.is_running)
            await camera.status.say("Sending the last frames")
            await self._until(lambda: camera.ended is not None)
            if camera.eiger.state is State.ERROR:
                return DetectorState.ERROR, camera.eiger.error
            if camera.device["TriggerMode_RBV"] != TriggerMode.CONTINUOUS:
                break
            await camera.device.post("Armed", Armed.UNARMED)
        dropped = camera.ended.counts.dropped if camera.ended is not None else 0
        return DetectorState.IDLE, f"Ready; {dropped} frames dropped" if dropped else "Ready"

    def _check_source(self) -> None:
        """What the driver looks at before it arms."""
        device = self._camera.device
        streams = device["StreamEnable_RBV"] == DisableEnable.ENABLE
        if device["DataSource_RBV"] == DataSource.STREAM and not streams:
            raise RefusedError("Stream API is disabled; set StreamEnable to Enable, or DataSource to None")
        saves = device["FWEnable_RBV"] == device["SaveFiles"] == DisableEnable.ENABLE
        if saves and device["FilePathExists_RBV"] != NoYes.YES:
            raise RefusedError(
                f"Invalid file path {str(device['FilePath_RBV'])!r}; set FilePath to a directory"
            )

    async def _triggers(self) -> None:
        camera = self._camera
        config = camera.eiger.config
        if config.trigger_mode.is_external:
            await camera.status.say("Waiting for external triggers (press Stop when done)")
        elif camera.is_manual:
            await camera.status.say("Waiting for manual triggers")
            while camera.eiger.is_running:
                await self._until(lambda: camera.eiger.state is not State.READY)
                await self._until(lambda: camera.eiger.state is not State.ACQUIRE)
                await camera.shutter.expose(to_open=False)
        else:
            await camera.status.say("Triggering")
            for _ in range(config.ntrigger):
                await camera.trigger()
                await self._until(lambda: camera.eiger.state is not State.ACQUIRE)
                await camera.shutter.expose(to_open=False)
                if not camera.eiger.is_running:
                    return

    async def _until(self, reached: Callable[[], bool]) -> None:
        camera = self._camera
        async with camera.changed:
            await camera.changed.wait_for(
                lambda: reached() or self._stop.is_set() or camera.eiger.state is State.ERROR
            )
        if not reached():
            self._check_stopped()

    def _check_stopped(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    async def _abort(self) -> tuple[DetectorState, str]:
        camera = self._camera
        if camera.eiger.state is State.ERROR:
            return DetectorState.ERROR, camera.eiger.error
        # ADEiger says so when it is told, and goes on to say so when it is done.
        await camera.device.post("DetectorState_RBV", DetectorState.ABORTED)
        armed = camera.eiger.is_running
        await camera.apply(Abort())
        if not armed and camera.ended is None and camera.eiger.series:
            # All frames are made but the end waits for its receiver: give it up.
            camera.link.send(Discard(series=camera.eiger.series))
        try:
            async with asyncio.timeout(ABORT_WITHIN):
                async with camera.changed:
                    await camera.changed.wait_for(
                        lambda: camera.ended is not None or not camera.link.alive or not camera.eiger.series
                    )
        except TimeoutError:
            await camera.link.kill()
            return DetectorState.ERROR, f"the emitter of {camera.detector.name} did not answer the abort"
        return DetectorState.ABORTED, "Acquisition aborted"

    # --- what is posted -----------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Edges at the begin, each a monitor of its own."""
        device = self._camera.device
        self._camera.view.busy = True
        await device.post("DetectorState_RBV", DetectorState.ACQUIRE, severity=Severity.NONE)
        await device.post("Acquire_RBV", Acquiring.ACQUIRING, severity=Severity.MINOR)
        await device.post("SetAcquireBusy", 1.0)
        await device.post("AcquireBusy", Acquiring.ACQUIRING, severity=Severity.MINOR)
        await device.post("AcquireBusyCB", Acquiring.ACQUIRING, severity=Severity.MINOR)
        await device.post("ClearAcquireBusy", 1.0)

    async def _armed(self) -> None:
        """The series has a number, and triggers may come."""
        camera = self._camera
        await camera.view.begin_count()
        if camera.eiger.config.trigger_mode.is_enable:
            await camera.device.post_changed({"NumImages_RBV": 1})
        await camera.view.settle(camera.eiger)
        await camera.status.say("Armed")
        await camera.device.post("SequenceId", camera.eiger.series)
        await camera.device.post("Armed", Armed.ARMED)

    async def _restore(self, images: int) -> None:
        """Give back what an Enable mode has lent: the number of images, and the exposure of its triggers."""
        camera = self._camera
        await camera.shutter.expose(to_open=False)
        await camera.device.post_changed({"NumImages_RBV": images})
        exposure, camera.view.exposure = camera.view.exposure, None
        if exposure is not None and not camera.eiger.is_running:
            async with camera.changing():
                camera.configure("count_time", exposure)

    async def _end(self, state: DetectorState, message: str) -> None:
        """Edges at the end; the detector's state settles before Acquire does."""
        camera = self._camera
        device = camera.device
        bad = Severity.MAJOR if state is DetectorState.ERROR else Severity.NONE
        await camera.view.flush()
        await device.post("Armed", Armed.UNARMED)
        await device.post("TimeRemaining_RBV", 0.0)
        await camera.status.say(message, bad)
        if device["DetectorState_RBV"] != state:
            await device.post("DetectorState_RBV", state, severity=bad)
        await device.post("Acquire_RBV", Acquiring.DONE, severity=Severity.NONE)
        await device.post("Acquire", Acquire.DONE)
        await device.post("SetAcquireBusy", 0.0)

    async def _free(self, message: str) -> None:
        """AcquireBusy goes last, with WaitForPlugins when the writer has stored the series."""
        camera = self._camera
        device, series = camera.device, camera.eiger.series
        if device["WaitForPlugins"] == NoYes.YES:
            self.draining = True
            why = await camera.plugins.stored(series, camera.simulation.acknowledge_within)
            if why:
                await camera.status.say(f"{message}; {why}", Severity.MINOR)
        camera.view.busy = False
        await device.post("AcquireBusyCB", Acquiring.DONE, severity=Severity.NONE)
        await device.post("ClearAcquireBusy", 0.0)
        await device.post("AcquireBusy", Acquiring.DONE, severity=Severity.NONE)
