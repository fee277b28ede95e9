"""A worker's ``Session`` as shipped, with messages handed in from memory instead of a socket."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.pool import Pool
from benchmarks.processes import BenchmarkError
from benchmarks.source import end, images, start
from layouts.stream.stream import encoder
from writer import control
from writer.session import Session

_BATCH: Final = 64 * 1024 * 1024
"""Bytes of messages that are in memory at a time."""
_TURN: Final = 10_000_000
"""Nanoseconds after which the worker looks at its clock, as in its own loop."""
Batch = Sequence[bytes]


def batches(pool: Pool, frames: int) -> Iterator[Batch]:
    """The image messages of a series, so many at a time: making them is not to be measured."""
    most = max(1, _BATCH // pool.most)
    encode = encoder(2)
    batch: list[bytes] = []
    for image in images(pool, frames):
        batch.append(b"".join(encode.encode_image(image)))
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


class Handed:
    """One capture of one series.

    Args:
        order: Of the capture; for more frames than come, so that the end message ends it.
        pool: Of frames.
        frames: How many will be handed in.
    """

    def __init__(self, order: control.Capture, pool: Pool, frames: int) -> None:
        self._frames, self._name = frames, order.capture
        self._encode = encoder(2)
        self._session = Session(order.detector)
        self._session.command(order)
        self._session.message([bytes(part) for part in self._encode.encode_start(start(pool, frames))])

    def take(self, batch: Batch) -> None:
        """Hand in messages, as a socket would."""
        waiting = iter(batch)
        left = len(batch)

        def receive() -> list[memoryview] | None:
            nonlocal left
            message = next(waiting, None)
            if message is None:
                return None
            left -= 1
            return [memoryview(message)]

        while left:
            self._session.take(receive, time.monotonic_ns() + _TURN)
            self._session.tick(time.monotonic())

    def end(self) -> control.Done:
        """The end message; the files are closed when it returns.

        Raises:
            BenchmarkError: Not every frame was stored.
        """
        self._session.message([bytes(part) for part in self._encode.encode_end(end())])
        if self._session.is_open:
            self._session.command(control.Stop(capture=self._name, drain=False))
        done = next((e for e in self._session.events if isinstance(e, control.Done)), None)
        if done is None or done.counters.stored != self._frames:
            raise BenchmarkError(f"the worker has not stored {self._frames} frames: {done}")
        return done
