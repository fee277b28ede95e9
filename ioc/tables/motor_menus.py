"""Menus that only the motor record has, with the strings of motorRecord.dbd and of EPICS base."""

from __future__ import annotations

from enum import StrEnum


class NoYes(StrEnum):
    """menuYesNo of EPICS base: NTM, LOCK, ACKT."""

    NO = "NO"
    YES = "YES"


class AlarmLevel(StrEnum):
    """menuAlarmSevr."""

    NO_ALARM = "NO_ALARM"
    MINOR = "MINOR"
    MAJOR = "MAJOR"
    INVALID = "INVALID"


class OutputMode(StrEnum):
    """OMSL."""

    SUPERVISORY = "supervisory"
    CLOSED_LOOP = "closed_loop"


class RetryMode(StrEnum):
    """RMOD."""

    DEFAULT = "Default"
    ARITHMETIC = "Arithmetic"
    GEOMETRIC = "Geometric"
    IN_POSITION = "In-Position"


class RestoreMode(StrEnum):
    """RSTM."""

    NEVER = "Never"
    ALWAYS = "Always"
    NEAR_ZERO = "NearZero"
    CONDITIONAL = "Conditional"


class AccelerationUsed(StrEnum):
    """ACCU: which of the two stays when VELO changes."""

    TIME = "Use ACCL"
    RATE = "Use ACCS"


class StatusUpdate(StrEnum):
    """STUP."""

    OFF = "OFF"
    ON = "ON"
    BUSY = "BUSY"


SCANS = (
    *("Passive", "Event", "I/O Intr", "10 second", "5 second", "2 second", "1 second"),
    *(".5 second", ".2 second", ".1 second"),
)
"""menuScan."""

PINI = ("NO", "YES", "RUN", "RUNNING", "PAUSE", "PAUSED")
"""menuPini."""

STATUSES = (
    *("NO_ALARM", "READ", "WRITE", "HIHI", "HIGH", "LOLO", "LOW", "STATE", "COS", "COMM", "TIMEOUT"),
    *("HWLIMIT", "CALC", "SCAN", "LINK", "SOFT"),
)
"""menuAlarmStat as Channel Access carries it: of 22 states the first 16 fit."""
