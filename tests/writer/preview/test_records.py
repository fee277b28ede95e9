"""What the records of the previews show, and how they hang together."""

import asyncio
import math
from dataclasses import replace

import numpy as np
import pytest

from ioc.records import PutError
from tests.kit.previews import IMAGE, REGION, STATS, with_previews
from writer.preview import stats_records
from writer.preview.settings import CAMERA, ROI, Axis, Region


def spot() -> np.ndarray:
    data = np.zeros((10, 20), np.uint16)
    data[3, 7] = 100
    data[9, 19] = 65535
    return data


def test_a_frame_is_shown():
    async def work(p):
        await p.frame(spot(), 4)
        wanted = {
            "Total_RBV": 100.0,
            "MaxValue_RBV": 100.0,
            "MaxX_RBV": 7.0,
            "MaxY_RBV": 3.0,
            "NumMasked_RBV": 1,
            "UniqueId_RBV": 4,
            "ArrayCounter_RBV": 1,
            "ArrayCounter": 1,
            "ArraySize0_RBV": 20,
            "ArraySize1_RBV": 10,
            "ArraySizeX_RBV": 20,
            "ArraySize_RBV": 400,
            "DataType_RBV": "UInt16",
            "TimeStamp_RBV": 1004.25,
            "EpicsTSSec_RBV": 1004,
            "EpicsTSNsec_RBV": 250_000_000,
            "NDimensions_RBV": 2,
            "CentroidTotal_RBV": 0.0,
        }
        assert {name: p[STATS + name] for name in wanted} == wanted
        assert list(p[f"{STATS}Dimensions_RBV"]) == [20, 10, *[0] * 8]
        assert (p[f"{IMAGE}DataType_RBV"], p[f"{IMAGE}BinX_RBV"]) == ("Int32", 1)
        assert list(p[f"{IMAGE}ArrayData"]) == [-1 if v == 65535 else v for v in spot().ravel()]
        assert p[f"{REGION}MaxSizeX_RBV"] == 20
        assert p[f"{REGION}SizeX_RBV"] == 20
        assert p[f"{REGION}SizeX"] == 1_000_000

    with_previews(work)


def test_profiles_and_histogram_are_those_that_were_asked_for():
    async def work(p):
        await p.put({f"{STATS}Compute{what}": "Yes" for what in ("Centroid", "Profiles", "Histogram")})
        await p.put({f"{STATS}CursorX": 7, f"{STATS}CursorY": 3, f"{STATS}CentroidThreshold": 50.0})
        await p.put({f"{STATS}HistSize": 3, f"{STATS}HistMin": 0.0, f"{STATS}HistMax": 100.0})
        await p.frame(spot())
        assert (p[f"{STATS}CentroidX_RBV"], p[f"{STATS}CentroidY_RBV"]) == (7.0, 3.0)
        assert list(p[f"{STATS}Histogram_RBV"]) == [198.0, 0.0, 1.0]
        assert list(p[f"{STATS}HistogramX_RBV"]) == pytest.approx([0.0, 100 / 3, 200 / 3])
        assert list(p[f"{STATS}ProfileCursorY_RBV"]) == [0, 0, 0, 100, 0, 0, 0, 0, 0, 0]
        assert (p[f"{STATS}ProfileSizeX_RBV"], p[f"{STATS}MaxSizeY"]) == (20, 10)

    with_previews(work)


def test_what_is_switched_off_keeps_its_values():
    async def work(p):
        await p.frame(spot())
        await p.put({f"{STATS}ComputeStatistics": "No"})
        await p.frame(spot() * 0, 1)
        assert (p[f"{STATS}Total_RBV"], p[f"{STATS}UniqueId_RBV"]) == (100.0, 1)

    with_previews(work)


@pytest.mark.parametrize("prefix", [STATS, IMAGE, REGION])
def test_rate_and_least_time_between_frames_are_one(prefix):
    async def work(p):
        await p.put({f"{prefix}MaxArrayRate": 4.0})
        assert (p[f"{prefix}MinCallbackTime_RBV"], p[f"{prefix}MaxArrayRate_RBV"]) == (0.25, 4)
        await p.put({f"{prefix}MinCallbackTime": 0.5})
        assert p[f"{prefix}MaxArrayRate_RBV"] == 2.0
        await p.put({f"{prefix}MaxArrayRate": 0})
        assert p[f"{prefix}MinCallbackTime_RBV"] == 0.0
        await p.put({f"{prefix}QueueSize": 8})
        assert (p[f"{prefix}QueueSize_RBV"], p[f"{prefix}QueueFree"], p[f"{prefix}QueueUse"]) == (8, 8, 0)

    with_previews(work)


