"""Packed frames that benchmarks send again and again: random bytes of a size, recorded ones, rendered ones.

As files, so that the processes of one run have the same.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cbor2

from layouts.beamline import load as load_beamline
from layouts.stream import payloads
from layouts.stream.messages import Codec, Image, Payload
from layouts.stream.stream import decode

COUNT: Final = 8
"""Different frames; enough that no cache holds them all."""
SHAPE: Final = (1062, 1028)
RECORDINGS: Final = "SOFTBEAM_RECORDINGS"
"""Names the folder with recordings of real detectors; ``../shared/recordings`` unless set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Frames of one shape, type and codec (bslz4).

    Attributes:
        shape: Pixels, (slow, fast).
        dtype: Name of the type.
        blobs: As they stand in stream and file.
    """

    shape: tuple[int, int]
    dtype: str
    blobs: tuple[bytes, ...]

    @property
    def most(self) -> int:
        """Bytes of the largest."""
        return max(map(len, self.blobs))

    @property
    def mean(self) -> float:
        """Bytes of a frame on average."""
        return sum(map(len, self.blobs)) / len(self.blobs)

    @property
    def payloads(self) -> list[Payload]:
        """As the stream's encoder takes them."""
        return [
            Payload(channel="threshold_1", shape=self.shape, dtype=self.dtype, codec=Codec.BSLZ4, data=blob)
            for blob in self.blobs
        ]

    def save(self, path: Path) -> Path:
        """Leave it in a file, for ``load``."""
        path.write_bytes(cbor2.dumps([list(self.shape), self.dtype, list(self.blobs)]))
        return path


def load(path: Path) -> Pool:
    """What ``Pool.save`` has left."""
    shape, dtype, blobs = cbor2.loads(path.read_bytes())
    return Pool(shape=(shape[0], shape[1]), dtype=dtype, blobs=tuple(blobs))


def random(size: int) -> Pool:
    """Frames of bslz4's frame and blocks with random bytes in them that nobody unpacks."""
    return Pool(shape=SHAPE, dtype="uint16", blobs=tuple(_random(i, size) for i in range(COUNT)))


def recorded() -> Pool | None:
    """Frames of a real detector, some 27 kB each; nothing where the recording is not there."""
    folder = Path(os.environ.get(RECORDINGS) or Path(__file__).parents[2] / "shared" / "recordings")
    file = folder / "eiger1-1m-stream-v2.cborseq.gz"
    if not file.is_file():
        return None
    sequence = gzip.decompress(file.read_bytes())
    decoder = cbor2.CBORDecoder(stream := io.BytesIO(sequence))
    found: list[Payload] = []
    while stream.tell() < len(sequence) and len(found) < COUNT:
        message = decode(decoder.decode())
        if isinstance(message, Image):
            found.append(message.payloads[0])
    first = found[0]
    return Pool(shape=first.shape, dtype=first.dtype, blobs=tuple(bytes(p.data) for p in found))


def scene() -> Pool:
    """Frames of the built-in scene on the built-in main detector, half a megabyte each."""
    from sim.frames import SceneSource
    from sim.scenes.exposure import sweep

    beamline = load_beamline()
    source = SceneSource(beamline, beamline.detectors[0])
    motor = beamline.goniometer["omega"]
    found = [source.payload(e, Codec.BSLZ4, 2) for e in sweep(motor, 0.0, 0.5, COUNT)]
    first = found[0]
    return Pool(shape=first.shape, dtype=first.dtype, blobs=tuple(bytes(p.data) for p in found))


def _random(index: int, size: int) -> bytes:
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
