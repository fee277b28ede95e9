"""One acquisition of a camera, from Acquire 1 to Acquire 0, as ADEiger's control task does it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ioc.menus import DetectorState, DisableEnable
from sim import cam_values
from sim.eiger import Abort, Arm, Discard, RefusedError, State, Trigger
from sim.eiger_config import ConfigError, TriggerMode
from sim.link import LinkError

if TYPE_CHECKING:
    from sim.camera import Camera

ABORT_WITHIN = 5.0
"""Seconds an emitter has to end a series that was aborted; then it is taken for dead."""

_log = logging.getLogger(__name__)


class _Stopped(Exception):  # noqa: N818 it is no error
    """The client has asked for the end."""


class Acquisition:
    """Arms the detector, triggers it or waits for triggers, and sees its series to the end."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._stop = asyncio.Event()

    async def stop(self) -> None:
        """Abort: the series ends at once."""
        self._stop.set()
        async with self._camera.changed:
            self._camera.changed.notify_all()

    async def run(self) -> None:
        """Do it; whatever happens, Acquire goes back to Done and the state says how it went."""
        camera = self._camera
        await camera.begin()
        try:
            state, message = await self._series()
        except _Stopped:
            state, message = await self._abort()
        except (ConfigError, RefusedError, LinkError) as error:
            state, message = DetectorState.ERROR, str(error)
        except Exception as error:
            _log.exception("the acquisition of %s failed", camera.detector.name)
            state, message = DetectorState.ERROR, f"internal error ({error}); see the log"
        await camera.end(state, message)

    async def _series(self) -> tuple[DetectorState, str]:
        camera = self._camera
        await camera.revive()
        if camera.device["StreamEnable"] != DisableEnable.ENABLE or camera.device["DataSource"] != "Stream":
            raise RefusedError("the stream is disabled; set StreamEnable to Enable and DataSource to Stream")
        for name, value in cam_values.series_settings(camera.device.__getitem__, camera.eiger.config):
            await camera.configure(name, value)
        self._check_stopped()
        await camera.apply(Arm())
        await camera.armed()
        await self._triggers()
        await self._until(lambda: not camera.eiger.is_running)
        await camera.say("Sending the last frames")
        await self._until(lambda: camera.ended is not None)
        if camera.eiger.state is State.ERROR:
            return DetectorState.ERROR, camera.eiger.error
        # Here Acquire can wait for the writer's acknowledgement of the series, where WaitForPlugins asks.
        dropped = camera.ended.counts.dropped if camera.ended is not None else 0
        return DetectorState.IDLE, f"Ready; {dropped} frames dropped" if dropped else "Ready"

    async def _triggers(self) -> None:
        camera = self._camera
        config = camera.eiger.config
        if config.trigger_mode.is_external:
            await camera.say("Waiting for external triggers (press Stop when done)")
        elif camera.is_manual:
            await camera.say("Waiting for manual triggers")
        else:
            await camera.say("Triggering")
            exposure = config.count_time if config.trigger_mode is TriggerMode.INTE else None
            for _ in range(config.ntrigger):
                await camera.apply(Trigger(count_time=exposure))
                await self._until(lambda: camera.eiger.state is not State.ACQUIRE)
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
        await camera.device.post("DetectorState_RBV", DetectorState.ABORTING)
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
