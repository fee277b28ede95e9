"""One capture's bookkeeping: series one behind the other, and every frame that came in one of five classes.

Pure: the worker says what came and when, and does what is returned. Nothing is read or written here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from layouts.capture import Outcome
from layouts.stream.messages import SeriesParameters
from writer.capture_values import (
    DUPLICATE,
    FOREIGN,
    UNWANTED,
    Action,
    Began,
    Ended,
    Finished,
    PixelFormat,
    Tally,
    verdict,
)
from writer.series import QUIET, Announced, Rules, Series, SeriesKey


@dataclass(slots=True, kw_only=True)
class Capture:
    """A capture from the moment it is open until it has ``finished``.

    Attributes:
        num_capture: Places at which it ends by itself; 0 is no limit.
        rules: When a series is over.
        began: When it was opened.
        format: What its frames look like, once known.
        series: The one under way.
        mark: Places below which every frame is stored, or known missing because its series has ended.
        broken: Why nothing can be stored any more; empty while all is well.
        closed: Series that are over, of this capture or before it: frames of theirs are late.
        flying: Places whose frames are ``in_flight``: no series is over while there are any.
    """

    num_capture: int = 0
    rules: Rules = field(default_factory=Rules)
    began: float = -math.inf
    format: PixelFormat | None = None
    tally: Tally = field(default_factory=Tally)
    series: Series | None = None
    ended: list[Ended] = field(default_factory=list[Ended])
    mark: int = 0
    finished: Finished | None = None
    stopping: float | None = None
    broken: str = ""
    closed: set[SeriesKey] = field(default_factory=set[SeriesKey])
    flying: set[int] = field(default_factory=set[int])
    _last: Series | None = None
    _next_row: int = 0
    _missing: list[int] = field(default_factory=list[int])
    _heard: float = 0.0
    _empty: float = -math.inf
    _doubted: PixelFormat | None = None
    _foretold: tuple[int, float, str] | None = None

    @property
    def rows(self) -> int:
        """Places that are taken or promised now."""
        if self.series is None:
            return self._next_row
        return self.series.row + max(self.series.high, self.series.length(self.rules) or 0)

    @property
    def high(self) -> int:
        """One more than the highest place that is settled or filled."""
        return self._next_row if self.series is None else self.series.row + self.series.high

    # ------------------------------------------------------------ what comes on the stream

    def start(self, announced: Announced, now: float) -> list[Action]:
        """A start message came, or a series was under way when the capture began."""
        self._heard = now
        actions: list[Action] = []
        if self.finished is not None:
            return []
        if self.series is not None:
            if self.series.is_told_again(announced, self.rules):
                return actions
            # One of which nothing at all was seen was armed in vain.
            in_vain = not self.series.came and self.series.end_at is None
            if in_vain and self.series.arrival < self.began:
                self.closed.add(self.series.key)  # and before this capture, which it is none of
                self.series = None
            else:
                cut = self.series.cut(self.rules, "another series began")
                actions += self._close(*cut, now=now, give_back=in_vain)
        clashes = self.format is not None and self.format.clashes(announced.parameters)
        if self.finished is not None or (clashes and self.tally.stored):
            self.closed.add(announced.key)
            return actions
        self.closed.discard(announced.key)
        return [*actions, self._open(announced)]

    def frame(self, key: SeriesKey, number: int, pixels: PixelFormat, now: float) -> tuple[int, list[Action]]:
        """A frame came: the place to store it at, or why not (a negative number; it is counted already).

        What is returned as a place must be settled by ``stored`` or ``failed``. As long as nothing is stored
        the frame sets the capture's ``format``.
        """
        self._heard = now
        self.tally.received += 1
        actions: list[Action] = []
        series = self.series
        if series is None or series.key != key:
            refused, actions = self._unannounced(key, number, now)
            series = self.series
            if refused or series is None:
                return self.tally.refuse(refused or UNWANTED), actions
        index = number - series.first
        if pixels != self.format and not self._adopt(pixels, series.parameters):
            series.foreign += 1
            return self.tally.refuse(FOREIGN), actions
        if not 0 <= index < series.limit:
            beyond = index >= 0 and (series.room is None or index < series.room)
            return self.tally.refuse(FOREIGN if beyond else UNWANTED), actions
        late = series.touch(index, now)
        if series.is_filled(index) or series.row + index in self.flying:
            return self.tally.refuse(DUPLICATE), actions
        self.tally.late += late
        return series.row + index, actions

    def stored(self, place: int, size: int, now: float) -> list[Action]:
        """The frame of a place is in its raw file."""
        series = self.series
        if series is None:
            raise RuntimeError(f"frame stored at place {place} while no series is under way")
        self.tally.stored += 1
        self.tally.bytes += size
        series.fill(index := place - series.row, now)
        if place == self.mark:
            high, filled, row = series.high, series.filled, series.row
            while index < high and filled[index]:
                index += 1
            self.mark = row + index
            if series.is_whole and not self.flying:
                return self._close(Outcome.COMPLETE, "", now=now)
        return []

    def stored_on(self, count: int, size: int, now: float) -> None:
        """Frames came and are stored behind the highest place filled, none of them the series' last."""
        series, tally = self.series, self.tally
        if series is None:
            raise RuntimeError(f"{count} frames stored while no series is under way")
        tally.received, tally.stored = tally.received + count, tally.stored + count
        tally.bytes += size
        if self.mark == series.row + series.high:
            self.mark += count
        tally.late += series.fill_on(count, now)
        self._heard = now

    def sent_on(self, count: int, last: int, now: float) -> None:
        """Frames came behind all that came before, up to the place ``last``, and are on their way."""
        self._heard = now
        self.tally.received += count
        if self.series is not None:
            self.tally.late += count * self.series.touch(last - self.series.row, now)

    def failed(self) -> None:
        """The frame of a place could not be stored."""
        self.tally.failed += 1

    def malformed(self, now: float) -> None:
        """A message came that could not be understood."""
        self._heard = now
        self.tally.received += 1
        self.tally.failed += 1

    def passed(self, key: SeriesKey, number: int, now: float) -> None:
        """A frame passed by, as nobody wants frames for now: its series goes on nevertheless."""
        self._heard = now
        self.tally.received += 1
        self.tally.refuse(UNWANTED)
        if self.series is not None and self.series.key == key and number >= self.series.first:
            self.series.touch(number - self.series.first, now)

    def ran_dry(self, now: float) -> None:
        """Nothing more waits on the stream: all that had come by now is in its place."""
        self._empty = now

    def end(self, key: SeriesKey, now: float) -> list[Action]:
        """An end message came."""
        self._heard = now
        if self.series is None or self.series.key != key or self.series.end_at is not None:
            return []
        self.series.end_at = now
        return self.tick(now)

    # ------------------------------------------------------------ what the coordinator says

    def abort(self, number: int | None, now: float, fault: str = "") -> list[Action]:
        """The detector was told to abort a series, or the one under way, or failed in it for a reason."""
        if self.finished is not None:
            return []
        series, last = self.series, self._last
        if series is not None and number in (None, series.key.number):
            series.abort_at, series.fault = now, fault
            return self.tick(now)
        if number is not None:  # its start message may be on its way
            self._foretold = (number, now, fault)
        if fault or last is None or not self.ended or number not in (None, last.key.number):
            return []
        taken = series is not None and (number is None or series.came > 0)
        if taken or self.ended[-1].outcome is not Outcome.INCOMPLETE:
            return []
        last.abort_at = now  # Told too late: what was held for missing was never taken.
        self._take_back(last)
        actions = self._close_series(last, *last.cut(self.rules, ""), now=now)
        if series is not None and series.row != self._next_row:
            actions.append(self._place(series, again=True))
        return actions

    def expect(self, rules: Rules, now: float) -> list[Action]:
        """What is known of the series has changed."""
        self.rules = rules
        if self.series is not None:
            self.series.settle(rules)
        return self.tick(now)

    def give_up(self, why: str, now: float) -> list[Action]:
        """Nothing can be stored any more: what still comes is counted, until the series under way ends."""
        self.broken = why
        return self._finish(now) if self.series is None else []

    def stop(self, now: float, *, drain: bool) -> list[Action]:
        """End the capture, at once or when what is on its way has come."""
        if not drain:
            return self._finish(now)
        self.stopping = now
        return self.tick(now)

    def held_up(self, seconds: float) -> None:
        """The worker or its disk stood still for a time: what came meanwhile still waits to be heard."""
        self._heard += seconds
        self.stopping = None if self.stopping is None else self.stopping + seconds
        if self.series is not None:
            self.series.held_up(seconds)

    def tick(self, now: float) -> list[Action]:
        """Time has passed."""
        if self.finished is not None or self.flying:
            return []
        actions: list[Action] = []
        if self.series is not None:
            verdict = self.series.verdict(self.rules, now)
            if verdict is not None:
                actions += self._close(*verdict, now=now)
        if self.finished is None and self.stopping is not None and self._is_drained(self.stopping, now):
            actions += self._finish(now)
        return actions

    # ------------------------------------------------------------ inside

    def _is_drained(self, stopping: float, now: float) -> bool:
        """Whether all that was on its way when the client stopped has come; a series may go on for hours."""
        if self.series is not None and self.series.is_unexplained(self.rules):
            return False  # word of an abort may come behind the end message; grace ends it if none does
        quiet = now >= max(self._heard, stopping) + QUIET
        return quiet or self._empty >= stopping + QUIET or now >= stopping + self.rules.grace

    def _adopt(self, pixels: PixelFormat, parameters: SeriesParameters) -> bool:
        """Let the first frame say what all look like.

        If its own start message says otherwise, one of them is wrong: a second frame like it decides.
        """
        if self.tally.stored or self.flying:
            return False
        if pixels.clashes(parameters) and pixels != self._doubted:
            self._doubted = pixels
            return False
        self.format = pixels
        return True

    def _unannounced(self, key: SeriesKey, number: int, now: float) -> tuple[int, list[Action]]:
        """A frame of no series under way: 0 if its series has begun with it, else why not."""
        if self.finished is not None:
            return UNWANTED, []
        if key in self.closed:
            last = self._last
            again = last is not None and last.key == key and last.is_filled(number - last.first)
            return DUPLICATE if again else FOREIGN, []
        actions: list[Action] = []
        if self.series is not None:
            if self.series.end_at is None:
                return FOREIGN, []
            actions = self._close(*self.series.cut(self.rules, ""), now=now)
            if self.finished is not None:
                return UNWANTED, actions
        # Its start message was lost, or sent before this worker was there to see it.
        first = 0 if self.ended else number
        unknown = Announced(key=key, arrival=now, announced=False, next_frame=first)
        return 0, [*actions, self._open(unknown)]

    def _open(self, announced: Announced) -> Began:
        series = Series(
            key=announced.key,
            parameters=announced.parameters,
            announced=announced.announced,
            first=announced.next_frame,
            arrival=announced.arrival,
        )
        if self._foretold is not None and self._foretold[0] == series.key.number:
            _, series.abort_at, series.fault = self._foretold
        return self._place(series)

    def _place(self, series: Series, *, again: bool = False) -> Began:
        """Give a series the next places; again if those before it turned out to be fewer."""
        series.row = self._next_row
        series.room = self.num_capture - self._next_row if self.num_capture else None
        series.settle(self.rules)
        self.series = series
        return Began(
            key=series.key,
            row=series.row,
            first=series.first,
            rows=series.length(self.rules),
            planned=series.planned(self.rules),
            parameters=series.parameters,
            arrival=series.arrival,
            again=again,
        )

    def _close(
        self, outcome: Outcome, reason: str, *, now: float, give_back: bool = False, over: bool = True
    ) -> list[Action]:
        series = self.series
        if series is None:
            return []
        self.series = None
        return self._close_series(series, outcome, reason, now=now, give_back=give_back, over=over)

    def _close_series(
        self,
        series: Series,
        outcome: Outcome,
        reason: str,
        *,
        now: float,
        give_back: bool = False,
        over: bool = True,
    ) -> list[Action]:
        rows = series.rows(self.rules, outcome, give_back=give_back or bool(self.broken))
        missing = series.missing(rows)
        self._last = series
        self.closed.add(series.key)
        self._missing += missing
        self._next_row = self.mark = series.row + rows
        self.tally.expected += rows
        self.tally.missing += len(missing)
        ended = Ended(
            key=series.key,
            row=series.row,
            first=series.first,
            rows=rows,
            stored=series.stored,
            planned=series.planned(self.rules),
            outcome=outcome,
            reason=reason,
            parameters=series.parameters,
            arrival=series.arrival,
            first_frame=series.first_at,
            ended=now,
            over=over and outcome is not Outcome.COMPLETE,
        )
        self.ended.append(ended)
        actions: list[Action] = [ended]
        if self.broken or (self.num_capture and self._next_row >= self.num_capture):
            actions += self._finish(now)
        return actions

    def _take_back(self, series: Series) -> None:
        """Undo the end of the last series, which turned out to be another one."""
        ended = self.ended.pop()
        lost = series.missing(ended.rows)
        del self._missing[len(self._missing) - len(lost) :]
        self.tally.expected -= ended.rows
        self.tally.missing -= len(lost)

    def _finish(self, now: float) -> list[Action]:
        if self.finished is not None:
            return []
        actions: list[Action] = []
        if self.series is not None:
            lost = self.series.end_at is not None or self.series.abort_at is not None
            cut = self.series.cut(self.rules, "the capture was stopped")
            actions += self._close(*cut, now=now, give_back=not lost, over=lost)
            if self.finished is not None:
                return actions
        rows, missing = self._next_row, tuple(self._missing)
        outcome, reason = verdict(self.ended, rows, self.num_capture, self.broken)
        self.finished = Finished(outcome=outcome, reason=reason, rows=rows, missing=missing)
        return [*actions, self.finished]
