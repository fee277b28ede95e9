"""The time series of statistics: what NDPluginTimeSeries keeps of them. Pure.

Fixed length ends by itself when all points are there; a circular buffer goes round, oldest first.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray


class TimeSeries:
    """A row of values for each name.

    Args:
        names: Of the values.
        points: That a row has.
    """

    def __init__(self, names: tuple[str, ...], points: int) -> None:
        self._names = names
        self.acquiring = False
        self.circular = False
        self._began = 0.0
        self._latest = 0.0
        self.resize(points)

    @property
    def current(self) -> int:
        """Where the next point goes."""
        return self._next

    @property
    def elapsed(self) -> float:
        """Seconds from the beginning to the latest point."""
        return max(0.0, self._latest - self._began)

    def resize(self, points: int) -> None:
        """Have so many points from now on; what was taken is lost."""
        self._data = np.zeros((len(self._names), points))
        self._next = 0

    def start(self, now: float, *, erase: bool = True) -> None:
        """Take points.

        Args:
            now: Seconds since 1970.
            erase: Whether to begin anew; a series that is full does in any case.
        """
        if erase or self._next >= self._data.shape[1]:
            self._data[:] = 0.0
            self._next = 0
            self._began = self._latest = now
        self.acquiring = True

    def stop(self) -> None:
        """Take no more points."""
        self.acquiring = False

    def add(self, values: Mapping[str, float], now: float) -> bool:
        """Take a point, if points are taken.

        Args:
            values: By name; what is not there is 0.
            now: Seconds since 1970.

        Returns:
            Whether it was the last one.
        """
        if not self.acquiring:
            return False
        self._data[:, self._next] = [values.get(name, 0.0) for name in self._names]
        self._latest = now
        self._next += 1
        if self._next < self._data.shape[1]:
            return False
        if self.circular:
            self._next = 0
            return False
        self.acquiring = False
        return True

    def rows(self) -> dict[str, NDArray[np.float64]]:
        """The points so far by name; of a circular buffer all, the oldest first."""
        if self.circular:
            turned = np.roll(self._data, -self._next, axis=1)
            return dict(zip(self._names, turned, strict=True))
        return {name: row[: self._next].copy() for name, row in zip(self._names, self._data, strict=True)}
