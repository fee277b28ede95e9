"""Follows a capture while it is written: which frames can be read now, and the frames themselves.

Trusts only the meta file's ``stored``, which the writer flushes after the frames, and never a shape: files
have room for frames long before these come. Nothing is done at import and nothing survives a fork but the
open files, so that it works in any child process; one thread at a time.

>>> with Follower(Path("sweep_EIG1_meta.h5")) as follower:
...     for new in follower.follow(timeout=60):
...         for place in new.places:
...             process(place, follower.frame(place))
"""

# pyright: standard
from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
from numpy.typing import NDArray

from layouts.raw import names
from layouts.raw.growing import Growing, OpenTwiceError, growing
from layouts.raw.mapping import Location, Mapping
from layouts.raw.names import About, Column, Meta, Stripe

Numbers = NDArray[np.int64]
_KEPT_OPEN: Final = 4
"""Raw files open at a time, beyond one for each worker."""
_PATIENCE: Final = 2.0
"""Seconds for which a raw file may be out of reach: the writer opens it again, or gives it its name."""
_PAUSE: Final = 0.005
_WANTED: Final = (Column.SERIES, Column.FRAME, Column.SIZE, Column.ARRIVAL)


class FollowError(OSError):
    """A frame that was there cannot be read; says which, and why."""


