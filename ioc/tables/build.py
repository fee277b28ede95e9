"""Short ways to say a record, so that a table reads as a table.

Setpoints echo and have a readback unless told otherwise; ``shown`` records are read-only and carry their full
name, as the templates' input records do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from ioc.records import Kind, Menu, PvClass, Record, Value

_OUTPUTS = {Kind.LONG: "longout", Kind.ENUM: "mbbo", Kind.DOUBLE: "ao"}
ACTS = PvClass.ACTS
ECHOES = PvClass.ECHOES
READONLY = PvClass.READONLY


def number(
    name: str,
    initial: float = 0.0,
    doc: str = "",
    *,
    does: PvClass = ECHOES,
    rbv: bool = True,
    units: str = "",
    precision: int = 4,
    low: float = 0.0,
    high: float = 0.0,
    rtype: str = "",
) -> Record:
    """A DOUBLE."""
    return Record(
        name=name,
        kind=Kind.DOUBLE,
        initial=float(initial),
        doc=doc,
        pv_class=does,
        readback=rbv and does is not READONLY,
        units=units,
        precision=precision,
        low=low,
        high=high,
        rtype=rtype,
    )


def whole(
    name: str,
    initial: int = 0,
    doc: str = "",
    *,
    does: PvClass = ECHOES,
    rbv: bool = True,
    units: str = "",
    low: float = 0,
    high: float = 0,
    kind: Kind = Kind.LONG,
    rtype: str = "",
) -> Record:
    """A LONG, or a SHORT where told."""
    return Record(
        name=name,
        kind=kind,
        initial=initial,
        doc=doc,
        pv_class=does,
        readback=rbv and does is not READONLY,
        units=units,
        low=low,
        high=high,
        rtype=rtype,
    )


def choice(
    name: str,
    menu: Menu,
    initial: str | None = None,
    doc: str = "",
    *,
    does: PvClass = ECHOES,
    rbv: bool = True,
    readback_menu: Menu | None = None,
    rtype: str = "",
) -> Record:
    """An ENUM; two choices make it a binary record."""
    binary = len(tuple(menu)) == 2
    default = ("bi" if does is READONLY else "bo") if binary else ""
    return Record(
        name=name,
        kind=Kind.ENUM,
        menu=menu,
        initial=initial,
        doc=doc,
        pv_class=does,
        readback=rbv and does is not READONLY,
        readback_menu=readback_menu,
        rtype=rtype or default,
    )


def text(
    name: str,
    initial: str = "",
    doc: str = "",
    *,
    does: PvClass = ECHOES,
    rbv: bool = True,
    length: int = 256,
) -> Record:
    """A long string, a CHAR array on the wire."""
    return Record(
        name=name,
        kind=Kind.TEXT,
        initial=initial,
        length=length,
        doc=doc,
        pv_class=does,
        readback=rbv and does is not READONLY,
    )


def string(
    name: str, initial: str = "", doc: str = "", *, does: PvClass = ECHOES, rbv: bool = True
) -> Record:
    """A string of 39 characters at most."""
    return Record(
        name=name,
        kind=Kind.STRING,
        initial=initial,
        doc=doc,
        pv_class=does,
        readback=rbv and does is not READONLY,
    )


def shown(
    name: str,
    initial: Value,
    doc: str = "",
    *,
    units: str = "",
    precision: int = 4,
    rtype: str = "",
) -> Record:
    """A read-only record of the initial value's type."""
    kinds = {int: Kind.LONG, float: Kind.DOUBLE, str: Kind.STRING}
    length = 1
    if isinstance(initial, list):
        kind = Kind.LONGS if all(isinstance(v, int) for v in initial) else Kind.DOUBLES
        length = len(initial)
    else:
        kind = kinds[type(initial)]
    return Record(
        name=name,
        kind=kind,
        initial=initial,
        length=length,
        doc=doc,
        units=units,
        precision=precision,
        rtype=rtype,
    )


def told(name: str, menu: Menu, initial: str | None = None, doc: str = "", *, rtype: str = "") -> Record:
    """A read-only ENUM."""
    return choice(name, menu, initial, doc, does=READONLY, rtype=rtype)


def said(name: str, initial: str = "", doc: str = "", *, length: int = 256) -> Record:
    """A read-only long string."""
    return text(name, initial, doc, does=READONLY, length=length)


def fault() -> tuple[Record, ...]:
    """What went wrong with the writer itself, and how that is cleared."""
    return (
        said("Fault_RBV", "", "What went wrong with the writer itself, until it is cleared.", length=512),
        choice("ClearFault", ("Done", "Clear"), doc="Forget what is in Fault_RBV.", does=ACTS, rbv=False),
    )


def switched_off(records: Iterable[Record], names: Collection[str]) -> tuple[Record, ...]:
    """Records with those of the names disabled, as a template does with what its device has not.

    They keep their readback, their type and their value, and clients may not put.
    """
    return tuple(
        replace(record, pv_class=READONLY, disabled=True, rtype=record.rtype or _OUTPUTS[record.kind])
        if record.name in names
        else record
        for record in records
    )
