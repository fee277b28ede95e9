"""What each setting of the previews does: the next frame shows it, so none of them merely echoes."""

import numpy as np
import pytest

from tests.kit.previews import IMAGE, REGION, STATS, with_previews
from writer.preview.settings import ROI

CUT = {
    f"{IMAGE}NDArrayPort": f"EIG1.{ROI.upper()}",
    f"{REGION}MinX": 6,
    f"{REGION}SizeX": 2,
    f"{REGION}MinY": 3,
    f"{REGION}SizeY": 2,
}
"""The image shows two by two pixels: 0 100 in the first line, 0 0 in the second."""
PIXELS, WIDTH, HEIGHT = f"{IMAGE}ArrayData", f"{REGION}ArraySizeX_RBV", f"{REGION}ArraySizeY_RBV"


def spots() -> np.ndarray:
    """Two spots, a count at the rim, and a masked pixel; shape (10, 20)."""
    data = np.zeros((10, 20), np.uint16)
    data[3, 7], data[4, 9], data[0, 5], data[9, 19] = 100, 30, 8, 65535
    return data


def plain(value: object) -> object:
    return list(value) if isinstance(value, np.ndarray | list) else value


@pytest.mark.parametrize(
    ("name", "value", "shown", "before", "after", "given"),
    [
        ("ComputeStatistics", "Yes", "Total_RBV", 0, 138, {"ComputeStatistics": "No"}),
        ("ComputeCentroid", "Yes", "CentroidTotal_RBV", 0, 138, {}),
        ("ComputeProfiles", "Yes", "ProfileSizeX_RBV", 0, 20, {}),
        ("ComputeHistogram", "Yes", "HistAbove_RBV", 0, 1, {"HistMax": 50.0}),
        ("BgdWidth", 0, "Net_RBV", 138 - 8 * 199 / 58, 138, {}),
        ("CentroidThreshold", 50.0, "CentroidTotal_RBV", 138, 100, {"ComputeCentroid": "Yes"}),
        ("CursorX", 7, "CursorVal", 0, 100, {"ComputeProfiles": "Yes", "CursorY": 3}),
        ("CursorY", 3, "CursorVal", 0, 100, {"ComputeProfiles": "Yes", "CursorX": 7}),
        ("IgnoreMasked", "No", "NumMasked_RBV", 1, 0, {}),
    ],
)
def test_what_statistics_are_asked_for_is_what_the_next_frame_shows(name, value, shown, before, after, given):
    async def work(p):
        await p.put({STATS + setting: at_first for setting, at_first in given.items()})
        await p.frame(spots())
        assert p[STATS + shown] == pytest.approx(before)
        await p.put({STATS + name: value})
        await p.frame(spots(), 1)
        assert p[STATS + shown] == pytest.approx(after)

    with_previews(work)


@pytest.mark.parametrize(
    ("name", "value", "shown", "before", "after", "given"),
    [
        ("MinX", 8, PIXELS, [0, 100, 0, 0], [0, 0, 0, 30], {}),
        ("MinY", 4, PIXELS, [0, 100, 0, 0], [0, 0, 0, 0], {}),
        ("SizeX", 4, PIXELS, [0, 100, 0, 0], [0, 100, 0, 0, 0, 0, 0, 30], {}),
        ("SizeY", 1, PIXELS, [0, 100, 0, 0], [0, 100], {}),
        ("BinX", 2, PIXELS, [0, 100, 0, 0], [100, 0], {}),
        ("BinY", 2, PIXELS, [0, 100, 0, 0], [0, 100], {}),
        ("EnableX", "Disable", WIDTH, 2, 20, {}),
        ("EnableY", "Disable", HEIGHT, 2, 10, {}),
        ("AutoSizeX", "Yes", WIDTH, 2, 14, {}),
        ("AutoSizeY", "Yes", HEIGHT, 2, 7, {}),
        ("ReverseX", "Yes", PIXELS, [0, 100, 0, 0], [100, 0, 0, 0], {}),
        ("ReverseY", "Yes", PIXELS, [0, 100, 0, 0], [0, 0, 0, 100], {}),
        ("DataTypeOut", "Float64", f"{REGION}DataType_RBV", "UInt16", "Float64", {}),
        ("EnableScale", "Enable", PIXELS, [0, 100, 0, 0], [0, 25, 0, 0], {"Scale": 4.0}),
        ("Scale", 4.0, PIXELS, [0, 100, 0, 0], [0, 25, 0, 0], {"EnableScale": "Enable"}),
        ("CollapseDims", "Enable", f"{REGION}NDimensions_RBV", 2, 1, {"MinX": 7, "SizeX": 1}),
        ("ArrayCallbacks", "Disable", f"{IMAGE}UniqueId_RBV", 0, 0, {}),
    ],
)
def test_what_a_region_is_told_is_what_the_next_frame_shows(name, value, shown, before, after, given):
    async def work(p):
        await p.put(CUT | {REGION + setting: at_first for setting, at_first in given.items()})
        await p.frame(spots())
        assert plain(p[shown]) == before
        await p.put({REGION + name: value})
        await p.frame(spots(), 1, now=1.0)
        assert plain(p[shown]) == after

    with_previews(work)


