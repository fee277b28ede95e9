"""A sender that does nothing but send: a pool of packed frames as a Dectris V2 stream.

Run as a process: it binds, says READY, sends start, images and end when a line comes on stdin, and stays
until stdin closes, because a socket that closes early can lose what is still on its way.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import sys
from dataclasses import replace

import zmq

from layouts.stream import payloads
from layouts.stream.messages import Codec, End, HeaderDetail, Image, Payload, Rational, Start
from layouts.stream.stream import encoder

POOL = 8
"""Different frames; enough that no cache holds them all."""
SHAPE = (1062, 1028)
DEPTH = 64 * 1024 * 1024
"""Bytes that may wait before a receiver, the same for all: a deep queue costs memory that is always new."""


def queue_length(size: int) -> int:
    """Messages that may wait at either end."""
    return max(4, DEPTH // size)


def blob(index: int, size: int) -> bytes:
    """Packed frame of the pool: bslz4's frame and blocks, with random bytes in them that nobody unpacks."""
    total = SHAPE[0] * SHAPE[1] * 2
    blocks = math.ceil(total / payloads.BLOCK_BYTES)
    room = size - payloads.FRAME.size - blocks * payloads.LENGTH.size
    each = room // blocks
    body = hashlib.shake_128(index.to_bytes(4, "big")).digest(each + blocks)
    pieces = [payloads.FRAME.pack(total, payloads.BLOCK_BYTES)]
    for block in range(blocks):
        length = each if block < blocks - 1 else room - each * (blocks - 1)
        pieces += (payloads.LENGTH.pack(length), body[:length])
    return b"".join(pieces)


def start(frames: int) -> Start:
    """The start message of the series."""
    config = {
        "image_size_x": SHAPE[1],
        "image_size_y": SHAPE[0],
        "number_of_images": frames,
        "image_dtype": "uint16",
        "channels": ["threshold_1"],
        "frame_time": 0.001,
        "count_time": 0.001,
    }
    return Start(version=2, series=1, unique_id="0" * 26, detail=HeaderDetail.BASIC, config=config)


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    arguments = parser.parse_args()
    encode = encoder(2)
    frame = Image(
        series=1,
        unique_id="0" * 26,
        frame=0,
        payloads=(),
        start_time=Rational(0, 50_000_000),
        stop_time=Rational(50_000, 50_000_000),
        real_time=Rational(50_000, 50_000_000),
        series_date="2026-01-01T00:00:00.000Z",
    )
    pool = [
        (
            Payload(
                channel="threshold_1",
                shape=SHAPE,
                dtype="uint16",
                codec=Codec.BSLZ4,
                data=blob(i, arguments.size),
            ),
        )
        for i in range(POOL)
    ]
    context = zmq.Context()
    socket = context.socket(zmq.PUSH)
    socket.set_hwm(queue_length(arguments.size))
    socket.setsockopt(zmq.LINGER, 0)
    socket.bind(arguments.endpoint)
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    sys.stdin.readline()
    socket.send_multipart(encode.encode_start(start(arguments.frames)))
    for i in range(arguments.frames):
        opens = 50_000 * i
        image = replace(
            frame,
            frame=i,
            payloads=pool[i % POOL],
            start_time=Rational(opens, 50_000_000),
            stop_time=Rational(opens + 49_995, 50_000_000),
        )
        socket.send_multipart(encode.encode_image(image), copy=arguments.size < 65536)
    socket.send_multipart(encode.encode_end(End(series=1, unique_id="0" * 26)))
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
