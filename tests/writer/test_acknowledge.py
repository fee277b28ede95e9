"""What a camera is told of the writer, and in which order: a camera of records that only take puts."""

import asyncio

import pytest

from ioc.client import CaError, Reading
from layouts.beamline import load
from writer.acknowledge import Acknowledge

SIM = "SB:EIG1:SIM:"


class Camera:
    """Takes puts of the records beside the truth; previews are settled when they are let be."""

    def __init__(self) -> None:
        self.puts: list[tuple[str, int]] = []
        self.listeners = {}
        self.settled = asyncio.Event()
        self.asked: list[tuple[str, int, int]] = []
        self.fails = False
        self.acknowledge = Acknowledge(load(), self, self.settle)

    async def subscribe(self, name: str, take) -> None:
        self.listeners[name] = take

    async def put(self, name: str, value: int) -> None:
        if self.fails:
            raise CaError(f"{name} does not answer")
        self.puts.append((name.removeprefix(SIM), value))

    async def settle(self, detector: str, series: int, frame: int) -> None:
        self.asked.append((detector, series, frame))
        await self.settled.wait()

    async def come(self, *, connected: bool = True) -> None:
        reading = Reading(name=f"{SIM}Writing", value="No", connected=connected)
        self.listeners[f"{SIM}Writing"](reading)
        await self.rest()
        self.puts.clear()

    async def rest(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


def with_camera(work) -> None:
    async def run() -> None:
        camera = Camera()
        await camera.acknowledge.start()
        await work(camera, camera.acknowledge)

    asyncio.run(run())


def test_a_camera_without_the_records_is_told_nothing():
    async def work(camera, acknowledge):
        await acknowledge.writing("EIG1", on=True)
        acknowledge.stored("EIG1", 1, 5)
        await acknowledge.writing("EIG1", on=False)
        await camera.rest()
        assert (camera.puts, camera.asked) == ([], [])

    with_camera(work)


def test_a_camera_that_comes_later_is_told_how_it_is():
    async def work(camera, acknowledge):
        await acknowledge.writing("EIG1", on=True)
        reading = Reading(name=f"{SIM}Writing", value="No", connected=True)
        camera.listeners[f"{SIM}Writing"](reading)
        await camera.rest()
        assert camera.puts == [("Writing", 1)]

    with_camera(work)


def test_stored_comes_when_the_previews_are_shown_and_the_end_of_the_capture_after_it():
    async def work(camera, acknowledge):
        await camera.come()
        await acknowledge.writing("EIG1", on=True)
        assert camera.puts == [("Writing", 1)]
        acknowledge.stored("EIG1", 7, 99)
        await acknowledge.writing("EIG1", on=False)
        await camera.rest()
        assert camera.asked == [("EIG1", 7, 99)]
        assert camera.puts == [("Writing", 1)]
        camera.settled.set()
        await camera.rest()
        assert camera.puts == [("Writing", 1), ("Stored", 7), ("Writing", 0)]

    with_camera(work)


def test_while_previews_are_shown_the_writer_is_there_without_a_capture():
    async def work(camera, acknowledge):
        await camera.come()
        camera.settled.set()
        await acknowledge.showing("EIG1", on=True)
        await acknowledge.writing("EIG1", on=True)
        await acknowledge.writing("EIG1", on=False)
        await acknowledge.showing("EIG1", on=False)
        await camera.rest()
        assert camera.puts == [("Writing", 1), ("Writing", 0)]

    with_camera(work)


def test_a_capture_does_not_wait_for_previews_of_the_one_before():
    async def work(camera, acknowledge):
        await camera.come()
        await acknowledge.showing("EIG1", on=True)
        await camera.rest()
        acknowledge.stored("EIG1", 1, 0)  # is not settled
        await asyncio.wait_for(acknowledge.writing("EIG1", on=True), 5)

    with_camera(work)


def test_of_series_that_end_faster_than_they_are_shown_the_newest_is_told():
    async def work(camera, acknowledge):
        await camera.come()
        for series in range(1, 6):
            acknowledge.stored("EIG1", series, 0)
            await camera.rest()
        camera.settled.set()
        await camera.rest()
        assert camera.asked == [("EIG1", 1, 0), ("EIG1", 5, 0)]
        assert camera.puts == [("Stored", 1), ("Stored", 5)]

    with_camera(work)


def test_a_camera_that_does_not_answer_is_of_no_consequence(caplog: pytest.LogCaptureFixture):
    async def work(camera, acknowledge):
        await camera.come()
        camera.settled.set()
        camera.fails = True
        acknowledge.stored("EIG1", 1, 0)
        await camera.rest()
        camera.fails = False
        acknowledge.stored("EIG1", 2, 0)
        await camera.rest()
        assert camera.puts == [("Stored", 2)]

    with_camera(work)
    assert "Stored" in caplog.text
