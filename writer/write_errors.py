"""Why a file could not be made or written on, in words that help."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Final


class WriteError(OSError):
    """A file could not be made or written on; says which, why, and what to do. ``errno`` is 0 if unknown."""


_REMEDIES: Final = {
    errno.EEXIST: "files of frames are never overwritten: use another name or number",
    errno.ENOSPC: "make room and capture again; what was stored can be read",
    errno.EDQUOT: "the quota is used up; what was stored can be read",
    errno.EIO: "the disk or the way to it fails, as the system's log says; capture to another one",
    errno.EACCES: "let the writer's user write there",
    errno.ENOENT: "the directory is gone: make it",
    errno.EROFS: "the filesystem is read-only: capture to another one, or mount it for writing",
}


_TOLD: Final = re.compile(r"\berrno = (\d+)")
"""How HDF5 puts the system's number into its own words."""


def failure(error: Exception, path: Path) -> WriteError:
    """What went wrong, where, and what helps."""
    if isinstance(error, WriteError):
        return error
    number = getattr(error, "errno", None) or _told(error)
    why = errno.errorcode.get(number, "") or type(error).__name__
    # HDF5's own words are long and change from release to release; the system's say it.
    detail = os.strerror(number) if number else (str(error).splitlines() or [""])[0][:200]
    remedy = _REMEDIES.get(number, "see the log of the writer")
    return WriteError(number, f"{why} {path}: {detail}; {remedy}")


def _told(error: Exception) -> int:
    found = _TOLD.search(str(error))
    return int(found[1]) if found else 0
