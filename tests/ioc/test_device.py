"""A device's puts and posts: alarms of refused puts, values that may wait, arrays of numpy."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

from ioc import menus
from ioc.client import Client, PutFailedError, Reading
from ioc.device import SOON
from ioc.records import Kind, PutError, PvClass, Record, Severity, Status
from ioc.server import Device, Server
from ioc.wire import Dbr

TABLE = (
    Record(name="Energy", kind=Kind.DOUBLE, pv_class=PvClass.ACTS, readback=True, initial=8000.0),
    Record(name="Note", kind=Kind.DOUBLE, pv_class=PvClass.ECHOES, readback=True),
    Record(name="Mode", kind=Kind.ENUM, menu=menus.ImageMode, pv_class=PvClass.ECHOES),
    Record(name="Count", kind=Kind.LONG),
    Record(name="Total", kind=Kind.LONG),
    Record(name="Image", kind=Kind.LONGS, length=250_000),
    Record(name="Profile", kind=Kind.DOUBLES, length=125_000),
    Record(name="Message", kind=Kind.STRING),
)


class Rig:
    """A device that refuses negative energies and shows why."""

    def __init__(self) -> None:
        self.server = Server(port=0)
        self.device: Device = self.server.device("X:", TABLE, self._put, on_refused=self._refused)

    async def _put(self, name: str, value: object) -> None:
        if name == "Energy":
            assert isinstance(value, float)
            if value < 0:
                raise PutError("an energy is not negative")
            await self.device.settle(name, round(value))

    async def _refused(self, name: str, why: str) -> None:
        await self.device.post("Message", f"{name}: {why}")


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


def alarm(device: Device, name: str) -> tuple[int, int]:
    return device.channels[name].shown_alarm


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Energy", -1.0, "not negative"),
        ("Energy", math.nan, "finite"),
        ("Energy", math.inf, "finite"),
        ("Mode", 7, "no choice 7"),
    ],
)
def test_a_refused_put_leaves_the_value_and_is_seen_until_the_next_good_one(
    name: str, value: float, why: str
) -> None:
    async def test(made: Rig, client: Client) -> None:
        before = await client.get(f"X:{name}")
        with pytest.raises(PutFailedError, match=why):
            await client.put(f"X:{name}", value, wait=True)
        assert await client.get(f"X:{name}") == before
        assert alarm(made.device, name) == (Severity.INVALID, Status.WRITE)
        assert why in str(await client.get("X:Message"))
        if name == "Energy":
            assert await client.get("X:Energy_RBV") == before
        await client.put(f"X:{name}", 1, wait=True)
        assert alarm(made.device, name) == (0, 0)

    run(test)


def test_what_is_no_value_at_all_leaves_the_alarm_as_it_was() -> None:
    async def test(made: Rig, client: Client) -> None:
        await client.connect(["X:Mode"])
        # The client looks at the menu itself; what a server says to the text is seen only without it.
        client._channels["X:Mode"].native, client._channels["X:Mode"].states = Dbr.STRING, ()
        with pytest.raises(PutFailedError, match="not on the menu"):
            await client.put("X:Mode", "Sometimes", wait=True)
        assert alarm(made.device, "Mode") == (0, 0)
        assert "'Sometimes' is not on" in made.device["Message"]

    run(test)


def test_nan_where_nothing_acts_is_kept_and_undefined() -> None:
    async def test(made: Rig, client: Client) -> None:
        await client.put("X:Note", math.nan, wait=True)
        assert math.isnan(made.device["Note_RBV"])
        assert alarm(made.device, "Note") == (Severity.INVALID, Status.UDF)
        await client.put("X:Note", 2, wait=True)
        assert alarm(made.device, "Note") == (0, 0)

    run(test)


def test_an_alarm_of_the_program_outlives_a_put() -> None:
    async def test(made: Rig, client: Client) -> None:
        await made.device.post("Energy", 1.0, severity=Severity.MAJOR)
        await client.put("X:Energy", 2.0, wait=True)
        assert alarm(made.device, "Energy") == (Severity.MAJOR, Status.STATE)

    run(test)


def test_counters_come_in_time_and_not_oftener() -> None:
    async def test(made: Rig, client: Client) -> None:
        seen: list[tuple[float, object]] = []

        def heard(reading: Reading) -> None:
            seen.append((time.monotonic(), reading.value))

        await client.subscribe("X:Count", heard)
        await until(lambda: bool(seen))
        began = time.monotonic()
        number = 0
        while time.monotonic() < began + 0.5:
            number += 1
            made.device.post_soon({"Count": number, "Total": 2 * number})
            await asyncio.sleep(0.001)
        await until(lambda: seen[-1][1] == number)
        values = [value for _, value in seen]
        assert values == sorted(values)  # type: ignore[type-var]
        assert made.device["Total"] == 2 * number
        # At most every 50 ms, and the first at once.
        assert 3 <= len(seen) <= 3 + (time.monotonic() - began) / SOON
        assert values[1] in range(10)

    run(test)


def test_a_value_that_is_posted_stands_before_one_that_may_wait() -> None:
    async def test(made: Rig, _: Client) -> None:
        device = made.device
        device.post_soon({"Count": 1})
        await asyncio.sleep(0)
        device.post_soon({"Count": 2, "Total": 2})
        await device.post("Count", 3)
        await asyncio.sleep(2 * SOON)
        assert (device["Count"], device["Total"]) == (3, 2)

    run(test)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("Image", np.arange(250_000, dtype=np.int32)),
        ("Image", np.arange(250_000, dtype=np.uint16).reshape(500, 500)),
        ("Image", np.linspace(-5.0, 5.0, 1000)),
        ("Profile", np.linspace(0.0, 1.0, 125_000)),
        ("Profile", np.arange(10, dtype=np.uint8)),
    ],
)
def test_arrays_of_numpy_are_served_as_they_are(name: str, array: np.ndarray) -> None:
    async def test(made: Rig, client: Client) -> None:
        await made.device.post(name, array)
        kept = made.device[name]
        assert isinstance(kept, np.ndarray)
        expected = array.reshape(-1)
        expected = expected.astype(np.int32) if name == "Image" else expected.astype(float)
        assert await client.get(f"X:{name}") == expected.tolist()
        await made.device.post_changed({name: array})
        await made.device.post_changed({name: array[:3]})
        assert len(made.device[name]) == array[:3].size

    run(test)


def test_an_array_longer_than_the_record_is_cut() -> None:
    async def test(made: Rig, _: Client) -> None:
        await made.device.post("Image", np.zeros(250_010, np.int64))
        assert len(made.device["Image"]) == 250_000

    run(test)
