"""Whose new files and directories are, and who may do what with them: ``owner``, ``group``, ``mode``."""

from __future__ import annotations

import errno
import grp
import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from layouts.beamline_storage import Storage
from writer.keeping import Keeping
from writer.write_errors import WriteError

_UNCHANGED = -1


@dataclass(frozen=True, slots=True)
class Ownership:
    """Numbers to be set; -1 and None leave what the system gives."""

    owner: int = _UNCHANGED
    group: int = _UNCHANGED
    mode: int | None = None

    def give(self, path: Path) -> None:
        """Set them for a file or directory that we have made.

        Raises:
            WriteError: The system refuses.
        """
        what = "owner and group"
        try:
            if (self.owner, self.group) != (_UNCHANGED, _UNCHANGED):
                os.chown(path, self.owner, self.group)
            what = "mode"
            if self.mode is not None:
                path.chmod(_searchable(self.mode) if path.is_dir() else self.mode)
        except OSError as error:
            number = error.errno or 0
            name = errno.errorcode.get(number, "OSError")
            raise WriteError(
                number,
                f"{name} {path}: {what} of [storage] cannot be set: {error.strerror}; only root gives files "
                "to other users, others only to groups they are in: change [storage], or the writer's user",
            ) from error


def ownership(said: Keeping | Storage) -> Ownership:
    """What names and octal digits mean here.

    Raises:
        WriteError: There is no such user or group on this machine.
    """
    return Ownership(
        owner=_number("owner", said.owner, lambda name: pwd.getpwnam(name).pw_uid),
        group=_number("group", said.group, lambda name: grp.getgrnam(name).gr_gid),
        mode=int(said.mode, 8) if said.mode else None,
    )


def _number(key: str, name: str, known: Callable[[str], int]) -> int:
    if not name:
        return _UNCHANGED
    if name.isdecimal():
        return int(name)
    try:
        return known(name)
    except KeyError:
        raise WriteError(
            errno.EINVAL,
            f"EINVAL [storage] {key} {name!r}: not known on this machine; name one that is, or its number",
        ) from None


def _searchable(mode: int) -> int:
    """A directory's mode: whoever may read it may look into it."""
    return mode | (mode & 0o444) >> 2
