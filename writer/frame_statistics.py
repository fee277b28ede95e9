"""Statistics of every frame that a capture stores, for its NDAttributes.

A preview sees the latest frame now and then, so its values are no column of a file. Here a frame is unpacked
when it is stored, and the same functions compute the same values. What that takes is taken from the stream,
frame by frame: a detector that sends faster is held up or drops, as by any slow receiver.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from layouts.attributes import AttributeType
from layouts.stream import codecs
from layouts.stream.errors import StreamError
from layouts.stream.messages import Payload
from writer.attribute_messages import Attribute, PerFrame
from writer.attributes import as_type
from writer.capture_values import PixelFormat
from writer.preview.pixels import marked
from writer.preview.settings import Settings
from writer.preview.summary import narrowed, values_of

_log = logging.getLogger(__name__)


class FrameStatistics:
    """Values of the frames whose rows are not in the meta file yet.

    Args:
        names: Of the values, as the previews call them.
        settings: How they are computed.
    """

    def __init__(self, names: Iterable[str], settings: Settings) -> None:
        self._names: Final = tuple(names)
        self._settings: Final = narrowed(settings, self._names)
        self._found: dict[int, dict[str, float]] = {}
        self._complained = False

    def take(self, place: int, pixels: PixelFormat, chunk: bytes | memoryview) -> None:
        """A frame was stored; one that does not unpack has no values.

        Args:
            place: In the capture.
            pixels: Shape, type and packing.
            chunk: As it was stored.
        """
        payload = Payload(
            channel="", shape=pixels.shape, dtype=pixels.dtype, codec=pixels.codec, data=chunk, framed=True
        )
        try:
            whole = marked(codecs.decompress(payload))
            self._found[place] = values_of(whole, self._settings, self._names)
        except StreamError as error:
            self._complain(place, f"{error.where}: {error.what}")
        except Exception as error:  # the frame is stored: nothing that is computed of it may end the capture
            _log.exception("statistics of the frame at place %d", place)
            self._complain(place, f"{type(error).__name__}: {error}")

    def _complain(self, place: int, why: str) -> None:
        if not self._complained:
            self._complained = True
            _log.warning("the frame at place %d has no statistics (the first without): %s", place, why)

    def values(self, name: str, places: NDArray[np.int64], kind: AttributeType) -> NDArray[np.generic]:
        """One value of frames that were taken, not known where one had none.

        Args:
            name: Of the value.
            places: Shape (n,).
            kind: Type of the column.

        Returns:
            Shape (n,).
        """
        found = (self._found.get(place, {}).get(name) for place in places.tolist())
        return np.array([as_type(value, kind) for value in found], dtype=np.dtype(kind))

    def forget(self, places: NDArray[np.int64]) -> None:
        """Values of these frames are in the file; others may still be on their way to be stored."""
        for place in places.tolist():
            self._found.pop(place, None)


def of_attributes(
    attributes: Sequence[Attribute] | None, settings: Settings | None
) -> FrameStatistics | None:
    """What computes the statistics among a capture's attributes; nothing if there are none."""
    names = [each.statistic for each in attributes or () if each.per_frame is PerFrame.STATISTIC]
    return FrameStatistics(names, settings) if names and settings is not None else None
