"""Frames on the disk itself: fsync in a thread of its own, so that what writes them need not wait.

Each file is held open here from when it is made until it is synced for the last time: only who had it open
when the disk failed is sure to hear of it. After an error a later fsync may well succeed without the data, so
the first one counts.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layouts.beamline_storage import Durability
from writer.write_errors import WriteError, failure

_log = logging.getLogger(__name__)

_REFUSED: Final = (errno.EINVAL, errno.EBADF, errno.EACCES)
"""What some network file systems answer to fsync of a directory; they keep names anyway."""


def sync(path: Path) -> None:
    """Bring a closed file to the disk.

    Raises:
        OSError: The system refuses.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_directory(path: Path) -> None:
    """So that the names in it outlive a power cut.

    Raises:
        OSError: The system refuses.
    """
    try:
        sync(path)
    except OSError as problem:
        if problem.errno not in _REFUSED:
            raise


def not_synced(seconds: float) -> WriteError:
    """What is to be said of closed files for which nobody can wait any longer."""
    why = f"the worker was told to end, and files were not on the disk within {seconds:g} s; they are closed"
    return WriteError(errno.ETIMEDOUT, f"ETIMEDOUT {why}, and safe unless the power goes in the next minute")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What the thread does next.

    Attributes:
        files: With a handle for each.
        frames: That are on the disk when these files are.
        sync: Whether they are synced at all.
        release: Whether they get no more, so that the handles are closed.
        directory: Synced behind them.
        last: Whether nothing comes after it.
    """

    files: tuple[tuple[Path, int], ...] = ()
    frames: int = 0
    sync: bool = True
    release: bool = False
    directory: Path | None = None
    last: bool = False


class Syncing:
    """Syncs the files of a capture.

    Args:
        durability: At close, or at intervals too.
        interval: Seconds between two fsyncs of open files.
    """

    def __init__(self, durability: Durability, interval: float) -> None:
        self._interval = interval if durability is Durability.INTERVAL else float("inf")
        self._files: dict[Path, int] = {}
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._last = time.monotonic()
        self._busy = threading.Event()
        self._settled = threading.Event()
        self._error: WriteError | None = None
        self._safe = self._frames = 0
        threading.Thread(target=self._run, name="fsync", daemon=True).start()

    def add(self, path: Path) -> None:
        """A file was made, or opened again.

        Raises:
            WriteError: It cannot be opened here.
        """
        try:
            self._files[path] = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise failure(error, path) from error

    def closed(self, path: Path) -> None:
        """A file is closed, and most likely gets no more."""
        handle = self._files.pop(path, None)
        if handle is not None:
            self._jobs.put(_Job(files=((path, handle),), release=True))

    def flushed(self, frames: int) -> None:
        """So many frames have left HDF5 in all: sync them if it is time and the thread is free.

        Raises:
            WriteError: An earlier fsync has failed; says how many frames are safe.
        """
        self._frames = frames
        self.check()
        now = time.monotonic()
        if now - self._last >= self._interval and not self._busy.is_set():
            self._last = now
            self._busy.set()
            self._jobs.put(_Job(files=tuple(self._files.items()), frames=frames))

    def finish(self, directory: Path) -> None:
        """All files are closed: sync what is left of them, and their names."""
        rest = tuple(self._files.items())
        self._files.clear()
        self._jobs.put(_Job(files=rest, frames=self._frames, release=True, directory=directory, last=True))

    def drop(self) -> None:
        """Files are given up: sync nothing more."""
        rest = tuple(self._files.items())
        self._files.clear()
        self._jobs.put(_Job(files=rest, sync=False, release=True, last=True))

    def is_settled(self, within: float = 0.0) -> bool:
        """Whether everything is on the disk since ``finish``.

        Args:
            within: Seconds to wait for it.

        Raises:
            WriteError: It is not, and will not be; says how many frames are.
        """
        done = self._settled.wait(within)
        self.check()
        return done

    def check(self) -> None:
        """Hear of what has failed.

        Raises:
            WriteError: An fsync; says how many frames are safe.
        """
        error = self._error
        if error is None:
            return
        since = self._frames - self._safe
        raise WriteError(
            error.errno,
            f"{error.strerror} (at fsync: {self._safe} frames are safe on the disk, the {since} stored since "
            "the last good fsync may not outlive a power cut)",
        )

    # ------------------------------------------------------------ the thread

    def _run(self) -> None:
        last = False
        while not last:
            job = self._jobs.get()
            try:
                if job.sync and self._error is None:
                    self._sync(job)
                    self._safe = max(self._safe, job.frames)
            except WriteError as error:
                _log.error("%s", error.strerror)
                self._error = error
            finally:
                for _, handle in job.files if job.release else ():
                    with contextlib.suppress(OSError):
                        os.close(handle)
            self._busy.clear()
            last = job.last
        self._settled.set()

    def _sync(self, job: _Job) -> None:
        work = os.fsync if job.release else os.fdatasync
        for path, handle in job.files:
            try:
                work(handle)
            except OSError as error:
                raise failure(error, path) from error
        if job.directory is not None:
            try:
                sync_directory(job.directory)
            except OSError as error:
                raise failure(error, job.directory) from error
