"""Space kept back while a capture is open, so that files can be closed well on a disk that has filled up."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import Final

from writer.write_errors import WriteError, failure

SIZE: Final = 1 << 20
"""Bytes: what the columns of a flush interval and HDF5's own books take."""


class Reserve:
    """A file without a name, so that nothing is left of it whatever becomes of this process.

    Args:
        directory: On the filesystem in question.
        size: Bytes.

    Raises:
        OSError: There is no room for it.
    """

    def __init__(self, directory: Path, size: int = SIZE) -> None:
        self._descriptor = _nameless(directory)
        try:
            os.posix_fallocate(self._descriptor, 0, size)
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Give the space back."""
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = -1


def check_room(directory: Path, floor: int) -> None:
    """Stop before a filesystem is full: what HDF5 has begun can then be closed well.

    Args:
        directory: On the filesystem in question.
        floor: Bytes that must stay free.

    Raises:
        WriteError: Fewer are, with errno ENOSPC; or the system does not say.
    """
    try:
        found = os.statvfs(directory)
    except OSError as error:
        raise failure(error, directory) from error
    free = found.f_bavail * found.f_frsize
    if free < floor:
        raise WriteError(
            errno.ENOSPC,
            f"ENOSPC {directory}: {free} bytes are free, and {floor} must stay free (reserve of [storage]); "
            "make room and capture again; what was stored can be read",
        )


def _nameless(directory: Path) -> int:
    try:
        return os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o600)
    except (OSError, AttributeError):
        # Not every filesystem has files without a name: let it lose its name at once.
        descriptor, name = tempfile.mkstemp(prefix=".reserve", dir=directory)
        Path(name).unlink()
        return descriptor
