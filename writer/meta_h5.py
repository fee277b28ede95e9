"""Meta file of a capture: a column a quantity, a row a frame; start messages, masks and flatfields once each.

As Odin's, but that ``stored`` is flushed after the frames themselves, so that a reader may trust it. HDF5
lets nothing be added to a file once it is SWMR: what comes with a later series is kept until the end.
Every dataset is chunked: HDF5 1.14.4 and later cannot read contiguous ones in a SWMR file.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import h5py
import numpy as np
from numpy.typing import NDArray

import layouts.filters_h5  # noqa: F401  registers the filter of the masks
from layouts.raw import checksums
from layouts.raw.checksums import Checksum
from layouts.raw.mapping import Mapping as Dealt
from layouts.raw.names import About, Column, Meta
from layouts.stream.codecs import FILTERS
from layouts.stream.messages import Codec
from writer.attribute_messages import Attribute, AttributeValues
from writer.attributes_h5 import AttributeColumns
from writer.frame_statistics import FrameStatistics
from writer.mend_h5 import mend
from writer.raw_file import LIBVER, TROUBLE, close, close_quietly
from writer.raw_h5 import PLANNED
from writer.share import say
from writer.write_errors import WriteError, failure

_log = logging.getLogger(__name__)

_LARGEST: Final = np.iinfo(np.int64).max
_INT64: Final = h5py.h5t.py_create(np.dtype(np.int64))
_UINT64: Final = h5py.h5t.py_create(np.dtype(np.uint64))
_UINT8: Final = h5py.h5t.py_create(np.dtype(np.uint8))
_CHUNK: Final = 1024
"""Rows of a column that are kept together."""


class Row(NamedTuple):
    """One frame's row, but for ``stored``."""

    place: int
    series: int
    frame: int
    start_time: int
    stop_time: int
    real_time: int
    size: int
    arrival: int

    @property
    def packed(self) -> bytes:
        """As rows are kept until they are written."""
        # A time beyond the year 2262 is nonsense, but no reason to lose the frame.
        return PACKED.pack(*(min(value, _LARGEST) for value in self))


PACKED: Final = struct.Struct("8q")
"""A row as bytes: makes a table of them in half the time that tuples take."""
_COLUMNS: Final = tuple(Column(name) for name in Row._fields[1:])
_FILL: Final = {Column.STORED: 0, Column.SERIES: -1, Column.FRAME: -1}


