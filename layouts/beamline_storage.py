"""``[storage]`` of the beamline file: where the files go, and what is done for their safety."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from layouts.raw.checksums import Checksum
from layouts.strict import Strict as _Strict

_Positive = Annotated[float, Field(gt=0)]
_Limit = Annotated[float, Field(ge=0)]


class Durability(StrEnum):
    """When frames are on the disk itself, and no longer only in the memory of the operating system."""

    PAGE_CACHE = "page-cache"
    """When the system sees fit, mostly within half a minute; nothing waits for it."""
    AT_CLOSE = "at-close"
    """When the capture has ended: it ends only then."""
    INTERVAL = "interval"
    """Every ``fsync_interval`` while frames come, and when the capture has ended."""


class Storage(_Strict):
    """Where the files go and how."""

    directory: Path = Path("data")
    flush_interval: Annotated[float, Field(ge=0.01, le=10)] = 0.08
    """Seconds between two flushes of an open file."""
    reserve: Annotated[int, Field(ge=0)] = 256 * 1024 * 1024
    """Bytes that must stay free: an acquisition is refused when its frames would leave less, and one under
    way stores no more when less is left."""
    stall_timeout: _Positive = 10.0
    """Seconds beyond the frame time after which a series that sends nothing has stalled."""
    grace: _Positive = 2.0
    """Seconds that an end message waits for frames it has overtaken."""
    durability: Durability = Durability.PAGE_CACHE
    """When frames are on the disk itself (fsync), so that they outlive a power cut: "page-cache" leaves it to
    the system, "at-close" means when the capture has ended, "interval" every ``fsync_interval`` too."""
    fsync_interval: Annotated[float, Field(ge=0.05, le=3600)] = 1.0
    """Seconds between two of them with durability "interval"."""
    checksum: Checksum = Checksum.NONE
    """Of each packed frame, kept in the meta file: "none" or "xxh3"; `softbeam check --deep` compares it."""
    owner: str = ""
    """User, by name or number, whom new files and directories are given to; empty leaves the writer's."""
    group: str = ""
    """Group of new files and directories, by name or number; empty leaves the writer's."""
    mode: Annotated[str, Field(pattern=r"^(0?[0-7]{3})?$")] = ""
    """Rights of new files in octal, such as "0640"; directories may be searched by whoever may read them.
    Empty leaves what the writer's umask gives."""
    limit_create: _Limit = 0.0
    """Milliseconds that making a raw file may take before the writer warns; 0 is no limit."""
    limit_write: _Limit = 0.0
    """Milliseconds that storing a frame may take, on average over a capture, before the writer warns."""
    limit_flush: _Limit = 0.0
    """Milliseconds that a flush of a raw file may take before the writer warns."""
    limit_close: _Limit = 0.0
    """Milliseconds that closing a raw file may take before the writer warns."""
    refuse_after_fault: bool = False
    """Whether nothing begins on a detector whose last fault (write error, worker lost) was not cleared by a
    put to ClearFault; clients of areaDetector expect that they may simply capture again."""
