"""An HDF5 file as a tree of frozen values: made first, printed and compared in tests, written at the end.

Only what NeXus files need: groups, data sets that are written whole, links, and virtual data sets whose
mappings name an explicit stretch of an explicit source (a mapping that is longer than its source can kill
its reader). Text is fixed-length: the readers in C refuse the other kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Value = str | bool | int | float | Sequence[str] | Sequence[float] | Array | np.generic


def array(value: Value) -> Array:
    """The value as HDF5 would hold it: text as fixed-length bytes, numbers as they are.

    Args:
        value: Text, a number, a sequence of either, or an array.
    """
    if isinstance(value, str):
        return np.array(value.encode() or b"\0", dtype=np.bytes_)
    if isinstance(value, Sequence) and value and all(isinstance(v, str) for v in value):
        return np.array([str(v).encode() for v in value], dtype=np.bytes_)
    if isinstance(value, bool):
        return np.array(int(value), dtype=np.int8)
    if isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value)
    numbers = np.asarray(value)
    return numbers.astype(np.int64) if numbers.dtype.kind in "iu" else numbers.astype(np.float64)


def attributes(values: Mapping[str, Value]) -> dict[str, Array]:
    """Attributes as HDF5 would hold them."""
    return {name: array(value) for name, value in values.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Node:
    attributes: Mapping[str, Array] = field(default_factory=dict[str, Array])
    variable: bool = False
    """Whether its text, or an attribute's, is variable-length, as found in a file. Never written."""

    def text(self, name: str) -> str | None:
        """An attribute's text; nothing if it is absent or no text."""
        return as_text(self.attributes.get(name))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field(_Node):
    """A data set that is written whole, contiguous and uncompressed.

    Attributes:
        value: What it holds.
        chunks: Chunk shape as found in a file; nothing if contiguous. Never written.
        filters: Filter numbers as found in a file.
    """

    value: Array
    chunks: tuple[int, ...] | None = None
    filters: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftLink:
    """Another name for something in the same file."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HardLink:
    """The same object under another name, for readers that follow no soft links."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalLink:
    """Something in another file; the name is relative to this one's directory."""

    file: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows of one source that appear in a virtual data set.

    Attributes:
        file: Name relative to the directory of the virtual data set's file.
        path: Data set in it.
        extent: Rows the source has; not compared, because HDF5 keeps no more of it than ``stop``.
        start: First row taken.
        stop: Row after the last taken.
        at: Row of the virtual data set where the first appears.
        block: Rows that stand together there; 0 if all do. Divides what is taken.
        stride: From one block to the next there; 0 if there is one.
        follows: Whether it goes on as far as its source does, beyond ``stop``; the virtual data set then
            grows and shrinks with its sources. Never read back.
    """

    file: str
    path: str
    extent: int = field(compare=False)
    start: int
    stop: int
    at: int
    block: int = 0
    stride: int = 0
    follows: bool = False

    @property
    def places(self) -> NDArray[np.int64]:
        """Rows of the virtual data set, in the order of the rows taken."""
        taken = np.arange(self.stop - self.start)
        if not self.block:
            return self.at + taken
        turn, within = np.divmod(taken, self.block)
        return self.at + turn * self.stride + within


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Virtual(_Node):
    """A virtual data set: rows of other files under one name.

    Attributes:
        shape: (rows, ...); the sources share all but the first.
        dtype: Name of the type.
        fill: What unmapped rows read as.
        stretches: In order of rows.
    """

    shape: tuple[int, ...]
    dtype: str
    fill: int
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group(_Node):
    """A group; the root of a tree is one."""

    members: Mapping[str, Node] = field(default_factory=dict[str, "Node"])

    @property
    def nx_class(self) -> str:
        """Its NX_class; empty if it has none."""
        return self.text("NX_class") or ""


Link = SoftLink | HardLink | ExternalLink
Node = Group | Field | Virtual | Link


def as_text(value: Array | None) -> str | None:
    """One text of an array of bytes; nothing if it is something else."""
    if value is None or value.dtype.kind != "S" or value.size != 1:
        return None
    return bytes(value.reshape(-1)[0]).decode(errors="replace")


def group(nx_class: str, members: Mapping[str, Node | None], /, **attrs: Value) -> Group:
    """A group of a NeXus class; members that are None are left out."""
    kept = {name: node for name, node in members.items() if node is not None}
    return Group(attributes=attributes({"NX_class": nx_class, **attrs}), members=kept)


def data(value: Value, /, **attrs: Value) -> Field:
    """A data set with its attributes; write ``units="deg"`` for the unit."""
    return Field(value=array(value), attributes=attributes(attrs))


def maybe(value: Value | None, /, **attrs: Value) -> Field | None:
    """A data set, or nothing if the value is not known."""
    return None if value is None else data(value, **attrs)


def walk(node: Node, path: str = "/") -> Iterator[tuple[str, Node]]:
    """Every node with its path, parents first, in order."""
    yield path, node
    if isinstance(node, Group):
        for name, member in node.members.items():
            yield from walk(member, f"{path.rstrip('/')}/{name}")


def find(root: Group, path: str) -> Node | None:
    """What a path names, soft and hard links followed; nothing if there is nothing or links run in a circle.

    Args:
        root: The file's root group.
        path: Absolute, as "/entry/data/data".
    """
    for _ in range(64):
        node: Node = root
        parts = [p for p in path.split("/") if p]
        for i, part in enumerate(parts):
            child = node.members.get(part) if isinstance(node, Group) else None
            if child is None:
                return None
            node = child
            if isinstance(node, (SoftLink, HardLink)):
                above = "/".join(["", *parts[:i]])
                path = "/".join([absolute(node.path, above), *parts[i + 1 :]])
                break
        else:
            return node
    return None


def absolute(path: str, above: str) -> str:
    """The path, seen from a group unless it begins with a slash."""
    return path if path.startswith("/") else f"{above.rstrip('/')}/{path}"


def same(one: Node, other: Node) -> bool:
    """Whether two trees hold the same; names may be in any order."""
    return next(differences(one, other), None) is None


def differences(one: Node, other: Node, path: str = "/") -> Iterator[str]:
    """Where two trees differ, one sentence each."""
    if type(one) is not type(other):
        yield f"{path}: {type(one).__name__} against {type(other).__name__}"
    elif isinstance(one, Group) and isinstance(other, Group):
        yield from _attribute_differences(one, other, path)
        for name in sorted(one.members.keys() | other.members.keys()):
            inner = f"{path.rstrip('/')}/{name}"
            if name not in one.members or name not in other.members:
                yield f"{inner}: only in the {'first' if name in one.members else 'second'}"
            else:
                yield from differences(one.members[name], other.members[name], inner)
    elif isinstance(one, Field) and isinstance(other, Field):
        yield from _attribute_differences(one, other, path)
        if not equal(one.value, other.value):
            yield f"{path}: {one.value!r} against {other.value!r}"
    elif isinstance(one, Virtual) and isinstance(other, Virtual):
        yield from _attribute_differences(one, other, path)
        for name in ("shape", "dtype", "fill", "stretches"):
            if getattr(one, name) != getattr(other, name):
                yield f"{path}: {name} {getattr(one, name)} against {getattr(other, name)}"
    elif one != other:
        yield f"{path}: {one} against {other}"


def equal(one: Array, other: Array) -> bool:
    """Whether two values are the same in type, shape and content; NaN equals NaN."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f"))


def _attribute_differences(one: _Node, other: _Node, path: str) -> Iterator[str]:
    for name in sorted(one.attributes.keys() | other.attributes.keys()):
        a, b = one.attributes.get(name), other.attributes.get(name)
        if a is None or b is None or not equal(a, b):
            yield f"{path}@{name}: {a!r} against {b!r}"
