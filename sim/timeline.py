"""Where every motor was and will be: the profiles an emitter has been told, one behind the other.

A frame's positions are those of its own exposure, whenever it is rendered: a profile counts from the time at
which it begins until the next one begins.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Protocol


class Path(Protocol):
    """A motor's motion from some time on."""

    @property
    def start(self) -> float:
        """Time at which it begins."""
        ...

    @property
    def end(self) -> float:
        """Time from which the motor is at rest."""
        ...

    def position(self, at: float) -> float:
        """Physical position at a time; before the start that of the start, after the end that of the end."""
        ...


class Timeline:
    """The paths of all motors.

    Args:
        initial: Physical positions before the first path of each motor.
    """

    def __init__(self, initial: Mapping[str, float]) -> None:
        self._initial = dict(initial)
        self._starts: dict[str, list[float]] = {}
        self._paths: dict[str, list[Path]] = {}
        self._resting: dict[str, float] = dict(initial)
        self._restless: list[str] = []
        self._since = float("-inf")

    def add(self, motor: str, path: Path) -> None:
        """A motor's path from its start on, in place of what was known of later times."""
        starts, paths = self._starts.setdefault(motor, []), self._paths.setdefault(motor, [])
        keep = bisect_right(starts, path.start - 1e-12)
        del starts[keep:], paths[keep:]
        starts.append(path.start)
        paths.append(path)
        if motor not in self._restless:
            self._restless.append(motor)

    def forget(self, before: float) -> None:
        """Drop paths that no exposure from that time on needs."""
        for motor, starts in self._starts.items():
            keep = max(0, bisect_right(starts, before) - 1)
            del starts[:keep], self._paths[motor][:keep]

    def position(self, motor: str, at: float) -> float:
        """Physical position of one motor at a time."""
        starts = self._starts.get(motor)
        if not starts:
            return self._initial[motor]
        return self._paths[motor][max(0, bisect_right(starts, at) - 1)].position(at)

    def positions(self, at: float) -> Mapping[str, float]:
        """Physical positions of all motors; the same object again while everything is at rest."""
        if at < self._since:  # before what is known to be at rest had come there
            return {motor: self.position(motor, at) for motor in self._initial}
        if self._restless:
            self._settle(at)
            return self._resting | {motor: self.position(motor, at) for motor in self._restless}
        return self._resting

    def _settle(self, at: float) -> None:
        came = [motor for motor in self._restless if self._paths[motor][-1].end <= at]
        if came:
            self._resting = self._resting | {motor: self.position(motor, at) for motor in came}
            self._restless = [motor for motor in self._restless if motor not in came]
            self._since = at
