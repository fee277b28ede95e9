"""Which settings suit this storage and that detector? Tries them with the worker's own files.

Two settings cost something that can be measured: the flush interval (processor time against the age of what
readers see) and the number of images in a raw file (files that must be closed and mapped against what is lost
or held up with one). Workers follow from the processor time of a frame, durability from what fsync costs.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks import pool as pools
from benchmarks import storage
from benchmarks.machine import facts
from benchmarks.report import WIDTH
from benchmarks.sizing import Need, workers
from benchmarks.storage import FileSystem, Settings, Written
from benchmarks.sustain import ability
from layouts.beamline import Beamline

INTERVALS: Final = (0.05, 0.08, 0.2, 1.0)
"""Seconds between flushes that are tried."""
COUNTS: Final = (100, 1000, 10000)
"""Images in a raw file that are tried."""
_ROUNDS: Final = 3
_SEGMENT: Final = 128 * 1024 * 1024
_WORTH: Final = 0.05
"""A slower flush must save this part of the processor time to be worth the wait."""
_LARGEST: Final = 32e9
"""Bytes of a raw file: what is copied, checked or lost in one piece."""
_FILES: Final = 1000
"""Raw files of one run that readers still open quickly."""
_CLOSES: Final = 1.0
"""Seconds that fsync may take at the end of a capture to be left on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Settings, and what came of them."""

    settings: Settings
    written: Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What the beamline file should say, and why."""

    flush_interval: float
    durability: str
    images_per_file: int
    workers: int
    frames_per_block: int
    reasons: tuple[str, ...]

    def lines(self, detector: str) -> dict[str, Any]:
        """As parts of the beamline file."""
        about = {
            "name": detector,
            "images_per_file": self.images_per_file,
            "workers": self.workers,
            "frames_per_block": self.frames_per_block,
        }
        shared = {"flush_interval": self.flush_interval, "durability": self.durability}
        return {"storage": shared, "detectors": [about]}


def flush_interval(trials: list[Trial]) -> tuple[float, str]:
    """The shortest interval that costs little more than the longest."""
    ordered = sorted(trials, key=lambda t: t.settings.flush_interval)
    least = min(t.written.cpu_us for t in ordered)
    chosen = next(t for t in ordered if t.written.cpu_us <= least * (1 + _WORTH))
    interval = chosen.settings.flush_interval
    return interval, (
        f"flush_interval {interval:g} s: {chosen.written.cpu_us:.1f} us a frame, "
        f"{least:.1f} at best; readers see frames after half of it on average"
    )


def images_per_file(need: Need, trials: list[Trial]) -> tuple[int, str]:
    """The fewest images in a file that keep the number of files, and the time to close them, small."""
    fits = [t for t in trials if t.settings.images_per_file * need.frame_bytes <= _LARGEST] or trials[:1]
    frames = need.rate * need.seconds
    few = [t for t in fits if frames / t.settings.images_per_file <= _FILES] or fits[-1:]
    least = min(t.written.cpu_us for t in few)
    chosen = next(t for t in few if t.written.cpu_us <= least * (1 + _WORTH))
    count = chosen.settings.images_per_file
    return count, (
        f"images_per_file {count}: files of {count * need.frame_bytes / 1e9:.2g} GB, "
        f"{max(1.0, frames / count):.0f} in such a run"
    )


def durability(stands_on: FileSystem, need: Need, disk: float) -> tuple[str, str]:
    """Whether fsync is worth its time at the end of each capture."""
    if stands_on.volatile:
        return "page-cache", "durability page-cache: the file system is memory, there is nothing to wait for"
    behind = max(0.0, need.bytes - disk * need.seconds)
    waits = min(need.bytes, storage.page_cache() + behind) / disk
    if waits <= _CLOSES:
        return "at-close", f"durability at-close: fsync adds at most {waits:.2f} s to the end of such a run"
    return "page-cache", (
        f"durability page-cache: fsync could add {waits:.0f} s to the end of such a run; "
        "choose at-close if frames must outlive a power cut"
    )


