"""What stock caproto does from outside and ours does not.

Where a test of stock fails, caproto has mended it: the shim named in ioc/shims/__init__.py may go.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Iterator

import caproto as ca
import pytest
from caproto.asyncio import server as caproto_server
from caproto.asyncio.utils import _create_bound_tcp_socket

from ioc.records import Kind, PvClass, Record
from ioc.server import Server
from ioc.wire import Command
from tests.kit.programs import ROOT, client_environment, free_ports, program
from tests.kit.raw_ca import Created, RawClient
from tests.kit.serve_faults import BURST

VALUE, PROPERTY = 1, 8


@pytest.fixture(scope="module", params=["stock", "ours"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    (port,) = free_ports(1)
    directory = tmp_path_factory.mktemp("faults")
    command = [ROOT / "tests/kit/serve_faults.py", request.param, str(port)]
    with program(command, directory, env=client_environment(port)):
        yield request.param, port


@pytest.fixture
def client(served: tuple[str, int]) -> Iterator[RawClient]:
    with RawClient(served[1]) as made:
        yield made


def channel(client: RawClient, name: str) -> Created:
    made = client.create(f"F:{name}")
    assert made is not None
    return made


def quiet(client: RawClient, seconds: float = 0.5) -> list[int]:
    """Values of the monitors that come until none has come for a while."""
    values, last = [], time.monotonic()
    while time.monotonic() - last < seconds:
        found = [m for m in client.until_echo() if m.command == Command.EVENT_ADD]
        values += [struct.unpack_from(">i", m.payload)[0] for m in found]
        last = time.monotonic() if found else last
        time.sleep(0.02)
    return values


def test_a_put_reply_comes_behind_the_monitors_that_were_made_before(
    served: tuple[str, int], client: RawClient
) -> None:
    move, moving = channel(client, "Move"), channel(client, "Moving")
    subscription = client.subscribe(moving, VALUE)
    client.until_echo()
    quiet(client, 0.1)
    overtaken = 0
    for number in range(1, 31):
        order = []
        client.send_put(move, 5, 1, struct.pack(">i", number))
        for message in client.messages():
            if message.command == Command.WRITE_NOTIFY:
                order.append("reply")
            elif message.command == Command.EVENT_ADD and message.p2 == subscription:
                order.append("monitor")
            if len(order) == 2:
                break
        overtaken += order == ["reply", "monitor"]
    assert bool(overtaken) == (served[0] == "stock")


def test_all_of_a_burst_comes_to_a_client_that_reads(served: tuple[str, int], client: RawClient) -> None:
    client.subscribe(channel(client, "Counter"), VALUE)
    client.until_echo()
    client.send_put(channel(client, "Burst"), 5, 1, struct.pack(">i", 1))
    values = quiet(client, 2.5 if served[0] == "stock" else 0.3)
    if served[0] == "stock":
        assert len(values) < BURST / 2
    else:
        # A burst within one handler: the oldest are lost, the last never.
        assert values[-1] == BURST
        assert values == sorted(values)
        assert len(values) >= 1000


def test_who_asks_for_properties_hears_of_no_values(served: tuple[str, int], client: RawClient) -> None:
    counter = channel(client, "Counter")
    client.subscribe(counter, PROPERTY)
    client.until_echo()
    quiet(client, 0.2)
    client.put(counter, 5, 1, struct.pack(">i", 77))
    assert bool(quiet(client, 0.3)) == (served[0] == "stock")


def test_a_refusal_is_in_plain_words(served: tuple[str, int], client: RawClient) -> None:
    answer = client.put(channel(client, "Bad"), 5, 1, struct.pack(">i", 8))
    assert answer.status == 160
    assert "seven is right" in answer.text
    assert ("Python exception" in answer.text) == (served[0] == "stock")


def test_an_empty_text_is_taken(served: tuple[str, int], client: RawClient) -> None:
    text = channel(client, "Text")
    answers = [client.put(text, 4, 1, b"\0"), client.put(text, 4, 0, b"")]
    assert [answer.status for answer in answers] == ([160, 160] if served[0] == "stock" else [1, 1])


def test_stock_sets_no_nodelay_because_its_socket_has_no_protocol() -> None:
    async def whole() -> None:
        stock = await _create_bound_tcp_socket("127.0.0.1", 0)
        with stock:
            assert stock.proto == 0, "TCP_NODELAY comes by itself now: shim 1 may go"

    asyncio.run(whole())


def test_ours_sets_nodelay() -> None:
    async def whole() -> None:
        server = Server(port=0)
        server.device("X:", (Record(name="A", kind=Kind.LONG, pv_class=PvClass.ECHOES),))
        await server.start()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            await asyncio.sleep(0.05)
            (context,) = server._contexts
            (circuit,) = context.circuits
            taken = circuit.client.writer.get_extra_info("socket")
            assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
        finally:
            await server.close()

    asyncio.run(whole())


async def bound(interface: str, port: int) -> socket.socket:
    """As caproto makes it, but closed where it cannot be bound."""
    made = socket.socket()
    try:
        made.bind((interface, port))
    except OSError:
        made.close()
        raise
    return made


def test_stock_takes_another_port_if_its_own_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    async def whole(port: int) -> int:
        monkeypatch.setenv("EPICS_CA_SERVER_PORT", str(port))
        context = caproto_server.Context({"A": ca.ChannelInteger(value=0)}, ["127.0.0.1"])
        taken, sockets = await context._bind_tcp_sockets_with_consistent_port_number(bound)
        for one in sockets.values():
            one.close()
        return int(taken)

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert asyncio.run(whole(port)) != port, "a taken port is an error now: shim 2 may go"
