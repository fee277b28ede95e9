"""The file of a capture that is cut into several raw files: one virtual data set over them.

It stands while the capture runs, so that a client can open the name that FullFileName_RBV gave it. Rows whose
file is not there yet read as masked, and the map is made anew with each raw file. A map of plain runs of rows
may name the extent that is planned. One in blocks, as of workers that take turns, may not: its reader dies
when a file is cut to what it has at the end. So that one follows its files: it has no length of its own, and
is as long as they are each time a reader refreshes it. So does the map of a capture without a planned length.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from layouts.nexus.frames import begin_of, masked, part_of, relative
from layouts.nexus.tree import ExternalLink, Group, HardLink, Node, Stretch, Virtual, group
from layouts.nexus.tree_h5 import write
from layouts.raw.mapping import Mapping
from layouts.raw.names import DATA, DETECTOR, Meta
from writer.reports import CaptureRecord

_ONE = Mapping()


class Part(NamedTuple):
    """One raw file: its first place, and its extent."""

    path: Path
    row: int
    rows: int


def mapping_of(record: CaptureRecord) -> Mapping:
    """How the places of a capture that has ended were dealt."""
    return Mapping(
        rows_per_file=record.images_per_file, workers=record.workers, block=record.frames_per_block
    )


def parts_of(record: CaptureRecord) -> list[Part]:
    """The raw files of a capture that has ended, by worker and of each in order of places."""
    mapping = mapping_of(record)
    before: Counter[int] = Counter()
    parts: list[Part] = []
    for file in record.raw_files:
        follows = before[file.worker] * mapping.rows_per_file
        begin = begin_of(mapping, file.worker, Path(file.path), follows)
        parts.append(Part(Path(file.path), mapping.at(file.worker, begin), file.rows))
        before[file.worker] += 1
    return parts


def reach(parts: Sequence[Part], mapping: Mapping = _ONE) -> int:
    """Places up to the last that has a row in one of the files."""
    ends = [
        mapping.at(worker, index + part.rows - 1) + 1
        for part in parts
        if part.rows
        for worker, index in [mapping.index(part.row)]
    ]
    return max(ends, default=0)


def frames(
    directory: Path,
    parts: Sequence[Part],
    *,
    rows: int,
    shape: tuple[int, int],
    dtype: str,
    mapping: Mapping = _ONE,
    follow: bool = False,
) -> Virtual:
    """All frames of a capture in order of places.

    Args:
        directory: Where the file of the virtual data set is.
        parts: Raw files there are.
        rows: Places of the whole capture; of no meaning to a map that follows its files.
        shape: Pixels, (slow, fast).
        dtype: Name of the type.
        mapping: How places are dealt to workers and files.
        follow: Whether the map grows and shrinks with its files.
    """
    stretches = [
        stretch
        for part in parts
        for stretch in (
            _following(directory, part, mapping) if follow else _fixed(directory, part, mapping, rows)
        )
    ]
    if follow:
        rows = max([reach(parts, mapping), *(s.at + s.stop - s.start for s in stretches if not s.follows)])
    return Virtual(
        shape=(rows, *shape),
        dtype=dtype,
        fill=masked(dtype),
        stretches=tuple(sorted(stretches, key=lambda stretch: stretch.at)),
    )


def _fixed(directory: Path, part: Part, mapping: Mapping, rows: int) -> Iterator[Stretch]:
    worker, begin = mapping.index(part.row)
    end = min(begin + part.rows, mapping.count(worker, rows))
    file = relative(part.path, directory)
    return part_of(mapping, worker, (begin, end), file=file, extent=part.rows, begin=begin)


def _following(directory: Path, part: Part, mapping: Mapping) -> Iterator[Stretch]:
    """What is left of a block that an earlier file began, and from there on whatever there will be."""
    worker, begin = mapping.index(part.row)
    head = 0 if mapping.workers == 1 else -begin % mapping.block
    file = relative(part.path, directory)
    if head:
        yield Stretch(file=file, path=DATA, extent=max(head, part.rows), start=0, stop=head, at=part.row)
    yield Stretch(
        file=file,
        path=DATA,
        extent=max(head, part.rows),
        start=head,
        stop=max(head, part.rows),
        at=mapping.at(worker, begin + head),
        block=mapping.block if mapping.workers > 1 else 0,
        stride=mapping.stride if mapping.workers > 1 else 0,
        follows=True,
    )


def tree(
    directory: Path,
    parts: Sequence[Part],
    *,
    rows: int,
    shape: tuple[int, int],
    dtype: str,
    meta: Path | None = None,
    mapping: Mapping = _ONE,
    follow: bool = False,
) -> Group:
    """What the file holds; arguments are those of ``frames``, with the meta file if it has NDAttributes."""
    mapped = frames(directory, parts, rows=rows, shape=shape, dtype=dtype, mapping=mapping, follow=follow)
    return around(directory, mapped, meta)


def around(directory: Path, mapped: Node, meta: Path | None) -> Group:
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
    data = group("NXdata", {"data": mapped}, signal="data")
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
