"""What a storer does with its messages: no sockets here, so that tests can hand them in.

Frames go into raw files as they come, and are told of in batches. A file that cannot be written on ends the
storing: what was written is flushed if that can be done, and everything that comes after it is let go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from layouts.beamline_storage import Durability
from layouts.raw.checksums import Checksum, digest_of
from layouts.raw.mapping import Mapping
from writer.capture_values import PixelFormat
from writer.ownership import ownership
from writer.raw_h5 import Added, RawFiles
from writer.reserve import Reserve
from writer.share import Share
from writer.stripes import messages
from writer.syncing import Syncing
from writer.timings import Timings
from writer.write_errors import failure

_log = logging.getLogger(__name__)

_BATCH_FRAMES: Final = 64
_BATCH_BYTES: Final = 16 << 20
"""What is taken at most before it is told."""


class Storing:
    """One storer's work.

    Args:
        rank: Which of the detector's storers it is, from 0.
        emit: Takes what the fan is told.
    """

    def __init__(self, rank: int, emit: Callable[[messages.Word], None]) -> None:
        self.rank: Final = rank
        self._emit = emit
        self._files: RawFiles | None = None
        self._mapping, self._directory = Mapping(), Path()
        self._reserve: Reserve | None = None
        self._token = 0
        self._taken = self._flushed = self._written = 0
        self._told_of = self._bytes = 0
        self._high = 0
        self._broken = self._closed = False
        self._syncing: Syncing | None = None
        self._times: Callable[[], Timings] = Timings
        self._since_flush: list[int] = []
        """Rows of frames since the last flush."""
        self._sums = False
        self._answer: messages.Answer | None = None
        """To be given once closed files are safe."""

    @property
    def progress(self) -> messages.Progress:
        """How far it is."""
        return messages.Progress(
            token=self._token, taken=self._taken, flushed=self._flushed, timings=self._times()
        )

    def frame(self, row: int, chunk: memoryview) -> None:
        """Store a packed frame at a row among the storer's own."""
        self._taken += 1
        self._bytes += len(chunk)
        files = self._files
        if files is not None and not self._broken:
            try:
                files.write(row, chunk)
            except OSError as error:
                self._break(files, error)
            else:
                self._written = self._taken
                self._high = max(self._high, row + 1)
                self._since_flush.append(row)
        if self._taken - self._told_of >= _BATCH_FRAMES or self._bytes >= _BATCH_BYTES:
            self.tell()

    def tell(self) -> None:
        """Say how far it is, if that has changed."""
        if self._told_of != self._taken:
            self._told_of, self._bytes = self._taken, 0
            self._emit(self.progress)

    def tick(self) -> None:
        """Answer what closed the files, once they are safe."""
        answer = self._answer
        if answer is None:
            return
        try:
            if self._syncing is not None and not self._syncing.is_settled():
                return
        except OSError as error:
            answer = replace(answer, errno=error.errno or 0, message=error.strerror or str(error))
        self._answer = None
        self._emit(self.progress)  # with what closing took
        self._emit(answer)

    def order(self, order: messages.Order) -> None:
        """Do what the fan says; Identify and Shutdown are the shell's."""
        match order:
            case messages.Open():
                self._open(order)
            case messages.Flush():
                self._flush()
            case messages.Plan():
                self._plan(order.rows)
            case messages.Begin():
                self._begin(order)
            case messages.Close():
                self._close(order)
            case messages.Discard():
                self._leave(discard=True)
                self._emit(messages.Answer(token=order.token))
            case _:
                _log.debug("nothing to do for %s", order)

    def close(self) -> None:
        """Close what is open, as it is."""
        self._leave()

    # ------------------------------------------------------------ inside

    def _open(self, order: messages.Open) -> None:
        self._leave()
        self._token = order.token
        self._taken = self._flushed = self._written = self._told_of = self._bytes = self._high = 0
        self._broken = self._closed = False
        self._since_flush, self._answer, self._syncing = [], None, None
        directory, keeping = Path(order.directory), order.keeping
        self._directory = directory
        self._sums = keeping.checksum is not Checksum.NONE
        self._mapping = Mapping(
            rows_per_file=order.images_per_file, workers=order.workers, block=order.frames_per_block
        )
        try:
            give = ownership(keeping).give
            self._reserve = Reserve(directory)
        except OSError as error:
            self._refuse(order.token, failure(error, directory))
            return
        if keeping.durability is not Durability.PAGE_CACHE:
            self._syncing = Syncing(keeping.durability, keeping.fsync_interval)
        self._files = RawFiles(
            directory,
            order.stem,
            rows_per_file=order.images_per_file,
            suffix=order.temp_suffix,
            share=Share(mapping=self._mapping, rank=self.rank),
            on_added=self._added,
            digest=digest_of(keeping.checksum),
            give=give,
            syncing=self._syncing,
        )
        self._times = self._files.times
        self._emit(messages.Answer(token=order.token))

    def _begin(self, order: messages.Begin) -> None:
        try:
            if self._files is not None:
                self._files.start(PixelFormat(order.shape, order.dtype, order.codec))
        except OSError as error:
            self._refuse(order.token, error)
        else:
            self._emit(messages.Answer(token=order.token))

    def _plan(self, rows: int) -> None:
        files = self._files
        if files is None or self._broken:
            return
        try:
            files.plan(self._mapping.count(self.rank, rows))
        except OSError as error:
            self._break(files, error)

    def _flush(self) -> None:
        files = self._files
        if files is None or self._broken:
            return
        try:
            files.flush()
            if self._syncing is not None:
                self._syncing.flushed(self._taken)
        except OSError as error:
            self._break(files, error)
        else:
            self._flushed, self._told_of, self._bytes = self._taken, self._taken, 0
            self._emit(replace(self.progress, sums=self._take_sums(files)))

    def _close(self, order: messages.Close) -> None:
        files = self._files
        self._release()
        if files is None:
            self._emit(messages.Answer(token=order.token))
            return
        rows = self._mapping.count(self.rank, order.rows)
        try:
            if order.well and not self._broken:
                made = files.finish(rows) if rows else []
            else:
                made = files.abandon(rows)
        except OSError as error:
            self._refuse(order.token, error)
            return
        if not rows:
            files.discard()
            made = []
        self._closed = True
        if self._syncing is not None:
            self._syncing.finish(self._directory)
        self._answer = messages.Answer(
            token=order.token, files=tuple((str(path), length) for path, length in made)
        )
        self.tick()

    def _break(self, files: RawFiles, error: OSError) -> None:
        """Nothing more can be stored: keep what was written, if it can be, and say so."""
        self._broken = True
        self._release()
        why = error.strerror or str(error)
        _log.error("%s", why)
        self._drop()
        rows = self._since_flush
        lost = files.save(dict.fromkeys(rows, 0))
        self._flushed += next((n for n, row in enumerate(rows) if row in lost), len(rows))
        trouble = messages.Trouble(
            token=self._token,
            flushed=self._flushed,
            sums=self._take_sums(files),
            errno=error.errno or 0,
            message=why,
        )
        self._emit(trouble)

    def _take_sums(self, files: RawFiles) -> tuple[int, ...]:
        sums = tuple(files.sums.pop(row) for row in self._since_flush) if self._sums else ()
        self._since_flush.clear()
        return sums

    def _drop(self) -> None:
        if self._syncing is not None:
            self._syncing.drop()
            self._syncing = None

    def _refuse(self, token: int, error: OSError) -> None:
        self._release()
        why = error.strerror or str(error)
        _log.error("%s", why)
        self._emit(messages.Answer(token=token, errno=error.errno or 0, message=why))

    def _leave(self, *, discard: bool = False) -> None:
        files, self._files = self._files, None
        self._release()
        if files is None or self._closed:
            return
        self._drop()
        if discard:
            files.discard()
        else:
            files.abandon(self._high)

    def _release(self) -> None:
        if self._reserve is not None:
            self._reserve.release()
            self._reserve = None

    def _added(self, added: Added) -> None:
        self._emit(messages.Added(path=str(added.path), row=added.row, rows=added.rows))
