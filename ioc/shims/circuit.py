"""One client's connection to the server: requests in their order, answers in the order they were made."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from typing import Any

import caproto as ca
from caproto import CaprotoNetworkError
from caproto.asyncio import server as caproto_server
from caproto.server.common import DisconnectedCircuit, LoopExit

from ioc import dbr, wire
from ioc.channels import Channel, Work
from ioc.puts import REQUEST, Client, Request
from ioc.records import AccessDeniedError, PutError
from ioc.shims import requests
from ioc.shims.outbox import Outbox
from ioc.shims.requests import Eca
from ioc.values import ENCODING
from ioc.wire import Command, Message

_log = logging.getLogger(__name__)

_OF_CHANNELS = frozenset(
    {
        *(Command.READ_NOTIFY, Command.READ, Command.WRITE_NOTIFY, Command.WRITE),
        *(Command.EVENT_ADD, Command.EVENT_CANCEL, Command.CLEAR_CHANNEL),
    }
)
_WHAT: dict[int, str] = {
    Command.WRITE: "put",
    Command.WRITE_NOTIFY: "put",
    Command.READ: "get",
    Command.READ_NOTIFY: "get",
}
_CHUNK = 1 << 16
_TURN = 50
"""Requests of one client that are answered before it is another's turn."""
_LONGEST = 256 << 20
"""Bytes of one message; a client that announces more is disconnected."""


@dataclass(frozen=True, slots=True)
class _View:
    """A channel as one client has it."""

    channel: Channel
    cid: int
    long: bool
    filtered: bool


class _Subscription:
    """A client's wish for monitors of one channel."""

    __slots__ = ("circuit", "code", "count", "id", "long", "mask", "sid", "view")

    def __init__(self, circuit: Circuit, view: _View, request: Message, mask: int) -> None:
        self.circuit, self.view, self.mask = circuit, view, mask
        self.sid, self.id = request.p1, request.p2
        self.code, self.count, self.long = request.data_type, request.count, view.long

    def tell(self, channel: Channel) -> None:
        """Send what the channel shows."""
        if not self.circuit.events_on.is_set():
            self.circuit.late[self.id] = self
            return
        try:
            count, data = channel.encoded(self.code, self.count, long=self.long)
            status = Eca.NORMAL
        except ValueError:
            count, data, status = self.count, bytes(self.count), Eca.GETFAIL
        pad = requests.padding(data)
        head = requests.header(Command.EVENT_ADD, len(data) + len(pad), self.code, count, status, self.id)
        self.circuit.outbox.update(self.id, head, data, pad)


