"""How long after a frame has come can a reader in another process read it, at which rate?

A real worker stores frames that come at a steady rate; a child process follows the files with
``layouts.raw.follower``, reads every frame and compares it with what was sent. The lag is from the arrival
at the worker's socket to the bytes in the reader's hands; the last frames count as well, whose file is not
closed yet. The bar is 100 ms for 95 % of them.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks import pool as pools
from benchmarks.pool import Pool, load
from benchmarks.processes import BenchmarkError, expect, go, running
from benchmarks.report import Finding, Result
from benchmarks.source import queue_length
from benchmarks.worker import TIMEOUT, controlled
from layouts.beamline import Beamline
from layouts.raw.follower import Follower
from layouts.raw.names import meta_file

RATES: Final = {1.0: 5, 10.0: 40, 100.0: 400, 1000.0: 3000, 3000.0: 6000}
"""Frames a second, and how many."""
SIZE: Final = 27_000
BAR: Final = 100.0
_LOOK: Final = 0.002


def main(beamline: Beamline, rates: dict[float, int] = RATES) -> Finding:
    """Measure at each rate once."""
    pool = pools.random(SIZE)
    results = [
        Result(case=f"{rate:g} Hz", more=_once(beamline, pool, rate, frames))
        for rate, frames in rates.items()
    ]
    title = f"from a frame's arrival to a reader that has it, {SIZE // 1000} kB"
    notes = [f"bar: 95 % within {BAR:g} ms; the worker flushes by time, so half of that interval is usual"]
    return Finding(name="lag", title=title, results=results, notes=notes)


def _once(beamline: Beamline, pool: Pool, rate: float, frames: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as name:
        folder = Path(name)
        saved = pool.save(folder / "pool")
        series = ["--frames", str(frames), "--pool", str(saved)]
        endpoint = beamline.detectors[0].stream.endpoint
        meta = folder / meta_file("bench")
        with (
            running("benchmarks.source", "--endpoint", endpoint, *series, "--rate", str(rate)) as source,
            controlled(beamline, folder, queue_length(pool.most)) as worker,
            running("benchmarks.lag", "--meta", str(meta), *series) as reader,
        ):
            worker.capture(beamline.detectors[0].name, folder, frames)
            go(source)
            worker.done(frames)
            told = json.loads(expect(reader, "DONE").partition(" ")[2])
    if told["wrong"]:
        raise BenchmarkError(told["wrong"])
    lags = np.array(told["lags"])
    return {
        "median, ms": float(np.median(lags)),
        "95 %, ms": float(np.quantile(lags, 0.95)),
        "most, ms": float(lags.max()),
        "last frame, ms": float(lags[-1]),
        "of the bar": float(np.quantile(lags, 0.95)) / BAR,
    }


def reader() -> None:
    """Entry point of the reading process: says READY, then DONE with lags in ms by place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--meta", type=Path, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    arguments = parser.parse_args()
    pool = load(arguments.pool)
    lags, wrong = [math.nan] * arguments.frames, ""
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    with Follower(arguments.meta) as follower:
        for new in follower.follow(interval=_LOOK, timeout=TIMEOUT):
            for place, arrival in zip(new.places.tolist(), new.arrivals.tolist(), strict=True):
                if follower.chunk(place) != pool.blobs[place % len(pool.blobs)]:
                    wrong = wrong or f"frame {place} is not what was sent"
                lags[place] = (time.time_ns() - arrival) / 1e6
    if any(map(math.isnan, lags)):
        wrong = wrong or "not every frame was seen"
    sys.stdout.write(f"DONE {json.dumps({'lags': lags, 'wrong': wrong})}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    reader()
