"""Extra dimensions and PositionMode with the real programs: the file that FullFileName names is the scan."""

from __future__ import annotations

import math
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest

from ioc.client import PutFailedError
from layouts.raw import names
from tests.kit.beamline import running
from tests.kit.stage import Stage, impatient, on_stage
from writer.grid_h5 import UNPLACED

pytestmark = pytest.mark.system

PLAIN = {
    "NDAttributesFile": "",
    "PositionMode": "Off",
    "NumExtraDims": 0,
    "NumRowChunks": 0,
    "NumColChunks": 0,
    "DimAttDatasets": "No",
}
SIZES = {
    "ExtraDimSizeN": 2,
    "ExtraDimSizeX": 3,
    "ExtraDimSizeY": 4,
    "ExtraDimSize3": 5,
    "ExtraDimSize4": 6,
    "ExtraDimSize5": 7,
    "ExtraDimSize6": 8,
    "ExtraDimSize7": 9,
    "ExtraDimSize8": 10,
    "ExtraDimSize9": 11,
}
"""All dimensions there are, the fastest first, each of another size."""
POSITIONS = {
    "PosNameDimN": ("PosIndexDimN", 1),
    "PosNameDimX": ("PosIndexDimX", 2),
    "PosNameDimY": ("PosIndexDimY", 0),
    "PosNameDim3": ("PosIndexDim3", 1),
    "PosNameDim4": ("PosIndexDim4", 1),
    "PosNameDim5": ("PosIndexDim5", 0),
    "PosNameDim6": ("PosIndexDim6", 1),
    "PosNameDim7": ("PosIndexDim7", 2),
    "PosNameDim8": ("PosIndexDim8", 0),
    "PosNameDim9": ("PosIndexDim9", 1),
}
"""Along each of them, where a frame is to stand."""


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(impatient(), tmp_path_factory.mktemp("grid")) as beamline:
        yield beamline


@pytest.fixture
def perform(up):
    """Does something with the beamline; its file plugin is plain again after it."""

    def call(work) -> None:
        async def whole(stage: Stage) -> None:
            try:
                await work(stage)
            finally:
                await put(stage, PLAIN)

        on_stage(up.beamline, up.folder, whole)

    return call


async def put(stage: Stage, values: dict[str, object]) -> None:
    for name, value in values.items():
        await stage.put(f"{stage.hdf}{name}", value)


async def points(stage: Stage, visited: list[tuple[int, int]]) -> Path:
    """A step scan with one frame at each (x, y); the indices are two records that mean nothing else."""
    await put(stage, {"NumCapture": len(visited)})
    capture = stage.capture()
    await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
    for done, (x, y) in enumerate(visited, start=1):
        await put(stage, {"NumColChunks": x, "NumRowChunks": y})
        await stage.put(f"{stage.cam}Acquire", 1)
        if done < len(visited):
            await stage.captured(done)
    await capture
    return Path(await stage.get(f"{stage.hdf}FullFileName_RBV"))


def flat(file: h5py.File, path: Path) -> np.ndarray:
    """Frames as they came, from the raw file."""
    with h5py.File(path.parent / names.raw_file(path.stem, 1)) as raw:
        return raw[names.DATA][()]


async def ask(stage: Stage, name: str) -> None:
    text = "<Attributes>"
    for attribute, source in {"ix": "NumColChunks", "iy": "NumRowChunks"}.items():
        text += f'<Attribute name="{attribute}" source="{stage.hdf}{source}" dbrtype="DBR_LONG"/>'
    text += '<Attribute name="n" type="CONST" source="0"/></Attributes>'
    await stage.set_up(name, 1)
    await put(stage, {"NDAttributesFile": text, "PosNameDimN": "n", "PosNameDimX": "ix", "PosNameDimY": "iy"})
    await put(stage, {"ExtraDimSizeN": 1, "ExtraDimSizeX": 3, "ExtraDimSizeY": 2, "NumExtraDims": 2})


def test_a_snake_scan_is_stored_as_the_picture_it_is(perform):
    visited = [(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1)]

    async def work(stage: Stage) -> None:
        await ask(stage, "snake")
        await put(stage, {"PositionMode": "On", "DimAttDatasets": "Yes"})
        assert await stage.get(f"{stage.hdf}NumCapture_RBV") == 6
        path = await points(stage, visited)
        with h5py.File(path) as file:
            came = flat(file, path)
            data = file[names.DATA]
            assert data.shape == (2, 3, 1, *came.shape[1:])
            for row, (x, y) in enumerate(visited):
                np.testing.assert_array_equal(data[y, x, 0], came[row])
            columns = file[names.ATTRIBUTES]
            assert columns["ix"][..., 0].tolist() == [[0, 1, 2], [0, 1, 2]]
            assert columns["NDArrayUniqueId"][..., 0].tolist() == [[0, 1, 2], [5, 4, 3]]
            assert UNPLACED not in file
        assert await stage.get(f"{stage.hdf}WriteMessage") == ""

    perform(work)


