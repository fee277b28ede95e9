"""Checks of NXdata: links, virtual data set, and the raw files behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from layouts.nexus.findings import Finding, error, warning
from layouts.nexus.frames import masked
from layouts.nexus.outside import Facts, Outside, Place
from layouts.nexus.tree import ExternalLink, Group, HardLink, Virtual

LINK = re.compile(r"data_\d{6}$")
SHOWN = 5


class Frames(NamedTuple):
    """What an entry says of its frames."""

    entry: str
    data: Group
    virtual: Virtual | None
    links: list[tuple[str, ExternalLink]]
    inside: list[tuple[str, Virtual | HardLink]]
    """data_000001 ... that are no links to raw files, as where workers took turns."""

    @property
    def where(self) -> str:
        """Path of the data group."""
        return f"{self.entry}/data"

    @property
    def files(self) -> set[str]:
        """Raw files that it names."""
        return {link.file for _, link in self.links} | {s.file for v in self.mapped for s in v.stretches}

    @property
    def mapped(self) -> list[Virtual]:
        """Virtual data sets of frames, that of all of them first."""
        return [n for n in (self.virtual, *(n for _, n in self.inside)) if isinstance(n, Virtual)]

    def rows(self, facts: Facts) -> int:
        """Places: of the virtual data set, or of all links together."""
        if self.virtual is not None:
            return self.virtual.shape[0]
        own = sum(node.shape[0] for node in self.mapped)
        shapes = [
            facts[link.file, link.path].shape for _, link in self.links if (link.file, link.path) in facts
        ]
        return own + sum(shape[0] for shape in shapes if shape)


def frames_of(entry: str, data: Group) -> Frames:
    """The frames of an entry's data group."""
    virtual = data.members.get("data")
    numbered = sorted((name, node) for name, node in data.members.items() if LINK.match(name))
    return Frames(
        entry,
        data,
        virtual if isinstance(virtual, Virtual) else None,
        [(name, node) for name, node in numbered if isinstance(node, ExternalLink)],
        [(name, node) for name, node in numbered if isinstance(node, Virtual | HardLink)],
    )


def check_links(frames: Frames, facts: Facts) -> Iterator[Finding]:
    """That data_000001 ... are all there, in order, and open."""
    if not frames.links and not frames.inside:
        yield error(frames.where, "no links data_000001 ...", "XDS's plug-ins read these; link each raw file")
    if frames.inside:
        yield from _inside(frames, facts)
    for number, (name, _) in enumerate(sorted([*frames.links, *frames.inside], key=lambda n: n[0]), 1):
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
        yield from check_source(f"{frames.where}/{name}", (link.file, link.path), fact)
        shapes |= {fact.shape[1:]} if fact.shape else set()
    if len(shapes) > 1:
        yield error(
            frames.where, f"the raw files differ in shape: {sorted(shapes)}", "one shape a master is right"
        )


def _inside(frames: Frames, facts: Facts) -> Iterator[Finding]:
    """That data_000001 is all frames, and by itself: dxtbx takes several of one file for the same."""
    name, node = frames.inside[0]
    where = f"{frames.where}/{name}"
    if len(frames.inside) + len(frames.links) > 1:
        yield error(where, "is not the only one, and no link to a raw file", "one with all frames is right")
    if isinstance(node, Virtual):
        yield from check_mapped(where, node, facts)
    elif node.path != f"{frames.where}/data":
        yield error(where, f"is another name of {node.path}", f"{frames.where}/data is right")


def check_source(where: str, place: Place, fact: Outside) -> Iterator[Finding]:
    """That a raw file opens, and that its frames can be decoded."""
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
    yield from check_mapped(where, virtual, facts)
    order = [link.file for _, link in frames.links]
    used = list(dict.fromkeys(s.file for s in virtual.stretches))
    if order and used != [file for file in order if file in used]:
        yield error(
            where, f"sources come as {used}, links as {order}", "both in the order of the frames are right"
        )


def check_mapped(where: str, virtual: Virtual, facts: Facts) -> Iterator[Finding]:
    """That no place is mapped twice, and that each source is as it is mapped."""
    taken = np.zeros(virtual.shape[0], dtype=np.bool_)
    told: set[str] = set()
    for s in virtual.stretches:
        places = s.places
        if places[-1] >= taken.size or taken[places].any():
            yield error(where, f"rows {s.at} to {places[-1] + 1} overlap or leave it", "map each row once")
        taken[places[places < taken.size]] = True
        fact = facts.get((s.file, s.path), Outside(error="not looked for"))
        found = [] if s.file in told else list(_stretch(where, virtual, s.stop, fact, s.file))
        yield from found
        told |= {s.file} if found else set()


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
