"""Widgets of Phoebus' Display Builder as values, and the ``.bob`` XML that it reads.

Mirrors the display model of CS-Studio Phoebus (display version 2.0.0). Names of widget types and of their
properties stand here and nowhere else. What is not said takes Phoebus' default, so that a facility's own
colours and fonts hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import NamedTuple
from xml.etree import ElementTree as ET

MADE = "Made by softbeam screens from the record tables; changes here are lost when it runs again"
"""The comment by which a file is known as one that may be written again."""

TITLE_FONT = 14
"""Pixels of the font of a group's title."""
TITLE_HEIGHT = 2 + int(1.2 * TITLE_FONT) + 1
"""Pixels that a group's title bar takes from its children; one pixel more is border."""


class Type(StrEnum):
    """Types of widgets."""

    ACTION_BUTTON = "action_button"
    BOOL_BUTTON = "bool_button"
    BYTE_MONITOR = "byte_monitor"
    COMBO = "combo"
    GROUP = "group"
    IMAGE = "image"
    LABEL = "label"
    LED = "led"
    PROGRESS_BAR = "progressbar"
    TEXT_ENTRY = "textentry"
    TEXT_UPDATE = "textupdate"
    XY_PLOT = "xyplot"


_VERSIONS = {
    Type.ACTION_BUTTON: "3.0.0",
    Type.GROUP: "3.0.0",
    Type.TEXT_ENTRY: "3.0.0",
    Type.XY_PLOT: "3.0.0",
}
_VERSION = "2.0.0"


class Property(StrEnum):
    """Properties that are set here."""

    ACTIONS = "actions"
    AUTOSCALE = "autoscale"
    BACKGROUND = "background_color"
    BIT_REVERSE = "bitReverse"
    DATA_HEIGHT = "data_height"
    DATA_WIDTH = "data_width"
    FONT = "font"
    FOREGROUND = "foreground_color"
    FORMAT = "format"
    HORIZONTAL = "horizontal"
    HORIZONTAL_ALIGNMENT = "horizontal_alignment"
    LABELS = "labels"
    LIMITS_FROM_PV = "limits_from_pv"
    LINE_COLOR = "line_color"
    LOG_SCALE = "log_scale"
    MAXIMUM = "maximum"
    MODE = "mode"
    NUM_BITS = "numBits"
    OFF_COLOR = "off_color"
    OFF_LABEL = "off_label"
    ON_COLOR = "on_color"
    ON_LABEL = "on_label"
    PV_NAME = "pv_name"
    RULES = "rules"
    SHOW_LED = "show_led"
    SHOW_LEGEND = "show_legend"
    SHOW_UNITS = "show_units"
    STYLE = "style"
    TEXT = "text"
    TRACES = "traces"
    TOOLTIP = "tooltip"
    VERTICAL_ALIGNMENT = "vertical_alignment"
    WRAP_WORDS = "wrap_words"
    X_AXIS = "x_axis"
    Y_AXES = "y_axes"


class Align(IntEnum):
    """Horizontal alignment, in Phoebus' order."""

    LEFT = 0
    CENTER = 1
    RIGHT = 2


MIDDLE = 1
"""Vertical alignment in the middle."""
FORMAT_STRING = 6
"""A CHAR array is shown and written as text."""
STYLE_TITLE = 1
"""A group with a title bar."""
MODE_PUSH = 1
"""A button that writes 1 when it is pressed and 0 when it is let go."""


class Box(NamedTuple):
    """Place of a widget in its parent, in pixels from the upper left."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Color:
    """A colour, each part from 0 to 255."""

    red: int
    green: int
    blue: int


@dataclass(frozen=True, slots=True)
class Font:
    """One of Phoebus' named fonts, with what it is where a facility does not say otherwise."""

    name: str
    style: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDisplay:
    """What a button does: open another display.

    Attributes:
        file: Its file, beside this one.
        text: What a menu or a tool tip calls it.
        macros: Values of its macros; those of this display go with them.
        target: ``tab``, ``replace`` or ``window``.
    """

    file: str
    text: str
    macros: tuple[tuple[str, str], ...] = ()
    target: str = "tab"


@dataclass(frozen=True, slots=True)
class WritePv:
    """What a button does: give its PV a value."""

    value: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A property that follows PVs: an expression in which ``pv0`` is the value of the first."""

    prop: Property
    expression: str
    pvs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A curve of a plot: an array over its index.

    Attributes:
        name: What the legend says.
        pv: The array.
    """

    name: str
    pv: str


