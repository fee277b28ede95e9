"""The motor table against motorRecord.dbd (motor module, April 2026) and dbCommon of EPICS base 7.

``tests/interfaces/motor.jsonl`` has what they say of each field: type, menu, whether clients may put
(``nomod``), and whether a put processes the record (``pp``).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from ioc.records import Kind, PvClass, expand
from ioc.tables.motor import motor, units_of
from sim.motor_puts import processes

FILE = Path(__file__).parent.parent / "interfaces/motor.jsonl"
FIELDS: dict[str, dict[str, Any]] = {
    field["name"]: field for field in map(json.loads, FILE.read_text().splitlines())
}
HIDDEN = {name for name, field in FIELDS.items() if field["type"] == "DBF_NOACCESS"}
"""Channel Access cannot read these."""
KINDS = {
    "DBF_DOUBLE": Kind.DOUBLE,
    "DBF_FLOAT": Kind.FLOAT,
    "DBF_LONG": Kind.LONG,
    "DBF_ULONG": Kind.DOUBLE,
    "DBF_UINT64": Kind.DOUBLE,
    "DBF_SHORT": Kind.SHORT,
    "DBF_USHORT": Kind.LONG,
    "DBF_UCHAR": Kind.CHAR,
    "DBF_MENU": Kind.ENUM,
    "DBF_DEVICE": Kind.ENUM,
    "DBF_STRING": Kind.STRING,
    "DBF_INLINK": Kind.STRING,
    "DBF_OUTLINK": Kind.STRING,
    "DBF_FWDLINK": Kind.STRING,
}
"""How Channel Access carries the types of a database."""
TABLE = expand(motor("mm", 3, "a motor"))
CA_CHOICES = 16


def test_every_field_is_there_and_no_other() -> None:
    # RTYP is no field of the database but every IOC answers it.
    assert set(TABLE) == set(FIELDS) - HIDDEN | {"RTYP"}


@pytest.mark.parametrize("name", sorted(set(FIELDS) - HIDDEN))
def test_type_menu_and_access(name: str) -> None:
    record, field = TABLE[name], FIELDS[name]
    assert record.kind is KINDS[field["type"]]
    if "menu" in field:
        assert list(record.choices) == field["menu"][:CA_CHOICES]
    assert record.writable is not field.get("nomod", False)
    assert record.rtype == "motor"
    if record.writable and record.pv_class is PvClass.ACTS:
        assert processes(name) is field.get("pp", False)


@pytest.mark.parametrize(
    "name", ["ACCU", "DMOV", "FRAC", "LSPG", "NTM", "NTMF", "RMOD", "RSTM", "RTRY", "SPMG"]
)
def test_what_the_database_definition_begins_with(name: str) -> None:
    initial = FIELDS[name]["initial"]
    record = TABLE[name]
    if record.kind is not Kind.ENUM:
        assert float(str(record.default)) == float(initial)
    else:
        assert record.default == (record.choices[int(initial)] if initial.isdigit() else initial)


@pytest.mark.parametrize(
    ("field", "units"),
    [
        ("VAL", "mm"),
        ("VELO", "mm/sec"),
        ("JAR", "mm/s/s"),
        ("ACCL", "sec"),
        ("S", "rev/sec"),
        ("UREV", "mm/rev"),
    ],
)
def test_units(field: str, units: str) -> None:
    assert TABLE[field].units == units


def test_units_are_cut_as_channel_access_does() -> None:
    assert units_of("SREV", "mm") == "steps/r"
    assert TABLE["DMOV"].units == "mm"


def test_decimals() -> None:
    assert {r.precision for n, r in TABLE.items() if r.kind is Kind.DOUBLE} == {3}
    assert TABLE["VERS"].precision == 2
