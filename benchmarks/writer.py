"""How much processor time does the worker take for a frame, beside the least that is possible?

First without a socket, then with one: bare ``pwrite`` of the same bytes, bare direct chunk write, and the
worker as shipped, one after another and again. The unit is processor time of the whole process, so that a
busy machine counts little. With a socket all have the same sender, which is faster than all of them, and as
much may wait in front of each. Every byte of the worker's files is verified.
"""

from __future__ import annotations

import functools
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks import pool as pools
from benchmarks.pool import Pool
from benchmarks.processes import BenchmarkError, expect, go, running
from benchmarks.report import Finding, Result
from benchmarks.rounds import Sample, Samples, cheaper, faster, interleaved
from benchmarks.series import bare, spent
from benchmarks.source import queue_length
from benchmarks.verify import wrong_frame
from benchmarks.worker import controlled
from layouts.beamline import Beamline
from writer import control

CONTENDERS: Final = ("pwrite", "h5py", "worker")
SIZES: Final = {
    10_000: 20_000,
    100_000: 6_000,
    500_000: 2_000,
    2_000_000: 500,
    5_000_000: 200,
    8_000_000: 120,
}
"""Bytes of a frame, and how many are sent: about a gigabyte at most."""
ALONE_BARS: Final = {10_000: 0.65, 100_000: 0.88, 500_000: 0.94, 2_000_000: 0.97}
SOCKET_BARS: Final = {10_000: 0.85, 500_000: 0.95, 2_000_000: 0.97}
CHAIN_BAR: Final = 0.9
"""Of a bare loop's frames a second."""


def alone(*, repeats: int, sizes: dict[int, int] = SIZES) -> Finding:
    """The worker's ``Session`` with messages from memory, against ``pwrite`` and direct chunks."""
    results: list[Result] = []
    for size, frames in sizes.items():
        with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as folder:
            saved = pools.random(size).save(Path(folder) / "pool")
            contenders = {how: functools.partial(_alone, how, saved, frames) for how in CONTENDERS}
            samples = interleaved(contenders, repeats)
        results.append(_result(size, samples, ALONE_BARS))
    title = f"writer alone: processor time a frame, messages from memory, {repeats} rounds"
    return Finding(name="alone", title=title, results=results)


def socket(beamline: Beamline, *, repeats: int, sizes: dict[int, int] = SIZES) -> Finding:
    """From the socket to the closed file, against receiving and ``pwrite``."""
    results: list[Result] = []
    for size, frames in sizes.items():
        samples = _with_socket(beamline, pools.random(size), frames, repeats)
        results.append(_result(size, samples, SOCKET_BARS))
    title = f"socket to file: processor time and frames a second, {repeats} rounds"
    return Finding(name="socket", title=title, results=results)


def chain(beamline: Beamline, *, repeats: int, frames: int = 6_000) -> Finding:
    """Frames a second of real frames: a detector's recorded ones, and those of the built-in scene."""
    notes: list[str] = []
    real = pools.recorded()
    if real is None:
        notes.append(f"no recordings ({pools.RECORDINGS} names their folder): random bytes of their size")
    cases = {
        "recorded" if real else "random": real or pools.random(27_000),
        "scene": pools.scene(),
    }
    results: list[Result] = []
    for name, pool in cases.items():
        samples = _with_socket(beamline, pool, min(frames, int(1.5e9 / pool.mean)), repeats)
        results.append(
            Result(
                case=f"{name}, {_kilobytes(round(pool.mean))}",
                samples=samples,
                ratios={
                    "frames/s of h5py": faster(samples, "worker", "h5py"),
                    "pwrite/worker": cheaper(samples, "pwrite", "worker"),
                },
                bars={"frames/s of h5py": CHAIN_BAR},
            )
        )
    title = f"whole chain with real frames, {repeats} rounds"
    return Finding(name="chain", title=title, results=results, notes=notes)


def _result(size: int, samples: Samples, bars: Mapping[int, float]) -> Result:
    ratios = {f"{limit}/worker": cheaper(samples, limit, "worker") for limit in ("pwrite", "h5py")}
    bar = {"pwrite/worker": bars[size]} if size in bars else {}
    return Result(case=_kilobytes(size), samples=samples, ratios=ratios, bars=bar)


def _kilobytes(size: int) -> str:
    return f"{size / 1e3:.3g} kB" if size < 1_000_000 else f"{size / 1e6:.3g} MB"


def _alone(how: str, saved: Path, frames: int) -> Sample:
    with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as folder:
        target = ["--how", how, "--path", str(Path(folder) / "file.h5")]
        with running("benchmarks.alone", *target, "--pool", str(saved), "--frames", str(frames)) as process:
            told = json.loads(expect(process, "DONE").partition(" ")[2])
    if told["wrong"]:
        raise BenchmarkError(told["wrong"])
    return Sample(cpu=told["cpu"] / frames * 1e6, rate=frames / told["wall"])


def _with_socket(beamline: Beamline, pool: Pool, frames: int, repeats: int) -> dict[str, list[Sample]]:
    with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as folder:
        saved = pool.save(Path(folder) / "pool")
        contenders = {how: functools.partial(_run, how, beamline, pool, saved, frames) for how in CONTENDERS}
        return interleaved(contenders, repeats)


def _run(how: str, beamline: Beamline, pool: Pool, saved: Path, frames: int) -> Sample:
    """One receiver for one series."""
    endpoint = beamline.detectors[0].stream.endpoint
    with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as name:
        folder = Path(name)
        if how != "worker":
            return bare(how, endpoint, saved, frames, folder / "file")
        series = ["--endpoint", endpoint, "--frames", str(frames), "--pool", str(saved)]
        with running("benchmarks.source", *series) as source:
            return _worker(beamline, source, pool, frames, folder)


def _worker(
    beamline: Beamline, source: subprocess.Popen[str], pool: Pool, frames: int, folder: Path
) -> Sample:
    with controlled(beamline, folder, queue_length(pool.most)) as worker:
        worker.capture(beamline.detectors[0].name, folder, frames)
        ends: list[control.Done] = []

        def work() -> None:
            go(source)
            ends.append(worker.done(frames))

        sample = spent(worker.process, frames, work)
    wrong = wrong_frame(Path(ends[0].record.raw_files[0].path), pool, frames)
    if wrong:
        raise BenchmarkError(wrong)
    return sample
