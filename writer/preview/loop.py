"""The preview process's one thread: sockets and the clock around the pipelines.

It asks each worker for its next frame only when it has nothing left to compute, so a slow preview makes for
fewer frames, and a stopped one for none; a worker never waits for it, and nothing queues up.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Final

import zmq

from layouts.stream import codecs
from layouts.stream.errors import StreamError
from writer.lines import is_broken, lines
from writer.preview import frames, messages
from writer.preview.pipeline import Frame, Pipeline
from writer.preview.pixels import marked

_log = logging.getLogger(__name__)

_SEND_WITHIN: Final = 1000
"""Milliseconds that the coordinator has to take a result; then it is left out."""


@dataclass(slots=True)
class _Source:
    """A detector's worker, and what is made of its frames.

    Attributes:
        identity: Of the worker's connection; empty before it is there.
        asked: Whether it owes a frame.
        last: Series and number of the frame it gave last.
        skipped: Frames that were passed over before that one and not told of.
    """

    pipeline: Pipeline = field(default_factory=Pipeline)
    identity: bytes = b""
    asked: bool = False
    last: tuple[int, int] | None = None
    skipped: int = 0


class PreviewLoop:
    """The sockets and their loop.

    Args:
        coordinator: Endpoint of the coordinator's socket for previews.
        host: Address at which workers can reach this process.

    Raises:
        OSError: An endpoint cannot be used.
    """

    def __init__(self, coordinator: str, host: str) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        try:
            self._control = self._context.socket(zmq.DEALER)
            self._control.set(zmq.LINGER, 0)
            self._control.set(zmq.SNDTIMEO, _SEND_WITHIN)
            self._control.connect(coordinator)
            self._frames = self._context.socket(zmq.ROUTER)
            self._frames.set(zmq.LINGER, 0)
            self._frames.bind(f"tcp://{host}:*")
        except zmq.ZMQError as error:
            raise OSError(error.errno, f"{coordinator} or tcp://{host}:*: {error.strerror}") from None
        self.endpoint: Final = self._frames.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
        self._sources: dict[str, _Source] = {}
        self._poller = zmq.Poller()
        for readable in (self._control, self._frames):
            self._poller.register(readable, zmq.POLLIN)
        self._lines = lines()
        for line in self._lines:
            self._poller.register(line, zmq.POLLIN | zmq.POLLERR)
        self._said = 0.0
        self._ended = False

    def run(self) -> None:
        """Work until whoever started this is gone."""
        self._say([messages.encode(messages.Ready(endpoint=self.endpoint))])
        codecs.backend()  # loads and tests the routines before the first frame needs them
        try:
            while not self._ended:
                self._turn()
        finally:
            self._control.close(0)
            self._frames.close(0)
            self._context.term()

    def _turn(self) -> None:
        ready = dict(self._poller.poll(self._patience()))
        if any(line in ready and is_broken(line) for line in self._lines):
            self._ended = True
            return
        if self._control in ready:
            self._take_settings()
        if self._frames in ready:
            self._take_frames()
        now = time.monotonic()
        for detector, source in self._sources.items():
            for result in source.pipeline.work(now):
                self._say(messages.of_result(detector, result, source.skipped))
            self._ask(source)
        if now - self._said > messages.HEARTBEAT:
            self._say([messages.encode(messages.Alive())])

    def _patience(self) -> int:
        """Milliseconds until there is something to do without a message."""
        now = time.monotonic()
        times = [due for source in self._sources.values() if (due := source.pipeline.due()) is not None]
        until = min([self._said + messages.HEARTBEAT, *times])
        return max(0, int((until - now) * 1000) + 1)

    def _ask(self, source: _Source) -> None:
        if source.identity and not source.asked and source.pipeline.wanted:
            self._frames.send_multipart([source.identity, frames.NEXT])
            source.asked = True

    def _take_settings(self) -> None:
        while True:
            try:
                message = messages.decode(self._control.recv(zmq.NOBLOCK))
            except zmq.Again:
                return
            except messages.PreviewError as error:
                _log.error("%s", error)
                continue
            if isinstance(message, messages.Ask):
                self._source(message.detector).pipeline.set(message.settings)

    def _take_frames(self) -> None:
        while True:
            try:
                parts = self._frames.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            identity, word, *rest = (part.buffer for part in parts)
            if word == frames.HERE and rest:
                self._worker(bytes(identity), str(rest[0], "utf-8"))
            elif word == frames.FRAME:
                self._frame(bytes(identity), rest)

    def _worker(self, identity: bytes, detector: str) -> None:
        source = self._source(detector)
        source.identity, source.asked = identity, False
        _log.info("the worker of %s is there", detector)

    def _frame(self, identity: bytes, parts: list[memoryview]) -> None:
        detector, source = next(
            (item for item in self._sources.items() if item[1].identity == identity), ("", None)
        )
        if source is None:
            return
        source.asked = False
        try:
            head, payload = frames.frame_of(parts)
        except frames.FrameError as error:
            _log.error("%s: %s", detector, error)
            return
        source.skipped += skipped(source.last, (head.series, head.number))
        source.last = head.series, head.number
        try:
            data = codecs.decompress(payload)
        except StreamError as error:
            _log.warning("%s, series %d, frame %d: %s", detector, head.series, head.number, error)
            damaged = messages.Damaged(
                detector=detector, series=head.series, number=head.number, why=str(error)
            )
            self._say([messages.encode(damaged)])
            return
        source.pipeline.take(Frame(head.series, head.number, head.arrival, marked(data)))

    def _source(self, detector: str) -> _Source:
        return self._sources.setdefault(detector, _Source())

    def _say(self, parts: list[bytes | memoryview]) -> None:
        try:
            self._control.send_multipart(parts)
        except zmq.Again:
            _log.warning("the coordinator does not take results; one was left out")
        self._said = time.monotonic()


def skipped(last: tuple[int, int] | None, this: tuple[int, int]) -> int:
    """Frames between two that were given: of the same series, or before this one in its own."""
    if last is None:
        return 0
    if last[0] != this[0]:
        return this[1]
    return max(0, this[1] - last[1] - 1)
