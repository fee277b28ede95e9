"""From a run whose workers are done to its masters: positions, acquisition, files. Blocks; for a thread."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from layouts.beamline import Beamline
from layouts.capture import Acquisition, DetectorCapture, Outcome
from layouts.nexus.findings import Severity
from layouts.raw.names import Meta, master_file, truth_file
from writer import assemble, masters
from writer.assemble import CameraFacts
from writer.give_name import give_name
from writer.meta_h5 import read_array
from writer.ownership import ownership
from writer.positions import History, doubts, positions
from writer.run import Run
from writer.watch import Camera
from writer.write_errors import failure

_log = logging.getLogger(__name__)

_CLOCKS = 1.0
"""Seconds by which a camera's clock may be behind ours: series of earlier runs may have the same numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of publishing.

    Attributes:
        master: The NXmx master; empty if it does not stand.
        error: Why not all masters stand; empty if they do.
        notes: What is worth saying.
    """

    master: str
    error: str
    notes: tuple[str, ...]


def publish(
    run: Run,
    beamline: Beamline,
    detectors: tuple[str, ...],
    histories: Mapping[str, History],
    truths: Mapping[str, str],
) -> Result:
    """Write the masters of a run.

    Args:
        run: Its workers are done.
        beamline: The description.
        detectors: Those that gave frames, the main one first.
        histories: Of the motors.
        truths: What was simulated, JSON by detector; written beside the master.
    """
    if run.sample:
        beamline = beamline.model_copy(
            update={"sample": beamline.sample.model_copy(update={"name": run.sample})}
        )
    captures: list[DetectorCapture] = []
    notes: list[str] = []
    try:
        for name in detectors:
            capture, said = _capture(run, name, beamline, histories)
            captures.append(capture)
            notes += said
        acquisition = _acquisition(run, beamline, tuple(captures))
        published = masters.publish(acquisition)
    except Exception as error:
        _log.exception("masters of %s", run.order.name)
        path = run.order.directory / master_file(run.order.name)
        why = failure(_cause(error), path)
        return Result(master="", error=f"no master: {why}", notes=tuple(notes))
    for finding in published.findings:
        _log.log(logging.ERROR if finding.severity is Severity.ERROR else logging.INFO, "%s", finding)
    errors = [str(f) for f in published.findings if f.severity is Severity.ERROR]
    master = next((str(p) for p in published.paths if p.suffix == ".nxs"), "")
    try:
        _leave_truth(run, truths, ownership(beamline.storage).give)
    except OSError as error:
        notes.append(f"what was simulated could not be left beside the master: {error}")
    return Result(master=master, error="; ".join(errors[:2]), notes=tuple(dict.fromkeys(notes)))


def _capture(
    run: Run, name: str, beamline: Beamline, histories: Mapping[str, History]
) -> tuple[DetectorCapture, list[str]]:
    progress = run.progress[name]
    record = progress.record
    if record is None:
        raise ValueError("a worker is done without a record of its capture")
    detector = beamline.detector(record.detector)
    episodes = progress.camera.exposures(run.began - _CLOCKS)
    exposures = {series: (episode.begin, episode.end) for series, episode in episodes.items()}
    taken = assemble.spans(record, progress.plans, exposures)
    goniometer: dict[str, str] = {str(axis): motor for axis, motor in beamline.goniometer.items()}
    where = positions(beamline.motors, histories, taken, goniometer)
    meta = Path(record.meta_file)
    mask = read_array(meta, Meta.MASKS, record.pixel_mask) if record.pixel_mask else None
    flat = read_array(meta, Meta.FLATFIELDS, record.flatfield) if record.flatfield else None
    capture = assemble.detector_capture(
        record,
        detector,
        positions=where,
        pixel_mask=mask,
        flatfield=flat,
        camera=facts(progress.camera),
        has_attributes=run.order.captures[name].attributes is not None,
    )
    return capture, doubts(beamline.motors, histories, taken, goniometer)


def facts(camera: Camera) -> CameraFacts:
    """What a camera's PVs say, as the assembly takes it."""
    return CameraFacts(
        images=camera.images,
        images_per_trigger=camera.per_trigger,
        triggers=None if camera.triggers is None else int(camera.triggers),
        count_time=camera.count_time,
        frame_time=camera.frame_time,
        energy=camera.energy,
        threshold=camera.threshold,
        plan=camera.plan,
    )


def _acquisition(run: Run, beamline: Beamline, captures: tuple[DetectorCapture, ...]) -> Acquisition:
    started = min(c.started for c in captures)
    ends = [s.ended for p in run.progress.values() if p.record is not None for s in p.record.series]
    ended = datetime.fromtimestamp(max(ends), UTC).astimezone() if ends else started
    seconds = assemble.planned_seconds(captures, run.order.planned)
    outcome = run.machine.outcome
    return Acquisition(
        beamline=beamline,
        directory=run.order.directory,
        name=run.order.name,
        detectors=captures,
        started=started,
        ended=None if outcome is Outcome.ABORTED else max(ended, started),
        # From the last to begin: frames of a short series may come later than it takes.
        estimated_end=max(c.started for c in captures) + timedelta(seconds=seconds),
        outcome=outcome,
        reason=run.machine.reason,
    )


def _cause(error: BaseException) -> Exception:
    """The system's own error behind what HDF5 says when it cannot even close the file."""
    step: BaseException | None = error
    while step is not None:
        if isinstance(step, OSError):
            return step
        step = step.__cause__ or step.__context__
    return error if isinstance(error, Exception) else RuntimeError(str(error))


def _leave_truth(run: Run, truths: Mapping[str, str], give: Callable[[Path], None]) -> None:
    """One JSON with a key for each detector, beside the master; never over another."""
    told: dict[str, object] = {}
    for detector, text in truths.items():
        if not text:  # the simulated detector failed before it could tell
            continue
        try:
            told[detector] = json.loads(text)
        except ValueError:
            _log.warning("%s: what was simulated is no JSON and was left out", detector)
    if not told:
        return
    path = run.order.directory / truth_file(run.order.name)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        give(temporary)
        give_name(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