@pytest.mark.parametrize("prefix", [STATS, IMAGE, REGION])
@pytest.mark.parametrize(
    ("name", "value", "shown", "before", "after"),
    [
        ("EnableCallbacks", "Disable", "UniqueId_RBV", 0, 0),
        ("MinCallbackTime", 5.0, "UniqueId_RBV", 0, 1),
        ("MaxByteRate", 100.0, "UniqueId_RBV", 0, 1),
        ("ArrayCounter", 40, "ArrayCounter_RBV", 1, 42),
    ],
)
def test_what_a_plugin_is_told_is_what_the_next_two_frames_show(prefix, name, value, shown, before, after):
    async def work(p):
        await p.frame(spots())
        assert p[prefix + shown] == before
        await p.put({prefix + name: value})
        for number in (1, 2):
            await p.frame(spots(), number, now=10.0 + number)
        assert p[prefix + shown] == after

    with_previews(work)


@pytest.mark.parametrize("prefix", [STATS, IMAGE])
def test_a_plugin_takes_the_frames_of_its_port(prefix):
    async def work(p):
        await p.put({f"{REGION}SizeX": 3, f"{IMAGE}MinCallbackTime": 0.0})
        await p.frame(spots())
        assert p[f"{prefix}ArraySize0_RBV"] == 20
        await p.put({f"{prefix}NDArrayPort": p[f"{REGION}PortName_RBV"]})
        await p.frame(spots(), 1)
        assert p[f"{prefix}ArraySize0_RBV"] == 3

    with_previews(work)


@pytest.mark.parametrize("prefix", [STATS, IMAGE, REGION])
def test_commands_are_done_and_said_to_be(prefix):
    async def work(p):
        await p.frame(spots())
        await p.put({f"{prefix}ProcessPlugin": 1})
        await p.work(now=1.0)
        assert (p[f"{prefix}ArrayCounter_RBV"], p[f"{prefix}ProcessPlugin"]) == (2, "Done")
        for enabled in ("Disable", "Enable"):  # what is switched off forgets the frame that it had
            await p.put({f"{prefix}EnableCallbacks": enabled, f"{prefix}ProcessPlugin": 1})
            await p.work(now=2.0)
            assert p[f"{prefix}ArrayCounter_RBV"] == 2
        await p.put({f"{prefix}PreAllocBuffers": 1})
        assert (p[f"{prefix}PreAllocBuffers"], p[f"{prefix}PoolAllocBuffers"]) == ("Done", 0)

    with_previews(work)


@pytest.mark.parametrize("prefix", [STATS, IMAGE, REGION])
def test_lost_frames_are_counted_on_from_what_was_put(prefix):
    async def work(p):
        await p.records.damaged(1, 12)
        assert p[f"{prefix}DroppedArrays_RBV"] == 1
        await p.put({f"{prefix}DroppedArrays": 5})
        await p.records.damaged(1, 13)
        assert (p[f"{prefix}DroppedArrays_RBV"], p[f"{prefix}DroppedArrays"]) == (6, 6)

    with_previews(work)


def test_a_single_column_without_its_dimension_is_a_row_to_all_who_take_it():
    async def work(p):
        await p.put(CUT | {f"{REGION}MinX": 7, f"{REGION}SizeX": 1, f"{REGION}CollapseDims": "Enable"})
        await p.put({f"{STATS}NDArrayPort": f"EIG1.{ROI.upper()}", f"{STATS}ComputeProfiles": "Yes"})
        await p.frame(spots())
        for prefix in (REGION, STATS, IMAGE):
            assert [p[f"{prefix}ArraySize{axis}_RBV"] for axis in "01"] == [2, 0]
            assert list(p[f"{prefix}Dimensions_RBV"]) == [2, *[0] * 9]
            assert p[f"{prefix}NDimensions_RBV"] == 1
        assert list(p[PIXELS]) == list(p[f"{STATS}ProfileAverageX_RBV"]) == [100, 0]
        await p.put({f"{REGION}SizeX": 2})  # with two columns there is none to go away
        await p.frame(spots(), 1, now=1.0)
        assert [p[f"{STATS}ArraySize{axis}_RBV"] for axis in "01"] == [2, 2]

    with_previews(work)
