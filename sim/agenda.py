"""When the frames of a series are taken: an absolute schedule, so that nothing drifts and nothing is lost.

Pure but for its own place in the schedule. Times come from the schedule alone, never from the wall clock: a
frame that is rendered late carries the time at which it was due.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sim.eiger import Expose


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One exposure.

    Attributes:
        frame: Number in the series, from 0.
        opens: Time at which the shutter opens, seconds on the clock of the schedule.
        closes: Time at which it closes.
        since: Seconds from the series' first exposure to this one.
        count_time: Seconds between both.
        live: Seconds within them in which it counts; all of them unless given.
    """

    frame: int
    opens: float
    closes: float
    since: float
    count_time: float
    live: float | None = None

    @property
    def exposed(self) -> float:
        """Seconds in which light is counted."""
        return self.count_time if self.live is None else self.live


class Agenda:
    """The exposures of one series that are still to be taken, in order.

    Attributes:
        origin: Time of the first exposure; nothing before the first trigger.
    """

    def __init__(self) -> None:
        self.origin: float | None = None
        self._blocks: deque[Expose] = deque()
        self._next = 0
        self._limit: int | None = None

    def add(self, block: Expose) -> None:
        """Plan the exposures of a trigger."""
        if self.origin is None:
            self.origin = block.at
        self._blocks.append(block)

    def truncate(self, frames: int) -> None:
        """Plan nothing beyond the first ``frames`` of the series."""
        self._limit = frames

    def clear(self) -> None:
        """Plan nothing any more."""
        self._limit = 0

    def peek(self) -> Slot | None:
        """The next exposure; nothing if none is planned."""
        while self._blocks and self._next >= self._blocks[0].count:
            self._blocks.popleft()
            self._next = 0
        if not self._blocks or self.origin is None:
            return None
        block = self._blocks[0]
        frame = block.first + self._next
        if self._limit is not None and frame >= self._limit:
            return None
        offset = self._next * block.period
        opens = block.at + offset
        return Slot(
            frame=frame,
            opens=opens,
            closes=opens + block.count_time,
            since=block.at - self.origin + offset,
            count_time=block.count_time,
            live=block.live,
        )

    def advance(self) -> None:
        """The exposure that ``peek`` tells of has been taken."""
        self._next += 1
