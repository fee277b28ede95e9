"""Tells a simulated camera how far the writer is, so that its WaitForPlugins can wait for it.

In areaDetector driver and plugins share a process and a count of arrays. Here they are two programs: the
coordinator puts the same facts into records that only a simulated camera has. A real camera has none of them,
and nothing is put or waited for then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final

from ioc import names
from ioc.client import CaError, Client, Reading
from layouts.beamline import Beamline

_log = logging.getLogger(__name__)

WRITING: Final = "Writing"
STORED: Final = "Stored"
QUEUED: Final = "Queued"
_SPACING: Final = 0.2
"""Seconds between two puts of Queued, at least."""


class Acknowledge:
    """Puts to the cameras that have the records.

    Args:
        beamline: The description.
        client: Reaches them.
    """

    def __init__(self, beamline: Beamline, client: Client) -> None:
        self._client = client
        self._prefixes = {d.name: names.sim(beamline.prefix, d.pv) for d in beamline.detectors}
        self._there: set[str] = set()
        self._writing: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued: dict[str, tuple[int, float]] = {}

    async def start(self) -> None:
        """Look out for the records."""
        for detector, prefix in self._prefixes.items():

            def take(reading: Reading, detector: str = detector) -> None:
                new = reading.connected and detector not in self._there
                (self._there.add if reading.connected else self._there.discard)(detector)
                if new:  # it may have been started anew, or have heard of a writer before us
                    task = asyncio.create_task(self._put(detector, WRITING, int(detector in self._writing)))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

            await self._client.subscribe(f"{prefix}{WRITING}", take)

    async def writing(self, detector: str, *, on: bool) -> None:
        """A capture is open, or no longer."""
        if on == (detector in self._writing):
            return
        (self._writing.add if on else self._writing.discard)(detector)
        await self._put(detector, WRITING, int(on))
        if not on:
            await self.queued(detector, 0, at_once=True)

    async def queued(self, detector: str, frames: int, *, at_once: bool = False) -> None:
        """So many frames have come and cannot be read yet."""
        known, when = self._queued.get(detector, (0, 0.0))
        now = time.monotonic()
        if frames == known or (now - when < _SPACING and not at_once):
            return
        self._queued[detector] = frames, now
        await self._put(detector, QUEUED, frames)

    async def stored(self, detector: str, series: int) -> None:
        """Every frame of a series that will ever be stored can be read."""
        await self._put(detector, STORED, series)

    async def _put(self, detector: str, record: str, value: int) -> None:
        if detector not in self._there:
            return
        try:
            await self._client.put(f"{self._prefixes[detector]}{record}", value)
        except CaError as error:
            _log.warning("%s was not told of %s: %s", detector, record, error)
