"""What a capture's bookkeeping counts and decides, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

from layouts.capture import Outcome
from layouts.stream.messages import Codec, SeriesParameters
from writer.reports import Counters
from writer.series import SeriesKey


class PixelFormat(NamedTuple):
    """What all frames of a capture have in common."""

    shape: tuple[int, int]
    """(slow, fast)."""
    dtype: str
    codec: Codec

    def clashes(self, said: SeriesParameters) -> bool:
        """Whether a start message says that its frames are of another shape or type."""
        slow, fast = self.shape
        return said.image_size not in (None, (fast, slow)) or said.dtype not in (None, self.dtype)


DUPLICATE: Final = -1
FOREIGN: Final = -2
UNWANTED: Final = -3
"""What a frame gets in place of a place."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """``control.Counters`` while they count."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    foreign: int = 0
    unwanted: int = 0
    failed: int = 0
    expected: int = 0
    missing: int = 0
    bytes: int = 0
    late: int = 0

    def refuse(self, why: int) -> int:
        """Count a frame that gets no place, and give the reason back."""
        if why == DUPLICATE:
            self.duplicate += 1
        elif why == FOREIGN:
            self.foreign += 1
        else:
            self.unwanted += 1
        return why

    def counters(self) -> Counters:
        """As they are now."""
        return Counters(**{each.name: getattr(self, each.name) for each in fields(Counters)})

    def plus(self, other: Tally) -> Tally:
        """Sums."""
        return Tally(**{n.name: getattr(self, n.name) + getattr(other, n.name) for n in fields(Tally)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A series has its places; ``rows`` is how many, None if nobody knows.

    ``again`` says that it had others before, and no frame yet.
    """

    key: SeriesKey
    row: int
    first: int
    rows: int | None
    planned: int | None
    parameters: SeriesParameters
    arrival: float
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A series is over and its places are settled.

    ``over`` says that the detector sends no more of it, where its end message or number of frames does not.
    """

    key: SeriesKey
    row: int
    first: int
    rows: int
    stored: int
    planned: int | None
    outcome: Outcome
    reason: str
    parameters: SeriesParameters
    arrival: float
    first_frame: float | None
    ended: float
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The capture is over: ``rows`` places, of which ``missing`` have no frame."""

    outcome: Outcome
    reason: str
    rows: int
    missing: tuple[int, ...]


Action = Began | Ended | Finished


def verdict(ended: Sequence[Ended], rows: int, num_capture: int, broken: str) -> tuple[Outcome, str]:
    """How a capture has ended, and why.

    Args:
        ended: Its series.
        rows: Places that they have taken.
        num_capture: Places that it was to have; 0 is no limit.
        broken: Why nothing could be stored any more; empty if all was well.
    """
    if broken:
        return Outcome.INCOMPLETE, broken
    for worst in (Outcome.ABORTED, Outcome.INCOMPLETE):
        for each in ended:
            if each.outcome is worst:
                return worst, each.reason
    if not rows:
        return Outcome.INCOMPLETE, "no frame came"
    if rows < num_capture:
        return Outcome.INCOMPLETE, f"stopped at {rows} of {num_capture} frames"
    return Outcome.COMPLETE, ""
