"""One series of a capture: which places it has, which of them are filled, and when it is over.

Pure bookkeeping: times are handed in (seconds of one monotonic clock), nothing is read or written.
By count first, by the end message second (with grace for frames that it has overtaken), by silence third.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from layouts.capture import Outcome
from layouts.stream.messages import SeriesParameters

QUIET: Final = 0.1
"""Seconds without a message after which nothing of an aborted or stopped series is on its way any more."""


class SeriesKey(NamedTuple):
    """What tells one series from another: the number restarts when a detector is initialised."""

    number: int
    unique_id: str | None = None


class Trigger(StrEnum):
    """SIMPLON's trigger modes in which a pause between two frames may have any length."""

    INTERNAL_ENABLE = "inte"
    EXTERNAL_ENABLE = "exte"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a series is over.

    Attributes:
        stall_timeout: Seconds beyond the frame time without a frame.
        grace: Seconds that an end message waits for frames it has overtaken.
        stall: False if pauses of any length are in order.
        images: Frames of a series, for streams that do not say.
        images_per_trigger: Frames of one trigger, for streams that do not say.
    """

    stall_timeout: float = 10.0
    grace: float = 2.0
    stall: bool = True
    images: int | None = None
    images_per_trigger: int | None = None

    def told(self, *, images: int | None, images_per_trigger: int | None, stall: bool) -> Rules:
        """The rules with what the coordinator knows now; None leaves a rule as it was."""
        return replace(
            self,
            stall=stall,
            images=self.images if images is None else images,
            images_per_trigger=self.images_per_trigger if images_per_trigger is None else images_per_trigger,
        )


@dataclass(slots=True, kw_only=True)
class Announced:
    """A series that is on the stream, captured or not.

    Attributes:
        parameters: Of its start message; empty if that was never seen.
        arrival: Of its start message, else of its first frame.
        announced: Whether the start message was seen.
        next_frame: One more than the highest number seen.
        ended: Whether its end message was seen.
    """

    key: SeriesKey
    parameters: SeriesParameters = field(default_factory=SeriesParameters)
    arrival: float
    announced: bool = True
    next_frame: int = 0
    ended: bool = False

    @property
    def is_over(self) -> bool:
        """Whether no further frame is to be expected."""
        images = self.parameters.images
        return self.ended or (images is not None and self.next_frame >= images)


@dataclass(slots=True, kw_only=True)
class Series:
    """A series under way in a capture.

    Attributes:
        row: Its first place.
        first: Number of the frame at that place.
        room: Places that the capture has left for it; None is no limit.
        arrival: Of the start message, else of the first frame.
        filled: One byte a place, 1 where the frame is stored.
        stored: How many are.
        high: One more than the highest filled place, counted from ``row``.
        foreign: Frames refused for their shape, type or codec.
        came: One more than the highest place, counted from ``row``, whose frame came, stored or not.
        fault: Why the detector failed in it; empty if it did not.
        limit: ``length`` as a number for every frame's sake; kept by ``settle``.
    """

    key: SeriesKey
    parameters: SeriesParameters
    announced: bool
    first: int
    arrival: float
    row: int = 0
    room: int | None = None
    filled: bytearray = field(default_factory=bytearray)
    stored: int = 0
    high: int = 0
    foreign: int = 0
    first_at: float | None = None
    last_at: float | None = None
    came: int = 0
    end_at: float | None = None
    abort_at: float | None = None
    fault: str = ""
    limit: int = sys.maxsize

    def settle(self, rules: Rules) -> None:
        """Take note of rules or parameters that have changed."""
        length = self.length(rules)
        self.limit = sys.maxsize if length is None else length

    def planned(self, rules: Rules) -> int | None:
        """Frames the detector will send in all, if anyone knows."""
        return rules.images if self.parameters.images is None else self.parameters.images

    def length(self, rules: Rules) -> int | None:
        """Places it will take if all goes well; None if nobody knows."""
        planned = self.planned(rules)
        if planned is None:
            return self.room
        rest = max(planned - self.first, 0)
        return rest if self.room is None else min(rest, self.room)

    def is_told_again(self, announced: Announced, rules: Rules) -> bool:
        """Whether a start message belongs to this series: sent twice, or overtaken by frames."""
        if self.key != announced.key:
            return False
        if not self.announced:
            self.announced, self.parameters = True, announced.parameters
            self.settle(rules)
            return True
        return self.parameters == announced.parameters

    def is_filled(self, index: int) -> bool:
        """Whether a place, counted from ``row``, has its frame."""
        return 0 <= index < self.high and self.filled[index] == 1

    def fill(self, index: int, now: float) -> None:
        """A frame is stored at a place, counted from ``row``."""
        filled = self.filled
        if index >= len(filled):
            filled.extend(bytes(max(index + 1 - len(filled), 1024)))
        filled[index] = 1
        self.stored += 1
        if index >= self.high:
            self.high = index + 1
        if self.first_at is None:
            self.first_at = now

    def fill_on(self, count: int, now: float) -> int:
        """So many frames came, and are stored behind the highest place filled; returns how many came late."""
        begin, end = self.high, self.high + count
        if end > len(self.filled):
            self.filled.extend(bytes(max(end - len(self.filled), 1024)))
        self.filled[begin:end] = b"\1" * count
        self.stored += count
        self.high = end
        self.came = max(self.came, end)
        self.last_at = now
        if self.first_at is None:
            self.first_at = now
        return 0 if self.end_at is None else count

    @property
    def is_whole(self) -> bool:
        """Whether every place it can have is filled."""
        return self.stored >= self.limit

    def is_unexplained(self, rules: Rules) -> bool:
        """Whether it ended short of its frames and nobody has said yet whether it was aborted."""
        known = self.planned(rules) is not None
        return known and self.end_at is not None and self.abort_at is None and not self.is_whole

    def touch(self, index: int, now: float) -> bool:
        """The frame of a place, counted from ``row``, came, to be stored or not; whether it came late."""
        self.last_at = now
        if index >= self.came:
            self.came = index + 1
            return self.end_at is not None
        return True

    def held_up(self, seconds: float) -> None:
        """Nobody could hear anything for a time: it counts for nothing."""
        self.last_at = None if self.last_at is None else self.last_at + seconds
        self.end_at = None if self.end_at is None else self.end_at + seconds
        self.abort_at = None if self.abort_at is None else self.abort_at + seconds

    def verdict(self, rules: Rules, now: float) -> tuple[Outcome, str] | None:
        """How it has ended, and why; nothing while it goes on."""
        if self.is_whole:
            return Outcome.COMPLETE, ""
        if self.abort_at is not None:
            recent = max(at for at in (self.last_at, self.end_at, self.abort_at) if at is not None)
            quiet = QUIET if self.end_at is not None else rules.grace
            return self.cut(rules, "") if now >= recent + quiet else None
        if self.end_at is not None:
            return self.cut(rules, "") if now >= self.end_at + rules.grace else None
        silence = self._stalled(rules, now)
        if silence is None:
            return None
        return Outcome.INCOMPLETE, f"{self._progress(rules)}: no frame came for {silence:.1f} s"

    def cut(self, rules: Rules, why: str) -> tuple[Outcome, str]:
        """How it has ended if it is held for ended now; ``why`` unless the stream gave a reason."""
        if self.is_whole:
            return Outcome.COMPLETE, ""
        if self.abort_at is not None:
            outcome = Outcome.INCOMPLETE if self.fault else Outcome.ABORTED
            return outcome, f"{self._progress(rules)}: {self.fault or 'the detector was told to abort'}"
        if self.end_at is not None and self.planned(rules) is None:
            if self.stored == self.high and self.announced:
                return Outcome.COMPLETE, ""
            lost = self.high - self.stored
            return Outcome.INCOMPLETE, f"{self._progress(rules)}: {lost} did not come before the end message"
        if self.end_at is not None:
            return (
                Outcome.INCOMPLETE,
                f"{self._progress(rules)}: the others did not come with the end message",
            )
        return Outcome.INCOMPLETE, f"{self._progress(rules)}: {why}"

    def rows(self, rules: Rules, outcome: Outcome, *, give_back: bool) -> int:
        """Places it keeps once it has ended.

        Args:
            rules: In force.
            outcome: How it ended.
            give_back: Whether frames that did not come were never taken, so that trailing places are free.
        """
        if self.stored == 0 and self.foreign:
            return 0
        length = self.length(rules)
        planned = self.planned(rules)
        if give_back or outcome is Outcome.ABORTED or planned is None or length is None:
            return self.high
        return max(length, self.high)

    def missing(self, rows: int) -> list[int]:
        """Places of the capture without a frame, of the first ``rows`` of the series."""
        row = self.row
        known = self.filled[: min(rows, len(self.filled))]
        holes = (
            [row + index for index, filled in enumerate(known) if not filled] if self.stored < rows else []
        )
        return holes + list(range(row + len(known), row + rows))

    def _stalled(self, rules: Rules, now: float) -> float | None:
        """Seconds without a frame if they are too many; a wait for a trigger may have any length."""
        parameters = self.parameters
        if not rules.stall or self.last_at is None:
            return None
        if parameters.trigger_mode in (Trigger.INTERNAL_ENABLE, Trigger.EXTERNAL_ENABLE):
            return None
        per_trigger = rules.images_per_trigger or parameters.images_per_trigger
        if per_trigger and (self.first + self.came) % per_trigger == 0:
            return None
        silence = now - self.last_at
        return silence if silence > rules.stall_timeout + (parameters.frame_time or 0.0) else None

    def _progress(self, rules: Rules) -> str:
        planned = self.planned(rules)
        of = "" if planned is None else f" of {planned}"
        start = "" if self.first == 0 else f" from frame {self.first}"
        unseen = "" if self.announced else ", start message not seen"
        return f"series {self.key.number}: {self.stored}{of} frames{start}{unseen}"
