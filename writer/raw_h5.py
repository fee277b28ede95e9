"""The raw files of a capture: which place is in which file, made and closed as frames need them."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import h5py

from layouts.raw import names
from layouts.raw.checksums import Digest
from layouts.raw.mapping import Mapping
from writer.capture_values import PixelFormat
from writer.give_name import give_name
from writer.raw_file import RawFile, Span, Store, absent, dress, mended
from writer.share import Share
from writer.syncing import Syncing
from writer.timings import Stopwatches, Timings
from writer.write_errors import WriteError, failure

_log = logging.getLogger(__name__)

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
    worker: int = 0
    """Whose stripe it is of."""


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
        digest: Computes a checksum of each frame.
        give: Called with each new file's path: sets its owner and mode.
        syncing: Is told of files that are opened and closed.
        share: Which places of the capture they hold, counted from 0 here; all of them unless given.
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
        digest: Digest | None = None,
        give: Callable[[Path], None] = lambda _path: None,
        syncing: Syncing | None = None,
        share: Share | None = None,
    ) -> None:
        self.defers = False  # what was written is stored
        self._directory = directory
        self._stem = stem
        self._mapping = Mapping(rows_per_file=rows_per_file)
        self._share = share or Share(mapping=self._mapping)
        self._first, self._meta, self._suffix = first, meta, suffix
        self.on_added = on_added
        """Called with each file that is made."""
        self._digest, self._give, self._syncing = digest, give, syncing
        self._watches = Stopwatches()
        self.times: Callable[[], Timings] = self._watches.read
        """How long its calls of the disk took so far."""
        self.sums: dict[int, int] = {}
        """Checksums of frames by their places; whoever writes them down takes them out."""
        self._format: PixelFormat | None = None
        self._open: dict[int, RawFile] = {}
        self._made: dict[int, Path] = {}
        self._unclosed: set[int] = set()
        """Numbers of files that HDF5 could not close."""
        self._planned = 0
        # What the next frame most likely needs, without a look-up.
        self._base = 0
        self._end = 0
        self._write: Store | None = None
        self._current: RawFile | None = None

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
        return self._directory / self._share.name(self._stem, number)

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
                self._grow(opened, room)

    def write(self, place: int, chunk: bytes | memoryview) -> None:
        """Store a packed frame at a place.

        Raises:
            WriteError: It cannot be; the files are as they were before.
        """
        if not self._base <= place < self._end:
            self._use(self._mapping.locate(place).file, place)
        try:
            with self._watches.write:
                self._write((place - self._base, 0, 0), chunk)  # type: ignore[misc]
        except OSError as error:
            self.renew()
            raise failure(error, self._made[self._mapping.locate(place).file]) from error
        self._current.dirty = True  # type: ignore[union-attr]

    def renew(self) -> None:
        """A frame was refused by the current file: let it be tried again."""
        if self._current is not None:
            self._current.renew()
            self._store_in(self._current)

    def direct(self, place: int) -> tuple[Store, int, int] | None:
        """How to store frames from a place on without asking again; nothing if that needs another file.

        Returns:
            What writes a chunk at (row, 0, 0); the place of row 0; and the place at which the room ends. Say
            ``touched`` once something was written.
        """
        if self._write is None or not self._base <= place < self._end:
            return None
        return self._write, self._base, self._end

    def touched(self, frames: int, nanoseconds: int) -> None:
        """So many frames were written to the current file directly, in this time."""
        self._watches.write.took(nanoseconds, frames)
        if self._current is not None:
            self._current.dirty = True

    def flush(self) -> None:
        """Let readers see what was written.

        Raises:
            WriteError: The system refuses.
        """
        for opened in self._open.values():
            if opened.dirty:
                with self._watches.flush:
                    opened.flush()

    def finish(self, rows: int) -> list[tuple[Path, int]]:
        """Trim and close the files so that together they have so many rows; files all missing are made too.

        Returns:
            Path and rows of each, in order of places; the first is there even if it has none.

        Raises:
            WriteError: One could not be trimmed or closed: ``save`` and ``abandon`` them.
        """
        if self._format is None:
            return []
        trouble: WriteError | None = None
        lengths = self._mapping.files(0, rows) or (0,)
        for number, length in enumerate(lengths):
            try:
                self._use(number)
                self._open[number].trim(length)
                self._close(number)
            except WriteError as error:
                trouble = trouble or error
        if trouble is not None:
            raise trouble
        for number in sorted(set(self._made) - set(range(len(lengths)))):
            # Places that were given back: nothing was ever stored there.
            self._close(number)
            self._made.pop(number).unlink(missing_ok=True)
        self._forget()
        for number in self._made:
            self._name(number)
        return [(self._made[number], length) for number, length in enumerate(lengths)]

    def discard(self) -> None:
        """Close and remove files that could not all be made; never raises."""
        self.abandon(0)
        for path in self._made.values():
            path.unlink(missing_ok=True)
        self._made.clear()

    def save(self, places: Iterable[int]) -> set[int]:
        """After an error: bring to the disk what HDF5 still holds, or make the files readable without it.

        Args:
            places: Of frames that were stored since the last flush.

        Returns:
            Those of them that are in no file after all; never raises.
        """
        rows: dict[int, list[int]] = {}
        for place in places:
            found = self._mapping.locate(place)
            rows.setdefault(found.file, []).append(found.row)
        lost: set[int] = set()
        self._forget()
        for number in {*self._open, *self._unclosed}:
            mine = rows.get(number, [])
            opened = self._open.pop(number, None)
            saved = self._mended(number) if opened is None else opened.save()
            if saved is None:
                self._unclosed.add(number)
                gone = absent(self._made[number], mine)
            else:
                self._open[number] = saved
                self._unclosed.discard(number)
                gone = [] if saved is opened else saved.absent(mine)
            lost |= {number * self._mapping.rows_per_file + row for row in gone}
        return lost

    def abandon(self, high: int) -> list[tuple[Path, int]]:
        """Close the files after an error, trimmed to the places below ``high``; never raises.

        Returns:
            Path and rows of each file that there is.
        """
        rows: list[tuple[Path, int]] = []
        for number in sorted(self._made):
            length = max(high - number * self._mapping.rows_per_file, 0)
            if self._mapping.rows_per_file:
                length = min(length, self._mapping.rows_per_file)
            self._abandon(number, length)
            rows.append((self._made[number], length))
        self._forget()
        return rows

    # ------------------------------------------------------------ inside

    def _abandon(self, number: int, length: int) -> None:
        """Trim, close and name one file as far as that goes."""
        opened = self._open.pop(number, None)
        while opened is not None:
            try:
                opened.end(length)
                break
            except WriteError as error:
                _log.warning("%s", error.strerror)
                opened = None if number in self._unclosed else self._mended(number)
                self._unclosed.add(number)
        try:
            self._name(number)
        except WriteError as error:
            _log.warning("%s", error.strerror)

    def _mended(self, number: int) -> RawFile | None:
        return mended(self._made[number], self._span(number))

    def _span(self, number: int) -> Span:
        """Numbers of a file's frames, from 1."""
        return functools.partial(self._share.image_nr, number)

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
            made = number in self._made
            opened = RawFile.reopen(self._made[number], self._span(number)) if made else self._make(number)
            self._open[number] = opened
            if self._syncing is not None:
                self._syncing.add(opened.path)
        base = number * self._mapping.rows_per_file
        if place is not None and place - base >= opened.extent:
            row = place - base
            wanted = max(row + STEP, row + opened.extent // 2)
            limit = self._mapping.rows_per_file
            self._grow(opened, min(wanted, limit) if limit else wanted)
        self._current, self._base, self._end = opened, base, base + opened.extent
        self._store_in(opened)

    def _store_in(self, opened: RawFile) -> None:
        plain, digest = opened.store, self._digest
        self._write = plain if digest is None else self._summing(plain, digest, self._base)

    def _summing(self, store: Store, digest: Digest, base: int) -> Store:
        """Stores a chunk and keeps its checksum."""
        sums = self.sums

        def keep(offset: tuple[int, int, int], chunk: bytes | memoryview) -> None:
            store(offset, chunk)
            sums[base + offset[0]] = digest(chunk)

        return keep

    def _room(self, number: int) -> int:
        """Rows that the plan gives a file."""
        limit = self._mapping.rows_per_file
        rest = max(self._planned - number * limit, 0)
        return min(rest, limit) if limit else rest

    def _make(self, number: int) -> RawFile:
        if self._format is None:
            raise RuntimeError("a raw file is made before its format is known")
        path, rows = self.path(number), self._room(number)

        def finish(file: h5py.File) -> None:
            self._share.label(file[names.DATA])
            if number == 0 and self._first is not None:
                dress(file, path, self._meta)
            self._give(path)

        with self._watches.create:
            made = RawFile.make(path, rows, self._format, span=self._span(number), dress=finish)
        self._made[number] = path
        first = self._share.first(number)
        self.on_added(Added(path=path, row=first, rows=rows, pixels=self._format))
        return made

    def _grow(self, opened: RawFile, rows: int) -> None:
        opened.grow(rows)
        if opened is self._current:
            self._end = self._base + rows

    def _close(self, number: int) -> None:
        opened = self._open.pop(number, None)
        if opened is None:
            return
        if opened is self._current:
            self._forget()
        try:
            with self._watches.close:
                opened.close()
        except WriteError:
            self._unclosed.add(number)
            raise
        if self._syncing is not None:
            self._syncing.closed(opened.path)

    def _forget(self) -> None:
        self._current = self._write = None
        self._base = self._end = 0
