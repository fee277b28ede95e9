"""What waits to be sent to one client, in order; a subscription that is too far behind loses its oldest."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

BACKLOG = 1000
"""Updates that one subscription may have waiting for a slow client."""
BACKLOG_BYTES = 8 << 20
OWED = 4 << 20
"""Bytes of replies after which a client is to read before it is read from again."""


class Outbox:
    """Bytes for a circuit: replies, which are all sent, and updates, of which the oldest may go."""

    def __init__(self) -> None:
        self._cells: list[list[bytes]] = []
        self._of: dict[int, deque[list[bytes]]] = {}
        self.filled = asyncio.Event()
        self.held = False
        """Whether the sender is left alone: whoever holds the box sends what is in it."""
        self.room = asyncio.Event()
        """Whether the replies that wait are not too many."""
        self.room.set()
        self._owed = 0
        self.dropped = 0

    def reply(self, *pieces: bytes) -> None:
        """Add a reply behind all that waits."""
        self._cells.append(list(pieces))
        self._owed += sum(map(len, pieces))
        if self._owed > OWED:
            self.room.clear()
        self._tell()

    def update(self, subscription: int, *pieces: bytes) -> None:
        """Add an update of a subscription behind all that waits."""
        cell = list(pieces)
        mine = self._of.get(subscription)
        if mine is None:
            mine = self._of[subscription] = deque()
        elif len(mine) > 1:
            quota = max(2, min(BACKLOG, BACKLOG_BYTES // max(1, sum(map(len, pieces)))))
            while len(mine) >= quota:
                mine.popleft().clear()
                self.dropped += 1
        mine.append(cell)
        self._cells.append(cell)
        self._tell()

    def forget(self, subscription: int) -> None:
        """Drop the updates of a subscription that has ended."""
        for cell in self._of.pop(subscription, ()):
            cell.clear()

    def take(self) -> bytes:
        """Everything that waits."""
        data = b"".join([piece for cell in self._cells for piece in cell])
        self._cells.clear()
        self._of.clear()
        self.filled.clear()
        self.room.set()
        self._owed = 0
        return data

    def release(self) -> None:
        """Leave what is in the box to the sender."""
        self.held = False
        if self._cells:
            self.filled.set()

    def _tell(self) -> None:
        if not self.held:
            self.filled.set()

    async def put(self, reference: Any) -> None:
        """The way in for updates that caproto has made: a weak reference, as its own queue takes."""
        update = reference()
        if update is not None:
            self.update(update.subscriptionid, bytes(update))
