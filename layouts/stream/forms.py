"""What the frames of a series have in common, and how one is read by it: the seam of the hot path.

A layout is learned from one message that the careful reader has read; it reads messages that differ from that
one in numbers only, and nothing else.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from layouts.stream import payloads
from layouts.stream.messages import Codec, Image, Payload, Rational

Part = bytes | memoryview
_NANOSECONDS: Final = 1_000_000_000


class Form(NamedTuple):
    """What the frames of a series have in common."""

    series: int
    unique_id: str | None
    shape: tuple[int, int]
    dtype: str
    codec: Codec


Frame = tuple[Form, int, int, int, int, Part]
"""Form, number, start, stop and real time in ns, and the packed pixels, a view of the message.

A plain tuple, as making anything else of it takes longer than reading it.
"""


class Layout(Protocol):
    """How the messages of one form are written."""

    @property
    def form(self) -> Form:
        """Of all frames read; the same object for each."""
        ...

    def read(self, parts: Sequence[Part]) -> Frame | None:
        """A frame written like the one that was learned; nothing of any other message, sound or not."""
        ...


def form_of(image: Image, payload: Payload) -> Form:
    """The form of an image of one channel."""
    return Form(image.series, image.unique_id, payload.shape, payload.dtype, payload.codec)


class Bounds(NamedTuple):
    """What pixels must be like, as ``payloads.check`` has it."""

    opening: bytes
    """What they begin with: how many bytes they are unpacked."""
    least: int
    most: int
    """Bytes of them."""


def bounds(payload: Payload) -> Bounds:
    """What the pixels of frames like this one must be like."""
    total = payloads.raw_size(payload)
    if payload.codec is Codec.NONE:
        return Bounds(b"", total, total)
    least = max(payloads.FRAME.size, math.ceil(total / payloads.MAX_RATIO))
    return Bounds(payloads.FRAME.pack(total, 0)[:8], least, sys.maxsize)


def to_ns(time: Rational) -> tuple[int, int]:
    """What a number of ticks is multiplied and divided by for ns."""
    common = math.gcd(_NANOSECONDS, time.denominator)
    return _NANOSECONDS // common, time.denominator // common
