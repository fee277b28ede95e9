"""What do statistics of every frame cost the worker?

Processor time of a frame that is looked at when it is stored, by what is asked for and by pixel depth, the
unpacking apart: ``python -m benchmarks.frame_statistics``. Frames have 1062 x 1028 pixels and few counts.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as a worker has it, and before numpy reads it

import sys
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from benchmarks.machine import facts
from layouts.stream import codecs
from layouts.stream.messages import Codec, Payload
from writer.capture_values import PixelFormat
from writer.frame_statistics import FrameStatistics
from writer.preview.settings import Settings, Statistics

SHAPE: Final = (1062, 1028)
REPEATS: Final = 30
ASKED: Final = {
    "TOTAL": ("Total",),
    "all of ComputeStatistics": ("Total", "Sigma", "MaxValue"),
    "all of ComputeCentroid": ("CentroidX",),
    "all of ComputeHistogram": ("HistEntropy",),
}
_SETTINGS: Final = Settings(statistics=Statistics(centroid=True, histogram=True))


def spent(work: Callable[[], object]) -> float:
    """Processor milliseconds of one call: the quickest of many, as others use the machine."""
    took: list[float] = []
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        took.append(time.process_time() - begin)
    return 1e3 * min(took)


def table() -> str:
    """Milliseconds of each frame."""
    lines = [f"{'asked for':<26}" + "".join(f"{dtype:>10}" for dtype in ("uint8", "uint16", "uint32"))]
    rows: dict[str, list[float]] = {}
    for dtype in ("uint8", "uint16", "uint32"):
        frame = np.random.default_rng(1).poisson(0.5, SHAPE).astype(dtype)
        frame[514:551] = np.iinfo(dtype).max
        chunk = codecs.compress(frame, Codec.BSLZ4)
        pixels = PixelFormat(SHAPE, dtype, Codec.BSLZ4)
        payload = Payload(channel="", shape=SHAPE, dtype=dtype, codec=Codec.BSLZ4, data=chunk)

        def unpack(payload: Payload = payload) -> object:
            return codecs.decompress(payload)

        rows.setdefault("unpacking alone", []).append(spent(unpack))
        for name, values in ASKED.items():
            looks = FrameStatistics(values, _SETTINGS)

            def look(
                looks: FrameStatistics = looks, pixels: PixelFormat = pixels, chunk: bytes = chunk
            ) -> None:
                looks.take(0, pixels, chunk)

            rows.setdefault(name, []).append(spent(look))
    lines += [f"{name:<26}" + "".join(f"{ms:>10.2f}" for ms in found) for name, found in rows.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write("\n".join(f"{name}: {fact}" for name, fact in facts().items()) + "\n" + table() + "\n")
