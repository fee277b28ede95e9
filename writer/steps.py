"""What happens to an acquisition, and what is to be done about it: events and actions, as values."""

from __future__ import annotations

from dataclasses import dataclass

from layouts.capture import Outcome

# What happens. All but Abort, Quit, Published and Tick are of one detector.


@dataclass(frozen=True, slots=True)
class Opened:
    """The worker has its files open and its socket live."""

    detector: str


@dataclass(frozen=True, slots=True)
class Started:
    """A start message came."""

    detector: str
    series: int


@dataclass(frozen=True, slots=True)
class SeriesEnded:
    """A series is over, as the worker saw it."""

    detector: str
    series: int
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The worker has closed its files; how its capture ended, and how many frames it has."""

    detector: str
    outcome: Outcome
    rows: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """The worker could not go on (no space, a path that is not there, another's file); Done follows."""

    detector: str
    reason: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker ended by itself."""

    detector: str
    reason: str


@dataclass(frozen=True, slots=True)
class CameraState:
    """DetectorState_RBV changed.

    Attributes:
        message: What StatusMessage_RBV says with it.
        series: The one that has ended with it, where the camera says which.
    """

    detector: str
    state: str
    message: str = ""
    series: int | None = None


@dataclass(frozen=True, slots=True)
class CameraEnded:
    """The put of Acquire=1 completed; an error where it was refused or its camera went away."""

    detector: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class StopCapture:
    """A client set Capture to 0."""

    detector: str


@dataclass(frozen=True, slots=True)
class Abort:
    """A client or the end of the program wants it over."""

    reason: str = "aborted by a client"


@dataclass(frozen=True, slots=True)
class Quit:
    """The program ends: files are closed now, and nobody is waited for."""

    reason: str


@dataclass(frozen=True, slots=True)
class Published:
    """The masters are there, or the reason why not."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event = (
    Opened
    | Started
    | SeriesEnded
    | Done
    | Failed
    | Lost
    | CameraState
    | CameraEnded
    | StopCapture
    | Abort
    | Quit
    | Published
    | Tick
)


# What is to be done.


@dataclass(frozen=True, slots=True)
class SendCapture:
    """Tell the worker to open its files."""

    detector: str


@dataclass(frozen=True, slots=True)
class SendStop:
    """Tell the worker to end its capture, with or without what is still on the wire."""

    detector: str
    drain: bool


@dataclass(frozen=True, slots=True)
class SendAborted:
    """Tell the worker that the detector aborted this series; None is the one under way.

    Attributes:
        fault: Why, if it failed rather than was told to.
    """

    detector: str
    series: int | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PutAcquire:
    """Put Acquire of the camera; its completion comes back as CameraEnded where it starts one."""

    detector: str
    start: bool


@dataclass(frozen=True, slots=True)
class RestartWorker:
    """The worker does not answer: end it and start another."""

    detector: str
    reason: str


@dataclass(frozen=True, slots=True)
class Publish:
    """Make the masters of these detectors' captures."""

    detectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """It is over."""

    outcome: Outcome
    reason: str
    failed: bool


Action = SendCapture | SendStop | SendAborted | PutAcquire | RestartWorker | Publish | Finish
