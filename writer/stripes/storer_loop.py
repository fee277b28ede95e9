"""A storer's one thread: its socket, signals and the clock around ``Storing``."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
import signal
import socket
import time
from types import FrameType
from typing import Final

import zmq

from writer import control
from writer.lines import is_broken, lines
from writer.stripes import messages
from writer.stripes.storing import Storing

_log = logging.getLogger(__name__)

_TURN: Final = 64
"""Messages taken before signals and the lifeline are looked at."""
_POLL: Final = 100
_NOBLOCK: Final = int(zmq.NOBLOCK)


class StorerLoop:
    """A storer's socket and its loop.

    Args:
        fan: Endpoint of the fan.
        rank: Which of the detector's storers it is.

    Raises:
        OSError: The endpoint cannot be used.
    """

    def __init__(self, fan: str, rank: int) -> None:
        self._rank = rank
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.set(zmq.LINGER, 300)
        self._socket.set(zmq.RCVHWM, 0)  # the fan counts the bytes that wait
        self._socket.set(zmq.SNDHWM, 0)
        self._socket.set(zmq.RECONNECT_IVL, 50)
        self._socket.set(zmq.TCP_KEEPALIVE, 1)
        try:
            self._socket.connect(fan)
        except zmq.ZMQError as error:
            raise OSError(error.errno, f"{fan} cannot be connected: {error.strerror}") from None
        self._storing = Storing(rank, self._send)
        self._lines = lines()
        self._wake, self._sleeper = socket.socketpair()
        for end in (self._wake, self._sleeper):
            end.setblocking(False)
        self._poller = zmq.Poller()
        for each in (self._socket, self._wake):
            self._poller.register(each, zmq.POLLIN)
        for line in self._lines:
            self._poller.register(line, zmq.POLLIN | zmq.POLLERR)
        self._said_at = 0.0
        self._why_end = ""
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
            _log.debug("ending: %s", self._why_end)
            self._storing.close()
            self._socket.close()
            self._context.term()
            signal.set_wakeup_fd(-1)
            self._wake.close()
            self._sleeper.close()

    def _turn(self) -> None:
        ready = dict(self._poller.poll(_POLL))
        if self._socket in ready:
            self._take()
        for line in self._lines:
            if line in ready and is_broken(line):
                self._why_end = "whoever started the storer is gone"
        self._storing.tick()
        if time.monotonic() - self._said_at >= control.HEARTBEAT / 2:
            self._send(self._storing.progress)

    def _take(self) -> None:
        recv, storing = self._socket.recv, self._storing
        for _ in range(_TURN):
            try:
                head = recv(_NOBLOCK)
            except zmq.Again:
                break
            if self._socket.get(zmq.RCVMORE):
                frame = recv(copy=False)
                row, offset, length = messages.FRAME.unpack(head)
                storing.frame(row, frame.buffer[offset : offset + length])
            else:
                self._order(head)
            if self._why_end:
                return
        storing.tell()

    def _order(self, data: bytes) -> None:
        try:
            order = messages.order(data)
        except control.ControlError as error:
            _log.error("%s", error)
            return
        match order:
            case messages.Identify():
                self._storing.close()
                self._say_hello()
            case messages.Shutdown():
                self._why_end = "the fan said so"
            case _:
                self._storing.order(order)

    def _say_hello(self) -> None:
        try:
            version = importlib.metadata.version("softbeam")
        except importlib.metadata.PackageNotFoundError:
            version = "unknown"
        host = socket.gethostname()
        self._send(messages.Hello(rank=self._rank, pid=os.getpid(), host=host, version=version))

    def _send(self, word: messages.Word) -> None:
        self._said_at = time.monotonic()
        with contextlib.suppress(zmq.Again):  # no fan is there
            self._socket.send(messages.encode(word), zmq.NOBLOCK)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._why_end = f"{signal.Signals(number).name} came"