class MetaFile:
    """The meta file of one capture.

    Args:
        path: Made exclusively.
        attributes: Of the file's root, such as the detector's name.
        columns: NDAttributes of the frames; None stores none, nor what NDFileHDF5 stores of every frame.
        statistics: Computes those of them that are.
        dealt: How places are dealt to raw files.
        checksum: What the checksums handed in are; without any there is no column for them.
        give: Called with the file's path once it is made: sets its owner and mode.

    Raises:
        WriteError: It cannot be made.
    """

    def __init__(
        self,
        path: Path,
        attributes: Mapping[str, Any] | None = None,
        columns: Sequence[Attribute] | None = None,
        statistics: FrameStatistics | None = None,
        *,
        dealt: Dealt | None = None,
        checksum: Checksum = Checksum.NONE,
        give: Callable[[Path], None] = lambda _path: None,
    ) -> None:
        self.path: Final = path
        self._extent = 0
        self._live = False
        self._headers: list[tuple[int, bytes]] = []
        self._arrays: dict[tuple[Meta, str], NDArray[Any]] = {}
        self._known: set[tuple[Meta, str]] = set()
        self._written = 0
        self._sums: h5py.Dataset | None = None
        self._is_open = False
        self._flaw: WriteError | None = None
        try:
            self._file = h5py.File(path, "x", libver=LIBVER, locking=False)
            self._is_open = True
        except TROUBLE as error:
            raise failure(error, path) from error
        try:
            self._file.attrs.update(dict(attributes or {}))
            group = self._file.create_group(Meta.COLUMNS)
            say(group, dealt or Dealt())
            self._columns = {column: _create(group, column) for column in (*_COLUMNS, Column.STORED)}
            self._columns[Column.STORED].attrs[About.ENDED] = np.int64(-1)
            self._ids = {column: data.id for column, data in self._columns.items()}
            for name in (Meta.HEADERS, Meta.MASKS, Meta.FLATFIELDS, Meta.COUNTRATE_TABLES):
                self._file.create_group(name)
            self._attributes = None if columns is None else AttributeColumns(self._file, columns, statistics)
            if checksum is not Checksum.NONE:
                self._sums = _create_sums(group, checksum)
            give(path)
            self._file.flush()
        except TROUBLE as error:
            self.abandon()
            path.unlink(missing_ok=True)
            raise failure(error, path) from error

    def add_header(self, series: int, text: bytes) -> None:
        """Keep a start message's values: JSON, UTF-8."""
        self._headers.append((series, text))

    def add_array(self, group: Meta, array: NDArray[Any]) -> str:
        """Keep a mask, flatfield or table.

        Returns:
            Its name in the group; the same array has the same name, and is stored once.
        """
        plain = np.ascontiguousarray(array)
        digest = hashlib.blake2b(plain.data.cast("B"), digest_size=12)
        digest.update(f"{plain.dtype.str} {plain.shape}".encode())
        key = (group, digest.hexdigest())
        if key not in self._known:
            self._known.add(key)
            self._arrays[key] = plain
        return key[1]

    def begin(self) -> None:
        """Write what is known, and let readers in: the first frame has come.

        Raises:
            WriteError: The system refuses.
        """
        if self._flaw is not None:  # HDF5 ends the process where this is tried again after it has failed
            raise self._flaw
        if self._live:
            return
        try:
            self._store_kept()
            self._file.swmr_mode = True
        except TROUBLE as error:
            self._flaw = failure(error, self.path)
            self.abandon()
            raise self._flaw from error
        self._live = True

    def plan(self, rows: int) -> None:
        """Give the columns room for so many places.

        Raises:
            WriteError: The system refuses.
        """
        rows = min(rows, PLANNED)
        if rows > self._extent:
            self._resize(rows)

    def write(self, rows: Sequence[bytes], sums: Mapping[int, int] | None = None) -> None:
        """Store rows of frames that can be read already, and after them their ``stored``.

        Args:
            rows: Packed.
            sums: Checksums of these frames, by their places.

        Raises:
            WriteError: The system refuses.
        """
        if not rows:
            return
        self.begin()
        table = np.frombuffer(b"".join(rows), dtype=np.int64).reshape(-1, len(Row._fields))
        places = table[:, 0]
        if places.size > 1 and not bool((np.diff(places) > 0).all()):
            table = table[np.argsort(places, kind="stable")]
            places = table[:, 0]
        if int(places[-1]) >= self._extent:
            self._resize(max(int(places[-1]) + _CHUNK, self._extent + self._extent // 2))
        breaks = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), len(rows)]
        columns = np.ascontiguousarray(table.T)
        try:
            runs = [
                (begin, end, *self._spaces(int(places[begin]), end - begin))
                for begin, end in itertools.pairwise(breaks)
            ]
            for number, column in enumerate(_COLUMNS, start=1):
                for begin, end, memory, file in runs:
                    self._ids[column].write(memory, file, columns[number, begin:end], _INT64)
            if self._sums is not None:
                told = np.array([(sums or {}).get(place, 0) for place in places.tolist()], np.uint64)
                for begin, end, memory, file in runs:
                    self._sums.id.write(memory, file, told[begin:end], _UINT64)
            if self._attributes is not None:
                self._attributes.mend()
                self._attributes.take(dict(zip(Row._fields, columns, strict=True)))
            self._file.flush()
            stored = np.ones(len(rows), np.uint8)
            for begin, end, memory, file in runs:
                self._ids[Column.STORED].write(memory, file, stored[begin:end], _UINT8)
            self._columns[Column.STORED].flush()
        except TROUBLE as error:
            self._flaw = failure(error, self.path)
            raise self._flaw from error

    def note(self, values: AttributeValues) -> None:
        """Keep changes of NDAttributes; they are written with the next rows, or by ``mend``."""
        if self._attributes is not None:
            self._attributes.note(values)

    def mend(self) -> None:
        """Write what changes that came late make of rows that were written already.

        Raises:
            WriteError: The system refuses.
        """
        try:
            if self._attributes is not None and self._attributes.mend():
                self._file.flush()
        except TROUBLE as error:
            self._flaw = failure(error, self.path)
            raise self._flaw from error

    def finish(self, rows: int) -> None:
        """Trim the columns, add what came late, and close.

        Raises:
            WriteError: The system refuses; the file is closed nevertheless.
        """
        try:
            if self._extent != rows:
                self._resize(rows)
            if self._live and (self._headers[self._written :] or self._arrays):
                self._close()
                self._open()
                self._live = False
            if not self._live:
                self._store_kept()
            stored = cast("h5py.Dataset", self._file[f"{Meta.COLUMNS}/{Column.STORED}"])
            stored.attrs.modify(About.ENDED, np.int64(rows))
            self._close()
        except TROUBLE as error:
            self.abandon()
            raise failure(error, self.path) from error

    def abandon(self) -> None:
        """Close it as it is, if it is open; never raises."""
        if self._is_open:
            self._is_open = False
            close_quietly(self._file, self.path)

    def save(self, rows: Sequence[bytes], sums: Mapping[int, int], high: int) -> None:
        """After an error: add what was not written yet and close, trimmed to ``high``; never raises."""
        try:
            if self._is_open and self._flaw is None:  # HDF5 flushes no file again on which that has failed
                self.write(rows, sums)
                self.finish(high)
                return
        except OSError as error:
            _log.warning("%s", error.strerror)
        self.abandon()
        self._mend(rows, sums, high)

    # ------------------------------------------------------------ inside

    def _open(self) -> None:
        self._file = h5py.File(self.path, "r+", libver=LIBVER, locking=False)
        self._is_open, self._flaw = True, None

    def _close(self) -> None:
        self._is_open = False
        close(self._file, self.path)

    def _mend(self, rows: Sequence[bytes], sums: Mapping[int, int], high: int) -> None:
        """Once more, with what was flushed of the file; NDAttributes stay as they were then."""
        try:
            mend(self.path)
            self._open()
            group = cast("h5py.Group", self._file[Meta.COLUMNS])
            self._columns = {column: cast("h5py.Dataset", group[column]) for column in self._columns}
            self._ids = {column: data.id for column, data in self._columns.items()}
            if self._sums is not None:
                self._sums = cast("h5py.Dataset", group[checksums.COLUMN])
            self._extent = int(self._columns[Column.STORED].shape[0])
            self._attributes, self._live = None, False
            self.write(rows, sums)
            self.finish(high)
        except (*TROUBLE, KeyError) as error:
            why = failure(error, self.path).strerror
            _log.error("%s could not be closed: readers must open it with swmr=True; %s", self.path, why)
            self.abandon()

    def _spaces(self, first: int, count: int) -> tuple[h5py.h5s.SpaceID, h5py.h5s.SpaceID]:
        """So many rows from one on, in memory and in the file; the same for every column.

        h5py's own slices make them anew for each, which takes longer than the writing.
        """
        file = h5py.h5s.create_simple((self._extent,))
        file.select_hyperslab((first,), (count,))
        return h5py.h5s.create_simple((count,)), file

    def _resize(self, rows: int) -> None:
        try:
            for data in self._columns.values():
                data.resize(rows, axis=0)
            if self._sums is not None:
                self._sums.resize(rows, axis=0)
            if self._attributes is not None:
                self._attributes.resize(rows)
        except TROUBLE as error:
            raise failure(error, self.path) from error
        self._extent = rows

    def _store_kept(self) -> None:
        # Each is flushed while it is held: what cannot be written when HDF5 lets go of it is no error to
        # Python, and ends the process when the file is closed.
        headers = cast("h5py.Group", self._file[Meta.HEADERS])
        for ordinal, (series, text) in enumerate(self._headers[self._written :], start=self._written):
            data = headers.create_dataset(
                f"{ordinal:06d}",
                data=np.array([text or b" "], dtype=h5py.string_dtype("utf-8", max(len(text), 1))),
                chunks=(1,),
            )
            data.attrs["series"] = series
            data.flush()
        self._written = len(self._headers)
        for (group, name), array in self._arrays.items():
            number, options = FILTERS[Codec.BSLZ4]
            data = cast("h5py.Group", self._file[group]).create_dataset(
                name, data=array, chunks=array.shape, compression=number, compression_opts=options
            )
            data.flush()
        self._arrays.clear()


