"""Searches and beacons: how clients find a server.

Written from the CA protocol specification; the sequence number and the size of replies are as rsrv of EPICS
base has them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from typing import cast

import caproto as ca

from ioc import wire
from ioc.values import ENCODING
from ioc.wire import Command, Message

_log = logging.getLogger(__name__)

_DATAGRAM = 1024
_HERE = 0xFFFFFFFF
"""In place of the server's address: the one that the reply comes from."""
_SEQUENCE_IS_VALID = 1
_FIRST_BEACON = 0.02
_LOOPBACK = "127."


def answers(data: bytes, port: int, known: Callable[[str], bool]) -> list[bytes]:
    """Datagrams that answer a datagram of searches; none if we have nothing that is searched for.

    Args:
        data: The datagram.
        port: TCP port of the server.
        known: Whether it has a channel of this name.
    """
    head, replies = b"", []
    for message in wire.split(bytearray(data)):
        if message.command == Command.VERSION:
            valid = message.data_type & _SEQUENCE_IS_VALID
            number = message.p1 if valid else 0
            head = Message(Command.VERSION, valid, wire.VERSION, number).encode()
        elif message.command == Command.SEARCH:
            name = message.payload.split(b"\0", 1)[0].decode(ENCODING, "replace")
            if known(name):
                version = wire.VERSION.to_bytes(2, "big")
                replies.append(Message(Command.SEARCH, port, 0, _HERE, message.p1, version).encode())
    if not replies:
        return []
    each = (_DATAGRAM - len(head)) // len(replies[0])
    return [head + b"".join(replies[start : start + each]) for start in range(0, len(replies), each)]


class Searches(asyncio.DatagramProtocol):
    """Answers searches on one UDP socket."""

    def __init__(self, port: int, known: Callable[[str], bool], ignored: Iterable[str]) -> None:
        self._port, self._known, self._ignored = port, known, frozenset(ignored)
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer what is ours."""
        if self._transport is None or addr[0] in self._ignored:
            return
        try:
            replies = answers(data, self._port, self._known)
        except ValueError as error:
            _log.debug("a search from %s was not understood: %s", addr, error)
            return
        for reply in replies:
            self._transport.sendto(reply, addr)


def beacon(port: int, number: int, interface: str) -> bytes:
    """One beacon: a server is up."""
    address = ipaddress.IPv4Address(interface or "0.0.0.0")  # noqa: S104 (nothing is bound)
    return Message(Command.RSRV_IS_UP, wire.VERSION, port, number, int(address)).encode()


async def beacons(port: int, interface: str) -> None:
    """Send beacons until cancelled, at first often, then every 15 s; from loopback none."""
    addresses = [] if interface.startswith(_LOOPBACK) else ca.get_beacon_address_list()
    if not addresses:
        return
    longest = float(ca.get_environment_variables()["EPICS_CAS_BEACON_PERIOD"])
    # Not connected: a host that refuses one beacon is no error of the next.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sock.setblocking(False)
        period, number, failed = _FIRST_BEACON, 0, set[tuple[str, int]]()
        while True:
            for address in addresses:
                try:
                    sock.sendto(beacon(port, number, interface), address)
                except OSError as error:
                    if address not in failed:
                        failed.add(address)
                        _log.warning("no beacons to %s:%d: %s", *address, error)
            number += 1
            await asyncio.sleep(period)
            period = min(2 * period, longest)
