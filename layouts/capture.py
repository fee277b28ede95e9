"""What an acquisition left behind, as values: the only thing a master is made from.

The coordinator fills these in, and so does a worker that records by itself; the masters need nothing else.
A place is a row of a capture: series one behind the other, each frame at its own number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Beamline
from layouts.raw.mapping import Mapping
from layouts.stream.messages import SeriesParameters


class Outcome(StrEnum):
    """How a series, a capture or an acquisition ended."""

    COMPLETE = "complete"
    ABORTED = "aborted"
    INCOMPLETE = "incomplete"


class Origin(StrEnum):
    """Where a position comes from, from the surest to the least sure."""

    PLAN = "plan"
    """Start and increment of the detector's goniometer, or of the trigger: exact for each frame."""
    REST = "rest"
    """The motor did not move while the frames were taken."""
    MOVING = "moving"
    """The motor moved and nothing tied frames to it: what a monitor said when the series began."""
    CONFIGURED = "configured"
    """No motor answered: the beamline file's initial value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisPositions:
    """Where one motor stood for the frames of one detector.

    Attributes:
        values: User positions at the start of each place, shape (rows,), in the motor's units;
            shape (1,) where it is one number for all.
        increment: What the motor moved during one frame time; 0 unless it was the scan axis.
        origin: How the values are known.
        readback: What the motor's monitors said for each series, shape (series,); NaN if nothing.
    """

    values: NDArray[np.float64]
    increment: float = 0.0
    origin: Origin = Origin.REST
    readback: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))

    @property
    def is_scan(self) -> bool:
        """Whether the motor turned continuously while the frames were taken."""
        return self.increment != 0.0

    @property
    def is_fixed(self) -> bool:
        """Whether one number says it all."""
        return self.values.size == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRecord:
    """One series as it was captured.

    Attributes:
        series: The detector's number.
        row: First place in the capture.
        first: Number in the series of the frame at that place (not 0 if capture began in mid-series).
        rows: Places it takes.
        stored: Frames stored.
        outcome: How it ended, and why.
        reason: One sentence; empty if complete.
    """

    series: int
    row: int
    first: int = 0
    rows: int
    stored: int
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """One raw file: where it is, how many places it holds, and which worker's it is."""

    path: Path
    rows: int
    worker: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorCapture:
    """What one detector gave to an acquisition.

    Attributes:
        detector: Name in the beamline file.
        raw_files: By worker, and of each in order of places; together they have ``rows`` places.
        mapping: How places are dealt to workers and files.
        meta_file: Columns and headers.
        has_attributes: Whether NDAttributes are among the columns.
        rows: Places of the capture.
        missing: Places without a frame, ascending.
        dtype: "uint8", "uint16" or "uint32".
        shape: Pixels, (slow, fast).
        series: In order of places.
        parameters: Of the first series; completed from PVs and beamline file where the stream was silent.
        pixel_mask: Dectris mask bits (slow, fast), uint32.
        flatfield: float32 (slow, fast), or nothing.
        positions: By motor name, every axis of the beamline file with energy and attenuator.
        started: When the first frame was taken.
    """

    detector: str
    raw_files: tuple[RawFile, ...]
    mapping: Mapping = field(default_factory=Mapping)
    meta_file: Path
    rows: int
    missing: tuple[int, ...]
    dtype: str
    shape: tuple[int, int]
    series: tuple[SeriesRecord, ...]
    parameters: SeriesParameters
    pixel_mask: NDArray[np.uint32]
    flatfield: NDArray[np.float32] | None = None
    has_attributes: bool = False
    positions: dict[str, AxisPositions]
    started: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """One acquisition, ended.

    Attributes:
        beamline: The description it was made with.
        directory: Where all its files are.
        name: Stem of the master's name.
        detectors: The main detector first.
        started: Time-zone aware.
        ended: Nothing if it was aborted.
        estimated_end: Start of the last detector to begin, plus the planned time.
        outcome: How it ended, and why.
        reason: One sentence; empty if complete.
    """

    beamline: Beamline
    directory: Path
    name: str
    detectors: tuple[DetectorCapture, ...]
    started: datetime
    ended: datetime | None
    estimated_end: datetime
    outcome: Outcome
    reason: str = ""
