"""Extra dimensions of NDFileHDF5: frames of a capture placed in a grid of scan points. Pure.

The grid has shape (.., Y, X, N) before (slow, fast): N counts the frames of one point and runs fastest.
Frames fill it in order, or, with PositionMode, each stands at the indices that its own attributes say, as in
snake scans. They stay where they were written; the grid maps to them by few straight pieces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

DIMENSIONS: Final = ("N", "X", "Y", *"3456789")
"""Ends of the records' names, the fastest first."""
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A grid as the records ask for it.

    Attributes:
        sizes: Of N, X, Y and so on: the fastest first.
        positions: Attribute with the index of each, in the same order; none if frames fill it in order.
        indexes: Attributes that are stored by index rather than by point (PosIndexDim), in the same order;
            an empty name is none.
        columns: Whether the datasets of attributes have the grid's shape too (DimAttDatasets).
    """

    sizes: tuple[int, ...]
    positions: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    columns: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """As in the file: the slowest first."""
        return self.sizes[::-1]

    @property
    def places(self) -> int:
        """Frames that it has room for."""
        return math.prod(self.sizes)


class Tile(NamedTuple):
    """Frames that are straight lines both in the grid and in their raw file.

    Attributes:
        row: First of them.
        step: From one to the next; 1 if the tile is more than a line.
        at: Where the first stands in the grid.
        extent: How many along each axis of the grid.
        stride: From one to the next along each axis.
    """

    row: int
    step: int
    at: tuple[int, ...]
    extent: tuple[int, ...]
    stride: tuple[int, ...]


class Placed(NamedTuple):
    """Where frames stand.

    Attributes:
        rows: That have a point, ascending.
        points: Their indices in the grid, shape (n, dimensions), slowest first.
        wrong: Rows of frames that have none, ascending: outside the grid, or replaced by a later frame.
    """

    rows: Indices
    points: Indices
    wrong: Indices


def in_order(grid: Grid, rows: int) -> Placed:
    """The first rows of a capture, one point after the other."""
    inside = np.arange(min(rows, grid.places))
    points = np.stack(np.unravel_index(inside, grid.shape), axis=1).astype(np.int64)
    return Placed(inside, points, np.arange(inside.size, rows))


def by_position(grid: Grid, columns: Sequence[NDArray[np.generic]], stored: NDArray[np.bool_]) -> Placed:
    """Each frame at the indices that its attributes say; of two at one point the later stands.

    Args:
        grid: Has positions.
        columns: Of the position attributes, fastest first, shape (rows,) each.
        stored: Whether there is a frame, shape (rows,).
    """
    found = np.stack([_whole(column) for column in columns[::-1]], axis=1)
    inside = stored & ((found >= 0) & (found < np.array(grid.shape))).all(axis=1)
    rows = np.flatnonzero(inside)
    flat = np.atleast_1d(np.ravel_multi_index(tuple(found[rows].T), grid.shape))
    latest = dict(zip(flat.tolist(), rows.tolist(), strict=True))
    kept = np.array(sorted(latest.values()), dtype=np.int64)
    wrong = np.setdiff1d(np.flatnonzero(stored), kept)
    return Placed(kept, found[kept], wrong)


def _whole(column: NDArray[np.generic]) -> Indices:
    """Indices of a column; -1 where it holds none."""
    try:
        numbers = column.astype(np.float64)
    except ValueError:
        numbers = np.full(column.shape, np.nan)
    return np.where(np.isfinite(numbers) & (np.abs(numbers) < 2**53), numbers, -1).astype(np.int64)


def blocks(shape: tuple[int, ...], begin: int, end: int) -> list[Tile]:
    """Tiles of frames in order: rows from 0 on stand at the points from ``begin`` to before ``end``.

    Args:
        shape: Of the grid, slowest first.
        begin: Number of a point, counted in the grid's order.
        end: The same; no more than there are points.
    """
    found: list[Tile] = []
    ones = (1,) * len(shape)
    at = begin
    while at < end:
        # The largest block that begins here: whole axes below, and as much as there is of one above.
        axis = len(shape) - 1
        while axis > 0 and at % math.prod(shape[axis:]) == 0 and at + math.prod(shape[axis:]) <= end:
            axis -= 1
        below = math.prod(shape[axis + 1 :])
        where = tuple(int(i) for i in np.unravel_index(at, shape))
        length = min(shape[axis] - where[axis], (end - at) // below)
        extent = (*ones[:axis], length, *shape[axis + 1 :])
        found.append(Tile(row=at - begin, step=1, at=where, extent=extent, stride=ones))
        at += length * below
    return found


def tiles(placed: Placed) -> list[Tile]:
    """Few tiles that together are all frames that have a point, in order of rows where they can be."""
    left = np.arange(placed.rows.size)
    found: list[Tile] = []
    axes = placed.points.shape[1]
    for number, axis in enumerate(reversed(range(axes)), start=1):
        lines, left = _lines(placed, left, axis, alone=number == axes)
        found += lines
    found.sort(key=lambda tile: tile.row)
    for axis in reversed(range(axes)):
        found = _merged(found, axis)
    return found


def _lines(placed: Placed, chosen: Indices, axis: int, *, alone: bool) -> tuple[list[Tile], Indices]:
    """Longest lines along an axis, with a constant step in rows and in the grid.

    Args:
        placed: All frames.
        chosen: Those that are in no tile yet.
        axis: Of the grid.
        alone: Whether a single frame makes a line.

    Returns:
        Lines, and the frames that are in none.
    """
    if not chosen.size:
        return [], chosen
    points, rows = placed.points[chosen], placed.rows[chosen]
    others = np.delete(points, axis, axis=1)
    order = np.lexsort((rows, *others.T))
    same = (np.diff(others[order], axis=0) == 0).all(axis=1)
    ahead = np.diff(points[order, axis])
    down = np.diff(rows[order])
    joined = same & (ahead > 0)
    found: list[Tile] = []
    rest: list[int] = []
    begin, size = 0, order.size
    ones = (1,) * points.shape[1]
    while begin < size:
        end = begin
        while end + 1 < size and joined[end] and (ahead[end], down[end]) == (ahead[begin], down[begin]):
            end += 1
        if end > begin or alone:
            several = end > begin
            found.append(
                Tile(
                    row=int(rows[order[begin]]),
                    step=int(down[begin]) if several else 1,
                    at=tuple(points[order[begin]].tolist()),
                    extent=_with(ones, axis, end - begin + 1),
                    stride=_with(ones, axis, int(ahead[begin]) if several else 1),
                )
            )
        else:
            rest.append(int(order[begin]))
        begin = end + 1
    return found, np.sort(chosen[rest]) if rest else chosen[:0]


def _merged(found: list[Tile], axis: int) -> list[Tile]:
    """Tiles that follow one another in rows and lie side by side along an axis, as one."""
    done: list[Tile] = []
    for tile in found:
        last = done[-1] if done else None
        if last is not None and _continues(last, tile, axis):
            done[-1] = last._replace(extent=_with(last.extent, axis, last.extent[axis] + tile.extent[axis]))
        else:
            done.append(tile)
    return done


def _continues(last: Tile, tile: Tile, axis: int) -> bool:
    # The order of rows is the order of points in a block only if nothing slower than the axis has a length.
    ones = all(t.step == 1 and set(t.stride) == {1} for t in (last, tile))
    flat = all(t.extent[i] == 1 for t in (last, tile) for i in range(axis))
    return (
        ones
        and flat
        and tile.row == last.row + math.prod(last.extent)
        and tile.at == _with(last.at, axis, last.at[axis] + last.extent[axis])
        and tile.extent[axis + 1 :] == last.extent[axis + 1 :]
    )


def _with(values: tuple[int, ...], axis: int, value: int) -> tuple[int, ...]:
    return (*values[:axis], value, *values[axis + 1 :])
