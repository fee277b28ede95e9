"""What a worker reports of a capture: counters, series, raw files, and the record of the whole.

Values inside control messages; times are seconds since 1970 (UTC).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from layouts.capture import Outcome
from layouts.stream.messages import Codec, SeriesParameters
from writer.timings import Timings


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """Frames. Two identities hold at the end of every series.

    received = stored + duplicate + foreign + unwanted + failed; expected = stored + missing.
    """

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    foreign: int = 0
    """Of another series than the one under way, or of another shape, type or codec."""
    unwanted: int = 0
    """No capture, or beyond its places."""
    failed: int = 0
    """Malformed, or could not be written."""
    expected: int = 0
    """Places of series that have ended."""
    missing: int = 0
    """Places of series that have ended without their frame."""
    bytes: int = 0
    """Stored."""
    late: int = 0
    """Of those that got a place: came after a frame of a later place, or after the end message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StorerReport:
    """One of several processes that store a detector's frames.

    Attributes:
        alive: Whether it is there, and has been heard within the last second.
        stored: Frames that it has flushed in this capture, or in the last one.
        bytes: Of them.
        queue: Bytes that are on their way to it.
        timings: How long its calls of the disk took in this capture, or in the last one.
    """

    rank: int
    alive: bool
    stored: int = 0
    bytes: int = 0
    queue: int = 0
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameReport:
    """What is known of one frame without unpacking it.

    Attributes:
        size: Bytes, packed.
        arrival: Seconds since 1970.
    """

    series: int
    frame: int
    shape: tuple[int, int]
    dtype: str
    codec: Codec
    size: int
    arrival: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesReport:
    """One series of a capture, ended; ``layouts.capture.SeriesRecord`` and when it was.

    Attributes:
        planned: Frames the detector announced.
        began: Arrival of its start message, else of its first frame.
        first_frame: Arrival of its first frame.
        ended: When the worker held it for ended.
    """

    series: int
    row: int
    first: int = 0
    rows: int
    stored: int
    planned: int | None = None
    outcome: Outcome
    reason: str = ""
    began: float
    first_frame: float | None = None
    ended: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFileReport:
    """A raw file and the places it holds; not more than one frame's header if it holds none."""

    path: str
    rows: int
    worker: int = 0
    """Whose stripe it is of, from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRecord:
    """Everything a ``DetectorCapture`` needs but positions; arrays stay in the meta file.

    Attributes:
        images_per_file: With ``workers`` and ``frames_per_block``: how places are dealt to files, as in
            ``layouts.raw.mapping``.
        pixel_mask: Name of the mask under ``/masks`` of the meta file; None if the stream had none.
        flatfield: Likewise under ``/flatfields``.
        first_frame: Arrival of the first frame stored.
        parameters: Of the first series.
        series_parameters: Of each series, where they differ from the first's; by its place in ``series``.
    """

    detector: str
    raw_files: tuple[RawFileReport, ...]
    images_per_file: int = 0
    workers: int = 1
    frames_per_block: int = 1
    meta_file: str
    rows: int
    missing: tuple[int, ...] = ()
    shape: tuple[int, int] | None = None
    dtype: str | None = None
    codec: Codec | None = None
    series: tuple[SeriesReport, ...] = ()
    parameters: SeriesParameters = field(default_factory=SeriesParameters)
    series_parameters: dict[int, SeriesParameters] = field(default_factory=dict[int, SeriesParameters])
    pixel_mask: str | None = None
    flatfield: str | None = None
    opened: float
    first_frame: float | None = None
    ended: float
