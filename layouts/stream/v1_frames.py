"""The hot path of Stream V1: an image is read by what has changed since one that was read with care.

From frame to frame of a series the number, the hash, three times and the size of the pixels change; all else
in the three JSON texts is the same, spaces and the order of keys included. A layout is those texts with
places for what changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from layouts.stream import forms
from layouts.stream.forms import Bounds, Form, Frame, Part
from layouts.stream.messages import Codec, Image

_PARTS: Final = 4
_NUMBER: Final = rb"(0|[1-9][0-9]{0,18})"
"""Of 63 bits at most, near enough: JSON allows more, detectors send none."""
_TEXT: Final = rb'"[^"\\\x00-\x1f\x80-\xff]*"'


@dataclass(frozen=True, slots=True)
class Layout:
    """Texts of messages that have all but numbers in common.

    Attributes:
        first: Of the part with the frame's number.
        about: Of the part with the size of the pixels.
        times: Of the part with the times, in the order that ``order`` tells.
        order: Which of the three numbers found is start, stop and real time.
        bounds: Of the pixels.
    """

    form: Form
    first: re.Pattern[bytes]
    about: re.Pattern[bytes]
    times: re.Pattern[bytes]
    order: tuple[int, int, int]
    bounds: Bounds

    def read(self, parts: Sequence[Part]) -> Frame | None:
        """A frame written like the one that was learned; nothing of any other message, sound or not."""
        if len(parts) != _PARTS:
            return None
        pixels = parts[2]
        first = self.first.fullmatch(parts[0])
        about = self.about.fullmatch(parts[1])
        times = self.times.fullmatch(parts[3])
        if first is None or about is None or times is None:
            return None
        opening, least, most = self.bounds
        size = len(pixels)
        if int(about[1]) != size or not least <= size <= most or pixels[: len(opening)] != opening:
            return None
        start, stop, real = self.order
        return self.form, int(first[1]), int(times[start]), int(times[stop]), int(times[real]), pixels


def layout(parts: Sequence[Part], image: Image) -> Layout | None:
    """The layout of a message; nothing if it is not written as detectors write those of one channel."""
    if len(parts) != _PARTS or len(image.payloads) != 1:
        return None
    payload = image.payloads[0]
    if payload.codec is Codec.LZ4:  # a chunk of it must be made first
        return None
    size = memoryview(parts[2]).nbytes
    first = _pattern(bytes(parts[0]), {"frame": image.frame}, "hash")
    about = _pattern(bytes(parts[1]), {"size": size})
    said = {
        "start_time": image.start_time.numerator,
        "stop_time": image.stop_time.numerator,
        "real_time": image.real_time.numerator,
    }
    text = bytes(parts[3])
    times = _pattern(text, said)
    if first is None or about is None or times is None:
        return None
    places = sorted(said, key=lambda key: text.index(_key(key)))
    start, stop, real = (places.index(key) + 1 for key in said)
    found = Layout(
        form=forms.form_of(image, payload),
        first=first,
        about=about,
        times=times,
        order=(start, stop, real),
        bounds=forms.bounds(payload),
    )
    frame = found.read(parts)
    numbers = (image.frame, *said.values())
    return found if frame is not None and frame[1:5] == numbers else None


def _key(name: str) -> bytes:
    return b'"' + name.encode() + b'"'


def _pattern(text: bytes, numbers: Mapping[str, int], word: str = "") -> re.Pattern[bytes] | None:
    """A text with places for numbers, and for one word; nothing if a key is not there just once.

    Args:
        text: JSON, of one object.
        numbers: By key, as they are in it.
        word: Key of a text that changes; it need not be there.
    """
    places: list[tuple[int, int, bytes]] = []
    for key, value in numbers.items():
        found = re.search(_key(key) + rb"\s*:\s*([0-9]+)", text)
        if found is None or text.count(_key(key)) != 1 or int(found[1]) != value:
            return None
        places.append((*found.span(1), _NUMBER))
    found = re.search(_key(word) + rb'\s*:\s*("[^"\\]*")', text) if word else None
    if found is not None and text.count(_key(word)) == 1:
        places.append((*found.span(1), _TEXT))
    pattern, at = b"", 0
    for start, end, place in sorted(places):
        pattern += re.escape(text[at:start]) + place
        at = end
    return re.compile(pattern + re.escape(text[at:]))
