"""Temperature and humidity inside a detector, as its sensors would read them.

Pure: a slow wander about a working point, the same for the same detector and time. The colder air is, the
more humid it reads.
"""

from __future__ import annotations

import math
import zlib
from typing import NamedTuple

WORKING_POINT = 24.0
"""deg C, as the cooling of these detectors keeps it."""
_WANDER = ((1741.0, 0.35), (311.0, 0.1))
"""Period in s and amplitude in K of what the cooling does not catch."""
_HUMIDITY = 10.0
_PER_KELVIN = 0.6


class Climate(NamedTuple):
    """deg C, and per cent of relative humidity."""

    temperature: float
    humidity: float


def climate(detector: str, seconds: float) -> Climate:
    """What the sensors read.

    Args:
        detector: Name; each has its own phase.
        seconds: Any clock that goes on.
    """
    phase = zlib.crc32(detector.encode()) % 6283 / 1000.0
    off = sum(a * math.sin(2 * math.pi * seconds / period + phase) for period, a in _WANDER)
    return Climate(WORKING_POINT + off, _HUMIDITY * (1.0 - _PER_KELVIN * off / 10.0))
