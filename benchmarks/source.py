"""A sender that does nothing but send: a pool of packed frames as a Dectris V2 stream.

Run as a process: it binds, says READY, sends start, images and end when a line comes on stdin, and stays
until stdin closes, because a socket that closes early can lose what is still on its way.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import zmq

from benchmarks.pool import Pool, load
from layouts.stream.messages import End, HeaderDetail, Image, Rational, Start
from layouts.stream.stream import encoder

DEPTH: Final = 64 * 1024 * 1024
"""Bytes that may wait before a receiver, the same for all: a deep queue costs memory that is always new."""
SMALL: Final = 65536
"""Bytes below which a message is copied rather than shared."""
UNIQUE_ID: Final = "0" * 26


def queue_length(size: int) -> int:
    """Messages that may wait at either end."""
    return max(4, DEPTH // size)


def start(pool: Pool, frames: int) -> Start:
    """The start message of the series."""
    config = {
        "image_size_x": pool.shape[1],
        "image_size_y": pool.shape[0],
        "number_of_images": frames,
        "image_dtype": pool.dtype,
        "channels": ["threshold_1"],
        "frame_time": 0.001,
        "count_time": 0.001,
    }
    return Start(version=2, series=1, unique_id=UNIQUE_ID, detail=HeaderDetail.BASIC, config=config)


def end() -> End:
    """The end message of the series."""
    return End(series=1, unique_id=UNIQUE_ID)


def images(pool: Pool, frames: int) -> Iterator[Image]:
    """The image messages of the series, with the payloads of the pool in turn."""
    payloads = [(payload,) for payload in pool.payloads]
    frame = Image(
        series=1,
        unique_id=UNIQUE_ID,
        frame=0,
        payloads=(),
        start_time=Rational(0, 50_000_000),
        stop_time=Rational(50_000, 50_000_000),
        real_time=Rational(50_000, 50_000_000),
        series_date="2026-01-01T00:00:00.000Z",
    )
    for i in range(frames):
        opens = 50_000 * i
        yield replace(
            frame,
            frame=i,
            payloads=payloads[i % len(payloads)],
            start_time=Rational(opens, 50_000_000),
            stop_time=Rational(opens + 49_995, 50_000_000),
        )


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    parser.add_argument("--rate", type=float, default=0.0, help="frames a second; 0 is as fast as they go")
    arguments = parser.parse_args()
    encode = encoder(2)
    pool = load(arguments.pool)
    copy = pool.most < SMALL
    context = zmq.Context()
    socket = context.socket(zmq.PUSH)
    socket.set_hwm(queue_length(pool.most))
    socket.setsockopt(zmq.LINGER, 0)
    socket.bind(arguments.endpoint)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    sys.stdin.readline()
    socket.send_multipart(encode.encode_start(start(pool, arguments.frames)))
    period, began = 1 / arguments.rate if arguments.rate else 0.0, time.perf_counter()
    for image in images(pool, arguments.frames):
        if period and (wait := began + image.frame * period - time.perf_counter()) > 0:
            time.sleep(wait)
        socket.send_multipart(encode.encode_image(image), copy=copy)
    socket.send_multipart(encode.encode_end(end()))
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
