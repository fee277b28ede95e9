"""The whole beamline as processes, and what a control script does with it, for tests that need all of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from ioc import names
from ioc.client import Client
from layouts.beamline import Beamline
from layouts.raw.names import truth_file
from layouts.scan import Sweep
from softbeam.ports import own_ports
from softbeam.programs import Programs, start_beamline
from softbeam.rotation import Result, plan_rotation
from softbeam.scan_command import measure


@dataclass(frozen=True, slots=True)
class Running:
    """A beamline that is up.

    Attributes:
        beamline: On ports of its own.
        folder: Where its files and its log are.
    """

    beamline: Beamline
    folder: Path

    @property
    def addresses(self) -> list[str]:
        """CA servers."""
        ca = self.beamline.ca
        return [f"{ca.interface}:{ca.sim_port}", f"{ca.interface}:{ca.writer_port}"]

    @property
    def log(self) -> str:
        """What the programs have logged."""
        return (self.folder / "up.log").read_text()

    def move(self, positions: Mapping[str, float]) -> None:
        """Move motors through Channel Access and wait for them."""

        async def go() -> None:
            client = Client(self.addresses)
            try:
                for name, value in positions.items():
                    record = names.motor(self.beamline.prefix, self.beamline.motor(name).pv)
                    assert not await client.connect([f"{record}.VAL"], 10)
                    await client.put(f"{record}.VAL", value, wait=True, timeout=60)
            finally:
                await client.close()

        asyncio.run(go())

    def rotate(self, name: str, sweep: Sweep, detectors: list[str], axis: str = "omega") -> Result:
        """Do a rotation as ``softbeam scan rotation`` does."""
        plan = plan_rotation(
            self.beamline,
            sweep,
            axis=axis,
            detectors=detectors,
            count_time=None,
            directory=self.folder,
            name=name,
        )
        return asyncio.run(measure(self.beamline, plan, Console(file=StringIO())))

    def truth(self, name: str) -> dict[str, Any]:
        """What was simulated for an acquisition, by detector."""
        return json.loads((self.folder / truth_file(name)).read_text())


@contextmanager
def running(beamline: Beamline, folder: Path, options: Sequence[str | Path] = ()) -> Iterator[Running]:
    """The simulator and the writer of a beamline, on ports of their own, until the block ends.

    Args:
        beamline: Whose ports do not matter.
        folder: Where its files and its log go.
        options: What both programs are told beside it.
    """
    b = own_ports(beamline)
    file = folder / "beamline.json"
    file.write_text(b.model_dump_json())
    with (folder / "up.log").open("w") as log, Programs(log) as programs:
        start_beamline(programs, file, folder, options)
        programs.wait_ready(60)
        yield Running(b, folder)
