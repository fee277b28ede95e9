"""An open capture whose frames are packed by its worker, if they come unpacked.

A frame that came is on its way, and counts for something only when it is stored, or lost. Before anything
ends a series, what is on its way is waited for. With a stream that is packed already it does as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from layouts.capture import Outcome
from layouts.stream.messages import Image, Start
from writer import control
from writer.capture_values import Action, Finished
from writer.in_flight import InFlight
from writer.latest import Recent
from writer.open_capture import OpenCapture
from writer.series import Announced, SeriesKey

_SOON: Final = 1 << 26
"""Bytes on their way at the end of a series that are waited for at once."""
_AT_ONCE: Final = 0.8
"""Seconds that frames on their way get when a capture is to end at once."""


class PackedCapture(OpenCapture):
    """A capture from Opened to Done; arguments as those of ``OpenCapture``; the order says how to pack.

    Raises:
        WriteError: A file cannot be made.
    """

    def __init__(
        self, order: control.Capture, now: float, emit: Callable[[control.Event], None], recent: Recent
    ) -> None:
        self._tell: Final = emit
        super().__init__(order, now, self._as_stored, recent)
        if self._files is None or self._files.packing is None:
            raise RuntimeError("a capture that packs was opened for an order that does not ask for it")
        self._packing: Final = self._files.packing
        self._flight: Final = InFlight(self.capture)

    @property
    def backlog(self) -> int:
        """Frames that came and that readers cannot see yet."""
        return super().backlog + len(self.capture.flying)

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

    def stop(self, now: float, *, drain: bool) -> None:
        """End it, at once or when what is on its way has come."""
        if not drain:
            self.arrive(now, _AT_ONCE)
        super().stop(now, drain=drain)

    def show(self, now: float) -> None:
        """Let readers see everything that has come."""
        self.arrive(now)
        super().show(now)

    def tick(self, now: float) -> None:
        """Time has passed: see what was stored, flush, and see what has ended."""
        self._land(now)
        super().tick(now)

    def arrive(self, now: float, within: float | None = None) -> None:
        """Wait until no frame is on its way; for so many seconds at most, then what is left is lost."""
        if self.capture.flying:
            self._wait(within)
            self._land(now)

    # ------------------------------------------------------------ inside

    def _wait(self, within: float | None = None) -> None:
        if within is None:
            self._packing.settle()
        else:
            self._packing.settle(within)

    def _stored(self, place: int, size: int, now: float) -> Sequence[Action]:
        files = self._files
        if files is None or not self._packing.defers:
            return super()._stored(place, size, now)
        for row in files.sent:
            self._flight.sent(row, now)
        files.sent.clear()
        if self._flight.are_all and self._packing.waiting <= _SOON:
            self._wait()
        self._land(now)
        return ()

    def _land(self, now: float) -> None:
        """Count what was stored or lost, and do what follows."""
        if self._files is None or not self.capture.flying:
            return
        landed, lost = self._packing.settled()
        self._flight.lost(lost)
        sizes = dict(landed)
        rows, actions = self._flight.landed(sizes, now, sizes)
        self._files.rows += rows
        self.do(actions, now)
        if self._packing.trouble is not None:
            self._give_up(self._packing.trouble, now)

    def _give_up(self, error: OSError, now: float) -> None:
        if self._files is not None and self.capture.flying and self._packing.trouble is None:
            self._wait()
            self._land(now)
        super()._give_up(error, now)

    def _conclude(self, finished: Finished, now: float) -> None:
        why = self._packing.complaint
        if why and finished.outcome is not Outcome.COMPLETE:
            finished = replace(finished, reason=f"{why}; {finished.reason}".removesuffix("; "))
        super()._conclude(finished, now)

    def _as_stored(self, event: control.Event) -> None:
        """Tell the coordinator how frames are packed in the files, not on the stream."""
        if isinstance(event, control.Done):
            stored = self._packing.stored_as
            codec = event.record.codec if stored is None else stored.codec
            event = replace(event, record=replace(event.record, codec=codec))
        self._tell(event)
