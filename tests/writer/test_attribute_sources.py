"""From an XML's attributes to PVs, and from readings to values."""

from __future__ import annotations

import pytest

from ioc.circuit import Reading
from ioc.wire import Dbr
from layouts.attributes import AttributesError, AttributeType, NDAttributesStatus, parse
from layouts.beamline import load
from writer.attribute_messages import PerFrame
from writer.attribute_sources import Feed, as_set, attribute, feeds, merged, native, understood, value, wanted
from writer.preview.settings import ROI, Plugin, Settings, Statistics

FEED = Feed(
    prefix="SB:cam1:", parameters={"ACQ_TIME": "AcquireTime_RBV", "ARRAY_COUNTER": "ArrayCounter_RBV"}
)


def sources(*lines: str):
    return parse("<Attributes>" + "".join(f"<A {line}/>" for line in lines) + "</Attributes>")


def one(line: str):
    return wanted(sources(line), FEED)[0]


def test_a_parameter_is_the_record_that_shows_it_whatever_its_case():
    assert one('name="t" type="PARAM" source="acq_time" datatype="DOUBLE"').pv == "SB:cam1:AcquireTime_RBV"


def test_a_pv_is_itself_and_a_constant_has_none():
    assert one('name="x" source="SB:X.RBV"').pv == "SB:X.RBV"
    constant = one('name="c" type="CONST" source="lysozyme"')
    column = attribute(constant, None)
    assert (constant.pv, column.constant, column.value) == ("", True, "lysozyme")
    assert column.source_type == "NDAttrSourceConst"


def test_counters_are_counted_where_the_frames_are():
    counter = one('name="n" type="PARAM" source="ARRAY_COUNTER"')
    assert counter.per_frame is PerFrame.PLACE
    reading = Reading(name=counter.pv, value=40, native=Dbr.LONG)
    assert attribute(counter, reading).value == 40


def test_an_unknown_parameter_is_refused_by_name():
    asked = sources('name="t" type="PARAM" source="NO_SUCH"')
    with pytest.raises(AttributesError, match="attribute t: SB:cam1: has no parameter NO_SUCH") as caught:
        understood(asked, FEED)
    assert caught.value.status is NDAttributesStatus.SYNTAX
    assert understood(sources('name="x" source="A"'), FEED)


def test_of_two_files_with_one_name_the_later_counts():
    first = wanted(sources('name="x" source="A"', 'name="y" source="B"'), FEED)
    second = wanted(sources('name="X" source="C"'), FEED)
    assert [(w.source.name, w.pv) for w in merged([first, second])] == [("y", "B"), ("X", "C")]


@pytest.mark.parametrize(
    ("reading", "kind"),
    [
        (Reading(name="x", value=1.0, native=Dbr.DOUBLE), AttributeType.FLOAT64),
        (Reading(name="x", value="Open", native=Dbr.ENUM, number=1), AttributeType.INT16),
        (Reading(name="x", value="text", native=Dbr.CHAR), AttributeType.STRING),
        (Reading(name="x", value=7, native=Dbr.CHAR), AttributeType.INT8),
        (Reading(name="x", value="text", native=Dbr.STRING), AttributeType.STRING),
        (None, AttributeType.FLOAT64),
    ],
)
def test_a_native_type_is_the_channels(reading, kind):
    assert native(reading) is kind


def test_a_menu_is_its_number_or_its_text():
    reading = Reading(name="x", value="Open", native=Dbr.ENUM, number=1)
    assert value(reading, AttributeType.INT16) == 1
    assert value(reading, AttributeType.STRING) == "Open"


def test_an_array_is_its_first_element_and_a_lost_pv_is_not_known():
    assert value(Reading(name="x", value=[2.5, 3.5], native=Dbr.DOUBLE), AttributeType.FLOAT64) == 2.5
    assert value(Reading(name="x", value=[], native=Dbr.DOUBLE), AttributeType.FLOAT64) is None
    assert value(Reading(name="x", value=1.0, connected=False), AttributeType.FLOAT64) is None


def test_the_file_writers_own_attributes_come_last():
    for detector_feeds in feeds(load()).values():
        assert [f.prefix.rpartition(":")[0].rpartition(":")[2] for f in detector_feeds] == [
            "cam1",
            "Stats1",
            "HDF1",
        ]


STATS = feeds(load())["EIG1"][1]


def statistic(line: str):
    return wanted(sources(line), STATS)[0]


def test_a_statistic_is_computed_of_each_frame_and_its_record_gives_nothing():
    total = statistic('name="sum" type="PARAM" source="total" datatype="DOUBLE"')
    column = attribute(total, Reading(name=total.pv, value=7.0, native=Dbr.DOUBLE))
    assert (column.per_frame, column.statistic) == (PerFrame.STATISTIC, "Total")
    below = statistic('name="low" type="PARAM" source="HIST_BELOW" datatype="INT"')
    assert (below.statistic, below.problem) == ("HistBelow", "")
    assert statistic('name="w" type="PARAM" source="BGD_WIDTH"').per_frame is PerFrame.NOTHING


@pytest.mark.parametrize("datatype", ['datatype="INT"', 'datatype="STRING"', ""])
def test_a_statistic_of_another_type_is_refused_as_it_would_have_no_value(datatype):
    asked = sources(f'name="sum" type="PARAM" source="TOTAL" {datatype}')
    with pytest.raises(AttributesError, match='TOTAL is not of that type; datatype="DOUBLE" is right'):
        understood(asked, STATS)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        (Settings(), ""),
        (Settings(statistics=Statistics(basic=False)), "ComputeStatistics is No"),
        (Settings(stats=Plugin(enabled=False)), "EnableCallbacks of the statistics"),
        (Settings(stats=Plugin(source=ROI)), "EnableCallbacks of the region"),
        (Settings(stats=Plugin(source=ROI), roi=Plugin(hands_on=False)), "ArrayCallbacks of the region"),
        (Settings(stats=Plugin(source=ROI), roi=Plugin()), ""),
    ],
)
def test_what_the_plugin_does_not_compute_keeps_the_value_of_its_record_and_that_is_said(settings, why):
    total = as_set(statistic('name="sum" type="PARAM" source="TOTAL" datatype="DOUBLE"'), settings)
    column = attribute(total, Reading(name=total.pv, value=7.0, native=Dbr.DOUBLE))
    assert why in total.doubt
    assert bool(total.doubt) == bool(why)
    assert (column.per_frame, column.value) == ((PerFrame.NOTHING if why else PerFrame.STATISTIC), 7.0)
