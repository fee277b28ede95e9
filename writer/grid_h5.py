"""The file of a capture with extra dimensions: frames as a grid of scan points, mapped from the raw files.

As NDFileHDF5 lays it out: ``/entry/data/data`` has shape (.., Y, X, N, slow, fast), and with DimAttDatasets
the datasets of attributes have the shape of the points. Nothing is copied but what stands by index alone.

Where workers took turns, the frames stand in the file once more in their order, as a virtual data set that
the grid is mapped from: its straight pieces are few, where the raw files would give one for each block.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from layouts.nexus.frames import masked, relative
from layouts.nexus.tree_h5 import write_virtual
from layouts.raw import names
from layouts.raw.grid import Grid, Placed, Tile, blocks, by_position, in_order, tiles
from layouts.raw.mapping import Mapping
from layouts.raw.names import Column, Meta
from writer.map_file import Part, frames, reach
from writer.raw_file import LIBVER

UNPLACED: Final = "/entry/instrument/detector/unplaced"
"""Places of frames that have no point: rows of the raw files one behind the other."""
FLAT: Final = "/entry/instrument/detector/frames"
"""All frames in order of places, where workers took turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the file is made from.

    Attributes:
        grid: As asked for.
        parts: Raw files there are, in order of rows.
        mapping: How places were dealt to them.
        shape: Pixels, (slow, fast).
        dtype: Name of the type.
        meta: The meta file if it has attributes; links lead there.
        closed: Whether raw and meta files are: before, frames stand in order or, with positions or where
            workers take turns, not at all.
    """

    grid: Grid
    parts: Sequence[Part]
    mapping: Mapping = field(default_factory=Mapping)
    shape: tuple[int, int]
    dtype: str
    meta: Path | None
    closed: bool


def publish(path: Path, content: Content) -> list[str]:
    """Write the file, or make it anew, in one step for readers.

    Returns:
        What is wrong, in words.

    Raises:
        OSError: It cannot be written, or the meta file not be read.
    """
    rows = reach(content.parts, content.mapping)
    placed, problems = _placed(content, rows)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with h5py.File(temporary, "x", libver=LIBVER) as file:
            _write(file, path.parent, content, placed)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    if placed.wrong.size:
        few = ", ".join(str(row) for row in placed.wrong[:5])
        more = ", .." if placed.wrong.size > 5 else ""
        problems.append(
            f"{placed.wrong.size} frames have no point in the grid {content.grid.shape}, or a later frame "
            f"has it (rows {few}{more}); they are in the raw files, see {UNPLACED}"
        )
    return problems


def _placed(content: Content, rows: int) -> tuple[Placed, list[str]]:
    grid = content.grid
    nothing = Placed(*(np.empty(0, np.int64),) * 3)._replace(points=np.empty((0, len(grid.sizes)), np.int64))
    if content.mapping.workers > 1 and not content.closed:
        # Raw files are cut at the end, and a map in blocks that is longer than its files kills its reader.
        return nothing, []
    if not grid.positions:
        # While frames still come, files have the rows that are planned, and some to spare.
        return in_order(grid, rows if content.closed else min(rows, grid.places)), []
    if not content.closed:
        return nothing, []
    if content.meta is None:
        return nothing, ["PositionMode places frames by attributes, and StoreAttr is No; put Yes"]
    with h5py.File(content.meta, "r") as file:
        group = cast("h5py.Group", file[Meta.ATTRIBUTES])
        known = {name.casefold(): name for name in _names(group)}
        absent = [name for name in grid.positions if name.casefold() not in known]
        if absent:
            return nothing, [f"no frame has a point: there is no attribute {', '.join(absent)}"]
        columns = [_read(group, known[name.casefold()]) for name in grid.positions]
        stored = cast("h5py.Dataset", file[f"{Meta.COLUMNS}/{Column.STORED}"])[()] == 1
    return by_position(grid, columns, stored), []


def _names(group: h5py.Group) -> list[str]:
    return [str(name) for name in group]


def _read(group: h5py.Group, name: str) -> NDArray[np.generic]:
    return cast("h5py.Dataset", group[name])[()]


def _write(file: h5py.File, directory: Path, content: Content, placed: Placed) -> None:
    layout = h5py.VirtualLayout((*content.grid.shape, *content.shape), dtype=content.dtype)
    found: list[Tile] = []
    for part, source, path in _sources(file, directory, content):
        own = _tiles(content.grid, placed, part)
        _map(layout, own, source, path, (part.rows, *content.shape))
        found += [tile._replace(row=tile.row + part.row) for tile in own]
    file.create_virtual_dataset(names.DATA, layout, fillvalue=masked(content.dtype))
    file[f"{names.DETECTOR}/data"] = file[names.DATA]
    if placed.wrong.size:
        file[UNPLACED] = placed.wrong
    for place, nx_class in names.CLASSES.items():
        file[place].attrs["NX_class"] = np.bytes_(nx_class)
    file["/entry/data"].attrs["signal"] = np.bytes_("data")
    if content.meta is None:
        return
    near = relative(content.meta, directory)
    for place, target in names.attribute_links().items():
        if content.grid.columns and content.closed:
            with h5py.File(content.meta, "r") as meta:
                old = cast("h5py.Group", meta[target])
                _columns(file.create_group(place), old, content.grid, placed, found=found, near=near)
        else:
            file[place] = h5py.ExternalLink(near, target)


def _sources(file: h5py.File, directory: Path, content: Content) -> list[tuple[Part, str, str]]:
    """What the grid is mapped from: rows that follow one another, and the file and data set they are in."""
    if content.mapping.workers == 1:
        return [(part, relative(part.path, directory), names.DATA) for part in content.parts]
    if not content.closed:
        return []
    flat = frames(
        directory,
        content.parts,
        rows=reach(content.parts, content.mapping),
        shape=content.shape,
        dtype=content.dtype,
        mapping=content.mapping,
    )
    above, _, name = FLAT.rpartition("/")
    write_virtual(file.require_group(above).id, name.encode(), flat)
    return [(Part(directory, 0, flat.shape[0]), ".", FLAT)]


def _tiles(grid: Grid, placed: Placed, part: Part) -> list[Tile]:
    """Of the frames of one raw file, their rows in it."""
    end = part.row + part.rows
    if not grid.positions:
        return blocks(grid.shape, part.row, min(end, placed.rows.size))
    inside = (placed.rows >= part.row) & (placed.rows < end)
    return tiles(placed._replace(rows=placed.rows[inside] - part.row, points=placed.points[inside]))


def _map(
    layout: h5py.VirtualLayout, found: Sequence[Tile], file: str, path: str, shape: tuple[int, ...]
) -> None:
    source = h5py.VirtualSource(file, path, shape=shape, dtype=layout.dtype)
    for tile in found:
        end = tile.row + tile.step * math.prod(tile.extent)
        where = tuple(
            slice(at, at + stride * extent, stride)
            for at, stride, extent in zip(tile.at, tile.stride, tile.extent, strict=True)
        )
        layout[where] = source[tile.row : min(end, shape[0]) : tile.step]


def _columns(
    group: h5py.Group, old: h5py.Group, grid: Grid, placed: Placed, *, found: Sequence[Tile], near: str
) -> None:
    """Attributes with the shape of the points, or, where they tell an index, one value for each."""
    group.attrs["NX_class"] = np.bytes_("NXcollection")
    by_index = {name.casefold(): axis for axis, name in enumerate(grid.indexes) if name}
    for name in _names(old):
        column = cast("h5py.Dataset", old[name])
        axis = by_index.get(name.casefold())
        if axis is not None and grid.positions:
            values = np.full(grid.sizes[axis], column.fillvalue, dtype=column.dtype)
            values[placed.points[:, len(grid.sizes) - 1 - axis]] = column[()][placed.rows]
            made = group.create_dataset(name, data=values)
        else:
            layout = h5py.VirtualLayout(grid.shape, dtype=column.dtype)
            _map(layout, found, near, f"{old.name}/{name}", column.shape)
            made = group.create_virtual_dataset(name, layout, fillvalue=column.fillvalue)
        for about, value in column.attrs.items():
            made.attrs[about] = value
