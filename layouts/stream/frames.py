"""The hot path of the stream: an image is read by what has changed since one that was read with care.

Any message that is not written like one learned before is left to ``stream.decode``, which finds out whether
it is in order; if it is, ``learn`` makes the next layout of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from layouts.stream import v1_frames, v2_frames
from layouts.stream.forms import Form, Frame, Part, form_of
from layouts.stream.messages import Image

_KEPT: Final = 4
"""Layouts tried: a number takes more bytes as it grows, a size now more and now fewer."""
_TRIES: Final = 64
"""Layouts made for one form: where each message is written in a way of its own, making them is in vain."""


class Frames:
    """Reads the frames of one stream, of either version."""

    def __init__(self) -> None:
        self._layouts: list[v1_frames.Layout | v2_frames.Layout] = []
        self._tries: tuple[Form | None, int] = None, 0

    def read(self, parts: Sequence[Part]) -> Frame | None:
        """A frame like one that was learned; nothing of any other message, sound or not.

        Frames of the same form have the same ``Form`` object.
        """
        for layout in self._layouts:
            frame = layout.read(parts)
            if frame is not None:
                return frame
        return None

    def learn(self, parts: Sequence[Part], image: Image) -> Form | None:
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
        form = form_of(image, image.payloads[0])
        tries = self._tries[1] if self._tries[0] == form else 0
        if tries == _TRIES:
            return None
        layout = v2_frames.layout(parts, image) if len(parts) == 1 else v1_frames.layout(parts, image)
        if layout is None:
            return None
        self._tries = form, tries + 1
        for other in self._layouts:
            if other.form == layout.form:
                layout = replace(layout, form=other.form)
        self._layouts = [layout, *self._layouts[: _KEPT - 1]]
        return layout.form
