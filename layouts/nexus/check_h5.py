# pyright: standard
"""Checks of a master on disk: opens it and every file it points to.

``deep`` decodes every frame as well, which takes as long as reading the data.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin

from layouts.nexus.check import inspect
from layouts.nexus.findings import Report, error
from layouts.nexus.outside import Facts, Outside, Place, is_column, places
from layouts.nexus.tree import Group
from layouts.nexus.tree_h5 import read

# Importing the plug-ins registers them with HDF5.
PLUGINS = hdf5plugin.get_config()


def check(path: Path, *, deep: bool = False) -> Report:
    """Check a master.

    Args:
        path: NXmx or Dectris-style.
        deep: Decode every frame.

    Returns:
        What it holds and what was found; never raises for what is wrong with the file.
    """
    try:
        root = read(path)
    except (OSError, ValueError, KeyError, RuntimeError) as problem:
        finding = error(str(path), f"cannot be read: {problem}", "a closed, whole HDF5 file is right")
        return Report(path=path, rows=(), findings=(finding,))
    return check_tree(path, root, facts(path.parent, root, deep=deep))


def check_tree(path: Path, root: Group, found: Facts) -> Report:
    """Check a master that was read already."""
    rows, findings = inspect(root, found)
    return Report(path=path, rows=rows, findings=findings)


def facts(directory: Path, root: Group, *, deep: bool = False, known: Facts | None = None) -> Facts:
    """What is at each place outside that a tree points to.

    Args:
        directory: Of the master.
        root: Its tree.
        deep: Decode every frame.
        known: Places that were looked at before.
    """
    found: dict[Place, Outside] = dict(known or {})
    files: dict[str, list[str]] = {}
    for place in places(root):
        if place not in found:
            files.setdefault(place[0], []).append(place[1])
    for file, paths in files.items():
        found |= {(file, path): fact for path, fact in _look(directory / file, file, paths, deep=deep)}
    return found


def _look(path: Path, name: str, inside: Iterable[str], *, deep: bool) -> Iterable[tuple[str, Outside]]:
    if not path.is_file():
        return [(p, Outside(error="there is no such file")) for p in inside]
    try:
        with h5py.File(path, "r") as file:
            return [(p, _dataset(file, name, p, deep=deep)) for p in inside]
    except OSError as problem:
        return [(p, Outside(error=str(problem))) for p in inside]


def _dataset(file: Any, name: str, path: str, *, deep: bool) -> Outside:
    try:
        item = file[path]
    except (KeyError, OSError) as problem:
        return Outside(error=str(problem))
    if not isinstance(item, h5py.Dataset):
        return Outside(error="it is no data set")
    plist = item.id.get_create_plist()
    filters = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    fill = item.fillvalue
    return Outside(
        shape=tuple(item.shape),
        dtype=item.dtype.name,
        fill=int(fill) if item.dtype.kind in "iu" else None,
        lacking=tuple(f for f in filters if not h5py.h5z.filter_avail(f)),
        absent=_absent(item) if deep and not is_column((name, path)) else None,
        broken=tuple(_broken(item)) if deep and not is_column((name, path)) else (),
        values=item[()] if is_column((name, path)) else None,
    )


def _absent(item: Any) -> frozenset[int]:
    """Rows without a chunk, where a chunk is one row."""
    if item.chunks is None or item.chunks[0] != 1:
        return frozenset()
    there: set[int] = set()
    item.id.chunk_iter(lambda info: there.add(int(info.chunk_offset[0])))
    return frozenset(range(item.shape[0])) - there


def _broken(item: Any) -> Iterable[tuple[int, str]]:
    """Rows that cannot be decoded."""
    for row in range(item.shape[0]) if item.ndim else ():
        try:
            item[row]
        except OSError as problem:
            yield row, str(problem)
