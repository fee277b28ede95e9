"""The overview: a line for each motor, detector and writer, the acquisition, buttons to all displays."""

from __future__ import annotations

from collections.abc import Sequence

from softbeam.screens.bob import Box, Display, OpenDisplay
from softbeam.screens.families import Device, Family
from softbeam.screens.lines import LABEL, PAD, PITCH, Made, Table, head_labels, shares
from softbeam.screens.pages import Block, display, inside
from softbeam.screens.plans import Cell
from softbeam.screens.widgets import GAP, HEIGHT, opener

WIDTH = 660
"""Pixels of a column."""
_NAME = 110
_BUTTON = 206


def overview(name: str, families: Sequence[Family]) -> Display:
    """The display that opens all others.

    Args:
        name: The beamline's.
        families: All devices.
    """
    width = inside(WIDTH)
    panels = [_panel(f, d, width) for f in families if f.plan and f.plan.panel for d in f.devices]
    lines = [_lines(f, f.plan.line, width) for f in families if f.plan and f.plan.line]
    others = [(f, d) for f in families if not (f.plan and (f.plan.panel or f.plan.line)) for d in f.devices]
    blocks = [*lines, *panels]
    if others:
        blocks.append(_others(others, width))
    return display(name, blocks, columns=2, width=WIDTH)


def _panel(family: Family, device: Device, width: int) -> Block:
    assert family.plan is not None  # noqa: S101 (the caller has looked)
    table = Table(family.records, device.prefix, family.plan)
    made = [line for entry in family.plan.panel for line in table.make(entry, width)]
    open_it = opener(
        f"Open {device.title}", _target(family, device), Box(PAD + LABEL + GAP, 0, _BUTTON, HEIGHT)
    )
    return Block(family.title, (*made, Made((open_it,), PITCH)))


def _lines(family: Family, cells: tuple[Cell, ...], width: int) -> Block:
    x = PAD + _NAME + GAP
    box = Box(x, 0, width - x - PAD, HEIGHT)
    made = [Made(head_labels(tuple(cell.head for cell in cells), shares(cells, box)), PITCH)]
    for device in family.devices:
        table = Table(family.records, device.prefix, family.plan)
        button = opener(device.name, _target(family, device), Box(PAD, 0, _NAME, HEIGHT))
        made.append(Made((button, *table.cells(cells, box)), PITCH))
    many = len(family.devices) > 1 and not family.title.endswith("s")
    title = f"{family.title}s" if many else family.title
    return Block(title, tuple(made))


def _others(others: Sequence[tuple[Family, Device]], width: int) -> Block:
    across = (width - 2 * PAD + GAP) // (_BUTTON + GAP)
    lines: list[Made] = []
    for start in range(0, len(others), across):
        buttons = [
            opener(
                _capital(device.title),
                _target(family, device),
                Box(PAD + i * (_BUTTON + GAP), 0, _BUTTON, HEIGHT),
            )
            for i, (family, device) in enumerate(others[start : start + across])
        ]
        lines.append(Made(tuple(buttons), PITCH))
    return Block("More", tuple(lines))


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _target(family: Family, device: Device) -> OpenDisplay:
    return OpenDisplay(file=f"{family.file}.bob", text=device.title, macros=device.macros)
