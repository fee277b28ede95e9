"""Tells a simulated camera how far the writer is, so that its WaitForPlugins can wait for it.

In areaDetector driver and plugins share a process and a count of arrays. Here they are two programs: the
coordinator puts the same facts into records that only a simulated camera has. A real camera has none of them,
and nothing is put or waited for then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

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
        settled: Waits, not for long, until the previews of a series' last frame are shown.
    """

    def __init__(
        self, beamline: Beamline, client: Client, settled: Callable[[str, int, int], Awaitable[object]]
    ) -> None:
        self._client = client
        self._settled = settled
        self._prefixes = {d.name: names.sim(beamline.prefix, d.pv) for d in beamline.detectors}
        self._there: set[str] = set()
        self._writing: set[str] = set()
        self._showing: set[str] = set()
        self._told: set[str] = set()
        """Of which cameras Writing is Yes."""
        self._saying: dict[str, asyncio.Task[None]] = {}
        self._newest: dict[str, int] = {}
        """Counts the series that have ended."""
        self._behind: dict[str, asyncio.Task[None]] = {}
        """What is still to be put to each camera, the last of it."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._queued: dict[str, tuple[int, float]] = {}

    async def start(self) -> None:
        """Look out for the records."""
        for detector, prefix in self._prefixes.items():

            def take(reading: Reading, detector: str = detector) -> None:
                new = reading.connected and detector not in self._there
                (self._there.add if reading.connected else self._there.discard)(detector)
                if new:  # it may have been started anew, or have heard of a writer before us
                    self._then(detector, self._put(detector, WRITING, int(detector in self._told)))

            await self._client.subscribe(f"{prefix}{WRITING}", take)

    async def writing(self, detector: str, *, on: bool) -> None:
        """A capture is open, or no longer."""
        if on == (detector in self._writing):
            return
        (self._writing.add if on else self._writing.discard)(detector)
        said = self._say_writing(detector)
        if on and said is not None:
            await asyncio.wait([said])  # before the capture shows that it is open
        if not on:
            await self.queued(detector, 0, at_once=True)

    async def showing(self, detector: str, *, on: bool) -> None:
        """Previews are shown, or no longer: they are waited for though no capture is open."""
        (self._showing.add if on else self._showing.discard)(detector)
        self._say_writing(detector)

    def _say_writing(self, detector: str) -> asyncio.Task[None] | None:
        """Put Writing if it changes; the put that says so, which may still be under way."""
        on = detector in self._writing or detector in self._showing
        if on != (detector in self._told):
            (self._told.add if on else self._told.discard)(detector)
            self._saying[detector] = self._then(detector, self._put(detector, WRITING, int(on)))
        return self._saying.get(detector)

    async def queued(self, detector: str, frames: int, *, at_once: bool = False) -> None:
        """So many frames have come and cannot be read yet."""
        known, when = self._queued.get(detector, (0, 0.0))
        now = time.monotonic()
        if frames == known or (now - when < _SPACING and not at_once):
            return
        self._queued[detector] = frames, now
        await self._put(detector, QUEUED, frames)

    def stored(self, detector: str, series: int, last_frame: int) -> None:
        """Every frame of a series that will ever be stored can be read.

        The camera is told when the previews of its last frame are shown too; this returns at once. Where
        series end faster than that, only the newest is told of.
        """
        number = self._newest[detector] = self._newest.get(detector, 0) + 1

        async def tell() -> None:
            if self._newest[detector] != number:
                return
            await self._settled(detector, series, last_frame)
            await self._put(detector, STORED, series)

        if detector in self._there:
            self._then(detector, tell())

    def _then(self, detector: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something when what came before it for the same camera is done."""
        before = self._behind.get(detector)

        async def wait_and_do() -> None:
            if before is not None:
                await asyncio.wait([before])
            await work

        task = self._behind[detector] = asyncio.create_task(wait_and_do())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _put(self, detector: str, record: str, value: int) -> None:
        if detector not in self._there:
            return
        try:
            await self._client.put(f"{self._prefixes[detector]}{record}", value)
        except CaError as error:
            _log.warning("%s was not told of %s: %s", detector, record, error)
