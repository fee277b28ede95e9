"""What a check of a master finds, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """How bad a finding is."""

    NOTE = "note"
    """True, and good to know."""
    WARNING = "warning"
    """Readable, but not what one may expect."""
    ERROR = "error"
    """Wrong, or unreadable for some reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found.

    Attributes:
        severity: How bad it is.
        where: Path in the file, or file.
        what: What is wrong.
        remedy: What would be right.
    """

    severity: Severity
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.severity.value}: {self.where}: {self.what}; {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of a master in a few words, for a table.

    Attributes:
        entry: Path of the entry.
        detector: The detector's name.
        frames: Places.
        stored: Of these, with a frame.
        files: Raw files.
        shape: Pixels, (slow, fast).
        dtype: Type of a pixel.
        scan: The scanned axis with start, increment and unit, or what moved instead.
        distance: Of the sensor's plane in mm; NaN if the chain does not say.
        beam_centre: Pixel (fast, slow) of the direct beam; NaN if it does not meet the plane.
        wavelength: In Angstrom; NaN if the file does not say.
        outcome: How the acquisition ended.
    """

    entry: str
    detector: str
    frames: int
    stored: int
    files: int
    shape: tuple[int, ...]
    dtype: str
    scan: str
    distance: float
    beam_centre: tuple[float, float]
    wavelength: float
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A check's result.

    Attributes:
        path: The file.
        rows: One for each entry.
        findings: The worst first.
    """

    path: Path
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return not any(f.severity is Severity.ERROR for f in self.findings)


def error(where: str, what: str, remedy: str) -> Finding:
    """Something wrong."""
    return Finding(severity=Severity.ERROR, where=where, what=what, remedy=remedy)


def warning(where: str, what: str, remedy: str) -> Finding:
    """Something unexpected."""
    return Finding(severity=Severity.WARNING, where=where, what=what, remedy=remedy)


def note(where: str, what: str, remedy: str) -> Finding:
    """Something good to know."""
    return Finding(severity=Severity.NOTE, where=where, what=what, remedy=remedy)


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Errors, then warnings, then notes, each in order and once."""
    order = [Severity.ERROR, Severity.WARNING, Severity.NOTE]
    return tuple(sorted(dict.fromkeys(findings), key=lambda f: order.index(f.severity)))
