"""Where the frames of a capture go: raw files of this process, or storers that have raw files of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from writer.capture_values import PixelFormat
from writer.raw_h5 import Added
from writer.timings import Timings


class RawSink(Protocol):
    """The raw files of one capture, as who writes them sees them: ``RawFiles``, or ``Stripes`` of them.

    Methods that raise raise ``WriteError``: what cannot be made, written or closed, why, and what helps.
    """

    on_added: Callable[[Added], None]
    times: Callable[[], Timings]
    """How long its calls of the disk took so far."""
    sums: dict[int, int]
    """Checksums of frames by place; whoever writes them down takes them out."""

    @property
    def defers(self) -> bool:
        """Whether a frame that was written is only on its way, and others say when it is stored."""
        ...

    @property
    def format(self) -> PixelFormat | None:
        """What the frames look like; None before the first file is made."""
        ...

    @property
    def paths(self) -> list[Path]:
        """Of the files that were made, in order of places."""
        ...

    def start(self, pixels: PixelFormat) -> None:
        """Make the first file; make it anew if it is there with another format and nothing in it."""

    def plan(self, rows: int) -> None:
        """Give the files room for so many places of the capture."""

    def write(self, place: int, chunk: bytes | memoryview) -> None:
        """Store a frame at a place."""

    def direct(self, place: int) -> tuple[Callable[..., None], int, int] | None:
        """What writes chunks at (row, 0, 0), the place of row 0, and the place where that ends."""

    def touched(self, frames: int, nanoseconds: int) -> None:
        """So many frames were written directly, in this time."""

    def flush(self) -> None:
        """Let readers see what was written."""

    def finish(self, rows: int) -> Sequence[tuple[Path, int]]:
        """Trim and close the files; path and rows of each, in order of places."""
        ...

    def discard(self) -> None:
        """Close and remove the files; never raises."""

    def save(self, places: Iterable[int]) -> set[int]:
        """After an error: show readers what was written; those of the places that are lost."""
        ...

    def abandon(self, high: int) -> Sequence[tuple[Path, int]]:
        """Close the files after an error, trimmed to the places below ``high``; never raises."""
        ...
