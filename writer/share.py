"""Which of a capture's places the raw files of one process hold, and what the files are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from layouts.raw import names
from layouts.raw.mapping import Location, Mapping
from layouts.raw.names import Stripe


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One worker's part of a capture.

    Attributes:
        mapping: How places are dealt.
        rank: The worker's, from 0.
    """

    mapping: Mapping
    rank: int = 0

    def name(self, stem: str, file: int) -> str:
        """Of its file of a number, from 0: the files of all workers take turns."""
        return names.raw_file(stem, self.mapping.number(self.rank, file))

    def first(self, file: int) -> int:
        """The place that a file begins with."""
        return self.mapping.place(Location(self.rank, file, 0))

    def image_nr(self, file: int, rows: int) -> tuple[int, int]:
        """``image_nr_low`` and ``image_nr_high`` of a file of so many rows."""
        low = self.first(file) + 1
        return low, self.mapping.place(Location(self.rank, file, rows - 1)) + 1 if rows else low - 1

    def label(self, data: Any) -> None:
        """Say it in a raw file, at its data set of frames."""
        say(data, self.mapping)
        data.attrs.create(Stripe.RANK, self.rank, dtype=np.int64)


def say(node: Any, mapping: Mapping) -> None:
    """Say how places are dealt, in attributes of a data set or group."""
    said = {
        Stripe.WORKERS: mapping.workers,
        Stripe.FRAMES_PER_BLOCK: mapping.block,
        Stripe.IMAGES_PER_FILE: mapping.rows_per_file,
    }
    for name, value in said.items():
        node.attrs.create(name, value, dtype=np.int64)
