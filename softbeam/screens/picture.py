"""A ``.bob`` file drawn as Phoebus would show it, with given values: what the file says, not what was meant.

Needs matplotlib, the extra ``plot``. Text is as wide as in Phoebus where Liberation Sans is installed.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softbeam.screens import bob
from softbeam.screens.bob import Box, Property, Type
from softbeam.screens.readings import Reading, Readings
from softbeam.screens.tree import Node, read
from softbeam.screens.widgets import UNKNOWN

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 100
_FAMILIES = ("Liberation Sans", "Arimo", "Arial", "Helvetica")
_WIDE = 0.87
"""DejaVu Sans, which matplotlib brings, is wider by this."""
_COLORS = 256

_TEXT = "#000000"
_READ = "#f0f0f0"
_WRITE = "#80ffff"
_BUTTON = "#d2d2d2"
_EDGE = "#9a9a9a"
_DISCONNECTED = "#c800c8"
_INSET = 5


def draw(text: str, path: Path, macros: Mapping[str, str], readings: Readings) -> None:
    """Write a PNG of a display.

    Args:
        text: A ``.bob`` file.
        path: Where the picture goes.
        macros: What the display is opened with.
        readings: Values of its PVs; a PV that is missing is drawn as disconnected.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    display = read(text, macros)
    width, height = display.box.width, display.box.height
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    brush = _Brush(axes, readings)
    for node in display.children:
        brush.widget(node)
    with BytesIO() as buffer:
        FigureCanvasAgg(figure).print_png(buffer)
        # Few colours: the pictures are in the repository.
        Image.open(buffer).convert("RGB").quantize(
            _COLORS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        ).save(path, optimize=True)


