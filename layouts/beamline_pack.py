"""``pack`` of a detector in the beamline file: frames that come without compression."""

from __future__ import annotations

from enum import StrEnum


class Pack(StrEnum):
    """How frames are stored that come from the detector without compression."""

    NONE = "none"
    """As they come."""
    BSLZ4 = "bslz4"
    BSZSTD = "bszstd"
