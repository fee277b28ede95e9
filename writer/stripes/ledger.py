"""What a fan knows of the frames it has dealt: on their way, flushed, or lost.

Pure bookkeeping: nothing is sent or written here. A frame is landed when its storer says that readers can see
it, and lost when its storer is gone, or in trouble, before it has said so; it is one of the two in the end.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from layouts.raw.mapping import Mapping


@dataclass(slots=True)
class Account:
    """One storer's frames in one capture.

    Attributes:
        budget: Bytes that may be on their way.
        sent: Frames sent to it.
        taken: Frames it has taken off its socket.
        flushed: Frames that readers can see.
        asked: Frames behind which a flush was asked for.
        queue: Bytes on their way.
        bytes: Flushed.
        gone: Why it stores nothing more; empty while it does.
    """

    budget: int
    sent: int = 0
    taken: int = 0
    flushed: int = 0
    asked: int = 0
    queue: int = 0
    bytes: int = 0
    gone: str = ""
    _places: deque[tuple[int, int]] = field(default_factory=deque[tuple[int, int]])
    _sizes: deque[int] = field(default_factory=deque[int])

    def has_room(self, size: int) -> bool:
        """Whether a frame of so many bytes may be sent: one always may, however large."""
        return not self.queue or self.queue + size <= self.budget

    def send(self, place: int, size: int) -> None:
        """A frame is on its way."""
        self.sent += 1
        self.queue += size
        self._places.append((place, size))
        self._sizes.append(size)

    def take(self, taken: int) -> None:
        """It has taken so many in all off its socket."""
        for _ in range(min(taken, self.sent) - self.taken):
            self.queue -= self._sizes.popleft()
            self.taken += 1

    def flush(self, flushed: int) -> list[int]:
        """Readers can see so many in all; returns the places of those that are new."""
        self.take(flushed)
        landed: list[int] = []
        for _ in range(min(flushed, self.sent) - self.flushed):
            place, size = self._places.popleft()
            landed.append(place)
            self.bytes += size
            self.flushed += 1
        return landed

    def end(self, why: str) -> list[int]:
        """It stores nothing more; returns the places of frames that are lost with it."""
        self.gone = self.gone or why
        lost = [place for place, _ in self._places]
        self._places.clear()
        self._sizes.clear()
        self.queue = 0
        return lost


class Ledger:
    """All storers' frames in one capture.

    Args:
        mapping: How places are dealt.
        budget: Bytes that may be on their way to all together.
    """

    def __init__(self, mapping: Mapping, budget: int) -> None:
        self.mapping = mapping
        share = max(1, budget // mapping.workers)
        self.accounts = [Account(share) for _ in range(mapping.workers)]
        self.landed: list[int] = []
        """Places of frames that readers can see since the last ``settled``."""
        self.lost: list[int] = []
        """Places of frames that were lost since then."""

    @property
    def in_flight(self) -> int:
        """Frames that are neither flushed nor lost."""
        return sum(each.sent - each.flushed for each in self.accounts if not each.gone)

    @property
    def unasked(self) -> int:
        """Frames behind which no flush was asked for."""
        return sum(each.sent - each.asked for each in self.accounts if not each.gone)

    def take(self, rank: int, taken: int, flushed: int) -> None:
        """A storer says how far it is."""
        account = self.accounts[rank]
        if account.gone:
            return
        account.take(taken)
        self.landed += account.flush(flushed)

    def end(self, rank: int, why: str) -> None:
        """A storer stores nothing more."""
        self.lost += self.accounts[rank].end(why)

    def to_flush(self) -> list[int]:
        """Ranks that have frames behind which a flush is to be asked for now; they count as asked."""
        found: list[int] = []
        for rank, account in enumerate(self.accounts):
            if not account.gone and account.asked < account.sent:
                account.asked = account.sent
                found.append(rank)
        return found

    def settled(self) -> tuple[list[int], list[int]]:
        """Places landed and lost since the call before."""
        landed, lost = self.landed, self.lost
        self.landed, self.lost = [], []
        return landed, lost
