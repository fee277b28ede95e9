"""The simulated beamline in one process: motors, cameras and trigger behind one Channel Access server.

Frame data is never here: each detector has an emitter, a process of its own, that is started and watched.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path

from ioc import names
from ioc.station import Station
from layouts.beamline import Beamline
from sim.camera import Camera
from sim.commands import Motion
from sim.motors import Motors
from sim.profile import Profile
from sim.trigger_device import TriggerDevice

CLOSE_WITHIN = 1.6
"""Seconds for everything to end in order; what is left then is ended by its lifeline."""

_log = logging.getLogger(__name__)


class Service:
    """A beamline that is simulated.

    Args:
        beamline: The description.
        file: Its file, for the emitters; the built-in one if nothing.
        station: Where to serve Channel Access, and what is around it.
    """

    def __init__(self, beamline: Beamline, file: Path | None, station: Station) -> None:
        self.station = station
        self.server = station.server
        self.cameras = [
            Camera(self.server, beamline, detector, file, beamline.prefix) for detector in beamline.detectors
        ]
        self.motors = Motors(beamline, self.server, self._moved)
        self.trigger = TriggerDevice(
            self.server,
            names.trigger(beamline.prefix, beamline.simulation.trigger_pv),
            tuple(motor.name for motor in beamline.motors),
            self.motors,
            self._pulse,
        )

    async def run(self, stop: asyncio.Event, ready: asyncio.Event) -> None:
        """Serve until ``stop`` is set; ``ready`` is set when clients can come.

        Raises:
            LinkError: An emitter could not be started.
            ClashError: Somebody serves our PVs.
            PortTakenError: The Channel Access port is in use.
        """
        try:
            await self.station.look()
            await self._start(stop)
            if not stop.is_set():
                # Clients find the PVs when everything behind them is there.
                await self.station.restore()
                await self.station.open()
                ready.set()
                await stop.wait()
        finally:
            await self._close()

    async def _start(self, stop: asyncio.Event) -> None:
        starts = [asyncio.create_task(camera.start()) for camera in self.cameras]
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([asyncio.gather(*starts), stopped], return_when=asyncio.FIRST_COMPLETED)
            for start in starts:
                if start.done():
                    start.result()
        finally:
            for task in (*starts, stopped):
                task.cancel()
        self.trigger.start()

    async def _close(self) -> None:
        ends = [camera.close() for camera in self.cameras]
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                await self.station.save()
                await asyncio.gather(*ends, self.trigger.close(), self.motors.close(), return_exceptions=True)
                with contextlib.suppress(Exception):
                    await self.station.close()
        except TimeoutError:
            _log.error("not everything ended within %g s; the rest ends with this process", CLOSE_WITHIN)

    def _moved(self, motor: str, profile: Profile) -> None:
        self.trigger.move(motor, profile)
        motion = Motion(motor=motor, profile=profile.to_dict())
        for camera in self.cameras:
            camera.move(motion)

    async def _pulse(self, at: float, width: float) -> None:
        for camera in self.cameras:
            await camera.pulse(at, width)
