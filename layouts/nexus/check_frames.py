"""Checks of NXdata: links, virtual data set, and the raw files behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from layouts.nexus.findings import Finding, error, warning
from layouts.nexus.frames import masked
from layouts.nexus.outside import Facts, Outside, Place
from layouts.nexus.tree import ExternalLink, Group, Virtual

LINK = re.compile(r"data_\d{6}$")
SHOWN = 5


class Frames(NamedTuple):
    """What an entry says of its frames."""

    entry: str
    data: Group
    virtual: Virtual | None
    links: list[tuple[str, ExternalLink]]

    @property
    def where(self) -> str:
        """Path of the data group."""
        return f"{self.entry}/data"

    def rows(self, facts: Facts) -> int:
        """Places: of the virtual data set, or of all links together."""
        if self.virtual is not None:
            return self.virtual.shape[0]
        shapes = [
            facts[link.file, link.path].shape for _, link in self.links if (link.file, link.path) in facts
        ]
        return sum(shape[0] for shape in shapes if shape)


def frames_of(entry: str, data: Group) -> Frames:
    """The frames of an entry's data group."""
    virtual = data.members.get("data")
    links = [(n, m) for n, m in data.members.items() if LINK.match(n) and isinstance(m, ExternalLink)]
    return Frames(entry, data, virtual if isinstance(virtual, Virtual) else None, sorted(links))


def check_links(frames: Frames, facts: Facts) -> Iterator[Finding]:
    """That data_000001 ... are all there, in order, and open."""
    if not frames.links:
        yield error(frames.where, "no links data_000001 ...", "XDS's plug-ins read these; link each raw file")
    for number, (name, _) in enumerate(frames.links, 1):
        if name != f"data_{number:06d}":
            yield error(
                f"{frames.where}/{name}",
                f"the link before it is missing: data_{number:06d}",
                "number the links from 1 without a gap; readers stop at the first",
            )
            break
    shapes: set[tuple[int, ...]] = set()
    for name, link in frames.links:
        fact = facts.get((link.file, link.path), Outside(error="not looked for"))
        yield from _source(f"{frames.where}/{name}", (link.file, link.path), fact)
        shapes |= {fact.shape[1:]} if fact.shape else set()
    if len(shapes) > 1:
        yield error(
            frames.where, f"the raw files differ in shape: {sorted(shapes)}", "one shape a master is right"
        )


def _source(where: str, place: Place, fact: Outside) -> Iterator[Finding]:
    file, path = place
    if fact.error:
        yield error(
            where, f"{file}:{path} cannot be opened: {fact.error}", "bring the file back beside the master"
        )
        return
    if fact.lacking:
        yield error(where, f"{file} needs HDF5 filters {list(fact.lacking)}", "install their plug-ins")
    if len(fact.shape) != 3:
        yield error(where, f"{file}:{path} has shape {fact.shape}", "frames are (rows, slow, fast)")
    for row, why in fact.broken[:SHOWN]:
        yield error(where, f"{file}: frame {row} cannot be decoded: {why}", "take it for missing")


def check_virtual(frames: Frames, facts: Facts) -> Iterator[Finding]:
    """That the virtual data set maps each source as it is, in order, with the masked value elsewhere."""
    where, virtual = f"{frames.where}/data", frames.virtual
    if virtual is None:
        yield error(
            where, "no virtual data set of all frames", "DIALS finds no frame beyond the first raw file"
        )
        return
    if frames.data.text("signal") != "data":
        yield error(frames.where, "@signal does not name the frames", 'signal="data" is right')
    if len(virtual.shape) != 3 or virtual.dtype not in ("uint8", "uint16", "uint32"):
        yield error(
            where, f"{virtual.dtype} {virtual.shape}", "unsigned integers (rows, slow, fast) are right"
        )
        return
    if virtual.fill != masked(virtual.dtype):
        yield error(
            where, f"missing frames read as {virtual.fill}", f"fill with {masked(virtual.dtype)}, masked"
        )
    last, order = 0, [link.file for _, link in frames.links]
    used: list[str] = []
    for s in virtual.stretches:
        if s.at < last or s.at + s.stop - s.start > virtual.shape[0]:
            yield error(
                where, f"rows {s.at} to {s.at + s.stop - s.start} overlap or leave it", "map each row once"
            )
        last = s.at + s.stop - s.start
        used += [s.file] if s.file not in used else []
        yield from _stretch(
            where, virtual, s.stop, facts.get((s.file, s.path), Outside(error="not looked for")), s.file
        )
    if used != [file for file in order if file in used]:
        yield error(
            where, f"sources come as {used}, links as {order}", "both in the order of the frames are right"
        )


def _stretch(where: str, virtual: Virtual, stop: int, fact: Outside, file: str) -> Iterator[Finding]:
    if fact.error:
        yield error(
            where, f"source {file} cannot be opened: {fact.error}", "its frames read as masked, silently"
        )
        return
    if fact.shape[1:] != virtual.shape[1:] or fact.dtype != virtual.dtype:
        yield error(
            where,
            f"source {file} is {fact.dtype} {fact.shape[1:]}, not {virtual.dtype} {virtual.shape[1:]}",
            "map sources of one type and shape",
        )
    elif fact.shape[0] < stop:
        yield error(
            where,
            f"source {file} has {fact.shape[0]} rows, {stop} are mapped",
            "a reader may die of it; extend the raw file first",
        )
    if fact.fill is not None and fact.fill != masked(virtual.dtype):
        yield warning(where, f"source {file} is filled with {fact.fill}", "unwritten frames look like counts")
