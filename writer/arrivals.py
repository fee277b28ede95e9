"""ArrayCounter and ArrayRate_RBV: frames that came, counted from where a client has set the counter."""

from __future__ import annotations

import math
from dataclasses import dataclass

_WINDOW = 1.0
"""Seconds over which the rate is taken, at least."""


@dataclass(slots=True)
class Arrivals:
    """Frames that came.

    Attributes:
        count: The counter; may be set.
        rate: Frames per second over the latest whole window.
    """

    count: int = 0
    rate: float = 0.0
    _seen: int = 0
    _since: float = -math.inf
    _new: int = 0

    def reported(self, total: int, now: float) -> None:
        """A worker says how many came in its life; one that was started anew begins at 0.

        Args:
            total: Frames.
            now: Monotonic seconds.
        """
        new = total - self._seen if total >= self._seen else total
        self._seen = total
        self.count += new
        self._new += new
        if now - self._since >= _WINDOW:
            self.rate = self._new / (now - self._since) if math.isfinite(self._since) else 0.0
            self._since, self._new = now, 0
