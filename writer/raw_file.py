"""One raw file: packed frames, one chunk each, written as they came; SWMR from the first moment.

As the Dectris file writer has it: ``/entry/data/data`` (rows, slow, fast), ``image_nr_low`` and
``image_nr_high``. What was never written reads as the masked value.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import h5py
import numpy as np

import layouts.filters_h5  # noqa: F401  registers the filters that the chunks name
from layouts.raw import names
from layouts.stream.codecs import hdf5_filter
from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.mend_h5 import mend
from writer.write_errors import failure

_log = logging.getLogger(__name__)

LIBVER: Final = ("v110", "v110")
"""What HDF5 1.10 can read, and the oldest that has SWMR."""
TROUBLE: Final = (OSError, RuntimeError, ValueError)
"""What h5py raises where a file cannot be made, written on or closed."""

Store = Callable[[tuple[int, int, int], bytes | memoryview], None]
"""Writes a chunk at (row, 0, 0)."""
Span = Callable[[int], tuple[int, int]]
"""Numbers of the first and the last frame, from 1, of a file of so many rows."""


class RawFile:
    """A raw file that is open.

    Args:
        path: Where it is.
        file: Open for writing.
        span: Numbers of its frames.
    """

    def __init__(self, path: Path, file: h5py.File, span: Span) -> None:
        self.path: Final = path
        self._file = file
        self._span = span
        self._data = cast("h5py.Dataset", file[names.DATA])
        self.extent = int(self._data.shape[0])
        """Rows there is room for."""
        self.dirty = False
        """Whether readers cannot see everything yet."""
        self.store: Store = self._data.id.write_direct_chunk
        """Writes a chunk; raises OSError. Set ``dirty`` then."""

    @classmethod
    def make(
        cls, path: Path, rows: int, pixels: PixelFormat, *, span: Span, dress: Callable[[h5py.File], None]
    ) -> RawFile:
        """Make a file where none is.

        Args:
            path: Of the file.
            rows: To begin with.
            pixels: What the frames look like.
            span: Numbers of its frames.
            dress: Adds what else is to be in it.

        Raises:
            WriteError: It cannot be made; nothing is left of it.
        """
        file: h5py.File | None = None
        try:
            file = h5py.File(path, "x", libver=LIBVER, locking=False)
            data = _create(file, rows, pixels)
            low, high = span(rows)
            data.attrs.create("image_nr_low", low, dtype=np.int32)
            data.attrs.create("image_nr_high", high, dtype=np.int32)
            dress(file)
            file.swmr_mode = True
            return cls(path, file, span)
        except TROUBLE as error:
            if file is not None:
                close_quietly(file, path)
                path.unlink(missing_ok=True)
            raise failure(error, path) from error

    @classmethod
    def reopen(cls, path: Path, span: Span, *, swmr: bool = True) -> RawFile:
        """Go on with a file that was closed.

        Raises:
            WriteError: It cannot be opened.
        """
        file: h5py.File | None = None
        try:
            file = h5py.File(path, "r+", libver=LIBVER, locking=False)
            if swmr:
                file.swmr_mode = True
            return cls(path, file, span)
        except (*TROUBLE, KeyError) as error:
            if file is not None:
                close_quietly(file, path)
            raise failure(error, path) from error

    def renew(self) -> None:
        """After a chunk was refused: forget it, so that it can be stored after all.

        HDF5 holds a chunk for stored that it could not write: once it is written it is in no index.
        """
        self._data.id._close()  # noqa: SLF001  h5py closes a data set with the last reference only
        self._data = cast("h5py.Dataset", self._file[names.DATA])
        self.store = self._data.id.write_direct_chunk

    def grow(self, rows: int) -> None:
        """Give it room for so many rows.

        Raises:
            WriteError: The system refuses.
        """
        self._resize(rows)
        self.dirty = True

    def flush(self) -> None:
        """Let readers see what was written.

        Raises:
            WriteError: The system refuses.
        """
        if not self.dirty:
            return
        try:
            self._data.flush()
        except TROUBLE as error:
            raise failure(error, self.path) from error
        self.dirty = False

    def trim(self, rows: int) -> None:
        """Let it have exactly so many rows, and say so.

        Raises:
            WriteError: The system refuses.
        """
        if self.extent != rows:
            self._resize(rows)
        try:
            self._data.attrs.modify("image_nr_high", np.int32(self._span(rows)[1]))
        except TROUBLE as error:
            raise failure(error, self.path) from error

    def close(self) -> None:
        """Close it.

        Raises:
            WriteError: The system refuses; what HDF5 held is let go nevertheless.
        """
        close(self._file, self.path)

    def save(self) -> RawFile | None:
        """After an error: bring to the disk what HDF5 holds, or else make the file readable without it.

        Returns:
            The file, open; nothing if it could not be mended: then only SWMR readers open it.
        """
        try:
            self.dirty = True
            self.flush()
        except OSError as error:
            _log.warning("%s", error.strerror)
        else:
            return self
        close_quietly(self._file, self.path)
        return mended(self.path, self._span)

    def end(self, rows: int) -> None:
        """Trim and close.

        Raises:
            WriteError: The system refuses; it is closed as it was then.
        """
        try:
            self.trim(rows)
        except OSError:
            close_quietly(self._file, self.path)
            raise
        self.close()

    def absent(self, rows: list[int]) -> list[int]:
        """Those of the rows that are not in it."""
        return _absent(self._data, rows)

    def _resize(self, rows: int) -> None:
        try:
            self._data.resize(rows, axis=0)
        except TROUBLE as error:
            raise failure(error, self.path) from error
        self.extent = rows


def mended(path: Path, span: Span) -> RawFile | None:
    """A file that HDF5 could not close, open again with what was flushed; nothing if it cannot be."""
    try:
        mend(path)
        return RawFile.reopen(path, span, swmr=False)
    except OSError as error:
        _log.error("%s could not be closed: readers must open it with swmr=True; %s", path, error.strerror)
        return None


def absent(path: Path, rows: list[int]) -> list[int]:
    """Those of the rows of a file that no reader finds in it; all if it cannot be read."""
    try:
        with _opened(path) as file:
            return _absent(cast("h5py.Dataset", file[names.DATA]), rows)
    except (*TROUBLE, KeyError) as error:
        _log.warning("%s: %s", path, error)
        return rows


def _absent(data: h5py.Dataset, rows: list[int]) -> list[int]:
    extent, place = data.shape[0], data.id.get_chunk_info_by_coord
    return [row for row in rows if row >= extent or place((row, 0, 0)).byte_offset is None]


def _opened(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False)
    except OSError:
        return h5py.File(path, "r", swmr=True, locking=False)


def close(file: h5py.File, path: Path) -> None:
    """Close a file that was written on.

    Raises:
        WriteError: The system refuses; HDF5 writes nothing to it any more, and the object must not be used.
    """
    try:
        file.flush()  # what fails here can be closed well, what fails while it is being closed cannot
    except TROUBLE as error:
        close_quietly(file, path)
        raise failure(error, path) from error
    try:
        file.close()
    except TROUBLE as error:
        raise failure(error, path) from error


def close_quietly(file: h5py.File, path: Path) -> None:
    """Close a file on which writing has failed, as it is on the disk; never raises.

    HDF5 would write what it still holds, and where that fails it is left with half a file that ends the
    process when it is touched. So it gets memory to write to in place of the file. The object must not be
    used again.
    """
    try:
        _part(file.id.get_vfd_handle())
        file.close()
    except TROUBLE as error:
        _log.warning("%s", failure(error, path).strerror)


def _part(handle: int) -> None:
    """Let a descriptor lead to memory, as long as its file."""
    memory = os.memfd_create("closing")
    try:
        os.ftruncate(memory, os.fstat(handle).st_size)
        os.dup2(memory, handle, inheritable=False)
    finally:
        os.close(memory)


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


def dress(file: h5py.File, path: Path, meta: Path | None) -> None:
    """What else clients look for in the file that FullFileName names, as in NDFileHDF5's default layout."""
    file[f"{names.DETECTOR}/data"] = file[names.DATA]
    if meta is not None:
        # Relative, so that the directory can be moved; what only this file is copied with still opens.
        near = os.path.relpath(meta, path.parent)
        for place, target in names.attribute_links().items():
            file[place] = h5py.ExternalLink(near, target)
    for place, nx_class in names.CLASSES.items():
        file[place].attrs["NX_class"] = np.bytes_(nx_class)
