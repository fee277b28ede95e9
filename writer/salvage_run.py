"""Everything that a crash has left in a directory, brought back: clean files, and masters over them.

A capture belongs to the acquisition that its stem names before its detector. What its other detectors had
closed in good order gets into the new master as it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from layouts.beamline import Beamline
from layouts.capture import Acquisition, Outcome
from layouts.nexus.findings import Finding, Severity, error, note, worst_first
from layouts.raw.names import master_file
from writer import assemble, masters
from writer.offline import described
from writer.positions import History
from writer.salvage_capture import Brought, NothingError, bring_back, taken_as_it_is
from writer.salvage_find import SALVAGED, Remains, find, writers


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it.

    Attributes:
        captures: That were brought back.
        masters: That stand now.
        findings: The worst first.
    """

    captures: tuple[Brought, ...] = ()
    masters: tuple[Path, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all that could be brought back was, and has a master."""
        return not any(f.severity is Severity.ERROR for f in self.findings)


def salvage(
    path: Path,
    beamline: Beamline,
    *,
    out: Path | None = None,
    detector: str = "",
    histories: Mapping[str, History] | None = None,
) -> Result:
    """Bring back what a dead writer has left.

    Args:
        path: A directory, or a meta or raw file in it; it exists and is only read.
        beamline: Describes motors and detectors.
        out: Where the new files go; beside the old ones unless given.
        detector: Name of the detector where no file says it.
        histories: What motors said meanwhile, by name; without it they are where they were configured, or
            where the detector was told.

    Raises:
        OSError: The directory cannot be read, or the new one not be made.
    """
    there = find(path.absolute())
    if not there:
        return Result(findings=(error(str(path), "no capture is there", "name a raw or meta file"),))
    hurt = [remains for remains in there if not remains.is_closed or not _has_master(remains, beamline)]
    if not hurt:
        said = "its writer has closed it" if path.is_file() else "their writers have closed all captures"
        return Result(
            findings=(note(str(path), f"{said}, and masters stand", "there is nothing to bring back"),)
        )
    directory = (out or (path if path.is_dir() else path.parent)).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    captures: list[Brought] = []
    stand: list[Path] = []
    findings: list[Finding] = []
    everything = find(path.absolute().parent) if path.is_file() else there
    for name, group in _acquisitions(hurt, everything, beamline):
        brought = list(_bring(group, beamline, directory, detector, findings))
        captures += brought
        if brought:
            published = _publish(name + SALVAGED, directory, beamline, brought, histories)
            stand += published.paths
            findings += published.findings
    return Result(captures=tuple(captures), masters=tuple(stand), findings=worst_first(findings))


def _acquisitions(
    hurt: list[Remains], there: list[Remains], beamline: Beamline
) -> Iterator[tuple[str, list[Remains]]]:
    """Captures by the acquisition that they are of: those that were hurt, and the others of the same."""
    found = dict.fromkeys(_acquisition(remains, beamline) for remains in hurt)
    for name in found:
        same = [r for r in there if _acquisition(r, beamline) == name and (r.is_closed or r in hurt)]
        yield name, same


def _acquisition(remains: Remains, beamline: Beamline) -> str:
    told = "" if remains.known is None else remains.known.detector
    for detector in [told] if told else [d.name for d in beamline.detectors]:
        if remains.stem.endswith(f"_{detector}"):
            return remains.stem.removesuffix(f"_{detector}")
    return remains.stem


def _has_master(remains: Remains, beamline: Beamline) -> bool:
    """Whether the acquisition of a capture has one: a coordinator that died leaves files closed without."""
    name = _acquisition(remains, beamline)
    return any((remains.directory / master_file(each)).exists() for each in (name, name + SALVAGED))


def _bring(
    group: list[Remains], beamline: Beamline, out: Path, detector: str, findings: list[Finding]
) -> Iterator[Brought]:
    for remains in group:
        files = [*remains.raw.values(), *([] if remains.meta is None else [remains.meta])]
        busy = {} if remains.is_closed else writers(files)
        if busy:
            process = next(iter(busy.values()))
            what = f"process {process} is writing on it"
            findings.append(error(remains.stem, what, "its writer lives: end the capture instead"))
            continue
        try:
            if remains.is_closed:
                brought = taken_as_it_is(remains)
            else:
                brought = bring_back(remains, beamline, out, detector)
        except NothingError as nothing:
            what, _, remedy = str(nothing).partition(": ")[2].partition("; ")
            findings.append(error(remains.stem, what, remedy))
        except OSError as problem:
            where = str(problem.filename or remains.stem)
            findings.append(error(where, problem.strerror or str(problem), "see to it, and salvage again"))
        else:
            findings += brought.findings
            yield brought


def _publish(
    name: str,
    directory: Path,
    beamline: Beamline,
    brought: list[Brought],
    histories: Mapping[str, History] | None,
) -> masters.Published:
    order = [d.name for d in beamline.detectors]
    strange = [each.record.detector for each in brought if each.record.detector not in order]
    if strange:
        what = f"no master: {', '.join(strange)} is no detector of the beamline file"
        remedy = "the frames are back; name the right file with --beamline, and remove them before"
        return masters.Published(paths=(), findings=(error(name, what, remedy),))
    brought = sorted(brought, key=lambda each: order.index(each.record.detector))
    records = [each.record for each in brought]
    try:
        captures = tuple(
            described(beamline, each.record, has_attributes=each.has_attributes, histories=histories)
            for each in brought
        )
    except (OSError, ValueError, KeyError) as problem:
        return masters.Published(
            paths=(), findings=(error(name, f"no master: {problem}", "see the meta file"),)
        )
    started = min(capture.started for capture in captures)
    planned = {r.detector: sum(s.planned or s.rows for s in r.series) for r in records}
    stored, announced = sum(r.rows - len(r.missing) for r in records), sum(planned.values())
    whole = stored == announced and not any(each.made for each in brought)
    said = f"the writer died before the capture ended; {stored} of {announced} announced frames are here"
    return masters.publish(
        Acquisition(
            beamline=beamline,
            directory=directory,
            name=name,
            detectors=captures,
            started=started,
            ended=max(started, *(datetime.fromtimestamp(r.ended, UTC).astimezone() for r in records)),
            estimated_end=started + timedelta(seconds=assemble.planned_seconds(captures, planned)),
            outcome=Outcome.COMPLETE if whole else Outcome.INCOMPLETE,
            reason="" if whole else said,
        )
    )
