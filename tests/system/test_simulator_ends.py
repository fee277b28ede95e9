"""How the simulator's processes wait, are stopped, and end: nothing hangs, nothing is left."""

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from layouts.beamline import load
from tests.kit.hands import CAM, hands, internal
from tests.kit.simulated import Receiver, gone, simulator

pytestmark = pytest.mark.system


def lossless():
    beamline = load()
    detectors = tuple(
        d.model_copy(update={"stream": d.stream.model_copy(update={"full_socket": "wait"})})
        for d in beamline.detectors
    )
    return beamline.model_copy(update={"detectors": detectors})


def test_lossless_waits_for_its_receiver_and_can_be_aborted():
    with simulator(lossless()) as other:

        async def do():
            async with hands(other) as h:
                await internal(h, images=4)
                running = asyncio.create_task(h.put(CAM + "Acquire", 1))
                await h.until(CAM + "Armed", "Armed")
                await h.put(CAM + "Acquire", 0)
                await running
                assert await h.get(CAM + "DetectorState_RBV") == "Aborted"
                running = asyncio.create_task(h.put(CAM + "Acquire", 1))
                await h.until(CAM + "Armed", "Armed")
                with Receiver(other.beamline.detectors[0].stream.endpoint) as late:
                    await running
                    return await asyncio.to_thread(late.series, 2), await h.truth()

        got, truth = asyncio.run(do())
        assert got.start is not None
        assert [i.frame for i in got.images] == [0, 1, 2, 3]
        assert (truth["sent"], truth["dropped"]) == (4, 0)


def test_sigterm_ends_all_of_it_in_mid_series():
    with simulator() as other:

        async def do():
            async with hands(other) as h:
                await internal(h, images=100000)
                await h.client.put(CAM + "Acquire", 1)
                await h.until(CAM + "Armed", "Armed")

        asyncio.run(do())
        pids = other.pids()
        assert len(pids) == 3
        began = time.monotonic()
        other.process.send_signal(signal.SIGTERM)
        assert other.process.wait(5) == 0
        assert gone(pids)
        assert time.monotonic() - began < 5  # it is killed after 2 s at the latest


def test_kill_9_of_the_simulator_leaves_no_emitter():
    with simulator() as other:
        pids = other.pids()
        other.process.kill()
        other.process.wait()
        assert gone(pids)


def test_the_lifeline_ends_it():
    read_end, write_end = os.pipe()
    with simulator(lifeline=read_end) as other:
        pids = other.pids()
        os.close(read_end)
        os.close(write_end)
        assert other.process.wait(5) == 0
        assert gone(pids)


def test_a_taken_stream_port_is_told_at_once():
    with simulator() as other:
        code = subprocess.run(  # noqa: PLW1510
            [sys.executable, "-P", "-m", "sim.emitter", "--beamline",
             other.log.parent / "beamline.json", "--detector", "EIG1"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert code.returncode == 1
        assert "cannot be bound" in code.stdout
        assert "detectors.stream.endpoint" in code.stdout


def test_a_detector_that_is_not_there():
    code = subprocess.run(  # noqa: PLW1510
        [sys.executable, "-P", "-m", "sim.emitter", "--detector", "EIG9"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert code.returncode == 1
    assert "no detector 'EIG9'" in code.stdout
