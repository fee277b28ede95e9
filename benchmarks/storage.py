"""What a file system is, and what it gives a worker's files, fsync included, after its cache is full.

The worker's own ``Session`` writes captures one behind the other, each a segment of raw files. While one is
written the one before is fsynced by another thread, and removed when it is on the disk: so the space needed
is that of two, and the rate is what the storage keeps up, not what the page cache takes.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.handed import Handed, batches
from benchmarks.pool import Pool
from writer import control

SEGMENT: Final = 512 * 1024 * 1024
"""Bytes of a segment, where there is room for four."""
_QUICK: Final = 1e9
"""Bytes a second: a segment is not more than the time allows at that rate."""
_VOLATILE: Final = ("tmpfs", "ramfs")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """What a directory stands on."""

    kind: str
    mount: str
    free: int

    @property
    def volatile(self) -> bool:
        """Whether it is memory."""
        return self.kind in _VOLATILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of a worker, as the beamline file has them."""

    flush_interval: float = 0.08
    images_per_file: int = 1000


@dataclass(slots=True, kw_only=True)
class Written:
    """What was written and how long it took.

    Attributes:
        frames: Handed to the worker.
        cpu_us: Processor time of its thread for a frame, without fsync.
        taken: Bytes a second that it took, page cache included.
        disk: Bytes a second that reached the disk, after the first third.
        closing: Seconds from the end message to closed files, of each segment.
        syncing: Seconds that fsync of each segment took.
    """

    frames: int = 0
    cpu_us: float = 0.0
    taken: float = 0.0
    disk: float = 0.0
    closing: list[float] = field(default_factory=list[float])
    syncing: list[float] = field(default_factory=list[float])


def file_system(folder: Path) -> FileSystem:
    """What a directory stands on, by the longest mount point that leads to it."""
    place, found = folder.resolve(), ("unknown", "/")
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, kind, *_ = line.split()
        mount = mount.replace("\\040", " ")
        if place.is_relative_to(mount) and len(mount) >= len(found[1]):
            found = kind, mount
    return FileSystem(kind=found[0], mount=found[1], free=shutil.disk_usage(folder).free)


def page_cache() -> float:
    """Bytes that may be dirty before who writes must wait."""
    memory = {
        key: int(value.split()[0]) * 1024
        for key, _, value in (
            line.partition(":") for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        )
    }
    ratio = int(Path("/proc/sys/vm/dirty_ratio").read_text(encoding="utf-8"))
    limit = int(Path("/proc/sys/vm/dirty_bytes").read_text(encoding="utf-8"))
    return float(limit or memory["MemAvailable"] * ratio / 100)


def write(
    folder: Path, pool: Pool, seconds: float, settings: Settings | None = None, *, segment: float = SEGMENT
) -> Written:
    """Write segments for a time.

    Args:
        folder: Where; everything in it that this makes is removed.
        pool: Frames.
        seconds: For how long; at least two segments.
        settings: Of the worker.
        segment: Bytes of one.
    """
    settings = settings or Settings()
    room = shutil.disk_usage(folder).free / 4
    frames = max(1, int(min(segment, seconds * _QUICK, room) / pool.mean))
    found = Written()
    began = time.perf_counter()
    synced: list[tuple[float, float]] = []
    behind: threading.Thread | None = None
    number = 0
    cpu = 0.0
    while number < 2 or time.perf_counter() - began < seconds:
        place = folder / f"segment{number}"
        place.mkdir()
        cpu += _segment(place, pool, frames, settings, found)
        if behind is not None:
            behind.join()
        behind = threading.Thread(target=_sync, args=(place, synced, found.syncing))
        behind.start()
        found.frames += frames
        number += 1
    taken = time.perf_counter() - began
    if behind is not None:
        behind.join()
    found.cpu_us = cpu / found.frames * 1e6
    found.taken = found.frames * pool.mean / taken
    found.disk = _rate(began, synced)
    return found


def _rate(began: float, synced: list[tuple[float, float]]) -> float:
    """Bytes a second on the disk, without the first third of the segments: the cache has filled by then."""
    skipped = len(synced) // 3
    since = synced[skipped - 1][0] if skipped else began
    return sum(size for _, size in synced[skipped:]) / (synced[-1][0] - since)


def _segment(place: Path, pool: Pool, frames: int, settings: Settings, found: Written) -> float:
    """Processor seconds of one segment."""
    order = control.Capture(
        capture=place.name,
        directory=str(place),
        stem="run",
        detector="EIG1",
        num_capture=frames + 1,  # the end message ends it
        images_per_file=settings.images_per_file,
        flush_interval=settings.flush_interval,
    )
    spent = -time.thread_time()
    handed = Handed(order, pool, frames)
    spent += time.thread_time()
    for batch in batches(pool, frames):
        spent -= time.thread_time()
        handed.take(batch)
        spent += time.thread_time()
    spent -= time.thread_time()
    clock = time.perf_counter()
    handed.end()
    found.closing.append(time.perf_counter() - clock)
    return spent + time.thread_time()


def _sync(place: Path, synced: list[tuple[float, float]], took: list[float]) -> None:
    size, clock = 0, time.perf_counter()
    for path in place.iterdir():
        size += path.stat().st_size
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    now = time.perf_counter()
    synced.append((now, size))
    took.append(now - clock)
    shutil.rmtree(place)
