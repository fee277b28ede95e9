"""From a record to the widget that shows it: by its look, its kind, and whether clients may put to it.

All sizes are in pixels. Tool tips say the PV's name and the record's sentence.
"""

from __future__ import annotations

from dataclasses import dataclass

from ioc.records import Kind, Record
from softbeam.screens import bob
from softbeam.screens.bob import (
    Align,
    AutoAxis,
    Box,
    Color,
    OpenDisplay,
    Property,
    Rule,
    Trace,
    Type,
    Value,
    Widget,
    WritePv,
)
from softbeam.screens.plans import Look

HEIGHT = 24
"""Height of what stands in a line."""
GAP = 6
UNKNOWN = 1e9
"""Full length of a bar of which nobody knows it."""
LIGHT = 18
BIT = 20
"""Height of one bit's light and word."""

_ROOM_FOR_WORDS = 80
"""Width from which a light has its state beside it."""
_RED = Color(255, 40, 40)
_GREEN = Color(0, 220, 0)
_DARK = Color(70, 90, 70)
_DARK_RED = Color(100, 70, 70)
_OFF = {"No", "NO", "Off", "Disable", "Done", "Down", "Unarmed", "Closed", "Close", "Low", "Not Supported"}
"""First choices of menus that a light can show: it is off then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A record and how it is shown.

    Attributes:
        record: What it is.
        pv: Its name, with macros.
        look: How it is shown.
        text: What stands on its button, if not its second choice; what stands beside its light.
        full: For a bar, PVs of which the greatest is its full length; without any it is 100.
        bits: Words for bits.
        size: For a picture, the PVs that hold its width and height.
        units: Whether its units are shown.
    """

    record: Record
    pv: str
    look: Look = Look.AUTO
    text: str = ""
    full: tuple[str, ...] = ()
    bits: tuple[str, ...] = ()
    size: tuple[str, str] | None = None
    units: bool = True


def label(text: str, box: Box, *, align: Align = Align.LEFT, font: bob.Font | None = None) -> Widget:
    """Words."""
    properties: list[tuple[Property, Value]] = [(Property.TEXT, text)]
    if font is not None:
        properties.append((Property.FONT, font))
    if align is not Align.LEFT:
        properties.append((Property.HORIZONTAL_ALIGNMENT, align))
    properties += [(Property.VERTICAL_ALIGNMENT, bob.MIDDLE), (Property.WRAP_WORDS, False)]
    return Widget(type=Type.LABEL, name=text, box=box, properties=tuple(properties))


def opener(text: str, target: OpenDisplay, box: Box) -> Widget:
    """A button that opens a display."""
    properties: tuple[tuple[Property, Value], ...] = (
        (Property.TEXT, text),
        (Property.ACTIONS, target),
        (Property.TOOLTIP, f"Open {target.text}"),
    )
    return Widget(type=Type.ACTION_BUTTON, name=text, box=box, properties=properties)


def look_of(record: Record, look: Look = Look.AUTO) -> Look:
    """The look of a record, where AUTO leaves it to its kind."""
    if look is not Look.AUTO:
        return look
    if record.kind is not Kind.ENUM or len(record.choices) != 2:
        return Look.AUTO
    if record.writable:
        return Look.BUTTON if record.choices[0] == "Done" else Look.AUTO
    return Look.LIGHT if record.choices[0] in _OFF else Look.AUTO


def show(shown: Shown, box: Box) -> tuple[Widget, ...]:
    """Widgets of a record in a box; only pictures, curves and bits use a height above one line."""
    return _MAKERS[look_of(shown.record, shown.look)](shown, box)


def _widget(kind: Type, shown: Shown, box: Box, *properties: tuple[Property, Value]) -> tuple[Widget]:
    tip = f"$(pv_name)\n{shown.record.doc}"
    made = Widget(
        type=kind,
        name=shown.record.name,
        box=box,
        properties=((Property.PV_NAME, shown.pv), *properties, (Property.TOOLTIP, tip)),
    )
    return (made,)


def _text(shown: Shown, box: Box) -> tuple[Widget, ...]:
    return _widget(
        Type.TEXT_UPDATE,
        shown,
        box,
        *_format(shown),
        (Property.VERTICAL_ALIGNMENT, bob.MIDDLE),
        (Property.WRAP_WORDS, False),
    )


def _entry(shown: Shown, box: Box) -> tuple[Widget, ...]:
    if shown.record.kind is Kind.ENUM:
        return _widget(Type.COMBO, shown, box)
    return _widget(Type.TEXT_ENTRY, shown, box, *_format(shown))


def _format(shown: Shown) -> tuple[tuple[Property, Value], ...]:
    if shown.record.kind is Kind.TEXT:
        return ((Property.FORMAT, bob.FORMAT_STRING),)
    return () if shown.units else ((Property.SHOW_UNITS, False),)


def _second(record: Record) -> str:
    return record.choices[1] if len(record.choices) > 1 else record.name


