"""One series from a bare sender to a bare receiver, each a process: what a worker is measured beside."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.machine import cpu_seconds
from benchmarks.processes import expect, go, running
from benchmarks.rounds import Sample


def spent(process: subprocess.Popen[str], frames: int, work: Callable[[], object]) -> Sample:
    """Processor time of a process, and the frames a second, while something is done."""
    before, began = cpu_seconds(process.pid), time.perf_counter()
    work()
    took = time.perf_counter() - began
    return Sample(cpu=(cpu_seconds(process.pid) - before) / frames * 1e6, rate=frames / took)


def bare(how: str, endpoint: str, saved: Path, frames: int, path: Path) -> Sample:
    """What a bare receiver takes for a series.

    Args:
        how: "discard", "pwrite" or "h5py".
        endpoint: Free.
        saved: Pool of frames.
        frames: How many.
        path: Of the file that it writes.
    """
    series = ["--endpoint", endpoint, "--frames", str(frames), "--pool", str(saved)]
    with (
        running("benchmarks.source", *series) as source,
        running("benchmarks.bare", "--how", how, "--path", str(path), *series) as receiver,
    ):

        def work() -> None:
            go(source)
            expect(receiver, "DONE")

        return spent(receiver, frames, work)
