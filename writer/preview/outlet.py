"""The worker's side of the previews: the latest frame, when it is asked for and not more often than 20 Hz.

It costs the worker nothing while nobody asks, and one message of a frame that is in memory anyway when
somebody does. It never waits: who does not take a frame does not get it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Final

import zmq

from layouts.stream.errors import StreamError
from writer.latest import Latest
from writer.preview import frames

INTERVAL: Final = 0.05
"""Seconds between two frames at least, unless one is the last of its series."""


class Outlet:
    """Gives the latest frame to the preview process.

    Args:
        context: Of ZeroMQ.
        detector: Whose frames these are.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], detector: str) -> None:
        self._context, self._detector = context, detector
        self._given: tuple[int, int, int] | None = None
        self._next = 0.0
        self.asked = False
        """Whether a frame is wanted."""
        self.socket: zmq.Socket[bytes] | None = None

    def connect(self, endpoint: str, poller: zmq.Poller) -> None:
        """Give frames to the preview process at an endpoint, and to none that was told of before.

        Args:
            endpoint: Where it is.
            poller: Is to look at the socket.
        """
        if self.socket is not None:
            poller.unregister(self.socket)
            self.close()
        socket = self._context.socket(zmq.DEALER)
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.RECONNECT_IVL, 200)
        socket.connect(endpoint)
        socket.send_multipart([frames.HERE, self._detector.encode()], zmq.NOBLOCK)
        poller.register(socket, zmq.POLLIN)
        self.socket = socket

    def hear(self) -> None:
        """Take what the preview process says: that it wants a frame."""
        if self.socket is None:
            return
        with contextlib.suppress(zmq.Again):
            while True:
                self.asked |= self.socket.recv(zmq.NOBLOCK) == frames.NEXT

    def hurry(self) -> None:
        """A series has ended: its last frame may follow the one before at once."""
        self._next = 0.0

    def offer(self, latest: Callable[[], Latest | None], now: float) -> None:
        """Give the latest frame if it is wanted, new, and its time has come.

        Args:
            latest: Tells which it is; called only then.
            now: Monotonic time, s.
        """
        if not self.asked or self.socket is None or now < self._next:
            return
        try:
            frame = latest()
        except StreamError:
            return  # damaged; it has been counted
        if frame is None or self._given == (which := (frame.series, frame.frame, frame.arrival)):
            return
        try:
            self.socket.send_multipart(frames.of_latest(frame), zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return  # the connection is being made anew; the question still stands
        self._given, self.asked, self._next = which, False, now + INTERVAL

    def close(self) -> None:
        """Give no more frames."""
        if self.socket is not None:
            self.socket.close(0)
            self.socket = None
        self.asked, self._given = False, None
