"""What a camera's records say of the frames that it has counted.

Pure. Times count from the beginning of 1990, as EPICS does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

EPICS_EPOCH = 631_152_000
"""Unix time at which EPICS begins to count."""


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
