"""A tree as text, one line a node: for people, and for comparison with a stored picture of it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping

import numpy as np

from layouts.nexus.tree import Array, ExternalLink, Field, Group, HardLink, Node, SoftLink, Virtual

SHOWN = 6
"""Arrays up to so many elements are printed whole."""


def render(node: Node, name: str = "/") -> str:
    """The tree as text, ending with a newline."""
    return "\n".join(_lines(node, name, 0)) + "\n"


def _lines(node: Node, name: str, depth: int) -> Iterator[str]:
    head = "  " * depth + name
    if isinstance(node, Group):
        yield f"{head} ({node.nx_class or 'group'}){_attributes(node.attributes, skip='NX_class')}"
        for child, member in node.members.items():
            yield from _lines(member, child, depth + 1)
    elif isinstance(node, Field):
        yield f"{head} = {_value(node.value)}{_attributes(node.attributes)}"
    elif isinstance(node, SoftLink):
        yield f"{head} -> {node.path}"
    elif isinstance(node, HardLink):
        yield f"{head} => {node.path}"
    elif isinstance(node, ExternalLink):
        yield f"{head} -> {node.file}:{node.path}"
    else:
        yield from _virtual(node, head, depth)


def _virtual(node: Virtual, head: str, depth: int) -> Iterator[str]:
    shape = " x ".join(map(str, node.shape))
    yield f"{head} = virtual {node.dtype} {shape}, fill {node.fill}{_attributes(node.attributes)}"
    for s in node.stretches:
        rows = f"[{s.start}:{s.stop}] of {s.extent}"
        yield f"{'  ' * (depth + 1)}[{s.at}:{s.at + s.stop - s.start}] from {s.file}:{s.path} {rows}"


def _attributes(values: Mapping[str, Array], skip: str = "") -> str:
    return "".join(f" @{name}={_value(value)}" for name, value in values.items() if name != skip)


def _value(value: Array) -> str:
    if value.dtype.kind == "S":
        texts = [f'"{bytes(t).decode(errors="replace")}"' for t in value.reshape(-1)]
        return texts[0] if value.ndim == 0 else f"[{', '.join(texts)}]"
    if value.size <= SHOWN:
        numbers = [_number(v) for v in value.reshape(-1)]
        return f"{numbers[0]} {value.dtype}" if value.ndim == 0 else f"[{', '.join(numbers)}] {value.dtype}"
    shape = " x ".join(map(str, value.shape))
    if value.ndim == 1:
        return f"{value.dtype} {shape}, {_number(value[0])} to {_number(value[-1])}"
    crc = zlib.crc32(np.ascontiguousarray(value).tobytes())
    return f"{value.dtype} {shape}, {np.count_nonzero(value)} not zero, crc {crc:08x}"


def _number(value: object) -> str:
    return f"{value:.9g}" if isinstance(value, (float, np.floating)) else str(value)