class FollowState(StrEnum):
    """How far a capture is."""

    WAITING = "waiting"
    """No frame yet: there is no meta file, or the writer still makes it."""
    GROWING = "growing"
    ENDED = "ended"
    """No frame comes any more, and all files are closed."""
    GONE = "gone"
    """The files were removed or replaced before the capture ended: nothing was in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFrames:
    """Frames that can be read since the last look, by place; arrays of the same length, shape (n,).

    Attributes:
        places: Rows of the capture, ascending.
        series: Numbers of their series.
        frames: Numbers in their series, from 0.
        sizes: Bytes as stored.
        arrivals: When the writer took them from the socket, ns since 1970.
    """

    places: Numbers
    series: Numbers
    frames: Numbers
    sizes: Numbers
    arrivals: Numbers

    def __len__(self) -> int:
        return self.places.size


_NOTHING: Final = NewFrames(**dict.fromkeys(NewFrames.__dataclass_fields__, np.empty(0, np.int64)))


class Follower:
    """One capture of one detector, as it grows.

    Args:
        meta_path: Its meta file, which need not be there yet.

    Attributes:
        state: As of the last poll.
        rows: Places of the capture, once it has ended.
        problem: Why there was nothing to see at the last poll; empty if that is in order.
    """

    def __init__(self, meta_path: Path) -> None:
        self.meta_path: Final = meta_path
        self.state = FollowState.WAITING
        self.rows: int | None = None
        self.problem = ""
        self._stem = names.stem_of(meta_path.name)
        self._meta: Growing | None = None
        self._inode: tuple[int, int] | None = None
        self._mapping = Mapping()
        self._first, self._suffix = "", ""
        self._sizes = np.full(0, -1, np.int64)
        """Bytes of each place; -1 where no frame is."""
        self._mark = 0
        """Every place below has its frame."""
        self._polls = 0
        self._raw: dict[tuple[int, int], tuple[Growing, int]] = {}
        """By worker and file, with the poll after which it was refreshed; the last used at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all files; what was seen is kept."""
        self._meta = None
        self._raw.clear()

    @property
    def is_over(self) -> bool:
        """Whether nothing comes any more."""
        return self.state in (FollowState.ENDED, FollowState.GONE)

    @property
    def seen(self) -> Numbers:
        """Places of all frames that can be read, ascending."""
        return np.flatnonzero(self._sizes >= 0)

    @property
    def missing(self) -> Numbers:
        """Places without a frame below the last one that has any, or of the whole capture once it has ended.

        Before the end they may still come: series overlap, and workers are not equally fast.
        """
        found = self.seen
        last = self.rows if self.rows is not None else int(found[-1]) + 1 if found.size else 0
        return np.setdiff1d(np.arange(last), found)

    # ------------------------------------------------------------ what is new

    def poll(self) -> NewFrames:
        """Frames that can be read and were not told yet; never waits.

        Raises:
            OpenTwiceError: Somebody in this process has the meta file open too.
        """
        if self.is_over:
            return _NOTHING
        try:
            new = self._look()
            self.problem = ""
        except OpenTwiceError:
            raise
        except (OSError, RuntimeError, KeyError) as error:
            # As long as the writer makes the file, or opens it again for its last words.
            self.problem = (str(error).splitlines() or [type(error).__name__])[0]
            self._meta = None
            new = _NOTHING
        if not self.is_over and self._inode is not None and _inode(self.meta_path) != self._inode:
            self.state, self._meta = FollowState.GONE, None
        return new

    def follow(self, *, interval: float = 0.02, timeout: float | None = None) -> Iterator[NewFrames]:
        """All frames as they come, until the capture is over.

        Args:
            interval: Seconds between two looks.
            timeout: Seconds without any new frame after which to give up; None waits for ever.

        Raises:
            TimeoutError: Nothing came for so long: the writer may be dead, see ``softbeam salvage``.
            OpenTwiceError: Somebody in this process has the meta file open too.
        """
        heard = time.monotonic()
        while True:
            new = self.poll()
            if len(new):
                yield new
                heard = time.monotonic()
            elif self.is_over:
                return
            elif timeout is not None and time.monotonic() - heard > timeout:
                why = f" ({self.problem})" if self.problem else ""
                raise TimeoutError(f"{self.meta_path}: {self.state}, and nothing came for {timeout:g} s{why}")
            if not len(new):
                time.sleep(interval)

    def _look(self) -> NewFrames:
        meta = self._meta
        if meta is None:
            meta = self._meta = growing(self.meta_path)
            self._learn(meta)
        # First of all: what is stored now has its other columns and its frame flushed before.
        column = meta.refresh(_path(Column.STORED))
        ended = int(cast("Any", column.attrs.get(About.ENDED, -1)))
        stored = np.asarray(column[self._mark :]) == 1
        if self._sizes.size < self._mark + stored.size:
            room = np.full(self._mark + stored.size - self._sizes.size, -1, np.int64)
            self._sizes = np.concatenate([self._sizes, room])
        places = self._mark + np.flatnonzero(stored & (self._sizes[self._mark :][: stored.size] < 0))
        new = self._row(meta, places)
        self._polls += 1
        self.state = FollowState.GROWING
        if ended >= 0:
            self.state, self.rows = FollowState.ENDED, ended
        return new

    def _row(self, meta: Growing, places: Numbers) -> NewFrames:
        if not places.size:
            return _NOTHING
        low, high = int(places[0]), int(places[-1]) + 1
        values = [np.asarray(meta.refresh(_path(c))[low:high])[places - low] for c in _WANTED]
        series, frames, sizes, arrivals = values
        self._sizes[places] = sizes
        below = np.flatnonzero(self._sizes[self._mark :] < 0)
        self._mark = self._mark + int(below[0]) if below.size else self._sizes.size
        return NewFrames(places=places, series=series, frames=frames, sizes=sizes, arrivals=arrivals)

    def _learn(self, meta: Growing) -> None:
        """What the file says of itself; it was made before the file was opened for readers."""
        one = meta.attribute("/", Stripe.IMAGES_PER_FILE, 0)
        self._mapping = Mapping(
            rows_per_file=int(meta.attribute(Meta.COLUMNS, Stripe.IMAGES_PER_FILE, one)),
            workers=int(meta.attribute(Meta.COLUMNS, Stripe.WORKERS, 1)),
            block=int(meta.attribute(Meta.COLUMNS, Stripe.FRAMES_PER_BLOCK, 1)),
        )
        self._first = str(meta.attribute("/", About.FIRST_FILE, ""))
        self._suffix = str(meta.attribute("/", About.TEMP_SUFFIX, ""))
        self._inode = meta.inode

    # ------------------------------------------------------------ the frames

    def chunk(self, place: int) -> bytes:
        """A frame as it is stored, packed with the file's filter.

        Args:
            place: One that ``poll`` has told.

        Raises:
            KeyError: It has no frame, or none was told yet.
            FollowError: It cannot be read.
        """
        return self._read(place)[2]

    def frame(self, place: int) -> NDArray[Any]:
        """A frame's pixels, (slow, fast); errors as of ``chunk``."""
        raw, row, _ = self._read(place)
        return np.asarray(raw.dataset(names.DATA)[row])

    def _read(self, place: int) -> tuple[Growing, int, bytes]:
        size = int(self._sizes[place]) if 0 <= place < self._sizes.size else -1
        if size < 0:
            raise KeyError(f"{self.meta_path}: no frame at place {place}, or none was told yet")
        at = self._mapping.locate(int(place))
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._attempt(at, size)
            except OpenTwiceError as error:
                raise FollowError(0, f"frame at place {place}: {error.strerror}") from error
            except (OSError, RuntimeError, KeyError) as error:
                problem = (str(error).splitlines() or [type(error).__name__])[0]
            # What has gone wrong once in a file stays wrong until every handle of it is closed.
            self._raw.pop((at.worker, at.file), None)
            if time.monotonic() > deadline:
                raise FollowError(0, f"{self.path(at)}: frame at place {place} cannot be read: {problem}")
            time.sleep(_PAUSE)

    def _attempt(self, at: Location, size: int) -> tuple[Growing, int, bytes]:
        key = (at.worker, at.file)
        raw, refreshed = self._raw.pop(key, (None, -1))
        if raw is None:
            raw = growing(self.path(at))
        if refreshed != self._polls:
            # As fresh as the last poll is fresh enough for what that has told.
            raw.refresh(names.DATA)
        chunk = raw.chunk(names.DATA, at.row)
        if len(chunk) != size:
            raise OSError(0, f"a chunk of {len(chunk)} bytes where {size} were stored")
        self._raw[key] = (raw, self._polls)
        while len(self._raw) > self._mapping.workers + _KEPT_OPEN:
            del self._raw[next(iter(self._raw))]
        return raw, at.row, chunk

    def path(self, at: Location) -> Path:
        """The raw file of a place, under the name that it has now."""
        number = at.file * self._mapping.workers + at.worker + 1
        name = self._first if number == 1 and self._first else names.raw_file(self._stem, number)
        path = self.meta_path.parent / name
        live = path.with_name(path.name + self._suffix)
        return live if self._suffix and live.exists() else path


def _path(column: Column) -> str:
    return f"{Meta.COLUMNS}/{column}"


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
