"""What an acquisition left, for people: frames of its master, and what its meta files say of the writing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

import layouts.filters_h5  # noqa: F401  registers the filters
from layouts.raw.names import DATA, Column, Meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """What a person wants to see of one detector.

    Attributes:
        entry: Name of the NXmx entry.
        frames: How many there are.
        index: Which one ``one`` is.
        one: A single frame, masked pixels NaN, shape (slow, fast).
        summed: The sum of all frames, masked pixels NaN.
    """

    entry: str
    frames: int
    index: int
    one: NDArray[np.float32]
    summed: NDArray[np.float64]


def read_pictures(master: Path) -> list[Pictures]:
    """One middle frame and the sum of all frames for each entry of a master."""
    with h5py.File(master, "r") as file:
        return [_pictures(file, str(entry)) for entry in file if f"{entry}/data/data" in file]


def _pictures(file: h5py.File, entry: str) -> Pictures:
    data = file[DATA.replace("/entry/", f"/{entry}/", 1)]
    assert isinstance(data, h5py.Dataset)  # noqa: S101
    highest = np.iinfo(data.dtype).max
    total = np.zeros(data.shape[1:], np.float64)
    good = np.zeros(data.shape[1:], bool)
    index = len(data) // 2
    one = np.empty(data.shape[1:], np.float32)
    for i in range(len(data)):
        frame = data[i]
        counted = frame != highest
        good |= counted
        total += np.where(counted, frame, 0)
        if i == index:
            one[:] = np.where(counted, frame, np.nan)
    return Pictures(entry=entry, frames=len(data), index=index, one=one, summed=np.where(good, total, np.nan))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How the frames of one detector came, as its meta file has it.

    Attributes:
        name: Stem of the file.
        frames: Stored.
        size: Bytes of them as stored.
        seconds: From the arrival of the first to that of the last.
        last: Arrival of the last, seconds since 1970.
    """

    name: str
    frames: int
    size: int
    seconds: float
    last: float


def read_measured(meta_file: Path) -> Measured:
    """How the frames in a meta file came."""
    with h5py.File(meta_file, "r") as file:
        columns = {c: file[f"{Meta.COLUMNS}/{c}"] for c in (Column.STORED, Column.SIZE, Column.ARRIVAL)}
        values = {c: np.asarray(column) for c, column in columns.items()}
    stored = values[Column.STORED] == 1
    arrival = values[Column.ARRIVAL][stored]
    return Measured(
        name=meta_file.stem.removesuffix("_meta"),
        frames=int(stored.sum()),
        size=int(values[Column.SIZE][stored].sum()),
        seconds=float(arrival.max() - arrival.min()) * 1e-9 if arrival.size else 0.0,
        last=float(arrival.max()) * 1e-9 if arrival.size else float("nan"),
    )
