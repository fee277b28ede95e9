"""Frames of Capture mode: in a hidden file as they come, under their own name when a client wants that.

NDFileHDF5 keeps them in memory; here nothing that came is lost with a program or a host. What is never
written goes with FreeCapture or with the next Capture.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import h5py

from layouts.raw import names
from writer.control import CaptureRecord
from writer.disk import in_thread
from writer.give_name import give_name
from writer.orders import RefusedError
from writer.publishing import Result
from writer.raw_file import LIBVER
from writer.reports import RawFileReport
from writer.run import Run
from writer.syncing import sync
from writer.write_errors import failure

_log = logging.getLogger(__name__)

_NONE: Final = "no frames are held; set FileWriteMode to Capture, and Capture to 1"


Publish = Callable[[Run, tuple[str, ...], Path], Awaitable[Result]]


class Held:
    """Runs whose frames are held, by detector.

    Args:
        publish: Makes the masters of a run, its held frames being written under a name first.
    """

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._runs: dict[str, Run] = {}

    def keep(self, run: Run) -> None:
        """A run has ended; if it is one of Capture mode that was not written, its frames are held."""
        if run.holder is not None and record_of(run) is not None:
            self._runs[run.order.detectors[0]] = run

    async def write(self, detector: str, path: Path) -> str:
        """Write a detector's frames, and their masters.

        Returns:
            The master.

        Raises:
            RefusedError: There are none, or they cannot be written; they are still held then.
        """
        run = self._runs.pop(detector, None)
        if run is None:
            raise RefusedError(_NONE)
        try:
            found = await self._publish(run, run.order.detectors, path)
        except OSError as error:
            raise RefusedError(error.strerror or str(error)) from None
        finally:
            if run.holder is not None:
                self._runs.setdefault(detector, run)
        if found.error:
            raise RefusedError(found.error)
        return found.master

    async def free(self, detector: str) -> None:
        """Drop a detector's frames."""
        run = self._runs.pop(detector, None)
        if run is not None:
            await in_thread(lambda: drop(run))


def record_of(run: Run) -> CaptureRecord | None:
    """What a run of one detector has held; nothing if no frame came."""
    record = run.progress[run.order.detectors[0]].record
    return record if record is not None and record.raw_files else None


def write(run: Run, path: Path) -> None:
    """Give held frames their file's name, and the run the order that it would have had with it. Blocks.

    Args:
        run: Of one detector, its worker done.
        path: Of the file.

    Raises:
        RefusedError: Something has one of the names.
        WriteError: The system refuses; the frames are still held.
    """
    detector = run.order.detectors[0]
    record = record_of(run)
    if record is None:
        raise RefusedError(_NONE)
    meta = path.parent / names.meta_file(path.stem)
    masters = (names.master_file(path.stem), names.dectris_master_file(path.stem, detector))
    for one in (path, meta, *(path.parent / master for master in masters)):
        if os.path.lexists(one):
            raise RefusedError(f"{one} exists, and is not written over; take another name or number")
    raw = Path(record.raw_files[0].path)
    try:
        _lead(raw, meta.name)
        _move(Path(record.meta_file), meta)
        try:
            _move(raw, path)
        except OSError:
            _move(meta, Path(record.meta_file))
            raise
    except (OSError, RuntimeError) as error:
        raise failure(error, path) from error
    run.progress[detector].record = replace(
        record,
        raw_files=(RawFileReport(path=str(path), rows=record.rows),),
        meta_file=str(meta),
    )
    capture = replace(run.order.captures[detector], single_file_name=str(path), stem=path.stem)
    run.order = replace(
        run.order,
        name=path.stem,
        directory=path.parent,
        captures={detector: replace(capture, directory=str(path.parent))},
        full_names={detector: path},
    )


def drop(run: Run) -> None:
    """Remove held frames that nobody wants. Blocks; never raises."""
    record = record_of(run)
    if record is None:
        return
    for path in (*(raw.path for raw in record.raw_files), record.meta_file):
        try:
            Path(path).unlink(missing_ok=True)
        except OSError as error:
            _log.warning("%s could not be removed: %s", path, error)


def _move(old: Path, new: Path) -> None:
    """Give a file another name, on another file system too."""
    try:
        give_name(old, new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        temporary = new.with_name(f".{new.name}.{os.getpid()}.tmp")
        try:
            shutil.copyfile(old, temporary)
            shutil.copystat(old, temporary)
            sync(temporary)  # before the first copy goes
            give_name(temporary, new)
        finally:
            temporary.unlink(missing_ok=True)
        old.unlink()


def _lead(raw: Path, meta: str) -> None:
    """Let every link of a raw file that leads out of it lead to a meta file beside it."""
    with h5py.File(raw, "r+", libver=LIBVER, locking=False) as file:
        _lead_group(file, meta)


def _lead_group(group: h5py.Group, meta: str) -> None:
    for name in list(group):
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            del group[name]
            group[name] = h5py.ExternalLink(meta, link.path)
        elif isinstance(link, h5py.HardLink):
            child = group[name]
            if isinstance(child, h5py.Group):
                _lead_group(child, meta)
