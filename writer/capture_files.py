"""The files of one open capture: frames to the raw files, what is known of them to the meta file.

Order is what makes a live reader safe: frames are flushed first, their columns next, ``stored`` last.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import orjson

from layouts.beamline_pack import Pack
from layouts.beamline_storage import Durability
from layouts.raw import names
from layouts.raw.checksums import digest_of
from layouts.raw.mapping import Mapping
from layouts.raw.names import About, Meta, Stripe
from layouts.stream.messages import Start
from writer import control
from writer.capture_values import PixelFormat
from writer.frame_statistics import FrameStatistics, of_attributes
from writer.meta_h5 import MetaFile, Row
from writer.ownership import ownership
from writer.packing import Packing
from writer.raw_h5 import Added, RawFiles
from writer.raw_sink import RawSink
from writer.reports import RawFileReport
from writer.reserve import Reserve, check_room
from writer.stripes.stripes import Stripes
from writer.syncing import Syncing
from writer.write_errors import failure

_SIZE: Final = Row._fields.index("size")


class Lost(NamedTuple):
    """A frame that was stored, and is in no file after all."""

    place: int
    size: int


@dataclass(slots=True, kw_only=True)
class Arrays:
    """Names in the meta file of what came with start messages; those of the first series that had any."""

    pixel_mask: str | None = None
    flatfield: str | None = None


@dataclass(slots=True, kw_only=True)
class CaptureFiles:
    """Files of a capture.

    Args:
        order: What the coordinator asked for.
        on_added: Called with each raw file that is made.
        stripes: Where frames go that several storers store; those that came are in ``sent`` then, and
            whoever knows that readers can see one hands it on to ``rows``.

    Raises:
        WriteError: One cannot be made.
    """

    order: control.Capture
    on_added: Callable[[Added], None]
    stripes: Stripes | None = None
    arrays: Arrays = field(default_factory=Arrays)
    raw: RawSink = field(init=False)
    packing: Packing | None = field(init=False, default=None)
    """What frames go through that are packed here, if the order asks for that."""
    meta: MetaFile = field(init=False)
    statistics: FrameStatistics | None = field(init=False)
    """Looks at every frame, if the capture asks for that."""
    _reserve: Reserve = field(init=False)
    _syncing: Syncing | None = field(init=False, default=None)
    _flushed: int = 0
    """Frames that have left HDF5."""
    _closed: tuple[RawFileReport, ...] | None = None
    """What the files hold, once all are closed."""
    rows: list[bytes] = field(default_factory=list[bytes])
    """Packed, of each frame stored since the last flush."""
    sent: list[bytes] = field(default_factory=list[bytes])
    """Packed, of each frame sent to be stored."""

    def __post_init__(self) -> None:
        order = self.order
        self.statistics = of_attributes(order.attributes, order.previews)
        directory, keeping = Path(order.directory), order.keeping
        give = ownership(keeping).give
        if keeping.durability is not Durability.PAGE_CACHE:
            self._syncing = Syncing(keeping.durability, keeping.fsync_interval)
        files = RawFiles(
            directory,
            order.stem,
            rows_per_file=order.images_per_file,
            suffix=order.temp_suffix,
            first=None if order.single_file_name is None else Path(order.single_file_name),
            meta=None if order.attributes is None else directory / names.meta_file(order.stem),
            on_added=self.on_added,
            digest=digest_of(keeping.checksum),
            give=give,
            syncing=self._syncing,
        )
        self.raw = self.stripes or files
        if keeping.pack is not Pack.NONE and self.stripes is None:
            self.raw = self.packing = Packing(files, keeping.pack, keeping.pack_threads)
        self.raw.on_added = self.on_added
        try:
            self._reserve = Reserve(directory)
        except OSError as error:
            self._drop()
            raise failure(error, directory) from error
        path = directory / names.meta_file(order.stem)
        first = order.single_file_name
        about = {
            About.DETECTOR: order.detector,
            About.CAPTURE: order.capture,
            About.FIRST_FILE: "" if first is None else os.path.relpath(first, directory),
            About.TEMP_SUFFIX: order.temp_suffix,
            Stripe.IMAGES_PER_FILE: order.images_per_file,
        }
        try:
            self.meta = MetaFile(
                path,
                about,
                order.attributes,
                self.statistics,
                dealt=self._mapping,
                checksum=keeping.checksum,
                give=give,
            )
        except OSError:
            self._drop()
            self._reserve.release()
            raise
        try:
            if self._syncing is not None:
                self._syncing.add(path)
            if order.shape is not None and order.dtype is not None:
                self.raw.plan(order.num_capture)
                self.raw.start(PixelFormat(order.shape, order.dtype, order.codec))
        except OSError:
            self.discard()
            raise

    def start(self, start: Start) -> None:
        """Keep a start message: its values, masks, flatfields and count-rate table."""
        said = {
            "version": start.version,
            "series": start.series,
            "unique_id": start.unique_id,
            "header_detail": start.detail,
            "config": start.config,
            "appendix": start.appendix,
        }
        self.meta.add_header(start.series, orjson.dumps(said, default=_said, option=orjson.OPT_NON_STR_KEYS))
        masks = [self.meta.add_array(Meta.MASKS, array) for array in start.pixel_mask.values()]
        flats = [self.meta.add_array(Meta.FLATFIELDS, array) for array in start.flatfield.values()]
        if start.countrate_table is not None:
            self.meta.add_array(Meta.COUNTRATE_TABLES, start.countrate_table)
        if self.arrays.pixel_mask is None and masks:
            self.arrays.pixel_mask = masks[0]
        if self.arrays.flatfield is None and flats:
            self.arrays.flatfield = flats[0]

    def plan(self, rows: int) -> None:
        """Give the files room for so many places.

        Raises:
            WriteError: The system refuses.
        """
        self.raw.plan(rows)
        self.meta.plan(rows)

    def write(self, row: Row, chunk: bytes | memoryview) -> None:
        """Store a frame; readers see it after the next flush.

        Raises:
            WriteError: It cannot be stored.
        """
        self.raw.write(row.place, chunk)
        (self.sent if self.raw.defers else self.rows).append(row.packed)
        if self.statistics is not None and self.raw.format is not None:
            self.statistics.take(row.place, self.raw.format, chunk)

    def refused(self) -> None:
        """A frame that was stored directly was not taken; it will be tried again."""
        if isinstance(self.raw, RawFiles | Packing):
            self.raw.renew()

    def flush(self) -> None:
        """Let readers see what was written, and look at what room there is for more.

        Raises:
            WriteError: The system refuses, or there is too little.
        """
        self._flush()
        floor = self.order.keeping.floor
        if floor:
            check_room(Path(self.order.directory), floor)

    def finish(self, rows: int) -> tuple[RawFileReport, ...]:
        """Trim and close all files; ``is_settled`` says when they are as safe as the order asks for.

        Raises:
            WriteError: One could not be: ``save`` and ``abandon`` what is still open.
        """
        self._reserve.release()
        self._flush()
        reports = self.raw.finish(rows)
        self.meta.finish(rows)
        self._closed = self._reports(reports)
        if self._syncing is not None:
            self._syncing.finish(Path(self.order.directory))
        return self._closed

    def is_settled(self, within: float = 0.0) -> bool:
        """Whether closed files are as safe as the order asks for.

        Args:
            within: Seconds to wait for it.

        Raises:
            WriteError: They are not, and will not be.
        """
        return self._syncing is None or self._syncing.is_settled(within)

    def discard(self) -> None:
        """Close and remove all files, as nothing is in them; never raises."""
        self._reserve.release()
        self._drop()
        self.raw.discard()
        self.meta.abandon()
        self.meta.path.unlink(missing_ok=True)
        self.rows.clear()

    def save(self) -> list[Lost]:
        """After an error: bring to the disk what HDF5 still holds.

        Returns:
            Frames that are in no file after all; never raises.
        """
        if self.stripes is None:  # storers would take the room for what is still on its way
            self._reserve.release()
        self._drop()
        if self._closed is not None:
            return []
        table = np.frombuffer(b"".join(self.rows), np.int64).reshape(-1, len(Row._fields))
        sizes = dict(zip(table[:, 0].tolist(), table[:, _SIZE].tolist(), strict=True))
        lost = self.raw.save(sizes)
        kept = [int(place) not in lost for place in table[:, 0]]
        self.rows[:] = itertools.compress(self.rows, kept)
        return [Lost(place, sizes[place]) for place in sorted(lost)]

    def abandon(self, high: int) -> tuple[RawFileReport, ...]:
        """Close all files after an error, trimmed to the places below ``high``; never raises."""
        if self._closed is None:
            self._closed = self._reports(self.raw.abandon(high))
            self._reserve.release()
            self.meta.save(self.rows, self.raw.sums, high)
            self.rows.clear()
        return self._closed

    # ------------------------------------------------------------ inside

    def _flush(self) -> None:
        self.raw.flush()
        self.record()
        if self._syncing is not None:
            self._syncing.flushed(self._flushed)

    def record(self) -> None:
        """Write down what is known of frames that readers can see.

        Raises:
            WriteError: The system refuses.
        """
        if self.rows:
            self.meta.write(self.rows, self.raw.sums)
            self._flushed += len(self.rows)
            self.rows.clear()
            self.raw.sums.clear()
        else:
            self.meta.mend()

    @property
    def _mapping(self) -> Mapping:
        if self.stripes is not None:
            return self.stripes.mapping
        return Mapping(rows_per_file=self.order.images_per_file)

    def _reports(self, files: Sequence[tuple[Path, int]]) -> tuple[RawFileReport, ...]:
        rank = (lambda _path: 0) if self.stripes is None else self.stripes.rank_of
        return tuple(RawFileReport(path=str(path), rows=rows, worker=rank(path)) for path, rows in files)

    def _drop(self) -> None:
        if self._syncing is not None:
            self._syncing.drop()


def _said(value: object) -> object:
    """What JSON has no form for: an appendix that is bytes, or anything a detector may put there."""
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
