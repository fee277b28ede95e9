"""Where the motors were during each frame of a series, kept for the truth of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

LISTED = 1000
"""Frames up to which a moving motor's positions are told one by one."""
KEPT = 200_000
"""Frames whose positions are kept; of a longer series the first ones."""


class Track:
    """Positions at shutter open and close, frame by frame."""

    def __init__(self) -> None:
        self._opens: list[Mapping[str, float]] = []
        self._closes: list[Mapping[str, float]] = []

    def add(self, opens: Mapping[str, float], closes: Mapping[str, float]) -> None:
        """One more frame."""
        if len(self._opens) < KEPT:
            self._opens.append(opens)
            self._closes.append(closes)

    def summary(self) -> dict[str, Any]:
        """Physical positions by motor, as plain JSON.

        A motor that stood still has ``value``. One that moved has where it was when its ``first`` frame was
        opened and its ``last`` one closed, the mean ``increment`` from frame to frame, the largest
        ``deviation`` from it, and, in a series that is not too long, ``start`` and ``stop`` of each frame.
        """
        if not self._opens:
            return {}
        return {motor: self._motor(motor) for motor in self._opens[0]}

    def _motor(self, motor: str) -> dict[str, Any]:
        opens = np.array([at[motor] for at in self._opens])
        closes = np.array([at[motor] for at in self._closes])
        first, last = float(opens[0]), float(closes[-1])
        if np.all(opens == first) and np.all(closes == first):
            return {"value": first}
        frames = np.arange(opens.size)
        increment = float(opens[-1] - opens[0]) / max(1, opens.size - 1)
        said: dict[str, Any] = {
            "first": first,
            "last": last,
            "increment": increment,
            "deviation": float(np.max(np.abs(opens - (first + increment * frames)))),
        }
        if opens.size <= LISTED:
            said |= {"start": opens.tolist(), "stop": closes.tolist()}
        return said
