"""Statistics of every frame: the values that the statistics plugin shows, in columns beside the frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import h5py
import numpy as np
import pytest

from layouts.attributes import AttributeType
from layouts.raw.names import Meta
from layouts.stream import codecs
from layouts.stream.messages import Codec
from writer import control
from writer.attribute_messages import Attribute, PerFrame
from writer.capture_files import CaptureFiles
from writer.capture_values import PixelFormat
from writer.frame_statistics import FrameStatistics
from writer.meta_h5 import Row
from writer.preview.pipeline import Frame, Pipeline
from writer.preview.pixels import marked
from writer.preview.settings import ROI, Axis, Plugin, Region, Settings, Statistics
from writer.preview.summary import SWITCH_OF, SWITCHES

RNG = np.random.default_rng(3)
ALL = Statistics(centroid=True, profiles=True, histogram=True, cursor=(2, 3), high=6.0)
PART = Region(x=Axis(start=2, size=6, bin=2), y=Axis(start=1, size=5, reverse=True))
OF_PART = Settings(stats=Plugin(source=ROI), roi=Plugin(), region=PART, statistics=ALL)

UNMASKED = Settings(statistics=replace(ALL, ignore_masked=False))


def frame(dtype: str = "uint16") -> np.ndarray[Any, Any]:
    data = RNG.poisson(3.0, (9, 11)).astype(dtype)
    data[4] = np.iinfo(dtype).max
    data[0, 0] = np.iinfo(dtype).max - 1
    return data


def column(statistic: str, kind: AttributeType = AttributeType.FLOAT64) -> Attribute:
    return Attribute(
        name=statistic.lower(),
        value_type=kind,
        source_type="NDAttrSourceParam",
        source=statistic,
        per_frame=PerFrame.STATISTIC,
        statistic=statistic,
        value=7.0,
    )


@pytest.mark.parametrize("settings", [Settings(statistics=ALL), OF_PART, UNMASKED])
@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_values_are_those_that_the_plugin_shows_of_the_same_frame(settings, codec, dtype):
    data = frame(dtype)
    pipeline = Pipeline(settings)
    pipeline.take(Frame(1, 0, 0.0, marked(data)))
    (shown,) = [result for result in pipeline.work(0.0) if result.plugin == "stats"]
    for asked in (list(SWITCH_OF), *([name] for name in SWITCH_OF)):
        computed = FrameStatistics(asked, settings)
        computed.take(5, PixelFormat(data.shape, dtype, codec), codecs.compress(data, codec))
        for name in asked:
            found = computed.values(name, np.array([5]), AttributeType.FLOAT64)
            assert found.tolist() == [shown.values[name]], (name, asked)


@pytest.mark.parametrize("name", list(SWITCH_OF))
def test_only_what_is_asked_for_is_computed(name, monkeypatch):
    seen: list[Statistics] = []

    def note(_pixels: object, settings: Settings, _names: object) -> dict[str, float]:
        seen.append(settings.statistics)
        return {}

    monkeypatch.setattr("writer.frame_statistics.values_of", note)
    data = frame()
    chunk = codecs.compress(data, Codec.BSLZ4)
    FrameStatistics([name], Settings(statistics=ALL)).take(
        0, PixelFormat(data.shape, "uint16", Codec.BSLZ4), chunk
    )
    switched = {record for record, field in SWITCHES.items() if getattr(seen[0], field)}
    assert switched == {SWITCH_OF[name]}


def order(tmp_path, *columns: Attribute) -> control.Capture:
    return control.Capture(
        capture="c",
        directory=str(tmp_path),
        stem="run",
        detector="EIG1",
        shape=(9, 11),
        dtype="uint16",
        attributes=columns,
        previews=Settings(statistics=ALL),
    )


def test_columns_hold_them_in_whatever_order_frames_come_and_none_for_one_that_is_damaged(tmp_path, caplog):
    files = CaptureFiles(
        order=order(tmp_path, column("Total"), column("HistBelow", AttributeType.INT32)),
        on_added=lambda _added: None,
    )
    frames = {place: frame() for place in (0, 2, 1, 4)}
    files.plan(5)
    for place, data in frames.items():
        files.write(Row(place, 1, place, 0, 0, 0, 1, 1), codecs.compress(data, Codec.BSLZ4))
        if place == 2:
            files.flush()
    damaged = bytearray(codecs.compress(frames[0], Codec.BSLZ4))
    damaged[8:12] = b"\x00\x00\x00\x01"
    files.write(Row(3, 1, 3, 0, 0, 0, 1, 1), bytes(damaged))
    files.finish(6)
    sums = [float(frames[p][frames[p] < 65534].sum()) if p in frames else np.nan for p in range(6)]
    with h5py.File(tmp_path / "run_meta.h5") as file:
        group = file[Meta.ATTRIBUTES]
        assert np.array_equal(group["total"][()], sums, equal_nan=True)
        assert group["histbelow"][()].tolist() == [0, 0, 0, -1, 0, -1]
        assert group["total"].attrs["NDAttrSource"] == b"Total"
    assert caplog.text.count("no statistics") == 1


def test_values_wait_for_rows_that_are_written_later():
    data = frame()
    computed = FrameStatistics(["Total"], Settings())
    for place in range(3):
        computed.take(place, PixelFormat(data.shape, "uint16", Codec.NONE), data.tobytes())
    computed.forget(np.array([0, 2]))
    known = np.isfinite(computed.values("Total", np.arange(3), AttributeType.FLOAT64).astype(float))
    assert known.tolist() == [False, True, False]


def test_a_capture_without_them_looks_at_no_frame(tmp_path):
    files = CaptureFiles(order=order(tmp_path), on_added=lambda _added: None)
    assert files.statistics is None
    files.discard()
