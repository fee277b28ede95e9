"""A client's connection to one Channel Access server, and the channels it holds there.

The protocol's state only: who looks for servers and what a program asks is in ioc/client.py.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ioc import wire
from ioc.values import ENCODING
from ioc.wire import Command, Dbr, Message

_log = logging.getLogger(__name__)

PvValue = float | int | str | list[float] | list[str]


class CaError(Exception):
    """A read or a write that did not come about; says which PV and why."""


class NotConnectedError(CaError):
    """Nobody serves the PV, or its server has gone."""


class NoAnswerError(CaError):
    """The server has not answered in time."""


class PutFailedError(CaError):
    """The server has refused the value; the message is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of a PV.

    Attributes:
        name: The PV.
        value: Menus are their string, CHAR arrays are text; the last known one where not connected, and None
            before there was any.
        timestamp: Unix time that the server gave the value.
        severity: Alarm severity, 0 to 3.
        connected: Whether its server is there.
        native: Type of the channel.
        number: Of a menu, which state it is.
    """

    name: str
    value: PvValue | None
    timestamp: float = 0.0
    severity: int = 0
    connected: bool = True
    native: Dbr | None = None
    number: int | None = None


Callback = Callable[[Reading], None]


class Owner(Protocol):
    """What a circuit needs of its client."""

    host: str
    user: str

    def next_id(self) -> int:
        """A number not used before."""
        ...

    def search_again(self) -> None:
        """Look for the channels that have no server."""
        ...

    def circuit_lost(self, circuit: Circuit) -> None:
        """A server has gone."""
        ...


class Channel:
    """One PV: where it is, what it is, and who wants to know."""

    def __init__(self, name: str, cid: int) -> None:
        self.name = name
        self.cid = cid
        self.sid = 0
        self.native = Dbr.DOUBLE
        self.array = False
        self.writable = True
        self.states: tuple[str, ...] = ()
        self.circuit: Circuit | None = None
        self.connected = asyncio.Event()
        self.callbacks: list[Callback] = []
        self.last: Reading | None = None
        self.subscribed = False

    def reading(self, message: Message) -> Reading:
        """The channel's value from a reply or a monitor."""
        timed = wire.decode_timed(message, array=self.array)
        value, number = timed.value, None
        if isinstance(value, bytes):
            value = value.decode(ENCODING, "replace")
        elif self.native is Dbr.ENUM and isinstance(value, int):
            number = value
            value = self.states[value] if value < len(self.states) else value
        self.last = Reading(
            name=self.name,
            value=value,
            timestamp=timed.timestamp,
            severity=timed.severity,
            connected=True,
            native=self.native,
            number=number,
        )
        return self.last

    def payload(self, value: object) -> tuple[int, bytes]:
        """Element count and bytes of a put.

        Raises:
            ValueError: The value does not go into the channel.
        """
        if self.native is Dbr.ENUM and isinstance(value, str):
            if value not in self.states:
                raise PutFailedError(f"{self.name}: {value!r} is not on its menu {list(self.states)}")
            value = self.states.index(value)
        if isinstance(value, str) and self.native not in (Dbr.STRING, Dbr.CHAR):
            value = float(value)
        return wire.encode_value(self.native, value)

    def tell(self, reading: Reading) -> None:
        """Hand a reading to every subscriber."""
        for callback in list(self.callbacks):
            try:
                callback(reading)
            except Exception:
                _log.exception("a subscriber of %s failed", self.name)

    def lost(self) -> None:
        """The server has gone."""
        was_connected = self.connected.is_set()
        self.circuit = None
        self.subscribed = False
        self.connected.clear()
        if was_connected:
            last = self.last
            self.tell(
                Reading(
                    name=self.name,
                    value=last.value if last else None,
                    timestamp=last.timestamp if last else 0.0,
                    severity=last.severity if last else 3,
                    connected=False,
                )
            )


