"""One acquisition as a state machine: a capture for each detector, from the first open file to the master.

Pure: ``handle`` takes what happened and the time and returns what is to be done. A machine serves one
acquisition and is thrown away, so nothing of one can reach the next.

    opening -> running -> finishing -> publishing -> ended

An acquisition that ``ACQ:`` owns starts the cameras and ends with them; a capture set at a detector's file
records alone waits for frames as long as its client likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from layouts.beamline_storage import Durability, Storage
from layouts.capture import Outcome
from writer.steps import (
    Abort,
    Action,
    CameraEnded,
    CameraState,
    Done,
    Event,
    Failed,
    Finish,
    Lost,
    Opened,
    Publish,
    Published,
    PutAcquire,
    Quit,
    RestartWorker,
    SendAborted,
    SendCapture,
    SendStop,
    SeriesEnded,
    Started,
    StopCapture,
    Tick,
)

_NEVER = float("inf")
_SYNCED: Final = 600.0
"""Seconds to close files that are to be on the disk then."""


class Stage(StrEnum):
    """Where an acquisition is."""

    OPENING = "opening"
    RUNNING = "running"
    FINISHING = "finishing"
    PUBLISHING = "publishing"
    ENDED = "ended"


class Phase(StrEnum):
    """Where one detector's capture is."""

    OPENING = "opening"
    CAPTURING = "capturing"
    STOPPING = "stopping"
    DONE = "done"
    LOST = "lost"
    """The worker is gone, or was given up; its files stay as it left them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long each step may take, in seconds.

    Attributes:
        open: A worker to open its files.
        grace: A series to end after its camera has, and a camera after its series.
        close: A worker to verify and close its files.
    """

    open: float = 10.0
    grace: float = 4.0
    close: float = 60.0

    @classmethod
    def of(cls, storage: Storage) -> Timing:
        """What a beamline file allows; a disk may take minutes for what the system's memory holds."""
        plain = cls(grace=storage.grace + 2.0)
        return plain if storage.durability is Durability.PAGE_CACHE else replace(plain, close=_SYNCED)


@dataclass(slots=True)
class Capture:
    """One detector's part; read by the shell, changed by the machine only."""

    phase: Phase = Phase.OPENING
    series: int | None = None
    """The open series."""
    last_series: int | None = None
    series_ended: int = 0
    acquiring: bool = False
    """Whether an Acquire that we put has not completed."""
    told: bool = False
    """Whether the camera has been told to stop."""
    camera: str = ""
    outcome: Outcome = Outcome.COMPLETE
    reason: str = ""
    fault: str = ""
    """Why the worker could not go on."""
    rows: int = 0
    deadline: float = _NEVER
    """When patience with the worker ends."""
    camera_deadline: float = _NEVER

    @property
    def is_over(self) -> bool:
        """Whether the worker has nothing more to do for it."""
        return self.phase in (Phase.DONE, Phase.LOST)