def _start_stop(shown: Shown, box: Box) -> tuple[Widget, ...]:
    half = (box.width - GAP) // 2
    second = box._replace(x=box.x + box.width - half, width=half)
    return *_writes(shown, "Start", "1", box._replace(width=half)), *_writes(shown, "Stop", "0", second)


def _button(shown: Shown, box: Box) -> tuple[Widget, ...]:
    return _writes(shown, shown.text or _second(shown.record), "1", box)


def _writes(shown: Shown, text: str, value: str, box: Box) -> tuple[Widget, ...]:
    return _widget(
        Type.ACTION_BUTTON,
        shown,
        box,
        (Property.TEXT, text),
        (Property.ACTIONS, WritePv(value, text)),
    )


def _hold(shown: Shown, box: Box) -> tuple[Widget, ...]:
    text = shown.text or _second(shown.record)
    return _widget(
        Type.BOOL_BUTTON,
        shown,
        box,
        (Property.OFF_LABEL, text),
        (Property.ON_LABEL, text),
        (Property.SHOW_LED, False),
        (Property.MODE, bob.MODE_PUSH),
    )


def _green(shown: Shown, box: Box) -> tuple[Widget, ...]:
    return _light(shown, _GREEN, _DARK, box)


def _red(shown: Shown, box: Box) -> tuple[Widget, ...]:
    return _light(shown, _RED, _DARK_RED, box)


def _light(shown: Shown, on: Color, off: Color, box: Box) -> tuple[Widget, ...]:
    room = box.width >= _ROOM_FOR_WORDS
    x = box.x if room else box.x + (box.width - LIGHT) // 2
    place = Box(x, box.y + (box.height - LIGHT) // 2, LIGHT, LIGHT)
    (light,) = _widget(Type.LED, shown, place, (Property.OFF_COLOR, off), (Property.ON_COLOR, on))
    beside = box._replace(x=box.x + LIGHT + GAP, width=box.width - LIGHT - GAP)
    if room and shown.text:
        return light, label(shown.text, beside)
    return (light, *_text(shown, beside)) if room and shown.record.kind is Kind.ENUM else (light,)


def _bar(shown: Shown, box: Box) -> tuple[Widget, ...]:
    # As long as nobody knows how many there will be, the bar stays empty.
    values = ", ".join(f"pv{index}" for index in range(len(shown.full)))
    rule = Rule(Property.MAXIMUM, f"max(0, {values}) or {UNKNOWN:.0f}", shown.full)
    full: tuple[tuple[Property, Value], ...] = ((Property.RULES, (rule,)),) if shown.full else ()
    return _widget(
        Type.PROGRESS_BAR, shown, box, (Property.LIMITS_FROM_PV, False), (Property.MAXIMUM, 100), *full
    )


def _bits(shown: Shown, box: Box) -> tuple[Widget, ...]:
    return _widget(
        Type.BYTE_MONITOR,
        shown,
        box,
        (Property.NUM_BITS, len(shown.bits)),
        (Property.BIT_REVERSE, True),
        (Property.HORIZONTAL, False),
        (Property.OFF_COLOR, _DARK),
        (Property.ON_COLOR, _GREEN),
        (Property.LABELS, shown.bits),
    )


def _curve(shown: Shown, box: Box) -> tuple[Widget, ...]:
    plot = Widget(
        type=Type.XY_PLOT,
        name=shown.record.name,
        box=box,
        properties=(
            (Property.SHOW_LEGEND, False),
            (Property.X_AXIS, AutoAxis()),
            (Property.Y_AXES, AutoAxis("y_axis")),
            (Property.TRACES, Trace(shown.record.name, shown.pv)),
            (Property.TOOLTIP, f"{shown.pv}\n{shown.record.doc}"),
        ),
    )
    return (plot,)


def _picture(shown: Shown, box: Box) -> tuple[Widget, ...]:
    pairs = zip((Property.DATA_WIDTH, Property.DATA_HEIGHT), shown.size or (), strict=False)
    rules = tuple(Rule(prop, "max(1, pv0)", (pv,)) for prop, pv in pairs)
    follow: tuple[tuple[Property, Value], ...] = ((Property.RULES, rules),) if rules else ()
    return _widget(Type.IMAGE, shown, box, (Property.AUTOSCALE, True), *follow)


def _by_kind(shown: Shown, box: Box) -> tuple[Widget, ...]:
    return (_entry if shown.record.writable else _text)(shown, box)


_MAKERS = {
    Look.AUTO: _by_kind,
    Look.MENU: _entry,
    Look.READING: _text,
    Look.BUTTON: _button,
    Look.HOLD: _hold,
    Look.START_STOP: _start_stop,
    Look.LIGHT: _green,
    Look.WARNING: _red,
    Look.BAR: _bar,
    Look.BITS: _bits,
    Look.PICTURE: _picture,
    Look.CURVE: _curve,
}
