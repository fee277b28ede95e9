"""The frames of a capture in a master: one virtual data set, and a link to each raw file beside it.

The virtual data set maps what is stored and nothing else, so a missing frame reads as masked whatever a raw
file says of it. Some readers want the one, some the other, so both are there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layouts.capture import DetectorCapture
from layouts.nexus.tree import ExternalLink, Stretch, Virtual
from layouts.raw.names import DATA

MOST = 1000
"""Stretches of one virtual data set: a frame takes its reader 10 ms with 2000, 130 ms with 20 000."""


def masked(dtype: str) -> int:
    """The value of a pixel without a measurement: all bits set."""
    return int(np.iinfo(dtype).max)


def data_name(number: int) -> str:
    """Name of the link to a capture's raw file; numbers from 1."""
    return f"data_{number:06d}"


def relative(path: Path, directory: Path) -> str:
    """A file's name as a master in the directory says it."""
    return Path(os.path.relpath(path, directory)).as_posix()


def frames(capture: DetectorCapture, directory: Path) -> Virtual:
    """All places of a capture as one virtual data set (rows, slow, fast).

    Args:
        capture: With its raw files in order of places.
        directory: Where the master is.
    """
    return Virtual(
        shape=(capture.rows, *capture.shape),
        dtype=capture.dtype,
        fill=masked(capture.dtype),
        stretches=_stretches(capture, directory),
    )


def links(capture: DetectorCapture, directory: Path) -> dict[str, ExternalLink]:
    """data_000001, data_000002 ... : each raw file's frames."""
    return {
        data_name(number): ExternalLink(file=relative(raw.path, directory), path=DATA)
        for number, raw in enumerate(capture.raw_files, 1)
    }


def runs(first: int, last: int, missing: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Stretches [start, stop) of first..last without the missing ones; ``missing`` ascending."""
    start = first
    for place in missing:
        if start < place < last:
            yield start, place
        if first <= place < last:
            start = place + 1
    if start < last:
        yield start, last


def _stretches(capture: DetectorCapture, directory: Path) -> tuple[Stretch, ...]:
    """What is stored; where that is too many pieces, whole raw files, whose unwritten rows are masked too."""
    found = tuple(_pieces(capture, directory, np.asarray(capture.missing, dtype=np.int64)))
    if len(found) <= max(MOST, len(capture.raw_files)):
        return found
    return tuple(_pieces(capture, directory, np.empty(0, dtype=np.int64)))


def _pieces(capture: DetectorCapture, directory: Path, missing: NDArray[np.int64]) -> Iterator[Stretch]:
    offset = 0
    for raw in capture.raw_files:
        end = min(offset + raw.rows, capture.rows)
        here = missing[(missing >= offset) & (missing < end)].tolist()
        for start, stop in runs(offset, end, here):
            yield Stretch(
                file=relative(raw.path, directory),
                path=DATA,
                extent=raw.rows,
                start=start - offset,
                stop=stop - offset,
                at=start,
            )
        offset = end
