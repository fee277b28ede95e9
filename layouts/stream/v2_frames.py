"""The hot path of Stream V2: an image is read by what has changed since one that the walker has read.

From frame to frame of a series the number, three times and the size of the pixels change; all else in the
head, some 230 bytes, is the same. A layout knows the places of those five numbers: a message that agrees
with it in every other byte, and is as long as its size says, is what the walker would read.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from layouts.stream import cbor, forms, v2_image
from layouts.stream.forms import Form, Frame, Part
from layouts.stream.messages import Image

_FORMS: Final = {2: "B", 3: "H", 5: "I", 9: "Q"}
"""Bytes of a number in CBOR, to what follows the first of them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the numbers are in messages that have all else in common."""

    form: Form
    unpack: Callable[[Part], tuple[Any, ...]]
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

    def read(self, parts: Sequence[Part]) -> Frame | None:
        """A frame written like the one that was learned; nothing of any other message, sound or not."""
        if len(parts) != 1:
            return None
        message = parts[0]
        try:
            a, number, b, real, c, start, d, stop, e, size, f = self.unpack(message)
        except struct.error:
            return None  # it is shorter than that
        begin = self.begin
        if (
            size != len(message) - begin
            or not self.least <= size <= self.most
            or (a, b, c, d, e, f) != self.fixed
        ):
            return None
        up, down = self.start
        start = start * up // down
        up, down = self.stop
        stop = stop * up // down
        up, down = self.real
        return self.form, number, start, stop, real * up // down, message[begin:]


def layout(parts: Sequence[Part], image: Image) -> Layout | None:
    """The layout of a message; nothing if it is not written as detectors write those of one channel.

    Nor if a number is so small that it has no bytes of its own: of the first frames.
    """
    if len(parts) + len(image.payloads) != 2 or image.unique_id is None or image.series_date is None:
        return None
    message = parts[0]
    payload = image.payloads[0]
    slow, fast = payload.shape
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
    opening, least, most = forms.bounds(payload)
    return Layout(
        form=forms.form_of(image, payload),
        unpack=struct.Struct(f">{form}{len(opening)}s").unpack_from,
        fixed=(*(text + number[:1] for text, number in zip(before, numbers, strict=True)), opening),
        begin=len(head),
        least=least,
        most=most,
        real=forms.to_ns(image.real_time),
        start=forms.to_ns(image.start_time),
        stop=forms.to_ns(image.stop_time),
    )
