"""Record templates of ADCore and ADEiger as data, and what a record table lacks against them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ioc.records import Kind, Record

FOLDER = Path(__file__).parent.parent / "interfaces"

KINDS = {
    "ai": Kind.DOUBLE,
    "ao": Kind.DOUBLE,
    "calc": Kind.DOUBLE,
    "calcout": Kind.DOUBLE,
    "dfanout": Kind.DOUBLE,
    "sub": Kind.DOUBLE,
    "bi": Kind.ENUM,
    "bo": Kind.ENUM,
    "busy": Kind.ENUM,
    "mbbi": Kind.ENUM,
    "mbbo": Kind.ENUM,
    "longin": Kind.LONG,
    "longout": Kind.LONG,
    "stringin": Kind.STRING,
    "stringout": Kind.STRING,
}
ARRAYS = {"CHAR": Kind.TEXT, "UCHAR": Kind.TEXT, "LONG": Kind.LONGS, "DOUBLE": Kind.DOUBLES}


@dataclass(frozen=True)
class Template:
    """One record of a template; fields of the database file that were not given are empty."""

    name: str
    rtype: str
    menu: tuple[str, ...]
    fields: Mapping[str, Any]

    @property
    def kind(self) -> Kind | None:
        """Type on the wire; nothing for records whose type no table has."""
        if "FTVL" in self.fields:
            return ARRAYS.get(self.fields["FTVL"])
        return KINDS.get(self.rtype)


def template(name: str) -> dict[str, Template]:
    """Every record of a template: eiger1, eiger2, hdf5, stats, stdarrays, roi or one of Odin's."""
    found = {}
    for line in (FOLDER / f"{name}.jsonl").read_text().splitlines():
        fields = json.loads(line)
        record = Template(fields.pop("name"), fields.pop("rtype", ""), tuple(fields.pop("menu", ())), fields)
        found[record.name] = record
    return found


def differences(table: Mapping[str, Record], records: Mapping[str, Template]) -> Iterator[str]:
    """What of a template a table has not, or has otherwise: one line each."""
    for name, wanted in records.items():
        if name not in table:
            yield f"{name}: missing ({wanted.rtype})"
            continue
        yield from _of_one(table[name], wanted)


def _of_one(record: Record, wanted: Template) -> Iterator[str]:
    name, fields = wanted.name, wanted.fields
    if wanted.kind is not None and record.kind is not wanted.kind:
        yield f"{name}: {record.kind.value}, the template has {wanted.kind.value} ({wanted.rtype})"
        return
    if wanted.menu and record.choices != wanted.menu:
        yield f"{name}: menu {record.choices}, the template has {wanted.menu}"
    if record.kind is Kind.DOUBLE and "PREC" in fields and record.precision != int(fields["PREC"]):
        yield f"{name}: precision {record.precision}, the template has {fields['PREC']}"
    if "EGU" in fields and record.units != fields["EGU"]:
        yield f"{name}: units {record.units!r}, the template has {fields['EGU']!r}"
    if fields.get("NELM", "").isdigit() and int(fields["NELM"]) > 1 and record.length != int(fields["NELM"]):
        yield f"{name}: {record.length} elements, the template has {fields['NELM']}"
    for field, mine in (("DRVH", record.high), ("DRVL", record.low)):
        if field in fields and float(fields[field]) != mine:
            yield f"{name}: {field} {mine:g}, the template has {fields[field]}"
