"""How fast are frames packed and unpacked, and how small do they become?

Frames of the built-in scene, as 8, 16 and 32 bit; our routines against the HDF5 filter that every reader has.
Both ways are verified: what was packed must be the same after unpacking.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import pool as pools
from benchmarks.processes import BenchmarkError
from benchmarks.report import Finding, Result
from benchmarks.rounds import Sample, cheaper, interleaved
from layouts.stream import codecs, codecs_h5
from layouts.stream.messages import Codec, Payload

_FRAMES: Final = 20


def main(*, repeats: int, frames: int = _FRAMES) -> Finding:
    """Measure packing and unpacking."""
    codecs.backend()  # tests itself now
    scene = codecs.decompress(pools.scene().payloads[0])
    results = [
        _case(_as(scene, dtype), codec, repeats, frames)
        for dtype in ("uint8", "uint16", "uint32")
        for codec in (Codec.BSLZ4, Codec.LZ4, Codec.BSZSTD)
    ]
    title = f"codecs: processor time a frame of {scene.shape[0]} x {scene.shape[1]}, {repeats} rounds"
    return Finding(name="codecs", title=title, results=results, notes=[f"ours: {codecs.backend()}"])


def _as(scene: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The same counts in another type; what is masked stays masked."""
    most = np.iinfo(dtype).max
    counts = np.minimum(scene.astype(np.uint64), most - 1)
    return np.where(scene == np.iinfo(scene.dtype).max, np.uint64(most), counts).astype(dtype)


def _case(pixels: NDArray[Any], codec: Codec, repeats: int, frames: int) -> Result:
    packed = codecs.pack(pixels, codec)
    number, options = codecs.FILTERS[codec]
    dtype, shape = packed.dtype, packed.shape
    chunk = memoryview(packed.data)
    if not np.array_equal(codecs.decompress(packed), pixels):
        raise BenchmarkError(f"{codec} of {dtype} is not the same after unpacking")
    if not np.array_equal(codecs_h5.unpack(chunk, shape, dtype, number, options), pixels):
        raise BenchmarkError(f"HDF5's filter does not read our {codec} of {dtype}")
    contenders: dict[str, Callable[[], Sample]] = {
        "pack": functools.partial(_timed, lambda: codecs.compress(pixels, codec), frames),
        "filter packs": functools.partial(_timed, lambda: codecs_h5.pack(pixels, number, options), frames),
        "unpack": functools.partial(_timed, functools.partial(_unpack, packed), frames),
        "filter unpacks": functools.partial(
            _timed, lambda: codecs_h5.unpack(chunk, shape, dtype, number, options), frames
        ),
    }
    samples = interleaved(contenders, repeats)
    best = min(s.cpu for s in samples["pack"])
    return Result(
        case=f"{dtype} {codec}",
        samples=samples,
        ratios={
            "filter/ours packing": cheaper(samples, "filter packs", "pack"),
            "filter/ours unpacking": cheaper(samples, "filter unpacks", "unpack"),
        },
        more={"times smaller": pixels.nbytes / len(chunk), "GB/cpu-s packing": pixels.nbytes / best / 1e3},
    )


def _unpack(packed: Payload) -> None:
    codecs.decompress(packed)


def _timed(work: Callable[[], object], frames: int) -> Sample:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(frames):
        work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Sample(cpu=cpu / frames * 1e6, rate=frames / wall)
