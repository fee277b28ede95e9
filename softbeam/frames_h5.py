"""Frames of a master, for pictures: read through its virtual data set, masked as its mask says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
from numpy.typing import NDArray

from layouts.raw.names import DATA

FILTERS = hdf5plugin.PLUGIN_PATH
"""Importing hdf5plugin is what registers the filters; naming it here keeps the import."""


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
