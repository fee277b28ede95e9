"""Place in a capture to (worker, raw file, row) and back: the one rule that writer and readers share.

Workers take blocks of places in turn, as Odin's do: ``worker = place // block % workers``. Each counts what
it gets from 0 and cuts its count into files. With one worker and one file, place and row are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Location(NamedTuple):
    """Where a place is kept."""

    worker: int
    """From 0."""
    file: int
    """Of that worker, from 0."""
    row: int
    """In that file, from 0."""


@dataclass(frozen=True, slots=True)
class Comb:
    """Places of one worker that are equal blocks at equal distances."""

    index: int
    """Of the first, among the worker's."""
    place: int
    """Of the first, in the capture."""
    block: int
    """Places in one block."""
    count: int
    """Blocks."""

    @property
    def size(self) -> int:
        """Places in all."""
        return self.block * self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """How the places of a capture are dealt to workers and files.

    Attributes:
        rows_per_file: Rows in one raw file; 0 puts all of a worker in one.
        workers: How many share the detector.
        block: Places that go to one worker before the next has its turn.
    """

    rows_per_file: int = 0
    workers: int = 1
    block: int = 1

    def __post_init__(self) -> None:
        if self.rows_per_file < 0 or self.workers < 1 or self.block < 1:
            raise ValueError(
                f"{self} is no mapping: rows_per_file must be 0 or more, workers and block 1 or more"
            )

    def index(self, place: int) -> tuple[int, int]:
        """Worker of a place, and the place's number among that worker's."""
        turn, within = divmod(place, self.block)
        return turn % self.workers, turn // self.workers * self.block + within

    def at(self, worker: int, index: int) -> int:
        """The place that is a worker's own of that number, from 0."""
        turn, within = divmod(index, self.block)
        return (turn * self.workers + worker) * self.block + within

    def places(self, worker: int, begin: int, end: int) -> NDArray[np.int64]:
        """The places of a worker's own numbers from ``begin`` to before ``end``."""
        turn, within = np.divmod(np.arange(begin, end, dtype=np.int64), self.block)
        return (turn * self.workers + worker) * self.block + within

    def indices(self, worker: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of some places those of a worker, as numbers among its own, in the same order."""
        turn, within = np.divmod(places, self.block)
        mine = turn % self.workers == worker
        return turn[mine] // self.workers * self.block + within[mine]

    @property
    def stride(self) -> int:
        """From one block of a worker to its next."""
        return self.block * self.workers

    def combs(self, worker: int, begin: int, end: int) -> Iterator[Comb]:
        """A worker's places from number ``begin`` to before ``end``, as few combs, three at most.

        The first and the last are the parts of blocks that are cut off there.
        """
        if self.workers == 1:
            if begin < end:
                yield Comb(begin, begin, end - begin, 1)
            return
        while begin < end:
            inside = begin % self.block
            whole = (end - begin) // self.block if inside == 0 else 0
            block = self.block if whole else min(self.block - inside, end - begin)
            comb = Comb(begin, self.at(worker, begin), block, max(whole, 1))
            yield comb
            begin += comb.size

    def locate(self, place: int) -> Location:
        """Where a place is kept."""
        worker, index = self.index(place)
        if not self.rows_per_file:
            return Location(worker, 0, index)
        return Location(worker, *divmod(index, self.rows_per_file))

    def place(self, location: Location) -> int:
        """The place that is kept there."""
        worker, file, row = location
        return self.at(worker, file * self.rows_per_file + row)

    def number(self, worker: int, file: int) -> int:
        """Number from 1 of a worker's file, in names: the files of all workers take turns."""
        return file * self.workers + worker + 1

    def count(self, worker: int, places: int) -> int:
        """How many of a capture's places a worker has."""
        rounds, rest = divmod(places, self.block * self.workers)
        return rounds * self.block + min(max(rest - worker * self.block, 0), self.block)

    def files(self, worker: int, places: int) -> tuple[int, ...]:
        """Rows of each raw file of a worker, in order; empty if it has no place."""
        count = self.count(worker, places)
        if not self.rows_per_file:
            return (count,) if count else ()
        whole, rest = divmod(count, self.rows_per_file)
        return (self.rows_per_file,) * whole + ((rest,) if rest else ())
