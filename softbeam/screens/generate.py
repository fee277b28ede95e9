"""All screens of a beamline: from its record tables to the texts of ``.bob`` files; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layouts.beamline import Beamline
from softbeam.pvs import devices
from softbeam.screens import bob
from softbeam.screens.bob import OpenDisplay
from softbeam.screens.families import Family, group
from softbeam.screens.lines import Made, Table
from softbeam.screens.overview import overview
from softbeam.screens.pages import Block, display, inside
from softbeam.screens.plan_detector import CAM, TRIGGER, TRUTH
from softbeam.screens.plan_health import HEALTH
from softbeam.screens.plan_motor import MOTOR
from softbeam.screens.plan_plugins import IMAGE, ROI, STATS
from softbeam.screens.plan_writer import ACQ, HDF, ODIN
from softbeam.screens.plans import WIDTH, Page

PLANS = (MOTOR, CAM, TRIGGER, TRUTH, HDF, ODIN, STATS, IMAGE, ROI, ACQ, HEALTH)
OVERVIEW = "overview.bob"
_HEIGHT = 800
"""Pixels of the lines in a group of records that no plan names."""
_COLUMNS = 4
_FULL = 1000
"""Height from which a display has no room for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One file.

    Attributes:
        file: Its name.
        text: What is in it.
        devices: Macros of each device that it is for; one set without a macro where it has none.
    """

    file: str
    text: str
    devices: tuple[dict[str, str], ...]


def screens(beamline: Beamline) -> list[Screen]:
    """The overview, then the displays of each kind of device; the same beamline gives the same texts."""
    families = group(beamline.prefix, devices(beamline), PLANS)
    made = [Screen(file=OVERVIEW, text=bob.xml(overview(beamline.name, families)), devices=({},))]
    for family in families:
        macros = tuple(dict(device.macros) for device in family.devices)
        made += [Screen(file=file, text=text, devices=macros) for file, text in pages(family)]
    return made


def pages(family: Family) -> list[tuple[str, str]]:
    """File names and texts of the displays that devices share.

    Args:
        family: The devices; their plan first, then what it does not name.
    """
    table = Table(family.records, family.prefix, family.plan)
    planned = [(page, _blocks(table, page)) for page in (family.plan.pages if family.plan else ())]
    made_of = [(page, blocks) for page, blocks in planned if blocks]
    if left := table.left():
        _place(made_of, table, left, family.title)
    files = [f"{family.file}{page.suffix}.bob" for page, _ in made_of]
    made: list[tuple[str, str]] = []
    for (page, blocks), file in zip(made_of, files, strict=True):
        buttons = [
            OpenDisplay(file=other, text=another.title, target="replace")
            for (another, _), other in zip(made_of, files, strict=True)
            if other != file
        ]
        title = f"{family.title}  {family.prefix.rstrip('.:')}" + (f"  {page.title}" if page.suffix else "")
        shown = display(title, blocks, columns=page.columns, width=page.width, buttons=buttons)
        made.append((file, bob.xml(shown)))
    return made


def _blocks(table: Table, page: Page) -> list[Block]:
    width = inside(page.width)
    made = [
        Block(g.title, tuple(line for entry in g.entries for line in table.make(entry, width)))
        for g in page.groups
    ]
    return [block for block in made if block.lines]


def _place(pages: list[tuple[Page, list[Block]]], table: Table, left: Sequence[str], title: str) -> None:
    """Put what is left on the last page if it has room, else on pages of its own."""
    if pages:
        page, blocks = pages[-1]
        both = [*blocks, *_more(table, left, page.width, "More")]
        if display("", both, columns=page.columns, width=page.width).height <= _FULL:
            pages[-1] = (page, both)
            return
    more = _more(table, left, WIDTH, "More" if pages else title)
    for start in range(0, len(more), _COLUMNS):
        number = start // _COLUMNS + 1
        name = title if not pages else "More" if number == 1 else f"More {number}"
        suffix = "" if not pages else "_more" if number == 1 else f"_more_{number}"
        page = Page(title=name, suffix=suffix, groups=(), columns=_COLUMNS, width=WIDTH)
        pages.append((page, more[start : start + _COLUMNS]))


def _more(table: Table, left: Sequence[str], width: int, title: str) -> list[Block]:
    """Records that no plan names, as groups that fit a display."""
    groups: list[list[Made]] = [[]]
    for name in left:
        for line in table.make(name, inside(width)):
            if sum(one.height for one in groups[-1]) + line.height > _HEIGHT:
                groups.append([])
            groups[-1].append(line)
    return [
        Block(title if not index else f"{title} ({index + 1})", tuple(lines))
        for index, lines in enumerate(groups)
    ]
