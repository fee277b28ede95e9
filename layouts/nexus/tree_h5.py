"""Trees to HDF5 files and back.

Files are of HDF5 1.10 (``libver=('v110', 'v110')``): what is newer, half of the field cannot open. Uses
h5py's low-level calls, which take a third of the time: a master is hundreds of small objects, and somebody
waits for it.
"""

# pyright: standard
from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from layouts.nexus.tree import (
    Array,
    ExternalLink,
    Field,
    Group,
    HardLink,
    Node,
    SoftLink,
    Stretch,
    Virtual,
)

_H5 = cast("Any", h5py)
h5a, h5d, h5f, h5g, h5o, h5p, h5s, h5t = (
    _H5.h5a,
    _H5.h5d,
    _H5.h5f,
    _H5.h5g,
    _H5.h5o,
    _H5.h5p,
    _H5.h5s,
    _H5.h5t,
)

SCALAR = h5s.create(h5s.SCALAR)
_UNKNOWN: Final = "maps something else than blocks of whole rows; map it row by row"


def write(path: Path, root: Group) -> None:
    """Write a tree to a new file.

    Args:
        path: Must not exist yet.
        root: The file's root group.

    Raises:
        FileExistsError: There is something of that name.
        OSError: It cannot be written.
    """
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(h5f.LIBVER_V110, h5f.LIBVER_V110)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    file = h5f.create(bytes(path), h5f.ACC_EXCL, fapl=access)
    try:
        top = h5g.open(file, b"/")
        later: list[tuple[Any, bytes, HardLink]] = []
        _write_attributes(top, root)
        _write_members(top, root, later)
        for parent, name, link in later:
            parent.links.create_hard(name, file, link.path.encode())
    finally:
        file.close()


def _write_members(parent: Any, group: Group, later: list[tuple[Any, bytes, HardLink]]) -> None:
    for text, node in group.members.items():
        name = text.encode()
        if isinstance(node, Group):
            made = h5g.create(parent, name)
            _write_attributes(made, node)
            _write_members(made, node, later)
        elif isinstance(node, Field):
            kind = _type(node.value)
            made = h5d.create(parent, name, kind, _space(node.value))
            if node.value.size:
                made.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(node.value), kind)
            _write_attributes(made, node)
        elif isinstance(node, Virtual):
            _write_attributes(write_virtual(parent, name, node), node)
        elif isinstance(node, SoftLink):
            parent.links.create_soft(name, node.path.encode())
        elif isinstance(node, ExternalLink):
            parent.links.create_external(name, node.file.encode(), node.path.encode())
        else:
            later.append((parent, name, node))


def write_virtual(parent: Any, name: bytes, node: Virtual) -> Any:
    """Each mapping plain rows of an explicit source, with the fill value given anew."""
    creation = h5p.create(h5p.DATASET_CREATE)
    creation.set_fill_value(np.asarray(node.fill, dtype=node.dtype))
    grows = any(s.follows for s in node.stretches)
    for s in node.stretches:
        target = _space_of(node.shape, grows=grows)
        source = _space_of((s.extent, *node.shape[1:]), grows=grows)
        taken = s.stop - s.start
        block = s.block or (h5s.UNLIMITED if s.follows else taken)
        count = 1 if not s.block else h5s.UNLIMITED if s.follows else taken // block
        _select(target, s.at, count=count, block=block, stride=s.stride or 1)
        _select(source, s.start, count=1, block=h5s.UNLIMITED if s.follows else taken)
        creation.set_virtual(target, s.file.encode(), s.path.encode(), source)
    if not node.stretches:
        creation.set_layout(h5d.VIRTUAL)
    kind = h5t.py_create(np.dtype(node.dtype))
    return h5d.create(parent, name, kind, _space_of(node.shape, grows=grows), dcpl=creation)


def _space_of(shape: tuple[int, ...], *, grows: bool) -> Any:
    return h5s.create_simple(shape, (h5s.UNLIMITED, *shape[1:])) if grows else h5s.create_simple(shape)


def _select(space: Any, start: int, *, count: int, block: int, stride: int = 1) -> None:
    """Blocks of whole rows."""
    rest = space.get_simple_extent_dims()[1:]
    ones = (1,) * len(rest)
    space.select_hyperslab(
        (start, *(0,) * len(rest)), (count, *ones), stride=(stride, *ones), block=(block, *rest)
    )


def _type(value: Array) -> Any:
    """UTF-8 only where ASCII does not do."""
    kind = h5t.py_create(value.dtype)
    if value.dtype.kind == "S" and not value.tobytes().isascii():
        kind.set_cset(h5t.CSET_UTF8)
    return kind


def _space(value: Array) -> Any:
    return SCALAR if value.ndim == 0 else h5s.create_simple(value.shape)


def _write_attributes(item: Any, node: Group | Field | Virtual) -> None:
    for name, value in node.attributes.items():
        kind = _type(value)
        h5a.create(item, name.encode(), kind, _space(value)).write(np.ascontiguousarray(value), kind)


def read(path: Path) -> Group:
    """Read a file as a tree; external links and the sources of virtual data sets stay unread.

    Whatever else there is, is read whole: this is for masters. Of something with several names, the first in
    alphabetical order is the data set, the others are hard links.

    Raises:
        OSError: It is missing, no HDF5 file, damaged, or holds what no tree can.
    """
    file = h5f.open(bytes(path), h5f.ACC_RDONLY)
    try:
        top = h5g.open(file, b"/")
        return _read_group(top, "", {})
    finally:
        file.close()


