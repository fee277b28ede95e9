"""The station in one process: settings that are saved and restored, health, several interfaces."""

import asyncio
import json
import time

import pytest

from ioc.clash import ClashError
from ioc.client import Client
from ioc.place import Place
from ioc.records import Severity
from ioc.server import Server
from ioc.station import Station
from ioc.tables.build import ACTS, choice, number


def table():
    return (
        number("AcquireTime", 0.1, does=ACTS),
        number("AcquirePeriod", 0.1, does=ACTS),
        choice("Acquire", ("Done", "Acquire"), does=ACTS, rtype="busy"),
    )


class Camera:
    """The period follows the time, as a camera's does."""

    def __init__(self, station):
        self.device = station.server.device("SB:cam1:", table(), self.put)
        self.acquired = 0

    async def put(self, name, value):
        await self.device.settle(name, value)
        if name == "AcquireTime":
            await self.device.settle("AcquirePeriod", value)
        self.acquired += name == "Acquire"


def run(work):
    asyncio.run(asyncio.wait_for(work, 30))


class Up:
    """A station that serves a camera."""

    def __init__(self, tmp_path, interfaces=("127.0.0.1",), **more):
        self.station = Station(Place(program="sim", prefix="SB:", interfaces=interfaces, port=0, **more))
        self.camera = Camera(self.station)
        self.health = self.station.health.device

    async def __aenter__(self):
        await self.station.restore()
        await self.station.open()
        self.client = Client([f"{a}:{self.station.server.port}" for a in self.station.place.interfaces])
        return self

    async def __aexit__(self, *_):
        await self.client.close()
        await self.station.close()

    async def until(self, condition):
        async with asyncio.timeout(15):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


def saved(folder):
    return json.loads((folder / "sim-settings.json").read_text())["settings"]


def test_linked_settings_come_back_in_the_order_they_were_put(tmp_path):
    async def work():
        async with Up(tmp_path, autosave=tmp_path) as up:
            await up.client.put("SB:cam1:AcquireTime", 0.2, wait=True)
            await up.client.put("SB:cam1:AcquirePeriod", 0.5, wait=True)
            await up.client.put("SB:cam1:Acquire", 1, wait=True)
        assert list(saved(tmp_path).items()) == [
            ("SB:cam1:AcquireTime", 0.2),
            ("SB:cam1:AcquirePeriod", 0.5),
        ]
        async with Up(tmp_path, autosave=tmp_path) as up:
            assert (up.camera.device["AcquireTime_RBV"], up.camera.device["AcquirePeriod_RBV"]) == (0.2, 0.5)
            assert up.camera.acquired == 0
            await up.client.put("SB:cam1:AcquireTime", 0.3, wait=True)
        # The time was the last word: the period follows it, now and next time.
        assert list(saved(tmp_path).values()) == [0.3, 0.3]
        async with Up(tmp_path, autosave=tmp_path) as up:
            assert up.camera.device["AcquirePeriod_RBV"] == 0.3

    run(work())


def test_nothing_is_written_that_was_not_asked_for(tmp_path):
    async def work():
        async with Up(tmp_path) as up:
            await up.client.put("SB:cam1:AcquireTime", 0.2, wait=True)
            assert (up.health["AUTOSAVE"], up.health["PUT_LOG"]) == ("", "")

    run(work())
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_be_saved_are_an_alarm(tmp_path, monkeypatch):
    monkeypatch.setattr("ioc.station.SAVE_EVERY", 0.05)

    async def work():
        async with Up(tmp_path, autosave=tmp_path / "here") as up:
            (tmp_path / "here").rmdir()
            await up.client.put("SB:cam1:AcquireTime", 0.2, wait=True)
            await up.until(lambda: "not saved" in up.health["AUTOSAVE"])
            reading = await up.client.read("SB:IOC:SIM:AUTOSAVE")
            assert reading.severity == Severity.MAJOR
            (tmp_path / "here").mkdir()
            await up.until(
                lambda: "1 settings in" in up.health["AUTOSAVE"] or "2 settings in" in up.health["AUTOSAVE"]
            )
            assert (await up.client.read("SB:IOC:SIM:AUTOSAVE")).severity == Severity.NONE

    run(work())


def test_several_interfaces_serve_the_same_values(tmp_path):
    async def work():
        async with Up(tmp_path, ("127.0.0.1", "127.0.0.2")) as up:
            port = up.station.server.port
            clients = [Client([f"{address}:{port}"]) for address in ("127.0.0.1", "127.0.0.2")]
            seen = []
            try:
                await clients[1].subscribe("SB:cam1:AcquireTime_RBV", lambda r: seen.append(r.value))
                await up.until(lambda: len(seen) == 1)
                await clients[0].put("SB:cam1:AcquireTime", 0.7, wait=True)
                await up.until(lambda: len(seen) == 2)
                assert seen == [0.1, 0.7]
                await up.until(lambda: up.health["CA_CLNT_CNT"] == 2)
                assert up.health["CA_CONN_CNT"] == 2
            finally:
                for client in clients:
                    await client.close()
            await up.until(lambda: up.health["CA_CLNT_CNT"] == 0)
            assert up.health["INTERFACES"] == f"127.0.0.1:{port} 127.0.0.2:{port}"

    run(work())


def test_what_is_served_elsewhere_is_not_served_again(tmp_path):
    async def work():
        other = Server(port=0)
        other.device("SB:cam1:", table())
        await other.start()
        place = Place(
            program="sim", prefix="SB:", interfaces=("127.0.0.1",), port=0, other_ports=(other.port,)
        )
        station = Station(place)
        try:
            Camera(station)
            with pytest.raises(ClashError, match=f"SB:cam1:.* by 127.0.0.1:{other.port}"):
                await station.look()
        finally:
            await station.close()
            await other.close()

    run(work())


def test_the_heart_beats_each_second_and_puts_are_counted(tmp_path):
    async def work():
        async with Up(tmp_path, put_log=tmp_path) as up:
            beats = []
            await up.client.subscribe("SB:IOC:SIM:HEARTBEAT", lambda r: beats.append(r.value))
            for value in (0.2, 0.3):
                await up.client.put("SB:cam1:AcquireTime", value, wait=True)
            await up.until(lambda: len(beats) >= 3 and up.health["PUT_CNT"] == 2)
            assert beats == list(range(int(beats[0]), int(beats[0]) + len(beats)))
            assert up.health["UPTIME"].startswith("00:00:0")
            assert up.health["RECORD_CNT"] == len(up.station.server.names)
            assert 1e6 < up.health["MEM_USED"] <= up.health["TREE_MEM_USED"]
            assert up.health["FD_CNT"] + up.health["FD_FREE"] == up.health["FD_MAX"]
            assert len((tmp_path / "sim-puts.jsonl").read_text().splitlines()) == 1 + 2 * 2

    run(work())


def test_a_loop_that_is_held_up_and_a_missing_child_are_alarms(tmp_path):
    async def work():
        async with Up(tmp_path, children=99) as up:
            late = []
            await up.client.subscribe("SB:IOC:SIM:LOOP_LAG", late.append)
            await up.until(lambda: len(late) == 1)
            time.sleep(0.7)  # noqa: ASYNC251 (what a loop must not do)
            await up.until(lambda: any(reading.severity for reading in late))
            assert max(reading.value for reading in late) >= 500
            await up.until(lambda: late[-1].severity == Severity.NONE)
            assert (await up.client.read("SB:IOC:SIM:CHILD_CNT")).severity == Severity.MAJOR

    run(work())
