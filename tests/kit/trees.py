"""Trees with something changed: what a test of a check injects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from layouts.nexus.tree import Group, Node, array, find


def change(root: Group, path: str, node: Node | None) -> Group:
    """The tree with another node at a path; None removes it."""
    name, _, rest = path.strip("/").partition("/")
    members = dict(root.members)
    if rest:
        inner = members[name]
        assert isinstance(inner, Group), f"{name} is no group"
        members[name] = change(inner, rest, node)
    elif node is None:
        del members[name]
    else:
        members[name] = node
    return replace(root, members=members)


def value(root: Group, path: str, new: Any) -> Group:
    """The tree with another value in a data set."""
    return change(root, path, replace(at(root, path), value=array(new)))


def attribute(root: Group, path: str, name: str, new: Any = None) -> Group:
    """The tree with another attribute; None removes it."""
    node = at(root, path)
    kept = {k: v for k, v in node.attributes.items() if k != name}
    return change(root, path, replace(node, attributes=kept | ({} if new is None else {name: array(new)})))


def at(root: Group, path: str) -> Any:
    """What a path names; there must be something."""
    node = find(root, path)
    assert node is not None, f"nothing at {path}"
    return node
