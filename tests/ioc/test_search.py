"""How clients find a server: searches answered in datagrams, names with fields and filters, beacons."""

import asyncio
import socket

import pytest

from ioc import wire
from ioc.records import Kind, PvClass, Record
from ioc.server import Server
from ioc.shims.search import answers, beacon
from ioc.wire import Command, Message

TABLE = (
    Record(name="Value", kind=Kind.DOUBLE, pv_class=PvClass.ECHOES, doc="How far it is."),
    Record(name="Array", kind=Kind.DOUBLES, length=4),
    Record(name="Text", kind=Kind.TEXT, length=40, pv_class=PvClass.ECHOES),
)


def ask(names: dict[int, str], sequence: int | None = None) -> bytes:
    valid = int(sequence is not None)
    head = Message(Command.VERSION, valid, wire.VERSION, sequence or 0).encode()
    searches = (
        Message(Command.SEARCH, 5, wire.VERSION, cid, cid, wire.text_payload(name))
        for cid, name in names.items()
    )
    return head + b"".join(message.encode() for message in searches)


def told(datagrams: list[bytes]) -> list[Message]:
    return [m for datagram in datagrams for m in wire.split(bytearray(datagram))]


def test_a_datagram_of_searches_is_answered_by_one() -> None:
    (reply,) = answers(ask({1: "A", 2: "B", 3: "C"}, sequence=17), 5064, {"A", "C"}.__contains__)
    version, *found = told([reply])
    # libca counts the answers to each of its datagrams by this number, and searches faster for it.
    assert (version.command, version.data_type, version.p1) == (Command.VERSION, 1, 17)
    assert [(m.command, m.p2, m.data_type, m.p1) for m in found] == [
        (Command.SEARCH, 1, 5064, 0xFFFFFFFF),
        (Command.SEARCH, 3, 5064, 0xFFFFFFFF),
    ]


def test_many_are_answered_in_datagrams_that_any_network_carries() -> None:
    names = {cid: f"N{cid}" for cid in range(200)}
    datagrams = answers(ask(names), 5064, lambda _: True)
    assert all(len(datagram) <= 1024 for datagram in datagrams)
    assert [m.p2 for m in told(datagrams) if m.command == Command.SEARCH] == list(names)


@pytest.mark.parametrize("data", [b"", b"\0" * 7, b"\xff" * 40, ask({1: "Z"}), ask({1: "A"})[:-3]])
def test_what_is_not_ours_or_no_search_is_not_answered(data: bytes) -> None:
    assert answers(data, 5064, {"A"}.__contains__) == []


def test_a_search_that_is_no_text_is_for_nobody() -> None:
    search = Message(Command.SEARCH, 5, wire.VERSION, 1, 1, b"\xff\xfe\0").encode()
    assert answers(search, 5064, {"A"}.__contains__) == []


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("S:Value", True),
        ("S:Value.", True),
        ("S:Value.VAL", True),
        ("S:Value.DESC", True),
        ("S:Value.DESC$", True),
        ("S:Value.RTYP", True),
        ('S:Value.{"ts":{}}', True),
        ("S:Array.[1:2]", True),
        ("S:Array.VAL[1:2]", True),
        ("S:Text.VAL$", True),
        ("S:Value.VAL$", False),
        ("S:Value.NELM", False),
        ("S:Array.NELM", True),
        ("S:Value.{not json}", False),
        ("S:Value.VAL.VAL", False),
        ("S:Nothing", False),
        (".", False),
        ("", False),
    ],
)
def test_names_that_are_served(name: str, there: bool) -> None:
    async def whole() -> list[bytes]:
        server = Server(port=0)
        server.device("S:", TABLE)
        await server.start()
        loop = asyncio.get_running_loop()
        try:
            with socket.socket(type=socket.SOCK_DGRAM) as sock:
                sock.setblocking(False)
                sock.bind(("127.0.0.1", 0))
                # The one behind is there in any case, so that nobody has to wait for no answer.
                await loop.sock_sendto(sock, ask({1: name, 2: "S:Value"}), ("127.0.0.1", server.port))
                async with asyncio.timeout(5):
                    return [await loop.sock_recv(sock, 2048)]
        finally:
            await server.close()

    found = [m.p2 for m in told(asyncio.run(whole())) if m.command == Command.SEARCH]
    assert found == ([1, 2] if there else [2])
    assert len(Server().names) == 0


def test_names_with_fields_are_not_taken_for_records() -> None:
    server = Server(port=0)
    device = server.device("S:", TABLE)
    assert device.channels["Value"].get_field("NAME").current == "S:Value"
    assert device.channels["Value"].get_field("DESC").current == "How far it is."
    assert server.names == ["S:Value", "S:Array", "S:Text"]


def test_a_beacon_says_where() -> None:
    (message,) = told([beacon(5066, 7, "192.0.2.1")])
    assert (message.command, message.count, message.p1, message.p2) == (13, 5066, 7, 0xC0000201)
    assert told([beacon(5066, 0, "0.0.0.0")])[0].p2 == 0


@pytest.mark.parametrize("heard", [True, False])
def test_beacons_off_loopback_begin_at_once_and_mind_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, heard: bool
) -> None:
    async def whole(sock: socket.socket) -> list[Message]:
        server = Server("0.0.0.0", port=0)
        server.device("S:", TABLE)
        await server.start()
        try:
            async with asyncio.timeout(5):
                if not heard:
                    await asyncio.sleep(0.3)
                    return []
                loop = asyncio.get_running_loop()
                return told([await loop.sock_recv(sock, 64) for _ in range(3)])
        finally:
            await server.close()

    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        port = sock.getsockname()[1]
        if not heard:
            sock.close()
        monkeypatch.setenv("EPICS_CAS_AUTO_BEACON_ADDR_LIST", "NO")
        monkeypatch.setenv("EPICS_CAS_BEACON_ADDR_LIST", f"127.0.0.1:{port}")
        messages = asyncio.run(whole(sock))
    assert [m.p1 for m in messages] == ([0, 1, 2] if heard else [])
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "WARNING")]
