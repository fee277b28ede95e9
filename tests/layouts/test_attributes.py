"""NDAttributes XML: what is understood, what is refused, and with which status."""

from __future__ import annotations

import pytest

from ioc.tables.cam import cam
from layouts.attributes import (
    AttributesError,
    AttributeSource,
    AttributeType,
    NDAttributesStatus,
    SourceType,
    load,
    parse,
)

FULL = """<?xml version="1.0" standalone="no" ?>
<!-- Attributes -->
<Attributes xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Attribute name="Omega" type="EPICS_PV" source="$(P)MOT:OMEGA.RBV" dbrtype="DBR_DOUBLE" description="axis"/>
  <Attribute name="Gain" type="PARAM" source="GAIN" datatype="double" addr="0x2"/>
  <Attribute name="Crystal" type="CONST" source="lysozyme"/>
  <Attribute name="Native" source="SB:X"/>
</Attributes>"""


def wrong(text: str, macros: str = "") -> AttributesError:
    with pytest.raises(AttributesError) as caught:
        load(text, macros)
    return caught.value


def test_every_kind_is_understood_in_the_order_of_the_text():
    omega, gain, crystal, native = parse(FULL, "P=SB:")
    assert omega == AttributeSource(
        name="Omega",
        type=SourceType.EPICS_PV,
        source="SB:MOT:OMEGA.RBV",
        value_type=AttributeType.FLOAT64,
        description="axis",
    )
    assert (gain.type, gain.source, gain.value_type, gain.addr) == (
        SourceType.PARAM,
        "GAIN",
        AttributeType.FLOAT64,  # in lower case ADCore stores NaN without a word
        2,
    )
    assert (crystal.type, crystal.source, crystal.value_type) == (
        SourceType.CONST,
        "lysozyme",
        AttributeType.STRING,
    )
    assert (native.type, native.value_type) == (SourceType.EPICS_PV, None)


def test_what_ophyd_async_writes_is_understood():
    (one,) = load(
        '<Attributes><Attribute name="eig-sum" type="PARAM" source="TOTAL" addr="0" datatype="DOUBLE" '
        'description="a &amp; b" /></Attributes>'
    )
    assert (one.name, one.source, one.value_type, one.description) == (
        "eig-sum",
        "TOTAL",
        AttributeType.FLOAT64,
        "a & b",
    )


def test_nothing_asked_for_is_nothing_stored():
    assert load("") == load("  ") == load("<Attributes/>") == ()


def test_a_file_is_read_and_its_absence_said(tmp_path):
    file = tmp_path / "attributes.xml"
    file.write_text(FULL)
    assert [one.name for one in load(str(file), "P=SB:")] == ["Omega", "Gain", "Crystal", "Native"]
    error = wrong(str(tmp_path / "none.xml"))
    assert error.status is NDAttributesStatus.NOT_FOUND
    assert "No such file" in str(error)
    assert wrong(str(tmp_path)).status is NDAttributesStatus.NOT_FOUND
    assert wrong("a\0b").status is NDAttributesStatus.NOT_FOUND


def test_of_two_with_one_name_the_later_counts():
    (one,) = parse('<Attributes><A name="x" source="A"/><A name="X" source="B"/></Attributes>')
    assert (one.name, one.source) == ("X", "B")


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ('<Attribute source="A"/>', "without a name"),
        ('<Attribute name="a"/>', "attribute a: no source"),
        ('<Attribute name="a/b" source="A"/>', "cannot be the name"),
        ('<Attribute name="NDArrayUniqueId" source="A"/>', "stored of every frame"),
        ('<Attribute name="a" type="FUNCTION" source="f"/>', "take type EPICS_PV"),
        ('<Attribute name="a" type="epics_pv" source="A"/>', "EPICS_PV, PARAM or CONST"),
        ('<Attribute name="a" source="A" dbrtype="DOUBLE"/>', "dbrtype 'DOUBLE'"),
        ('<Attribute name="a" type="PARAM" source="A" datatype="float"/>', "INT, INT64, DOUBLE or STRING"),
        ('<Attribute name="a" type="PARAM" source="A" addr="x"/>', "addr 'x'"),
        ('<Attribute name="a" source="A">', "mismatched tag"),
        ("<Attribute name=a/>", "column"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(inside, said):
    error = wrong(f"<Attributes>\n{inside}\n</Attributes>")
    assert error.status is NDAttributesStatus.SYNTAX
    assert said in str(error)
    assert "line 2" in str(error) or "line 3" in str(error)


def test_another_root_is_refused():
    assert "<Attributes> is right" in str(wrong("<hdf5_layout/>"))


@pytest.mark.parametrize(
    "declared",
    ['<!ENTITY a "aaaa">', '<!ENTITY % a "aaaa">', '<!ENTITY a SYSTEM "file:///etc/passwd">'],
)
def test_entities_are_refused_before_they_grow(declared):
    error = wrong(f'<!DOCTYPE x [{declared}]><Attributes><A name="a" source="&a;"/></Attributes>')
    assert error.status is NDAttributesStatus.SYNTAX
    assert "entity" in str(error)


def test_macros_are_filled_in_as_maclib_does():
    text = '<Attributes><A name="a" source="$(P)${M}.$(F=RBV)$(Q)"/></Attributes>'
    (one,) = parse(text, "P=SB:, M=$(P)X , Q='a,b'")
    assert one.source == "SB:SB:X.RBVa,b"


@pytest.mark.parametrize("macros", ["", "R=1", "P", "=1", "P=$(P)"])
def test_macros_without_a_value_are_refused(macros):
    error = wrong('<Attributes>\n<A name="a" source="$(P)X"/></Attributes>', macros)
    assert error.status is NDAttributesStatus.MACROS
    assert "NDAttributesMacros" in str(error)


def test_a_text_without_end_is_refused():
    assert "characters" in str(wrong("<Attributes>" + " " * (1 << 20) + "</Attributes>"))


def test_the_states_are_the_records_menu():
    record = next(r for r in cam() if r.name == "NDAttributesStatus")
    assert record.menu == tuple(NDAttributesStatus)