def test_a_wrong_index_costs_no_frame(perform):
    async def work(stage: Stage) -> None:
        await ask(stage, "wrong")
        await put(stage, {"PositionMode": "On"})
        path = await points(stage, [(0, 0), (5, 0), (2, 1)])
        assert "1 frames have no point" in await stage.get(f"{stage.hdf}WriteMessage")
        assert (await stage.counters())["Stored"] == 3
        with h5py.File(path) as file:
            assert file[UNPLACED][()].tolist() == [1]
            assert len(flat(file, path)) == 3

    perform(work)


def test_without_positions_frames_fill_points_in_order(perform):
    async def work(stage: Stage) -> None:
        await stage.set_up("filled", 12)
        await put(stage, {"ExtraDimSizeN": 2, "ExtraDimSizeX": 3, "ExtraDimSizeY": 2, "NumExtraDims": 2})
        assert await stage.get(f"{stage.hdf}NumCapture_RBV") == 12
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        await stage.put(f"{stage.cam}Acquire", 1)
        await capture
        path = Path(await stage.get(f"{stage.hdf}FullFileName_RBV"))
        with h5py.File(path) as file:
            came = flat(file, path)
            np.testing.assert_array_equal(file[names.DATA], came.reshape(2, 3, 2, *came.shape[1:]))

    perform(work)


def test_all_ten_dimensions_have_the_sizes_that_were_put(perform):
    async def work(stage: Stage) -> None:
        await stage.set_up("sizes", 5)
        await put(stage, SIZES | {"NumExtraDims": 9})
        assert await stage.get(f"{stage.hdf}NumCapture_RBV") == math.prod(range(2, 12))
        await put(stage, {"NumCapture": 5})
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        await stage.put(f"{stage.cam}Acquire", 1)
        await capture
        path = Path(await stage.get(f"{stage.hdf}FullFileName_RBV"))
        with h5py.File(path) as file:
            came, data = flat(file, path), file[names.DATA]
            assert data.shape == (*range(11, 1, -1), *came.shape[1:])
            for row in range(5):
                x, n = divmod(row, 2)
                np.testing.assert_array_equal(data[(*[0] * 8, x, n)], came[row])

    perform(work)


def test_a_frame_stands_where_ten_attributes_say_and_each_index_has_its_own_value(perform):
    async def work(stage: Stage) -> None:
        text, settings, at = "<Attributes>", dict[str, object](), list[int]()
        for number, (place, (index, position)) in enumerate(POSITIONS.items()):
            text += f'<Attribute name="p{number}" type="CONST" source="{position}"/>'
            text += f'<Attribute name="i{number}" type="CONST" source="value {number}"/>'
            settings |= {place: f"p{number}", index: f"i{number}"}
            at.append(position)
        sizes = {size: 2 + number % 2 for number, size in enumerate(SIZES)}
        await stage.set_up("placed", 1)
        await put(stage, {"NDAttributesFile": f"{text}</Attributes>", **settings, **sizes, "NumExtraDims": 9})
        await put(stage, {"PositionMode": "On", "DimAttDatasets": "Yes", "NumCapture": 1})
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        await stage.put(f"{stage.cam}Acquire", 1)
        await capture
        path = Path(await stage.get(f"{stage.hdf}FullFileName_RBV"))
        with h5py.File(path) as file:
            np.testing.assert_array_equal(file[names.DATA][tuple(at[::-1])], flat(file, path)[0])
            for number, (size, position) in enumerate(zip(sizes.values(), at, strict=True)):
                by_index = file[names.ATTRIBUTES][f"i{number}"]
                assert by_index.shape == (size,)
                assert by_index.asstr()[position] == f"value {number}"

    perform(work)


def test_numcapture_and_dimensions_follow_one_another(perform):
    async def work(stage: Stage) -> None:
        async def shown(*records: str) -> list[int]:
            return [await stage.get(f"{stage.hdf}{record}_RBV") for record in records]

        await put(stage, {"ExtraDimSizeN": 2, "ExtraDimSizeX": 3, "NumExtraDims": 1})
        assert await shown("NumCapture") == [6]
        await put(stage, {"NumCapture": 100})
        assert await shown("NumCapture") == [6]
        await put(stage, {"NumCapture": 4})
        assert await shown("NumCapture") == [4]
        await put(stage, {"ExtraDimSizeX": 5})
        assert await shown("NumCapture") == [10]
        await put(stage, {"NumCapture": 0})
        assert await shown("NumCapture", "NumExtraDims") == [0, 0]
        await put(stage, {"PositionMode": "On", "NumExtraDims": 1, "NumCapture": 0})
        assert await shown("NumCapture", "NumExtraDims") == [0, 1]
        await put(stage, {"PositionMode": "Off"})
        assert await shown("NumExtraDims") == [0]
        with pytest.raises(PutFailedError):
            await put(stage, {"ExtraDimSizeX": 0})
        assert await shown("ExtraDimSizeX") == [5]

    perform(work)


def test_positions_without_a_name_are_refused(perform):
    async def work(stage: Stage) -> None:
        await stage.set_up("unnamed", 1)
        await put(stage, {"PosNameDimN": "", "PositionMode": "On"})
        with pytest.raises(PutFailedError):
            await put(stage, {"Capture": 1})
        assert "PosNameDimN is empty" in await stage.get(f"{stage.hdf}WriteMessage")

    perform(work)
