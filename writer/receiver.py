"""The PULL socket on a detector's stream: parts of messages, never copied.

What may wait in memory is bounded in bytes, though ZeroMQ counts messages.
"""

from __future__ import annotations

from typing import Final

import zmq

Part = memoryview

BUDGET: Final = 1 << 30
"""Bytes that may wait in the socket."""
_LEAST: Final = 8
_NOBLOCK: Final = int(zmq.NOBLOCK)
"""As a number: the enumeration's member takes longer to be understood than a message to be received."""


def high_water_mark(frame_bytes: int, budget: int = BUDGET) -> int:
    """Messages that may wait so that they stay within a budget of bytes."""
    return max(_LEAST, budget // max(frame_bytes, 1))


class Receiver:
    """A connected PULL socket.

    Args:
        context: Of ZeroMQ.
        endpoint: Where the detector binds.
        queue: Messages that may wait. It stays as it is: libzmq can stall for ever where it is raised later.
    """

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        endpoint: str,
        *,
        queue: int,
    ) -> None:
        self.endpoint: Final = endpoint
        self.connected = False
        self.socket: Final = context.socket(zmq.PULL)
        self.socket.set(zmq.LINGER, 0)
        self.socket.set(zmq.RCVHWM, queue)
        self.socket.set(zmq.RECONNECT_IVL, 50)
        self.socket.set(zmq.TCP_KEEPALIVE, 1)
        self.monitor: Final = self.socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
        )
        self.socket.connect(endpoint)

    def receive(self) -> list[Part] | None:
        """Parts of the next message, as libzmq received them; None if none is waiting."""
        recv = self.socket.recv
        try:
            frame = recv(_NOBLOCK, copy=False)
        except zmq.Again:
            return None
        parts: list[Part] = [frame.buffer]
        # A frame knows whether more follow; asking the socket costs more than sharing a small part.
        while frame.more:
            frame = recv(copy=False)
            parts.append(frame.buffer)
        return parts

    def watch(self) -> None:
        """Take what the monitor says of the connection."""
        while self.monitor.poll(0):
            event, *_ = self.monitor.recv_multipart()
            self.connected = int.from_bytes(event[:2], "little") == zmq.EVENT_HANDSHAKE_SUCCEEDED

    def close(self) -> None:
        """Close both sockets; what waits is dropped."""
        self.socket.disable_monitor()
        self.monitor.close(0)
        self.socket.close(0)