def test_the_port_graph():
    async def work(p):
        assert [p[f"{prefix}PortName_RBV"] for prefix in (STATS, IMAGE, REGION)] == [
            "EIG1.STATS",
            "EIG1.IMAGE",
            "EIG1.ROI",
        ]
        assert {p[f"{prefix}NDArrayPort_RBV"] for prefix in (STATS, IMAGE, REGION)} == {"EIG1"}
        await p.put({f"{STATS}NDArrayPort": "EIG1.ROI"})
        assert (p.records.settings.stats.source, p.records.settings.image.source) == (ROI, CAMERA)
        for name, value in ((f"{STATS}NDArrayPort", "EIG2"), (f"{REGION}NDArrayPort", "EIG1.STATS")):
            with pytest.raises(PutError, match="right is EIG1"):
                await p.put({name: value})
        for prefix in (STATS, IMAGE, REGION):
            with pytest.raises(PutError, match="one address"):
                await p.put({f"{prefix}NDArrayAddress": 1})
        assert p[f"{STATS}NDArrayPort_RBV"] == "EIG1.ROI"

    with_previews(work)


def test_a_region():
    async def work(p):
        await p.put({f"{REGION}MinX": 6, f"{REGION}SizeX": 2, f"{REGION}BinY": 2, f"{REGION}ReverseX": "Yes"})
        await p.put({f"{REGION}EnableScale": "Enable", f"{REGION}Scale": 2.0})
        await p.put({f"{REGION}DataTypeOut": "Float64"})
        await p.put({f"{IMAGE}NDArrayPort": "EIG1.ROI", f"{STATS}NDArrayPort": "EIG1.ROI"})
        assert p.records.settings.region == Region(
            x=Axis(start=6, size=2, reverse=True), y=Axis(bin=2), scale=2.0, dtype="float64"
        )
        await p.frame(spot())
        assert (p[f"{REGION}ArraySizeX_RBV"], p[f"{REGION}DataType_RBV"]) == (2, "Float64")
        assert list(p[f"{IMAGE}ArrayData"]) == [0, 0, 50, 0, 0, 0, 0, 0, 0, 0]
        assert (p[f"{STATS}Total_RBV"], p[f"{STATS}ArraySize1_RBV"]) == (50.0, 5)

    with_previews(work)


def test_a_readback_of_a_region_is_what_was_taken_and_the_setpoint_what_was_put():
    async def work(p):
        await p.put({f"{REGION}MinX": 15, f"{REGION}SizeX": 100})
        assert p[f"{REGION}SizeX_RBV"] == 100
        await p.frame(spot())
        assert (p[f"{REGION}SizeX"], p[f"{REGION}SizeX_RBV"]) == (100, 5)
        await p.put({f"{REGION}MinX": 0})
        await p.frame(spot(), 1)
        assert p[f"{REGION}SizeX_RBV"] == 20

    with_previews(work)


def test_frames_that_were_passed_over_are_counted_apart_from_those_that_were_lost():
    async def work(p):
        p.skipped = 7
        await p.frame(spot())
        assert (p[f"{STATS}NumSkipped_RBV"], p[f"{STATS}DroppedArrays_RBV"]) == (7, 0)
        await p.put({f"{STATS}ArrayCounter": 0})
        p.skipped = 9
        await p.frame(spot(), 9)
        assert (p[f"{STATS}NumSkipped_RBV"], p[f"{STATS}ArrayCounter_RBV"]) == (2, 1)
        assert p[f"{IMAGE}NumSkipped_RBV"] == 7  # the image was not due yet
        await p.put({f"{IMAGE}EnableCallbacks": "Disable"})
        await p.records.damaged(1, 12)
        assert (p[f"{STATS}DroppedArrays_RBV"], p[f"{IMAGE}DroppedArrays_RBV"]) == (1, 0)
        await p.put({f"{STATS}DroppedArrays": 0})
        assert p[f"{STATS}DroppedArrays_RBV"] == 0

    with_previews(work)


def test_which_frame_is_shown():
    async def work(p):
        r = p.records
        assert not r.shows(1, 3)
        await p.frame(spot(), 3)
        assert r.shows(1, 3)
        assert not r.shows(1, 4)
        assert not r.shows(2, 0)
        await p.put({f"{IMAGE}MinCallbackTime": 5.0})
        await p.frame(spot(), 4, now=1.0)
        assert r.shows(1, 4)  # who asked for few frames is not waited for
        await p.put({f"{STATS}EnableCallbacks": "Disable", f"{REGION}EnableCallbacks": "Disable"})
        assert r.shows(2, 0)
        await p.put({f"{STATS}EnableCallbacks": "Enable", f"{STATS}NDArrayPort": "EIG1.ROI"})
        assert r.shows(2, 0)  # nothing comes from the region
        await r.damaged(3, 0)
        assert r.shows(3, 0)

    with_previews(work)


def test_a_series_that_is_over_was_shown():
    async def work(p):
        for series in (1, 2):
            await p.frame(spot(), 3, series, now=float(series))
        assert p.records.shows(1, 9)  # its last frames were passed over: they will not come any more
        assert not p.records.shows(2, 9)
        await p.frame(spot(), 0, 1, now=3.0)  # the detector was started anew
        assert not p.records.shows(1, 9)
        assert p.records.shows(2, 9)

    with_previews(work)


