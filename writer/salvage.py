"""Frames out of a raw file whose writer has died, into a file of the same layout that anybody can open.

The file itself is only read; in what HDF5 gets to see of it, the marks of its writer are taken off the
superblock and the end of file is where it is. ``h5clear`` is no help: the end that a killed writer has noted
is stale, and a file cut there has lost its frames.
"""

from __future__ import annotations

import errno
import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import h5py
import numpy as np
from numpy.typing import NDArray

import layouts.filters_h5  # noqa: F401  registers the filters that the chunks name
from layouts.raw import names
from layouts.raw.mapping import Location, Mapping
from layouts.raw.names import Stripe
from layouts.stream.codecs import codec_of, hdf5_filter
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, Payload
from layouts.stream.payloads import check_blocks
from writer.capture_values import PixelFormat
from writer.give_name import give_name
from writer.mend_h5 import checksum

LIBVER: Final = ("v110", "v110")
_TROUBLE: Final = (OSError, RuntimeError, ValueError, KeyError)
_SUPERBLOCK: Final = 48
"""Bytes of it, in files with addresses of 8 bytes, version 3: all that SWMR writes."""
_FLAGS, _END, _SUM = 11, 28, 44
"""Where in it the marks of a writer are, the end of the file, and the checksum of what stands before that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What was in a raw file.

    Attributes:
        source: The file it was in.
        path: The file it is in now.
        pixels: What the frames look like.
        sizes: Packed bytes of each row, shape (rows,); -1 where no frame is.
        broken: Rows whose frame is there but damaged; they are left out.
    """

    source: Path
    path: Path
    pixels: PixelFormat
    sizes: NDArray[np.int64]
    broken: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """Rows of the new file."""
        return self.sizes.size

    @property
    def frames(self) -> int:
        """Rows that have a frame."""
        return int((self.sizes >= 0).sum())

    @property
    def missing(self) -> tuple[int, ...]:
        """Rows that have none."""
        return tuple(np.flatnonzero(self.sizes < 0).tolist())


def is_closed(path: Path) -> bool:
    """Whether a file bears no mark of a writer.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        block = file.read(_SUPERBLOCK)
    return len(block) == _SUPERBLOCK and block[:4] == b"\x89HDF" and (block[8] < 3 or not block[_FLAGS])


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """A file for reading, whatever its writer left of it.

    Raises:
        OSError: It is no HDF5 file, or is damaged where HDF5 begins to read.
    """
    # Not with swmr=True: a file that was cut short opens so, and HDF5 then reads it for ever.
    file = h5py.File(path if is_closed(path) else _Unmarked(path), "r")
    try:
        yield file
    finally:
        file.close()


class _Unmarked(io.RawIOBase):
    """A file as HDF5 would have left it: read-only, with another superblock in front."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        front = bytearray(self._file.read(_SUPERBLOCK))
        if len(front) == _SUPERBLOCK:
            front[_FLAGS] = 0
            struct.pack_into("<Q", front, _END, os.fstat(self._file.fileno()).st_size)
            struct.pack_into("<I", front, _SUM, checksum(bytes(front[:_SUM])))
        self._front = bytes(front)
        self._file.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        at = self._file.tell()
        count = self._file.readinto(view)
        # HDF5 asks again and again for what lies beyond the end.
        view[count:] = bytes(len(view) - count)
        if at < _SUPERBLOCK:
            front = self._front[at : at + len(view)]
            view[: len(front)] = front
        return len(view)

    def close(self) -> None:
        self._file.close()
        super().close()


def salvage_file(path: Path, to: Path, *, rows: int | None = None, meta: str | None = None) -> Salvaged:
    """Copy every frame that can be read from a raw file, as packed as it is, into a new one.

    Args:
        path: The raw file; it is not touched.
        to: The new file; must not exist. It has its name when it is whole.
        rows: Of the new file; up to the last frame unless given.
        meta: Name of the meta file that the new file's links to NDAttributes lead to; None leaves them out.

    Raises:
        FileExistsError: The new name is taken.
        OSError: The file cannot be read, or the new one not be written.
    """
    _refuse(to)
    temporary = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        with opened(path) as source:
            data = _frames(source, path)
            found = chunks(data, path)
            wanted = max(found, default=-1) + 1 if rows is None else rows
            with h5py.File(temporary, "x", libver=LIBVER, locking=False) as file:
                target = _like(file, data, wanted)
                sizes, broken = _copy(data, target, sorted(row for row in found if row < wanted))
                _dress(source, file, meta)
            pixels = pixel_format(data)
        _sync(temporary)
        give_name(temporary, to)
    finally:
        temporary.unlink(missing_ok=True)
    return Salvaged(source=path, path=to, pixels=pixels, sizes=sizes, broken=tuple(broken))


def stand_in(to: Path, like: Path, rows: int, low: int) -> None:
    """A raw file without frames, in place of one that is lost; all in it reads as masked.

    Args:
        to: The new file; must not exist.
        like: A raw file of the same capture.
        rows: Of it.
        low: Number of its first frame, from 1.

    Raises:
        OSError: The new name is taken, or it cannot be written.
    """
    _refuse(to)
    temporary = to.with_name(f".{to.name}.{os.getpid()}.tmp")
    try:
        with opened(like) as source, h5py.File(temporary, "w", libver=LIBVER, locking=False) as file:
            _like(file, _frames(source, like), rows, low)
        give_name(temporary, to)
    finally:
        temporary.unlink(missing_ok=True)


