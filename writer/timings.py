"""How long the calls of the disk took: create, write, flush and close of raw files.

As odin-data's ``timing/last_create`` and its like, but with a true mean: what all took by their number.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from types import TracebackType

_clock = time.monotonic_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Calls of one kind; durations in seconds.

    Attributes:
        count: How many there were.
        total: What they took together.
        last: What the last one took. Calls that were timed together count as if each took their mean.
        longest: What the longest one took, likewise.
    """

    count: int = 0
    total: float = 0.0
    last: float = 0.0
    longest: float = 0.0

    @property
    def mean(self) -> float:
        """What a call took on average; 0 if there was none."""
        return self.total / self.count if self.count else 0.0

    def add(self, seconds: float, calls: int = 1) -> Timing:
        """With ``calls`` more that took so many seconds together."""
        if calls <= 0:
            return self
        each = seconds / calls
        return Timing(
            count=self.count + calls,
            total=self.total + seconds,
            last=each,
            longest=max(self.longest, each),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Calls of each kind."""

    create: Timing = field(default_factory=Timing)
    """Making a raw file, with its data set."""
    write: Timing = field(default_factory=Timing)
    """Storing a frame. Frames that follow each other are timed together, from the socket to HDF5."""
    flush: Timing = field(default_factory=Timing)
    """Letting readers see the frames of a raw file."""
    close: Timing = field(default_factory=Timing)
    """Closing a raw file."""


CALLS: tuple[str, ...] = tuple(each.name for each in fields(Timings))
"""The kinds of calls."""


def together(timings: Iterable[Timings]) -> Timings:
    """What several processes did as if one had done it; ``last`` is the longest of their last ones."""
    every = tuple(timings)

    def of(call: str) -> Timing:
        each: list[Timing] = [getattr(t, call) for t in every]
        return Timing(
            count=sum(t.count for t in each),
            total=sum(t.total for t in each),
            last=max((t.last for t in each), default=0.0),
            longest=max((t.longest for t in each), default=0.0),
        )

    return Timings(**{call: of(call) for call in CALLS})


class Stopwatch:
    """Times calls of one kind: ``with watch:`` around each, or ``took`` for those timed elsewhere."""

    __slots__ = ("_began", "_count", "_last", "_longest", "_total")

    def __init__(self) -> None:
        self._began = self._count = self._total = 0
        self._last: float = 0
        self._longest: float = 0

    def __enter__(self) -> None:
        self._began = _clock()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """A call that has failed took its time too."""
        spent = _clock() - self._began
        self._count += 1
        self._total += spent
        self._last = spent
        if spent > self._longest:  # noqa: PLR1730  (max costs as much as all the rest)
            self._longest = spent

    def took(self, nanoseconds: int, calls: int = 1) -> None:
        """So many calls took a time together."""
        if calls <= 0:
            return
        self._count += calls
        self._total += nanoseconds
        self._last = nanoseconds / calls
        self._longest = max(self._longest, self._last)

    @property
    def timing(self) -> Timing:
        """As it is now."""
        return Timing(
            count=self._count,
            total=self._total * 1e-9,
            last=self._last * 1e-9,
            longest=self._longest * 1e-9,
        )


class Stopwatches:
    """One for each kind of call."""

    def __init__(self) -> None:
        self.create, self.write, self.flush, self.close = (Stopwatch() for _ in CALLS)

    def read(self) -> Timings:
        """As they are now."""
        return Timings(
            create=self.create.timing,
            write=self.write.timing,
            flush=self.flush.timing,
            close=self.close.timing,
        )
