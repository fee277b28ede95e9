"""Frames that go on where the last one ended: stored one by one, with nothing to decide between them.

While frames of one form come in order and fit into the same file, there is no question left to ask of each,
and the bookkeeping is done for all of them at once. Whatever does not fit ends the stretch and goes the
careful way: the last frame of a series, the first of a file, one late or twice, one that the disk refuses.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from layouts.stream.forms import Form, Frame
from writer.meta_h5 import PACKED

Parts = Sequence[bytes | memoryview]
Receive = Callable[[], Parts | None]
"""Gives the next message, or nothing if none waits."""
Read = Callable[[Parts], Frame | None]
"""Takes the frame out of a message, or nothing if that needs a closer look."""

SUSPICIOUS: Final = 0.75
"""Size of a frame, against the one before, below which it may have been cut short on its way."""


@dataclass(slots=True, kw_only=True)
class Stretch:
    """What may follow now.

    Attributes:
        form: Of all its frames.
        number: Of the next frame.
        end: Number from which on frames go the careful way.
        place: What is added to a number for its place in the capture.
        row: What is added to a number for its row in the raw file.
        size: Bytes of the frame stored last.
        store: Writes a chunk at (row, 0, 0) of the raw file.
        rows: Takes a ``Row`` for each frame, packed.
        to_wall: What is added to monotonic ns for ns since 1970.
        bytes: Stored so far.
        clock: Monotonic ns at which the last frame came.
        last: The frame stored last; None if none was.
        spent: What it took in all, ns: from taking the first frame off the socket to the end.
        is_refused: Whether the next frame was not taken, by the disk or for its times.
    """

    form: Form
    number: int
    end: int
    place: int
    row: int
    size: int
    store: Callable[[tuple[int, int, int], bytes | memoryview], None]
    rows: list[bytes]
    to_wall: int
    bytes: int = 0
    clock: int = 0
    last: Frame | None = None
    spent: int = 0
    is_refused: bool = False

    def follow(self, receive: Receive, read: Read, until: int) -> Parts | None:
        """Store what comes for as long as it fits.

        Args:
            receive: Where messages come from.
            read: What takes them apart.
            until: Monotonic ns at which to stop.

        Returns:
            The message that does not fit; nothing if none waits or the time is up.
        """
        # Names of its own: a look-up in an object costs more than what is done with most of these.
        form, store, add = self.form, self.store, self.rows.append
        series, place, row, to_wall = form.series, self.place, self.row, self.to_wall
        pack, clock = PACKED.pack, time.monotonic_ns
        number, end, size, total, now = self.number, self.end, self.size, 0, self.clock
        last, began = None, clock()
        while now < until:
            parts = receive()
            frame = None if parts is None else read(parts)
            if frame is None:
                break
            its, found, start, stop, real, chunk = frame
            held = len(chunk)
            if its is not form or found != number or number >= end or held < SUSPICIOUS * size:
                break
            now = clock()
            try:
                line = pack(number + place, series, number, start, stop, real, held, now + to_wall)
                store((number + row, 0, 0), chunk)
            except (OSError, struct.error):
                self.is_refused = True
                break  # it meets the error again on the careful way
            add(line)
            last = frame
            number, size, total = number + 1, held, total + held
        else:
            parts = None
        self.number, self.size, self.bytes, self.clock, self.last = number, size, total, now, last
        self.spent = clock() - began
        return parts
