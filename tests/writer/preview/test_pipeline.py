"""Which plugin takes which frame when; no clock but the one handed in."""

from dataclasses import replace

import numpy as np
import pytest

from writer.preview.pipeline import Frame, Pipeline
from writer.preview.pixels import marked
from writer.preview.settings import ROI, Axis, Plugin, Region, Settings, Statistics

OFF = Plugin(enabled=False)
STATS_ONLY = Settings(image=OFF)


def frame(number: int, series: int = 1, shape=(4, 6)) -> Frame:
    return Frame(series, number, 100.0 + number, marked(np.full(shape, number + 1, np.uint16)))


def taken(pipeline: Pipeline, now: float) -> list[tuple[str, int]]:
    return [(result.plugin, result.number) for result in pipeline.work(now)]


def test_every_plugin_that_is_enabled_takes_a_frame_once():
    pipeline = Pipeline(Settings(image=Plugin()))
    assert pipeline.work(0.0) == []
    pipeline.take(frame(0))
    assert taken(pipeline, 0.0) == [("stats", 0), ("image", 0)]
    assert taken(pipeline, 1.0) == []
    assert pipeline.due() is None


def test_who_is_not_due_takes_what_is_the_latest_then():
    pipeline = Pipeline(Settings(image=Plugin(interval=0.1)))
    for number, now in ((0, 0.0), (1, 0.04), (2, 0.08)):
        pipeline.take(frame(number))
        assert ("stats", number) in taken(pipeline, now)
    assert pipeline.due() == pytest.approx(0.1)
    assert taken(pipeline, 0.09) == []
    assert taken(pipeline, 0.1) == [("image", 2)]


def test_bytes_per_second():
    pipeline = Pipeline(Settings(stats=OFF, image=Plugin(rate=960.0)))
    pipeline.take(frame(0))  # 24 pixels of int32
    assert taken(pipeline, 0.0) == [("image", 0)]
    pipeline.take(frame(1))
    assert pipeline.due() == pytest.approx(0.1)


def test_nothing_is_wanted_when_all_are_disabled():
    pipeline = Pipeline(Settings(roi=OFF, stats=OFF, image=OFF))
    assert not pipeline.wanted
    pipeline.take(frame(0))
    assert taken(pipeline, 0.0) == []


def test_what_is_switched_on_begins_with_the_next_frame():
    pipeline = Pipeline(Settings(stats=OFF, image=OFF))
    pipeline.take(frame(0))
    pipeline.set(STATS_ONLY)
    assert taken(pipeline, 0.0) == []
    pipeline.take(frame(1))
    assert taken(pipeline, 0.0) == [("stats", 1)]


def test_process_takes_the_latest_frame_again_though_not_enabled():
    pipeline = Pipeline(Settings(stats=OFF, image=OFF))
    pipeline.take(frame(3))
    pipeline.set(Settings(stats=replace(OFF, again=1), image=OFF))
    assert taken(pipeline, 0.0) == [("stats", 3)]
    assert taken(pipeline, 0.0) == []


def test_a_chain_through_the_region():
    region = Region(x=Axis(start=1, size=2), y=Axis(bin=2))
    settings = Settings(roi=Plugin(), stats=Plugin(source=ROI), image=OFF, region=region)
    pipeline = Pipeline(settings)
    pipeline.take(frame(4))
    cut, counted = pipeline.work(0.0)
    assert (cut.shape, cut.dtype) == ((2, 2), "uint16")
    assert cut.values == {
        "MaxSizeX": 6,
        "MinX": 1,
        "SizeX": 2,
        "BinX": 1,
        "MaxSizeY": 4,
        "MinY": 0,
        "SizeY": 4,
        "BinY": 2,
    }
    assert (counted.shape, counted.number) == ((2, 2), 4)
    assert counted.values["Total"] == 2 * 4 * 5


def test_a_region_that_hands_nothing_on():
    for roi in (OFF, Plugin(hands_on=False)):
        pipeline = Pipeline(Settings(roi=roi, stats=Plugin(source=ROI), image=OFF))
        pipeline.take(frame(0))
        assert "stats" not in [name for name, _ in taken(pipeline, 0.0)]


def test_what_is_not_asked_for_is_not_computed():
    pipeline = Pipeline(replace(STATS_ONLY, statistics=Statistics(basic=False)))
    pipeline.take(frame(0))
    (result,) = pipeline.work(0.0)
    assert (result.values, result.arrays) == ({"NumMasked": 0}, {})


def test_profiles_alone_are_profiles_through_the_centroid():
    pipeline = Pipeline(replace(STATS_ONLY, statistics=Statistics(basic=False, profiles=True, cursor=(0, 0))))
    data = np.zeros((5, 7), np.uint16)
    data[3, 2] = 9
    pipeline.take(Frame(1, 0, 0.0, marked(data)))
    (result,) = pipeline.work(0.0)
    assert set(result.values) == {"NumMasked", "CursorVal", "ProfileSizeX", "ProfileSizeY"}
    assert result.arrays["ProfileCentroidX"].tolist() == [0, 0, 9, 0, 0, 0, 0]
    assert result.arrays["ProfileAverageY"].tolist() == pytest.approx([0, 0, 0, 9 / 7, 0])
    assert all(array.flags.c_contiguous for array in result.arrays.values())


def test_masked_pixels_count_where_that_is_asked_for():
    data = np.full((3, 3), 2, np.uint8)
    data[1, 1] = 255
    for ignore, total, masked in ((True, 16, 1), (False, 271, 0)):
        pipeline = Pipeline(replace(STATS_ONLY, statistics=Statistics(ignore_masked=ignore)))
        pipeline.take(Frame(1, 0, 0.0, marked(data)))
        (result,) = pipeline.work(0.0)
        assert (result.values["Total"], result.values["NumMasked"]) == (total, masked)


def test_damaged_or_missing_frames_do_not_stop_a_new_series():
    pipeline = Pipeline(STATS_ONLY)
    pipeline.take(frame(9))
    assert taken(pipeline, 0.0) == [("stats", 9)]
    pipeline.take(frame(0, series=2))
    assert taken(pipeline, 0.0) == [("stats", 0)]
