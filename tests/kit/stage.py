"""What a strict first user does with a beamline that is up: sets up, starts, looks at all that is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ioc import names
from ioc.client import Client
from layouts.beamline import Beamline, load
from layouts.nexus.check_h5 import check
from layouts.nexus.findings import Report

LIMIT = 60.0
"""Seconds that any single thing may take."""
COUNTERS = ("Received", "Expected", "Stored", "Missing", "Duplicate", "Foreign", "Unwanted", "Failed")


def impatient() -> Beamline:
    """The built-in beamline with short timeouts and little room to spare."""
    beamline = load()
    storage = beamline.storage.model_copy(update={"stall_timeout": 1.0, "grace": 0.5, "reserve": 1 << 20})
    return beamline.model_copy(update={"storage": storage})


class Stage:
    """One detector of a beamline that is up, through Channel Access alone.

    Attributes:
        beamline: On ports of its own.
        directory: Where the files go.
        detector: The one that takes part.
    """

    def __init__(self, beamline: Beamline, directory: Path, detector: str = "EIG1") -> None:
        self.beamline, self.directory, self.detector = beamline, directory, detector
        pv = beamline.detector(detector).pv
        self.cam = names.cam(beamline.prefix, pv, beamline.preset)
        self.hdf = names.hdf(beamline.prefix, pv, beamline.preset)
        self.acq = names.acq(beamline.prefix)
        self.sim = names.sim(beamline.prefix, pv)
        self.truth = names.truth(beamline.prefix, pv)
        ca = beamline.ca
        self.client = Client([f"{ca.interface}:{ca.sim_port}", f"{ca.interface}:{ca.writer_port}"])

    async def ready(self) -> None:
        """Both servers answer, and the worker is there."""
        needed = [f"{self.cam}Acquire", f"{self.acq}State_RBV", f"{self.hdf}Connected_RBV"]
        assert not await self.client.connect(needed, 20)
        await self.until(f"{self.hdf}Connected_RBV", lambda v: v == "Yes")

    async def put(self, pv: str, value: object) -> None:
        await self.client.put(pv, value, wait=True, timeout=LIMIT)

    async def get(self, pv: str) -> Any:
        return await self.client.get(pv, 5.0)

    async def until(self, pv: str, condition: Callable[[Any], bool]) -> Any:
        """The first value seen of which something holds."""
        async with asyncio.timeout(LIMIT):
            while not condition(value := await self.get(pv)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return value

    async def set_up(self, name: str, images: int, *, time: float = 0.01, **more: object) -> None:
        """What a script writes before each acquisition; ``more`` are records of the camera."""
        camera = {"TriggerMode": "Internal Series", "NumImages": images, "NumTriggers": 1}
        camera |= {"AcquireTime": time, "AcquirePeriod": time} | more
        for record, value in camera.items():
            await self.put(f"{self.cam}{record}", value)
        for record, value in {"FilePath": str(self.directory), "FileName": name}.items():
            await self.put(f"{self.hdf}{record}", value)
        await self.put(f"{self.hdf}FileTemplate", "%s%s.h5")
        await self.put(f"{self.hdf}NumCapture", images)
        for record, value in {
            "FilePath": str(self.directory),
            "Name": name,
            "Detectors": self.detector,
        }.items():
            await self.put(f"{self.acq}{record}", value)

    def start(self) -> asyncio.Task[None]:
        """ACQ:Start, whose put completes when all is over."""
        return asyncio.create_task(self.put(f"{self.acq}Start", 1))

    def capture(self) -> asyncio.Task[None]:
        """HDF1:Capture, whose put completes when the capture has ended."""
        return asyncio.create_task(self.put(f"{self.hdf}Capture", 1))

    async def captured(self, number: int) -> int:
        """Wait until so many frames are captured, of a capture that has just begun."""
        await self.until(f"{self.hdf}Capture_RBV", lambda v: v == "Capturing")
        return await self.until(f"{self.hdf}NumCaptured_RBV", lambda v: v >= number)

    async def result(self) -> dict[str, Any]:
        """What ACQ says of its last acquisition."""
        words = ("State", "Outcome", "Message", "MasterFile", "Stored", "Missing", "Expected")
        return {word: await self.get(f"{self.acq}{word}_RBV") for word in words}

    async def counters(self) -> dict[str, int]:
        """The detector's counters, of which all sums are right."""
        c = {word: int(await self.get(f"{self.hdf}Num{word}_RBV")) for word in COUNTERS}
        lost = c["Duplicate"] + c["Foreign"] + c["Unwanted"] + c["Failed"]
        assert c["Received"] == c["Stored"] + lost, c
        assert c["Expected"] == c["Stored"] + c["Missing"], c
        return c

    async def check_next(self, name: str) -> None:
        """Another acquisition straight after, which has nothing of the one before."""
        await self.set_up(name, 6)
        await self.start()
        told = await self.result()
        assert (told["Outcome"], told["Stored"], told["Missing"]) == ("complete", 6, 0), told
        assert self.check(told["MasterFile"]).ok
        await self.counters()

    def check(self, master: str) -> Report:
        """What the checker says of a master, every frame decoded."""
        return check(Path(master), deep=True)


def on_stage(beamline: Beamline, directory: Path, work: Callable[[Stage], Awaitable[None]]) -> None:
    """Do something with a beamline that is up; nothing waits for ever."""

    async def bounded() -> None:
        stage = Stage(beamline, directory)
        try:
            async with asyncio.timeout(3 * LIMIT):
                await stage.ready()
                await work(stage)
        finally:
            await stage.client.close()

    asyncio.run(bounded())
