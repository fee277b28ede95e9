"""NDAttributes on the control socket: which a capture stores, and how their values change.

Values of PVs come to the coordinator, by its Channel Access client; the worker writes them beside the frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from layouts.attributes import AttributeType

AttributeValue = float | int | str | None
"""None where nobody knows: its PV does not answer."""


class PerFrame(StrEnum):
    """What differs with every frame, so that no PV could tell in time: the worker knows it."""

    NOTHING = ""
    PLACE = "place"
    """Place in the capture, from the attribute's value on."""
    FRAME = "frame"
    """Number in its series, from 0."""
    STAMP = "stamp"
    """Arrival in seconds since 1990 (UTC)."""
    SECONDS = "seconds"
    """Its whole seconds."""
    NANOSECONDS = "nanoseconds"
    """Nanoseconds of its second."""
    STATISTIC = "statistic"
    """Computed of its pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One column beside the frames.

    Attributes:
        name: Of its dataset.
        value_type: Of its values.
        description: For the reader of the file.
        source_type: In areaDetector's words, such as ``NDAttrSourceEPICSPV``.
        source: The PV, the parameter, or the constant itself.
        constant: Whether ``value`` is all there is to it: it takes no room however many frames come.
        per_frame: What the worker counts or computes, if it is none that a PV tells.
        statistic: What it computes, by the name that the previews give it.
        value: When the capture began.
    """

    name: str
    value_type: AttributeType
    description: str = ""
    source_type: str
    source: str
    constant: bool = False
    per_frame: PerFrame = PerFrame.NOTHING
    statistic: str = ""
    value: AttributeValue = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeValues:
    """What has changed since the last of these.

    Attributes:
        capture: Its name.
        changes: Index of the attribute, ns since 1970 from which on it has the value, and the value.
        ends: Series number and ns since 1970 at which the camera was no longer taking frames of it.
    """

    capture: str
    changes: tuple[tuple[int, int, AttributeValue], ...] = ()
    ends: tuple[tuple[int, int], ...] = ()
    type: Literal["attribute_values"] = "attribute_values"