@dataclass(slots=True)
class Acquisition:
    """The machine.

    Attributes:
        detectors: Names, the main one first.
        acquire: Whether the cameras are started and ended by this acquisition.
        timing: How long each step may take.
    """

    detectors: tuple[str, ...]
    acquire: bool
    timing: Timing = field(default_factory=Timing)
    stage: Stage = Stage.OPENING
    captures: dict[str, Capture] = field(default_factory=dict[str, Capture])
    halted: bool = False
    aborted: str = ""
    faults: list[str] = field(default_factory=list[str])
    """What went wrong beside the captures, one sentence each."""

    def begin(self, now: float, cameras: Mapping[str, str] | None = None) -> list[Action]:
        """Open the files of every detector.

        Args:
            now: Seconds, as in ``handle``.
            cameras: DetectorState_RBV by detector as it is now: only what it changes to is news.
        """
        for name in self.detectors:
            state = (cameras or {}).get(name, "")
            self.captures[name] = Capture(deadline=now + self.timing.open, camera=state)
        return [SendCapture(name) for name in self.detectors]

    @property
    def failed(self) -> bool:
        """Whether a capture could not be done."""
        return any(c.fault for c in self.captures.values())

    @property
    def outcome(self) -> Outcome:
        """How it ended, or would if it ended now."""
        outcomes = {c.outcome for c in self.captures.values()}
        if self.aborted or Outcome.ABORTED in outcomes:
            return Outcome.ABORTED
        incomplete = Outcome.INCOMPLETE in outcomes or self.failed or self.faults
        return Outcome.INCOMPLETE if incomplete else Outcome.COMPLETE

    @property
    def reason(self) -> str:
        """Why it is not complete; empty if it is."""
        whys = [f"{n}: {c.fault or c.reason}" for n, c in self.captures.items() if c.fault or c.reason]
        return "; ".join(dict.fromkeys([*([self.aborted] if self.aborted else []), *self.faults, *whys]))

    def handle(self, event: Event, now: float) -> list[Action]:
        """What is to be done after an event; nothing once the acquisition has ended."""
        if self.stage is Stage.ENDED:
            return []
        match event:
            case Published(error):
                return self._published(error)
            case Abort(reason):
                self.aborted = self.aborted or reason
                actions = self._halt(now)
            case Quit(reason):
                actions = self._quit(reason, now)
            case Tick():
                actions = [a for name in self.detectors for a in self._overdue(name, now)]
            case _:
                capture = self.captures.get(event.detector)
                actions = [] if capture is None else self._of_one(event, event.detector, capture, now)
        return actions + self._advance()

    def _of_one(self, event: Event, name: str, capture: Capture, now: float) -> list[Action]:
        actions: list[Action] = []
        match event:
            case CameraEnded(_, error):
                actions = self._camera_ended(name, capture, error, now)
            case CameraState():
                actions = self._camera_state(name, capture, event, now)
            case _ if capture.is_over:
                pass
            case Opened() if capture.phase is Phase.OPENING:
                capture.phase, capture.deadline = Phase.CAPTURING, _NEVER
            case Started(_, series):
                capture.series = capture.last_series = series
            case SeriesEnded():
                actions = self._series_ended(name, capture, event, now)
            case Done():
                self._done(capture, event, now)
            case Failed(_, reason) | Lost(_, reason):
                if isinstance(event, Lost):
                    left = "" if capture.phase is Phase.OPENING else "; what it wrote opens with swmr=True"
                    capture.phase, reason = Phase.LOST, reason + left
                capture.fault, capture.outcome = reason, Outcome.INCOMPLETE
                actions = self._fail(name, capture, now)
            case StopCapture():
                actions = self._stop(name, capture, now, drain=True)
            case _:
                pass
        return actions

    def _advance(self) -> list[Action]:
        """Steps that the state of all captures together allows."""
        captures = self.captures.values()
        actions: list[Action] = []
        if self.stage is Stage.OPENING and all(c.phase is Phase.CAPTURING for c in captures):
            self.stage = Stage.RUNNING
            if self.acquire and not self.halted:
                for name, capture in self.captures.items():
                    capture.acquiring = True
                    actions.append(PutAcquire(name, start=True))
        if self.stage in (Stage.OPENING, Stage.RUNNING):
            ending = self.halted or all(c.is_over or c.phase is Phase.STOPPING for c in captures)
            self.stage = Stage.FINISHING if ending else self.stage
        if self.stage is Stage.FINISHING and all(c.is_over and not c.acquiring for c in captures):
            useful = tuple(n for n, c in self.captures.items() if c.phase is Phase.DONE and c.rows)
            if useful:
                self.stage = Stage.PUBLISHING
                return [*actions, Publish(useful)]
            if not self.reason:
                self.faults.append("no frames came, so there is no master")
            return [*actions, *self._finish(failed=False)]
        return actions

    def _published(self, error: str) -> list[Action]:
        if self.stage is not Stage.PUBLISHING:
            return []
        if error:
            self.faults.append(error)
        return self._finish(failed=bool(error))

    def _finish(self, *, failed: bool) -> list[Action]:
        self.stage = Stage.ENDED
        return [Finish(self.outcome, self.reason, failed or self.failed)]

    def _done(self, capture: Capture, event: Done, now: float) -> None:
        capture.phase, capture.rows, capture.series = Phase.DONE, event.rows, None
        if not capture.fault:
            capture.outcome, capture.reason = event.outcome, event.reason
        capture.deadline = _NEVER
        capture.camera_deadline = now + self.timing.grace if capture.acquiring else _NEVER

    def _camera_ended(self, name: str, capture: Capture, error: str, now: float) -> list[Action]:
        capture.acquiring, capture.camera_deadline = False, _NEVER
        if error and not self.halted:
            self.faults.append(f"{name}: {error}")
            actions: list[Action] = []
            if capture.series is not None:  # what it still owed is missing
                actions.append(SendAborted(name, capture.series, error))
            return actions + self._halt(now) + self._stop(name, capture, now, drain=True)
        if capture.phase is not Phase.CAPTURING:
            return []
        if capture.series is None and (capture.series_ended or self.halted):
            return self._stop(name, capture, now, drain=True)
        # Messages may still be on their way: the end, or for a very short series even its start.
        capture.deadline = now + self.timing.grace
        return []

    def _camera_state(self, name: str, capture: Capture, event: CameraState, now: float) -> list[Action]:
        state, was, capture.camera = event.state, capture.camera, event.state
        if state == was or state not in ("Aborted", "Error") or capture.is_over:
            return []
        why = f"the detector reports an error: {event.message or 'it does not say which'}"
        # The series may have ended at the worker already, as incomplete: a late hint is not in vain.
        fault = why if state == "Error" else ""
        # Its start message may still be on its way to the worker: the camera knows its number first.
        series = capture.last_series if event.series is None else event.series
        actions: list[Action] = [SendAborted(name, series, fault)]
        if capture.acquiring and not self.halted:
            if state == "Aborted":
                self.aborted = f"{name} was aborted at its own PVs"
            else:
                self.faults.append(f"{name}: {why}")
            actions += self._halt(now)
        return actions

    def _series_ended(self, name: str, capture: Capture, event: SeriesEnded, now: float) -> list[Action]:
        capture.series_ended += 1
        if capture.series == event.series:
            capture.series = None
        if not self.acquire:
            return []
        if self.halted or not capture.acquiring:
            return self._stop(name, capture, now, drain=True)
        if event.outcome is not Outcome.COMPLETE:
            capture.camera_deadline = now + self.timing.grace
        return []

    def _stop(self, name: str, capture: Capture, now: float, *, drain: bool) -> list[Action]:
        if capture.phase not in (Phase.OPENING, Phase.CAPTURING):
            return []
        capture.phase = Phase.STOPPING
        capture.deadline = now + self.timing.close
        return [SendStop(name, drain)]

    def _fail(self, name: str, capture: Capture, now: float) -> list[Action]:
        """Frames that nobody stores are not taken: the camera stops, whoever started it, and the others."""
        actions: list[Action] = []
        if not capture.acquiring and capture.camera == "Acquire":
            actions.append(PutAcquire(name, start=False))
        return actions + self._halt(now)

    def _halt(self, now: float) -> list[Action]:
        """End everything: cameras first, then each capture as soon as its series is over."""
        if self.halted:
            return []
        self.halted = True
        actions: list[Action] = []
        for name, capture in self.captures.items():
            if not capture.acquiring:
                actions += self._stop(name, capture, now, drain=False)
                continue
            actions += self._tell(name, capture, now)
            if capture.phase is Phase.CAPTURING:
                if self.aborted:
                    actions.append(SendAborted(name, capture.last_series))
                capture.deadline = now + self.timing.grace
        return actions

    def _quit(self, reason: str, now: float) -> list[Action]:
        self.aborted = self.aborted or reason
        actions = self._halt(now)
        for name, capture in self.captures.items():
            capture.acquiring, capture.camera_deadline = False, _NEVER
            actions += self._stop(name, capture, now, drain=False)
        return actions

    def _tell(self, name: str, capture: Capture, now: float) -> list[Action]:
        if capture.told:
            return []
        capture.told, capture.camera_deadline = True, now + self.timing.grace
        return [PutAcquire(name, start=False)]

    def _overdue(self, name: str, now: float) -> list[Action]:
        capture = self.captures[name]
        actions: list[Action] = []
        if now >= capture.camera_deadline:
            actions += self._camera_overdue(name, capture, now)
        if now < capture.deadline:
            return actions
        capture.deadline = _NEVER
        if capture.phase is Phase.CAPTURING:
            return actions + self._stop(name, capture, now, drain=not self.halted)
        opening = capture.phase is Phase.OPENING
        step, patience = ("open", self.timing.open) if opening else ("close", self.timing.close)
        late = f"the worker did not {step} its files within {patience:g} s"
        capture.phase, capture.outcome = Phase.LOST, Outcome.INCOMPLETE
        capture.fault = f"{late}; its log says why; open its files with swmr=True"
        return [*actions, RestartWorker(name, late), *self._fail(name, capture, now)]

    def _camera_overdue(self, name: str, capture: Capture, now: float) -> list[Action]:
        if capture.told:
            # It does not answer: the files are not kept waiting for it.
            capture.acquiring, capture.camera_deadline = False, _NEVER
            self.faults.append(f"{name}: the camera did not end its Acquire within {self.timing.grace:g} s")
            return self._stop(name, capture, now, drain=False)
        early = (
            "went on after its last frame"
            if capture.phase is Phase.DONE and capture.outcome is Outcome.COMPLETE
            else "went on after a broken series"
        )
        self.faults.append(f"{name}: the camera {early} and was stopped")
        actions = self._tell(name, capture, now)
        return actions if capture.phase is Phase.DONE else actions + self._halt(now)
