"""The camera's records against the templates of ADCore and ADEiger, and against what clients ask for."""

import pytest

from ioc.array_values import dimensions, plane
from ioc.channels import rtype
from ioc.records import Kind, PvClass, expand
from ioc.tables.array import XML_LENGTH
from ioc.tables.cam import cam
from tests.kit.interfaces import differences, template

GENERATIONS = ("eiger1", "eiger2")
ASKED_FOR = {
    "DCUBufferFree_RBV",
    "FWClear",
    "FileNumber_Sync",
    "FileNumber_write",
    *(f"Link{n}_RBV" for n in range(4)),
    "PoolMaxBuffers",
    "StaleParameters_RBV",
    "TriggerExposure",
    "TriggerExposure_RBV",
}
"""What ophyd and dodal ask of a camera that today's templates do not have."""


LONGER = f"NDAttributesFile: {XML_LENGTH} elements, the template has 256"
"""More than two attributes do not fit into the template's record, and clients write XML with dozens."""


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_record_of_the_templates_is_there_as_they_have_it(generation):
    table, wanted = expand(cam(generation)), template(generation)
    assert list(differences(table, wanted)) == [LONGER]
    assert [(n, rtype(table[n]), t.rtype) for n, t in wanted.items() if rtype(table[n]) != t.rtype] == []


@pytest.mark.parametrize("generation", GENERATIONS)
def test_beyond_the_templates_there_is_only_what_clients_ask_for(generation):
    table, wanted = expand(cam(generation)), template(generation)
    more = {name for name in table.keys() - wanted.keys() if not name.startswith("AsynIO.")}
    assert more | {name for name in ASKED_FOR if name in wanted} == ASKED_FOR


def test_generations_differ_in_menus_and_records():
    first, second = expand(cam("eiger1")), expand(cam("eiger2"))
    assert len(first["TriggerMode"].choices) == 5
    assert second["TriggerMode_RBV"].choices[5] == "External Gate"
    assert first["StreamHdrDetail"].choices == tuple(reversed(second["StreamHdrDetail"].choices))
    assert "None" not in first["CompressionAlgo_RBV"].choices
    assert "HVReset" not in first
    assert "Threshold2Energy" in second


@pytest.mark.parametrize("name", ["BinX", "MinY", "SizeX", "ReverseY", "DataType", "ColorMode"])
def test_what_an_eiger_has_not_is_disabled_and_not_put(name):
    table = expand(cam())
    for pv in (table[name], table[f"{name}_RBV"]):
        assert pv.disabled
        assert not pv.writable


def test_every_pv_says_what_it_is():
    for record in expand(cam()).values():
        assert record.doc.endswith(".")
        if record.pv_class is PvClass.ECHOES and not record.name.startswith(("AsynIO", "File")):
            assert "echoes" in record.doc.lower() or record.name in ECHOES_OF_FILES, record.name


ECHOES_OF_FILES = {
    "NumPreAllocBuffers",
    "AutoIncrement",
    "AutoSave",
    "NumCapture",
    "Capture",
    "WriteFile",
    "ReadFile",
    "LazyOpen",
    "DeleteDriverFile",
    "FreeCapture",
    "TempSuffix",
    "CreateDirectory",
}
"""NDFile's records, which a camera has as well; the file writer's are those that act."""


def test_sizes_follow_from_dimensions():
    found = plane(1028, 512, 16)
    assert found["Dimensions_RBV"] == [1028, 512, *[0] * 8]
    assert (found["ArraySize0_RBV"], found["ArraySize1"], found["ArraySize2_RBV"]) == (1028, 512, 0)
    assert (found["Dim0SA"], found["Dim9SA_RBV"]) == ([1028], [0])
    assert (found["ArraySizeX_RBV"], found["ArraySize_RBV"], found["NDimensions_RBV"]) == (1028, 1052672, 2)
    empty = plane(0, 0, 32)
    assert {v for k, v in empty.items() if k.startswith("ArraySize")} == {0}
    table = expand(cam())
    assert found.keys() <= table.keys()
    assert all(table[name].kind is Kind.LONGS for name in dimensions(()) if "SA" in name)
