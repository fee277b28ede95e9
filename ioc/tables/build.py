"""Short ways to say a record, so that a table reads as a table.

Setpoints echo and have a readback unless told otherwise; ``shown`` records are read-only and carry their full
name, as the templates' input records do.
"""

from __future__ import annotations

from ioc.records import Kind, Menu, PvClass, Record, Value

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


def shown(name: str, initial: Value, doc: str = "", *, units: str = "", precision: int = 4) -> Record:
    """A read-only record of the initial value's type."""
    if isinstance(initial, list):
        whole_numbers = all(isinstance(v, int) for v in initial)
        kind = Kind.LONGS if whole_numbers else Kind.DOUBLES
        return Record(name=name, kind=kind, initial=initial, length=len(initial), doc=doc, units=units)
    kinds = {int: Kind.LONG, float: Kind.DOUBLE, str: Kind.STRING}
    return Record(
        name=name, kind=kinds[type(initial)], initial=initial, doc=doc, units=units, precision=precision
    )


def told(name: str, menu: Menu, initial: str | None = None, doc: str = "") -> Record:
    """A read-only ENUM."""
    return choice(name, menu, initial, doc, does=READONLY)


def said(name: str, initial: str = "", doc: str = "", *, length: int = 256) -> Record:
    """A read-only long string."""
    return text(name, initial, doc, does=READONLY, length=length)
