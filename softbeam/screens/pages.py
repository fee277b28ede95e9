"""From groups of lines to a display: columns of groups of much the same height, under a title."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from softbeam.screens import bob
from softbeam.screens.bob import Box, Color, Display, Font, OpenDisplay, Property, Type, Widget
from softbeam.screens.lines import PAD, Made
from softbeam.screens.widgets import label, opener

MARGIN = 10
_TOP = 56
"""Height of the title."""
_BUTTON = 120
_NAME = 420
"""Pixels that a title needs, macros resolved."""
_HEADER = Font("Header 1", "BOLD", 22)
_GROUP = Font("Default Bold", "BOLD", bob.TITLE_FONT)
_BAR = Color(52, 84, 117)
_WHITE = Color(255, 255, 255)
_PAPER = Color(248, 249, 250)


@dataclass(frozen=True, slots=True)
class Block:
    """A group that is made: a title and its lines."""

    title: str
    lines: tuple[Made, ...]

    @property
    def height(self) -> int:
        """Pixels with title and border."""
        return sum(line.height for line in self.lines) + bob.TITLE_HEIGHT + 2 * PAD + 1


def inside(width: int) -> int:
    """Width of a group's inside, without its border."""
    return width - 2


def display(
    name: str, blocks: Sequence[Block], *, columns: int, width: int, buttons: Sequence[OpenDisplay] = ()
) -> Display:
    """A display of groups.

    Args:
        name: Its title, macros allowed.
        blocks: Groups in order of importance: each stands in the column that is shortest by then.
        columns: Columns at most.
        width: Pixels of a column.
        buttons: Displays that belong to it.
    """
    columns = max(1, min(columns, len(blocks)))
    total = max(MARGIN + columns * (width + MARGIN), 2 * MARGIN + _NAME + len(buttons) * (_BUTTON + PAD))
    widgets = [*_title(name, total, buttons)]
    bottoms = [_TOP] * columns
    for block in blocks:
        column = bottoms.index(min(bottoms))
        x = MARGIN + column * (width + MARGIN)
        widgets.append(_group(block, Box(x, bottoms[column], width, block.height)))
        bottoms[column] += block.height + MARGIN
    return Display(name=name, width=total, height=max(bottoms), widgets=tuple(widgets))


def _title(name: str, width: int, buttons: Sequence[OpenDisplay]) -> Iterable[Widget]:
    right = width - MARGIN - len(buttons) * (_BUTTON + PAD)
    yield label(name, Box(MARGIN, 10, right - MARGIN, 36), font=_HEADER)
    for index, target in enumerate(buttons):
        box = Box(right + PAD + index * (_BUTTON + PAD), 13, _BUTTON, 30)
        yield opener(target.text, target, box)


def _group(block: Block, box: Box) -> Widget:
    y, children = PAD, []
    for line in block.lines:
        children += [widget.moved(0, y) for widget in line.widgets]
        y += line.height
    return Widget(
        type=Type.GROUP,
        name=block.title,
        box=box,
        properties=(
            (Property.STYLE, bob.STYLE_TITLE),
            (Property.FONT, _GROUP),
            (Property.FOREGROUND, _WHITE),
            (Property.LINE_COLOR, _BAR),
            (Property.BACKGROUND, _PAPER),
        ),
        children=tuple(children),
    )
