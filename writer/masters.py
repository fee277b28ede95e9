"""Masters of an acquisition: built as trees, written under a temporary name, verified, and only then named.

As a beamline does at the end of a data collection, with two differences: a master that a reader would stumble
over never gets its name, and nothing that is there is ever overwritten.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from layouts.capture import Acquisition
from layouts.nexus import dectris, nxmx
from layouts.nexus.check_h5 import check_tree, facts
from layouts.nexus.findings import Finding, Severity, error, warning, worst_first
from layouts.nexus.outside import Facts
from layouts.nexus.tree import Group, differences
from layouts.nexus.tree_h5 import read, write
from layouts.raw.names import dectris_master_file, master_file
from writer.give_name import give_name
from writer.ownership import ownership
from writer.syncing import sync, sync_directory

_NOTHING = ("master not written: no detector gave a frame", "see why the acquisition ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What came of it.

    Attributes:
        paths: Masters that stand, the NXmx master first.
        findings: Of all of them, the worst first; an error for each master that does not stand.
    """

    paths: tuple[Path, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether every master stands."""
        return not any(f.severity is Severity.ERROR for f in self.findings)


def paths(acquisition: Acquisition) -> tuple[Path, ...]:
    """Names that the masters of an acquisition will have, the NXmx master first."""
    return tuple(path for path, _ in _trees(acquisition))


def publish(acquisition: Acquisition) -> Published:
    """Write, verify and name the masters of an acquisition whose raw and meta files are closed.

    A detector that gave no frame is left out. Takes under 0.1 s and 0.5 ms for each raw file where the disk
    is quick; blocks, so call it from a thread.

    Args:
        acquisition: Ended.

    Returns:
        The masters and what was found; it never raises for what is wrong with files or disk.
    """
    made: list[Path] = []
    findings: list[Finding] = []
    known: Facts = {}
    empty = [c.detector for c in acquisition.detectors if not c.rows]
    findings += [warning(name, "gave no frame", "it has no entry and no master") for name in empty]
    if len(empty) == len(acquisition.detectors):
        findings.append(error(str(acquisition.directory / master_file(acquisition.name)), *_NOTHING))
    for path, tree in _trees(acquisition):
        try:
            known, found = _publish(path, tree, known, ownership(acquisition.beamline.storage).give)
        except OSError as problem:
            found = [_refused(path, problem)]
        findings += found
        if not any(f.severity is Severity.ERROR for f in found):
            made.append(path)
    if made:
        sync_directory(acquisition.directory)
    return Published(paths=tuple(made), findings=worst_first(findings))


def _trees(acquisition: Acquisition) -> Iterator[tuple[Path, Group]]:
    acquisition = replace(acquisition, detectors=tuple(c for c in acquisition.detectors if c.rows))
    if not acquisition.detectors:
        return
    yield acquisition.directory / master_file(acquisition.name), nxmx.master(acquisition)
    for capture in acquisition.detectors:
        name = dectris_master_file(acquisition.name, capture.detector)
        yield acquisition.directory / name, dectris.master(acquisition, capture)


def _publish(
    path: Path, tree: Group, known: Facts, give: Callable[[Path], None]
) -> tuple[Facts, list[Finding]]:
    if path.exists():
        raise FileExistsError(errno.EEXIST, "is there already", str(path))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        write(temporary, tree)
        back = read(temporary)
        known = facts(path.parent, back, known=known)
        findings = list(check_tree(path, back, known).findings)
        unlike = next(differences(tree, back), None)
        if unlike is not None:
            findings.append(
                error(str(path), f"reads back differently: {unlike}", "the disk or HDF5 is at fault")
            )
        if not any(f.severity is Severity.ERROR for f in findings):
            give(temporary)
            sync(temporary)
            give_name(temporary, path)
        return known, findings
    finally:
        temporary.unlink(missing_ok=True)


def _refused(path: Path, problem: OSError) -> Finding:
    remedy = {
        errno.EEXIST: "nothing is ever overwritten; choose another name",
        errno.ENOSPC: "the raw files are whole; make room and publish again",
        errno.EACCES: "the writer's user may not write there",
        errno.EROFS: "the file system is read-only",
    }.get(problem.errno or 0, "the raw files are untouched; publish again when it is mended")
    what = problem.strerror or str(problem)
    code = f" (errno {errno.errorcode.get(problem.errno, problem.errno)})" if problem.errno else ""
    return error(str(path), f"master not written: {what}{code}", remedy)
