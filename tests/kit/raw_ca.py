"""A Channel Access client that sends any put it is told to, however wrong, and shows the answer as it came.

Real clients check a value before they send it; what a server does with the unusable is seen only from below.
Blocking sockets, one circuit, no search: the server's address is given.
"""

import itertools
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from ioc import wire
from ioc.wire import Command, Message

NORMAL = 1


@dataclass(frozen=True)
class Created:
    """A channel as the server has described it."""

    sid: int
    native: int
    count: int
    access: int


@dataclass(frozen=True)
class Answer:
    """What a put was answered with.

    Attributes:
        status: The ECA code as it stands on the wire; 1 is normal.
        text: What the server says beside it, where it says anything.
    """

    status: int
    text: str = ""


class RawClient:
    """One connection to one server."""

    def __init__(self, port: int, *, host: str = "127.0.0.1", timeout: float = 5.0) -> None:
        self.port = port
        self._socket = socket.create_connection((host, port), timeout)
        self._buffer = bytearray()
        self._ids = iter(range(1, 1 << 30))
        self.send(
            Message(Command.VERSION, count=wire.VERSION),
            Message(Command.HOST_NAME, payload=wire.text_payload("raw")),
            Message(Command.CLIENT_NAME, payload=wire.text_payload("tester")),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *messages: Message) -> None:
        self._socket.sendall(b"".join(message.encode() for message in messages))

    def messages(self) -> Iterator[Message]:
        """What comes, as it comes; ends where the server closes the connection."""
        while True:
            yield from wire.split(self._buffer)
            try:
                data = self._socket.recv(1 << 20)
            except ConnectionError:
                return
            if not data:
                return
            self._buffer += data

    def create(self, name: str) -> Created | None:
        """Ask for a channel; None if the server has none of that name."""
        cid = next(self._ids)
        self.send(Message(Command.CREATE_CHAN, p1=cid, p2=wire.VERSION, payload=wire.text_payload(name)))
        access = 0
        for message in self.messages():
            if message.command == Command.ACCESS_RIGHTS and message.p1 == cid:
                access = message.p2
            elif message.command == Command.CREATE_CHAN and message.p1 == cid:
                return Created(message.p2, message.data_type, message.count, access)
            elif message.command == Command.CREATE_CH_FAIL and message.p1 == cid:
                return None
        raise AssertionError(f"the server has closed the connection when asked for {name}")

    def send_put(self, channel: Created, data_type: int, count: int, payload: bytes) -> int:
        """Put with completion, without waiting for it; gives the number of the request."""
        ioid = next(self._ids)
        self.send(Message(Command.WRITE_NOTIFY, data_type, count, channel.sid, ioid, payload))
        return ioid

    def put(self, channel: Created, data_type: int, count: int, payload: bytes) -> Answer:
        """Put with completion, and wait for it."""
        ioid = self.send_put(channel, data_type, count, payload)
        for message in self.messages():
            if message.command == Command.WRITE_NOTIFY and message.p2 == ioid:
                return Answer(message.p1)
            if message.command == Command.ERROR:
                request, text = wire.error_text(message)
                if request is not None and request.p2 == ioid:
                    return Answer(message.p2, text)
        raise AssertionError("the server has closed the connection after a put")

    def put_many(self, channel: Created, puts: Sequence[tuple[int, int, bytes]]) -> list[Answer]:
        """Put with completion, all in one packet; the answers as they come."""
        ioids = [next(self._ids) for _ in puts]
        self.send(
            *(
                Message(Command.WRITE_NOTIFY, data_type, count, channel.sid, ioid, payload)
                for ioid, (data_type, count, payload) in zip(ioids, puts, strict=True)
            )
        )
        answers = []
        for message in self.messages():
            if message.command == Command.WRITE_NOTIFY:
                assert message.p2 == ioids[len(answers)]
                answers.append(Answer(message.p1))
                if len(answers) == len(puts):
                    break
        return answers

    def put_and_forget(self, channel: Created, data_type: int, count: int, payload: bytes) -> Answer:
        """Put without completion; normal unless the server objects before it answers an echo."""
        ioid = next(self._ids)
        self.send(Message(Command.WRITE, data_type, count, channel.sid, ioid, payload), Message(Command.ECHO))
        answer = Answer(NORMAL)
        for message in self.messages():
            if message.command == Command.ECHO:
                return answer
            if message.command == Command.ERROR:
                request, text = wire.error_text(message)
                if request is not None and request.p2 == ioid:
                    answer = Answer(message.p2, text)
        raise AssertionError("the server has closed the connection after a put")

    def subscribe(self, channel: Created, mask: int = 5, *, data_type: int | None = None) -> int:
        """Ask for monitors; gives the number of the subscription."""
        subscription = next(self._ids)
        payload = struct.pack(">fffHH", 0.0, 0.0, 0.0, mask, 0)
        native = channel.native if data_type is None else data_type
        self.send(Message(Command.EVENT_ADD, native, 0, channel.sid, subscription, payload))
        return subscription

    def until_echo(self) -> list[Message]:
        """Everything that comes before the answer to an echo."""
        self.send(Message(Command.ECHO))
        return list(itertools.takewhile(lambda m: m.command != Command.ECHO, self.messages()))

    def get(self, channel: Created, data_type: int, count: int = 0) -> Message:
        """A value as it comes, or the refusal."""
        ioid = next(self._ids)
        self.send(Message(Command.READ_NOTIFY, data_type, count, channel.sid, ioid))
        for message in self.messages():
            if message.command == Command.READ_NOTIFY and message.p2 == ioid:
                return message
            if message.command == Command.ERROR:
                request, _ = wire.error_text(message)
                if request is not None and request.p2 == ioid:
                    return message
        raise AssertionError("the server has closed the connection after a get")

    def state(self, channel: Created) -> tuple[bytes, int, int]:
        """Value bytes in the channel's own type, alarm severity and alarm status."""
        reply = self.get(channel, channel.native + 7)
        status, severity = struct.unpack_from(">hh", reply.payload)
        pad = {wire.Dbr.CHAR: 1, wire.Dbr.DOUBLE: 4}.get(wire.Dbr(channel.native), 0)
        size = {0: 40, 1: 2, 2: 4, 3: 2, 4: 1, 5: 4, 6: 8}[channel.native]
        return reply.payload[4 + pad : 4 + pad + reply.count * size], severity, status
