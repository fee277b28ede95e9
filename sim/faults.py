"""What goes wrong on purpose: faults of a detector and its stream, as values read from a line of text.

Faults are separated by semicolons: ``drop 3,7-9; duplicate 5; truncate 12=100; stall 20=5.0; delay-end 2;
no-end; lose-start; crash 30``. Frames count from 0 in each series, and a fault holds for every series until
the text changes; an empty text means no faults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

GRAMMAR = (
    "drop 3,7-9 (frames lost in the detector); duplicate 5 (sent twice); "
    "truncate 12=100 (bytes of pixels that are left; without =100 half of them); "
    "stall 20=5.0 (seconds before the frame); delay-end 2 (seconds); "
    "no-end; lose-start; crash 30 (the readout dies before the frame)"
)

_FRAMES = re.compile(r"(\d+)(?:-(\d+))?$")


class FaultError(ValueError):
    """A text that names no faults; says which part of it, and the grammar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """The faults of a series.

    Attributes:
        drop: Frames that never reach the socket.
        duplicate: Frames that are sent twice.
        truncate: Bytes left of a frame's pixels, by frame; nothing is half of them.
        stall: Seconds of silence before a frame, by frame.
        delay_end: Seconds of silence before the end message.
        no_end: Whether the end message is never sent.
        lose_start: Whether the start message is never sent.
        crash: Frame before which the readout dies.
    """

    drop: tuple[range, ...] = ()
    duplicate: tuple[range, ...] = ()
    truncate: Mapping[int, int | None] = field(default_factory=dict[int, int | None])
    stall: Mapping[int, float] = field(default_factory=dict[int, float])
    delay_end: float = 0.0
    no_end: bool = False
    lose_start: bool = False
    crash: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a fault at all."""
        return self != NONE

    def dropped(self, frame: int) -> bool:
        """Whether the frame is lost in the detector."""
        return any(frame in frames for frames in self.drop)

    def copies(self, frame: int) -> int:
        """How many times the frame goes to the socket if it is not lost."""
        return 1 + any(frame in frames for frames in self.duplicate)

    def cut(self, frame: int, data: bytes | memoryview) -> bytes | memoryview:
        """A frame's packed pixels, or what a truncation leaves of them."""
        if frame not in self.truncate:
            return data
        left = self.truncate[frame]
        return data[: len(data) // 2 if left is None else left]


NONE = Faults()


def parse(text: str) -> Faults:
    """Read faults.

    Raises:
        FaultError: A part of the text is no fault.
    """
    faults = NONE
    for part in re.split(r"[;\n]", text):
        if words := part.split():
            try:
                faults = _with(faults, words[0], "".join(words[1:]))
            except ValueError:
                raise FaultError(f"{part.strip()!r} is no fault; right are: {GRAMMAR}") from None
    return faults


def _with(faults: Faults, word: str, value: str) -> Faults:  # noqa: PLR0911 one return a word
    match word:
        case "drop":
            return replace(faults, drop=faults.drop + _frames(value))
        case "duplicate":
            return replace(faults, duplicate=faults.duplicate + _frames(value))
        case "truncate":
            frame, _, left = value.partition("=")
            return replace(
                faults, truncate={**faults.truncate, _count(frame): _count(left) if left else None}
            )
        case "stall":
            frame, _, seconds = value.partition("=")
            return replace(faults, stall={**faults.stall, _count(frame): _seconds(seconds)})
        case "delay-end":
            return replace(faults, delay_end=_seconds(value))
        case "no-end" | "lose-start":
            if value:
                raise ValueError(value)
            return replace(faults, no_end=True) if word == "no-end" else replace(faults, lose_start=True)
        case "crash":
            return replace(faults, crash=_count(value))
        case _:
            raise ValueError(word)


def _frames(text: str) -> tuple[range, ...]:
    found: list[range] = []
    for item in text.split(","):
        match = _FRAMES.match(item)
        if match is None:
            raise ValueError(item)
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(item)
        found.append(range(first, last + 1))
    return tuple(found)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= 3600:
        raise ValueError(text)
    return seconds
