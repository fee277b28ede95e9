"""Contenders measured in turn, there and back, and their ratios within each round.

A busy moment of the machine meets neighbours alike, and no contender is always the one behind another. What
is claimed is the median of the ratios, with the least and the most beside it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One run of one contender.

    Attributes:
        cpu: Microseconds of processor time for a frame, of all threads of the process.
        rate: Frames a second of wall-clock time; 0 where nobody waited for it.
    """

    cpu: float
    rate: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Of two contenders, round by round."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


Samples = dict[str, list[Sample]]
"""By contender, in the order of rounds."""


def interleaved(contenders: Mapping[str, Callable[[], Sample]], repeats: int) -> Samples:
    """Run all contenders in so many rounds, every second one in the opposite order."""
    found: Samples = {name: [] for name in contenders}
    names = list(contenders)
    for turn in range(repeats):
        for name in names if turn % 2 == 0 else names[::-1]:
            found[name].append(contenders[name]())
    return found


def ratio(of: Sequence[float], to: Sequence[float]) -> Ratio:
    """``of`` divided by ``to``, round by round."""
    each = sorted(a / b for a, b in zip(of, to, strict=True))
    return Ratio(median=statistics.median(each), low=each[0], high=each[-1])


def cheaper(samples: Samples, limit: str, ours: str) -> Ratio:
    """How much of the processor time of ``ours`` the limit takes: 1 is as good as it gets."""
    return ratio([s.cpu for s in samples[limit]], [s.cpu for s in samples[ours]])


def faster(samples: Samples, ours: str, limit: str) -> Ratio:
    """Frames a second of ``ours`` against those of the limit: 1 is as good as it gets."""
    return ratio([s.rate for s in samples[ours]], [s.rate for s in samples[limit]])
