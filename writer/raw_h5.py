"""Raw files: packed frames, one chunk each, written as they came; SWMR from the first moment.

As the Dectris file writer has them: ``/entry/data/data`` (rows, slow, fast), ``image_nr_low`` and
``image_nr_high``. What was never written reads as the masked value.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import h5py
import numpy as np

import layouts.filters_h5  # noqa: F401  registers the filters that the chunks name
from layouts.raw import names
from layouts.raw.mapping import Mapping
from layouts.stream.codecs import hdf5_filter
from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.give_name import give_name
from writer.write_errors import WriteError, failure

_log = logging.getLogger(__name__)

LIBVER: Final = ("v110", "v110")
"""What HDF5 1.10 can read, and the oldest that has SWMR."""
STEP: Final = 100
"""Rows by which a file grows beyond the plan, at least: growing row by row costs more than a frame."""
PLANNED: Final = 1_000_000
"""Rows that a plan alone may ask for."""
_KEPT_OPEN: Final = 3
"""Files open at a time: a late frame may belong to the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A raw file that was made."""

    path: Path
    row: int
    """Of the capture, its first."""
    rows: int
    pixels: PixelFormat


@dataclass(slots=True)
class _Open:
    file: h5py.File
    data: h5py.Dataset
    extent: int
    dirty: bool = False


class RawFiles:
    """The raw files of one capture.

    Args:
        directory: Exists.
        stem: Of their names.
        rows_per_file: 0 puts all in one.
        first: Path of the first, instead of the name that follows from the stem.
        suffix: Behind each name until ``finish`` or ``abandon``.
        meta: The capture's meta file, where the first file's links to NDAttributes lead; None for no links.
        on_added: Called with each file that is made.
    """

    def __init__(
        self,
        directory: Path,
        stem: str,
        *,
        rows_per_file: int = 0,
        first: Path | None = None,
        suffix: str = "",
        meta: Path | None = None,
        on_added: Callable[[Added], None] = lambda _added: None,
    ) -> None:
        self._directory = directory
        self._stem = stem
        self._mapping = Mapping(rows_per_file=rows_per_file)
        self._first, self._meta, self._suffix = first, meta, suffix
        self.on_added = on_added
        """Called with each file that is made."""
        self._format: PixelFormat | None = None
        self._open: dict[int, _Open] = {}
        self._made: dict[int, Path] = {}
        self._planned = 0
        # What the next frame most likely needs, without a look-up.
        self._base = 0
        self._end = 0
        self._write: Callable[..., None] | None = None
        self._current: _Open | None = None

    @property
    def format(self) -> PixelFormat | None:
        """What the frames look like; None before the first file is made."""
        return self._format

    @property
    def paths(self) -> list[Path]:
        """Of the files that were made, in order of places."""
        return [self._made[number] for number in sorted(self._made)]

    def path(self, number: int) -> Path:
        """Where the file of a number, from 0, is or will be until it is closed."""
        path = self._final(number)
        return path.with_name(path.name + self._suffix)

    def _final(self, number: int) -> Path:
        if number == 0 and self._first is not None:
            return self._first
        return self._directory / names.raw_file(self._stem, number + 1)

    def start(self, pixels: PixelFormat) -> None:
        """Make the first file; make it anew if it is there with another format and nothing in it.

        Raises:
            WriteError: It cannot be made.
        """
        if self._format == pixels:
            return
        for number in list(self._open):
            self._close(number)
        for path in self._made.values():
            path.unlink(missing_ok=True)
        self._made.clear()
        self._format = pixels
        self._use(0)

    def plan(self, rows: int) -> None:
        """Give open files, and those to come, room for so many places of the capture."""
        self._planned = max(self._planned, min(rows, PLANNED))
        for number, opened in self._open.items():
            room = self._room(number)
            if room > opened.extent:
                self._grow(number, opened, room)

    def write(self, place: int, chunk: bytes | memoryview) -> None:
        """Store a packed frame at a place.

        Raises:
            WriteError: It cannot be; the files are as they were before.
        """
        if not self._base <= place < self._end:
            self._use(self._mapping.locate(place).file, place)
        try:
            self._write((place - self._base, 0, 0), chunk)  # type: ignore[misc]
        except OSError as error:
            raise failure(error, self._made[self._mapping.locate(place).file]) from error
        self._current.dirty = True  # type: ignore[union-attr]

    def direct(self, place: int) -> tuple[Callable[..., None], int, int] | None:
        """How to store frames from a place on without asking again; nothing if that needs another file.

        Returns:
            What writes a chunk at (row, 0, 0); the place of row 0; and the place at which the room ends. Say
            ``touched`` once something was written.
        """
        if self._write is None or not self._base <= place < self._end:
            return None
        return self._write, self._base, self._end

    def touched(self) -> None:
        """Something was written to the current file directly."""
        if self._current is not None:
            self._current.dirty = True

    def flush(self) -> None:
        """Let readers see what was written.

        Raises:
            WriteError: The system refuses.
        """
        for number, opened in self._open.items():
            if opened.dirty:
                try:
                    opened.data.flush()
                except (OSError, RuntimeError) as error:
                    raise failure(error, self._made[number]) from error
                opened.dirty = False

    def finish(self, rows: int) -> list[tuple[Path, int]]:
        """Trim and close the files so that together they have so many rows; files all missing are made too.

        Returns:
            Path and rows of each, in order of places; the first is there even if it has none.

        Raises:
            WriteError: One could not be trimmed or closed; all are closed nevertheless.
        """
        if self._format is None:
            return []
        trouble: WriteError | None = None
        lengths = self._mapping.files(0, rows) or (0,)
        for number, length in enumerate(lengths):
            try:
                self._use(number)
                self._trim(number, length)
                self._close(number)
            except WriteError as error:
                trouble = trouble or error
                self._open.pop(number, None)
        for number in sorted(set(self._made) - set(range(len(lengths)))):
            # Places that were given back: nothing was ever stored there.
            self._close(number)
            self._made.pop(number).unlink(missing_ok=True)
        self._forget()
        if trouble is not None:
            raise trouble
        for number in self._made:
            self._name(number)
        return [(self._made[number], length) for number, length in enumerate(lengths)]

    def discard(self) -> None:
        """Close and remove files that could not all be made; never raises."""
        self.abandon(0)
        for path in self._made.values():
            path.unlink(missing_ok=True)
        self._made.clear()

    def abandon(self, high: int) -> list[tuple[Path, int]]:
        """Close the files after an error, trimmed to the places below ``high``; never raises.

        Returns:
            Path and rows of each file that there is.
        """
        rows: list[tuple[Path, int]] = []
        for number, path in sorted(self._made.items()):
            first = number * self._mapping.rows_per_file
            length = max(high - first, 0)
            if self._mapping.rows_per_file:
                length = min(length, self._mapping.rows_per_file)
            if number in self._open:
                try:
                    self._trim(number, length)
                    self._close(number)
                except OSError as error:
                    _log.warning("%s: %s", path, error)
                    self._open.pop(number, None)
            try:
                self._name(number)
            except WriteError as error:
                _log.warning("%s", error.strerror)
            rows.append((self._made[number], length))
        self._forget()
        return rows

    # ------------------------------------------------------------ inside

    def _name(self, number: int) -> None:
        """Give a closed file its final name."""
        path = self._final(number)
        if self._made[number] == path:
            return
        try:
            give_name(self._made[number], path)
        except OSError as error:
            raise failure(error, path) from error
        self._made[number] = path

    def _use(self, number: int, place: int | None = None) -> None:
        """Make a file the current one: open it, or make it; give it room for a place."""
        opened = self._open.get(number)
        if opened is None:
            if len(self._open) >= _KEPT_OPEN:
                self._close(min(self._open))
            opened = self._reopen(number) if number in self._made else self._make(number)
            self._open[number] = opened
        self._base = number * self._mapping.rows_per_file
        if place is not None and place - self._base >= opened.extent:
            row = place - self._base
            wanted = max(row + STEP, row + opened.extent // 2)
            limit = self._mapping.rows_per_file
            self._grow(number, opened, min(wanted, limit) if limit else wanted)
        self._current = opened
        self._write = opened.data.id.write_direct_chunk
        self._end = self._base + opened.extent

    def _room(self, number: int) -> int:
        """Rows that the plan gives a file."""
        limit = self._mapping.rows_per_file
        rest = max(self._planned - number * limit, 0)
        return min(rest, limit) if limit else rest

    def _make(self, number: int) -> _Open:
        if self._format is None:
            raise RuntimeError("a raw file is made before its format is known")
        path = self.path(number)
        rows = self._room(number)
        file: h5py.File | None = None
        try:
            file = h5py.File(path, "x", libver=LIBVER, locking=False)
            data = _create(file, rows, self._format)
            low = number * self._mapping.rows_per_file + 1
            data.attrs.create("image_nr_low", low, dtype=np.int32)
            data.attrs.create("image_nr_high", low + rows - 1, dtype=np.int32)
            if number == 0 and self._first is not None:
                _dress(file, path, self._meta)
            file.swmr_mode = True
        except (OSError, RuntimeError, ValueError) as error:
            if file is not None:
                _quietly_close(file)
                path.unlink(missing_ok=True)
            raise failure(error, path) from error
        self._made[number] = path
        first = number * self._mapping.rows_per_file
        self.on_added(Added(path=path, row=first, rows=rows, pixels=self._format))
        return _Open(file, data, rows)

    def _reopen(self, number: int) -> _Open:
        path = self._made[number]
        try:
            file = h5py.File(path, "r+", libver=LIBVER, locking=False)
            file.swmr_mode = True
        except (OSError, RuntimeError, ValueError) as error:
            raise failure(error, path) from error
        data = cast("h5py.Dataset", file[names.DATA])
        return _Open(file, data, int(data.shape[0]))

    def _grow(self, number: int, opened: _Open, rows: int) -> None:
        try:
            opened.data.resize(rows, axis=0)
        except (OSError, RuntimeError) as error:
            raise failure(error, self._made[number]) from error
        opened.extent = rows
        opened.dirty = True
        if opened is self._current:
            self._end = self._base + rows

    def _trim(self, number: int, rows: int) -> None:
        opened = self._open[number]
        try:
            if opened.extent != rows:
                opened.data.resize(rows, axis=0)
                opened.extent = rows
            high = number * self._mapping.rows_per_file + rows
            opened.data.attrs.modify("image_nr_high", np.int32(high))
        except (OSError, RuntimeError) as error:
            _quietly_close(opened.file)
            raise failure(error, self._made[number]) from error

    def _close(self, number: int) -> None:
        opened = self._open.pop(number, None)
        if opened is None:
            return
        if opened is self._current:
            self._forget()
        try:
            opened.file.close()
        except (OSError, RuntimeError) as error:
            raise failure(error, self._made[number]) from error

    def _forget(self) -> None:
        self._current = self._write = None
        self._base = self._end = 0


def _create(file: h5py.File, rows: int, pixels: PixelFormat) -> h5py.Dataset:
    dtype = np.dtype(pixels.dtype).newbyteorder("<")
    codec: dict[str, Any] = {}
    known = hdf5_filter(pixels.codec)
    if known is not None:
        codec = {"compression": known[0], "compression_opts": known[1]}
    elif pixels.codec is not Codec.NONE:
        raise ValueError(f"no HDF5 filter stores {pixels.codec}")
    return file.create_dataset(
        names.DATA,
        shape=(rows, *pixels.shape),
        maxshape=(None, *pixels.shape),
        chunks=(1, *pixels.shape),
        dtype=dtype,
        fillvalue=np.iinfo(dtype).max,
        **codec,
    )


def _dress(file: h5py.File, path: Path, meta: Path | None) -> None:
    """What else clients look for in the file that FullFileName names, as in NDFileHDF5's default layout."""
    file[f"{names.DETECTOR}/data"] = file[names.DATA]
    if meta is not None:
        # Relative, so that the directory can be moved; what only this file is copied with still opens.
        near = os.path.relpath(meta, path.parent)
        for place, target in names.attribute_links().items():
            file[place] = h5py.ExternalLink(near, target)
    for place, nx_class in names.CLASSES.items():
        file[place].attrs["NX_class"] = np.bytes_(nx_class)


def _quietly_close(file: h5py.File) -> None:
    try:
        file.close()
    except (OSError, RuntimeError) as error:
        _log.warning("%s: %s", file.filename if file else "raw file", error)
