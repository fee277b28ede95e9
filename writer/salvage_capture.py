"""One capture whose writer has died: its frames and rows in clean files beside, or in another directory."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import h5py
import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline
from layouts.nexus.findings import Finding, warning
from layouts.raw import names
from layouts.raw.mapping import Location, Mapping
from layouts.raw.names import About
from writer.capture_values import PixelFormat
from writer.reports import CaptureRecord, RawFileReport
from writer.salvage import (
    Salvaged,
    chunks,
    mapping_of,
    opened,
    pixel_format,
    salvage_file,
    stand_in,
)
from writer.salvage_find import SALVAGED, Remains
from writer.salvage_meta import Rows, put_right, read_meta, write_meta
from writer.salvage_record import record_of

_SHOWN: Final = 5


class NothingError(Exception):
    """There is no frame to bring back; says why, and what helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """A raw file as it was found."""

    path: Path
    pixels: PixelFormat
    first: int
    """Place of its row 0."""
    top: int
    """Rows up to its last frame."""
    mapping: Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What came of one capture.

    Attributes:
        stem: Of its files.
        record: As its worker would have told it.
        has_attributes: Whether there are NDAttributes.
        found: Frames that had no row in the meta file.
        lost: Rows of the meta file without a frame.
        findings: What is worth knowing.
        made: Files that were made.
    """

    stem: str
    record: CaptureRecord
    has_attributes: bool = False
    found: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()
    findings: tuple[Finding, ...] = ()
    made: tuple[Path, ...] = ()


def bring_back(remains: Remains, beamline: Beamline, out: Path, detector: str = "") -> Brought:
    """Make clean files of one capture.

    Args:
        remains: What lies there; it is not touched.
        beamline: Says which detectors there are.
        out: Where the new files go; exists.
        detector: Name of the detector where no file says it.

    Raises:
        NothingError: There is no frame, or nobody knows whose they are.
        FileExistsError: A new name is taken.
        OSError: A file cannot be written; nothing new is left.
    """
    findings: list[Finding] = []
    raw = _look(remains, findings)
    known = remains.known
    if remains.problem:
        findings.append(
            warning(remains.stem, remains.problem, "the frames are there; times and headers are not")
        )
    if known is not None and known.unreadable:
        what = ", ".join(known.unreadable)
        findings.append(warning(remains.stem, f"cannot be read: {what}", "they are empty in the new file"))
    mapping = known.mapping if known is not None else _mapping(raw)
    tops = [_place(mapping, number, each.top - 1) + 1 for number, each in raw.items() if each.top]
    if not tops:
        why = "no raw file is there" if not raw else "no frame was flushed before its writer died"
        raise NothingError(f"{remains.stem}: {why}; nothing can be brought back")
    stored = np.flatnonzero(known.stored) if known is not None else np.empty(0, np.int64)
    rows = max(*tops, int(stored[-1]) + 1 if stored.size else 0)
    name = (known.detector if known is not None else "") or _detector(remains.stem, raw, beamline, detector)
    stem = remains.stem + SALVAGED
    meta = out / names.meta_file(stem)
    made: list[Path] = []
    try:
        sizes, files = _frames(raw, mapping, rows, out=out, stem=stem, made=made, findings=findings)
        right = put_right(known, sizes)
        about: dict[str, str] = {About.DETECTOR: name, About.FIRST_FILE: "", About.TEMP_SUFFIX: ""}
        made.append(meta)
        write_meta(remains.meta if known is not None else None, meta, right, mapping, about)
    except FileExistsError as problem:
        _remove(made[:-1])
        raise FileExistsError(
            problem.errno, "is there already: nothing is ever overwritten", problem.filename
        ) from None
    except BaseException:
        _remove(made)
        raise
    findings += _sums(remains.stem, right)
    pixels = next(iter(raw.values())).pixels
    when = max(each.path.stat().st_mtime for each in raw.values())
    clean = read_meta(meta)
    return Brought(
        stem=remains.stem,
        record=record_of(clean, files, pixels, meta=str(meta), when=when),
        has_attributes=clean.has_attributes,
        found=right.found,
        lost=right.lost,
        findings=tuple(findings),
        made=tuple(made),
    )


def taken_as_it_is(remains: Remains) -> Brought:
    """A capture that its writer has closed, as it lies.

    Raises:
        NothingError: It has no frames, or its files are not all there.
        OSError: A file cannot be read.
    """
    findings: list[Finding] = []
    raw = _look(remains, findings)
    known = remains.known
    if known is None or not known.ended or not raw:
        raise NothingError(f"{remains.stem}: holds no frames; its master has no entry for it")
    mapping = known.mapping
    files: list[RawFileReport] = []
    for worker in range(mapping.workers):
        for file, length in enumerate(mapping.files(worker, known.ended)):
            number = file * mapping.workers + worker + 1
            if number not in raw:
                raise NothingError(f"{remains.stem}: raw file {number} is lost; bring it back, and try again")
            files.append(RawFileReport(path=str(raw[number].path), rows=length, worker=worker))
    meta = remains.directory / names.meta_file(remains.stem)
    pixels = next(iter(raw.values())).pixels
    record = record_of(known, tuple(files), pixels, meta=str(meta), when=meta.stat().st_mtime)
    return Brought(
        stem=remains.stem,
        record=record,
        has_attributes=known.has_attributes,
        findings=tuple(findings),
    )


def _look(remains: Remains, findings: list[Finding]) -> dict[int, _Raw]:
    found: dict[int, _Raw] = {}
    for number, path in sorted(remains.raw.items()):
        try:
            with opened(path) as file:
                data = cast("h5py.Dataset", file[names.DATA])
                found[number] = _Raw(
                    path=path,
                    pixels=pixel_format(data),
                    first=int(cast("np.int32", data.attrs.get("image_nr_low", 1))) - 1,
                    top=max(chunks(data, path), default=-1) + 1,
                    mapping=mapping_of(data.attrs),
                )
        except (OSError, RuntimeError, KeyError, ValueError) as problem:
            why = (str(problem).splitlines() or [type(problem).__name__])[0]
            findings.append(warning(path.name, f"cannot be read: {why}", "its frames are lost"))
    return found


def _mapping(raw: dict[int, _Raw]) -> Mapping:
    """How places are dealt where no meta file says it: as the raw files do, or by their first numbers."""
    for number, each in raw.items():
        if each.mapping.workers > 1 or each.mapping.rows_per_file:
            return each.mapping
        if number > 1 and each.first:
            return Mapping(rows_per_file=each.first // (number - 1))
    return Mapping()


def _place(mapping: Mapping, number: int, row: int) -> int:
    """The place of a row of the raw file of a number."""
    file, worker = divmod(number - 1, mapping.workers)
    return mapping.place(Location(worker, file, row))


def _detector(stem: str, raw: dict[int, _Raw], beamline: Beamline, given: str) -> str:
    if given:
        return given
    by_name = [d.name for d in beamline.detectors if stem.endswith(f"_{d.name}")]
    shape = next(iter(raw.values())).pixels.shape
    by_shape = [d.name for d in beamline.detectors if d.spec.shape == shape]
    found = by_name or by_shape
    if len(found) != 1:
        raise NothingError(f"{stem}: no file says which detector its frames are of; say it with --detector")
    return found[0]


def _frames(
    raw: dict[int, _Raw],
    mapping: Mapping,
    rows: int,
    *,
    out: Path,
    stem: str,
    made: list[Path],
    findings: list[Finding],
) -> tuple[NDArray[np.int64], tuple[RawFileReport, ...]]:
    """All raw files anew; what is lost is stood in for."""
    sizes = np.full(rows, -1, np.int64)
    files: list[RawFileReport] = []
    some = next(iter(raw.values())).path
    for worker in range(mapping.workers):
        for file, length in enumerate(mapping.files(worker, rows)):
            number = file * mapping.workers + worker + 1
            to = out / names.raw_file(stem, number)
            made.append(to)
            files.append(RawFileReport(path=str(to), rows=length, worker=worker))
            if number not in raw:
                stand_in(to, some, length, _place(mapping, number, 0) + 1)
                findings.append(warning(to.name, "has no frames", "the raw file that it stands for is lost"))
                continue
            done = salvage_file(raw[number].path, to, rows=length, meta=names.meta_file(stem))
            findings += _damaged(done)
            for row in np.flatnonzero(done.sizes >= 0).tolist():
                sizes[_place(mapping, number, row)] = done.sizes[row]
    return sizes, tuple(files)


def _damaged(done: Salvaged) -> list[Finding]:
    if not done.broken:
        return []
    what = f"{len(done.broken)} frames are damaged: rows {_few(done.broken)}"
    return [warning(done.source.name, what, "they are left out, and read as masked")]


def _sums(stem: str, rows: Rows) -> list[Finding]:
    found: list[Finding] = []
    if rows.found:
        what = f"{len(rows.found)} frames had no row: places {_few(rows.found)}"
        found.append(warning(stem, what, "they are there, without times"))
    if rows.lost:
        what = f"{len(rows.lost)} rows have no frame: places {_few(rows.lost)}"
        found.append(warning(stem, what, "they were stored and are lost; they read as masked"))
    return found


def _few(numbers: tuple[int, ...]) -> str:
    more = f", ... {numbers[-1]}" if len(numbers) > _SHOWN else ""
    return ", ".join(map(str, numbers[:_SHOWN])) + more


def _remove(made: list[Path]) -> None:
    for path in made:
        with suppress(OSError):
            path.unlink(missing_ok=True)
