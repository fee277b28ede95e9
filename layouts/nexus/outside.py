"""What a master says of other files, and what was found there: the facts a check compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from layouts.nexus.tree import Array, ExternalLink, Group, Virtual, walk
from layouts.raw.names import Meta

Place = tuple[str, str]
"""File as the master names it, and path in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """One data set of another file, or a group, of which only ``error`` is told.

    Attributes:
        error: Why it cannot be opened; empty if it can.
        shape: Its extent.
        dtype: Name of its type.
        fill: What unwritten places read as.
        lacking: Numbers of its filters that are not at hand here.
        absent: Rows without a chunk; nothing if nobody looked.
        broken: Rows that cannot be decoded, with why; nothing if nobody looked.
        values: What it holds, of columns only.
    """

    error: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    fill: int | None = None
    lacking: tuple[int, ...] = ()
    absent: frozenset[int] | None = None
    broken: tuple[tuple[int, str], ...] = ()
    values: Array | None = None


Facts = Mapping[Place, Outside]


def places(root: Group) -> Iterator[Place]:
    """Every data set or group in another file that a tree points to, each once."""
    seen: set[Place] = set()
    for _, node in walk(root):
        if isinstance(node, ExternalLink):
            found = [(node.file, node.path)]
        elif isinstance(node, Virtual):
            found = [(s.file, s.path) for s in node.stretches]
        else:
            continue
        for place in found:
            if place not in seen:
                seen.add(place)
                yield place


def is_group(path: str) -> bool:
    """Whether a path is that of a group of a meta file that masters link to."""
    return path in (Meta.ATTRIBUTES.value, Meta.DETECTOR_ATTRIBUTES.value)


def is_column(path: str) -> bool:
    """Whether a path is that of a column of a meta file."""
    return path.startswith(f"{Meta.COLUMNS.value}/")
