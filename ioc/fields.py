"""Fields of the records that we serve: what ``NAME.DESC``, ``NAME.HOPR`` or ``NAME.ZRST`` says.

Pure. Mirrors dbCommon and the record types of EPICS base 7 as far as Channel Access reads them, unsigned
longs as doubles, as its servers do. A field that clients may write acts: on what displays are told, or by
processing the record. The others can be read: nothing here is scanned, linked or simulated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ioc import numbers
from ioc.records import Kind, PvClass, Record, Value
from ioc.tables.motor_menus import PINI, SCANS

WRITABLE = frozenset({"DESC", "EGU", "PREC", "HOPR", "LOPR", "PROC"})
"""Fields that act when they are put."""
STATES = (
    *("NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE", "COS", "COMM", "TIMEOUT"),
    *("HWLIMIT", "CALC", "SCAN", "LINK", "SOFT", "BAD_SUB", "UDF", "DISABLE", "SIMM", "READ_ACCESS"),
    "WRITE_ACCESS",
)
"""menuAlarmStat, whole: as text STAT says all of them, as a menu Channel Access carries the first 16."""
SEVERITIES = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
NO_YES = ("NO", "YES")
_FTYPES = (
    *("STRING", "CHAR", "UCHAR", "SHORT", "USHORT", "LONG", "ULONG", "INT64", "UINT64", "FLOAT", "DOUBLE"),
    "ENUM",
)
_FTVL = {Kind.TEXT: "CHAR", Kind.DOUBLES: "DOUBLE", Kind.LONGS: "LONG"}
_OMSL = ("supervisory", "closed_loop")
_IVOA = ("Continue normally", "Don't drive outputs", "Set output to IVOV")
_LINR = (
    *("NO CONVERSION", "SLOPE", "LINEAR", "typeKdegF", "typeKdegC", "typeJdegF", "typeJdegC"),
    *("typeEdegF(ixe only)", "typeEdegC(ixe only)", "typeTdegF", "typeTdegC", "typeRdegF", "typeRdegC"),
    *("typeSdegF", "typeSdegC"),
)
_PLACES = (
    *("ZR", "ON", "TW", "TH", "FR", "FV", "SX", "SV"),
    *("EI", "NI", "TE", "EL", "TV", "TT", "FT", "FF"),
)
_OUTPUTS = frozenset({"ao", "longout", "bo", "busy", "mbbo", "stringout", "lso"})
_INPUTS = frozenset({"ai", "longin", "bi", "mbbi", "stringin", "lsi", "waveform"})
_RAW = frozenset({"ai", "ao", "bi", "bo", "busy", "mbbi", "mbbo"})
"""Record types that can be simulated below their conversion."""
_NUMBERS = frozenset({"ai", "ao", "longin", "longout", "calc", "calcout", "sub"})
_RTYPES = {
    Kind.DOUBLE: ("ao", "ai"),
    Kind.FLOAT: ("ao", "ai"),
    Kind.CHAR: ("longout", "longin"),
    Kind.LONG: ("longout", "longin"),
    Kind.SHORT: ("longout", "longin"),
    Kind.ENUM: ("mbbo", "mbbi"),
    Kind.STRING: ("stringout", "stringin"),
}


def rtype(record: Record) -> str:
    """Record type, as a real IOC would say."""
    if record.rtype:
        return record.rtype
    return _RTYPES.get(record.kind, ("waveform", "waveform"))[0 if record.writable else 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What of a record's fields changes while it is served.

    Attributes:
        value: VAL.
        severity: Alarm severity.
        status: Alarm status.
        elements: Elements of an array.
    """

    value: object
    severity: int
    status: int
    elements: int


def fields(record: Record, name: str) -> dict[str, Record]:
    """The fields of a record besides VAL.

    Args:
        record: The record.
        name: Its full name.
    """
    kind = rtype(record)
    found = [*_common(record, name, kind)]
    if kind in _NUMBERS:
        found += _limits(record, kind)
    if record.kind is Kind.ENUM:
        found += _choices(record) if kind in ("mbbi", "mbbo") else _states(record)
    if record.kind in _FTVL and kind == "waveform":
        found += _array(record)
    if kind in _OUTPUTS:
        found += (_text("OUT"), _text("DOL"), _menu("OMSL", _OMSL), _menu("IVOA", _IVOA))
    elif kind in _INPUTS:
        found += (_text("INP"),)
    if kind in _OUTPUTS | _INPUTS:
        simulation = (*NO_YES, "RAW") if kind in _RAW else NO_YES
        found += (_text("SIOL"), _text("SIML"), _menu("SIMM", simulation), _menu("SIMS", SEVERITIES))
    return {field.name: field for field in found}


def moving(record: Record, state: State) -> dict[str, Value]:
    """Fields that follow the value and its alarm."""
    found: dict[str, Value] = {
        "SEVR": SEVERITIES[state.severity],
        "STAT": STATES[state.status],
        "UDF": int(STATES[state.status] == "UDF"),
        "NORD": float(state.elements),
    }
    if record.kind is Kind.ENUM:
        found["RVAL"] = float(record.choices.index(str(state.value)))
    elif isinstance(state.value, int | float):
        found |= dict.fromkeys(("LALM", "ALST", "MLST"), state.value)
        if rtype(record) == "ao":
            found["RVAL"] = numbers.to_long(state.value + math.copysign(0.5, state.value))
    return found