def advise(
    need: Need,
    stands_on: FileSystem,
    *,
    intervals: list[Trial],
    counts: list[Trial],
    disk: float,
    many: int,
) -> Advice:
    """What follows from the trials.

    Args:
        need: What the detector sends.
        stands_on: The file system.
        intervals: Trials of flush intervals.
        counts: Trials of images in a file, ascending.
        disk: Bytes a second that reach it.
        many: Workers that are needed.
    """
    interval, why_interval = flush_interval(intervals)
    count, why_count = images_per_file(need, counts)
    kept, why_kept = durability(stands_on, need, disk)
    reasons = [why_interval, why_count, why_kept]
    reasons.append(f"workers {many}: each is to need at most 70 % of a processor")
    if need.bytes_per_second > disk:
        reasons.append(
            f"no setting helps a storage that takes {disk / 1e9:.2g} GB/s where "
            f"{need.bytes_per_second / 1e9:.2g} come: see softbeam bench sustain"
        )
    return Advice(
        flush_interval=interval,
        durability=kept,
        images_per_file=count,
        workers=many,
        frames_per_block=1 if many == 1 else max(1, min(100, count // 10)),
        reasons=tuple(reasons),
    )


def main(folder: Path, beamline: Beamline, detector: str, need: Need, seconds: float) -> int:
    """Try settings, and print what the beamline file should say.

    Args:
        folder: On the storage in question.
        beamline: On ports that are free.
        detector: Whose lines are wanted.
        need: What it sends.
        seconds: How long each trial writes.
    """
    console = Console(highlight=False, width=WIDTH)
    stands_on = storage.file_system(folder)
    console.print(f"{folder}: {stands_on.kind} at {stands_on.mount}, {stands_on.free / 1e9:.3g} GB free")
    usual = Settings()
    pool = pools.random(max(4096, need.frame_bytes))
    intervals = _try(folder, pool, seconds, [replace(usual, flush_interval=i) for i in INTERVALS])
    counts = _try(folder, pool, seconds, [replace(usual, images_per_file=count) for count in COUNTS])
    table = Table()
    for heading in ("flush_interval", "images_per_file", "us a frame", "taken, GB/s", "on the disk, GB/s"):
        table.add_column(heading, justify="right")
    for trial in (*intervals, *counts):
        table.add_row(
            f"{trial.settings.flush_interval:g}",
            f"{trial.settings.images_per_file}",
            f"{trial.written.cpu_us:.1f}",
            f"{trial.written.taken / 1e9:.2f}",
            f"{trial.written.disk / 1e9:.2f}",
        )
    console.print(table)
    measured = ability(folder, beamline, need.frame_bytes, seconds)
    many = workers(need, measured)
    advice = advise(need, stands_on, intervals=intervals, counts=counts, disk=measured.disk, many=many)
    for reason in advice.reasons:
        console.print(f"- {reason}")
    console.print(json.dumps(advice.lines(detector), indent=2))
    console.print(", ".join(f"{name} {value}" for name, value in facts().items()), soft_wrap=True)
    return 0


def _try(folder: Path, pool: pools.Pool, seconds: float, all_settings: list[Settings]) -> list[Trial]:
    """Each several times, there and back; what took the least processor time was disturbed the least."""
    found: dict[Settings, Written] = {}
    for turn in range(_ROUNDS):
        for settings in all_settings if turn % 2 == 0 else all_settings[::-1]:
            with tempfile.TemporaryDirectory(prefix=".softbeam-tune-", dir=folder) as name:
                written = storage.write(Path(name), pool, seconds, settings, segment=_SEGMENT)
            if settings not in found or written.cpu_us < found[settings].cpu_us:
                found[settings] = written
    return [Trial(settings=settings, written=found[settings]) for settings in all_settings]
