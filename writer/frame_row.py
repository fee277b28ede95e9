"""What is known of a frame that was decoded with care, as a row of the meta file."""

from __future__ import annotations

from layouts.stream.messages import Image
from writer.meta_h5 import Row


def row_of(image: Image, place: int, size: int, arrival: int) -> Row:
    """The row of a frame at a place; ``size`` in bytes as stored, ``arrival`` in ns since 1970."""
    return Row(
        place,
        image.series,
        image.frame,
        image.start_time.nanoseconds,
        image.stop_time.nanoseconds,
        image.real_time.nanoseconds,
        size,
        arrival,
    )
