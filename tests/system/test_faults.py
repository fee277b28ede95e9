"""Limits that warn, faults that stay until they are cleared, and workers that say nothing."""

import asyncio
import os
import signal

import pytest

from ioc.client import PutFailedError
from tests.kit.fake_beamline import Plan
from tests.kit.masters import children, command, run

pytestmark = pytest.mark.system

MINOR, MAJOR = 1, 2


async def alarm(rig, pv, severity):
    """The value of a PV once it has an alarm of this severity."""
    found = asyncio.get_running_loop().create_future()

    def look(reading):
        if reading.severity == severity and not found.done():
            found.set_result(reading.value)

    end = await rig.client.subscribe(pv, look)
    try:
        return await asyncio.wait_for(found, 20.0)
    finally:
        end()


def worker_of(rig, detector="EIG1"):
    return next(p for p in children(rig.writer.process.pid) if detector.encode() in command(p))


async def hang(rig, name):
    """An acquisition that has stored five frames and waits for more; its put, and its worker."""
    await rig.setup(name=name, images=50)
    camera = rig.cameras["EIG1"]
    camera.sent.clear()
    camera.plan = Plan(stop_after=5)
    start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
    await camera.sent.wait()
    await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v == 5)
    return start, worker_of(rig)


async def fail(rig, name):
    start, pid = await hang(rig, name)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(PutFailedError):
        await start
    await rig.until(rig.hdf("EIG1", "Connected_RBV"), lambda v: v == "Yes")


def test_calls_over_their_limits_are_told_of_once_and_end_nothing(tmp_path):
    async def work(rig):
        assert await rig.acquire(name="slow", images=20) == "complete"
        said = await alarm(rig, rig.hdf("EIG1", "SlowCalls_RBV"), MINOR)
        assert "create of a raw file took" in said
        assert "over the limit of 0.0001 ms" in said
        assert "flush" not in said
        assert rig.writer.said().count("WARNING EIG1: create of a raw file took") == 1
        assert "SlowCalls_RBV" not in rig.writer.said()

    run(work, tmp_path, limit_create=0.0001, limit_write=0.0001, limit_flush=1e6)


def test_a_fault_stays_until_it_is_cleared_and_refuses_nothing(tmp_path):
    async def work(rig):
        await fail(rig, "killed")
        assert await rig.acquire(name="next", images=5) == "complete"
        for pv in (rig.hdf("EIG1", "Fault_RBV"), rig.acq("Fault_RBV")):
            assert "SIGKILL" in await alarm(rig, pv, MAJOR)
        await rig.put(rig.hdf("EIG1", "ClearFault"), 1)
        assert await rig.get(rig.hdf("EIG1", "Fault_RBV")) == ""
        assert await rig.get(rig.acq("Fault_RBV")) == ""

    run(work, tmp_path)


def test_a_strict_beamline_begins_nothing_before_a_fault_is_cleared(tmp_path):
    async def work(rig):
        await fail(rig, "killed")
        for pv in (rig.acq("Start"), rig.hdf("EIG1", "Capture")):
            with pytest.raises(PutFailedError, match="ClearFault"):
                await rig.put(pv, 1)
        assert await rig.get(rig.hdf("EIG1", "Capture_RBV")) == "Done"
        assert "ClearFault" in await rig.get(rig.acq("Message_RBV"))
        # The other detector has no fault.
        assert await rig.acquire(name="other", images=3, detectors="EIG2") == "complete"
        await rig.put(rig.acq("ClearFault"), 1)
        assert await rig.acquire(name="next", images=5) == "complete"

    run(work, tmp_path, refuse_after_fault=True)


def test_a_worker_that_stands_still_is_an_alarm_and_goes_on(tmp_path):
    async def work(rig):
        start, pid = await hang(rig, "still")
        os.kill(pid, signal.SIGSTOP)
        try:
            assert await alarm(rig, rig.hdf("EIG1", "Connected_RBV"), MAJOR) == "No"
        finally:
            os.kill(pid, signal.SIGCONT)
        await rig.until(rig.hdf("EIG1", "Connected_RBV"), lambda v: v == "Yes")
        await rig.put(rig.acq("Abort"), 1)
        await start
        assert await rig.get(rig.acq("State_RBV")) == "Aborted"
        assert await rig.get(rig.acq("Stored_RBV")) == 5
        assert await rig.get(rig.hdf("EIG1", "Fault_RBV")) == ""

    run(work, tmp_path)


@pytest.mark.slow
def test_a_worker_that_says_nothing_for_too_long_fails_the_acquisition(tmp_path):
    async def work(rig):
        start, pid = await hang(rig, "silent")
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(PutFailedError, match="said nothing for"):
            await asyncio.wait_for(start, 60.0)
        assert await rig.get(rig.acq("State_RBV")) == "Failed"
        assert "said nothing for" in await rig.get(rig.acq("Message_RBV"))
        assert "said nothing for" in await alarm(rig, rig.hdf("EIG1", "Fault_RBV"), MAJOR)
        await rig.until(rig.hdf("EIG1", "Connected_RBV"), lambda v: v == "Yes")
        assert await rig.acquire(name="next", images=5) == "complete"

    run(work, tmp_path)
