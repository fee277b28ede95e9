"""The pool of arrays that the records of NDArrayBase tell of, as NDArrayPool counts it.

Pure. No frame is in the camera's process: an array is in use as long as the writer has still to store it, and
the pool keeps what it was once given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Pool:
    """Arrays of a camera.

    Attributes:
        used: In use.
        allocated: Given to the pool and not taken back.
    """

    used: int = 0
    allocated: int = 0

    def using(self, arrays: int) -> Pool:
        """So many are in use; the pool grows where they are more than it has."""
        return Pool(arrays, max(self.allocated, arrays))

    def with_at_least(self, arrays: int) -> Pool:
        """So many are allocated in advance."""
        return replace(self, allocated=max(self.allocated, arrays))

    def emptied(self) -> Pool:
        """Free ones are given back."""
        return replace(self, allocated=self.used)

    def values(self, array_bytes: int) -> dict[str, Any]:
        """What the records read.

        Args:
            array_bytes: Of one array.
        """
        return {
            "NumQueuedArrays": self.used,
            "PoolAllocBuffers": self.allocated,
            "PoolFreeBuffers": self.allocated - self.used,
            "PoolUsedBuffers": self.used,
            "PoolUsedMem": self.allocated * array_bytes / MEGABYTE,
        }
