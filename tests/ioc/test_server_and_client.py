"""The server and the client of ioc, in one process and one loop, on free ports of loopback."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from ioc import menus
from ioc.client import Client, NoAnswerError, NotConnectedError, PutFailedError, Reading
from ioc.records import Kind, PutError, PvClass, Record, Severity
from ioc.server import Device, PortTakenError, Server

TABLE = (
    Record(
        name="Acquire",
        kind=Kind.ENUM,
        menu=menus.Acquire,
        readback=True,
        readback_menu=menus.Acquiring,
        pv_class=PvClass.ACTS,
    ),
    Record(name="FilePath", kind=Kind.TEXT, length=256, readback=True, pv_class=PvClass.ACTS),
    Record(name="NumImages", kind=Kind.LONG, readback=True, pv_class=PvClass.ECHOES, low=0, high=1000),
    Record(name="AcquireTime", kind=Kind.DOUBLE, readback=True, pv_class=PvClass.ECHOES, units="s"),
    Record(name="Exposure", kind=Kind.DOUBLE, pv_class=PvClass.ACTS),
    Record(name="ShutterMode", kind=Kind.ENUM, menu=("None", "EPICS PV"), pv_class=PvClass.ECHOES),
    Record(name="Profile", kind=Kind.DOUBLES, length=10, pv_class=PvClass.ECHOES),
    Record(name="Counts", kind=Kind.LONGS, length=10),
    Record(name="Model_RBV", kind=Kind.STRING, initial="EIGER2"),
)


class Rig:
    def __init__(self) -> None:
        self.server = Server()
        self.server.port = 0
        self.release = asyncio.Event()
        self.device: Device = self.server.device("X:", TABLE, self._put)

    async def _put(self, name: str, value: object) -> None:
        if name == "FilePath":
            if "bad" in str(value):
                raise PutError(f"{value} is no directory")
            await self.device.settle("FilePath", str(value).rstrip("/") + "/")
        elif name == "AcquireTime" and value == 13:
            raise RuntimeError("a bug")
        elif name == "Acquire" and value == "Acquire":
            await self.device.post("Acquire_RBV", 1)
            await self.release.wait()
            await self.device.post_all({"Acquire_RBV": "Done", "Acquire": 0})
        elif name == "Acquire":
            self.release.set()


@contextlib.asynccontextmanager
async def rig() -> AsyncIterator[tuple[Rig, Client]]:
    made = Rig()
    await made.server.start()
    client = Client([f"127.0.0.1:{made.server.port}"])
    try:
        yield made, client
    finally:
        await client.close()
        await made.server.close()


def run(test: Callable[[Rig, Client], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with rig() as (made, client), asyncio.timeout(10):
            await test(made, client)

    asyncio.run(whole())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 (any condition will do)
        await asyncio.sleep(0.005)


def test_values_of_every_kind_come_back() -> None:
    async def test(made: Rig, client: Client) -> None:
        await made.device.post("Counts", [1, 2, 3])
        assert await client.connect([f"X:{name}" for name in made.device.records]) == set()
        assert await client.get("X:Acquire") == "Done"
        assert await client.get("X:FilePath_RBV") == ""
        assert await client.get("X:NumImages") == 0
        assert await client.get("X:AcquireTime") == 0.0
        assert await client.get("X:Counts") == [1, 2, 3]
        assert await client.get("X:Model_RBV") == "EIGER2"

    run(test)


@pytest.mark.parametrize(
    ("name", "value", "readback", "expected"),
    [
        ("NumImages", 5, "NumImages_RBV", 5),
        ("NumImages", 5000, "NumImages_RBV", 1000),
        ("NumImages", -3, "NumImages", 0),
        ("AcquireTime", 0.25, "AcquireTime_RBV", 0.25),
        ("ShutterMode", "EPICS PV", "ShutterMode", "EPICS PV"),
        ("ShutterMode", 1, "ShutterMode", "EPICS PV"),
        ("FilePath", "/data/" + "x" * 100, "FilePath_RBV", "/data/" + "x" * 100 + "/"),
        ("FilePath", "/données", "FilePath_RBV", "/données/"),
        ("FilePath", "", "FilePath_RBV", "/"),
        ("Profile", [1.5, 2.5], "Profile", [1.5, 2.5]),
        ("Profile", [0.5] * 11, "Profile", [0.5] * 10),
        ("FilePath", "x" * 300, "FilePath", "x" * 256),
        ("AcquireTime", float("inf"), "AcquireTime_RBV", float("inf")),
    ],
)
def test_puts_are_kept_and_the_readback_follows(
    name: str, value: object, readback: str, expected: object
) -> None:
    async def test(_: Rig, client: Client) -> None:
        await client.put(f"X:{name}", value, wait=True)
        assert await client.get(f"X:{readback}") == expected

    run(test)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FilePath", "/bad", "no directory"),
        ("ShutterMode", 7, "no choice"),
        ("ShutterMode", "Closed", "menu"),
        ("AcquireTime", 13.0, "internal error"),
        ("NumImages", "many", "could not convert"),
        ("Exposure", float("nan"), "finite"),
        ("Model_RBV", "EIGER", "read-only"),
    ],
)
def test_unusable_puts_fail_and_leave_the_value(name: str, value: object, message: str) -> None:
    async def test(_: Rig, client: Client) -> None:
        before = await client.get(f"X:{name}")
        with pytest.raises(PutFailedError, match=message):
            await client.put(f"X:{name}", value, wait=True)
        assert await client.get(f"X:{name}") == before

    run(test)


def test_a_put_is_seen_before_it_completes_and_completes_after_the_edges() -> None:
    async def test(made: Rig, client: Client) -> None:
        seen: list[tuple[str, object]] = []
        for name in ("Acquire", "Acquire_RBV"):
            await client.subscribe(f"X:{name}", lambda r: seen.append((r.name, r.value)))
        await until(lambda: len(seen) == 2)
        seen.clear()
        put = asyncio.create_task(client.put("X:Acquire", 1, wait=True))
        await until(lambda: len(seen) == 2)
        assert seen == [("X:Acquire", "Acquire"), ("X:Acquire_RBV", "Acquiring")]
        assert not put.done()
        await client.put("X:Acquire", 0)
        await put
        # The reply travels behind the monitors, so nothing has to be waited for here.
        assert seen[2:] == [("X:Acquire", "Done"), ("X:Acquire_RBV", "Done"), ("X:Acquire", "Done")]

    run(test)


def test_overlapping_puts_to_one_pv_complete_each() -> None:
    async def test(made: Rig, client: Client) -> None:
        puts = [asyncio.create_task(client.put("X:Acquire", 1, wait=True)) for _ in range(3)]
        await until(lambda: made.device["Acquire_RBV"] == "Acquiring")
        made.release.set()
        await asyncio.gather(*puts)

    run(test)


def test_every_edge_is_a_monitor_of_its_own() -> None:
    async def test(made: Rig, client: Client) -> None:
        seen: list[object] = []
        await client.subscribe("X:NumImages", lambda r: seen.append(r.value))
        await until(lambda: bool(seen))
        for value in range(500):
            await made.device.post("NumImages", value)
        await until(lambda: seen[-1] == 499)
        assert seen[1:] == list(range(500))

    run(test)


def test_a_slow_client_loses_the_oldest_never_the_last() -> None:
    async def test(made: Rig, client: Client) -> None:
        seen: list[object] = []
        await client.subscribe("X:NumImages", lambda r: seen.append(r.value))
        await until(lambda: bool(seen))
        for value in range(20_000):
            await made.device.post("NumImages", value)
        await until(lambda: seen[-1] == 19_999)
        assert seen == sorted(seen)  # type: ignore[type-var]

    run(test)


def test_alarm_and_time_come_with_the_value() -> None:
    async def test(made: Rig, client: Client) -> None:
        await made.device.post("NumImages", 3, severity=Severity.MAJOR, timestamp=1_700_000_000.25)
        reading = await client.read("X:NumImages")
        assert (reading.value, reading.severity, reading.timestamp) == (3, 2, 1_700_000_000.25)
        await made.device.post("NumImages", 3, severity=Severity.NONE)
        assert (await client.read("X:NumImages")).severity == 0

    run(test)


def test_nobody_there_is_said_in_time() -> None:
    async def test(_: Rig, client: Client) -> None:
        assert await client.connect(["X:Acquire", "X:Nothing"], timeout=0.3) == {"X:Nothing"}
        with pytest.raises(NotConnectedError, match="X:Nothing"):
            await client.get("X:Nothing", timeout=0.1)
        with pytest.raises(NoAnswerError):
            await client.put("X:Acquire", 1, wait=True, timeout=0.2)

    run(test)


def test_a_server_that_comes_back_is_found_again() -> None:
    async def test(made: Rig, client: Client) -> None:
        seen: list[Reading] = []
        await client.subscribe("X:Model_RBV", seen.append)
        await until(lambda: bool(seen))
        waiting = asyncio.create_task(client.put("X:Acquire", 1, wait=True))
        await until(lambda: made.device["Acquire_RBV"] == "Acquiring")
        await made.server.close()
        await until(lambda: not seen[-1].connected)
        assert seen[-1].value == "EIGER2"
        with pytest.raises(NotConnectedError):
            await waiting
        second = Server(port=made.server.port)
        device = second.device("X:", TABLE)
        await device.post("Model_RBV", "PILATUS4")
        await second.start()
        try:
            await until(lambda: seen[-1].connected)
            assert seen[-1].value == "PILATUS4"
            await client.put("X:NumImages", 7, wait=True)
            assert device["NumImages"] == 7
        finally:
            await second.close()

    run(test)


def test_two_servers_on_two_ports() -> None:
    async def whole() -> None:
        async with rig() as (made, _), asyncio.timeout(10):
            other = Server(port=0)
            other.device("Y:", TABLE)
            await other.start()
            client = Client([f"127.0.0.1:{port}" for port in (made.server.port, other.port)])
            try:
                assert await client.connect(["X:Acquire", "Y:Acquire"]) == set()
                assert await client.get("Y:Acquire") == "Done"
            finally:
                await client.close()
                await other.close()

    asyncio.run(whole())


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_is_said(kind: socket.SocketKind) -> None:
    async def whole() -> None:
        with socket.socket(socket.AF_INET, kind) as holder:
            holder.bind(("127.0.0.1", 0))
            if kind is socket.SOCK_STREAM:
                holder.listen()
            port = holder.getsockname()[1]
            with pytest.raises(PortTakenError, match=f"port {port} .* is taken"):
                await Server(port=port).start()

    asyncio.run(whole())


def test_one_pv_is_served_once() -> None:
    server = Server()
    server.device("X:", TABLE)
    with pytest.raises(ValueError, match="served twice"):
        server.device("X:", TABLE[:1])
