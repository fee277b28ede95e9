"""A file that another process writes on, read while it grows (HDF5's single writer, multiple readers).

Refreshing a chunked data set that is open more than once in a process makes HDF5, from 1.10 to 2.0, hand
out frame 0 for every index, without a word; new handles stay wrong until all are closed. So a process opens a
file here once, however many ask for it, and each data set in it once; what somebody else has open beside is
found out before anything is refreshed.
"""

# pyright: standard
from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast
from weakref import WeakValueDictionary

import h5py

import layouts.filters_h5  # noqa: F401  registers the filters that the chunks name

_h5f = cast("Any", h5py).h5f
_opened: Final[WeakValueDictionary[tuple[int, int], Growing]] = WeakValueDictionary()
"""By device and inode: names change when a capture ends."""

_TWICE: Final = (
    "open twice in this process, so that HDF5 would give frame 0 for every frame; "
    "close the other handle, or read in another process"
)


class OpenTwiceError(OSError):
    """A file that grows is open a second time in this process, so nothing that it says can be trusted."""


class Growing:
    """One growing file; closed with the last reference to it. Take it from ``growing``.

    Args:
        path: Of the file.
        inode: What it was when it was opened.

    Raises:
        OSError: It is not there, or not open for readers yet.
    """

    def __init__(self, path: Path, inode: tuple[int, int]) -> None:
        self.path: Final = path
        self.inode: Final = inode
        self._file = h5py.File(path, "r", swmr=True, locking=False)
        self._data: dict[str, h5py.Dataset] = {}
        self._first: dict[str, bytes] = {}

    def attribute(self, path: str, name: str, default: Any) -> Any:
        """An attribute of an object of the file that does not change."""
        found = self._file[path].attrs.get(name, default)
        return found.decode() if isinstance(found, bytes) else found

    def dataset(self, path: str) -> h5py.Dataset:
        """The one handle of a data set; what it shows is as old as the last ``refresh``.

        Raises:
            KeyError: There is no such data set.
        """
        if path not in self._data:
            self._data[path] = cast("h5py.Dataset", self._file[path])
        return self._data[path]

    def refresh(self, path: str) -> h5py.Dataset:
        """The data set as the file has it now.

        Raises:
            OpenTwiceError: Somebody in this process has a handle of their own.
            OSError: It cannot be read now; it may be later.
        """
        data = self.dataset(path)
        if _h5f.get_obj_count(self._file.id, _h5f.OBJ_DATASET) > len(self._data):
            raise OpenTwiceError(0, f"{self.path}: {_TWICE}")
        # Not data.id.refresh(), which leaves h5py with the shape of before.
        data.refresh()
        return data

    def chunk(self, path: str, row: int) -> bytes:
        """A row of frames as it is stored.

        What is open beside this without a handle, as by a virtual data set, shows here alone: a chunk that is
        that of row 0 is looked up in the file itself.

        Raises:
            OpenTwiceError: HDF5 gave row 0 in place of another.
            OSError: There is no such chunk.
        """
        chunks = cast("Any", self.dataset(path).id)
        found = bytes(chunks.read_direct_chunk((row, 0, 0))[1])
        if row == 0:
            return found
        if path not in self._first:
            with suppress(OSError, RuntimeError, ValueError, KeyError):
                self._first[path] = bytes(chunks.read_direct_chunk((0, 0, 0))[1])
        if found == self._first.get(path):
            info = chunks.get_chunk_info_by_coord((row, 0, 0))
            handle = cast("Any", self._file.id).get_vfd_handle()
            if info.byte_offset is None or os.pread(handle, info.size, info.byte_offset) != found:
                raise OpenTwiceError(0, f"{self.path}: {_TWICE}")
        return found


def growing(path: Path) -> Growing:
    """Open a growing file, or get the one that this process has open.

    Raises:
        OSError: It is not there, or not open for readers yet.
    """
    status = os.stat(path)  # noqa: PTH116  in one call with what identifies it
    inode = (status.st_dev, status.st_ino)
    found = _opened.get(inode)
    if found is None:
        found = Growing(path, inode)
        _opened[inode] = found
    return found
