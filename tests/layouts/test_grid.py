"""Frames in a grid: in order, by their positions, and by how few pieces."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from layouts.raw.grid import DIMENSIONS, Grid, Placed, blocks, by_position, in_order, tiles


def picture(grid: Grid, found, rows: int) -> np.ndarray:
    """The row at each point as HDF5 would map it, -1 where there is none; nothing is mapped twice."""
    filled = np.full(grid.shape, -1)
    for tile in found:
        source = range(tile.row, tile.row + tile.step * int(np.prod(tile.extent)), tile.step)
        assert source[-1] < rows
        axes = [
            range(at, at + stride * count, stride)
            for at, stride, count in zip(tile.at, tile.stride, tile.extent, strict=True)
        ]
        for row, point in zip(source, itertools.product(*axes), strict=True):
            assert filled[point] == -1
            filled[point] = row
    return filled


def placed_as(grid: Grid, placed: Placed) -> np.ndarray:
    filled = np.full(grid.shape, -1)
    for row, point in zip(placed.rows, placed.points, strict=True):
        filled[tuple(point)] = row
    return filled


def positions(grid: Grid, *columns, stored=None) -> Placed:
    arrays = [np.asarray(column) for column in columns]
    there = np.ones(arrays[0].size, bool) if stored is None else np.asarray(stored)
    return by_position(grid, arrays, there)


def snake(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.divmod(np.arange(width * height), width)
    return np.where(y % 2, width - 1 - x, x), y


def test_frames_fill_points_in_order_and_n_runs_fastest():
    grid = Grid(sizes=(2, 3, 4))
    assert grid.shape == (4, 3, 2)
    placed = in_order(grid, 24)
    found = tiles(placed)
    assert len(found) == 1
    np.testing.assert_array_equal(picture(grid, found, 24), np.arange(24).reshape(4, 3, 2))


def test_a_grid_that_is_not_full_takes_a_few_pieces():
    grid = Grid(sizes=(2, 3, 4))
    placed = in_order(grid, 17)
    found = tiles(placed)
    assert len(found) <= 3
    assert (picture(grid, found, 17).reshape(-1) == [*range(17), *[-1] * 7]).all()


def test_frames_beyond_the_grid_have_no_point():
    assert in_order(Grid(sizes=(2,)), 5).wrong.tolist() == [2, 3, 4]


def test_a_snake_takes_as_many_pieces_as_it_is_wide_and_half_as_high():
    x, y = snake(40, 30)
    grid = Grid(sizes=(1, 40, 30), positions=("n", "x", "y"))
    placed = positions(grid, np.zeros_like(x), x, y)
    found = tiles(placed)
    assert len(found) <= 40 + 15
    np.testing.assert_array_equal(picture(grid, found, 1200), placed_as(grid, placed))
    assert not placed.wrong.size


def test_a_frame_with_a_wrong_index_has_no_point():
    grid = Grid(sizes=(1, 4), positions=("n", "x"))
    x = np.array([0.0, 1.0, np.nan, 4.0, -1.0, 3.0])
    placed = positions(grid, np.zeros(6), x)
    assert placed.rows.tolist() == [0, 1, 5]
    assert placed.wrong.tolist() == [2, 3, 4]


def test_of_two_frames_at_one_point_the_later_stands():
    placed = positions(Grid(sizes=(3,), positions=("n",)), [0, 1, 0, 2])
    assert placed.rows.tolist() == [1, 2, 3]
    assert placed.wrong.tolist() == [0]


def test_a_missing_frame_is_neither_placed_nor_wrong():
    placed = positions(Grid(sizes=(3,), positions=("n",)), [0, -1, 2], stored=[True, False, True])
    assert placed.rows.tolist() == [0, 2]
    assert placed.wrong.tolist() == []


def test_positions_that_are_no_numbers_are_wrong():
    placed = positions(Grid(sizes=(3,), positions=("n",)), np.array([b"0", b"open"]))
    assert placed.wrong.tolist() == [0, 1]


@given(
    sizes=st.lists(st.integers(1, 3), min_size=1, max_size=len(DIMENSIONS)),
    data=st.data(),
)
def test_whatever_the_order_every_frame_stands_where_it_says(sizes, data):
    grid = Grid(sizes=tuple(sizes), positions=DIMENSIONS[: len(sizes)])
    inside = st.tuples(*(st.integers(0, size - 1) for size in sizes))
    anywhere = st.tuples(*(st.integers(-1, size) for size in sizes))
    frames = data.draw(st.lists(inside | anywhere, min_size=1, max_size=30))
    count = len(frames)
    placed = positions(grid, *zip(*frames, strict=True))
    assert sorted([*placed.rows, *placed.wrong]) == list(range(count))
    np.testing.assert_array_equal(picture(grid, tiles(placed), count), placed_as(grid, placed))


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), rows=st.integers(0, 80))
def test_in_order_is_the_order_of_points(sizes, rows):
    grid = Grid(sizes=tuple(sizes))
    filled = picture(grid, tiles(in_order(grid, rows)), rows).reshape(-1)
    inside = min(rows, grid.places)
    assert filled.tolist() == [*range(inside), *[-1] * (grid.places - inside)]


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    begin=st.integers(0, 80),
    end=st.integers(0, 80),
)
def test_blocks_of_any_stretch_of_points_are_few_and_right(sizes, begin, end):
    grid = Grid(sizes=tuple(sizes))
    end = min(end, grid.places)
    found = blocks(grid.shape, begin, end)
    filled = picture(grid, found, max(end - begin, 0)).reshape(-1)
    assert filled.tolist() == [i - begin if begin <= i < end else -1 for i in range(grid.places)]
    assert len(found) <= 2 * len(sizes)