class Circuit(caproto_server.VirtualCircuit):
    """One client's connection."""

    def __init__(self, circuit: Any, client: Any, context: Any) -> None:
        super().__init__(circuit, client, context)
        self.outbox = Outbox()
        self.subscription_queue = self.outbox
        self.late: dict[int, _Subscription] = {}
        """Subscriptions to be told when the client wants events again."""
        self._views: dict[int, _View] = {}
        self._told: dict[int, _Subscription] = {}
        self._buffer = bytearray()
        self._sending = False
        self._client: Client | None = None

    async def run(self) -> None:
        """Begin to send."""
        self.events_on.set()
        self.write_event.set()
        self._sub_task = self.tasks.create(self._send_all())

    async def recv(self) -> None:
        """Take what the client has sent.

        Raises:
            DisconnectedCircuit: It has gone, or cannot be understood.
        """
        try:
            data = await self.client.recv(_CHUNK)
        except (OSError, CaprotoNetworkError):
            data = b""
        if not data:
            await self._end()
        self._buffer += data
        self.outbox.held = True
        try:
            for number, message in enumerate(wire.split(self._buffer)):
                await self._take(message)
                if number % _TURN == _TURN - 1:
                    self._send_now()
                    await asyncio.sleep(0)
            self._send_now()
        finally:
            self.outbox.release()
        if wire.wanted(self._buffer) > _LONGEST:
            await self._end()
        await self.outbox.room.wait()

    async def send(self, *commands: Any) -> None:
        """Put caproto's answers behind what waits."""
        if self.connected:
            self.outbox.reply(*(bytes(buffer) for buffer in self.circuit.send(*commands)))

    @property
    def channel_count(self) -> int:
        """Channels that the client has."""
        return len(self.circuit.channels) + sum(not view.filtered for view in self._views.values())

    def release(self) -> None:
        """End all subscriptions of the client."""
        for subscription in self._told.values():
            _forget(subscription)
        self._told.clear()
        self.late.clear()

    def _send_now(self) -> None:
        """Send what waits without the sender's turn, unless the client is slow."""
        if not self._sending and self.client.writer.transport.get_write_buffer_size() == 0:
            data = self.outbox.take()
            if data:
                self.client.writer.write(data)

    async def _send_all(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while self.connected:
                await self.outbox.filled.wait()
                self._sending = True
                try:
                    await self.client.send(self.outbox.take())
                except (OSError, CaprotoNetworkError):
                    await self._on_disconnect()
                finally:
                    self._sending = False

    async def _end(self) -> None:
        with contextlib.suppress(OSError):
            # Closing sends what has been written.
            self.client.writer.write(self.outbox.take())
        await self._on_disconnect()
        self.circuit.disconnect()
        raise DisconnectedCircuit

    async def _on_disconnect(self) -> None:
        self.release()
        # caproto's waits for the task it cancels, which may be the one it runs in.
        sender, self._sub_task = self._sub_task, None
        await super()._on_disconnect()
        if sender is not None and sender is not asyncio.current_task():
            sender.cancel()

    async def _take(self, message: Message) -> None:
        if message.command == Command.ECHO:
            self.outbox.reply(Message(Command.ECHO).encode())
            return
        if message.command == Command.CREATE_CHAN and self._create(message):
            return
        view = self._view(message.p1) if message.command in _OF_CHANNELS else None
        if view is not None and await self._take_here(message, view):
            return
        await self._by_caproto(message)
        if message.command == Command.EVENTS_ON:
            late, self.late = self.late, {}
            for subscription in late.values():
                subscription.tell(subscription.view.channel)

    async def _take_here(self, message: Message, view: _View) -> bool:
        """Answer a request, unless caproto is to do it: that of a channel with a filter."""
        match message.command:
            case Command.WRITE_NOTIFY | Command.WRITE:
                await self._put(message, view)
            case Command.READ_NOTIFY | Command.READ if not view.filtered:
                await self._get(message, view)
            case Command.EVENT_ADD if not view.filtered:
                self._subscribe(message, view)
            case Command.EVENT_CANCEL if message.p2 in self._told:
                self._unsubscribe(message)
            case Command.CLEAR_CHANNEL:
                return self._clear(message, view)
            case _:
                return False
        return True

    async def _by_caproto(self, message: Message) -> None:
        commands, _ = self.circuit.recv(message.encode())
        for command in commands:
            REQUEST.set(Request(self.circuit.address[0]))
            try:
                answers = await self._command_queue_iteration(command)
            except (LoopExit, DisconnectedCircuit):
                await self._end()
            else:
                if answers is not None:
                    await self.send(*answers)

    def _create(self, message: Message) -> bool:
        """Create a channel, unless its name has a filter."""
        name = message.payload.split(b"\0", 1)[0].decode(ENCODING, "replace")
        if name.endswith(("}", "]")):
            return False
        cid = message.p1
        try:
            channel = self.context[name]
        except KeyError:
            self.outbox.reply(Message(Command.CREATE_CH_FAIL, p1=cid).encode())
            return True
        sid = self.circuit.new_channel_id()
        long = name.endswith("$") and channel.data_type is ca.ChannelType.STRING
        self._views[sid] = _View(channel=channel, cid=cid, long=long, filtered=False)
        native, count = channel.described(long=long)
        access = channel.access(self._who())
        self.outbox.reply(
            requests.header(Command.ACCESS_RIGHTS, 0, 0, 0, cid, access),
            requests.header(Command.CREATE_CHAN, 0, native, count, cid, sid),
        )
        return True

    def _clear(self, message: Message, view: _View) -> bool:
        """Let go of a channel; caproto does the rest for one with a filter."""
        del self._views[message.p1]
        for subscription in [s for s in self._told.values() if s.sid == message.p1]:
            del self._told[subscription.id]
            _forget(subscription)
        if not view.filtered:
            self.outbox.reply(requests.header(Command.CLEAR_CHANNEL, 0, 0, 0, message.p1, message.p2))
        return not view.filtered

    def _view(self, sid: int) -> _View | None:
        view = self._views.get(sid)
        if view is None:
            server_channel = self.circuit.channels_sid.get(sid)
            if server_channel is None:
                return None
            name = server_channel.name
            view = self._views[sid] = _View(
                channel=self.context[name], cid=server_channel.cid, long=name.endswith("$"), filtered=True
            )
        return view

    async def _get(self, message: Message, view: _View) -> None:
        code, status = message.data_type, Eca.NORMAL
        if code > dbr.LAST:
            await self._refuse(message, view, Eca.BADTYPE, f"there is no DBR type {code}")
            await self._end()
        try:
            count, data = view.channel.encoded(code, message.count, long=view.long)
        except ValueError:
            # As rsrv: a status, and zeros in place of the value.
            count, data, status = message.count, bytes(8 * message.count), Eca.GETFAIL
        pad = requests.padding(data)
        first = status if message.command == Command.READ_NOTIFY else view.cid
        head = requests.header(message.command, len(data) + len(pad), code, count, first, message.p2)
        self.outbox.reply(head, data, pad)

    async def _put(self, message: Message, view: _View) -> None:
        waits = message.command == Command.WRITE_NOTIFY
        try:
            if message.data_type in (dbr.PUT_ACKT, dbr.PUT_ACKS):
                view.channel.acknowledge(message.data_type, int.from_bytes(message.payload[:2], "big"))
                work = None
            else:
                raw = requests.put_value(message.data_type, message.count, message.payload)
                if view.long and isinstance(raw, bytes):
                    raw = raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
                work = view.channel.take(raw, self._who(), waits=waits)
        except requests.BadTypeError as error:
            await self._refuse(message, view, Eca.BADTYPE, str(error))
            await self._end()
        except (PutError, ValueError) as error:
            await self._refuse(message, view, _code(error), str(error))
        else:
            if work is not None:
                self.tasks.create(self._finish(work, message, view))
                # Its first step comes before the next request is looked at.
                await asyncio.sleep(0)
            elif waits:
                self._done(message)

    async def _finish(self, work: Work, message: Message, view: _View) -> None:
        try:
            await work
        except PutError as error:
            await self._refuse(message, view, _code(error), str(error))
        else:
            if message.command == Command.WRITE_NOTIFY:
                self._done(message)

    def _done(self, message: Message) -> None:
        self.outbox.reply(
            requests.header(Command.WRITE_NOTIFY, 0, message.data_type, message.count, Eca.NORMAL, message.p2)
        )

    async def _refuse(self, message: Message, view: _View, status: Eca, text: str) -> None:
        _log.warning("%s of %s refused: %s", _WHAT[message.command], view.channel.full_name, text)
        self.outbox.reply(requests.error(message, view.cid, status, text))

    def _subscribe(self, message: Message, view: _View) -> None:
        mask = requests.mask(message.payload)
        if not mask or message.data_type >= dbr.PUT_ACKT:
            status = Eca.BADMASK if not mask else Eca.BADTYPE
            self.outbox.reply(requests.error(message, view.cid, status, "nothing that can be subscribed to"))
            return
        subscription = self._told[message.p2] = _Subscription(self, view, message, mask)
        view.channel.listeners.append(subscription)
        subscription.tell(view.channel)

    def _unsubscribe(self, message: Message) -> None:
        subscription = self._told.pop(message.p2)
        _forget(subscription)
        self.outbox.reply(
            requests.header(
                Command.EVENT_ADD, 0, message.data_type, message.count, subscription.sid, message.p2
            )
        )

    def _who(self) -> Client:
        user, host = self.client_username or "", self.client_hostname or ""
        if self._client is None or (self._client.user, self._client.host) != (user, host):
            self._client = Client(user, host, self.circuit.address[0])
        return self._client


def _forget(subscription: _Subscription) -> None:
    with contextlib.suppress(ValueError):
        subscription.view.channel.listeners.remove(subscription)
    subscription.circuit.late.pop(subscription.id, None)
    subscription.circuit.outbox.forget(subscription.id)


def _code(error: Exception) -> Eca:
    return Eca.NOWTACCESS if isinstance(error, AccessDeniedError) else Eca.PUTFAIL
