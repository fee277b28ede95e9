"""Lines of a group: a label, then a setpoint and its readback, or the cells that a plan names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from ioc.records import Kind, Record
from softbeam.screens.bob import Align, Box, Widget
from softbeam.screens.plans import Cell, Entry, Heads, Line, Look, Plan
from softbeam.screens.widgets import BIT, GAP, HEIGHT, Shown, label, look_of, show

PITCH = HEIGHT + 3
"""From line to line."""
PAD = 8
LABEL = 164
"""Width of the labels."""
CURVE = 150
"""Height of a curve."""

_ROOM_FOR_UNITS = 140
"""Width of a cell from which a number's units have room beside it."""
_MANY = 32
"""Elements from which an array is drawn."""

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_RBV = "_RBV"
_NO_PLAN = Plan(file="", title="", needs=frozenset(), pages=())
_PICTURE_SIZE = ("ArraySize0_RBV", "ArraySize1_RBV")


@dataclass(frozen=True, slots=True)
class Made:
    """Widgets of one or more lines, from y = 0 on, and their height."""

    widgets: tuple[Widget, ...]
    height: int


class Table:
    """A device's records with their PVs, and which of them have been shown.

    Args:
        records: By PV name behind the prefix.
        prefix: What the PVs begin with, macros or not.
        plan: Labels and looks.
    """

    def __init__(self, records: Mapping[str, Record], prefix: str, plan: Plan | None = None) -> None:
        self.records = records
        self._prefix = prefix
        self._plan = plan or _NO_PLAN
        self._done: set[str] = set()

    def left(self) -> list[str]:
        """Items of which not all has been shown, in the order of the table."""
        return [
            name for name, readback in self._items().items() if not {name, readback or name} <= self._done
        ]

    def make(self, entry: Entry, width: int) -> Iterator[Made]:
        """The lines of an entry.

        Args:
            entry: A pattern of names, or a line of cells. A name is always shown; a pattern with wild cards
                takes what has not been shown yet.
            width: Pixels of the group's inside.

        A record that the table has not is left out.
        """
        match entry:
            case Heads():
                yield self._heads(entry, width)
            case Line():
                if any(self._first(cell.record) for cell in entry.cells):
                    yield self._line(entry, width)
            case str():
                wild = any(sign in entry for sign in "*?[")
                items = self._items()
                names = [n for n in self.left() if fnmatchcase(n, entry)] if wild else [entry]
                for name in names:
                    # A readback stands with its setpoint, where the table has one.
                    item = name if name in items else name.removesuffix(_RBV)
                    if item in items:
                        yield self._item(item, items[item], width)

    def cells(self, cells: tuple[Cell, ...], box: Box) -> list[Widget]:
        """Widgets of cells that share a box; the place of a record that the table has not stays empty."""
        widgets: list[Widget] = []
        for cell, place in zip(cells, _shares(cells, box), strict=True):
            if name := self._first(cell.record):
                self._done.add(name)
                shown = self._shown(name, cell.look, cell.text)
                units = shown.units and place.width >= _ROOM_FOR_UNITS
                widgets += show(replace(shown, units=units), place)
        return widgets

    def _items(self) -> dict[str, str | None]:
        """Names of setpoints and of lone readings, each with its readback."""
        found: dict[str, str | None] = {}
        for name in self.records:
            if not (name.endswith(_RBV) and name.removesuffix(_RBV) in self.records):
                found[name] = f"{name}{_RBV}" if f"{name}{_RBV}" in self.records else None
        return found

    def _first(self, names: str) -> str:
        return next((name for name in names.split("|") if name in self.records), "")

    def _shown(self, name: str, look: Look = Look.AUTO, text: str = "") -> Shown:
        record = self.records[name]
        look = look if look is not Look.AUTO else self._plan.looks.get(name, Look.AUTO)
        full = self._plan.bars.get(name, ()) if look is Look.BAR else ()
        sized = all(size in self.records for size in _PICTURE_SIZE)
        return Shown(
            record=record,
            pv=f"{self._prefix}{name}",
            look=_array_look(name, record) if look is Look.AUTO else look,
            text=text,
            full=tuple(f"{self._prefix}{one}" for one in full if one in self.records),
            bits=self._plan.bits.get(name, ()),
            units=name not in self._plan.bare
            and not (self._plan.bare_counts and record.kind in (Kind.LONG, Kind.SHORT)),
            size=(f"{self._prefix}{_PICTURE_SIZE[0]}", f"{self._prefix}{_PICTURE_SIZE[1]}")
            if sized
            else None,
        )

    def _item(self, name: str, readback: str | None, width: int) -> Made:
        self._done |= {name, readback or name}
        shown = self._shown(name)
        controls = _controls(width)
        if shown.look is Look.PICTURE:
            size = width - 2 * PAD
            return Made(show(shown, Box(PAD, 0, size, size)), size + PITCH - HEIGHT)
        if shown.look in (Look.BITS, Look.CURVE):
            height = BIT * len(shown.bits) or CURVE
            widgets = show(shown, controls._replace(height=height))
            return Made((self._label(name), *widgets), height + PITCH - HEIGHT)
        half = (controls.width - GAP) // 2
        left = controls._replace(width=half)
        right = controls._replace(x=controls.x + controls.width - half, width=half)
        if _long(shown.record):
            widgets = (self._label(name), *show(shown, controls))
            if readback is None:
                return Made(widgets, PITCH)
            below = controls._replace(y=PITCH)
            return Made((*widgets, *show(self._shown(readback), below)), 2 * PITCH)
        if readback is None:
            wide = shown.record.kind in (Kind.STRING, Kind.DOUBLES, Kind.LONGS)
            place = controls if wide else left if shown.record.writable else right
            state = show(replace(shown, look=Look.READING), right) if _pressed(shown) else ()
            return Made((self._label(name), *show(shown, place), *state), PITCH)
        return Made((self._label(name), *show(shown, left), *show(self._readback(readback), right)), PITCH)

    def _readback(self, name: str) -> Shown:
        """Beside its setpoint a choice is shown in words, as it is there."""
        return self._shown(name, Look.READING if self.records[name].kind is Kind.ENUM else Look.AUTO)

    def _label(self, name: str) -> Widget:
        return label(self._plan.labels.get(name) or words(name), Box(PAD, 0, LABEL, HEIGHT))

    def _line(self, line: Line, width: int) -> Made:
        widgets = self.cells(line.cells, _controls(width))
        if line.label:
            widgets.insert(0, label(line.label, Box(PAD, 0, LABEL, HEIGHT)))
        return Made(tuple(widgets), PITCH)

    @staticmethod
    def _heads(heads: Heads, width: int) -> Made:
        places = _shares(tuple(Cell("") for _ in heads.texts), _controls(width))
        return Made(head_labels(heads.texts, places), PITCH)


