"""A worker's latest frame on its way to the preview process: given when it is asked for, and as it came.

The worker's DEALER connects to the process's ROUTER and says which detector's frames it has. From then on
each frame is asked for by itself, so there is never more than one on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from layouts.stream.messages import Codec, Payload
from writer.latest import Latest

HERE: Final = b"here"
"""A worker says which detector's frames it has."""
NEXT: Final = b"next"
"""The process asks for the latest frame, as soon as there is one that it has not been given yet."""
FRAME: Final = b"frame"
"""A worker gives it."""


class FrameError(ValueError):
    """A message that is no frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameHead:
    """What stands before a frame's packed pixels."""

    series: int
    number: int
    arrival: float
    shape: tuple[int, int]
    dtype: str
    codec: Codec


_frames: TypeAdapter[FrameHead] = TypeAdapter(FrameHead)


def of_latest(latest: Latest) -> list[bytes | memoryview]:
    """A worker's latest frame as the parts of a message."""
    pixels = latest.pixels
    head = FrameHead(
        series=latest.series,
        number=latest.frame,
        arrival=latest.arrival * 1e-9,
        shape=pixels.shape,
        dtype=pixels.dtype,
        codec=pixels.codec,
    )
    return [FRAME, _frames.dump_json(head), latest.chunk]


def frame_of(parts: Sequence[bytes | memoryview]) -> tuple[FrameHead, Payload]:
    """A worker's frame from the parts behind the word.

    Raises:
        FrameError: They are none.
    """
    try:
        data, chunk = parts
        head = _frames.validate_json(bytes(data))
    except ValueError as error:  # pydantic's are ValueErrors too
        raise FrameError(f"not a frame: {error}") from None
    return head, Payload(
        channel="", shape=head.shape, dtype=head.dtype, codec=head.codec, data=chunk, framed=True
    )
