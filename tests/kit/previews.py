"""A detector's previews without a client and without the process: puts by name, frames by hand."""

import asyncio

import numpy as np

from ioc.server import Server
from layouts.beamline import load
from writer.preview import messages
from writer.preview.pipeline import Frame, Pipeline
from writer.preview.pixels import marked
from writer.preview.plugin import EPICS_EPOCH
from writer.preview.service import DetectorPreviews

STATS, IMAGE, REGION = "SB:EIG1:Stats1:", "SB:EIG1:image1:", "SB:EIG1:ROI1:"
ARRIVAL = EPICS_EPOCH + 1000.25


class Previews:
    """A detector's records and a pipeline that computes for them in this process."""

    def __init__(self) -> None:
        beamline = load()
        self.server = Server(port=0)
        self.changes = 0
        self.records = DetectorPreviews(self.server, beamline, beamline.detector("EIG1"), self._changed)
        self.pipeline = Pipeline()
        self.skipped = 0

    def _changed(self, detector: str) -> None:
        assert detector == "EIG1"
        self.changes += 1

    async def put(self, values: dict) -> None:
        for name, value in values.items():
            await self.server.put(name, value)

    def __getitem__(self, name: str):
        for device in self.server.devices:
            if name.startswith(device.prefix):
                return device[name.removeprefix(device.prefix)]
        raise KeyError(name)

    async def frame(self, data: np.ndarray, number: int = 0, series: int = 1, now: float = 0.0) -> None:
        self.pipeline.set(self.records.settings)
        self.pipeline.take(Frame(series, number, ARRIVAL + number, marked(data)))
        await self.work(now)

    async def work(self, now: float = 0.0) -> None:
        """Compute what is due, and show it."""
        self.pipeline.set(self.records.settings)
        for result in self.pipeline.work(now):
            head, *parts = messages.of_result("EIG1", result, self.skipped)
            message = messages.decode(head)
            assert isinstance(message, messages.Computed)
            await self.records.take(message, messages.arrays_of(message, parts))


def with_previews(work) -> None:
    asyncio.run(work(Previews()))
