"""What a plan of screens is: which records stand together, in which order, with which look.

A plan is data for a device that is known well. A record that no plan names stands under "More", and a device
without a plan has all of its records there, so that no PV is without a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

WIDTH = 465
"""Pixels of a column: four stand side by side on a monitor."""


class Look(Enum):
    """How a record is shown where its kind does not say enough."""

    AUTO = auto()
    """By its kind: entry, menu, button, light, text."""
    MENU = auto()
    """A menu, where its kind would give a button."""
    READING = auto()
    """As text, also where it could be put."""
    BUTTON = auto()
    """A button that writes 1."""
    HOLD = auto()
    """A button that writes 1 while it is pressed."""
    START_STOP = auto()
    """Two buttons, for 1 and 0."""
    LIGHT = auto()
    """A green light, with the state in words where there is room."""
    WARNING = auto()
    """A light that is red when it is on."""
    BAR = auto()
    """A bar, up to other records' values, or to 100."""
    BITS = auto()
    """A light and a word for each bit."""
    PICTURE = auto()
    """An image."""
    CURVE = auto()
    """A curve over the index."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One record in a line.

    Attributes:
        record: Its name; of several names with ``|`` between them, the first that the table has.
        head: What stands over it where lines have heads.
        text: What stands on its button, or beside its light.
        look: How it is shown.
        width: Pixels; 0 is an equal share of what is left.
    """

    record: str
    head: str = ""
    text: str = ""
    look: Look = Look.AUTO
    width: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of records behind one label."""

    label: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Heads:
    """Words over the columns of the lines that follow."""

    texts: tuple[str, ...]


Entry = str | Line | Heads
"""A line of a group; a str is a pattern of record names, each with a line of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """Records that belong together, under a title."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One display of a device.

    Attributes:
        title: What its button says.
        suffix: What its file name has behind the device's.
        groups: In order, column by column.
        columns: How many columns.
        width: Pixels of a column.
    """

    title: str
    groups: tuple[Group, ...]
    suffix: str = ""
    columns: int = 3
    width: int = WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The screens of one kind of device.

    Attributes:
        file: Stem of the file names.
        title: What it is.
        needs: Records by which a table is known as such a device.
        pages: Its displays.
        labels: Words for records whose names do not say it.
        looks: Looks of records whose kinds do not say it.
        bars: For a bar, records of which the greatest is its full length.
        bits: Words for the bits of a record.
        bare: Records whose units are not shown, because they mean nothing.
        bare_counts: Likewise of all whole numbers.
        line: Its line on the overview, beside others of its kind.
        panel: Its entries on the overview, where there is one of it.
    """

    file: str
    title: str
    needs: frozenset[str]
    pages: tuple[Page, ...]
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    looks: Mapping[str, Look] = field(default_factory=dict[str, Look])
    bars: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    bits: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    bare: frozenset[str] = frozenset()
    bare_counts: bool = False
    line: tuple[Cell, ...] = ()
    panel: tuple[Entry, ...] = ()


def find(plans: Iterable[Plan], records: Iterable[str]) -> Plan | None:
    """The plan of a table, by the records it has; of several, the one that needs most."""
    have = set(records)
    fitting = [plan for plan in plans if plan.needs <= have]
    return max(fitting, key=lambda plan: len(plan.needs), default=None)


def cells(*records: str | Cell) -> tuple[Cell, ...]:
    """Cells that are shown by their kind."""
    return tuple(Cell(record) if isinstance(record, str) else record for record in records)
