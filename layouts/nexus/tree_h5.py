# pyright: standard
"""Trees to HDF5 files and back.

Files are of HDF5 1.10 (``libver=('v110', 'v110')``): what is newer, half of the field cannot open.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import h5py
import numpy as np

from layouts.nexus.tree import (
    Array,
    ExternalLink,
    Field,
    Group,
    HardLink,
    Link,
    Node,
    SoftLink,
    Stretch,
    Virtual,
)

LIBVER = ("v110", "v110")


def write(path: Path, root: Group) -> None:
    """Write a tree to a new file.

    Args:
        path: Must not exist yet.
        root: The file's root group.

    Raises:
        FileExistsError: There is something of that name.
        OSError: It cannot be written.
    """
    with h5py.File(path, "x", libver=LIBVER) as file:
        later: list[tuple[Any, str, HardLink]] = []
        _attributes(file, root.attributes)
        _members(file, root, later)
        for parent, name, link in later:
            parent[name] = file[link.path]


def _members(parent: Any, group: Group, later: list[tuple[Any, str, HardLink]]) -> None:
    for name, node in group.members.items():
        if isinstance(node, Group):
            made = parent.create_group(name)
            _attributes(made, node.attributes)
            _members(made, node, later)
        elif isinstance(node, Field):
            made = parent.create_dataset(name, data=node.value, dtype=_type(node.value))
            _attributes(made, node.attributes)
        elif isinstance(node, Virtual):
            _attributes(_virtual(parent, name, node), node.attributes)
        elif isinstance(node, SoftLink):
            parent[name] = h5py.SoftLink(node.path)
        elif isinstance(node, ExternalLink):
            parent[name] = h5py.ExternalLink(node.file, node.path)
        else:
            later.append((parent, name, node))


def _virtual(parent: Any, name: str, node: Virtual) -> Any:
    layout = h5py.VirtualLayout(shape=node.shape, dtype=node.dtype)
    for s in node.stretches:
        source = h5py.VirtualSource(s.file, s.path, shape=(s.extent, *node.shape[1:]), dtype=node.dtype)
        layout[s.at : s.at + s.stop - s.start] = source[s.start : s.stop]
    return parent.create_virtual_dataset(name, layout, fillvalue=node.fill)


def _type(value: Array) -> Any:
    """UTF-8 only where ASCII does not do."""
    if value.dtype.kind == "S" and any(not bytes(v).isascii() for v in value.reshape(-1)):
        return h5py.string_dtype("utf-8", value.dtype.itemsize)
    return value.dtype


def _attributes(item: Any, values: Mapping[str, Array]) -> None:
    for name, value in values.items():
        item.attrs.create(name, value, dtype=_type(value))


def read(path: Path) -> Group:
    """Read a file as a tree; external links and the sources of virtual data sets stay unread.

    Data sets of a VDS kind keep their mappings; whatever else is read whole, so this is for masters.

    Raises:
        OSError: It is missing, no HDF5 file, or damaged.
    """
    with h5py.File(path, "r") as file:
        return _read_group(file, _first_names(file))


def _first_names(file: Any) -> dict[Any, str]:
    """Of each data set with several names, the one nearest to the root."""
    names: dict[Any, list[str]] = {}

    def look(group: Any) -> None:
        for name in group:
            if isinstance(group.get(name, getlink=True), h5py.HardLink):
                item = group[name]
                path = f"{group.name.rstrip('/')}/{name}"
                if isinstance(item, h5py.Group):
                    look(item)
                else:
                    names.setdefault(_address(item), []).append(path)

    look(file)
    return {key: min(paths, key=lambda p: (p.count("/"), p)) for key, paths in names.items()}


def _address(item: Any) -> Any:
    info = cast("Any", h5py).h5o.get_info(item.id)
    return info.fileno, info.addr


def _read_group(item: Any, first: dict[Any, str]) -> Group:
    members: dict[str, Node] = {}
    for name in item:
        link = item.get(name, getlink=True)
        if isinstance(link, h5py.SoftLink):
            members[name] = SoftLink(path=link.path)
        elif isinstance(link, h5py.ExternalLink):
            members[name] = ExternalLink(file=link.filename, path=link.path)
        else:
            members[name] = _read_object(item[name], f"{item.name.rstrip('/')}/{name}", first)
    return Group(attributes=_read_attributes(item), variable=_has_variable(item), members=members)


def _read_object(item: Any, path: str, first: dict[Any, str]) -> Node | Link:
    if isinstance(item, h5py.Group):
        return _read_group(item, first)
    if first[_address(item)] != path:
        return HardLink(path=first[_address(item)])
    if item.is_virtual:
        return _read_virtual(item)
    plist = item.id.get_create_plist()
    return Field(
        value=_plain(item[()]),
        attributes=_read_attributes(item),
        chunks=item.chunks,
        filters=tuple(plist.get_filter(i)[0] for i in range(plist.get_nfilters())),
        variable=_is_variable(item.dtype) or _has_variable(item),
    )


def _read_virtual(item: Any) -> Virtual:
    stretches: list[Stretch] = []
    for mapping in item.virtual_sources():
        (first, *_), (last, *_) = mapping.vspace.get_select_bounds()
        (start, *_), (stop, *_) = mapping.src_space.get_select_bounds()
        if mapping.vspace.get_select_npoints() != (last - first + 1) * int(np.prod(item.shape[1:])):
            raise OSError(
                f"{item.file.filename}:{item.name}: a mapping that is no plain stretch of rows; "
                "nothing here writes or reads such, map it row by row"
            )
        extent = mapping.src_space.get_simple_extent_dims()[0]
        stretches.append(
            Stretch(
                file=mapping.file_name,
                path=mapping.dset_name,
                extent=int(extent),
                start=int(start),
                stop=int(stop) + 1,
                at=int(first),
            )
        )
    return Virtual(
        shape=tuple(item.shape),
        dtype=item.dtype.name,
        fill=int(item.fillvalue),
        stretches=tuple(sorted(stretches, key=lambda s: s.at)),
        attributes=_read_attributes(item),
        variable=_has_variable(item),
    )


def _is_variable(dtype: Any) -> bool:
    info = h5py.check_string_dtype(dtype)
    return info is not None and info.length is None


def _has_variable(item: Any) -> bool:
    return any(_is_variable(item.attrs.get_id(name).dtype) for name in item.attrs)


def _read_attributes(item: Any) -> dict[str, Array]:
    return {name: _plain(item.attrs[name]) for name in item.attrs}


def _plain(value: Any) -> Array:
    """What h5py gives as an array of bytes or numbers."""
    if isinstance(value, str):
        return np.array(value.encode() or b"\0", dtype=np.bytes_)
    found: Array = np.asarray(value)
    if found.dtype.kind == "O":
        texts = [v if isinstance(v, bytes) else str(v).encode() for v in found.reshape(-1)]
        return np.array(texts, dtype=np.bytes_).reshape(found.shape)
    return found.astype(f"S{found.dtype.itemsize}") if found.dtype.kind == "S" else found
