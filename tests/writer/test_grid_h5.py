"""A capture's file as a grid of scan points."""

from __future__ import annotations

from dataclasses import replace

import h5py
import numpy as np
import pytest

from layouts import beamline
from layouts.attributes import AttributeType
from layouts.raw import names
from layouts.raw.grid import Grid
from layouts.raw.mapping import Mapping
from layouts.stream.messages import Codec
from tests.kit.fabricate import acquire, shot
from writer.attribute_messages import Attribute, AttributeValues
from writer.capture_values import PixelFormat
from writer.grid_h5 import FLAT, UNPLACED, Content, publish
from writer.map_file import Part
from writer.meta_h5 import MetaFile, Row
from writer.raw_h5 import RawFiles

ASKED = tuple(
    Attribute(name=name, value_type=AttributeType.INT32, source_type="t", source="SB:" + name, value=0)
    for name in ("ix", "iy")
)


def capture(folder, points, *, rows_per_file=0, missing=()):
    """A capture whose frame i is all i, taken at points[i] = (x, y)."""
    meta = MetaFile(folder / "run_meta.h5", {}, ASKED)
    raw = RawFiles(folder, "run", rows_per_file=rows_per_file)
    raw.start(PixelFormat((2, 3), "uint16", Codec.NONE))
    for i, (x, y) in enumerate(points):
        meta.note(AttributeValues(capture="c", changes=((0, 10 * i + 1, x), (1, 10 * i + 1, y))))
        if i not in missing:
            raw.write(i, np.full((2, 3), i, np.uint16).tobytes())
            meta.write([Row(i, 1, i, 0, 0, 0, 12, 10 * i + 5).packed])
    meta.finish(len(points))
    files = raw.finish(len(points))
    parts = [Part(path, n * rows_per_file, rows) for n, (path, rows) in enumerate(files)]
    return Content(
        grid=Grid(sizes=(1,)), parts=parts, shape=(2, 3), dtype="uint16", meta=meta.path, closed=True
    )


def snake(width, height):
    return [(x if y % 2 == 0 else width - 1 - x, y) for y in range(height) for x in range(width)]


@pytest.mark.parametrize("rows_per_file", [0, 5])
def test_a_snake_scan_becomes_a_picture(tmp_path, rows_per_file):
    points = snake(4, 3)
    content = capture(tmp_path, points, rows_per_file=rows_per_file)
    grid = Grid(sizes=(1, 4, 3), positions=("NDArrayUniqueId_n", "IX", "iy"))
    grid = replace(grid, sizes=(4, 3), positions=("IX", "iy"))
    assert publish(tmp_path / "run.h5", replace(content, grid=grid)) == []
    with h5py.File(tmp_path / "run.h5") as file:
        data = file[names.DATA]
        assert data.shape == (3, 4, 2, 3)
        for row, (x, y) in enumerate(points):
            assert (data[y, x] == row).all()
        assert file[f"{names.DETECTOR}/data"] == data
        assert file[f"{names.ATTRIBUTES}/ix"][()].tolist() == [x for x, _ in points]


def test_columns_have_the_scans_shape_and_indices_their_own(tmp_path):
    points = snake(3, 2)
    content = capture(tmp_path, points)
    grid = Grid(sizes=(3, 2), positions=("ix", "iy"), indexes=("ix", ""), columns=True)
    publish(tmp_path / "run.h5", replace(content, grid=grid))
    with h5py.File(tmp_path / "run.h5") as file:
        group = file[names.ATTRIBUTES]
        assert group["ix"][()].tolist() == [0, 1, 2]
        assert group["iy"][()].tolist() == [[0, 0, 0], [1, 1, 1]]
        assert group["NDArrayUniqueId"][()].tolist() == [[0, 1, 2], [5, 4, 3]]
        assert file[f"{names.DETECTOR}/NDAttributes/ColorMode"].shape == (2, 3)
        assert group["iy"].attrs["NDAttrName"] in (b"iy", "iy")


def test_frames_without_a_point_are_listed(tmp_path):
    content = capture(tmp_path, [(0, 0), (7, 0), (1, 0), (1, 0)], missing=(0,))
    grid = Grid(sizes=(2, 1), positions=("ix", "iy"))
    (said,) = publish(tmp_path / "run.h5", replace(content, grid=grid))
    assert "2 frames" in said
    assert "rows 1, 2" in said
    with h5py.File(tmp_path / "run.h5") as file:
        assert file[UNPLACED][()].tolist() == [1, 2]
        assert file[names.DATA][0, :, 0, 0].tolist() == [65535, 3]


