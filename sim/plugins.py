"""What a camera knows of the writer behind it: whether there is one, what it has stored, what it still has.

The writer says it by puts to the records beside the truth. WaitForPlugins makes the end of an acquisition
wait for its word, as ADCore waits for the queues of its plugins.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ioc.menus import NoYes
from ioc.server import Device
from sim.pool import Pool


def is_stored(device: Any, series: int) -> bool:
    """Whether there is nothing to wait for: the series is stored, or nobody writes.

    Args:
        device: Reads Writing and Stored.
        series: Number of the last one that was sent; 0 is none.
    """
    return device["Writing"] != NoYes.YES or int(device["Stored"]) >= series


class Plugins:
    """The writer of one camera.

    Args:
        device: The records beside the truth.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._changed = asyncio.Event()
        self._released = False
        self.pool = Pool()

    async def put(self, name: str, value: Any) -> None:
        """The writer has said something."""
        if name == "Queued":
            self.pool = self.pool.using(max(0, int(value)))
        await self._device.settle(name, value)
        self._changed.set()

    async def forget(self) -> None:
        """Series count from 1 again."""
        await self._device.post_changed({"Stored": 0})

    def release(self) -> None:
        """Wait no longer."""
        self._released = True
        self._changed.set()

    async def stored(self, series: int, within: float) -> str:
        """Wait for the writer's word on a series.

        Args:
            series: Its number.
            within: Seconds that the writer has.

        Returns:
            Why it was not waited for to the end; empty if it has come or there is no writer.
        """
        self._released = False
        try:
            async with asyncio.timeout(within):
                while not (self._released or is_stored(self._device, series)):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return (
                f"the writer did not answer for series {series} within {within:g} s; look at its WriteMessage"
            )
        return "the wait for the writer was ended by a put to AcquireBusy" if self._released else ""
