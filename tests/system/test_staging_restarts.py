"""Simulator and writer find each other again, whichever of them was gone, and whenever."""

import asyncio
import signal
from contextlib import ExitStack

import pytest

from ioc.client import CaError
from softbeam.ports import own_ports
from tests.kit.programs import program
from tests.kit.stage import impatient, on_stage

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


class Halves:
    """The two programs of a beamline, each started and killed by itself."""

    def __init__(self, held, beamline, folder):
        self.held, self.folder = held, folder
        self.file = folder / "beamline.json"
        self.file.write_text(beamline.model_dump_json())

    def start(self, module):
        data = ["--data", self.folder] if module == "writer" else []
        command = ["-P", "-m", module, "--beamline", self.file, *data]
        return self.held.enter_context(program(command, self.folder)).process

    async def again(self, old, module, number):
        old.send_signal(number)
        await asyncio.to_thread(old.wait, 5)
        return await asyncio.to_thread(self.start, module)


def test_each_half_may_end_and_come_back(tmp_path):
    beamline = own_ports(impatient())

    async def work(stage):
        # The writer is gone while frames are sent: they are dropped, and the camera ends by itself.
        await stage.set_up("one", 100, time=0.02)
        start = stage.start()
        await stage.captured(5)
        halves.writer = await halves.again(halves.writer, "writer", signal.SIGKILL)
        with pytest.raises(CaError, match="has gone"):
            await start
        await stage.ready()
        await stage.until(f"{stage.cam}Acquire_RBV", lambda v: v == "Done")
        await stage.check_next("two")

        # The writer is told to end: what came is a master, and the camera is stopped.
        await stage.set_up("three", 300, time=0.02)
        start = stage.start()
        await stage.captured(5)
        halves.writer = await halves.again(halves.writer, "writer", signal.SIGTERM)
        await asyncio.wait([start])
        assert stage.check(str(tmp_path / "three.nxs")).ok
        await stage.ready()
        assert await stage.get(f"{stage.cam}DetectorState_RBV") == "Aborted"
        await stage.check_next("four")

        # The simulator goes in mid-series: the acquisition ends by itself and says what is missing.
        await stage.set_up("five", 200, time=0.02)
        start = stage.start()
        await stage.captured(5)
        halves.sim = await halves.again(halves.sim, "sim", signal.SIGKILL)
        await start
        told = await stage.result()
        assert (told["Outcome"], told["Stored"] + told["Missing"]) == ("incomplete", 200), told
        assert "has gone" in told["Message"]
        await stage.ready()
        await stage.check_next("six")

        # Nobody is there: said at once.
        halves.sim.send_signal(signal.SIGTERM)
        await asyncio.to_thread(halves.sim.wait, 5)
        with pytest.raises(CaError, match="does not answer"):
            await stage.start()

    with ExitStack() as held:
        halves = Halves(held, beamline, tmp_path)
        halves.sim, halves.writer = halves.start("sim"), halves.start("writer")
        on_stage(beamline, tmp_path, work)
