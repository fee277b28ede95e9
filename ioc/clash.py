"""Is one of our PVs served already? Asked before serving: two servers of one PV answer clients at random.

Looks where a client of this environment would: EPICS_CA_ADDR_LIST and, unless EPICS_CA_AUTO_ADDR_LIST is NO,
the broadcast addresses of the interfaces we serve; and always our own interfaces, at the usual port and those
of our own programs. Whoever serves other PVs, as the writer does beside the simulator, does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ioc import wire
from ioc.wire import Command

USUAL_PORT = 5064
WITHIN = 0.25
"""Seconds that a server has to answer; on one machine or one net it takes milliseconds."""
_ASKED = 2
"""Times that is asked: datagrams get lost."""
_NOT_TOLD = (0, 0xFFFFFFFF)
_ANY = "0.0.0.0"  # noqa: S104 (compared with, not bound)
_LOOPBACK_BROADCAST = "127.255.255.255"
_SIOCGIFADDR, _SIOCGIFBRDADDR = 0x8915, 0x8919

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Clash:
    """A PV of ours that somebody serves.

    Attributes:
        pv: Its name.
        server: Who: address and TCP port.
    """

    pv: str
    server: Address


class ClashError(RuntimeError):
    """A PV of ours is served already; says which, by whom, and what to do."""

    def __init__(self, clash: Clash) -> None:
        host, port = clash.server
        super().__init__(
            f"{clash.pv} is served already, by {host}:{port}: clients would get one of the two at random; "
            "end that program, or give this one another prefix, in the beamline file or with --prefix"
        )


def records(names: Iterable[str]) -> list[str]:
    """What to ask for: every name, but of a record's fields only the record."""
    served = dict.fromkeys(names)
    return [name for name in served if name.rpartition(".")[0] not in served]


def addresses(
    interfaces: Sequence[str],
    ports: Iterable[int],
    environment: Mapping[str, str],
    broadcasts: Iterable[str] = (),
) -> list[Address]:
    """Where to ask.

    Args:
        interfaces: Addresses that we serve on.
        ports: Of our programs.
        environment: With EPICS' variables for clients.
        broadcasts: Broadcast addresses of those interfaces.
    """
    port = environment.get("EPICS_CA_SERVER_PORT", "")
    usual = int(port) if port.isdecimal() else USUAL_PORT
    listed = environment.get("EPICS_CA_ADDR_LIST", "").split()
    found = [_address(text, usual) for text in listed]
    everywhere = [usual, *ports]
    for interface in interfaces:
        found += [("127.0.0.1" if interface == _ANY else interface, p) for p in everywhere]
        if _is_loopback(interface):
            # A server of real EPICS that shares the port hears this one, where it may miss the other.
            found.append((_LOOPBACK_BROADCAST, usual))
    if environment.get("EPICS_CA_AUTO_ADDR_LIST", "").upper() != "NO":
        found += [(broadcast, p) for broadcast in broadcasts for p in everywhere]
    return list(dict.fromkeys(found))


async def look(names: Sequence[str], where: Iterable[Address], within: float = WITHIN) -> Clash | None:
    """Ask who serves some PVs.

    Args:
        names: PVs.
        where: Servers, or broadcast addresses; a name that nobody knows has no server.
        within: Seconds to wait for an answer.

    Returns:
        The first answer, or nothing.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Clash] = loop.create_future()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    sock.setblocking(False)
    sock.bind(("", 0))
    asked = dict(enumerate(names, 1))
    transport, _ = await loop.create_datagram_endpoint(lambda: _Answers(asked, answer), sock=sock)
    try:
        datagrams = list(wire.searches(asked))
        targets = await asyncio.gather(*(_resolved(address, within) for address in where))
        for _ in range(_ASKED):
            for target in targets:
                for datagram in datagrams if target else ():
                    transport.sendto(datagram, target)
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(answer), within / _ASKED)
        return None
    finally:
        transport.close()
        answer.cancel()


def broadcasts(interfaces: Iterable[str]) -> list[str]:
    """Broadcast addresses of the interfaces with these addresses, of all but loopback for 0.0.0.0."""
    wanted = set(interfaces)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        known = [
            (_ask(sock, name, _SIOCGIFADDR), _ask(sock, name, _SIOCGIFBRDADDR))
            for _, name in socket.if_nameindex()
        ]
    return [
        broadcast
        for address, broadcast in known
        if broadcast and not _is_loopback(address) and (address in wanted or _ANY in wanted)
    ]


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, asked: dict[int, str], answer: asyncio.Future[Clash]) -> None:
        self._asked, self._answer = asked, answer

    def datagram_received(self, data: bytes, addr: Address) -> None:
        for message in wire.split(bytearray(data)):
            name = self._asked.get(message.p2)
            if message.command == Command.SEARCH and name is not None and not self._answer.done():
                told = message.p1 not in _NOT_TOLD
                host = socket.inet_ntoa(message.p1.to_bytes(4, "big")) if told else addr[0]
                self._answer.set_result(Clash(name, (host, message.data_type)))

    def error_received(self, exc: Exception) -> None:
        """Nobody is at a port, or a net is not there: what we hope for."""


async def _resolved(address: Address, within: float) -> Address | None:
    host, port = address
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(loop.getaddrinfo(host, port, family=socket.AF_INET), within)
    except (OSError, TimeoutError):
        return None
    return str(found[0][4][0]), port


def _address(text: str, usual: int) -> Address:
    host, colon, port = text.partition(":")
    return (host, int(port)) if colon and port.isdecimal() else (host, usual)


def _is_loopback(address: str) -> bool:
    return address.startswith("127.")


def _ask(sock: socket.socket, interface: str, request: int) -> str:
    """An address of an interface from the kernel; empty where it has none, or the system is no Linux."""
    try:
        import fcntl

        reply = fcntl.ioctl(sock, request, struct.pack("256s", interface.encode()[:15]))
    except (ImportError, OSError):
        return ""
    return socket.inet_ntoa(reply[20:24])
