"""Checks of a master on disk: opens it and every file it points to.

``deep`` decodes every frame as well, and compares it with its checksum: as long as reading the data takes.
"""

# pyright: standard
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np

import layouts.filters_h5  # noqa: F401  registers the filters
from layouts.nexus.check import inspect
from layouts.nexus.check_sums import check_sums
from layouts.nexus.findings import Report, error, worst_first
from layouts.nexus.outside import Facts, Outside, Place, is_column, is_group, places
from layouts.nexus.tree import Group
from layouts.nexus.tree_h5 import read
from layouts.stream.codecs import codec_of, decompress
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, Payload

_H5 = cast("Any", h5py)
h5d, h5f, h5g, h5z = _H5.h5d, _H5.h5f, _H5.h5g, _H5.h5z


def check(path: Path, *, deep: bool = False) -> Report:
    """Check a master.

    Args:
        path: NXmx or Dectris-style.
        deep: Decode every frame, and compare it with its checksum if there is one.

    Returns:
        What it holds and what was found; never raises for what is wrong with the file.
    """
    try:
        root = read(path)
    except (OSError, ValueError, KeyError, RuntimeError) as problem:
        finding = error(str(path), f"cannot be read: {problem}", "a closed, whole HDF5 file is right")
        return Report(path=path, rows=(), findings=(finding,))
    report = check_tree(path, root, facts(path.parent, root, deep=deep))
    if not deep:
        return report
    return replace(report, findings=worst_first([*report.findings, *check_sums(path.parent, root)]))


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
        found |= {(file, path): fact for path, fact in _look(directory / file, paths, deep=deep)}
    return found


def _look(path: Path, inside: list[str], *, deep: bool) -> list[tuple[str, Outside]]:
    if not path.is_file():
        return [(p, Outside(error="there is no such file")) for p in inside]
    try:
        file = h5f.open(bytes(path), h5f.ACC_RDONLY)
    except OSError as problem:
        return [(p, Outside(error=str(problem))) for p in inside]
    try:
        return [(p, _data(file, p, deep=deep and not is_column(p))) for p in inside]
    finally:
        file.close()


def _data(file: Any, path: str, *, deep: bool) -> Outside:
    """Facts of a data set, or of a group; h5py's low-level calls, as there may be thousands of raw files."""
    try:
        if is_group(path):
            h5g.open(file, path.encode())
            return Outside()
        item = h5d.open(file, path.encode())
    except (KeyError, OSError) as problem:
        return Outside(error=str(problem))
    creation, dtype = item.get_create_plist(), item.dtype
    filters = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
    fill = np.zeros((), dtype=dtype)
    creation.get_fill_value(fill)
    shape = tuple(item.shape)
    high = h5py.Dataset(item)
    return Outside(
        shape=shape,
        dtype=dtype.name,
        fill=int(fill) if dtype.kind in "iu" else None,
        lacking=tuple(f for f in filters if not h5z.filter_avail(f)),
        absent=_absent(high) if deep else None,
        broken=tuple(_broken(high)) if deep else (),
        values=high[()] if is_column(path) else None,
    )


def _absent(item: Any) -> frozenset[int]:
    """Rows without a chunk, where a chunk is one row."""
    if item.chunks is None or item.chunks[0] != 1:
        return frozenset()
    there: set[int] = set()
    item.id.chunk_iter(lambda info: there.add(int(info.chunk_offset[0])))
    return frozenset(range(item.shape[0])) - there


def _broken(item: Any) -> Iterable[tuple[int, str]]:
    """Rows that cannot be decoded; unpacked by us, for HDF5's filter crashes where a chunk is cut short."""
    codec = _codec(item)
    for row in range(item.shape[0]) if item.ndim else ():
        try:
            if codec is None:
                item[row]
            else:
                _unpack(item, row, codec)
        except (OSError, StreamError) as problem:
            yield row, str(problem)


def _codec(item: Any) -> Codec | None:
    """How rows that are one chunk each are packed, if it is one of the detector's ways."""
    creation = item.id.get_create_plist()
    filters = [creation.get_filter(i) for i in range(creation.get_nfilters())]
    if len(filters) != 1 or item.ndim != 3 or item.chunks != (1, *item.shape[1:]):
        return None
    number, _, options, _ = filters[0]
    return codec_of(number, options)


def _unpack(item: Any, row: int, codec: Codec) -> None:
    if item.id.get_chunk_info_by_coord((row, 0, 0)).byte_offset is None:
        return  # not written: reads as the fill value
    _, data = item.id.read_direct_chunk((row, 0, 0))
    slow, fast = item.shape[1:]
    decompress(Payload(channel="", shape=(slow, fast), dtype=item.dtype.name, codec=codec, data=data))
