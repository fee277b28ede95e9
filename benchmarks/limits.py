"""What can this machine do at all: copy memory, take bytes into a new file, receive messages?

No writer can be faster than these; which of them limits depends on the size of a frame. Each is a process
of its own or a loop in this one, measured in turn.
"""

from __future__ import annotations

import functools
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks import pool as pools
from benchmarks.report import Finding, Result
from benchmarks.rounds import Sample, interleaved
from benchmarks.series import bare
from layouts.beamline import Beamline

SIZES: Final = {10_000: 20_000, 100_000: 5_000, 500_000: 1_000, 2_000_000: 250, 8_000_000: 60}
"""Bytes of a frame, and how many: half a gigabyte at most."""
_SYNC: Final = "pwrite + fsync"


def main(
    beamline: Beamline, folder: Path | None = None, *, repeats: int, sizes: dict[int, int] = SIZES
) -> Finding:
    """Measure the limits.

    Args:
        beamline: On ports that are free.
        folder: On the file system in question; the one for temporary files unless given.
        repeats: Rounds.
        sizes: Bytes of a frame, and how many.
    """
    results: list[Result] = []
    for size, frames in sizes.items():
        blobs = pools.random(size).blobs
        with tempfile.TemporaryDirectory(prefix="softbeam-bench-", dir=folder) as name:
            saved = pools.random(size).save(Path(name) / "pool")
            contenders: dict[str, Callable[[], Sample]] = {
                "memcpy": functools.partial(_copy, blobs, frames),
                "pwrite": functools.partial(_write, blobs, frames, Path(name), sync=False),
                _SYNC: functools.partial(_write, blobs, frames, Path(name), sync=True),
                "ZeroMQ tcp": functools.partial(receive, beamline, saved, frames),
            }
            samples = interleaved(contenders, repeats)
        best = {name: max(s.rate for s in each) * size / 1e9 for name, each in samples.items()}
        results.append(
            Result(
                case=f"{size / 1e6:g} MB",
                samples=samples,
                more={f"{name}, GB/s": value for name, value in best.items()},
            )
        )
    title = f"limits: processor time a frame, frames a second, best GB/s of {repeats} rounds"
    return Finding(name="limits", title=title, results=results)


def _timed(work: Callable[[], object], frames: int) -> Sample:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Sample(cpu=cpu / frames * 1e6, rate=frames / wall)


def _copy(blobs: tuple[bytes, ...], frames: int) -> Sample:
    target = memoryview(bytearray(max(64 * 1024 * 1024, len(blobs[0]))))
    size = len(blobs[0])
    places = len(target) // size

    def work() -> None:
        for i in range(frames):
            at = i % places * size
            target[at : at + size] = blobs[i % len(blobs)]

    return _timed(work, frames)


def _write(blobs: tuple[bytes, ...], frames: int, folder: Path, *, sync: bool) -> Sample:
    path = folder / "file"

    def work() -> None:
        file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        for i in range(frames):
            blob = blobs[i % len(blobs)]
            os.pwrite(file, blob, i * len(blob))
        if sync:
            os.fsync(file)
        os.close(file)

    try:
        return _timed(work, frames)
    finally:
        path.unlink(missing_ok=True)


def receive(beamline: Beamline, saved: Path, frames: int) -> Sample:
    """Receive frames of a saved pool over tcp and do nothing with them."""
    endpoint = beamline.detectors[0].stream.endpoint
    return bare("discard", endpoint, saved, frames, saved.with_name("none"))