@dataclass(frozen=True, slots=True)
class AutoAxis:
    """An axis without a title that follows the values.

    Attributes:
        inner: The element that it is in a list of axes; empty where there is one.
    """

    inner: str = ""


Value = (
    str
    | int
    | bool
    | Color
    | Font
    | OpenDisplay
    | WritePv
    | Trace
    | AutoAxis
    | tuple[Rule, ...]
    | tuple[str, ...]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget:
    """One widget.

    Attributes:
        type: Its type.
        name: Its name; the title of a group.
        box: Its place in its parent.
        properties: What differs from Phoebus' defaults.
        children: Widgets in a group.
    """

    type: Type
    name: str
    box: Box
    properties: tuple[tuple[Property, Value], ...] = ()
    children: tuple[Widget, ...] = ()

    def moved(self, dx: int, dy: int) -> Widget:
        """The same widget elsewhere in its parent."""
        x, y, width, height = self.box
        return replace(self, box=Box(x + dx, y + dy, width, height))


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """One screen.

    Attributes:
        name: What its tab says.
        width: Pixels.
        height: Pixels.
        widgets: In drawing order.
    """

    name: str
    width: int
    height: int
    widgets: tuple[Widget, ...]


def xml(display: Display) -> str:
    """Text of a ``.bob`` file; the same display gives the same text."""
    root = ET.Element("display", version="2.0.0")
    for tag, text in (("name", display.name), ("width", display.width), ("height", display.height)):
        ET.SubElement(root, tag).text = str(text)
    ET.SubElement(root, "grid_visible").text = "false"
    _add(root, display.widgets)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {MADE} -->\n{body}\n'


def _add(parent: ET.Element, widgets: Iterable[Widget]) -> None:
    for widget in widgets:
        version = _VERSIONS.get(widget.type, _VERSION)
        element = ET.SubElement(parent, "widget", type=widget.type.value, version=version)
        ET.SubElement(element, "name").text = widget.name
        for tag, pixels in zip(Box._fields, widget.box, strict=True):
            ET.SubElement(element, tag).text = str(pixels)
        for prop, value in widget.properties:
            _set(ET.SubElement(element, prop.value), value)
        _add(element, widget.children)


def _set(element: ET.Element, value: Value) -> None:
    match value:
        case bool():
            element.text = "true" if value else "false"
        case str() | int():
            element.text = str(int(value) if isinstance(value, int) else value)
        case Color():
            parts = {"red": value.red, "green": value.green, "blue": value.blue}
            ET.SubElement(element, "color", {name: str(part) for name, part in parts.items()})
        case Font():
            ET.SubElement(
                element,
                "font",
                name=value.name,
                family="Liberation Sans",
                style=value.style,
                size=f"{value.size:.1f}",
            )
        case OpenDisplay():
            _open(ET.SubElement(element, "action", type="open_display"), value)
        case WritePv():
            action = ET.SubElement(element, "action", type="write_pv")
            ET.SubElement(action, "description").text = value.text
            ET.SubElement(action, "pv_name").text = "$(pv_name)"
            ET.SubElement(action, "value").text = value.value
        case Trace():
            trace = ET.SubElement(element, "trace")
            ET.SubElement(trace, "name").text = value.name
            ET.SubElement(trace, "y_pv").text = value.pv
        case AutoAxis():
            axis = ET.SubElement(element, value.inner) if value.inner else element
            ET.SubElement(axis, "title").text = ""
            ET.SubElement(axis, "autoscale").text = "true"
        case tuple():
            for item in value:
                if isinstance(item, Rule):
                    _rule(element, item)
                else:
                    ET.SubElement(element, "text").text = item


def _open(action: ET.Element, target: OpenDisplay) -> None:
    ET.SubElement(action, "description").text = target.text
    ET.SubElement(action, "file").text = target.file
    if target.macros:
        macros = ET.SubElement(action, "macros")
        for name, value in target.macros:
            ET.SubElement(macros, name).text = value
    ET.SubElement(action, "target").text = target.target


def _rule(element: ET.Element, rule: Rule) -> None:
    made = ET.SubElement(element, "rule", name=rule.prop.value, prop_id=rule.prop.value, out_exp="true")
    expression = ET.SubElement(made, "exp", bool_exp="true")
    ET.SubElement(expression, "expression").text = rule.expression
    for pv in rule.pvs:
        ET.SubElement(made, "pv_name").text = pv
