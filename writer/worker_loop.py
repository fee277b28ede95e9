"""The worker's one thread: sockets, signals and the clock around a ``Session``."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
import signal
import socket
import time
from dataclasses import replace
from types import FrameType
from typing import Any, Final

import zmq

from layouts.beamline import Detector
from writer import control
from writer.lines import is_broken, lines
from writer.opening import Opening
from writer.preview.outlet import Outlet
from writer.receiver import Receiver, high_water_mark
from writer.requests import Enable, Flush, Preview, Singles, WriteFrame
from writer.session import Session
from writer.stripes.storers import Storers
from writer.stripes.stripes import BUDGET

_log = logging.getLogger(__name__)

_TURN: Final = 10_000_000
"""Nanoseconds for which messages are taken before the other sockets are looked at."""
_FLUSH_TURN: Final = 300_000_000
"""Nanoseconds for which messages are taken before a flush that was asked for."""
_POLL_OPEN: Final = 20
"""Milliseconds between two looks at the clock while a capture is open."""
_HELD_UP: Final = 0.5
"""Seconds that a turn takes only where the process was stopped or the disk did not answer."""
_POLL_IDLE: Final = 100
_THREADS: Final = 4
"""Of ZeroMQ, at most."""
_LAST_WORDS: Final = 300
"""Milliseconds that the last control messages get to leave."""


class WorkerLoop:
    """A worker's sockets and their loop.

    Args:
        detector: From the beamline file.
        control_endpoint: Where the coordinator's ROUTER is.
        stream_endpoint: Where the detector's PUSH is.
        queue: Frames that may wait to be written; what 1 GiB holds unless given.
        budget: Bytes that may be on their way to storers, where there are several workers.
        level: Of the storers' log.

    Raises:
        OSError: An endpoint cannot be used.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        control_endpoint: str,
        stream_endpoint: str,
        queue: int | None = None,
        budget: int = BUDGET,
        level: str = "INFO",
    ) -> None:
        self.endpoint: Final = stream_endpoint
        # One thread of ZeroMQ receives as fast as one process can write; a fan sends everything on as well.
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context(min(detector.workers, _THREADS))
        self._storers: Storers | None = None
        if detector.workers > 1:
            self._storers = Storers(self._context, detector.workers, detector.storers, level)
            self._storers.breathe = self._breathe
        self._session = Session(detector.name, opening=Opening(self._storers, budget))
        slow, fast = detector.spec.shape
        per_pixel = 4 if detector.stream.compression == "none" else 0.5
        try:
            self._queue = high_water_mark(int(slow * fast * per_pixel)) if queue is None else queue
            self._receiver = Receiver(self._context, stream_endpoint, queue=self._queue)
            self._control = self._context.socket(zmq.DEALER)
            self._control.set(zmq.LINGER, _LAST_WORDS)
            self._control.set(zmq.RECONNECT_IVL, 50)
            self._control.connect(control_endpoint)
            self._outlet = Outlet(self._context, detector.name)
        except zmq.ZMQError as error:
            raise OSError(
                error.errno, f"{stream_endpoint} or {control_endpoint} cannot be connected: {error.strerror}"
            ) from None
        self._poller = zmq.Poller()
        self._poller.register(self._receiver.socket, zmq.POLLIN)
        self._poller.register(self._receiver.monitor, zmq.POLLIN)
        self._poller.register(self._control, zmq.POLLIN)
        if self._storers is not None:
            self._poller.register(self._storers.socket, zmq.POLLIN)
        self._lines = lines()
        for line in self._lines:
            self._poller.register(line, zmq.POLLIN | zmq.POLLERR)
        self._why_end = ""
        self._last_status: control.Status | None = None
        self._status_at = 0.0
        self._looked_at = time.monotonic()
        self._wake, self._sleeper = socket.socketpair()
        for end in (self._wake, self._sleeper):
            end.setblocking(False)
        self._poller.register(self._wake, zmq.POLLIN)
        signal.set_wakeup_fd(self._sleeper.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def run(self) -> None:
        """Work until told to end; files are closed when it returns."""
        self._say_hello()
        try:
            while not self._why_end:
                self._turn()
        finally:
            self._session.close(self._why_end or "the worker failed")
            self._tell()
            if self._storers is not None:
                self._storers.close()
            self._receiver.close()
            self._control.close()
            self._outlet.close()
            self._context.term()
            signal.set_wakeup_fd(-1)
            self._wake.close()
            self._sleeper.close()

    def _turn(self) -> None:
        session = self._session
        wait = _POLL_OPEN if session.is_open else _POLL_IDLE
        ready = dict(self._poller.poll(wait))
        self._look_at_clock()  # before a command is taken, which may ask whether anything has ended
        if self._control in ready:
            self._take_commands()
        if self._receiver.socket in ready:
            session.take(self._receiver.receive, time.monotonic_ns() + _TURN)
        if self._receiver.monitor in ready:
            self._receiver.watch()
        for line in self._lines:
            if line in ready and is_broken(line):
                self._why_end = "whoever started the worker is gone"
        now = self._look_at_clock()
        if self._storers is not None:
            self._storers.tick(now)
        session.tick(now)
        self._tell()
        self._preview(ready, now)
        self._report(now)

    def _breathe(self) -> bool:
        """While storers are waited for: the coordinator hears of it, and the fan of its own end."""
        for line in self._lines:
            if is_broken(line):
                self._why_end = "whoever started the worker is gone"
        self._report(time.monotonic())
        return bool(self._why_end)

    def _look_at_clock(self) -> float:
        """The time; if it has leapt, the process or its disk stood still, wherever that was."""
        now = time.monotonic()
        if now - self._looked_at > _HELD_UP:
            self._session.held_up(now - self._looked_at)
        self._looked_at = now
        return now

    def _preview(self, ready: dict[Any, int], now: float) -> None:
        if self._outlet.socket in ready:
            self._outlet.hear()
        if self._outlet.asked:
            self._outlet.offer(lambda: self._session.latest, now)

    def _take_commands(self) -> None:
        while True:
            try:
                *_, data = self._control.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            try:
                message = control.decode(data)
            except control.ControlError as error:
                _log.error("%s", error)
                continue
            match message:
                case control.Identify():
                    self._say_hello()
                case control.Shutdown():
                    self._why_end = "the coordinator said so"
                case Preview():
                    self._outlet.connect(message.endpoint, self._poller)
                case Flush():
                    # What has come so far may still wait at the socket.
                    self._session.take(self._receiver.receive, time.monotonic_ns() + _FLUSH_TURN)
                    self._session.command(message)
                    self._tell()
                case (
                    control.Capture()
                    | control.AttributeValues()
                    | control.Expect()
                    | control.Aborted()
                    | control.Stop()
                    | Enable()
                    | Singles()
                    | WriteFrame()
                ):
                    self._session.command(message)
                    self._tell()
                case _:
                    _log.error("the coordinator sent %s, which only workers send", message.type)

    def _tell(self) -> None:
        events = self._session.events
        while events:
            event = events.popleft()
            if isinstance(event, control.SeriesEnded | control.SeriesPassed):
                self._outlet.hurry()
            self._send(event)

    def _report(self, now: float) -> None:
        """Say how things stand: at once if the state has changed, else at most every 0.1 s."""
        age = now - self._status_at
        last = self._last_status
        if age < control.STATUS_INTERVAL and last is not None and not self._has_turned(last):
            return
        status = self._session.status(connected=self._receiver.connected, queue=self._queue)
        if last is not None and age < control.HEARTBEAT and _same(status, last):
            return
        self._last_status, self._status_at = status, now
        self._send(status)

    def _has_turned(self, last: control.Status) -> bool:
        return self._session.state is not last.state

    def _say_hello(self) -> None:
        self._send(
            self._session.hello(
                version=_version(), endpoint=self.endpoint, pid=os.getpid(), host=socket.gethostname()
            )
        )

    def _send(self, event: control.Event) -> None:
        with contextlib.suppress(zmq.Again):  # the coordinator has been away for a thousand messages
            self._control.send(control.encode(event), zmq.NOBLOCK)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._why_end = f"{signal.Signals(number).name} came"


def _same(status: control.Status, last: control.Status) -> bool:
    """Whether nothing but the processor's time has changed."""
    return status == replace(last, cpu=status.cpu, execution=status.execution)


def _version() -> str:
    try:
        return importlib.metadata.version("softbeam")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
