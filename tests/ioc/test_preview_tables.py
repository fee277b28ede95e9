"""Records of statistics, image and region against ADCore's templates, and against what clients ask for."""

import pytest

from ioc import names
from ioc.channels import rtype
from ioc.records import PvClass, expand
from ioc.tables.array import XML_LENGTH
from ioc.tables.build import shown, whole
from ioc.tables.image import image
from ioc.tables.preview import together
from ioc.tables.roi import roi
from ioc.tables.stats import SERIES, stats
from tests.kit.interfaces import differences, template

TABLES = {"stats": stats, "stdarrays": image, "roi": roi}
OTHERWISE = {
    # The template's unit is a slip: the parameter is bytes per second.
    "MaxByteRate: units 'B/s', the template has 's'",
    "MaxByteRate_RBV: units 'B/s', the template has 's'",
    # More than two attributes do not fit into the template's record; see the file writer's.
    f"NDAttributesFile: {XML_LENGTH} elements, the template has 256",
}
TIME_SERIES = {"TSControl", "TSAcquiring", "TSNumPoints", "TSCurrentPoint", "TSRead"}
"""What ophyd's classes for ADCore before 3.3 ask for; today's are NDTimeSeries' own, behind ``TS:``."""
OURS = {
    "stats": {
        "NumSkipped_RBV",
        "NumMasked_RBV",
        "IgnoreMasked",
        "IgnoreMasked_RBV",
        "NDAttributesMessage_RBV",
    },
    "stdarrays": {"NumSkipped_RBV", "BinX_RBV", "BinY_RBV"},
    "roi": {"NumSkipped_RBV"},
}


@pytest.mark.parametrize("name", TABLES)
def test_every_record_of_the_template_is_there_as_it_has_it(name):
    table, wanted = expand(TABLES[name]()), template(name)
    assert set(differences(table, wanted)) == OTHERWISE
    unlike = {one for one, record in wanted.items() if rtype(table[one]) != record.rtype}
    assert unlike <= {"MaxArrayRate_RBV"}  # calculated there, for it is kept as a time


@pytest.mark.parametrize("name", TABLES)
def test_beyond_the_template_there_is_only_what_clients_ask_for_and_ours(name):
    found = set(expand(TABLES[name]())) - set(template(name))
    beyond = {one for one in found if not one.startswith(("AsynIO.", "TS:"))}
    assert beyond == OURS[name] | {"PoolMaxBuffers"} | (TIME_SERIES if name == "stats" else set())


def test_a_time_series_has_what_the_template_has_of_it():
    assert {f"TS{name}" for name in SERIES} == {name for name in template("stats") if name.startswith("TS")}


@pytest.mark.parametrize("name", TABLES)
def test_what_echoes_says_so(name):
    for record in expand(TABLES[name]()).values():
        assert record.doc.endswith("."), record.name
    table = expand(TABLES[name]())
    for one in ("EnableCallbacks", "NDArrayPort", "MinCallbackTime", "ArrayCounter", "QueueSize"):
        assert table[one].pv_class is PvClass.ACTS
    attributes = {"stats": ()}.get(name, ("NDAttributesFile", "NDAttributesMacros"))
    for one in ("BlockingCallbacks", "NumThreads", "SortMode", *attributes):
        assert table[one].pv_class is PvClass.ECHOES
        assert table[one].doc.startswith("Echoes")


def test_newcomers_see_something():
    for name, table in TABLES.items():
        records = expand(table())
        assert records["EnableCallbacks"].default == "Enable", name
        assert records["NDArrayPort_RBV"].default == "EIG"
    assert expand(stats())["ComputeStatistics_RBV"].default == "Yes"


def test_of_two_records_with_a_name_the_last_stands_where_the_first_stood():
    first = (whole("A", 1), whole("B", 2), shown("C", 3))
    found = together(first, (whole("B", 5), shown("A_RBV", 7)))
    assert [(record.name, record.default) for record in found] == [("A", 1), ("B", 5), ("C", 3)]
    assert set(expand(found)) == {"A", "A_RBV", "B", "B_RBV", "C"}


def test_prefixes():
    assert [f("SB:", "EIG1") for f in (names.stats, names.image, names.roi)] == [
        "SB:EIG1:Stats1:",
        "SB:EIG1:image1:",
        "SB:EIG1:ROI1:",
    ]
    assert [f("BL-", "E", "dls") for f in (names.stats, names.image, names.roi)] == [
        "BL-E:STAT:",
        "BL-E:ARR:",
        "BL-E:ROI:",
    ]
    assert names.port("EIG1") == "EIG1"
    assert names.port("EIG1", "roi") == "EIG1.ROI"
