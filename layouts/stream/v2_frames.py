"""The hot path of Stream V2: an image is read by what has changed since one that the walker has read.

From frame to frame of a series the number, three times and the size of the pixels change; all else in the
head, some 230 bytes, is the same. A layout knows the places of those five numbers: a message that agrees
with it in every other byte, and is as long as its size says, is what the walker would read. Any other is
left to the walker, which finds out whether it is in order; if it is, ``learn`` makes the next layout of it.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from layouts.stream import cbor, payloads, v2_image
from layouts.stream.messages import Codec, Image, Rational

_KEPT: Final = 4
"""Layouts tried: a number takes more bytes as it grows, a size now more and now fewer."""
_FORMS: Final = {2: "B", 3: "H", 5: "I", 9: "Q"}
"""Bytes of a number in CBOR, to what follows the first of them."""


class Form(NamedTuple):
    """What the frames of a series have in common."""

    series: int
    unique_id: str | None
    shape: tuple[int, int]
    dtype: str
    codec: Codec


Frame = tuple[Form, int, int, int, int, bytes | memoryview]
"""Form, number, start, stop and real time in ns, and the packed pixels, a view of the message.

A plain tuple, as making anything else of it takes longer than reading it.
"""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the numbers are in messages that have all else in common."""

    form: Form
    unpack: Callable[[bytes | memoryview], tuple[Any, ...]]
    fixed: tuple[bytes, ...]
    """What stands before each number, its own first byte included, and the first bytes of the pixels."""
    begin: int
    """Of the pixels."""
    least: int
    most: int
    """Bytes that the pixels may have, as ``payloads.check`` has it."""
    real: tuple[int, int]
    start: tuple[int, int]
    stop: tuple[int, int]
    """What a number of ticks is multiplied and divided by for ns."""


class Frames:
    """Reads the frames of one stream."""

    def __init__(self) -> None:
        self._layouts: list[_Layout] = []

    def read(self, parts: Sequence[bytes | memoryview]) -> Frame | None:
        """A frame like one that was learned; nothing of any other message, sound or not.

        Frames of the same form have the same ``Form`` object.
        """
        if len(parts) != 1:
            return None
        message = parts[0]
        for layout in self._layouts:
            try:
                a, number, b, real, c, start, d, stop, e, size, f = layout.unpack(message)
            except struct.error:
                continue  # it is shorter than that
            begin = layout.begin
            if (
                size == len(message) - begin
                and layout.least <= size <= layout.most
                and (a, b, c, d, e, f) == layout.fixed
            ):
                up, down = layout.start
                start = start * up // down
                up, down = layout.stop
                stop = stop * up // down
                up, down = layout.real
                return layout.form, number, start, stop, real * up // down, message[begin:]
        return None

    def learn(self, parts: Sequence[bytes | memoryview], image: Image) -> Form | None:
        """Read messages like this one from now on.

        Args:
            parts: The message, of either version.
            image: What was read from it.

        Returns:
            Its form; nothing if messages like it cannot be read here.
        """
        known = self.read(parts)
        if known is not None:
            return known[0]
        layout = _layout(parts, image)
        if layout is None:
            return None
        for other in self._layouts:
            if other.form == layout.form:
                layout = replace(layout, form=other.form)
        self._layouts = [layout, *self._layouts[: _KEPT - 1]]
        return layout.form


def _layout(parts: Sequence[bytes | memoryview], image: Image) -> _Layout | None:
    """The layout of a message; nothing if it is not written as detectors write those of one channel.

    Nor if a number is so small that it has no bytes of its own: of the first frames.
    """
    if len(parts) + len(image.payloads) != 2 or image.unique_id is None or image.series_date is None:
        return None
    message = parts[0]
    payload = image.payloads[0]
    slow, fast = payload.shape
    total = payloads.raw_size(payload)
    before = (
        v2_image.beginning(v2_image.KEYS, image.series, image.unique_id),
        b"ireal_time\x82",
        cbor.uint(image.real_time.denominator) + v2_image.date(image.series_date) + b"\x82",
        cbor.uint(image.start_time.denominator) + b"istop_time\x82",
        cbor.uint(image.stop_time.denominator)
        + b"ddata\xa1"
        + v2_image.array_head(payload.channel, slow, fast, payload.dtype, payload.codec),
    )
    size = memoryview(payload.data).nbytes
    numbers = (
        cbor.uint(image.frame),
        cbor.uint(image.real_time.numerator),
        cbor.uint(image.start_time.numerator),
        cbor.uint(image.stop_time.numerator),
        cbor.head(2, size),
    )
    head = b"".join(b"".join(pair) for pair in zip(before, numbers, strict=True))
    if len(message) != len(head) + size or bytes(message[: len(head)]) != head or min(map(len, numbers)) == 1:
        return None
    form = "".join(
        f"{len(text) + 1}s{_FORMS[len(number)]}" for text, number in zip(before, numbers, strict=True)
    )
    if payload.codec is Codec.NONE:
        opening, least, most = b"", total, total
    else:
        # Packed pixels begin with how many bytes they are unpacked.
        opening = payloads.FRAME.pack(total, 0)[:8]
        least, most = max(payloads.FRAME.size, math.ceil(total / payloads.MAX_RATIO)), sys.maxsize
    return _Layout(
        form=Form(image.series, image.unique_id, payload.shape, payload.dtype, payload.codec),
        unpack=struct.Struct(f">{form}{len(opening)}s").unpack_from,
        fixed=(*(text + number[:1] for text, number in zip(before, numbers, strict=True)), opening),
        begin=len(head),
        least=least,
        most=most,
        real=_to_ns(image.real_time),
        start=_to_ns(image.start_time),
        stop=_to_ns(image.stop_time),
    )


def _to_ns(time: Rational) -> tuple[int, int]:
    common = math.gcd(1_000_000_000, time.denominator)
    return 1_000_000_000 // common, time.denominator // common
