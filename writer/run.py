"""One acquisition under way: its machine, and what the workers and cameras have said of it so far."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from layouts.stream.messages import GoniometerAxis
from writer import control, steps
from writer.acquisition import Acquisition, Stage, Timing
from writer.map_file import Part
from writer.orders import Holder, Order
from writer.watch import Camera


@dataclass(slots=True)
class Progress:
    """One detector's part in an acquisition.

    Attributes:
        announced: Places up to the end of the series under way, by its start message; 0 between series.
        plans: What the camera said of its goniometer when each series began, by series number.
        record: What the worker left, once it is done.
        doubt: What its client should know of the file, and no fault of the capture.
    """

    captured: int = 0
    announced: int = 0
    counters: control.Counters = field(default_factory=control.Counters)
    series: int = 0
    last_frame: int = -1
    plans: dict[int, dict[str, GoniometerAxis]] = field(default_factory=dict[int, dict[str, GoniometerAxis]])
    camera: Camera = field(default_factory=Camera)
    parts: dict[str, Part] = field(default_factory=dict[str, Part])
    shape: tuple[int, int] | None = None
    dtype: str = ""
    files: tuple[str, ...] = ()
    record: control.CaptureRecord | None = None
    doubt: str = ""

    @property
    def shown(self) -> control.Counters:
        """Counters as clients see them: a series under way is expected as soon as it is announced."""
        return replace(self.counters, expected=max(self.counters.expected, self.announced))


@dataclass(slots=True)
class Run:
    """An acquisition from its order to its end.

    Attributes:
        number: Unique in this program's life.
        sample: Name of what is mounted; the beamline file's unless given.
        began: Seconds since 1970.
        finished: Gets what the machine said at the end.
        master: The NXmx master, once it stands.
        holder: Says what becomes of frames that Capture mode holds; None once they are written, and for runs
            of other modes.
    """

    number: int
    order: Order
    machine: Acquisition
    sample: str = ""
    began: float = field(default_factory=time.time)
    started: float = field(default_factory=time.monotonic)
    deadline: float = float("inf")
    progress: dict[str, Progress] = field(default_factory=dict[str, Progress])
    finished: asyncio.Future[steps.Finish] = field(default_factory=asyncio.Future[steps.Finish])
    master: str = ""
    holder: Holder | None = None
    notes: list[str] = field(default_factory=list[str])
    """What is worth saying and no fault, such as a plan that monitors contradict."""

    def capture_id(self, detector: str) -> str:
        """Name of one detector's capture, unique for this program's life and later ones."""
        return f"{int(self.began * 1000)}-{self.number}-{detector}"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.machine.stage is Stage.ENDED

    @property
    def expected(self) -> int:
        """Frames that are expected of all detectors together."""
        return sum(
            max(self.order.planned[d], p.counters.expected, p.counters.stored)
            for d, p in self.progress.items()
        )

    @property
    def stored(self) -> int:
        """Frames on disk."""
        return sum(p.counters.stored for p in self.progress.values())

    @property
    def missing(self) -> int:
        """Frames known to be missing."""
        return sum(p.counters.missing for p in self.progress.values())


def new(number: int, order: Order, cameras: dict[str, Camera], timing: Timing, sample: str = "") -> Run:
    """An acquisition that is about to begin.

    Args:
        number: Of the acquisition.
        order: What is asked for.
        cameras: Of every detector.
        timing: How long each step may take.
        sample: Name of what is mounted.
    """
    machine = Acquisition(order.detectors, order.acquire, timing)
    run = Run(number=number, order=order, machine=machine, sample=sample)
    run.progress = {d: Progress(camera=cameras[d]) for d in order.detectors}
    return run


def note(progress: Progress, message: control.Event) -> None:
    """Keep what a worker's message says of the capture."""
    match message:
        case control.Opened():
            progress.files = message.files
        case control.Status():
            progress.captured = message.captured
            progress.counters = message.counters
            progress.last_frame = message.last_frame
        case control.Started():
            progress.series = message.series
            progress.plans[message.series] = progress.camera.plan
            progress.announced = message.row + (message.planned or 0)
        case control.SeriesEnded():
            progress.counters = message.counters
            progress.announced = 0
        case control.FileAdded():
            progress.shape, progress.dtype = message.shape, message.dtype
            progress.parts[message.path] = Part(Path(message.path), message.row, message.rows)
        case control.Done():
            progress.counters = message.counters
            progress.announced = 0
            progress.captured = message.record.rows
            progress.record = message.record
        case _:
            pass


def event_of(detector: str, message: control.Event) -> steps.Event | None:
    """What a worker's message means to the machine; nothing if it only informs."""
    match message:
        case control.Opened():
            return steps.Opened(detector)
        case control.Started():
            return steps.Started(detector, message.series)
        case control.SeriesEnded():
            report = message.report
            return steps.SeriesEnded(detector, report.series, report.outcome, report.reason)
        case control.Done():
            rows = message.record.rows if message.counters.stored else 0
            return steps.Done(detector, message.outcome, rows, message.reason)
        case control.Failed():
            return steps.Failed(detector, message.message)
        case _:
            return None
