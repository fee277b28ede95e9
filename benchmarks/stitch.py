"""How long after the last frame do the masters stand, by number of raw files?

A worker's ``Session`` writes a capture of small frames cut into so many files; what is timed is closing it
(from the end message to Done) and publishing both masters with all their checks. The bar is 0.1 s and 0.5 ms
for each raw file, both together.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

import h5py

import layouts.filters_h5  # noqa: F401  registers the filter of the frames
from benchmarks.handed import Handed, batches
from benchmarks.pool import Pool
from benchmarks.processes import BenchmarkError
from benchmarks.report import Finding, Result
from layouts.beamline import Beamline
from layouts.raw.names import DATA
from layouts.stream import codecs
from layouts.stream.messages import Codec
from writer import control, masters
from writer.record import acquisition

FILES: Final = (1, 10, 100, 1000)
_PER_FILE: Final = 4
_BASE: Final = 0.1
_EACH: Final = 0.0005


def main(beamline: Beamline, *, repeats: int, files: tuple[int, ...] = FILES) -> Finding:
    """Measure from the end message to masters that can be read."""
    pool = _small()
    results: list[Result] = []
    for count in files:
        seen = [_once(beamline, pool, count) for _ in range(repeats)]
        closing, publishing = (min(each) for each in zip(*seen, strict=True))
        bar = _BASE + _EACH * count
        results.append(
            Result(
                case=f"{count} files",
                more={
                    "close, s": closing,
                    "publish, s": publishing,
                    "together, s": closing + publishing,
                    "bar, s": bar,
                    "of the bar": (closing + publishing) / bar,
                },
            )
        )
    title = f"last frame to readable masters, best of {repeats}"
    return Finding(name="stitch", title=title, results=results)


def _small() -> Pool:
    import numpy as np

    frames = [np.full((64, 64), i, np.uint16) for i in range(8)]
    return Pool(
        shape=(64, 64), dtype="uint16", blobs=tuple(codecs.compress(each, Codec.BSLZ4) for each in frames)
    )


def _once(beamline: Beamline, pool: Pool, files: int) -> tuple[float, float]:
    frames = files * _PER_FILE
    with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as folder:
        order = control.Capture(
            capture="bench",
            directory=folder,
            stem="bench",
            detector=beamline.detectors[0].name,
            images_per_file=_PER_FILE,
            num_capture=frames + 1,  # so that the end message ends it, not the last frame
        )
        handed = Handed(order, pool, frames)
        for batch in batches(pool, frames):
            handed.take(batch)
        began = time.perf_counter()
        done = handed.end()
        closed = time.perf_counter()
        published = masters.publish(acquisition(beamline, order, done))
        stands = time.perf_counter()
        if not published.ok:
            raise BenchmarkError(f"the masters do not stand: {published.findings}")
        _verify(published.paths[0], pool, frames)
    return closed - began, stands - closed


def _verify(master: Path, pool: Pool, frames: int) -> None:
    with h5py.File(master, "r") as file:
        data = file[DATA]
        if not isinstance(data, h5py.Dataset):
            raise BenchmarkError(f"{master.name} has no {DATA}")
        for place in {0, frames // 2, frames - 1}:
            if (data[place] != place % len(pool.blobs)).any():
                raise BenchmarkError(f"frame {place} of {master.name} is not what was sent")
