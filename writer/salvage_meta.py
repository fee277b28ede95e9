"""What a meta file says after its writer has died, and a clean one made of it.

What lies in it is copied as it is, object by object; only the rows of frames that turn out to be there, or
not to be there, are put right. Nothing is invented: a frame whose row was lost has its place, and so its
series and number, but no times.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from collections.abc import Mapping as Attributes
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import h5py
import numpy as np
import orjson
from numpy.typing import NDArray

from layouts.raw.mapping import Mapping
from layouts.raw.names import About, Column, Meta, Stripe
from layouts.stream.messages import HeaderDetail, SeriesParameters, Start
from layouts.stream.parameters import parameters
from writer.give_name import give_name
from writer.meta_h5 import MetaFile
from writer.salvage import LIBVER, mapping_of, opened
from writer.share import say

_TROUBLE: Final = (OSError, RuntimeError, ValueError, KeyError)
_PER_FRAME: Final = (Meta.COLUMNS, Meta.ATTRIBUTES, Meta.DETECTOR_ATTRIBUTES)
"""Groups of data sets that have a row a frame."""
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A meta file, read.

    Attributes:
        detector: Name in the beamline file; empty if it does not say.
        mapping: How places are dealt to files.
        first_file: Name of the first raw file from its directory, where the rule does not give it.
        temp_suffix: Of raw files until the capture ends.
        ended: Places once the capture had ended; None if it had not.
        columns: By name, each as long as it is in the file.
        headers: Series numbers and what their start messages say, in order.
        pixel_mask: Name of the first mask that came.
        flatfield: Likewise.
        has_attributes: Whether there are NDAttributes.
        unreadable: Objects that could not be read.
    """

    detector: str
    mapping: Mapping
    first_file: str = ""
    temp_suffix: str = ""
    ended: int | None = None
    columns: dict[Column, Numbers]
    headers: tuple[tuple[int, SeriesParameters], ...] = ()
    pixel_mask: str | None = None
    flatfield: str | None = None
    has_attributes: bool = False
    unreadable: tuple[str, ...] = ()

    @property
    def stored(self) -> NDArray[np.bool_]:
        """Places whose frame was stored, as far as the file is long."""
        return self.columns[Column.STORED] == 1


