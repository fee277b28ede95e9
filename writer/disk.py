"""The file system as the coordinator asks it, never for longer than a network file system may take."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from layouts.beamline_storage import Storage
from writer import filenames
from writer.orders import RefusedError
from writer.ownership import ownership
from writer.write_errors import WriteError

_PATIENCE: Final = 10.0
"""Seconds that a file system has to answer."""

T = TypeVar("T")


class LocalDisk:
    """``writer.orders.Disk`` over the operating system; what cannot be asked is held for absent."""

    def is_directory(self, path: Path) -> bool:
        """Whether there is a directory of that name."""
        try:
            return path.is_dir()
        except OSError:
            return False

    def is_writable(self, path: Path) -> bool:
        """Whether files can be made in it."""
        return os.access(path, os.W_OK | os.X_OK)

    def exists(self, path: Path) -> bool:
        """Whether there is anything of that name; a broken link is something too."""
        return os.path.lexists(path)

    def free(self, path: Path) -> int:
        """Free bytes for an ordinary user."""
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize


def make_directories(path: str, depth: int, storage: Storage) -> None:
    """Make what ``CreateDirectory`` allows, with the owner and mode that the beamline file says.

    Raises:
        RefusedError: The directory is not there afterwards; says why.
    """
    try:
        for directory in filenames.directories_to_make(path, depth, _is_directory):
            Path(directory).mkdir(exist_ok=True)
            ownership(storage).give(Path(directory))
    except WriteError as error:
        raise RefusedError(error.strerror or str(error)) from None
    except filenames.FileNameError as error:
        raise RefusedError(str(error)) from None
    except OSError as error:
        file = isinstance(error, FileExistsError | NotADirectoryError)
        why = "a file of that name is in the way" if file else error.strerror
        raise RefusedError(
            f"FilePath {path!r}: {error.filename} cannot be made: {why}; take another directory"
        ) from None


def _is_directory(path: PurePosixPath) -> bool:
    return LocalDisk().is_directory(Path(path))


async def ask(question: Callable[[], T]) -> T:
    """The answer to a question that may block.

    Raises:
        RefusedError: There is none in time.
    """
    try:
        return await asyncio.wait_for(in_thread(question), _PATIENCE)
    except TimeoutError:
        raise RefusedError(
            f"the file system does not answer within {_PATIENCE:g} s; look at the mounts of this machine"
        ) from None
    except OSError as error:
        raise RefusedError(f"{error.filename or 'the file system'}: {error.strerror or error}") from None


async def in_thread(work: Callable[[], T]) -> T:
    """Do something that blocks, in a thread that a program which ends does not wait for."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value, failure = None, None
        try:
            value = work()
        except BaseException as error:
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, failure)

    threading.Thread(target=run, name="blocking work", daemon=True).start()
    return await result
