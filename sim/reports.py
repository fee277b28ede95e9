"""What an emitter tells the simulator, as JSON lines on its stdout."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The socket is bound and the scene is there."""

    pid: int
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The emitter cannot go on, and ends."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of a series' frames: frames + duplicates - withheld = produced = sent + dropped.

    Attributes:
        frames: Frames taken, each counted once.
        duplicates: Second copies, which a fault made.
        sent: Messages that the socket took.
        dropped: Messages that it did not take, or that a fault lost.
        withheld: Frames without a message, the stream being disabled.
        size: Bytes of the latest frame's pixels as they were sent.
    """

    frames: int = 0
    duplicates: int = 0
    sent: int = 0
    dropped: int = 0
    withheld: int = 0
    size: int = 0

    @property
    def produced(self) -> int:
        """Image messages made."""
        return self.frames + self.duplicates - self.withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a series is; at most every 50 ms, and whenever a trigger's frames are done."""

    series: int
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The series is over.

    Attributes:
        series: Its number.
        counts: Final.
        started: Whether the start message was taken.
        end: Whether the end message was taken.
        truth: What was simulated.
    """

    series: int
    counts: Counts
    started: bool
    end: bool
    truth: dict[str, Any]


Report = Ready | Broken | Progress | Ended

_TYPES: dict[str, type[Any]] = {"ready": Ready, "broken": Broken, "progress": Progress, "ended": Ended}
_WORDS = {kind: word for word, kind in _TYPES.items()}


def to_line(report: Report) -> bytes:
    """A report as one line."""
    return orjson.dumps({"event": _WORDS[type(report)], **asdict(report)}) + b"\n"


def from_line(line: bytes) -> Report:
    """The report of one line.

    Raises:
        ValueError: Not a report.
    """
    values: dict[str, Any] = orjson.loads(line)
    kind = _TYPES.get(str(values.pop("event", "")))
    if kind is None or values.keys() != {f.name for f in fields(kind)}:
        raise ValueError(f"not a report of this release: {line[:200]!r}; start both ends from one checkout")
    if "counts" in values:
        values["counts"] = Counts(**values["counts"])
    report: Report = kind(**values)
    return report
