"""Which captures lie in a directory, which of their files are there, and which were never closed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layouts.raw import names
from writer.salvage import is_closed, is_raw
from writer.salvage_meta import Known, read_meta

SALVAGED: Final = "_salvaged"
"""Behind the stem of what was brought back."""
_META: Final = "_meta.h5"
_NUMBERED: Final = re.compile(r"(?P<stem>.+)_(?P<number>\d{6})\.h5(?P<suffix>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """Files of one capture.

    Attributes:
        stem: Of their names.
        directory: Where the meta file is, or would be.
        meta: The meta file, if there is one.
        known: What it says, if it can be read.
        problem: Why it cannot.
        raw: Raw files that are there, by their numbers from 1.
    """

    stem: str
    directory: Path
    meta: Path | None
    known: Known | None
    problem: str
    raw: dict[int, Path]

    @property
    def is_closed(self) -> bool:
        """Whether its writer has ended it: then its files stay as they are."""
        files = [*self.raw.values(), *([] if self.meta is None else [self.meta])]
        return self.known is not None and self.known.ended is not None and all(map(is_closed, files))


def find(path: Path) -> list[Remains]:
    """The captures of a directory, or the one that a file is of; what was salvaged before is left out.

    Args:
        path: A directory, a meta file or a raw file; it exists.

    Raises:
        OSError: The directory cannot be read.
    """
    directory = path if path.is_dir() else path.parent
    files = sorted(each for each in directory.iterdir() if each.is_file() and not each.name.startswith("."))
    found = [_of_meta(each, files) for each in files if _is_meta(each)]
    claimed = {file for remains in found for file in remains.raw.values()}
    orphans: dict[str, dict[int, Path]] = {}
    for file in files:
        if file in claimed or _is_meta(file) or SALVAGED in file.name or not is_raw(file):
            continue
        match = _NUMBERED.fullmatch(file.name)
        stem, number = (match["stem"], int(match["number"])) if match else (file.name.partition(".h5")[0], 1)
        orphans.setdefault(stem, {})[number] = file
    for stem, raw in orphans.items():
        problem = f"{names.meta_file(stem)} is not there"
        found.append(Remains(stem=stem, directory=directory, meta=None, known=None, problem=problem, raw=raw))
    found = [remains for remains in found if not remains.stem.endswith(SALVAGED)]
    if path.is_dir():
        return found
    return [remains for remains in found if path == remains.meta or path in remains.raw.values()]


def _is_meta(path: Path) -> bool:
    return path.name.endswith(_META) and path.name != _META


def _of_meta(meta: Path, files: Iterable[Path]) -> Remains:
    stem = names.stem_of(meta.name)
    known, problem = None, ""
    try:
        known = read_meta(meta)
    except OSError as error:
        problem = f"{meta.name}: {error.strerror or error}"
    raw: dict[int, Path] = {}
    for file in files:
        match = _NUMBERED.fullmatch(file.name)
        if match is not None and match["stem"] == stem:
            raw[int(match["number"])] = file
    first = "" if known is None else known.first_file
    if first:
        named = Path(os.path.normpath(meta.parent / first))
        suffix = "" if known is None else known.temp_suffix
        for path in (named.with_name(named.name + suffix), named):
            if path.exists():
                raw[1] = path
                break
    elif known is None and not raw:
        # The name that a client gave, with a meta file that does not say so.
        raw.update((1, file) for file in files if file.name.partition(".h5")[0] == stem and is_raw(file))
    return Remains(stem=stem, directory=meta.parent, meta=meta, known=known, problem=problem, raw=raw)


def writers(paths: Iterable[Path]) -> dict[Path, int]:
    """Which of these files a process on this computer has open for writing, and its number.

    Sees processes of the same user, or all as root; none on another computer.
    """
    wanted: dict[tuple[int, int], Path] = {}
    for path in paths:
        status = path.stat()
        wanted[status.st_dev, status.st_ino] = path
    found: dict[Path, int] = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            for handle in (process / "fd").iterdir():
                status = handle.stat()
                path = wanted.get((status.st_dev, status.st_ino))
                if path is not None and _writes(process, handle.name):
                    found[path] = int(process.name)
        except OSError:  # it has ended, or is somebody else's
            continue
    return found


def _writes(process: Path, handle: str) -> bool:
    text = (process / "fdinfo" / handle).read_text(encoding="ascii")
    flags = next(line.split()[1] for line in text.splitlines() if line.startswith("flags:"))
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