def read_meta(path: Path) -> Known:
    """Read a meta file, whatever state it is in.

    Raises:
        OSError: It is no meta file, or nothing of it can be read.
    """
    bad: list[str] = []
    columns: dict[Column, Numbers] = {}
    try:
        with opened(path) as file:
            group = cast("h5py.Group", file[Meta.COLUMNS])
            stored = cast("h5py.Dataset", group[Column.STORED])
            ended = int(cast("Any", stored.attrs.get(About.ENDED, -1)))
            for column in Column:
                try:
                    columns[column] = np.asarray(cast("h5py.Dataset", group[column])[()]).astype(np.int64)
                except _TROUBLE:
                    if column is Column.STORED:
                        raise
                    bad.append(f"{Meta.COLUMNS}/{column}")
                    columns[column] = np.empty(0, np.int64)
            one = int(cast("Any", file.attrs.get(Stripe.IMAGES_PER_FILE, 0)))
            return Known(
                detector=str(file.attrs.get(About.DETECTOR, "")),
                mapping=mapping_of(group.attrs, one),
                first_file=str(file.attrs.get(About.FIRST_FILE, "")),
                temp_suffix=str(file.attrs.get(About.TEMP_SUFFIX, "")),
                ended=None if ended < 0 else ended,
                columns=columns,
                headers=tuple(_headers(file, bad)),
                pixel_mask=_first(file, Meta.MASKS),
                flatfield=_first(file, Meta.FLATFIELDS),
                has_attributes=Meta.ATTRIBUTES in file,
                unreadable=tuple(bad),
            )
    except (RuntimeError, ValueError, KeyError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise OSError(errno.EILSEQ, f"is no meta file that can be read: {why}", str(path)) from error


def _headers(file: h5py.File, bad: list[str]) -> Iterable[tuple[int, SeriesParameters]]:
    group = file.get(Meta.HEADERS)
    for name in sorted(group) if isinstance(group, h5py.Group) else ():
        try:
            said = orjson.loads(bytes(cast("Any", group)[name][0]))
            start = Start(
                version=said["version"],
                series=said["series"],
                detail=HeaderDetail(said["header_detail"]),
                config=said["config"],
            )
            yield start.series, parameters(start)
        except _TROUBLE:
            bad.append(f"{Meta.HEADERS}/{name}")


def _first(file: h5py.File, place: Meta) -> str | None:
    """Of arrays named by hash the one that came first: it stands first in the file."""
    group = file.get(place)
    if not isinstance(group, h5py.Group) or not len(group):
        return None
    return min(group, key=lambda name: cast("Any", h5py).h5o.get_info(cast("Any", group[name]).id).addr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of a capture as they are after all, each of shape (rows,).

    Attributes:
        sizes: Packed bytes of the frames that are there; -1 where none is.
        series: Number of the series; -1 where no frame is, 0 where nothing says it.
        frames: Number in the series; -1 where no frame is.
        found: Frames that had no row.
        lost: Rows that have no frame.
    """

    sizes: Numbers
    series: Numbers
    frames: Numbers
    found: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()


def put_right(known: Known | None, sizes: Numbers) -> Rows:
    """Bring rows and frames together.

    Args:
        known: The meta file; None if there is none.
        sizes: Packed bytes of the frames that are there, by place; -1 where none is.
    """
    rows = sizes.size
    there = sizes >= 0
    if known is None:
        frames = np.where(there, np.arange(rows), -1)
        found = tuple(np.flatnonzero(there).tolist())
        return Rows(sizes=sizes, series=np.where(there, 0, -1), frames=frames, found=found)
    stored = _of(known.stored.astype(np.int64), rows, 0) == 1
    series = np.where(stored & there, _of(known.columns[Column.SERIES], rows, -1), -1)
    frames = np.where(stored & there, _of(known.columns[Column.FRAME], rows, -1), -1)
    planned = {number: said.images for number, said in known.headers}
    for place in np.flatnonzero(there & ~stored).tolist():
        series[place], frames[place] = _inferred(place, stored, known, planned)
    return Rows(
        sizes=sizes,
        series=series,
        frames=frames,
        found=tuple(np.flatnonzero(there & ~stored).tolist()),
        lost=tuple(np.flatnonzero(stored & ~there).tolist()),
    )


def _inferred(
    place: int, stored: NDArray[np.bool_], known: Known, planned: dict[int, int | None]
) -> tuple[int, int]:
    """Series and number of a frame without a row: its place is that of its series and its number."""
    rows = np.flatnonzero(stored)
    if not rows.size:
        number = known.headers[0][0] if known.headers else 0
        return number, place
    before = rows[rows < place]
    near = int(before[-1]) if before.size else int(rows[0])
    series = int(known.columns[Column.SERIES][near])
    frame = int(known.columns[Column.FRAME][near]) + place - near
    images = planned.get(series)
    if images is not None and frame >= images:
        return series + 1, frame - images
    return (series, frame) if frame >= 0 else (0, place)


def _of(values: Numbers, rows: int, fill: int) -> Numbers:
    """The first rows of a column; filled where it is shorter."""
    found = np.full(rows, fill, np.int64)
    found[: values.size] = values[:rows]
    return found


def write_meta(
    source: Path | None, to: Path, rows: Rows, mapping: Mapping, about: Attributes[str, Any]
) -> None:
    """Make a clean meta file.

    Args:
        source: The one that is there; None if there is none to be read.
        to: The new one; must not exist. It has its name when it is whole.
        rows: What is known of the frames.
        mapping: How they are dealt to files.
        about: Attributes of the root that differ, or that no file says.

    Raises:
        FileExistsError: The new name is taken.
        OSError: It cannot be written.
    """
    if to.exists():
        raise FileExistsError(errno.EEXIST, "is there already", str(to))
    temporary = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        if source is None:
            MetaFile(temporary, about).finish(rows.sizes.size)
        else:
            _copy(source, temporary)
        with h5py.File(temporary, "r+", libver=LIBVER, locking=False) as file:
            file.attrs.update({**about, Stripe.IMAGES_PER_FILE: mapping.rows_per_file})
            say(file[Meta.COLUMNS], mapping)
            _amend(file, rows)
        give_name(temporary, to)
    finally:
        temporary.unlink(missing_ok=True)


def _copy(source: Path, to: Path) -> None:
    with opened(source) as old, h5py.File(to, "x", libver=LIBVER, locking=False) as new:
        new.attrs.update(dict(old.attrs))
        for name in old:
            group = cast("h5py.Group", old[name])
            made = new.create_group(name)
            made.attrs.update(dict(group.attrs))
            for each in group:
                try:
                    old.copy(group[each], made, name=each)
                except _TROUBLE:
                    # Said by ``Known.unreadable``; what a reader asks for must be there all the same.
                    made.pop(each, None)


def _amend(file: h5py.File, rows: Rows) -> None:
    count = rows.sizes.size
    for name in _PER_FRAME:
        group = file.get(name)
        for data in group.values() if isinstance(group, h5py.Group) else ():
            data.resize(count, axis=0)
    group = cast("h5py.Group", file[Meta.COLUMNS])
    there = rows.sizes >= 0
    values = {
        Column.STORED: there.astype(np.uint8),
        Column.SERIES: rows.series,
        Column.FRAME: rows.frames,
        Column.SIZE: np.where(there, rows.sizes, 0),
    }
    for column in Column:
        data = group.get(column)
        if not isinstance(data, h5py.Dataset):
            data = group.create_dataset(column, shape=(count,), maxshape=(None,), chunks=(1024,), dtype="<i8")
        if column in values:
            data[...] = values[column]
        else:
            data[...] = np.where(there, np.asarray(data[()]), 0)
    cast("h5py.Dataset", group[Column.STORED]).attrs[About.ENDED] = np.int64(count)