def head_labels(texts: tuple[str, ...], places: list[Box]) -> tuple[Widget, ...]:
    """Words over columns."""
    return tuple(
        label(text, place, align=Align.CENTER) for text, place in zip(texts, places, strict=True) if text
    )


def shares(cells: tuple[Cell, ...], box: Box) -> list[Box]:
    """Boxes of cells side by side."""
    return _shares(cells, box)


def words(name: str) -> str:
    """A record's name as words: ``AcquirePeriod_RBV`` is Acquire period; fields and short forms stay."""
    found = _WORD.findall(name.removesuffix(_RBV))
    return " ".join(
        [*found[:1], *(word if word.isupper() or word.isdigit() else word.lower() for word in found[1:])]
    )


def _controls(width: int) -> Box:
    x = PAD + LABEL + GAP
    return Box(x, 0, width - x - PAD, HEIGHT)


def _long(record: Record) -> bool:
    return record.kind is Kind.TEXT and look_of(record) is Look.AUTO


def _array_look(name: str, record: Record) -> Look:
    """Pixels are a picture, other long arrays a curve."""
    if record.kind not in (Kind.DOUBLES, Kind.LONGS) or record.length < _MANY:
        return Look.AUTO
    return Look.PICTURE if name == "ArrayData" else Look.CURVE


def _pressed(shown: Shown) -> bool:
    """Whether it is a button that tells its state: what it began is on its way, or done."""
    return shown.record.kind is Kind.ENUM and look_of(shown.record, shown.look) is Look.BUTTON


def _shares(cells: tuple[Cell, ...], box: Box) -> list[Box]:
    open_cells = sum(1 for cell in cells if not cell.width)
    free = box.width - sum(cell.width for cell in cells) - GAP * (len(cells) - 1)
    share = free // open_cells if open_cells else 0
    places: list[Box] = []
    x = box.x
    for cell in cells:
        places.append(box._replace(x=x, width=cell.width or share))
        x += places[-1].width + GAP
    return places
