"""Counters of frames as monitors: at most 20 Hz, the last value always, and their times and rates.

What the records are to read is worked out here as well; times count from the beginning of 1990, as EPICS
does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

POST_EVERY = 0.05
"""Least seconds between two posts."""
EPICS_EPOCH = 631_152_000
"""Unix time at which EPICS begins to count."""


class Counters:
    """Values that come faster than they are posted.

    Args:
        post: Posts values that have changed.
    """

    def __init__(self, post: Callable[[Mapping[str, object]], Awaitable[None]]) -> None:
        self._post = post
        self._waiting: dict[str, object] = {}
        self._posted = 0.0
        self._task: asyncio.Task[None] | None = None

    async def show(self, values: Mapping[str, object]) -> None:
        """Post values now, or soon where the last ones were posted a moment ago."""
        self._waiting |= values
        late = self._posted + POST_EVERY - time.monotonic()
        if late <= 0:
            await self.flush()
        elif self._task is None or self._task.done():
            self._task = asyncio.create_task(self._later(late), name="counters")

    async def flush(self) -> None:
        """Post what waits."""
        values, self._waiting = self._waiting, {}
        if values:
            self._posted = time.monotonic()
            await self._post(values)

    async def _later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.flush()


@dataclass(frozen=True, slots=True)
class ArrayCount:
    """Arrays that a camera has counted: over series until it is set, and in the series under way.

    Attributes:
        before: Arrays before the series.
        frames: Of the series.
    """

    before: int = 0
    frames: int = 0

    @property
    def total(self) -> int:
        """What ArrayCounter_RBV reads."""
        return self.before + self.frames

    def with_frames(self, frames: int) -> ArrayCount:
        """The series has so many."""
        return replace(self, frames=frames)

    def of_next_series(self) -> ArrayCount:
        """Another series begins."""
        return ArrayCount(self.total)

    def counted_from(self, value: int) -> ArrayCount:
        """A client has set the counter."""
        return replace(self, before=value - self.frames)

    def values(self, unix: float) -> dict[str, object]:
        """What the records read after a frame; its unique number is the counter before it, as the driver's.

        Args:
            unix: When its exposure ended.
        """
        return {
            "NumImagesCounter_RBV": self.frames,
            "ArrayCounter_RBV": self.total,
            "UniqueId_RBV": self.total - 1,
            **epics_time(unix),
        }


def epics_time(unix: float) -> dict[str, Any]:
    """Values of the records that tell the time of an array.

    Args:
        unix: Unix time in seconds.
    """
    nanoseconds = round((unix - EPICS_EPOCH) * 1e9)
    return {
        "TimeStamp_RBV": nanoseconds / 1e9,
        "EpicsTSSec_RBV": nanoseconds // 10**9 % 2**31,
        "EpicsTSNsec_RBV": nanoseconds % 10**9,
    }
