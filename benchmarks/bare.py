"""The least that a writer could do, as processes: the limits that ours is measured beside.

``discard`` takes messages and does nothing; ``pwrite`` writes their bytes; ``h5py`` writes their last bytes
as chunks of one data set, without looking at them, without SWMR, columns or flush.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import zmq

import layouts.filters_h5  # noqa: F401  registers the filter that the chunks name
from benchmarks.pool import Pool, load
from benchmarks.source import SMALL, queue_length
from layouts.raw.names import DATA
from layouts.stream.codecs import hdf5_filter
from layouts.stream.messages import Codec

Chunk = bytes | memoryview
Write = Callable[[int, Chunk], object]


def pwrite(path: Path) -> tuple[Write, Callable[[], None]]:
    """Write the bytes one behind the other."""
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    at = 0

    def write(_row: int, chunk: Chunk) -> None:
        nonlocal at
        at += os.pwrite(file, chunk, at)

    return write, lambda: os.close(file)


def direct_chunk(path: Path, pool: Pool, frames: int) -> tuple[Write, Callable[[], None]]:
    """Write the bytes as chunks of one data set."""
    file = h5py.File(path, "x", libver=("v110", "v110"))
    number, options = hdf5_filter(Codec.BSLZ4) or (None, None)
    write = file.create_dataset(
        DATA,
        (frames, *pool.shape),
        pool.dtype,
        chunks=(1, *pool.shape),
        maxshape=(None, *pool.shape),
        compression=number,
        compression_opts=options,
    ).id.write_direct_chunk
    return (lambda row, chunk: write((row, 0, 0), chunk)), file.close


def main() -> None:
    """Entry point of the process: says READY, then DONE when all is written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--how", choices=["discard", "pwrite", "h5py"], required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--path", type=Path, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    arguments = parser.parse_args()
    pool, frames = load(arguments.pool), arguments.frames
    sizes = [len(blob) for blob in pool.blobs]
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    socket.set_hwm(queue_length(pool.most))
    socket.connect(arguments.endpoint)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    socket.recv()  # the start message
    write: Write = lambda _row, _chunk: None  # noqa: E731
    close: Callable[[], None] = lambda: None  # noqa: E731
    if arguments.how == "pwrite":
        write, close = pwrite(arguments.path)
    elif arguments.how == "h5py":
        write, close = direct_chunk(arguments.path, pool, frames)
    copy, count = pool.most < SMALL, len(sizes)
    for i in range(frames):
        message = socket.recv(copy=copy)
        buffer = memoryview(message if isinstance(message, bytes) else message.buffer)
        write(i, buffer[-sizes[i % count] :])
    close()
    sys.stdout.write("DONE\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