def _common(record: Record, name: str, kind: str) -> Iterator[Record]:
    yield _text("NAME", name)
    yield _text("DESC", record.doc)
    yield _text("RTYP", kind)
    yield _menu("SCAN", SCANS)
    yield _menu("PINI", PINI)
    yield _menu("PRIO", ("LOW", "MEDIUM", "HIGH"))
    yield _menu("DTYP", ("Soft Channel",))
    for text in ("ASG", "EVNT", "TSEL", "SDIS", "FLNK", "AMSG", "NAMSG"):
        yield _text(text)
    for short, value in (("PHAS", 0), ("TSE", 0), ("DISV", 1), ("DISA", int(record.disabled))):
        yield _number(short, Kind.SHORT, value)
    for byte in ("PROC", "TPRO", "DISP", "LCNT", "PACT", "PUTF", "RPRO", "UDF"):
        yield _number(byte, Kind.CHAR)
    for severity in ("SEVR", "NSEV", "ACKS", "DISS"):
        yield _menu(severity, SEVERITIES)
    yield _menu("UDFS", SEVERITIES, "INVALID")
    yield _menu("STAT", STATES)
    yield _menu("NSTA", STATES)
    yield _menu("ACKT", NO_YES, "YES")
    yield _number("UTAG", Kind.DOUBLE)


def _limits(record: Record, kind: str) -> Iterator[Record]:
    own = Kind.LONG if kind in ("longin", "longout") else Kind.DOUBLE
    yield _text("EGU", record.units)
    for limit in ("HOPR", "LOPR"):
        yield _number(limit, own, record.high if limit == "HOPR" else record.low, record.precision)
    if kind in _OUTPUTS:
        yield _number("DRVH", own, record.high, record.precision)
        yield _number("DRVL", own, record.low, record.precision)
    for name in ("HIHI", "HIGH", "LOW", "LOLO", "HYST", "ADEL", "MDEL", "LALM", "ALST", "MLST"):
        yield _number(name, own, 0, record.precision)
    for name in ("HHSV", "HSV", "LSV", "LLSV"):
        yield _menu(name, SEVERITIES)
    if own is Kind.LONG:
        return
    yield _number("PREC", Kind.SHORT, record.precision)
    yield _menu("LINR", _LINR)
    for name in ("EGUF", "EGUL", "EOFF", "AOFF"):
        yield _number(name, Kind.DOUBLE, 0, record.precision)
    yield _number("ESLO", Kind.DOUBLE, 1.0, record.precision)
    yield _number("ASLO", Kind.DOUBLE, float(kind == "ai"), record.precision)
    yield _number("ROFF", Kind.DOUBLE)
    yield _number("RVAL", Kind.LONG)


def _states(record: Record) -> Iterator[Record]:
    yield _text("ZNAM", record.choices[0])
    yield _text("ONAM", record.choices[1] if len(record.choices) > 1 else "")
    for name in ("ZSV", "OSV", "COSV"):
        yield _menu(name, SEVERITIES)
    yield _number("RVAL", Kind.DOUBLE)
    yield _number("MASK", Kind.DOUBLE)


def _choices(record: Record) -> Iterator[Record]:
    for index, place in enumerate(_PLACES):
        there = index < len(record.choices)
        yield _text(f"{place}ST", record.choices[index] if there else "")
        yield _number(f"{place}VL", Kind.DOUBLE, float(index if there else 0))
        yield _menu(f"{place}SV", SEVERITIES)
    for name in ("UNSV", "COSV"):
        yield _menu(name, SEVERITIES)
    # Channel Access carries unsigned shorts as longs.
    bits = max(1, (len(record.choices) - 1).bit_length())
    yield _number("NOBT", Kind.LONG, bits)
    yield _number("SHFT", Kind.LONG)
    yield _number("MASK", Kind.DOUBLE, float(2**bits - 1))
    yield _number("RVAL", Kind.DOUBLE)


def _array(record: Record) -> Iterator[Record]:
    yield _text("EGU", record.units)
    yield _number("PREC", Kind.SHORT, record.precision if record.kind is Kind.DOUBLES else 0)
    yield _number("HOPR", Kind.DOUBLE, record.high)
    yield _number("LOPR", Kind.DOUBLE, record.low)
    yield _number("NELM", Kind.DOUBLE, float(record.length))
    yield _menu("FTVL", _FTYPES, _FTVL[record.kind])
    yield _number("NORD", Kind.DOUBLE)
    yield _number("BUSY", Kind.SHORT)
    yield _number("RARM", Kind.SHORT)
    yield _menu("MPST", ("Always", "On Change"))
    yield _menu("APST", ("Always", "On Change"))


def _class(name: str) -> PvClass:
    return PvClass.ACTS if name in WRITABLE else PvClass.READONLY


def _text(name: str, value: str = "") -> Record:
    return Record(name=name, kind=Kind.STRING, initial=value, pv_class=_class(name), rtype="stringin")


def _number(name: str, kind: Kind, value: float = 0, precision: int = 0) -> Record:
    initial = value if kind is Kind.DOUBLE else int(value)
    return Record(
        name=name, kind=kind, initial=initial, precision=precision, pv_class=_class(name), rtype="ai"
    )


def _menu(name: str, menu: tuple[str, ...], value: str = "") -> Record:
    return Record(name=name, kind=Kind.ENUM, menu=menu, initial=value or menu[0], rtype="menu")
