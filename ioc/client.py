"""The Channel Access client of our own programs: the coordinator and the softbeam commands.

Asyncio, in the caller's loop, beside a server in the same process if need be. Server addresses are given, so
two servers on two ports of one host are two addresses. Channels are found by name, come back by themselves
when a server does, and nothing here waits without a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import itertools
import logging
import socket
import time
from collections.abc import Callable, Iterable, Sequence

from ioc import wire
from ioc.circuit import (
    CaError,
    Callback,
    Channel,
    Circuit,
    NoAnswerError,
    NotConnectedError,
    PutFailedError,
    PvValue,
    Reading,
)
from ioc.wire import Command, Message

__all__ = ["CaError", "Client", "NoAnswerError", "NotConnectedError", "PutFailedError", "PvValue", "Reading"]

_log = logging.getLogger(__name__)

_FIRST_SEARCH = 0.03
_LAST_SEARCH = 1.0
_QUIET = 10.0
"""Seconds without a word from a server after which it is asked for an echo."""
_SILENT = 5.0
"""Seconds it has to answer."""
_DEFAULT_PORT = 5064


class _Search(asyncio.DatagramProtocol):
    def __init__(self, client: Client) -> None:
        self._client = client

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        for message in wire.split(bytearray(data)):
            if message.command == Command.SEARCH:
                told = message.p1 not in (0xFFFFFFFF, 0)
                host = socket.inet_ntoa(message.p1.to_bytes(4, "big")) if told else addr[0]
                self._client.found(message.p2, (host, message.data_type))


class Client:
    """Reads, writes and watches PVs of the servers at the given addresses.

    Args:
        addresses: Servers as ``host:port``; the port is 5064 unless given. Broadcast addresses are good too.
    """

    def __init__(self, addresses: Iterable[str]) -> None:
        self._addresses = [_address(text) for text in addresses]
        self.host = socket.gethostname()
        self.user = _user()
        self._ids = itertools.count(1)
        self._channels: dict[str, Channel] = {}
        self._by_cid: dict[int, Channel] = {}
        self._circuits: dict[tuple[str, int], Circuit] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._udp: asyncio.DatagramTransport | None = None
        self._wanted = asyncio.Event()
        self._beginning = asyncio.Lock()
        self._closed = False

    async def connect(self, names: Sequence[str], timeout: float = 2.0) -> set[str]:  # noqa: ASYNC109
        """Look for PVs.

        Args:
            names: PVs.
            timeout: Seconds to wait for them at most; those that are missing are looked for further.

        Returns:
            Those that nobody has answered for.
        """
        channels = [await self._channel(name) for name in names]
        waits = [asyncio.ensure_future(c.connected.wait()) for c in channels if not c.connected.is_set()]
        if waits:
            _, late = await asyncio.wait(waits, timeout=timeout)
            for task in late:
                task.cancel()
        return {channel.name for channel in channels if not channel.connected.is_set()}

    async def get(self, name: str, timeout: float = 2.0) -> PvValue:  # noqa: ASYNC109
        """The value of a PV now.

        Raises:
            NotConnectedError: Nobody serves it.
            NoAnswerError: Its server does not answer in time.
        """
        value = (await self.read(name, timeout)).value
        assert value is not None  # noqa: S101 (a reply has one)
        return value

    async def read(self, name: str, timeout: float = 2.0) -> Reading:  # noqa: ASYNC109
        """The value of a PV now, with its time and alarm; raises as ``get`` does."""
        deadline = time.monotonic() + timeout
        channel, circuit = await self._connected(name, timeout)
        ioid = self.next_id()
        request = wire.read(channel.sid, ioid, channel.native)
        reply = await self._ask(name, circuit, ioid, request, deadline - time.monotonic())
        return channel.reading(reply)

    async def put(
        self,
        name: str,
        value: object,
        wait: bool = False,
        timeout: float = 5.0,  # noqa: ASYNC109
    ) -> None:
        """Give a PV a value.

        Args:
            name: The PV.
            value: A number, a text, or a list; a menu takes its string or its index.
            wait: Whether to wait until the server says that what the put began is done.
            timeout: Seconds for connection and completion together.

        Raises:
            NotConnectedError: Nobody serves it.
            NoAnswerError: It was not done in time.
            PutFailedError: The server refuses the value.
        """
        deadline = time.monotonic() + timeout
        channel, circuit = await self._connected(name, timeout)
        if not channel.writable:
            raise PutFailedError(f"{name} is read-only")
        try:
            count, payload = channel.payload(value)
        except ValueError as error:
            raise PutFailedError(f"{name}: {error}") from None
        ioid = self.next_id()
        command = Command.WRITE_NOTIFY if wait else Command.WRITE
        request = Message(command, channel.native, count, channel.sid, ioid, payload)
        if not wait:
            circuit.send(request)
            return
        reply = await self._ask(name, circuit, ioid, request, deadline - time.monotonic())
        if reply.p1 != 1:
            raise PutFailedError(f"{name}: the server says {reply.p1} to {value!r}")

    async def subscribe(self, name: str, callback: Callback) -> Callable[[], None]:
        """Watch a PV, connected or not yet.

        Args:
            name: The PV.
            callback: Called in this loop, in order, with every change, and with ``connected=False`` when the
                server goes. Must not block.

        Returns:
            What ends the subscription.
        """
        channel = await self._channel(name)
        channel.callbacks.append(callback)
        if channel.subscribed and channel.last is not None and channel.connected.is_set():
            callback(channel.last)
        elif channel.connected.is_set() and channel.circuit is not None:
            channel.circuit.subscribe(channel)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                channel.callbacks.remove(callback)

        return unsubscribe

    async def close(self) -> None:
        """Close every connection; what waits for an answer fails."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.5)
        for circuit in list(self._circuits.values()):
            circuit.close()
        if self._udp is not None:
            self._udp.close()
        # Transports tell their protocols in the loop's next step.
        await asyncio.sleep(0)

    def next_id(self) -> int:
        """A number not used before."""
        return next(self._ids) & 0xFFFFFFFF

    def found(self, cid: int, address: tuple[str, int]) -> None:
        """A server has answered for a channel."""
        channel = self._by_cid.get(cid)
        if channel is None or self._closed:
            return
        if channel.circuit is not None:
            if channel.circuit.address != address:
                _log.warning("%s is served by %s:%d too; using the first", channel.name, *address)
            return
        circuit = self._circuits.get(address)
        if circuit is None:
            circuit = self._circuits[address] = Circuit(self, address)
            self._spawn(self._open(circuit))
        circuit.create(channel)

    def search_again(self) -> None:
        """Look for the channels that have no server."""
        self._wanted.set()

    def circuit_lost(self, circuit: Circuit) -> None:
        """A server has gone: look for its channels elsewhere, or until it is back."""
        if self._circuits.get(circuit.address) is circuit:
            del self._circuits[circuit.address]
        for channel in circuit.channels.values():
            if channel.circuit is circuit:
                channel.lost()
        circuit.channels.clear()
        self.search_again()

    async def _channel(self, name: str) -> Channel:
        if self._closed:
            raise NotConnectedError(f"{name}: the client is closed")
        async with self._beginning:
            if self._udp is None:
                await self._begin()
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(name, self.next_id())
            self._by_cid[channel.cid] = channel
            self._wanted.set()
        return channel

    async def _begin(self) -> None:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setblocking(False)
        sock.bind(("", 0))
        loop = asyncio.get_running_loop()
        self._udp, _ = await loop.create_datagram_endpoint(lambda: _Search(self), sock=sock)
        self._spawn(self._search())
        self._spawn(self._watch())

    async def _connected(self, name: str, timeout: float) -> tuple[Channel, Circuit]:  # noqa: ASYNC109
        channel = await self._channel(name)
        if not channel.connected.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(channel.connected.wait(), timeout)
        if channel.circuit is None or not channel.connected.is_set():
            where = ", ".join(f"{host}:{port}" for host, port in self._addresses)
            raise NotConnectedError(f"nobody at {where} serves {name}; is its program running?")
        return channel, channel.circuit

    async def _ask(self, name: str, circuit: Circuit, ioid: int, request: Message, left: float) -> Message:
        future: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        circuit.waiting[ioid] = future
        circuit.send(request)
        try:
            return await asyncio.wait_for(future, max(0.0, left))
        except TimeoutError:
            raise NoAnswerError(f"{name}: no answer from {circuit.address[0]}:{circuit.address[1]}") from None
        finally:
            circuit.waiting.pop(ioid, None)

    async def _open(self, circuit: Circuit) -> None:
        loop = asyncio.get_running_loop()
        try:
            await asyncio.wait_for(loop.create_connection(lambda: circuit, *circuit.address), 2.0)
        except (OSError, TimeoutError) as error:
            _log.info("no connection to %s:%d: %s", *circuit.address, error)
            circuit.connection_lost(None)

    async def _search(self) -> None:
        interval = _FIRST_SEARCH
        while True:
            wanted = {c.cid: c.name for c in self._channels.values() if c.circuit is None}
            for datagram in wire.searches(wanted):
                for address in self._addresses:
                    if self._udp is not None:
                        self._udp.sendto(datagram, address)
            self._wanted.clear()
            try:
                await asyncio.wait_for(self._wanted.wait(), interval if wanted else None)
                interval = _FIRST_SEARCH
            except TimeoutError:
                interval = min(interval * 2, _LAST_SEARCH)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_SILENT)
            now = time.monotonic()
            for circuit in list(self._circuits.values()):
                if now - circuit.heard < _QUIET:
                    circuit.asked = 0.0
                elif circuit.asked and circuit.heard < circuit.asked:
                    _log.warning("%s:%d is silent; closing the connection", *circuit.address)
                    circuit.close()
                else:
                    circuit.asked = now
                    circuit.send(Message(Command.ECHO))

    def _spawn(self, work: object) -> None:
        task = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    try:
        return (
            (socket.gethostbyname(host), int(port)) if colon else (socket.gethostbyname(text), _DEFAULT_PORT)
        )
    except (ValueError, OSError) as error:
        raise CaError(f"{text!r} is no server address ({error}); host:port is right") from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "nobody"
