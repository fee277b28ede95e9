"""The raw files of one capture as several storers write them: a ``RawSink`` that deals frames out.

Frames are dealt in blocks (``layouts.raw.mapping``). One that was written here is on its way; ``settled``
says where it ended. When a storer has as many bytes on their way as it may, the fan waits for it, so that
nothing more is read from the detector. A storer that is gone takes its stripe with it, not the capture.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from layouts.raw.mapping import Location, Mapping
from writer import control
from writer.capture_values import PixelFormat
from writer.raw_h5 import Added
from writer.reports import StorerReport
from writer.share import Share
from writer.stripes import left_behind, messages
from writer.stripes.ledger import Ledger
from writer.stripes.storers import Storers
from writer.timings import Timings, together
from writer.write_errors import WriteError

_log = logging.getLogger(__name__)

BUDGET: Final = 1 << 30
"""Bytes that may be on their way to all storers of a detector together."""
_tokens = itertools.count(1)


class StripeGoneError(OSError):
    """The storer of a frame stores nothing more in this capture; others do."""


class Stripes:
    """Raw files of one capture in several processes.

    Args:
        storers: Of the detector; all are there.
        order: What the coordinator asked for.
        budget: Bytes that may be on their way.
        on_added: Called with each file that is made.

    Raises:
        WriteError: A storer cannot begin.
    """

    def __init__(
        self,
        storers: Storers,
        order: control.Capture,
        *,
        budget: int = BUDGET,
        on_added: Callable[[Added], None] = lambda _added: None,
    ) -> None:
        self.on_added = on_added
        """Called with each file that is made."""
        self.defers = True  # what was written is on its way
        self._storers = storers
        self.mapping: Final = Mapping(
            rows_per_file=order.images_per_file, workers=len(storers), block=order.frames_per_block
        )
        self._ledger = Ledger(self.mapping, budget)
        self._accounts = self._ledger.accounts
        self._index = self.mapping.index
        self._format: PixelFormat | None = None
        self.sums: dict[int, int] = {}
        """Checksums of frames that readers can see, by place; whoever writes them down takes them out."""
        self._sums: dict[int, int] = {}
        self._final = Path(order.directory), order.stem
        self._made: dict[Path, tuple[int, int]] = {}
        """File of a rank and rank of each file, in this order."""
        self.unreadable: set[int] = set()
        """Places in files that killed storers have left so that they do not open plainly."""
        self._planned = 0
        self._times = [Timings()] * len(storers)
        self._dead: set[int] = set()
        self._asked = 0
        self._answers: dict[int, messages.Answer] = {}
        self._token = next(_tokens)
        self.trouble: WriteError | None = None
        """Why a storer could not write on; nothing while all can, or are gone."""
        storers.on_word, storers.on_gone = self._hear, self._gone
        try:
            self._ask(self._opening(order), self._token, all_of_them=True)
        except WriteError:
            self.discard()
            raise

    def _opening(self, order: control.Capture) -> Callable[[int], messages.Order]:
        return lambda token: messages.Open(
            token=token,
            directory=order.directory,
            stem=order.stem,
            images_per_file=order.images_per_file,
            frames_per_block=order.frames_per_block,
            workers=len(self._storers),
            temp_suffix=order.temp_suffix,
            keeping=order.keeping,
        )

    @property
    def workers(self) -> int:
        """How many storers there are."""
        return len(self._accounts)

    # ------------------------------------------------------------ as RawFiles

    @property
    def format(self) -> PixelFormat | None:
        """What the frames look like; None before the first files are made."""
        return self._format

    @property
    def paths(self) -> list[Path]:
        """Of the files that were made, in order of places."""
        return sorted(self._made, key=lambda path: self._made[path])

    def rank_of(self, path: Path) -> int:
        """Whose stripe a file is of."""
        return self._made[path][1]

    def start(self, pixels: PixelFormat) -> None:
        """Have the first files made; anew if they are there with another format and nothing in them.

        Raises:
            WriteError: One cannot be made.
        """
        if self._format == pixels:
            return
        self._made.clear()
        self._format = pixels
        shape, dtype, codec = pixels
        self._ask(lambda token: messages.Begin(token=token, shape=shape, dtype=dtype, codec=codec))

    def plan(self, rows: int) -> None:
        """Give the files room for so many places of the capture."""
        if rows > self._planned:
            self._planned = rows
            for rank in self._living():
                self._storers.send(rank, messages.Plan(rows=rows))

    def write(self, place: int, chunk: bytes | memoryview) -> None:
        """Send a packed frame on its way.

        Raises:
            StripeGoneError: Its storer stores nothing more.
        """
        rank, row = self._index(place)
        account, size = self._accounts[rank], len(chunk)
        if not account.has_room(size):
            self._storers.wait(lambda: bool(account.gone) or account.has_room(size))
        if account.gone or not account.has_room(size):
            raise StripeGoneError(0, account.gone or "the fan is to end")
        self._storers.send_frame(rank, row, chunk)
        account.send(place, size)

    def direct(self, place: int) -> tuple[Callable[..., None], int, int] | None:  # noqa: ARG002  (any place will do)
        """What takes chunks at (place, 0, 0), however many."""
        return self._write_at, 0, 1 << 62

    def _write_at(self, offset: tuple[int, int, int], chunk: bytes | memoryview) -> None:
        self.write(offset[0], chunk)

    def touched(self, frames: int, nanoseconds: int) -> None:
        """Something was sent directly, which is known already."""

    def times(self) -> Timings:
        """How long the storers' calls of the disk took so far."""
        return together(self._times)

    def flush(self) -> None:
        """Ask for frames to be shown to readers; ``settled`` says which are."""
        for rank in self._ledger.to_flush():
            self._storers.send(rank, messages.Flush())

    def finish(self, rows: int) -> list[tuple[Path, int]]:
        """Have the files trimmed and closed so that together they have so many rows.

        Raises:
            WriteError: One could not be.
        """
        return self._close(rows, well=True)

    def save(self, places: Iterable[int]) -> set[int]:  # noqa: ARG002  (each storer does it for itself)
        """Places of which readers turn out to see nothing: none, as frames land when readers see them."""
        return set()

    def abandon(self, high: int) -> list[tuple[Path, int]]:
        """Have the files closed after an error, trimmed to the places below ``high``; never raises."""
        try:
            return self._close(high, well=False)
        except WriteError as error:
            _log.warning("%s", error.strerror)
            return []

    def discard(self) -> None:
        """Have the files closed and removed; never raises."""
        try:
            self._ask(lambda token: messages.Discard(token=token))
        except WriteError as error:
            _log.warning("%s", error.strerror)
        for path, (_, rank) in self._made.items():
            if rank in self._dead:
                path.unlink(missing_ok=True)
        self._made.clear()

    # ------------------------------------------------------------ what became of frames

    @property
    def in_flight(self) -> int:
        """Frames that are neither flushed nor lost."""
        return self._ledger.in_flight

    @property
    def unasked(self) -> int:
        """Frames behind which no flush was asked for."""
        return self._ledger.unasked

    @property
    def wound(self) -> str:
        """Why frames of some stripe are not stored; empty while all are."""
        return next((account.gone for account in self._accounts if account.gone), "")

    @property
    def reports(self) -> tuple[StorerReport, ...]:
        """How each storer does."""
        return tuple(
            StorerReport(
                rank=rank,
                alive=self._storers.is_well(rank),
                stored=account.flushed,
                bytes=account.bytes,
                queue=account.queue,
                timings=self._times[rank],
            )
            for rank, account in enumerate(self._accounts)
        )

    def settled(self) -> tuple[list[int], list[int]]:
        """Places whose frames readers can see, and such as were lost, since the call before."""
        self.sums.update(self._sums)
        self._sums.clear()
        return self._ledger.settled()

    def settle(self) -> None:
        """Wait until no frame is on its way any more."""
        self.flush()
        self._storers.wait(lambda: not self._ledger.in_flight)
        for rank, account in enumerate(self._accounts):
            if not account.gone and account.flushed < account.sent:
                self._drop(rank)

    # ------------------------------------------------------------ inside

    def _living(self) -> list[int]:
        return [rank for rank, account in enumerate(self._accounts) if not account.gone]

    def _close(self, rows: int, *, well: bool) -> list[tuple[Path, int]]:
        answers = self._ask(lambda token: messages.Close(token=token, rows=rows, well=well))
        made, found = self._left(rows)
        for rank, answer in answers.items():
            for file, (text, length) in enumerate(answer.files):
                made[Path(text)] = (file, rank)
                found[Path(text)] = length
        self._made = made
        return [(path, found[path]) for path in self.paths if path in found]

    def _drop(self, rank: int) -> None:
        """The fan is to end, and cannot wait for a storer."""
        self._storers.drop(rank, f"{self._storers.name(rank)} had not answered when the worker was ended")

    def _left(self, rows: int) -> tuple[dict[Path, tuple[int, int]], dict[Path, int]]:
        """Files of storers that are gone, closed in their place, and their rows.

        Places of files that could not be closed are kept in ``unreadable``.
        """
        made: dict[Path, tuple[int, int]] = {}
        found: dict[Path, int] = {}
        directory, stem = self._final
        for path, (file, rank) in sorted(self._made.items(), key=lambda item: item[1]):
            if rank not in self._dead:
                continue
            share = Share(mapping=self.mapping, rank=rank)
            lengths = dict(enumerate(self.mapping.files(rank, rows)))
            length = lengths.get(file, 0)
            final = directory / share.name(stem, file)
            before = sum(1 for _, of in made.values() if of == rank)
            # Nobody closes a file that somebody may write on, and files of a worker are listed without a gap.
            may = self._storers.are_own and file == before
            if may and left_behind.close(path, final, partial(share.image_nr, file), length):
                made[final], found[final] = (file, rank), length
            else:
                spots = (self.mapping.place(Location(rank, file, row)) for row in range(length))
                self.unreadable.update(spots)
        return made, found

    def _ask(
        self, make: Callable[[int], messages.Order], token: int = 0, *, all_of_them: bool = False
    ) -> dict[int, messages.Answer]:
        """Give an order to all storers, or those that are left, and wait for their answers.

        Raises:
            WriteError: One could not carry it out.
        """
        ranks = [rank for rank in range(len(self._accounts)) if rank not in self._dead]
        self._asked, self._answers = token or next(_tokens), {}
        for rank in ranks:
            self._storers.send(rank, make(self._asked))
        self._storers.wait(lambda: all(rank in self._answers or rank in self._dead for rank in ranks))
        for rank in ranks:
            if rank not in self._answers and rank not in self._dead:
                self._drop(rank)
        for rank, answer in self._answers.items():
            if answer.message:
                raise WriteError(answer.errno, f"{answer.message} (storer {rank})")
        if all_of_them and self.wound:
            raise WriteError(0, f"{self.wound}; capture again in some seconds, when another one is there")
        return self._answers

    def _hear(self, rank: int, word: messages.Word) -> None:
        match word:
            case messages.Progress() if word.token == self._token:
                self._times[rank] = word.timings
                self._take(rank, word.taken, word.flushed, word.sums)
            case messages.Trouble() if word.token == self._token:
                self._take(rank, word.flushed, word.flushed, word.sums)
                self._ledger.end(rank, word.message)
                self.trouble = self.trouble or WriteError(word.errno, f"{word.message} (storer {rank})")
            case messages.Answer() if word.token == self._asked:
                self._answers[rank] = word
            case messages.Added() if self._format is not None:
                path = Path(word.path)
                self._made[path] = (self.mapping.locate(word.row).file, rank)
                self.on_added(
                    Added(path=path, row=word.row, rows=word.rows, pixels=self._format, worker=rank)
                )
            case _:
                _log.debug("nothing to do for %s", word)

    def _take(self, rank: int, taken: int, flushed: int, sums: tuple[int, ...]) -> None:
        before = len(self._ledger.landed)
        self._ledger.take(rank, taken, flushed)
        if sums:
            self._sums.update(zip(self._ledger.landed[before:], sums, strict=True))

    def _gone(self, rank: int, why: str) -> None:
        self._dead.add(rank)
        self._ledger.end(rank, why)