def test_reset_goes_on_with_the_next_group():
    async def work(p):
        await p.put({f"{STATS}ComputeCentroid": "Yes", f"{STATS}ComputeHistogram": "Yes"})
        data = spot()
        data[4, 9] = 30
        await p.frame(data)
        groups = ("Total_RBV", "CentroidX_RBV", "HistEntropy_RBV")
        assert all(p[STATS + name] for name in groups)
        await p.put({f"{STATS}Reset2": 1})
        assert [bool(p[STATS + name]) for name in groups] == [True, True, False]
        await p.frame(data, 1)
        await p.put({f"{STATS}Reset1": 1})
        assert [bool(p[STATS + name]) for name in groups] == [True, False, False]
        await p.put({f"{STATS}Reset": 1})
        assert [p[STATS + name] for name in groups] == [0, 0, 0]
        assert [p[f"{STATS}Reset{group}"] for group in ("", "1", "2")] == ["Done"] * 3
        await p.put({f"{STATS}SigmaValue": 3.5})
        assert p[f"{STATS}Sigma_RBV"] == 3.5

    with_previews(work)


def test_time_series_by_the_records_of_today():
    async def work(p):
        await p.put({f"{STATS}TS:TSNumPoints": 2})
        assert p[f"{STATS}TSNumPoints"] == 2
        put = asyncio.create_task(p.put({f"{STATS}TS:TSAcquire": 1}))
        await asyncio.sleep(0)
        await p.frame(spot(), 0)
        assert (p[f"{STATS}TS:TSAcquiring"], p[f"{STATS}TS:TSCurrentPoint"]) == ("Acquiring", 1)
        assert not put.done()
        await p.frame(spot() * 0, 1)
        await asyncio.wait_for(put, 5)
        assert (p[f"{STATS}TS:TSAcquiring"], p[f"{STATS}TS:TSAcquire"]) == ("Done", "Done")
        assert list(p[f"{STATS}TSTotal"]) == [100.0, 0.0]
        assert list(p[f"{STATS}TSMaxX"]) == [7.0, 0.0]
        assert list(p[f"{STATS}TSTimestamp"]) == list(p[f"{STATS}TS:TSTimestamp"]) == [1000.25, 1001.25]

    with_previews(work)


def test_time_series_by_the_records_of_older_versions():
    async def work(p):
        await p.put({f"{STATS}TSControl": "Erase/Start"})
        await p.frame(spot(), 0)
        await p.put({f"{STATS}TSControl": "Stop"})
        await p.frame(spot(), 1)
        assert (p[f"{STATS}TSAcquiring"], p[f"{STATS}TSCurrentPoint"]) == ("Done", 1)
        await p.put({f"{STATS}TSControl": "Start"})
        await p.frame(spot() * 0, 2)
        await p.put({f"{STATS}TSControl": "Read"})
        assert list(p[f"{STATS}TSTotal"]) == [100.0, 0.0]
        await p.put({f"{STATS}TS:TSAcquireMode": "Circ. buffer"})
        assert len(p[f"{STATS}TSTotal"]) == 2048

    with_previews(work)


@pytest.mark.parametrize("command", ["TSRead", "TS:TSRead"])
def test_a_time_series_is_shown_when_it_is_asked_for(command, monkeypatch):
    async def work(p):
        await p.put({f"{STATS}TSControl": "Erase/Start"})
        await p.frame(spot())
        assert (p[f"{STATS}TSCurrentPoint"], list(p[f"{STATS}TSTotal"])) == (1, [])
        await p.put({STATS + command: 1})
        assert (p[STATS + command], list(p[f"{STATS}TSTotal"])) == ("Done", [100.0])

    monkeypatch.setattr(stats_records, "_REFRESH", math.inf)
    with_previews(work)


def test_attributes_of_the_statistics_are_judged_with_their_macros():
    async def work(p):
        wanted = '<Attribute name="Sum" type="PARAM" source="$(WHICH)" datatype="DOUBLE"/>'
        wanted = f"<Attributes>{wanted}</Attributes>"
        with pytest.raises(PutError, match="WHICH"):
            await p.put({f"{STATS}NDAttributesFile": wanted})
        assert p[f"{STATS}NDAttributesStatus"] == "Macro substitution error"
        await p.put({f"{STATS}NDAttributesMacros": "WHICH=TOTAL"})
        await p.put({f"{STATS}NDAttributesFile": wanted})
        assert p[f"{STATS}NDAttributesStatus"] == "Attributes file OK"

    with_previews(work)


def test_every_put_of_the_tables_is_answered():
    """Whatever is there to be put can be put at its own value; what waits is not waited for."""

    async def work(p):
        for device in p.server.devices:
            for name, record in device.records.items():
                if record.writable and name != "TS:TSAcquire":
                    await p.server.put(device.prefix + name, device[name])
        p.pipeline.set(replace(p.records.settings))
        await p.frame(spot())
        assert p[f"{STATS}Total_RBV"] == 100.0

    with_previews(work)
