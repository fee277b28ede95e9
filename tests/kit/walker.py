"""A Channel Access client that watches every PV of a server at once and puts to any of them, however wrong.

One circuit, raw bytes: puts are not checked before they are sent, nothing waits for a put's completion unless
told to, and each monitor is kept in the order in which it came.
"""

from __future__ import annotations

import math
import select
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Self

from ioc import wire
from ioc.wire import Command, Dbr, Message
from tests.kit.put_cases import RawPut
from tests.kit.raw_ca import NORMAL, Answer, Created


@dataclass(frozen=True)
class Seen:
    """What a PV has shown."""

    value: object
    severity: int
    status: int


@dataclass
class Walker:
    """A client of the server on a port of this host.

    Attributes:
        port: Of the server.
        channels: By PV name.
        now: What each watched PV has shown last.
        changes: Each change of a value, in order; the first value of a PV is none.
    """

    port: int
    channels: dict[str, Created] = field(default_factory=dict[str, Created])
    now: dict[str, Seen] = field(default_factory=dict[str, Seen])
    changes: list[tuple[str, object]] = field(default_factory=list[tuple[str, object]])

    def __post_init__(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port), 20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._names: dict[int, str] = {}
        self._access: dict[int, int] = {}
        self._answers: dict[int, Answer] = {}
        self._waiting: set[int] = set()
        self._last = 0
        self._echoes = 0
        self._lacking: set[str] = set()
        self._send(
            Message(Command.VERSION, count=wire.VERSION),
            Message(Command.HOST_NAME, payload=wire.text_payload("walker")),
            Message(Command.CLIENT_NAME, payload=wire.text_payload("tester")),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def watch(self, names: Iterable[str]) -> None:
        """Connect to PVs and have a monitor on each, with its first value.

        Raises:
            AssertionError: The server lacks some, or does not tell them in time.
        """
        wanted = list(names)
        for name in wanted:
            cid = self._id()
            self._names[cid] = name
            self._send(Message(Command.CREATE_CHAN, p1=cid, p2=wire.VERSION, payload=wire.text_payload(name)))
            self.pump(0.0)
        self.until(lambda: self._lacking or all(name in self.channels for name in wanted), 30, "channels")
        assert not self._lacking, f"not served: {sorted(self._lacking)}"
        for name in wanted:
            channel, sid = self.channels[name], self._id()
            self._names[sid] = name
            self._send(wire.event_add(channel.sid, sid, Dbr(channel.native)))
            self.pump(0.0)
        self.until(lambda: all(name in self.now for name in wanted), 30, "first values")

    def put(self, name: str, raw: RawPut) -> int:
        """Put with completion, without waiting for it.

        Returns:
            What ``answer`` is asked with.
        """
        ioid = self._id()
        self._waiting.add(ioid)
        self._names[ioid] = name
        data_type, count, payload = raw
        self._send(Message(Command.WRITE_NOTIFY, data_type, count, self.channels[name].sid, ioid, payload))
        return ioid

    def answer(self, put: int, timeout: float) -> Answer | None:
        """What a put was answered with; None if it still goes on."""
        self.pump(timeout, lambda: put in self._answers)
        return self._answers.get(put)

    def unanswered(self) -> set[str]:
        """PVs whose puts still go on."""
        return {self._names[ioid] for ioid in self._waiting}

    def echo(self, timeout: float = 10.0) -> None:
        """Wait until the server has done what it was sent before."""
        wanted = self._echoes + 1
        self._send(Message(Command.ECHO))
        self.until(lambda: self._echoes >= wanted, timeout, "an echo")

    def until(self, true: Callable[[], object], timeout: float, what: str) -> None:
        """Take messages until something is true.

        Raises:
            AssertionError: It does not come true in time.
        """
        self.pump(timeout, true)
        assert true(), f"{what}: not within {timeout} s"

    def pump(self, timeout: float, true: Callable[[], object] = lambda: False) -> None:
        """Take what comes, for a time or until something is true."""
        end = time.monotonic() + timeout
        while not true():
            rest = end - time.monotonic()
            readable, _, _ = select.select([self._socket], [], [], max(rest, 0.0))
            if not readable:
                return
            data = self._socket.recv(1 << 20)
            assert data, "the server has closed the connection"
            self._buffer += data
            for message in wire.split(self._buffer):
                self._take(message)

    def _id(self) -> int:
        self._last += 1
        return self._last

    def _send(self, *messages: Message) -> None:
        self._socket.sendall(b"".join(message.encode() for message in messages))

    def _take(self, message: Message) -> None:
        match message.command:
            case Command.ACCESS_RIGHTS:
                self._access[message.p1] = message.p2
            case Command.CREATE_CHAN:
                self.channels[self._names[message.p1]] = Created(
                    message.p2, message.data_type, message.count, self._access[message.p1]
                )
            case Command.CREATE_CH_FAIL:
                self._lacking.add(self._names[message.p1])
            case Command.EVENT_ADD:
                self._show(self._names[message.p2], message)
            case Command.WRITE_NOTIFY:
                self._answered(message.p2, Answer(message.p1))
            case Command.ERROR:
                request, text = wire.error_text(message)
                if request is not None:
                    self._answered(request.p2, Answer(message.p2, text))
            case Command.ECHO:
                self._echoes += 1
            case _:
                pass

    def _answered(self, ioid: int, answer: Answer) -> None:
        assert ioid in self._waiting, f"a put of {self._names[ioid]} was answered twice: {answer}"
        self._waiting.discard(ioid)
        self._answers[ioid] = answer

    def _show(self, name: str, message: Message) -> None:
        timed = wire.decode_timed(message, array=self.channels[name].count > 1)
        before = self.now.get(name)
        self.now[name] = Seen(timed.value, timed.severity, timed.status)
        if before is not None and not alike(before.value, timed.value):
            self.changes.append((name, timed.value))


def alike(one: object, other: object) -> bool:
    """Whether two values are the same; NaN is itself."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


__all__ = ["NORMAL", "Seen", "Walker", "alike"]
