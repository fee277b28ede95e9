"""Frames that are on their way to where they are stored: the bookkeeping between sent, and landed or lost.

Pure. A frame counts as stored when it has landed, and as failed when it was lost; until then it is in flight,
its place is taken, and its series is not over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from writer.capture import Capture
from writer.capture_values import Action
from writer.meta_h5 import PACKED, Row

_SIZE: Final = Row._fields.index("size")


class InFlight:
    """The frames in flight of one capture.

    Args:
        capture: Its bookkeeping.
    """

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._rows: dict[int, bytes] = {}
        """What is known of each frame, packed, by its place."""

    @property
    def are_all(self) -> bool:
        """Whether every frame that the series under way can have is stored or in flight."""
        series = self._capture.series
        return series is not None and series.stored + len(self._rows) >= series.limit

    def sent(self, row: bytes, now: float) -> None:
        """A frame that has its place is on its way; ``row`` is what is known of it, packed."""
        place = _place(row)
        self._rows[place] = row
        self._capture.flying.add(place)
        series = self._capture.series
        if series is not None and series.first_at is None:
            series.first_at = now

    def sent_on(self, rows: Sequence[bytes], now: float) -> None:
        """Frames came and are on their way, one at least, each behind all that came before."""
        for row in rows:
            self.sent(row, now)
        self._capture.sent_on(len(rows), _place(rows[-1]), now)

    def landed(
        self, places: Iterable[int], now: float, sizes: Mapping[int, int] | None = None
    ) -> tuple[list[bytes], list[Action]]:
        """Frames are stored; returns what is known of them, and what follows.

        Args:
            places: Theirs.
            now: Monotonic seconds.
            sizes: Bytes of each by its place, where they were packed on their way.
        """
        capture, rows, actions = self._capture, list[bytes](), list[Action]()
        for place in places:
            row = self._rows.pop(place)
            if sizes is not None:
                row = PACKED.pack(*Row._make(PACKED.unpack(row))._replace(size=sizes[place]))
            rows.append(row)
            capture.flying.discard(place)
            actions += capture.stored(place, int(PACKED.unpack(row)[_SIZE]), now)
        return rows, actions

    def lost(self, places: Iterable[int]) -> None:
        """Frames are stored nowhere."""
        for place in places:
            del self._rows[place]
            self._capture.flying.discard(place)
            self._capture.failed()


def _place(row: bytes) -> int:
    return int(PACKED.unpack(row)[0])