def chunks(data: h5py.Dataset, path: Path) -> dict[int, int]:
    """Bytes of each row that has a chunk which lies inside the file."""
    found: dict[int, int] = {}
    end = path.stat().st_size

    def note(info: Any) -> None:
        if info.byte_offset + info.size <= end and not info.filter_mask:
            found[int(info.chunk_offset[0])] = int(info.size)

    cast("Any", data.id).chunk_iter(note)
    return {row: size for row, size in found.items() if row < data.shape[0]}


def pixel_format(data: h5py.Dataset) -> PixelFormat:
    """What the frames of a raw file look like.

    Raises:
        OSError: No frames of ours: a filter that no detector's stream has.
    """
    plist = cast("Any", data.id).get_create_plist()
    filters = [plist.get_filter(i) for i in range(plist.get_nfilters())]
    codecs = [codec_of(number, options) for number, _, options, _ in filters]
    if len(filters) > 1 or None in codecs:
        found = [number for number, *_ in filters]
        raise OSError(errno.EILSEQ, f"frames are packed with HDF5 filters {found}")
    _, slow, fast = data.shape
    codec = codecs[0] if codecs else None
    return PixelFormat((slow, fast), data.dtype.name, codec or Codec.NONE)


def _frames(source: h5py.File, path: Path) -> h5py.Dataset:
    data = source.get(names.DATA)
    if not isinstance(data, h5py.Dataset) or data.ndim != 3 or data.chunks is None or data.chunks[0] != 1:
        raise OSError(errno.EILSEQ, f"holds no frames in {names.DATA}, one chunk each", str(path))
    return data


def is_raw(path: Path) -> bool:
    """Whether a file is a raw file: frames of its own, one chunk each, with their numbers."""
    try:
        with opened(path) as file:
            return "image_nr_low" in _frames(file, path).attrs
    except _TROUBLE:
        return False


def _copy(data: h5py.Dataset, target: h5py.Dataset, rows: list[int]) -> tuple[NDArray[np.int64], list[int]]:
    pixels = pixel_format(data)
    sizes = np.full(target.shape[0], -1, np.int64)
    broken: list[int] = []
    for row in rows:
        try:
            mask, chunk = cast("Any", data.id).read_direct_chunk((row, 0, 0))
        except _TROUBLE:
            broken.append(row)
            continue
        if not is_whole(pixels, chunk):
            broken.append(row)
            continue
        cast("Any", target.id).write_direct_chunk((row, 0, 0), chunk, mask)
        sizes[row] = len(chunk)
    return sizes, broken


def is_whole(pixels: PixelFormat, chunk: bytes) -> bool:
    """Whether a chunk has the form of a packed frame: zeros, as a power cut leaves them, have not."""
    if pixels.codec is Codec.NONE:
        return len(chunk) == int(np.prod(pixels.shape)) * np.dtype(pixels.dtype).itemsize
    payload = Payload(
        channel="threshold_1", shape=pixels.shape, dtype=pixels.dtype, codec=pixels.codec, data=chunk
    )
    try:
        check_blocks(payload)
    except (StreamError, struct.error):
        return False
    return True


def _like(file: h5py.File, data: h5py.Dataset, rows: int, low: int | None = None) -> h5py.Dataset:
    """An empty data set of the same kind, attributes included."""
    pixels = pixel_format(data)
    # Not with the old one's creation properties: bitshuffle adds to its parameters each time they are used.
    known = hdf5_filter(pixels.codec)
    packed: dict[str, Any] = {} if known is None else {"compression": known[0], "compression_opts": known[1]}
    target = file.create_dataset(
        names.DATA,
        shape=(rows, *pixels.shape),
        maxshape=(None, *pixels.shape),
        chunks=(1, *pixels.shape),
        dtype=data.dtype,
        fillvalue=data.fillvalue,
        **packed,
    )
    for name, value in data.attrs.items():
        target.attrs.create(name, value)
    first = int(cast("Any", data.attrs.get("image_nr_low", 1))) if low is None else low
    target.attrs["image_nr_low"] = np.int32(first)
    target.attrs["image_nr_high"] = np.int32(last_place(data, first - 1, rows) + 1)
    return target


def mapping_of(attributes: Any, rows_per_file: int = 0) -> Mapping:
    """How places are dealt, as a raw file's data set or a meta file's group of columns says it."""
    return Mapping(
        rows_per_file=int(attributes.get(Stripe.IMAGES_PER_FILE, rows_per_file)),
        workers=int(attributes.get(Stripe.WORKERS, 1)),
        block=int(attributes.get(Stripe.FRAMES_PER_BLOCK, 1)),
    )


def last_place(data: h5py.Dataset, first: int, rows: int) -> int:
    """The place of the last row of a file, of which the first is known."""
    if not rows:
        return first - 1
    mapping = mapping_of(data.attrs)
    worker, index = mapping.index(first)
    return Mapping(workers=mapping.workers, block=mapping.block).place(Location(worker, 0, index + rows - 1))


def _dress(source: h5py.File, file: h5py.File, meta: str | None) -> None:
    """What else clients find in the first raw file of a capture."""
    for place in names.CLASSES:
        group = source.get(place)
        if isinstance(group, h5py.Group):
            made = file.require_group(place)
            for name, value in group.attrs.items():
                made.attrs.create(name, value)
    if source.get(f"{names.DETECTOR}/data", getlink=True) is not None:
        file[f"{names.DETECTOR}/data"] = file[names.DATA]
    for place, target in names.attribute_links().items():
        if meta is not None and isinstance(source.get(place, getlink=True), h5py.ExternalLink):
            file[place] = h5py.ExternalLink(meta, target)


def _refuse(path: Path) -> None:
    if path.exists():
        raise FileExistsError(errno.EEXIST, "is there already", str(path))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
