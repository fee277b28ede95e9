"""Place in a capture to (worker, raw file, row) and back: the one rule that writer and readers share.

Workers take blocks of places in turn, as Odin's do: ``worker = place // block % workers``. Each counts what
it gets from 0 and cuts its count into files. With one worker and one file, place and row are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Location(NamedTuple):
    """Where a place is kept."""

    worker: int
    """From 0."""
    file: int
    """Of that worker, from 0."""
    row: int
    """In that file, from 0."""


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

    def locate(self, place: int) -> Location:
        """Where a place is kept."""
        worker, index = self.index(place)
        if not self.rows_per_file:
            return Location(worker, 0, index)
        return Location(worker, *divmod(index, self.rows_per_file))

    def place(self, location: Location) -> int:
        """The place that is kept there."""
        worker, file, row = location
        turn, within = divmod(file * self.rows_per_file + row, self.block)
        return (turn * self.workers + worker) * self.block + within

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