def _read_group(group: Any, path: str, first: dict[int, str]) -> Group:
    members: dict[str, Node] = {}
    for name in group:
        text, info = name.decode(), group.links.get_info(name)
        inner = f"{path}/{text}"
        if info.type == _H5.h5l.TYPE_SOFT:
            members[text] = SoftLink(path=group.links.get_val(name).decode())
        elif info.type == _H5.h5l.TYPE_EXTERNAL:
            file, target = group.links.get_val(name)
            members[text] = ExternalLink(file=file.decode(), path=target.decode())
        elif first.setdefault(info.u, inner) != inner:
            members[text] = HardLink(path=first[info.u])
        else:
            item = h5o.open(group, name)
            members[text] = (
                _read_group(item, inner, first) if isinstance(item, h5g.GroupID) else _read_data(item, inner)
            )
    values, variable = _read_attributes(group)
    return Group(attributes=values, variable=variable, members=members)


def _read_data(item: Any, path: str) -> Node:
    if not isinstance(item, h5d.DatasetID):
        raise OSError(f"{path}: a named type; no master holds one")
    values, variable = _read_attributes(item)
    creation = item.get_create_plist()
    layout = creation.get_layout()
    if layout == h5d.VIRTUAL:
        return _read_virtual(item, creation, path, values, variable=variable)
    value, mine = _value(item, lambda into: item.read(h5s.ALL, h5s.ALL, into))
    chunked = layout == h5d.CHUNKED
    return Field(
        value=value,
        attributes=values,
        chunks=tuple(creation.get_chunk()) if chunked else None,
        filters=tuple(creation.get_filter(i)[0] for i in range(creation.get_nfilters())) if chunked else (),
        variable=variable or mine,
    )


def _read_virtual(
    item: Any, creation: Any, path: str, values: dict[str, Array], *, variable: bool
) -> Virtual:
    shape = tuple(item.shape)
    stretches: list[Stretch] = []
    for i in range(creation.get_virtual_count()):
        target = _rows(creation.get_virtual_vspace(i), path, shape)
        space = creation.get_virtual_srcspace(i)
        source = _rows(space, path, shape)
        if source.blocks != 1 or source.block != target.blocks * target.block:
            raise OSError(f"{path}: {_UNKNOWN}")
        stretches.append(
            Stretch(
                file=creation.get_virtual_filename(i),
                path=creation.get_virtual_dsetname(i),
                extent=int(space.get_simple_extent_dims()[0]),
                start=source.start,
                stop=source.start + source.block,
                at=target.start,
                block=target.block if target.blocks > 1 else 0,
                stride=target.stride if target.blocks > 1 else 0,
            )
        )
    fill: NDArray[Any] = np.zeros((), dtype=item.dtype)
    creation.get_fill_value(fill)
    return Virtual(
        shape=shape,
        dtype=fill.dtype.name,
        fill=int(fill),
        stretches=tuple(sorted(stretches, key=lambda s: s.at)),
        attributes=values,
        variable=variable,
    )


class _Rows(NamedTuple):
    """A selection of whole rows: blocks of them at equal distances."""

    start: int
    stride: int
    blocks: int
    block: int


def _rows(space: Any, path: str, shape: tuple[int, ...]) -> _Rows:
    """What a mapping selects, if it is such a selection.

    Raises:
        OSError: It is something else.
    """
    if space.get_select_type() != h5s.SEL_HYPERSLABS or not space.is_regular_hyperslab():
        raise OSError(f"{path}: {_UNKNOWN}")
    (start, *_), (stride, *_), (count, *_), (block, *_) = space.get_regular_hyperslab()
    if h5s.UNLIMITED in (count, block):
        raise OSError(f"{path}: grows with its sources; wait until the capture has ended")
    if space.get_select_npoints() != count * block * int(np.prod(shape[1:])):
        raise OSError(f"{path}: {_UNKNOWN}")
    if count == 1 or stride == block:
        return _Rows(int(start), 0, 1, int(count * block))
    return _Rows(int(start), int(stride), int(count), int(block))


def _read_attributes(item: Any) -> tuple[dict[str, Array], bool]:
    """Values by name, and whether one is text of variable length."""
    found = [h5a.open(item, index=i) for i in range(h5a.get_num_attrs(item))]
    values = {a.name.decode(): _value(a, a.read) for a in found}
    return {name: value for name, (value, _) in values.items()}, any(v for _, v in values.values())


def _value(item: Any, read_into: Any) -> tuple[Array, bool]:
    """What a data set or an attribute holds, and whether it is text of variable length."""
    dtype = item.dtype
    variable = dtype.kind == "O"
    into: Array = np.empty(item.shape or (), dtype=dtype)
    if into.size:
        read_into(into)
    if variable:
        texts = [v if isinstance(v, bytes) else str(v).encode() for v in into.reshape(-1)]
        return np.array(texts or [b""], dtype=np.bytes_).reshape(into.shape), True
    return into.astype(f"S{dtype.itemsize}") if dtype.kind == "S" else into, False
