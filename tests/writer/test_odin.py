"""Odin's close timer without a writer and on a clock of its own."""

import asyncio
from types import SimpleNamespace

import pytest

from ioc.server import Server
from layouts.beamline import load
from writer import control
from writer.faults import Faults
from writer.odin import OdinDevice

ODIN = "SB:EIG1:OD:"


class Captures:
    """Has one capture open until it is told to stop."""

    def __init__(self) -> None:
        self.stopped = asyncio.Event()

    async def capture(self, detector, asker):
        raise AssertionError("nobody asks for a capture here")

    async def stop_capture(self, detector) -> None:
        self.stopped.set()
        await self.odin.show_end("", "", 0.0, 0)


@pytest.fixture
def clock(monkeypatch):
    """The time that the timer goes by, in s."""
    now = SimpleNamespace(s=100.0)
    monkeypatch.setattr("writer.odin.time", SimpleNamespace(monotonic=lambda: now.s))
    return now


def test_files_are_closed_when_no_frame_has_come_for_as_long_as_was_put(clock):
    async def work() -> None:
        beamline, server, captures = load(), Server(port=0), Captures()
        captures.odin = odin = OdinDevice(
            server, beamline, beamline.detector("EIG1"), captures, Faults(refuse=False)
        )
        await odin.show_open()
        await server.put(f"{ODIN}CloseFileTimeout", 3_000)
        await server.put(f"{ODIN}StartTimeout", 1)
        await asyncio.sleep(0)  # the timer begins now
        clock.s += 2.9
        await odin.show_counters(control.Counters(received=1), 1)
        clock.s += 2.9  # of a frame's arrival, so there is time left
        await asyncio.sleep(0.3)
        assert odin.device["TimeoutActive_RBV"] == "Timeout Active"
        assert not captures.stopped.is_set()
        clock.s += 0.2
        await asyncio.wait_for(captures.stopped.wait(), 10)

    asyncio.run(work())
