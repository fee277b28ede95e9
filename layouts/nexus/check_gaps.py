"""Checks of the frames that are not there, and of what is known of each one that is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from layouts.nexus.check_frames import SHOWN, Frames
from layouts.nexus.findings import Finding, error, note, warning
from layouts.nexus.outside import Facts, Outside
from layouts.nexus.tree import ExternalLink, Field, Group, find
from layouts.raw.names import Column


def listed_gaps(root: Group, entry: str, rows: int) -> NDArray[np.bool_]:
    """Places the entry says are missing; ones outside it are left out."""
    gaps = np.zeros(rows, dtype=np.bool_)
    listed = find(root, f"{entry}/capture/missing")
    if isinstance(listed, Field):
        inside = listed.value[(listed.value >= 0) & (listed.value < rows)].astype(np.int64)
        gaps[inside] = True
    return gaps


def check_gaps(root: Group, frames: Frames, facts: Facts) -> Iterator[Finding]:
    """That what is listed as missing, what is not mapped and what was not stored are the same frames."""
    if frames.virtual is None:
        return
    rows, where = frames.virtual.shape[0], f"{frames.entry}/capture/missing"
    listed = listed_gaps(root, frames.entry, rows)
    given = find(root, where)
    if isinstance(given, Field) and (given.value.size != listed.sum()):
        yield error(
            where, "lists frames twice, or ones that are not there", f"0 to {rows - 1}, each once, is right"
        )
    open_ = np.ones(rows, dtype=np.bool_)
    for s in frames.virtual.stretches:
        open_[s.places[s.places < rows]] = False
    yield from _differ(where, "frames are mapped nowhere, and not listed as missing", open_ & ~listed)
    fills = {facts.get((s.file, s.path), Outside()).fill for s in frames.virtual.stretches}
    if fills - {frames.virtual.fill}:
        yield from _differ(where, "frames are listed as missing, and mapped", listed & ~open_)
    elif (listed & ~open_).any():
        yield note(where, "some are mapped", "they read as masked, because the raw files are filled so")
    stored = _stored(root, frames, facts, rows)
    if stored is not None:
        column = f"{frames.entry}/instrument/detector/frames/stored"
        yield from _differ(column, "frames were not stored, and are not listed as missing", ~stored & ~listed)
        yield from _differ(column, "frames were stored, and are listed as missing", stored & listed)
    for s in frames.virtual.stretches:
        absent = facts.get((s.file, s.path), Outside()).absent or frozenset()
        lost = [int(p) for p, row in zip(s.places, range(s.start, s.stop), strict=True) if row in absent]
        if lost:
            yield error(
                f"{frames.where}/data",
                f"{s.file} has no data for frames {_few(lost)}",
                "list them as missing",
            )
    if listed.any():
        few = _few(np.flatnonzero(listed).tolist())
        yield warning(
            where, f"{int(listed.sum())} of {rows} frames are missing: {few}", "they read as masked"
        )
    counts = find(root, f"{frames.entry}/capture/frames")
    if isinstance(counts, Field) and int(counts.value) != rows:
        yield error(
            f"{frames.entry}/capture/frames", f"says {int(counts.value)}, there are {rows}", "rows is right"
        )


def _stored(root: Group, frames: Frames, facts: Facts, rows: int) -> NDArray[np.bool_] | None:
    link = find(root, f"{frames.entry}/instrument/detector/frames/{Column.STORED.value}")
    if not isinstance(link, ExternalLink):
        return None
    values = facts.get((link.file, link.path), Outside()).values
    return None if values is None or values.size < rows else values[:rows] != 0


def _differ(where: str, what: str, which: NDArray[np.bool_]) -> Iterator[Finding]:
    if which.any():
        rows = np.flatnonzero(which).tolist()
        yield error(where, f"{len(rows)} {what}: {_few(rows)}", "make the master again from what is stored")


def _few(rows: list[int]) -> str:
    more = f", ... {rows[-1]}" if len(rows) > SHOWN else ""
    return ", ".join(map(str, rows[:SHOWN])) + more


def check_columns(root: Group, frames: Frames, facts: Facts, rows: int) -> Iterator[Finding]:
    """That the per-frame columns open, are as long as the frames, and that time only goes forward."""
    place = f"{frames.entry}/instrument/detector/frames"
    group = find(root, place)
    for name, link in group.members.items() if isinstance(group, Group) else ():
        if not isinstance(link, ExternalLink):
            continue
        fact = facts.get((link.file, link.path), Outside(error="not looked for"))
        if fact.error:
            yield error(
                f"{place}/{name}", f"{link.file} cannot be opened: {fact.error}", "bring the meta file back"
            )
        elif fact.shape != (rows,):
            yield warning(
                f"{place}/{name}", f"has shape {fact.shape}", f"one value a frame, {rows}, is right"
            )
    times = _column(group, facts, Column.START_TIME)
    series = _column(group, facts, Column.SERIES)
    stored = _column(group, facts, Column.STORED)
    if times is None or series is None or stored is None or not times.size == series.size == stored.size:
        return
    came = stored != 0
    known = came & (times != 0)
    back = (np.diff(times[known]) <= 0) & (np.diff(series[known]) == 0)
    if came.any() and not times[came].any():
        yield note(f"{place}/start_time", "no frame has a time", "the stream did not say it")
    elif back.any():
        row = int(np.flatnonzero(known)[1:][back][0])
        yield error(
            f"{place}/start_time", f"goes back at frame {row}", "frames are not in the order they were taken"
        )


def check_attributes(root: Group, entry: str, facts: Facts) -> Iterator[Finding]:
    """That the links to NDAttributes lead somewhere: who walks through a file stumbles where they do not."""
    for place in (f"{entry}/instrument/NDAttributes", f"{entry}/instrument/detector/NDAttributes"):
        link = find(root, place)
        if isinstance(link, ExternalLink):
            fact = facts.get((link.file, link.path), Outside(error="not looked for"))
            if fact.error:
                yield error(
                    place,
                    f"{link.file}:{link.path} cannot be opened: {fact.error}",
                    "bring the meta file back",
                )


def _column(group: object, facts: Facts, column: Column) -> NDArray[np.int64] | None:
    link = group.members.get(column.value) if isinstance(group, Group) else None
    if not isinstance(link, ExternalLink):
        return None
    values = facts.get((link.file, link.path), Outside()).values
    return None if values is None else values.astype(np.int64)
