"""The detector's end of its stream: one PUSH socket, bound once, that never makes anybody wait for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import zmq

BYTE_BUDGET = 256 * 1024 * 1024
"""Bytes of frames that may queue in the socket before it counts as full."""
_SLICE = 0.02
"""Seconds between two looks at whether the wait is still wanted."""


class OutletError(OSError):
    """The stream's address cannot be bound."""


def queue_length(frame_bytes: int) -> int:
    """High-water mark in messages, from the byte budget and the size of a frame."""
    return max(8, BYTE_BUDGET // max(1, frame_bytes))


class Outlet:
    """A bound PUSH socket.

    Args:
        endpoint: Where to bind.
        messages: High-water mark; a connection's own buffers come on top.

    Raises:
        OutletError: The address is taken or is none of this machine.
    """

    def __init__(self, endpoint: str, *, messages: int) -> None:
        self.endpoint = endpoint
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.PUSH)
        self._socket.linger = 0
        self._socket.sndhwm = messages
        self._socket.tcp_keepalive = 1
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise OutletError(
                f"{endpoint}: cannot be bound ({error.strerror}); end the program that has the port, "
                "or change detectors.stream.endpoint in the beamline file"
            ) from None

    def send(self, parts: Sequence[Any], *, patience: float, wanted: Callable[[], bool]) -> bool:
        """Hand a message to the socket.

        Args:
            parts: The message.
            patience: Seconds to wait while the socket is full; 0 drops at once, inf waits as long as wanted.
            wanted: Whether waiting still makes sense; asked while the socket is full.

        Returns:
            Whether the socket took it.
        """
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return patience > 0 and self._wait_and_send(parts, patience, wanted)
        return True

    def _wait_and_send(self, parts: Sequence[Any], patience: float, wanted: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0 and wanted():
            if self._socket.poll(int(1000 * min(left, _SLICE)) + 1, zmq.POLLOUT):
                with suppress(zmq.Again):
                    self._socket.send_multipart(parts, zmq.NOBLOCK, copy=False)
                    return True
        return False

    def close(self) -> None:
        """Close at once; what is still queued is lost."""
        self._context.destroy(linger=0)
