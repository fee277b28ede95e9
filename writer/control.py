"""Control messages between a worker and the coordinator: values here, one JSON object each on the wire.

The worker's DEALER connects to the coordinator's ROUTER. Times are seconds since 1970 (UTC) in messages, so
that hosts may differ; durations are seconds. The key ``type`` names the message.

A worker says Hello when it connects, and again when a coordinator that does not know it asks with Identify;
it sends a Status at least every ``HEARTBEAT`` seconds. A capture goes Capture -> Opened -> (Started ..
SeriesEnded)* -> Done. Failed may come at any time between; Done still follows, when the capture ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from layouts.capture import Outcome
from layouts.stream.messages import Codec, SeriesParameters
from writer.attribute_messages import Attribute, AttributeValues
from writer.keeping import Keeping
from writer.preview.settings import Settings
from writer.reports import CaptureRecord, Counters, FrameReport, SeriesReport, StorerReport
from writer.requests import (
    Answer,
    Request,
    SinglesReport,
)
from writer.timings import Timings

HEARTBEAT: Final = 0.5
"""Longest time between two messages of a living worker, s."""
STATUS_INTERVAL: Final = 0.1
"""Shortest time between two Status messages, s; changes of state are told at once."""


class ControlError(ValueError):
    """A control message that cannot be understood."""


class WorkerState(StrEnum):
    """What a worker is doing."""

    IDLE = "idle"
    """No capture: frames that come are counted as unwanted."""
    WAITING = "waiting"
    """A capture is open, and no series is under way."""
    WRITING = "writing"
    """A series is under way."""
    DRAINING = "draining"
    """Stopped; takes what is still on its way."""
    FAILED = "failed"
    """Files could not be written on and are closed; frames are taken and counted until the capture ends."""


# ---------------------------------------------------------------- coordinator to worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Open a capture. Refused by Failed and Done while another one is open.

    Attributes:
        capture: Name of the capture, unique for the coordinator's life.
        directory: Where the files go; exists.
        stem: What their names begin with.
        images_per_file: Places in one raw file; 0 puts all in one.
        frames_per_block: Places that go to one of several workers before the next has its turn.
        num_capture: Places at which the capture ends by itself; 0 is no limit.
        shape: (slow, fast) if known: then the first raw file exists before Opened is sent.
        dtype: "uint8", "uint16" or "uint32", with ``shape``.
        codec: With ``shape``; what frames will be packed with.
        single_file_name: Full path of the first raw file, in place of ``stem_000001.h5``: for a capture
            in one file it is the file that FullFileName names.
        stall_timeout: Beyond the frame time, when a series that sends nothing has stalled.
        grace: How long an end message waits for frames it has overtaken.
        flush_interval: Between two flushes.
        flush_frames: Frames after which to flush before that time; 0 is by time alone.
        temp_suffix: Behind the names of raw files until the capture has ended.
        images: Frames of a series, where the coordinator knows and the stream might not say.
        images_per_trigger: Frames of one trigger: after a whole number of them no stall is possible.
        stall: False if pauses of any length are in order.
        attributes: NDAttributes to be stored beside the frames; None stores none at all.
        keeping: What is done for the safety of the files.
        previews: How the statistics among them are computed; None if there are none.
    """

    capture: str
    directory: str
    stem: str
    detector: str
    images_per_file: int = 0
    frames_per_block: int = 1
    num_capture: int = 0
    shape: tuple[int, int] | None = None
    dtype: Literal["uint8", "uint16", "uint32"] | None = None
    codec: Codec = Codec.BSLZ4
    single_file_name: str | None = None
    stall_timeout: float = 10.0
    grace: float = 2.0
    flush_interval: float = 0.08
    flush_frames: int = 0
    temp_suffix: str = ""
    images: int | None = None
    images_per_trigger: int | None = None
    stall: bool = True
    attributes: tuple[Attribute, ...] | None = ()
    keeping: Keeping = field(default_factory=Keeping)
    previews: Settings | None = None
    type: Literal["capture"] = "capture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What the coordinator knows of the series to come or under way; None leaves it as it was."""

    images: int | None = None
    images_per_trigger: int | None = None
    stall: bool = True
    type: Literal["expect"] = "expect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End a capture: at once, or when the stream has been quiet for 0.1 s (``grace`` seconds at most)."""

    capture: str
    drain: bool = True
    type: Literal["stop"] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """The detector was told to abort, or has failed: the stream does not say so.

    Attributes:
        series: Its number; None means the series under way.
        fault: Why it failed; empty if it was told to abort.
    """

    series: int | None = None
    fault: str = ""
    type: Literal["aborted"] = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """Say Hello: sent to a worker whose Status comes to a coordinator that does not know it."""

    type: Literal["identify"] = "identify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """End the worker: files closed, no draining."""

    type: Literal["shutdown"] = "shutdown"


Command = Capture | AttributeValues | Expect | Stop | Aborted | Identify | Shutdown | Request


# ---------------------------------------------------------------- worker to coordinator


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """A worker is there, connected to control and stream."""

    detector: str
    rank: int = 0
    pid: int
    host: str = ""
    version: str
    endpoint: str
    capture: str | None = None
    """The capture it is at, if it has outlived a coordinator."""
    type: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A capture is open: the next frame goes to row 0. No raw files yet if the shape was not known."""

    capture: str
    files: tuple[str, ...] = ()
    meta_file: str
    type: Literal["opened"] = "opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A series has its places in the capture.

    Attributes:
        arrival: Of the start message, or of the first frame if none was seen.
        row: Its first place.
        first: Number of the frame at that place.
    """

    capture: str
    series: int
    row: int
    first: int = 0
    planned: int | None = None
    parameters: SeriesParameters
    arrival: float
    type: Literal["started"] = "started"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAdded:
    """A raw file was made or made anew: its shape and the place it begins with."""

    capture: str
    path: str
    row: int
    """The first place it holds; the others follow from worker and mapping."""
    rows: int
    """Its extent now: for mapping; grows."""
    worker: int = 0
    """Whose stripe it is of, from 0."""
    shape: tuple[int, int]
    dtype: str
    codec: Codec
    type: Literal["file_added"] = "file_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How things stand; at most every 0.1 s, at least every 0.5 s.

    Attributes:
        captured: NumCaptured: every frame of a lower place is stored and flushed, or known missing.
        series: The one under way, or the last.
        last_frame: Number of the frame stored last; -1 if none.
        counters: Of this capture, or of the last one.
        totals: Of the worker's life.
        cpu: Seconds of processor time of the worker's life.
        connected: Whether a detector is at the other end of the stream's socket.
        latest: The frame that came last; None before the first.
        passed: Frames of the worker's life that passed by while it was told to take none.
        execution: Milliseconds of work that a frame took, on average since the Status before.
        backlog: Frames stored that readers cannot see yet.
        flushes: Flushes of this capture, or of the last one, that showed readers more.
        queue: Frames that may wait at the stream's socket.
        singles: What became of Singles; None without such an order.
        timings: How long calls of the disk took in this capture, or in the last one.
        storers: Where several store the frames, each of them.
    """

    detector: str
    rank: int = 0
    state: WorkerState
    capture: str | None = None
    captured: int = 0
    series: int | None = None
    last_frame: int = -1
    counters: Counters = field(default_factory=Counters)
    totals: Counters = field(default_factory=Counters)
    cpu: float = 0.0
    connected: bool = False
    latest: FrameReport | None = None
    passed: int = 0
    execution: float = 0.0
    backlog: int = 0
    flushes: int = 0
    queue: int = 0
    singles: SinglesReport | None = None
    timings: Timings = field(default_factory=Timings)
    storers: tuple[StorerReport, ...] = ()
    message: str = ""
    type: Literal["status"] = "status"

    @property
    def backlog_bytes(self) -> int:
        """Bytes that were taken off the stream's socket and that readers cannot see yet.

        Exact where several store the frames; else as many as frames like the latest would have.
        """
        if self.storers:
            return sum(each.queue for each in self.storers)
        return 0 if self.latest is None else self.backlog * self.latest.size


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEnded:
    """A series has ended; its places are settled.

    Attributes:
        last_frame: Number of the frame of it that was stored last; -1 if none was.
    """

    capture: str
    report: SeriesReport
    counters: Counters
    last_frame: int = -1
    type: Literal["series_ended"] = "series_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPassed:
    """A series has ended while no capture was open.

    Attributes:
        series: Its number.
        last_frame: Number of its last frame that came; -1 if none did.
    """

    series: int
    last_frame: int
    type: Literal["series_passed"] = "series_passed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A capture has ended and its files are closed."""

    capture: str
    outcome: Outcome
    reason: str = ""
    record: CaptureRecord
    counters: Counters
    type: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Files could not be made or written on; they are closed, and earlier frames readable. Done follows.

    Before Opened it means that the capture was refused.
    """

    capture: str
    errno: int = 0
    message: str
    type: Literal["failed"] = "failed"


Event = Hello | Opened | Started | FileAdded | Status | SeriesEnded | SeriesPassed | Done | Failed | Answer
ControlMessage = Command | Event

_adapter: TypeAdapter[ControlMessage] = TypeAdapter(Annotated[ControlMessage, Field(discriminator="type")])


def encode(message: ControlMessage) -> bytes:
    """One JSON object, UTF-8."""
    return _adapter.dump_json(message)


def decode(data: bytes) -> ControlMessage:
    """The message in a JSON object.

    Raises:
        ControlError: Says what is wrong with it.
    """
    try:
        return _adapter.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "message"
        raise ControlError(
            f"control message not understood: {where}: {first['msg']}; "
            "are worker and coordinator of one version?"
        ) from None