def test_in_order_while_the_frames_still_come(tmp_path):
    content = capture(tmp_path, [(0, 0)] * 6)
    content = replace(content, grid=Grid(sizes=(2, 4)), closed=False)
    assert publish(tmp_path / "run.h5", content) == []
    with h5py.File(tmp_path / "run.h5") as file:
        assert file[names.DATA].shape == (4, 2, 2, 3)
        assert file[names.DATA][..., 0, 0].reshape(-1).tolist() == [*range(6), 65535, 65535]
    publish(tmp_path / "run.h5", replace(content, grid=Grid(sizes=(6,)), closed=True))
    with h5py.File(tmp_path / "run.h5") as file:
        assert file[names.DATA].shape == (6, 2, 3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"meta": None}, "StoreAttr"), ({}, "no attribute nowhere")],
)
def test_positions_that_cannot_be_known_are_said(tmp_path, changes, said):
    content = capture(tmp_path, [(0, 0)] * 2)
    grid = Grid(sizes=(2,), positions=("nowhere",))
    (why, *_) = publish(tmp_path / "run.h5", replace(content, grid=grid, **changes))
    assert said in why
    with h5py.File(tmp_path / "run.h5") as file:
        assert (file[names.DATA][()] == 65535).all()


def striped(folder, rows, mapping, *, missing=()):
    """The same, taken in turns; each frame is all its place."""
    frames = np.arange(rows, dtype=np.uint16)[:, None, None] * np.ones((1, 2, 3), np.uint16)
    taken = shot(
        "EIG1",
        frames,
        missing=missing,
        rows_per_file=mapping.rows_per_file,
        workers=mapping.workers,
        block=mapping.block,
    )
    found = acquire(folder, beamline.load(), [taken]).detectors[0]
    parts, before = [], dict.fromkeys(range(mapping.workers), 0)
    for raw in found.raw_files:
        parts.append(Part(raw.path, mapping.at(raw.worker, before[raw.worker]), raw.rows))
        before[raw.worker] += raw.rows
    return Content(
        grid=Grid(sizes=(1,)),
        parts=parts,
        mapping=mapping,
        shape=(2, 3),
        dtype="uint16",
        meta=found.meta_file,
        closed=True,
    )


@pytest.mark.parametrize(
    "mapping",
    [Mapping(workers=3), Mapping(workers=2, block=5, rows_per_file=3), Mapping(workers=4, block=2)],
    ids=str,
)
def test_frames_that_were_taken_in_turns_fill_the_grid_in_order(tmp_path, mapping):
    content = replace(striped(tmp_path, 23, mapping, missing=(7,)), meta=None, grid=Grid(sizes=(2, 4, 3)))
    assert publish(tmp_path / "run.h5", content) == []
    with h5py.File(tmp_path / "run.h5") as file:
        wanted = [*range(7), 65535, *range(8, 23), 65535]
        assert file[names.DATA].shape == (3, 4, 2, 2, 3)
        assert file[names.DATA][..., 1, 2].reshape(-1).tolist() == wanted
        assert file[FLAT][:, 0, 0].tolist() == wanted[:23]


def test_frames_that_were_taken_in_turns_stand_at_their_positions(tmp_path):
    points = snake(6, 4)
    content = striped(tmp_path, 24, Mapping(workers=2, block=5))
    with h5py.File(content.meta, "r+") as file:
        for axis, name in enumerate(("ix", "iy")):
            file[f"{names.Meta.ATTRIBUTES}/{name}"] = np.array([p[axis] for p in points])
        file.require_group(names.Meta.DETECTOR_ATTRIBUTES)
    content = replace(content, grid=Grid(sizes=(6, 4), positions=("ix", "iy"), columns=True))
    assert publish(tmp_path / "run.h5", content) == []
    with h5py.File(tmp_path / "run.h5") as file:
        for row, (x, y) in enumerate(points):
            assert (file[names.DATA][y, x] == row).all()
        assert file[f"{names.ATTRIBUTES}/ix"][()].tolist() == [list(range(6))] * 4


def test_while_workers_take_turns_the_grid_is_masked(tmp_path):
    content = replace(striped(tmp_path, 8, Mapping(workers=2)), grid=Grid(sizes=(2, 4)), closed=False)
    assert publish(tmp_path / "run.h5", content) == []
    with h5py.File(tmp_path / "run.h5") as file:
        assert file[names.DATA].shape == (4, 2, 2, 3)
        assert (file[names.DATA][()] == 65535).all()