class _Brush:
    def __init__(self, axes: Axes, readings: Readings) -> None:
        from matplotlib.font_manager import fontManager

        self._axes = axes
        self._readings = readings
        have = set(fontManager.get_font_names())
        self._family = next((name for name in _FAMILIES if name in have), "DejaVu Sans")
        self._scale = 72 / _DPI * (1 if self._family in _FAMILIES else _WIDE)

    def widget(self, node: Node) -> None:
        kinds = {
            Type.ACTION_BUTTON: self._button,
            Type.BOOL_BUTTON: self._button,
            Type.BYTE_MONITOR: self._bits,
            Type.COMBO: self._combo,
            Type.GROUP: self._group,
            Type.IMAGE: self._image,
            Type.LABEL: self._label,
            Type.LED: self._led,
            Type.PROGRESS_BAR: self._bar,
            Type.TEXT_ENTRY: self._entry,
            Type.TEXT_UPDATE: self._reading,
            Type.XY_PLOT: self._curve,
        }
        kinds[node.type](node)
        if node.pv and self._value(node) is None:
            self._rectangle(node.box, fill="none", edge=_DISCONNECTED, line=2)

    def _value(self, node: Node) -> Reading | None:
        reading = self._readings.get(node.pv)
        return None if reading is None or reading.value is None else reading

    def _group(self, node: Node) -> None:
        line = _color(node, Property.LINE_COLOR, _TEXT)
        x, y, width, _ = node.box
        self._rectangle(node.box, fill=_color(node, Property.BACKGROUND, "#ffffff"), edge=line)
        bar = Box(x, y, width, bob.TITLE_HEIGHT)
        self._rectangle(bar, fill=line, edge=line)
        self._text(
            node, node.text("name"), bar._replace(x=x + 4), color=_color(node, Property.FOREGROUND, _TEXT)
        )
        for child in node.children:
            self.widget(child)

    def _label(self, node: Node) -> None:
        align = int(node.text(Property.HORIZONTAL_ALIGNMENT, "0"))
        self._text(node, node.text(Property.TEXT), node.box, align=align)

    def _reading(self, node: Node) -> None:
        self._rectangle(node.box, fill=_READ)
        self._value_text(node)

    def _entry(self, node: Node) -> None:
        self._rectangle(node.box, fill=_WRITE, edge=_EDGE)
        self._value_text(node)

    def _value_text(self, node: Node) -> None:
        reading = self._value(node)
        if reading is not None:
            units = node.text(Property.SHOW_UNITS, "true") == "true"
            self._text(node, reading.text(units=units), _inner(node.box))

    def _combo(self, node: Node) -> None:
        self._rounded(node.box)
        x, y, width, height = node.box
        arrow = [(x + width - 16, y + height / 2 - 3), (x + width - 6, y + height / 2 - 3)]
        self._polygon([*arrow, (x + width - 11, y + height / 2 + 3)])
        self._value_text(node)

    def _button(self, node: Node) -> None:
        self._rounded(node.box)
        text = node.text(Property.TEXT) or node.text(Property.OFF_LABEL)
        self._text(node, text, node.box, align=bob.Align.CENTER)

    def _led(self, node: Node) -> None:
        reading = self._value(node)
        on = reading is not None and reading.number != 0
        x, y, width, height = node.box
        color = _color(node, Property.ON_COLOR if on else Property.OFF_COLOR, _TEXT)
        self._round(x + width / 2, y + height / 2, height / 2 - 0.5, color)

    def _bits(self, node: Node) -> None:
        reading = self._value(node)
        status = int(reading.number) if reading is not None else 0
        x, y, width, height = node.box
        count = int(node.text(Property.NUM_BITS))
        words = [item.text or "" for item in node.element.iterfind("labels/text")]
        pitch = height / count
        for bit in range(count):
            color = _color(node, Property.ON_COLOR if status >> bit & 1 else Property.OFF_COLOR, _TEXT)
            top = y + bit * pitch
            self._round(x + pitch / 2, top + pitch / 2, pitch / 2 - 1, color)
            self._text(node, words[bit], Box(int(x + pitch + 4), int(top), width, int(pitch)))

    def _bar(self, node: Node) -> None:
        reading = self._value(node)
        follows = node.rules.get(Property.MAXIMUM.value, ())
        known = [self._readings[pv].number for pv in follows if pv in self._readings]
        full = max(0.0, *known) or UNKNOWN if known else float(node.text(Property.MAXIMUM, "100"))
        part = min(1.0, max(0.0, reading.number / full)) if reading is not None else 0.0
        self._rectangle(node.box, fill="#fafafa", edge=_EDGE)
        x, y, width, height = node.box
        self._rectangle(Box(x + 2, y + 2, int((width - 4) * part), height - 4), fill="#3cff3c")

    def _curve(self, node: Node) -> None:
        import numpy as np

        self._rectangle(node.box, fill="#ffffff", edge=_EDGE)
        reading = self._value(node)
        values = np.atleast_1d(np.asarray(reading.value if reading else [0.0], dtype=float))
        x, y, width, height = node.box
        low, high = float(values.min()), float(values.max())
        scale = (height - 8) / (high - low or 1)
        self._axes.plot(
            np.linspace(x + 4, x + width - 4, values.size), y + height - 4 - (values - low) * scale, lw=0.8
        )

    def _image(self, node: Node) -> None:
        import numpy as np

        self._rectangle(node.box, fill="#ffffff", edge=_EDGE)
        reading = self._value(node)
        sizes = [
            self._readings.get("".join(node.rules.get(p.value, ())))
            for p in (Property.DATA_WIDTH, Property.DATA_HEIGHT)
        ]
        wide, high = (int(size.number) if size else 0 for size in sizes)
        if reading is None or wide < 1 or high < 1:
            return
        pixels = np.ravel(np.asarray(reading.value, dtype=float))[: wide * high]
        if pixels.size < wide * high:
            return
        x, y, width, height = node.box
        place = (x + 4, x + width - 4, y + height - 4, y + 4)
        self._axes.imshow(pixels.reshape(high, wide), cmap="viridis", extent=place, aspect="auto", zorder=1)
        self._axes.set(xlim=self._axes.get_xlim(), ylim=self._axes.get_ylim())

    def _text(self, node: Node, text: str, box: Box, *, align: int = 0, color: str = _TEXT) -> None:
        from matplotlib.transforms import Bbox, TransformedBbox

        font = node.element.find("font/font")
        size = float(font.get("size", "14")) if font is not None else 14.0
        bold = font is not None and font.get("style") == "BOLD"
        x, y, width, height = box
        at = {0: x, 1: x + width / 2, 2: x + width}[align]
        shown = self._axes.text(
            at,
            y + height / 2,
            text.split("\n", 1)[0],
            fontsize=size * self._scale,
            fontweight="bold" if bold else "normal",
            family=self._family,
            color=color,
            ha=("left", "center", "right")[align],
            va="center_baseline",
            parse_math=False,
            clip_on=True,
        )
        shown.set_clip_box(TransformedBbox(Bbox.from_bounds(x, y, width, height), self._axes.transData))

    def _rectangle(self, box: Box, *, fill: str, edge: str = "none", line: float = 1) -> None:
        from matplotlib.patches import Rectangle

        x, y, width, height = box
        half = line / 2 if edge != "none" else 0
        patch: Any = Rectangle(
            (x + half, y + half),
            max(0.0, width - 2 * half),
            height - 2 * half,
            facecolor=fill,
            edgecolor=edge,
            linewidth=line * 72 / _DPI,
        )
        self._axes.add_patch(patch)

    def _rounded(self, box: Box) -> None:
        from matplotlib.patches import FancyBboxPatch

        x, y, width, height = box
        style = "round,pad=0,rounding_size=4"
        self._axes.add_patch(
            FancyBboxPatch(
                (x + 0.5, y + 0.5),
                width - 1,
                height - 1,
                boxstyle=style,
                facecolor=_BUTTON,
                edgecolor=_EDGE,
                lw=0.7,
            )
        )

    def _round(self, x: float, y: float, radius: float, color: str) -> None:
        from matplotlib.patches import Circle

        self._axes.add_patch(Circle((x, y), radius, facecolor=color, edgecolor="#505050", linewidth=0.7))

    def _polygon(self, corners: list[tuple[float, float]]) -> None:
        from matplotlib.patches import Polygon

        self._axes.add_patch(Polygon(corners, closed=True, facecolor="#404040", edgecolor="none"))


def _inner(box: Box) -> Box:
    return box._replace(x=box.x + _INSET, width=box.width - 2 * _INSET)


def _color(node: Node, prop: Property, default: str) -> str:
    found = node.element.find(f"{prop.value}/color")
    if found is None:
        return default
    return "#" + "".join(f"{int(found.get(part, '0')):02x}" for part in ("red", "green", "blue"))
