"""caproto's server on exactly one interface and port."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import Any

import caproto as ca
from caproto.asyncio import server as caproto_server
from caproto.asyncio.utils import _TransportWrapper

from ioc.channels import Channel
from ioc.shims.circuit import Circuit
from ioc.shims.search import Searches, beacons

_TEXTS = (ca.ChannelType.STRING, ca.ChannelType.CHAR)
_MOST_NAMES = 10_000
"""Names with fields and filters that are kept."""


class PortTakenError(OSError):
    """The CA port is in use; says which one, and what to do."""


class _Direct:
    """In place of caproto's queue of updates: hands each one on at once, in the poster's own step."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def put(self, update: Any) -> None:
        await self._context.deliver(*update)


class Context(caproto_server.Context):
    """A server.

    Args:
        channels: By full name.
        interface: Address to bind.
        port: Of TCP and UDP; 0 takes a free one.
    """

    CircuitClass = Circuit

    def __init__(self, channels: dict[str, Channel], interface: str, port: int) -> None:
        super().__init__(channels, [interface])
        self.interface = interface
        self.ca_server_port = port
        self.subscription_queue: Any = _Direct(self)
        self._found: dict[str, Channel] = {}
        self._listener: asyncio.Server | None = None
        self._searches: asyncio.DatagramTransport | None = None
        self._beacons: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the port and serve.

        Raises:
            PortTakenError: Somebody else has it.
        """
        tcp, udp = _bind(self.interface, self.ca_server_port)
        self.port = self.ca_server_port = tcp.getsockname()[1]
        loop = asyncio.get_running_loop()
        searches = Searches(self.port, self.__contains__, self.ignore_addresses)
        self._searches, _ = await loop.create_datagram_endpoint(lambda: searches, sock=udp)
        self._listener = await asyncio.start_server(self._accepted, sock=tcp)
        self._beacons = loop.create_task(beacons(self.port, self.interface))

    async def close(self) -> None:
        """Close every socket and end every task."""
        if self._listener is not None:
            self._listener.close()
        if self._searches is not None:
            self._searches.close()
        circuits = list(self.circuits)
        ending = [*self.server_tasks.tasks, *(t for c in circuits for t in c.tasks.tasks)]
        if self._beacons is not None:
            ending.append(self._beacons)
        for task in ending:
            task.cancel()
        for circuit in circuits:
            circuit.connected = False
            circuit.release()
            circuit.client.close()
        if ending:
            await asyncio.wait(ending, timeout=0.5)
        self.circuits.clear()

    def __contains__(self, name: object) -> bool:
        try:
            return self[str(name)] is not None
        except (KeyError, ValueError):
            return False

    def __getitem__(self, name: str) -> Channel:
        found = self.pvdb.get(name)
        if found is None:
            found = self._found.get(name)
        if found is None:
            found = self._with_field(name)
            if len(self._found) < _MOST_NAMES:
                self._found[name] = found
        return found

    async def deliver(self, specs: Any, metadata: Any, values: Any, flags: int, sub: Any) -> None:
        """Put an update that caproto has made into the outboxes of those who asked for such changes."""
        to_all: bool = sub is None
        if to_all and flags:
            specs = [spec for spec in specs if int(spec.mask) & int(flags)]
        await self._subscription_queue_iteration(tuple(specs), metadata, values, flags, sub)

    def _with_field(self, name: str) -> Channel:
        """The channel of ``RECORD.FIELD``, ``RECORD.FIELD$`` or a name with a filter."""
        with_field, record, field, modifiers = ca.parse_record_field(name)
        found = self.pvdb.get(with_field)
        if found is None:
            found = self.pvdb[record]
            if field:
                found = found.get_field(field)
        if modifiers is None:
            return found
        if ca.RecordModifiers.filtered in modifiers.modifiers:
            try:
                ca.parse_channel_filter(modifiers.filter_)
            except (ValueError, TypeError) as error:
                raise KeyError(f"{name}: {error}") from None
        if ca.RecordModifiers.long_string in modifiers.modifiers and found.data_type not in _TEXTS:
            raise KeyError(f"{name}: only texts are long strings")
        return found

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = _TransportWrapper(reader, writer)
        self.server_tasks.create(self.tcp_handler(transport, transport.getpeername()))


def _bind(interface: str, port: int) -> tuple[socket.socket, socket.socket]:
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_UDP)
    try:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((interface, port))
        tcp.listen(128)
        udp.bind((interface, tcp.getsockname()[1]))
    except OSError as error:
        tcp.close()
        udp.close()
        if error.errno == errno.EADDRINUSE:
            text = (
                f"Channel Access port {port} on {interface} is taken by another program; end that one, or "
                "give this one a port of its own in the beamline file, table [ca]"
            )
        else:
            text = f"Channel Access cannot use {interface}:{port}: {error.strerror}"
        raise PortTakenError(error.errno, text) from None
    tcp.setblocking(False)
    udp.setblocking(False)
    return tcp, udp
