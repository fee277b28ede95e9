"""Checks of the frames of a master against the checksums that were kept when they were stored."""

# pyright: standard
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from layouts.nexus.findings import Finding, error, warning
from layouts.nexus.tree import ExternalLink, Group, Stretch, Virtual, find
from layouts.raw import checksums
from layouts.raw.checksums import Checksum, Digest, digest_of
from layouts.raw.names import Column, Meta


def check_sums(directory: Path, root: Group) -> Iterator[Finding]:
    """That every frame is what it was, where there are checksums.

    Args:
        directory: Of the master.
        root: Its tree.
    """
    for name in root.members:
        frames = find(root, f"/{name}/data/data")
        stored = find(root, f"/{name}/instrument/detector/frames/{Column.STORED.value}")
        if isinstance(frames, Virtual) and isinstance(stored, ExternalLink):
            yield from _entry(directory, f"/{name}/data/data", frames, stored.file)


def _entry(directory: Path, where: str, frames: Virtual, meta: str) -> Iterator[Finding]:
    try:
        with h5py.File(directory / meta, "r") as file:
            columns: Any = file[Meta.COLUMNS.value]
            if checksums.COLUMN not in columns:
                return
            column = columns[checksums.COLUMN]
            kind = bytes(column.attrs.get(checksums.ALGORITHM, b"")).decode()
            sums = column[()]
            known = columns[Column.STORED.value][()] == 1
    except (OSError, KeyError) as problem:
        yield error(where, f"the checksums in {meta} cannot be read: {problem}", "bring the meta file back")
        return
    digest = digest_of(Checksum(kind)) if kind in list(Checksum) else None
    if digest is None:
        yield warning(where, f"checksums of kind {kind!r} in {meta}", "a newer softbeam may know them")
        return
    for stretch in frames.stretches:
        for place, row, found in _found(directory, stretch, digest, known):
            if found != int(sums[place]):
                yield error(
                    where,
                    f"frame {place} ({stretch.file}, row {row}) is not what was stored: its checksum is "
                    f"{found:016x}, {int(sums[place]):016x} was expected",
                    "take it for missing, or bring the file back from a copy",
                )


def _found(
    directory: Path, stretch: Stretch, digest: Digest, known: np.ndarray
) -> Iterator[tuple[int, int, int]]:
    """Place, row and checksum of each frame of a raw file that has one; other checks see what is absent."""
    try:
        with h5py.File(directory / stretch.file, "r") as file:
            data: Any = file[stretch.path]
            for row in range(stretch.start, min(stretch.stop, data.shape[0])):
                place = _place(stretch, row)
                if place >= known.size or not known[place]:
                    continue
                if data.id.get_chunk_info_by_coord((row, 0, 0)).byte_offset is not None:
                    yield place, row, digest(data.id.read_direct_chunk((row, 0, 0))[1])
    except (OSError, KeyError):
        return


def _place(stretch: Stretch, row: int) -> int:
    """Where a row of a source stands in the virtual data set."""
    index = row - stretch.start
    if not stretch.block:
        return stretch.at + index
    return stretch.at + index // stretch.block * stretch.stride + index % stretch.block
