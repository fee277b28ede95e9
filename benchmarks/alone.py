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
from collections.abc import Callable
from pathlib import Path

from benchmarks.bare import Write, direct_chunk, pwrite
from benchmarks.handed import Batch, Handed, batches
from benchmarks.pool import Pool, load
from benchmarks.verify import wrong_frame
from writer import control

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


def session(path: Path, pool: Pool, frames: int) -> tuple[Take, Callable[[], object]]:
    """The worker's own work, from a message to the closed file."""
    order = control.Capture(
        capture="bench",
        directory=str(path.parent),
        stem="bench",
        detector="EIG1",
        single_file_name=str(path),
        num_capture=frames,
    )
    handed = Handed(order, pool, frames)
    return handed.take, handed.end


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
    close: Callable[[], object]
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
