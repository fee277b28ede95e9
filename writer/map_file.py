"""The file of a capture that is cut into several raw files: one virtual data set over them.

It stands while the capture runs, so that a client can open the name that FullFileName_RBV gave it. Rows whose
file is not there yet read as masked; a file is mapped no further than its extent (a map over a shorter source
can kill its reader), so the map is made anew with each raw file.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from layouts.nexus.frames import masked, relative
from layouts.nexus.tree import ExternalLink, Group, HardLink, Node, Stretch, Virtual, group
from layouts.nexus.tree_h5 import write
from layouts.raw.names import DATA, DETECTOR, Meta


class Part(NamedTuple):
    """One raw file: its first place, and its extent."""

    path: Path
    row: int
    rows: int


def tree(
    directory: Path,
    parts: Sequence[Part],
    *,
    rows: int,
    shape: tuple[int, int],
    dtype: str,
    meta: Path | None = None,
) -> Group:
    """What the file holds.

    Args:
        directory: Where it is.
        parts: Raw files there are, in order of places.
        rows: Places of the whole capture.
        shape: Pixels, (slow, fast).
        dtype: Name of the type.
        meta: The meta file, if there are NDAttributes in it.
    """
    stretches = tuple(
        Stretch(
            file=relative(part.path, directory),
            path=DATA,
            extent=part.rows,
            start=0,
            stop=min(part.rows, rows - part.row),
            at=part.row,
        )
        for part in parts
        if part.row < rows and part.rows
    )
    frames = Virtual(shape=(rows, *shape), dtype=dtype, fill=masked(dtype), stretches=stretches)
    return around(directory, frames, meta)


def around(directory: Path, frames: Node, meta: Path | None) -> Group:
    """The file around the frames, with the names and links of NDFileHDF5's default layout."""
    near = None if meta is None else relative(meta, directory)
    detector = group(
        "NXdetector",
        {
            "data": HardLink(path=DATA),
            "NDAttributes": None if near is None else ExternalLink(file=near, path=Meta.DETECTOR_ATTRIBUTES),
        },
    )
    instrument = group(
        "NXinstrument",
        {
            DETECTOR.rpartition("/")[2]: detector,
            "NDAttributes": None if near is None else ExternalLink(file=near, path=Meta.ATTRIBUTES),
        },
    )
    data = group("NXdata", {"data": frames}, signal="data")
    return group(
        "NXroot",
        {"entry": group("NXentry", {"data": data, "instrument": instrument}, default="data")},
        default="entry",
    )


def publish(path: Path, content: Group) -> None:
    """Write it, or make it anew, in one step for readers.

    Raises:
        OSError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        write(temporary, content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
