"""The frames of a capture in a master: one virtual data set, and a link to each raw file beside it.

The virtual data set maps what is stored and nothing else, so a missing frame reads as masked whatever a raw
file says of it. Some readers want the one, some the other, so both are there. Where workers took turns, a raw
file is no run of frames, and who reads the links one behind the other would mix them up: then data_000001 is
all frames in order, and the links to the raw files stand apart (docs/decisions/0016-stripes-in-masters.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layouts.capture import DetectorCapture, RawFile
from layouts.nexus.tree import ExternalLink, Group, Node, Stretch, Virtual, data, group
from layouts.raw.mapping import Mapping
from layouts.raw.names import DATA, Stripe, raw_number

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


def raw_name(number: int) -> str:
    """Name of the link to a raw file where workers took turns, by ``Mapping.number``."""
    return f"raw_{number:06d}"


def frames(capture: DetectorCapture, directory: Path) -> Virtual:
    """All places of a capture as one virtual data set (rows, slow, fast).

    Args:
        capture: With the raw files of each worker in order.
        directory: Where the master is.
    """
    return Virtual(
        shape=(capture.rows, *capture.shape),
        dtype=capture.dtype,
        fill=masked(capture.dtype),
        stretches=_stretches(capture, directory),
    )


def links(capture: DetectorCapture, directory: Path) -> dict[str, Node]:
    """data_000001, data_000002 ... : each raw file's frames; nothing where these are no runs of frames."""
    ordered = in_order(capture)
    return {
        data_name(number): ExternalLink(file=relative(raw.path, directory), path=DATA)
        for number, raw in enumerate(ordered or (), 1)
    }


def in_order(capture: DetectorCapture) -> tuple[RawFile, ...] | None:
    """The raw files in order of places, if each holds places that follow one another; else nothing.

    They also do where workers took turns, if a block is one file or several. Readers in C compute the file of
    a frame from the length of the first, so all but the last must have that length then, and none be lost.
    """
    mapping = capture.mapping
    if mapping.workers == 1:
        return capture.raw_files
    found: list[tuple[int, RawFile]] = []
    for raw, begin in _begins(capture):
        first = mapping.at(raw.worker, begin)
        if mapping.at(raw.worker, begin + raw.rows - 1) - first != raw.rows - 1:
            return None
        found.append((first, raw))
    ordered = tuple(raw for _, raw in sorted(found, key=lambda pair: pair[0]))
    whole = sum(raw.rows for raw in ordered) == capture.rows
    return ordered if whole and len({raw.rows for raw in ordered[:-1]}) <= 1 else None


def stripes(capture: DetectorCapture, directory: Path) -> Group | None:
    """The rule by which workers took turns, with a link to each raw file and whose it is; else nothing."""
    mapping = capture.mapping
    if mapping.workers == 1:
        return None
    each = mapping.rows_per_file
    files = ((raw, begin // each if each else 0) for raw, begin in _begins(capture))
    numbered = sorted(((mapping.number(raw.worker, file), raw) for raw, file in files), key=lambda n: n[0])
    return group(
        "NXcollection",
        {
            Stripe.WORKERS.value: data(mapping.workers),
            Stripe.FRAMES_PER_BLOCK.value: data(mapping.block),
            Stripe.IMAGES_PER_FILE.value: data(mapping.rows_per_file),
            Stripe.RANK.value: data(np.array([raw.worker for _, raw in numbered], dtype=np.int64)),
            **{
                raw_name(number): ExternalLink(file=relative(raw.path, directory), path=DATA)
                for number, raw in numbered
            },
        },
    )


def part_of(
    mapping: Mapping, worker: int, rows: tuple[int, int], *, file: str, extent: int, begin: int
) -> Iterator[Stretch]:
    """Some rows of a raw file where they belong.

    Args:
        mapping: How places are dealt.
        worker: Whose file it is.
        rows: First and last but one, as numbers among the worker's places.
        file: Its name, as the file of the virtual data set says it.
        extent: Rows it has.
        begin: The number among the worker's places of its row 0.
    """
    for comb in mapping.combs(worker, *rows):
        yield Stretch(
            file=file,
            path=DATA,
            extent=extent,
            start=comb.index - begin,
            stop=comb.index - begin + comb.size,
            at=comb.place,
            block=comb.block if comb.count > 1 else 0,
            stride=mapping.stride if comb.count > 1 else 0,
        )


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


def _begins(capture: DetectorCapture) -> Iterator[tuple[RawFile, int]]:
    """Each raw file with the number of its row 0 among its worker's places."""
    reached: dict[int, int] = {}
    for raw in capture.raw_files:
        begin = begin_of(capture.mapping, raw.worker, raw.path, reached.get(raw.worker, 0))
        yield raw, begin
        reached[raw.worker] = begin + raw.rows


def begin_of(mapping: Mapping, worker: int, path: Path, otherwise: int) -> int:
    """The number of a raw file's row 0 among its worker's places, as its name says it.

    Of a worker that was killed a file in the middle may be lost, so it is not the sum of those before.

    Args:
        mapping: How places are dealt.
        worker: Whose file it is.
        path: Of the file.
        otherwise: What holds if its name does not say it, or there is one worker.
    """
    number = raw_number(path.name)
    if mapping.workers == 1 or number is None or (number - 1) % mapping.workers != worker:
        return otherwise
    return (number - 1) // mapping.workers * mapping.rows_per_file


def _stretches(capture: DetectorCapture, directory: Path) -> tuple[Stretch, ...]:
    """What is stored; where that is too many pieces, whole raw files, whose unwritten rows are masked too."""
    whole = _pieces(capture, directory, np.empty(0, dtype=np.int64))
    if not capture.missing:
        return whole
    found = _pieces(capture, directory, np.asarray(capture.missing, dtype=np.int64))
    return found if len(found) <= max(MOST, len(whole)) else whole


def _pieces(capture: DetectorCapture, directory: Path, missing: NDArray[np.int64]) -> tuple[Stretch, ...]:
    mapping = capture.mapping
    absent = {worker: mapping.indices(worker, missing) for worker in range(mapping.workers)}
    found: list[Stretch] = []
    for raw, begin in _begins(capture):
        end = min(begin + raw.rows, mapping.count(raw.worker, capture.rows))
        own = absent[raw.worker]
        here = own[(own >= begin) & (own < end)].tolist()
        file = relative(raw.path, directory)
        for rows in runs(begin, end, here):
            found += part_of(mapping, raw.worker, rows, file=file, extent=raw.rows, begin=begin)
    return tuple(sorted(found, key=lambda stretch: stretch.at))
