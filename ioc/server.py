"""The one adapter between record tables and a Channel Access server.

Handlers run as tasks of their own, so an abort gets through while an acquisition is under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence

from ioc.channels import Channel
from ioc.device import Device, OnPut, OnRefused
from ioc.puts import Gate, open_to_all, to_nobody
from ioc.puts import OnPut as Trace
from ioc.records import Record, Value
from ioc.shims import Context, PortTakenError

__all__ = ["Device", "OnPut", "PortTakenError", "Server"]

_log = logging.getLogger(__name__)


class Server:
    """A Channel Access server on one port of one interface, or of several.

    Args:
        interface: Address to bind, or several; loopback unless told otherwise.
        port: TCP and UDP port; 0 takes a free one, which ``port`` then says.
        gate: Says who may put what.
        trace: Is told of every put when it is taken or refused.
    """

    def __init__(
        self,
        interface: str | Sequence[str] = "127.0.0.1",
        port: int = 5064,
        *,
        gate: Gate = open_to_all,
        trace: Trace = to_nobody,
    ) -> None:
        self.interfaces = (interface,) if isinstance(interface, str) else tuple(interface)
        self.port = port
        self.devices: list[Device] = []
        self._gate, self._trace = gate, trace
        self._channels: dict[str, Channel] = {}
        self._contexts: list[Context] = []

    @property
    def names(self) -> list[str]:
        """Every PV that is served."""
        return list(self._channels)

    @property
    def connections(self) -> tuple[int, int]:
        """Clients that are connected, and channels that they have."""
        circuits = [circuit for context in self._contexts for circuit in context.circuits]
        return len(circuits), sum(circuit.channel_count for circuit in circuits)

    def device(
        self,
        prefix: str,
        records: Iterable[Record],
        on_put: OnPut | None = None,
        *,
        at_once: bool = True,
        on_refused: OnRefused | None = None,
    ) -> Device:
        """Serve a table under a prefix; before ``start``.

        Args:
            prefix: What stands before the records' names. A prefix that ends in "." makes them fields of one
                record, which itself then answers as VAL.
            records: The table.
            on_put: Called with name and value of each put, after the value is visible; the put completes when
                it returns, and fails if it raises PutError.
            at_once: Whether what is put is visible before the handler runs; otherwise the handler posts it.
            on_refused: Called with name and reason of each put that is refused, to show it in a message.

        Raises:
            ValueError: Two records have the same name.
        """
        device = Device(prefix, records, on_put, at_once=at_once, on_refused=on_refused)
        names = {prefix + name: channel for name, channel in device.channels.items()}
        for name, channel in names.items():
            channel.guard(name, self._gate, self._trace)
        if prefix.endswith(".") and "VAL" in device:
            names[prefix[:-1]] = device.channels["VAL"]
        double = names.keys() & self._channels.keys()
        if double:
            raise ValueError(f"{min(double)} is served twice; each PV is right once")
        self._channels |= names
        self.devices.append(device)
        return device

    async def put(self, name: str, value: Value) -> None:
        """Put a value as a client does, through the same limits and handler; gate and trace hear nothing.

        Raises:
            KeyError: No PV has this name.
            PutError: The value cannot be used, or the PV is read-only.
        """
        await self._channels[name].put(value)

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            PortTakenError: The port is in use.
        """
        for interface in self.interfaces:
            context = Context(self._channels, interface, self.port)
            try:
                await context.start()
            except PortTakenError:
                await self.close()
                raise
            self._contexts.append(context)
            self.port = context.ca_server_port
            _log.info("%d PVs on %s:%d", len(self._channels), interface, self.port)

    async def close(self) -> None:
        """Stop serving; clients see their channels disconnect."""
        while self._contexts:
            await self._contexts.pop().close()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set.

        Raises:
            PortTakenError: The port is in use.
        """
        await self.start()
        try:
            await stop.wait()
        finally:
            await self.close()
