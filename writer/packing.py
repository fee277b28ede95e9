"""Pixels that came unpacked, packed before they are stored: a ``RawSink`` around another.

A pool of threads packs, as many frames at a time as it has threads; the thread that owns the HDF5 files takes
them back in the order in which they came and writes them. A frame that was written here is on its way until
``settled`` says that it is stored, or lost. While too many bytes wait the caller does, so that nothing more
is read from the detector. A stream that is packed already goes straight through.
"""

from __future__ import annotations

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from layouts.beamline_pack import Pack
from layouts.stream import codecs
from layouts.stream.arrays import ITEM_SIZE
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.raw_h5 import Added, RawFiles
from writer.write_errors import WriteError

_log = logging.getLogger(__name__)

BUDGET: Final = 1 << 28
"""Bytes of pixels that may wait to be stored; beyond it one frame for each thread may."""

Encode = Callable[[bytes | memoryview, str, Codec], bytes]
"""Makes a chunk of pixels of a type."""


def encode(pixels: bytes | memoryview, dtype: str, codec: Codec) -> bytes:
    """The chunk of HDF5's filter for pixels, little-endian; may be called from any thread."""
    return codecs.compress(np.frombuffer(pixels, np.dtype(dtype).newbyteorder("<")), codec)


class Landed(NamedTuple):
    """A frame that was stored."""

    place: int
    size: int
    """Bytes, packed."""


class _Waiting(NamedTuple):
    place: int
    size: int
    chunk: Future[bytes]


