"""The least that a writer could do, as processes: the limits that ours is measured beside.

``pwrite`` takes messages and writes their bytes; ``h5py`` takes messages and writes their last bytes as
chunks of one data set, without looking at them, without SWMR, columns or flush.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import h5py
import hdf5plugin
import zmq

from benchmarks.source import SHAPE, queue_length


def pwrite(socket: zmq.Socket[bytes], path: Path, frames: int, size: int) -> None:
    """Receive and write the bytes one behind the other."""
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    for i in range(frames):
        message = socket.recv(copy=size < 65536)
        buffer = message if isinstance(message, bytes) else message.buffer
        os.pwrite(file, memoryview(buffer)[-size:], i * size)
    os.close(file)


def direct_chunk(socket: zmq.Socket[bytes], path: Path, frames: int, size: int) -> None:
    """Receive and write the bytes as chunks."""
    with h5py.File(path, "x", libver=("v110", "v110")) as file:
        data = file.create_dataset(
            "data",
            (frames, *SHAPE),
            "u2",
            chunks=(1, *SHAPE),
            maxshape=(None, *SHAPE),
            **hdf5plugin.Bitshuffle(),
        ).id
        for i in range(frames):
            message = socket.recv(copy=size < 65536)
            buffer = message if isinstance(message, bytes) else message.buffer
            data.write_direct_chunk((i, 0, 0), memoryview(buffer)[-size:])


def main() -> None:
    """Entry point of the process: says READY, then DONE when all is written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--how", choices=["pwrite", "h5py"], required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--path", type=Path, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    arguments = parser.parse_args()
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    socket.set_hwm(queue_length(arguments.size))
    socket.connect(arguments.endpoint)
    write = pwrite if arguments.how == "pwrite" else direct_chunk
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    socket.recv()  # the start message
    write(socket, arguments.path, arguments.frames, arguments.size)
    sys.stdout.write("DONE\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