class Circuit(asyncio.Protocol):
    """The TCP connection to one server."""

    def __init__(self, owner: Owner, address: tuple[str, int]) -> None:
        self._owner = owner
        self.address = address
        self.channels: dict[int, Channel] = {}
        self.waiting: dict[int, asyncio.Future[Message]] = {}
        self.heard = time.monotonic()
        self.asked = 0.0
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._unsent = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say who we are, then what has been waiting."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101
        self._transport = transport
        hello = (
            Message(Command.VERSION, count=wire.VERSION),
            Message(Command.HOST_NAME, payload=wire.text_payload(self._owner.host)),
            Message(Command.CLIENT_NAME, payload=wire.text_payload(self._owner.user)),
        )
        transport.write(b"".join(message.encode() for message in hello) + self._unsent)
        self._unsent.clear()

    def data_received(self, data: bytes) -> None:
        """Take whole messages off what has come."""
        self.heard = time.monotonic()
        self.asked = 0.0
        self._buffer += data
        for message in wire.split(self._buffer):
            try:
                self._handle(message)
            except (ValueError, KeyError) as error:
                _log.warning("%s:%d sent what was not understood: %s", *self.address, error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits and give the channels back."""
        self._transport = None
        self._owner.circuit_lost(self)
        for future in self.waiting.values():
            if not future.done():
                host, port = self.address
                why = f" ({exc})" if exc else ""
                future.set_exception(NotConnectedError(f"the server at {host}:{port} has gone{why}"))
        self.waiting.clear()

    def send(self, message: Message) -> None:
        """Send now, or as soon as connected."""
        if self._transport is None:
            self._unsent += message.encode()
        else:
            self._transport.write(message.encode())

    def close(self) -> None:
        """Break the connection."""
        if self._transport is not None:
            self._transport.abort()

    def create(self, channel: Channel) -> None:
        """Ask the server for a channel."""
        channel.circuit = self
        self.channels[channel.cid] = channel
        self.send(
            Message(
                Command.CREATE_CHAN, p1=channel.cid, p2=wire.VERSION, payload=wire.text_payload(channel.name)
            )
        )

    def subscribe(self, channel: Channel) -> None:
        """Ask for monitors, once."""
        if not channel.subscribed:
            channel.subscribed = True
            self.send(wire.event_add(channel.sid, channel.cid, channel.native))

    def _handle(self, message: Message) -> None:
        match message.command:
            case Command.EVENT_ADD:
                self._monitor(message)
            case Command.READ_NOTIFY | Command.WRITE_NOTIFY:
                future = self.waiting.pop(message.p2, None)
                if future is not None and not future.done():
                    future.set_result(message)
            case Command.CREATE_CHAN:
                self._created(message)
            case Command.ACCESS_RIGHTS:
                if message.p1 in self.channels:
                    self.channels[message.p1].writable = bool(message.p2 & 2)
            case Command.CREATE_CH_FAIL | Command.SERVER_DISCONN:
                channel = self.channels.pop(message.p1, None)
                if channel is not None:
                    channel.lost()
                    self._owner.search_again()
            case Command.ERROR:
                self._refused(message)
            case _:
                pass

    def _monitor(self, message: Message) -> None:
        channel = self.channels.get(message.p2)
        # A last, empty message acknowledges that a subscription has ended.
        if channel is not None and message.payload:
            channel.tell(channel.reading(message))

    def _created(self, message: Message) -> None:
        channel = self.channels[message.p1]
        channel.sid = message.p2
        channel.native = Dbr(message.data_type)
        channel.array = message.count > 1
        if channel.native is not Dbr.ENUM:
            self._ready(channel)
            return
        ioid = self._owner.next_id()
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.waiting[ioid] = future

        def known(done: asyncio.Future[Message]) -> None:
            if not done.cancelled() and done.exception() is None and channel.circuit is self:
                channel.states = wire.decode_states(done.result())
                self._ready(channel)

        future.add_done_callback(known)
        self.send(Message(Command.READ_NOTIFY, wire.GR_ENUM, 1, channel.sid, ioid))

    def _ready(self, channel: Channel) -> None:
        channel.connected.set()
        if channel.callbacks:
            self.subscribe(channel)

    def _refused(self, message: Message) -> None:
        request, text = wire.error_text(message)
        if request is None:
            return
        future = self.waiting.pop(request.p2, None)
        if future is not None and not future.done():
            future.set_exception(PutFailedError(text))
        else:
            _log.warning("%s:%d refused a request: %s", *self.address, text)
