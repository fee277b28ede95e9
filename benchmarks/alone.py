"""The writer without a socket, and its limits, as processes that measure themselves.

``pwrite`` and ``h5py`` are those of ``benchmarks.bare``; ``worker`` is the worker's ``Session`` as shipped
(SWMR, columns, flush by time), with messages handed in from memory. Messages are made in batches between
the measured stretches. Prints a line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.bare import Write, direct_chunk, pwrite
from benchmarks.pool import Pool, load
from benchmarks.source import end, images, start
from benchmarks.verify import wrong_frame
from layouts.stream.stream import encoder
from writer import control
from writer.session import Session

BATCH: Final = 128 * 1024 * 1024
"""Bytes of messages that are in memory at a time."""
Batch = Sequence[bytes]
Take = Callable[[Batch], None]


def each(write: Write, pool: Pool) -> Take:
    """Hand the pixels of each message to a bare writer."""
    sizes, row = [len(blob) for blob in pool.blobs], 0

    def take(batch: Batch) -> None:
        nonlocal row
        for message in batch:
            write(row, memoryview(message)[-sizes[row % len(sizes)] :])
            row += 1

    return take


def session(path: Path, pool: Pool, frames: int) -> tuple[Take, Callable[[], None]]:
    """The worker's own work, from a message to the closed file."""
    worker = Session("EIG1")
    worker.command(
        control.Capture(
            capture="bench",
            directory=str(path.parent),
            stem="bench",
            detector="EIG1",
            single_file_name=str(path),
            num_capture=frames,
        )
    )
    encode = encoder(2)
    worker.message([bytes(part) for part in encode.encode_start(start(pool, frames))])

    def take(batch: Batch) -> None:
        waiting = iter(batch)
        left = len(batch)

        def receive() -> list[memoryview] | None:
            nonlocal left
            message = next(waiting, None)
            if message is None:
                return None
            left -= 1
            return [memoryview(message)]

        while left:  # it stops whenever a flush is due
            worker.take(receive, sys.maxsize)
            worker.tick(time.monotonic())

    def close() -> None:
        worker.message([bytes(part) for part in encode.encode_end(end())])
        done = next((e for e in worker.events if isinstance(e, control.Done)), None)
        if done is None or done.counters.stored != frames or done.record.missing:
            raise RuntimeError(f"the worker has not stored {frames} frames: {done}")

    return take, close


def batches(pool: Pool, frames: int) -> Iterator[Batch]:
    """All messages, so many at a time."""
    most = max(1, BATCH // pool.most)
    encode = encoder(2)
    batch: list[bytes] = []
    for image in images(pool, frames):
        batch.append(b"".join(encode.encode_image(image)))
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


class Clock:
    """Processor and wall-clock seconds of the stretches between ``go`` and ``stop``."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0

    def go(self) -> None:
        """Begin to count."""
        self.cpu, self.wall = self.cpu - time.process_time(), self.wall - time.perf_counter()

    def stop(self) -> None:
        """Count no more."""
        self.cpu, self.wall = self.cpu + time.process_time(), self.wall + time.perf_counter()


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--how", choices=["pwrite", "h5py", "worker"], required=True)
    parser.add_argument("--path", type=Path, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    arguments = parser.parse_args()
    path, frames, pool = arguments.path, arguments.frames, load(arguments.pool)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    clock = Clock()
    clock.go()
    if arguments.how == "worker":
        take, close = session(path, pool, frames)
    else:
        write, close = pwrite(path) if arguments.how == "pwrite" else direct_chunk(path, pool, frames)
        take = each(write, pool)
    clock.stop()
    for batch in batches(pool, frames):
        clock.go()
        take(batch)
        clock.stop()
    clock.go()
    close()
    clock.stop()
    wrong = "" if arguments.how == "pwrite" else wrong_frame(path, pool, frames)
    sys.stdout.write(f"DONE {json.dumps({'cpu': clock.cpu, 'wall': clock.wall, 'wrong': wrong})}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
