"""The coordinator's end of the previews: their records, their process, and the way between.

Nothing of the writer waits for it but ``settled``, and that not for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import zmq
import zmq.asyncio

from ioc import names
from ioc.server import Server
from ioc.tables.image import image
from ioc.tables.roi import roi
from ioc.tables.stats import stats
from layouts.beamline import Beamline, Detector
from writer.preview import messages
from writer.preview.image_records import ImageRecords
from writer.preview.keeper import Keeper
from writer.preview.plugin import PluginRecords
from writer.preview.roi_records import RoiRecords
from writer.preview.settings import CAMERA, IMAGE, ROI, STATS, Settings
from writer.preview.stats_records import StatsRecords

_log = logging.getLogger(__name__)

SETTLED_WITHIN: Final = 0.5
"""Seconds that the previews of the last frame of a series have."""
_SILENT_AFTER: Final = 4 * messages.HEARTBEAT
_PATIENT: Final = 0.2
"""MinCallbackTime from which on a plugin is not waited for, s."""
_IDLE: Final = 1.0
_COMMAND: Final = (sys.executable, "-P", "-m", "writer.preview")


class DetectorPreviews:
    """One detector's three plugins.

    Args:
        server: Serves them.
        beamline: The description.
        detector: Whose.
        changed: Called when what is to be computed has changed.
    """

    def __init__(
        self, server: Server, beamline: Beamline, detector: Detector, changed: Callable[[str], None]
    ) -> None:
        self.name = detector.name
        self.news = asyncio.Condition()
        camera, region = names.port(self.name), names.port(self.name, ROI)
        both = {camera: CAMERA, region: ROI}

        def of(prefix: Callable[[str, str, str], str]) -> str:
            return prefix(beamline.prefix, detector.pv, beamline.preset)

        def tell() -> None:
            changed(self.name)

        self.roi = RoiRecords(server, of(names.roi), roi(region, camera), {camera: CAMERA}, tell)
        self.stats = StatsRecords(
            server, of(names.stats), stats(names.port(self.name, STATS), camera), both, tell
        )
        self.image = ImageRecords(
            server, of(names.image), image(names.port(self.name, IMAGE), camera), both, tell
        )
        self.plugins: dict[str, PluginRecords] = {ROI: self.roi, STATS: self.stats, IMAGE: self.image}

    @property
    def settings(self) -> Settings:
        """What is to be computed."""
        return Settings(
            roi=self.roi.plugin,
            stats=self.stats.plugin,
            image=self.image.plugin,
            statistics=self.stats.statistics,
            region=self.roi.region,
        )

    def shows(self, series: int, frame: int) -> bool:
        """Whether every plugin that takes frames at once shows this frame, or one after it."""
        for plugin in self.plugins.values():
            with_region = plugin.plugin.source == ROI
            taking = plugin.plugin.enabled and plugin.plugin.interval < _PATIENT
            if with_region and not (self.roi.plugin.enabled and self.roi.plugin.hands_on):
                taking = False
            if taking and not plugin.shows(series, frame):
                return False
        return True

    async def take(self, head: messages.Computed, arrays: dict[str, Any]) -> None:
        """Show what was computed."""
        await self.plugins[head.plugin].show(head, arrays)
        await self._tell()

    async def damaged(self, series: int, number: int) -> None:
        """A frame could not be computed."""
        for plugin in self.plugins.values():
            if plugin.plugin.enabled:
                await plugin.show_damaged(series, number)
        await self._tell()

    async def _tell(self) -> None:
        async with self.news:
            self.news.notify_all()


class Previews:
    """All detectors' previews.

    Args:
        server: Serves them.
        beamline: The description.
        connect: Tells a detector's worker, if it is there, where to give its frames.
        showing: Called when it may have changed whether a detector's previews are shown.
    """

    def __init__(
        self,
        server: Server,
        beamline: Beamline,
        *,
        connect: Callable[[str, str], None],
        showing: Callable[[str], None],
    ) -> None:
        self._detectors = {
            d.name: DetectorPreviews(server, beamline, d, self._ask) for d in beamline.detectors
        }
        self._connect, self._showing = connect, showing
        self._host = urlsplit(beamline.ca.control).hostname or "127.0.0.1"
        self._context = zmq.asyncio.Context()
        self._socket: zmq.asyncio.Socket | None = None
        self._keeper: Keeper | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._identity = b""
        self._endpoint = ""
        self._heard = 0.0
        self._ready = asyncio.Event()
        self._outgoing: asyncio.Queue[list[bytes]] = asyncio.Queue()

    async def start(self) -> None:
        """Start the process.

        Raises:
            OSError: No socket can be had.
        """
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.bind("tcp://127.0.0.1:*")
        self._socket = socket
        endpoint = socket.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
        command = [*_COMMAND, "--coordinator", endpoint, "--host", self._host]
        self._keeper = Keeper("the preview process", command, self._gone)
        self._keeper.start()
        for each in self._detectors.values():
            for plugin in each.plugins.values():
                await plugin.boot()
        work = (self._receive(socket), self._send(socket), self._clock())
        self._tasks = [asyncio.create_task(each) for each in work]

    async def close(self) -> None:
        """End the process."""
        if self._keeper is not None:
            await self._keeper.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close(0)
        self._context.term()

    async def wait_ready(self, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait until the process is there, and say whether it is."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), timeout)
        return self._ready.is_set()

    @property
    def pid(self) -> int:
        """Process id; 0 while there is no process."""
        return 0 if self._keeper is None else self._keeper.pid

    def settings(self, detector: str) -> Settings:
        """What is to be computed of a detector's frames."""
        return self._detectors[detector].settings

    def worker_is_there(self, detector: str) -> None:
        """A detector's worker has come: it is told where to give its frames."""
        if self._endpoint:
            self._connect(detector, self._endpoint)
        self._showing(detector)

    def is_showing(self, detector: str) -> bool:
        """Whether what comes of a detector's frames is shown."""
        return self._ready.is_set() and self._detectors[detector].settings.wanted

    async def settled(self, detector: str, series: int, frame: int) -> bool:
        """Wait until the previews of a frame are shown, or half a second has gone by.

        Args:
            detector: Whose.
            series: The detector's series number.
            frame: The last one of the series that was stored; -1 if none was.

        Returns:
            Whether they are; True too if there is nothing to wait for.
        """
        mine = self._detectors[detector]
        if frame < 0:
            return True
        if not self._ready.is_set() or time.monotonic() - self._heard > _SILENT_AFTER:
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLED_WITHIN), mine.news:
                await mine.news.wait_for(lambda: mine.shows(series, frame))
                return True
        return False

    # ------------------------------------------------------------ the process

    def _ask(self, detector: str) -> None:
        if self._ready.is_set():
            self._showing(detector)
        if self._identity:
            ask = messages.Ask(detector=detector, settings=self._detectors[detector].settings)
            self._outgoing.put_nowait([self._identity, messages.encode(ask)])

    def _gone(self) -> None:
        self._identity, self._endpoint = b"", ""
        self._ready.clear()
        for detector in self._detectors:
            self._showing(detector)

    async def _send(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            await socket.send_multipart(await self._outgoing.get())

    async def _receive(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            identity, data, *parts = await socket.recv_multipart()
            self._heard = time.monotonic()
            try:
                message = messages.decode(data)
                await self._take(identity, message, parts)
            except messages.PreviewError as error:
                _log.error("%s", error)
            except Exception:
                _log.exception("a message of the preview process could not be taken")

    async def _take(self, identity: bytes, message: messages.Message, parts: list[bytes]) -> None:
        match message:
            case messages.Ready():
                self._identity, self._endpoint = identity, message.endpoint
                self._ready.set()
                _log.info("the preview process is there: %s", message.endpoint)
                for detector in self._detectors:
                    self._ask(detector)
                    self._connect(detector, message.endpoint)
            case messages.Computed():
                await self._detectors[message.detector].take(message, messages.arrays_of(message, parts))
            case messages.Damaged():
                await self._detectors[message.detector].damaged(message.series, message.number)
            case _:
                pass

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(_IDLE)
            for each in self._detectors.values():
                for plugin in each.plugins.values():
                    await plugin.show_idle()
