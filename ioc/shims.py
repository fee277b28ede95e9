"""Everything that softbeam changes in caproto 1.3, in one place, each with its reason.

1. TCP_NODELAY on accepted sockets. caproto makes its listening socket with protocol number 0, and asyncio
   sets TCP_NODELAY only where it is IPPROTO_TCP: a monitor and a put reply become two small packets, and the
   second waits 40 ms for the client's delayed acknowledgement.
2. Order. caproto sends put replies at once and monitors through two queues, so the reply of a finished move
   may overtake the last DMOV. Here both leave through one outbox per circuit, in the order they were made.
3. Bursts. caproto's batching holds updates for up to a second under load and drops the newest with the
   oldest. Here a circuit sends whatever has gathered while the last write was under way, and a slow client
   loses the oldest updates of a subscription, never the newest.
4. Masks. caproto sends value changes to subscribers of properties as well, and the reverse.
5. One port, TCP and UDP alike, taken exclusively. caproto goes to a random TCP port if its own is taken, and
   shares the UDP port with whoever is there, who then answers half of the searches.
6. No beacons from loopback: nobody listens, and each one logs a traceback.
7. A refused put is one line in the log, not a traceback.
8. An end: ``close`` returns when sockets and tasks are gone.
9. Who asks: channels are told the address of the client's socket, and whether it waits for completion.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections import deque
from typing import Any

import caproto as ca
from caproto import apply_arr_filter
from caproto.asyncio import server as caproto_server
from caproto.asyncio.utils import _TransportWrapper, _UdpTransportWrapper
from caproto.server.common import DisconnectedCircuit

from ioc.puts import REQUEST, Request
from ioc.records import PutError

_log = logging.getLogger(__name__)

BACKLOG = 1000
"""Updates that one subscription may have waiting for a slow client."""
BACKLOG_BYTES = 8 << 20
_LOOPBACK = "127."


class PortTakenError(OSError):
    """The CA port is in use; says which one, and what to do."""


class Outbox:
    """Updates waiting for a circuit, in order; a full subscription loses its oldest."""

    def __init__(self) -> None:
        self._cells: deque[list[Any]] = deque()
        self._of: dict[int, deque[list[Any]]] = {}
        self.filled = asyncio.Event()
        self.dropped = 0

    async def put(self, reference: Any) -> None:
        """The way in that caproto knows: a weak reference, as its own queue takes."""
        self.offer(reference())

    def offer(self, update: Any) -> None:
        """Add an update behind the others."""
        cell = [update]
        mine = self._of.setdefault(update.subscriptionid, deque())
        quota = max(2, min(BACKLOG, BACKLOG_BYTES // max(1, len(update))))
        while len(mine) >= quota:
            mine.popleft()[0] = None
            self.dropped += 1
        mine.append(cell)
        self._cells.append(cell)
        self.filled.set()

    def take(self) -> list[Any]:
        """Everything that waits."""
        updates = [cell[0] for cell in self._cells if cell[0] is not None]
        self._cells.clear()
        self._of.clear()
        self.filled.clear()
        return updates


class _PromptEvent(caproto_server.AsyncioEvent):
    """caproto's write event, without a task and a timer for each read when no put is under way."""

    async def wait(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109 (caproto's signature)
        return self.is_set() or await super().wait(timeout)


class Circuit(caproto_server.VirtualCircuit):
    """One client's connection: replies and monitors in the order they were made."""

    def __init__(self, circuit: Any, client: Any, context: Any) -> None:
        super().__init__(circuit, client, context)
        self.write_event = _PromptEvent()
        self.outbox = Outbox()
        self.subscription_queue = self.outbox

    async def send(self, *commands: Any) -> None:
        """Send what waits in the outbox, then the commands."""
        waiting = self.outbox.take()
        if not self.connected:
            return
        if waiting:
            self.unexpired_updates.clear()
            live = {sub.subscriptionid for subs in self.subscriptions.values() for sub in subs}
            waiting = [update for update in waiting if update.subscriptionid in live]
        await super().send(*waiting, *commands)

    async def subscription_queue_loop(self) -> None:
        """Send updates as they come; what gathers meanwhile goes together."""
        self.events_on.set()
        with contextlib.suppress(asyncio.CancelledError):
            while self.connected:
                await self.outbox.filled.wait()
                try:
                    await self.send()
                except DisconnectedCircuit:
                    await self._on_disconnect()
                    self.circuit.disconnect()
                    await self.context.circuit_disconnected(self)

    async def _process_command(self, command: Any) -> Any:
        REQUEST.set(Request(self.circuit.address[0], isinstance(command, ca.WriteNotifyRequest)))
        return await super()._process_command(command)

    async def _start_write_task(self, handle_write: Any) -> None:
        async def handled() -> None:
            with contextlib.suppress(DisconnectedCircuit, ca.CaprotoError):
                await handle_write()

        self.tasks.create(handled())

    async def _on_disconnect(self) -> None:
        # caproto's waits for the task it cancels, which may be the one it runs in.
        sender, self._sub_task = self._sub_task, None
        await super()._on_disconnect()
        if sender is not None and sender is not asyncio.current_task():
            sender.cancel()


class _Direct:
    """In place of caproto's queue of updates: hands each one on at once, in the poster's own step."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def put(self, update: Any) -> None:
        await self._context.deliver(*update)


class _Searches(asyncio.DatagramProtocol):
    def __init__(self, context: Context) -> None:
        self._context = context

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            commands = self._context.broadcaster.recv(data, addr)
            self._context.command_bundle_queue.put_nowait((addr, commands))
        except (ca.CaprotoError, ValueError, asyncio.QueueFull) as error:
            _log.debug("a search from %s was not understood: %s", addr, error)


class Context(caproto_server.Context):
    """caproto's server on exactly one interface and port."""

    CircuitClass = Circuit

    def __init__(self, pvdb: dict[str, Any], interface: str, port: int) -> None:
        super().__init__(pvdb, [interface])
        self.interface = interface
        self.ca_server_port = port
        self.subscription_queue: Any = _Direct(self)
        self._listener: asyncio.Server | None = None
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the port and serve.

        Raises:
            PortTakenError: Somebody else has it.
        """
        tcp, udp = _bind(self.interface, self.ca_server_port)
        self.port = self.ca_server_port = tcp.getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Searches(self), sock=udp)
        self.udp_socks[self.interface] = _UdpTransportWrapper(transport)
        self._listener = await asyncio.start_server(self._accepted, sock=tcp)
        self.broadcaster.server_addresses.append((self.interface, self.port))
        self._loops.append(loop.create_task(self.broadcaster_queue_loop()))
        if not self.interface.startswith(_LOOPBACK):
            self._open_beacons()
            self._loops.append(loop.create_task(self.broadcast_beacon_loop()))

    async def close(self) -> None:
        """Close every socket and end every task."""
        if self._listener is not None:
            self._listener.close()
        for wrapped in (*self.udp_socks.values(), *(sock for _, sock in self.beacon_socks.values())):
            wrapped.close()
        circuits = list(self.circuits)
        ending = [*self._loops, *self.server_tasks.tasks, *(t for c in circuits for t in c.tasks.tasks)]
        for task in ending:
            task.cancel()
        for circuit in circuits:
            circuit.connected = False
            circuit.client.close()
        if ending:
            await asyncio.wait(ending, timeout=0.5)
        self.circuits.clear()

    async def deliver(self, specs: Any, metadata: Any, values: Any, flags: int, sub: Any) -> None:
        """Put an update into the outboxes of those who asked for this kind of change."""
        to_all: bool = sub is None
        if to_all and flags:
            specs = [spec for spec in specs if int(spec.mask) & int(flags)]
        await self._subscription_queue_iteration(tuple(specs), metadata, values, flags, sub)

    async def _subscription_queue_send(
        self, sub_spec: Any, sub: Any, metadata: Any, values: Any, flags: int
    ) -> None:
        chosen = sub.channel_filter
        if chosen.dbnd is not None or chosen.sync is not None or not sub.circuit.events_on.is_set():
            await super()._subscription_queue_send(sub_spec, sub, metadata, values, flags)
            return
        values = apply_arr_filter(chosen.arr, values)
        values = values[: sub.data_count] if sub.data_count else values
        update = sub.channel.subscribe(
            data=values,
            metadata=metadata,
            data_type=sub.data_type,
            data_count=len(values),
            subscriptionid=sub.subscriptionid,
            status=1,
        )
        sub.circuit.outbox.offer(update)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = _TransportWrapper(reader, writer)
        self.server_tasks.create(self.tcp_handler(transport, transport.getpeername()))

    def _open_beacons(self) -> None:
        for address in ca.get_beacon_address_list():
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            try:
                sock.connect(address)
            except OSError as error:
                _log.warning("no beacons to %s:%d: %s", *address, error)
                sock.close()
                continue
            self.beacon_socks[address] = (self.interface, _UdpTransportWrapper(sock, address))


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


class _RefusedPuts(logging.Filter):
    """Turns caproto's traceback of a refused put into one warning."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, PutError):
            record.exc_info = record.exc_text = None
            record.msg, record.args = "put refused: %s", (str(error),)
            record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


logging.getLogger("caproto.circ").addFilter(_RefusedPuts())
