"""Columns of NDAttributes in a capture's meta file, as NDFileHDF5 lays them out.

One extendable dataset an attribute with ``NDAttrName``, ``NDAttrDescription``, ``NDAttrSourceType`` and
``NDAttrSource``, and the four that NDFileHDF5 stores of every frame. A constant is a fill value: it reads as
one value a frame and takes no room.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from layouts.attributes import RESERVED, AttributeType
from layouts.raw.names import Meta
from writer.attribute_messages import Attribute, AttributeValues, PerFrame
from writer.attributes import AttributeBook, Write, as_type, fill
from writer.frame_statistics import FrameStatistics

_EPICS_EPOCH: Final = 631_152_000
"""Seconds from 1970 to 1990."""
_CHUNK_BYTES: Final = 8192
"""A flush writes whole chunks: large ones cost, small ones make reading slow."""
_SAMPLED: Final = "last value that its monitor gave before the end of the exposure"
_DRIVER: Final = ("NDAttrSourceDriver", "Driver")
_OWN: Final = tuple(
    Attribute(
        name=name,
        value_type=kind,
        description=text,
        source_type=_DRIVER[0],
        source=_DRIVER[1],
        per_frame=what,
        value=0,
    )
    for name, kind, text, what in (
        (RESERVED[0], AttributeType.INT32, "Number of the frame in the capture, from 0", PerFrame.PLACE),
        (RESERVED[1], AttributeType.FLOAT64, "Arrival in seconds since 1990 (UTC)", PerFrame.STAMP),
        (RESERVED[2], AttributeType.UINT32, "Arrival: whole seconds since 1990 (UTC)", PerFrame.SECONDS),
        (RESERVED[3], AttributeType.UINT32, "Arrival: nanoseconds of its second", PerFrame.NANOSECONDS),
    )
)
_COLOR: Final = Attribute(
    name="ColorMode",
    value_type=AttributeType.INT32,
    description="Color mode: 0 is Mono",
    source_type=_DRIVER[0],
    source=_DRIVER[1],
    constant=True,
    value=0,
)


class AttributeColumns:
    """The datasets of one capture's attributes.

    Args:
        file: The meta file; not in SWMR mode yet.
        attributes: Of the capture, beside what is stored of every frame.
        statistics: Computes those that are.
    """

    def __init__(
        self,
        file: h5py.File,
        attributes: Sequence[Attribute],
        statistics: FrameStatistics | None = None,
    ) -> None:
        self._statistics = statistics
        self._attributes = (*_OWN, *attributes)
        self._book = AttributeBook(self._attributes)
        group = _collection(file, Meta.ATTRIBUTES)
        self._columns = [_create(group, each) for each in self._attributes]
        self._ids = [(data.id, data.id.get_type()) for data in self._columns]
        self._color = _create(_collection(file, Meta.DETECTOR_ATTRIBUTES), _COLOR)
        self._extent = 0

    def resize(self, rows: int) -> None:
        """Give every column so many rows."""
        for data in (*self._columns, self._color):
            data.resize(rows, axis=0)
        self._extent = rows

    def note(self, values: AttributeValues) -> None:
        """Keep what has changed until the next flush."""
        own = len(_OWN)
        self._book.note([(index + own, when, value) for index, when, value in values.changes], values.ends)

    def take(self, table: Mapping[str, NDArray[np.int64]]) -> None:
        """Store the values of frames that came.

        Args:
            table: By field of ``Row``, shape (n,), in ascending order of places.
        """
        places = table["place"]
        counted = [
            Write(column, places, _counted(each, table))
            for column, each in enumerate(self._attributes)
            if each.per_frame and each.per_frame is not PerFrame.STATISTIC
        ]
        book = self._book.take(places, table["series"], table["stop_time"], table["arrival"])
        self._write([*counted, *book, *self._computed(places)])
        if self._statistics is not None:
            self._statistics.forget(places)

    def _computed(self, places: NDArray[np.int64]) -> list[Write]:
        if self._statistics is None:
            return []
        return [
            Write(column, places, self._statistics.values(each.statistic, places, each.value_type))
            for column, each in enumerate(self._attributes)
            if each.per_frame is PerFrame.STATISTIC
        ]

    def mend(self) -> bool:
        """Store again what was stored and has turned out to be otherwise.

        Returns:
            Whether there was anything.
        """
        wrong = self._book.mend()
        self._write(wrong)
        return bool(wrong)

    def _write(self, writes: list[Write]) -> None:
        places: NDArray[np.int64] | None = None
        runs: list[tuple[int, int, Any, Any]] = []
        for write in writes:
            if write.places is not places:
                places = write.places
                runs = self._runs(places)
            data, kind = self._ids[write.column]
            values = np.ascontiguousarray(write.values)
            for begin, end, memory, file in runs:
                data.write(memory, file, values[begin:end], kind)

    def _runs(self, places: NDArray[np.int64]) -> list[tuple[int, int, Any, Any]]:
        """Rows one behind the other, with their spaces in memory and file; the same for all columns."""
        breaks = [0, *(np.flatnonzero(np.diff(places) != 1) + 1).tolist(), places.size]
        found: list[tuple[int, int, Any, Any]] = []
        for begin, end in itertools.pairwise(breaks):
            file = h5py.h5s.create_simple((self._extent,))
            file.select_hyperslab((int(places[begin]),), (end - begin,))
            found.append((begin, end, h5py.h5s.create_simple((end - begin,)), file))
        return found


def _counted(attribute: Attribute, table: Mapping[str, NDArray[np.int64]]) -> NDArray[np.generic]:
    """What the worker counts, of the attribute's type."""
    seconds = table["arrival"] // 1_000_000_000 - _EPICS_EPOCH
    rest = table["arrival"] % 1_000_000_000
    match attribute.per_frame:
        case PerFrame.PLACE:
            found = table["place"] + int(attribute.value or 0)
        case PerFrame.FRAME:
            found = table["frame"]
        case PerFrame.STAMP:
            found = seconds + rest * 1e-9
        case PerFrame.SECONDS:
            found = seconds
        case _:
            found = rest
    return found.astype(attribute.value_type)


def _collection(file: h5py.File, name: str) -> h5py.Group:
    group = file.create_group(name)
    group.attrs["NX_class"] = np.bytes_("NXcollection")
    return group


def _create(group: h5py.Group, attribute: Attribute) -> h5py.Dataset:
    dtype = np.dtype(attribute.value_type)
    kind = attribute.value_type
    data = group.create_dataset(
        attribute.name,
        shape=(0,),
        maxshape=(None,),
        chunks=(max(64, _CHUNK_BYTES // dtype.itemsize),),
        dtype=dtype,
        fillvalue=as_type(attribute.value, kind) if attribute.constant else fill(kind),
    )
    about = {
        "NDAttrName": attribute.name,
        "NDAttrDescription": attribute.description,
        "NDAttrSourceType": attribute.source_type,
        "NDAttrSource": attribute.source,
        "sampled": "" if attribute.constant or attribute.per_frame else _SAMPLED,
    }
    for name, text in about.items():
        if text:  # as NDFileHDF5, which writes no empty ones
            coded = text.encode()
            data.attrs.create(name, coded, dtype=h5py.string_dtype("utf-8", len(coded)))
    return data