def read_array(path: Path, group: Meta, name: str) -> NDArray[Any]:
    """A mask, flatfield or table of a meta file that is closed.

    Raises:
        OSError: The file cannot be read.
        KeyError: It has no such array.
    """
    with h5py.File(path, "r") as file:
        return cast("h5py.Dataset", file[f"{group}/{name}"])[()]


def read_columns(path: Path) -> dict[Column, NDArray[Any]]:
    """All columns of a meta file that is closed.

    Raises:
        OSError: The file cannot be read.
    """
    with h5py.File(path, "r") as file:
        return {column: cast("h5py.Dataset", file[f"{Meta.COLUMNS}/{column}"])[()] for column in Column}


def _create(group: h5py.Group, column: Column) -> h5py.Dataset:
    return group.create_dataset(
        column,
        shape=(0,),
        maxshape=(None,),
        chunks=(_CHUNK,),
        dtype=np.uint8 if column is Column.STORED else np.dtype("<i8"),
        fillvalue=_FILL.get(column, 0),
    )


def _create_sums(group: h5py.Group, kind: Checksum) -> h5py.Dataset:
    data = group.create_dataset(
        checksums.COLUMN, shape=(0,), maxshape=(None,), chunks=(_CHUNK,), dtype=np.dtype("<u8")
    )
    data.attrs[checksums.ALGORITHM] = np.bytes_(kind)
    return data
