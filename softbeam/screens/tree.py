"""A ``.bob`` file read back: widgets with their properties, macros resolved, as a viewer sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from softbeam.screens import bob
from softbeam.screens.bob import Box, Property, Type

_MACRO = re.compile(r"\$\((\w+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A widget of a file.

    Attributes:
        type: Its type.
        box: Its place on the display.
        element: Its XML.
        macros: What is in force.
        children: Widgets in a group.
    """

    type: Type
    box: Box
    element: ET.Element
    macros: Mapping[str, str]
    children: tuple[Node, ...]

    def text(self, prop: Property | str, default: str = "") -> str:
        """A property's text with its macros resolved; macros that nobody defines stay as they are."""
        return resolve(self.element.findtext(str(prop), default), self.macros)

    @property
    def pv(self) -> str:
        """Its PV, or that of its curve; empty for widgets without."""
        return self.text(Property.PV_NAME) or self.text("traces/trace/y_pv")

    @property
    def rules(self) -> dict[str, tuple[str, ...]]:
        """PVs that its properties follow, by property."""
        return {
            rule.get("prop_id", ""): tuple(
                resolve(pv.text or "", self.macros) for pv in rule.iterfind("pv_name")
            )
            for rule in self.element.iterfind("rules/rule")
        }

    @property
    def pvs(self) -> tuple[str, ...]:
        """All PVs that it needs."""
        own = (self.pv,) if self.pv else ()
        return (*own, *(pv for pvs in self.rules.values() for pv in pvs))

    def walk(self) -> Iterator[Node]:
        """This one and all in it."""
        yield self
        for child in self.children:
            yield from child.walk()


def read(text: str, macros: Mapping[str, str]) -> Node:
    """The display of a ``.bob`` file; its type is that of a group.

    Raises:
        ValueError: A widget type that softbeam does not make.
        xml.etree.ElementTree.ParseError: No XML.
    """
    root = ET.fromstring(text)  # noqa: S314 (files of our own)
    box = Box(0, 0, _pixels(root, "width"), _pixels(root, "height"))
    return Node(type=Type.GROUP, box=box, element=root, macros=macros, children=_children(root, macros, 0, 0))


def resolve(text: str, macros: Mapping[str, str]) -> str:
    """A text with the macros that are defined."""
    return _MACRO.sub(lambda found: macros.get(found[1], found[0]), text)


def _children(parent: ET.Element, macros: Mapping[str, str], x: int, y: int) -> tuple[Node, ...]:
    nodes: list[Node] = []
    for element in parent.iterfind("widget"):
        kind = Type(element.get("type", ""))
        box = Box(
            x + _pixels(element, "x"),
            y + _pixels(element, "y"),
            _pixels(element, "width"),
            _pixels(element, "height"),
        )
        own = {**macros, "pv_name": resolve(element.findtext("pv_name", ""), macros)}
        inner = _children(element, macros, box.x + 1, box.y + bob.TITLE_HEIGHT)
        nodes.append(Node(type=kind, box=box, element=element, macros=own, children=inner))
    return tuple(nodes)


def _pixels(element: ET.Element, tag: str) -> int:
    return int(element.findtext(tag, "0"))
