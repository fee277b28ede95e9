"""What a capture of several storers has left, put together again by the rule that says who has what."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np

from layouts.raw.mapping import Location, Mapping
from layouts.raw.names import DATA
from writer import control
from writer.reports import RawFileReport


def mapping_of(done: control.Done) -> Mapping:
    record = done.record
    return Mapping(
        rows_per_file=record.images_per_file, workers=record.workers, block=record.frames_per_block
    )


def file_of(raw: RawFileReport, mapping: Mapping) -> int:
    """Which of its worker's files it is, by its name."""
    number = int(Path(raw.path).stem[-6:]) - 1
    assert number % mapping.workers == raw.worker
    return number // mapping.workers


def tags(done: control.Done) -> list[tuple[int, int] | None]:
    """Which (series, frame) stands at each place; None where nothing does."""
    found: list[tuple[int, int] | None] = [None] * done.record.rows
    mapping = mapping_of(done)
    for raw in done.record.raw_files:
        with h5py.File(raw.path, "r") as file:
            data = file[DATA][()]
        assert len(data) == raw.rows
        for row, frame in enumerate(data):
            if not (frame == np.iinfo(frame.dtype).max).all():
                place = mapping.place(Location(raw.worker, file_of(raw, mapping), row))
                found[place] = (int(frame[0, 0]), int(frame[0, 1]))
    return found