class Packing:
    """Raw files whose frames are packed on their way into them.

    Args:
        files: Where packed frames go.
        pack: How, if they come unpacked.
        threads: How many are packed at a time.
        budget: Bytes of pixels that may wait to be stored.
        encode: What makes chunks of them.
    """

    def __init__(
        self, files: RawFiles, pack: Pack, threads: int, *, budget: int = BUDGET, encode: Encode = encode
    ) -> None:
        self._files, self._codec, self._threads = files, Codec(pack), threads
        self._budget, self._encode = budget, encode
        self.on_added = files.on_added
        """Called with each file that is made."""
        files.on_added = self._added
        self.sums = files.sums
        """Checksums of packed frames by place; whoever writes them down takes them out."""
        self.times = files.times
        """How long the calls of the disk took."""
        self._pool: Final = ThreadPoolExecutor(threads, thread_name_prefix="packing")
        self._queue: deque[_Waiting] = deque()
        self._came: PixelFormat | None = None
        self._frame_bytes = 0
        self._landed: list[Landed] = []
        self._lost: list[int] = []
        self.waiting = 0
        """Bytes of pixels that are on their way."""
        self.trouble: WriteError | None = None
        """Why nothing can be written any more; nothing while it can."""
        self.complaint = ""
        """Why frames were lost, the latest of them; empty if none was."""

    @property
    def defers(self) -> bool:
        """Whether a frame that was written is only on its way."""
        return self._came is not None and self._came.codec is Codec.NONE

    # ------------------------------------------------------------ as RawFiles

    @property
    def format(self) -> PixelFormat | None:
        """What the frames look like as they come; None before the first file is made."""
        return self._came

    @property
    def stored_as(self) -> PixelFormat | None:
        """What they look like in the files."""
        return self._files.format

    @property
    def paths(self) -> list[Path]:
        """Of the files that were made, in order of places."""
        return self._files.paths

    def start(self, pixels: PixelFormat) -> None:
        """Make the first file; make it anew if it is there with another format and nothing in it.

        Raises:
            WriteError: It cannot be made.
        """
        stored = pixels
        if pixels.codec is Codec.NONE:
            stored = pixels._replace(codec=self._codec)
        self._files.start(stored)
        self._came = pixels
        self._frame_bytes = math.prod(pixels.shape) * ITEM_SIZE[pixels.dtype]

    def plan(self, rows: int) -> None:
        """Give the files room for so many places of the capture."""
        self._files.plan(rows)

    def write(self, place: int, chunk: bytes | memoryview) -> None:
        """Send a frame on its way, its bytes unchanged until it has settled; store it if it came packed.

        Raises:
            StreamError: Not as many bytes as the frame has pixels.
            WriteError: Nothing can be written any more.
        """
        if not self.defers or self._came is None:
            self._files.write(place, chunk)
            return
        size = len(chunk) if isinstance(chunk, bytes) else chunk.nbytes
        if size != self._frame_bytes:
            what = f"{size} bytes of pixels where {self._frame_bytes} are right"
            raise StreamError(what, f"the frame for place {place}", "send the frame again")
        while self._queue and not self._has_room(size):
            wait([self._queue[0].chunk])
            self._collect()
        if self.trouble is not None:
            raise self.trouble
        packed = self._pool.submit(self._encode, chunk, self._came.dtype, self._codec)
        self._queue.append(_Waiting(place, size, packed))
        self.waiting += size

    def direct(self, place: int) -> tuple[Callable[..., None], int, int] | None:
        """What stores frames that came packed without asking again; nothing for others."""
        return None if self.defers else self._files.direct(place)

    def touched(self, frames: int, nanoseconds: int) -> None:
        """Frames were written directly."""
        self._files.touched(frames, nanoseconds)

    def renew(self) -> None:
        """A frame that came packed was refused: let it be tried again."""
        self._files.renew()

    def flush(self) -> None:
        """Let readers see what was stored.

        Raises:
            WriteError: The system refuses.
        """
        self._files.flush()

    def finish(self, rows: int) -> Sequence[tuple[Path, int]]:
        """Trim and close the files, when nothing is on its way any more.

        Raises:
            WriteError: One could not be.
        """
        self._end("the capture has ended")
        return self._files.finish(rows)

    def discard(self) -> None:
        """Close and remove the files; never raises."""
        self._end("the files were given up")
        self._files.discard()

    def save(self, places: Iterable[int]) -> set[int]:
        """After an error: show readers what was stored; those of the places that are lost."""
        return self._files.save(places)

    def abandon(self, high: int) -> Sequence[tuple[Path, int]]:
        """Close the files after an error, trimmed to the places below ``high``; never raises."""
        self._end("the files were given up")
        return self._files.abandon(high)

    # ------------------------------------------------------------ what became of frames

    def settled(self) -> tuple[list[Landed], list[int]]:
        """Frames that were stored, and places of such as were lost, since the call before."""
        self._collect()
        landed, lost = self._landed, self._lost
        self._landed, self._lost = [], []
        return landed, lost

    def settle(self, within: float = math.inf) -> None:
        """Wait until no frame is on its way any more.

        Args:
            within: Seconds; frames that are not packed by then are lost.
        """
        until = time.monotonic() + within
        while self._queue:
            left = until - time.monotonic()
            if left <= 0:
                self._give_up(f"frames were not packed within {within:g} s")
                return
            wait([self._queue[0].chunk], None if math.isinf(left) else left)
            self._collect()

    # ------------------------------------------------------------ inside

    def _added(self, added: Added) -> None:
        self.on_added(added)

    def _has_room(self, size: int) -> bool:
        return len(self._queue) < self._threads or self.waiting + size <= self._budget

    def _collect(self) -> None:
        """Store what is packed, up to the first that is not."""
        queue = self._queue
        while queue and queue[0].chunk.done():
            place, size, packed = queue.popleft()
            self.waiting -= size
            try:
                chunk = packed.result()
            except (Exception, CancelledError) as error:  # one frame is lost, whatever a codec has to say
                self._lose(place, f"the frame for place {place} could not be packed: {error!r}")
                continue
            try:
                self._files.write(place, chunk)
            except WriteError as error:
                self.trouble = error
                self._lose(place, error.strerror or str(error))
                self._give_up(error.strerror or str(error))
                return
            self._landed.append(Landed(place, len(chunk)))

    def _give_up(self, why: str) -> None:
        """What is on its way is lost."""
        if self._queue:
            _log.error("%d frames on their way are lost: %s", len(self._queue), why)
        while self._queue:
            place, size, packed = self._queue.popleft()
            packed.cancel()
            self.waiting -= size
            self._lose(place, why)

    def _lose(self, place: int, why: str) -> None:
        if not self.complaint:
            _log.error("%s; it counts as failed, as do others that meet the same", why)
        self.complaint = why
        self._lost.append(place)

    def _end(self, why: str) -> None:
        self._give_up(why)
        self._pool.shutdown(wait=False, cancel_futures=True)
