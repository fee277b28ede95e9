"""Regions and images against sums over blocks, pixel by pixel."""

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from writer.preview.pixels import Pixels, add_up, marked
from writer.preview.regions import cut, image, span
from writer.preview.settings import Axis, Region

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
COUNTS = st.one_of(st.integers(0, 20), st.sampled_from([254, 255]))
AXES = st.builds(
    Axis,
    enabled=st.booleans(),
    start=st.integers(-2, 14),
    size=st.integers(-1, 14),
    bin=st.integers(0, 5),
    auto=st.booleans(),
    reverse=st.booleans(),
)


def frames():
    return arrays.arrays(np.uint8, SHAPES, elements=COUNTS)


def block_sum(data: np.ndarray, slow: slice, fast: slice) -> int | None:
    """Sum of a block without its masked pixels; nothing if all are."""
    good = [int(v) for v in data[slow, fast].ravel() if v < 254]
    return sum(good) if good else None


@given(frames(), st.integers(1, 5), st.integers(1, 5))
def test_sums_over_blocks(data, slow, fast):
    found = add_up(data, slow, fast, np.int64)
    assert found.shape == (data.shape[0] // slow, data.shape[1] // fast)
    for row, column in np.ndindex(found.shape):
        block = data[row * slow : (row + 1) * slow, column * fast : (column + 1) * fast]
        assert found[row, column] == block.sum(dtype=int)


@pytest.mark.parametrize(
    ("axis", "taken"),
    [
        (Axis(), (0, 100, 1)),
        (Axis(start=90, size=20), (90, 10, 1)),
        (Axis(start=-5, size=20, bin=3), (0, 20, 3)),
        (Axis(start=200, size=0), (99, 1, 1)),
        (Axis(start=10, size=4, bin=50), (10, 4, 4)),
        (Axis(start=10, size=4, auto=True), (10, 90, 1)),
        (Axis(start=10, size=4, bin=2, enabled=False), (0, 100, 1)),
    ],
)
def test_what_a_region_takes_of_an_axis(axis, taken):
    found = span(axis, 100)
    assert (found.start, found.size, found.bin) == taken


@given(frames(), AXES, AXES)
def test_region(data, x, y):
    found = cut(marked(data), Region(x=x, y=y, dtype="uint32"))
    across, down = span(x, data.shape[1]), span(y, data.shape[0])
    part = data[down.start : down.start + down.size, across.start : across.start + across.size]
    part = part[:: -1 if y.enabled and y.reverse else 1, :: -1 if x.enabled and x.reverse else 1]
    assert found.data.shape == (down.size // down.bin, across.size // across.bin)
    for row, column in np.ndindex(found.data.shape):
        rows = slice(row * down.bin, (row + 1) * down.bin)
        wanted = block_sum(part, rows, slice(column * across.bin, (column + 1) * across.bin))
        masked = found.masked is not None and bool(found.masked[row, column])
        assert masked == (wanted is None)
        assert found.data[row, column] == (2**32 - 1 if wanted is None else wanted)


def test_types_scale_and_values_that_do_not_fit():
    pixels = marked(np.array([[100, 200], [7, 255]], np.uint8))
    assert cut(pixels, Region()).data.dtype == np.uint8
    assert cut(pixels, Region(x=Axis(bin=2))).data.tolist() == [[255], [7]]
    assert cut(pixels, Region(scale=8.0)).data.tolist() == [[12, 25], [0, 255]]
    assert cut(pixels, Region(scale=8.0, dtype="float32")).data[0].tolist() == [12.5, 25.0]
    assert cut(pixels, Region(dtype="int8")).data.tolist() == [[100, 127], [7, 127]]
    for dtype in ("uint64", "int64", "float64", "int16", "int32", "uint16"):
        assert cut(pixels, Region(dtype=dtype)).data[0].tolist() == [100, 200]


@given(frames(), st.integers(1, 40))
def test_image(data, most):
    found, step = image(marked(data), most)
    assert found.dtype == np.int32
    slow, fast = data.shape
    assert found.size <= most or step == min(slow, fast)
    finer = step - 1
    assert step == 1 or (slow // finer) * (fast // finer) > most
    for row, column in np.ndindex(found.shape):
        wanted = block_sum(
            data, slice(row * step, (row + 1) * step), slice(column * step, (column + 1) * step)
        )
        assert found[row, column] == (-1 if wanted is None else wanted)


def test_images_of_the_detectors_there_are():
    for shape, step in (((512, 1028), 2), ((1062, 1028), 3), ((2162, 2068), 5), ((4362, 4148), 9)):
        found, used = image(Pixels(np.zeros(shape, np.uint16)), 262144)
        assert (used, found.size <= 262144) == (step, True)
    big, _ = image(Pixels(np.full((2, 2), 2**32 - 3, np.uint32)), 1)
    assert big.tolist() == [[2**31 - 1]]


@given(frames(), AXES, AXES)
def test_a_single_line_or_column_becomes_a_row_where_that_is_asked_for(data, x, y):
    plain = cut(marked(data), Region(x=x, y=y))
    found = cut(marked(data), Region(x=x, y=y, collapse=True))
    assert found.is_row == (1 in plain.data.shape)
    assert found.data.shape == ((1, plain.data.size) if found.is_row else plain.data.shape)
    assert found.data.ravel().tolist() == plain.data.ravel().tolist()
    assert found.left_out == plain.left_out
    assert not plain.is_row
