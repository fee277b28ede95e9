"""An open capture whose frames several storers store: what a fan does, where a worker writes by itself.

A frame is sent, and counts for something only when it has landed or is lost. Before anything ends a series,
the fan waits for what is in flight; then it is as if it had written every frame itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from layouts.capture import Outcome
from layouts.raw.names import Column
from layouts.stream.messages import Image, Start
from writer import control
from writer.capture_files import CaptureFiles, Lost
from writer.capture_values import Action, Finished
from writer.in_flight import InFlight
from writer.latest import Recent
from writer.meta_h5 import read_columns
from writer.open_capture import OpenCapture
from writer.reports import StorerReport
from writer.series import Announced, Series, SeriesKey
from writer.stretch import Stretch
from writer.stripes.stripes import StripeGoneError, Stripes
from writer.unstore import unstore

_log = logging.getLogger(__name__)


class StripedCapture(OpenCapture):
    """A capture from Opened to Done; arguments as those of ``OpenCapture``.

    Raises:
        WriteError: A storer cannot begin, or a file cannot be made.
    """

    def __init__(
        self,
        order: control.Capture,
        now: float,
        emit: Callable[[control.Event], None],
        recent: Recent,
        stripes: Stripes,
    ) -> None:
        self._stripes: Final = stripes
        super().__init__(order, now, emit, recent, stripes)
        self._flight: Final = InFlight(self.capture)

    @property
    def workers(self) -> int:
        """Among how many processes frames are dealt."""
        return self._stripes.workers

    @property
    def storers(self) -> tuple[StorerReport, ...]:
        """How they do."""
        return self._stripes.reports

    @property
    def backlog(self) -> int:
        """Frames that came and that readers cannot see yet."""
        return len(self.capture.flying)

    @property
    def _unflushed(self) -> int:
        return self._stripes.unasked

    # ------------------------------------------------------------ the stream

    def start(self, announced: Announced, start: Start | None, now: float) -> None:
        """A series begins, or is under way already: whatever came before it has its end first."""
        self.arrive(now)
        super().start(announced, start, now)

    def image(self, key: SeriesKey, image: Image, clock: int) -> None:
        """A frame came; see ``OpenCapture.image``."""
        series = self.capture.series
        if series is not None and series.key != key:
            self.arrive(clock * 1e-9)
        super().image(key, image, clock)

    def end(self, key: SeriesKey, now: float) -> None:
        """An end message came; see what has arrived without waiting for the next flush."""
        super().end(key, now)
        if self.capture.flying:
            self.flush(now)

    def stop(self, now: float, *, drain: bool) -> None:
        """End it, at once or when what is on its way has come."""
        if not drain:
            self.arrive(now)
        super().stop(now, drain=drain)

    def show(self, now: float) -> None:
        """Let readers see everything that has come."""
        self.arrive(now)
        super().show(now)

    def tick(self, now: float) -> None:
        """Time has passed: see what has landed, flush, and see what has ended."""
        self._land(now)
        super().tick(now)

    def arrive(self, now: float) -> None:
        """Wait until no frame is in flight."""
        if self.capture.flying:
            self._stripes.settle()
            self._land(now)

    # ------------------------------------------------------------ inside

    def _next(self, series: Series) -> int:
        return series.came

    def _stored(self, place: int, size: int, now: float) -> Sequence[Action]:  # noqa: ARG002  (told by its row)
        if self._files is not None:
            self._note(self._files, now)
        return ()

    def _stored_on(self, files: CaptureFiles, stretch: Stretch, first: int) -> None:  # noqa: ARG002
        rows = files.sent
        self._flight.sent_on(rows, stretch.clock * 1e-9)
        rows.clear()

    def _note(self, files: CaptureFiles, now: float) -> None:
        """A frame was sent; the last of a series is looked for at once."""
        for row in files.sent:
            self._flight.sent(row, now)
        files.sent.clear()
        if self._flight.are_all:
            self.flush(now)

    def _land(self, now: float) -> None:
        """Count what has landed or was lost, and do what follows."""
        files, trouble = self._files, self._stripes.trouble
        if files is None:
            return
        actions = self._settled(files, now)
        if files.rows:
            try:
                files.record()
            except OSError as error:
                trouble = trouble or error
            else:
                self.flushes += 1
                self.captured, self._flushed = self.capture.mark, self.capture.tally.stored
        self.do(actions, now)
        if trouble is not None:
            self._give_up(trouble, now)

    def _settled(self, files: CaptureFiles, now: float) -> list[Action]:
        landed, lost = self._stripes.settled()
        self._flight.lost(lost)
        rows, actions = self._flight.landed(landed, now)
        files.rows += rows
        return actions

    def _give_up(self, error: OSError, now: float) -> None:
        if isinstance(error, StripeGoneError) or self._files is None:
            return
        self._stripes.settle()
        self.do(self._settled(self._files, now), now)
        super()._give_up(error, now)

    def _conclude(self, finished: Finished, now: float) -> None:
        lost = self._unreadable()
        if lost:
            self._missing += unstore(self.capture, lost)
        why = self._stripes.wound
        if why and (lost or finished.outcome is not Outcome.COMPLETE):
            reason = f"{why}, and its stripe has no frames since; {finished.reason}".removesuffix("; ")
            outcome = Outcome.INCOMPLETE if finished.outcome is Outcome.COMPLETE else finished.outcome
            finished = Finished(outcome=outcome, reason=reason, rows=finished.rows, missing=finished.missing)
        super()._conclude(finished, now)

    def _unreadable(self) -> list[Lost]:
        """Frames that were stored, in files that could not be closed when their storers had gone."""
        places = sorted(self._stripes.unreadable)
        if not places:
            return []
        columns = read_columns(Path(self._meta_file))
        stored, sizes = columns[Column.STORED], columns[Column.SIZE]
        return [Lost(place, int(sizes[place])) for place in places if place < len(stored) and stored[place]]
