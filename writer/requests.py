"""What the coordinator asks of a worker beside captures, and the answers: control messages as values.

They go over the same socket as those of ``writer.control``, which knows how all of them look on the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Flush:
    """Let readers see every frame that has come so far; answered by Flushed.

    Attributes:
        token: Comes back with the answer.
    """

    token: int
    type: Literal["flush"] = "flush"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flushed:
    """What had come when Flush did can be read, or the reason why not."""

    token: int
    message: str = ""
    type: Literal["flushed"] = "flushed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable:
    """EnableCallbacks: whether frames are taken, or pass by uncounted but as unwanted."""

    enabled: bool
    type: Literal["enable"] = "enable"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteFrame:
    """Write the latest frame into a file of its own; answered by FrameWritten.

    Attributes:
        token: Comes back with the answer.
        path: Of the finished file.
        suffix: Behind it until the file is closed.
    """

    token: int
    path: str
    suffix: str = ""
    type: Literal["write_frame"] = "write_frame"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameWritten:
    """The file of WriteFrame stands, or the reason why not."""

    token: int
    message: str = ""
    type: Literal["frame_written"] = "frame_written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Singles:
    """Write each frame that comes while no capture is open into a file of its own, from now on.

    Attributes:
        revision: Tells these orders from earlier ones; comes back with what became of them.
        on: False ends it.
        template: FileTemplate.
        directory: FilePath.
        name: FileName.
        number: FileNumber of the next file.
        increment: Whether it goes up with each file.
        suffix: Behind the name until a file is closed.
    """

    revision: int
    on: bool = True
    template: str = ""
    directory: str = ""
    name: str = ""
    number: int = 0
    increment: bool = True
    suffix: str = ""
    type: Literal["singles"] = "singles"


@dataclass(frozen=True, slots=True, kw_only=True)
class SinglesReport:
    """What became of Singles so far; in a Status.

    Attributes:
        number: FileNumber of the next file.
        path: Of the file written last; empty before the first.
        written: Files so far.
        message: Why the last one could not be written; empty if it was.
    """

    revision: int
    number: int
    path: str = ""
    written: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Give the latest frame, now and then, to the preview process that is at an endpoint and asks for it."""

    endpoint: str
    type: Literal["preview"] = "preview"


Request = Flush | Enable | WriteFrame | Singles | Preview
Answer = Flushed | FrameWritten
