"""``FilePath`` and ``CreateDirectory``, the same for a detector's file records and for ``ACQ:``."""

from __future__ import annotations

import os
from pathlib import Path

from ioc.menus import NoYes
from ioc.server import Device
from layouts.beamline_storage import Storage
from writer.disk import LocalDisk, ask, make_directories
from writer.filenames import with_slash
from writer.orders import RefusedError


async def settle(device: Device, path: str, storage: Storage) -> str:
    """Answer a put of FilePath or CreateDirectory: directories are made, the readback ends in a slash.

    Returns:
        What is wrong with the path; empty if nothing.
    """
    problem = ""
    try:
        await require(device, path, storage)
    except RefusedError as error:
        problem = str(error)
    await device.post("FilePathExists_RBV", NoYes.NO if problem else NoYes.YES)
    await device.post("FilePath_RBV", with_slash(path))
    return problem


async def require(device: Device, path: str, storage: Storage) -> Path:
    """The directory of a path, made where CreateDirectory allows.

    Raises:
        RefusedError: It is not there, and why.
    """
    if not path:
        raise RefusedError("FilePath is empty; put the directory where the files go")
    if not path.startswith("/"):
        raise RefusedError(f"FilePath {path!r} begins nowhere that a client could know; begin it with /")
    depth = int(device["CreateDirectory"])
    await ask(lambda: make_directories(path, depth, storage))
    directory = Path(path)
    if not await ask(lambda: LocalDisk().is_directory(directory)):
        raise RefusedError(f"FilePath {path!r} is no directory; take another")
    return absolute(path)


def absolute(path: str) -> Path:
    """The path as workers on other hosts understand it."""
    return Path(os.path.normpath(Path(path).absolute()))
