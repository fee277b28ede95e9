"""The PVs of the Channel Access benchmark: one list for our server, a bare caproto IOC and a softIoc."""

from __future__ import annotations

from dataclasses import replace

from ioc.records import Kind, PvClass, Record, expand
from ioc.tables import cam, hdf

PREFIX = "BENCH:"
MOST = 413
"""PVs that dodal's EigerDetector connects; ophyd's has 216 of them."""
COUNTER = "Counter"
LONGS = "Longs"
CHARS = "Chars"
IMAGE = 250_000
"""Elements of the arrays: 1 MB."""
_DATABASE = {
    Kind.DOUBLE: "ao",
    Kind.FLOAT: "ao",
    Kind.LONG: "longout",
    Kind.SHORT: "longout",
    Kind.CHAR: "longout",
    Kind.ENUM: "mbbo",
    Kind.STRING: "stringout",
    Kind.TEXT: "waveform",
    Kind.DOUBLES: "waveform",
    Kind.LONGS: "waveform",
}
_STATES = ("ZR", "ON", "TW", "TH", "FR", "FV", "SX", "SV", "EI", "NI", "TE", "EL", "TV", "TT", "FT", "FF")
_TYPES = {Kind.TEXT: "CHAR", Kind.DOUBLES: "DOUBLE", Kind.LONGS: "LONG"}


def records() -> tuple[Record, ...]:
    """A detector's and its file writer's records, each on its own, and the ones that are measured with."""
    tables = {f"cam1:{n}": r for n, r in expand(cam.cam()).items()}
    tables |= {f"HDF1:{n}": r for n, r in expand(hdf.hdf()).items()}
    plain = [
        replace(record, name=name, readback=False, pv_class=PvClass.ECHOES, rtype="", initial=None)
        for name, record in tables.items()
        if "." not in name
    ][:MOST]
    text = "x" * (4 * IMAGE)
    return (
        *plain,
        Record(name=COUNTER, kind=Kind.LONG, pv_class=PvClass.ECHOES),
        Record(name=LONGS, kind=Kind.LONGS, length=IMAGE, initial=[1] * IMAGE, pv_class=PvClass.ECHOES),
        Record(name=CHARS, kind=Kind.TEXT, length=4 * IMAGE, initial=text, pv_class=PvClass.ECHOES),
    )


def database() -> str:
    """The same as a database for softIoc."""
    return "\n".join(_record(record) for record in records())


def _record(record: Record) -> str:
    fields = {}
    if record.kind is Kind.ENUM:
        fields = {f"{state}ST": choice for state, choice in zip(_STATES, record.choices, strict=False)}
    elif record.kind in _TYPES:
        fields = {"FTVL": _TYPES[record.kind], "NELM": str(record.length)}
    elif record.kind is not Kind.STRING:
        fields = {"EGU": record.units[:15], "PREC": str(record.precision)}
        if record.kind is not Kind.DOUBLE:
            del fields["PREC"]
    said = " ".join(f'field({name}, "{value}")' for name, value in fields.items())
    return f'record({_DATABASE[record.kind]}, "{PREFIX}{record.name}") {{ {said} }}'
