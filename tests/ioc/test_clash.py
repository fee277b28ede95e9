"""Who serves our PVs: where is asked, what for, and who is not meant."""

import asyncio
import socket

import pytest

from ioc.clash import Clash, ClashError, addresses, broadcasts, look, records
from ioc.records import Kind, Record
from ioc.server import Server
from ioc.tables.motor import motor

VALUE = (Record(name="Value", kind=Kind.DOUBLE), Record(name="Other", kind=Kind.DOUBLE))


def run(work):
    return asyncio.run(asyncio.wait_for(work, 20))


def test_asked_are_records_and_not_their_fields():
    server = Server()
    server.device("SB:MOT:OMEGA.", motor())
    server.device("SB.X:", VALUE)
    assert records(server.names) == ["SB:MOT:OMEGA", "SB.X:Value", "SB.X:Other"]


@pytest.mark.parametrize(
    ("interfaces", "environment", "expected"),
    [
        (["127.0.0.1"], {}, ["127.0.0.1:5064", "127.0.0.1:1", "127.0.0.1:2", "127.255.255.255:5064"]),
        (
            ["127.0.0.1"],
            {"EPICS_CA_SERVER_PORT": "7000"},
            ["127.0.0.1:7000", "127.0.0.1:1", "127.0.0.1:2", "127.255.255.255:7000"],
        ),
        (
            ["127.0.0.1"],
            {"EPICS_CA_ADDR_LIST": "ioc1 ioc2:99"},
            [
                *("ioc1:5064", "ioc2:99"),
                *("127.0.0.1:5064", "127.0.0.1:1", "127.0.0.1:2", "127.255.255.255:5064"),
            ],
        ),
        (
            ["192.0.2.7"],
            {"EPICS_CA_AUTO_ADDR_LIST": "NO"},
            ["192.0.2.7:5064", "192.0.2.7:1", "192.0.2.7:2"],
        ),
        (
            ["0.0.0.0"],
            {},
            [
                *("127.0.0.1:5064", "127.0.0.1:1", "127.0.0.1:2"),
                *("192.0.2.255:5064", "192.0.2.255:1", "192.0.2.255:2"),
            ],
        ),
    ],
)
def test_asked_is_where_a_client_would_look_and_where_we_serve(interfaces, environment, expected):
    nets = [] if interfaces == ["127.0.0.1"] else ["192.0.2.255"]
    found = addresses(interfaces, (1, 2), environment, nets)
    assert [f"{host}:{port}" for host, port in found] == expected


def test_loopback_has_no_broadcast_address():
    assert broadcasts(["127.0.0.1"]) == []
    assert all(not address.startswith("127.") for address in broadcasts(["0.0.0.0"]))


@pytest.mark.parametrize(
    "asked", [["SB:Value"], ["SB:Mine", "SB:Other"], [*(f"SB:{i}" for i in range(900)), "SB:Value"]]
)
def test_who_serves_a_pv_is_found(asked):
    async def work():
        server = Server(port=0)
        server.device("SB:", VALUE)
        await server.start()
        try:
            return await look(asked, [("127.0.0.1", 1), ("localhost", server.port)], 5), server.port
        finally:
            await server.close()

    found, port = run(work())
    assert found == Clash(asked[-1], ("127.0.0.1", port))
    assert str(ClashError(found)).startswith(f"{asked[-1]} is served already, by 127.0.0.1:{port}: ")
    assert "--prefix" in str(ClashError(found))


def test_who_serves_others_does_not_answer():
    async def work():
        server = Server(port=0)
        server.device("SB:", VALUE)
        await server.start()
        try:
            return await look(["SB:Mine"], [("127.0.0.1", server.port)], 0.2)
        finally:
            await server.close()

    assert run(work()) is None


def test_nobody_there_and_names_that_nobody_knows_are_no_clash():
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        where = [silent.getsockname(), ("127.0.0.1", 1), ("no.such.host.invalid", 5064)]
        assert run(look(["SB:Mine"], where, 0.2)) is None


def test_what_is_no_answer_is_not_taken_for_one():
    """Noise at our socket: a version, a search of somebody's own, half a message."""

    class Noise(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            for text in (b"\0" * 16, b"\0\6\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff", b"\0\6\0\7"):
                self.transport.sendto(text, addr)

    async def work():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(Noise, local_addr=("127.0.0.1", 0))
        try:
            return await look(["SB:Mine"], [transport.get_extra_info("sockname")], 0.2)
        finally:
            transport.close()

    assert run(work()) is None
