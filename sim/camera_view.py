"""What a camera's records show of its detector: readbacks, states, counters, rates and climate.

Nothing is decided here. Records that a generation of detector has not are left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from ioc.menus import DataSource
from ioc.server import Device
from layouts.beamline import Detector
from sim import cam_values
from sim.announce import wall_clock
from sim.array_count import ArrayCount
from sim.climate import climate
from sim.eiger import Eiger
from sim.pool import Pool
from sim.reports import Counts

RATE_EVERY = 1.0
"""Seconds between two values of ArrayRate_RBV, as the record's SCAN is."""
STATUS_EVERY = 10
"""Rates between two readings of temperature and humidity."""
BUFFER = 100.0
"""GB of the detector's own file writer; it holds no files, so all of it is free."""


class View:
    """The records of one camera.

    Args:
        device: Its records.
        detector: What it is.
        primed: Whether sizes of arrays are shown before the first frame.

    Attributes:
        exposure: Exposure of the triggers to come in Internal Enable, set while the series is armed.
        busy: Whether an acquisition is under way or the writer is waited for.
    """

    def __init__(self, device: Device, detector: Detector, *, primed: bool) -> None:
        self._device = device
        self._detector = detector
        self._sized = primed
        self._arrays = ArrayCount()
        self._latest: dict[str, object] = {}
        self._task: asyncio.Task[None] | None = None
        self.exposure: float | None = None
        self.busy = False

    async def start(self, eiger: Eiger) -> None:
        """Show what a detector is and how it is set, and from now on how it feels."""
        await self.show(cam_values.identity(self._detector))
        await self.show(cam_values.setpoints(eiger.config))
        await self.settle(eiger)
        await self.show({"FWFree_RBV": BUFFER})
        await self.read_climate()
        self._task = asyncio.create_task(self._watch(), name=f"status {self._detector.name}")

    async def close(self) -> None:
        """Show no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=0.2)

    async def show(self, values: Mapping[str, object]) -> None:
        """Post what has changed of these values, and what this generation of detector has of them."""
        await self._device.post_changed({name: v for name, v in values.items() if name in self._device})

    async def settle(self, eiger: Eiger) -> None:
        """Let the readbacks say what the detector has taken."""
        values = cam_values.readings(eiger.config, self._detector, sized=self._sized)
        if self.exposure is not None:
            values |= {"AcquireTime": self.exposure, "AcquireTime_RBV": self.exposure}
        await self.show(values)
        await self.modules(eiger)

    async def modules(self, eiger: Eiger) -> None:
        """States of stream, file writer and monitor."""
        await self.show(cam_values.modules(self._device.__getitem__, running=eiger.is_running))

    async def links(self, *, alive: bool) -> None:
        """States of the data links."""
        await self.show(cam_values.links(self._detector, alive=alive))

    async def pool(self, pool: Pool) -> None:
        """Arrays that the writer has still to store."""
        await self.show(pool.values(int(self._device["ArraySize_RBV"])))

    async def read_climate(self) -> None:
        """Temperature and humidity; as the driver, not in mid-series."""
        if not self.busy:
            temperature, humidity = climate(self._detector.name, time.time())
            await self.show(
                {"TemperatureActual": temperature, "Temp0_RBV": temperature, "Humid0_RBV": humidity}
            )

    # --- counters -----------------------------------------------------------------------------------------

    async def begin_count(self) -> None:
        """A series is armed: its frames count from 0, arrays go on counting."""
        self._arrays = self._arrays.of_next_series()
        self._latest = {"NumImagesCounter_RBV": 0, "StreamDropped_RBV": 0, "NumExposuresCounter_RBV": 0}
        await self.flush()

    async def count(self, counts: Counts, eiger: Eiger) -> None:
        """Show the counters soon; the driver counts frames in the stream, and without a source none."""
        left = max(0, eiger.total - counts.frames) * eiger.config.frame_time
        values: dict[str, object] = {
            "StreamDropped_RBV": counts.dropped,
            "CompressedSize_RBV": counts.size,
            "TimeRemaining_RBV": left,
        }
        if counts.frames and self._device["DataSource_RBV"] == DataSource.STREAM:
            self._arrays = self._arrays.with_frames(counts.frames)
            values |= self._arrays.values(wall_clock(_ended(eiger, counts.frames - 1)))
            if not self._sized:
                self._sized = True
                await self.settle(eiger)
        self._latest = values
        self._device.post_soon(values)

    async def flush(self) -> None:
        """Show the counters now."""
        await self.show(self._latest)

    async def count_from(self, value: int) -> None:
        """Count arrays from here."""
        self._arrays = self._arrays.counted_from(value)
        self._latest["ArrayCounter_RBV"] = value
        await self._device.post("ArrayCounter_RBV", value)

    async def _watch(self) -> None:
        """Rate of arrays every second, the detector's climate now and then."""
        before, rounds = self._arrays.total, 0
        while True:
            await asyncio.sleep(RATE_EVERY)
            count = self._arrays.total
            await self.show({"ArrayRate_RBV": max(0, count - before) / RATE_EVERY})
            before, rounds = count, rounds + 1
            if rounds % STATUS_EVERY == 0:
                await self.read_climate()


def _ended(eiger: Eiger, frame: int) -> float:
    """When a frame's exposure ended, on the schedule's clock; now if it was an earlier trigger's."""
    last: Any = eiger.last
    if last is None or frame < last.first:
        return time.monotonic()
    return last.at + (frame - last.first) * last.period + last.count_time
