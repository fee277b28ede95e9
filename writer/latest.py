"""The latest frame of a stream, kept as it came: for a file of its own, and for whoever wants a look at it.

Kept without cost: a reference to what was received last, made into a value only when somebody asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from layouts.stream.codecs import chunk_parts
from layouts.stream.forms import Form, Frame
from layouts.stream.messages import Image
from writer.capture_values import PixelFormat
from writer.reports import FrameReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """A frame, packed.

    Attributes:
        series: The detector's series number.
        frame: Its number in the series, from 0.
        pixels: Shape, type and packing.
        chunk: The packed pixels as an HDF5 filter wants them; a view of what the socket received.
        start: The detector's clock at the start of the exposure, ns.
        stop: At its end, ns.
        real: Exposed, ns.
        arrival: When it came, ns since 1970, UTC.
    """

    series: int
    frame: int
    pixels: PixelFormat
    chunk: bytes | memoryview
    start: int
    stop: int
    real: int
    arrival: int


def of_image(image: Image, arrival: int) -> Latest:
    """A frame that was decoded with care.

    Raises:
        StreamError: Its payload is damaged.
    """
    payload = image.payloads[0]
    return Latest(
        series=image.series,
        frame=image.frame,
        pixels=PixelFormat(payload.shape, payload.dtype, payload.codec),
        chunk=chunk_parts(payload),
        start=image.start_time.nanoseconds,
        stop=image.stop_time.nanoseconds,
        real=image.real_time.nanoseconds,
        arrival=arrival,
    )


def of_frame(frame: Frame, arrival: int) -> Latest:
    """A frame of a stretch."""
    form: Form = frame[0]
    _, number, start, stop, real, chunk = frame
    return Latest(
        series=form.series,
        frame=number,
        pixels=PixelFormat(form.shape, form.dtype, form.codec),
        chunk=chunk,
        start=start,
        stop=stop,
        real=real,
        arrival=arrival,
    )


@dataclass(slots=True)
class Recent:
    """What came last, not yet looked at."""

    _image: Image | None = None
    _frame: Frame | None = None
    _arrival: int = 0

    def note_image(self, image: Image, arrival: int) -> None:
        """A frame came that was decoded with care, at ns since 1970."""
        self._image, self._arrival = image, arrival

    def note_frame(self, frame: Frame, arrival: int) -> None:
        """A frame of a stretch came, at ns since 1970."""
        self._image, self._frame, self._arrival = None, frame, arrival

    @property
    def latest(self) -> Latest | None:
        """The latest frame; nothing before the first.

        Raises:
            StreamError: Its payload is damaged.
        """
        if self._image is not None:
            return of_image(self._image, self._arrival)
        return None if self._frame is None else of_frame(self._frame, self._arrival)

    @property
    def report(self) -> FrameReport | None:
        """What is told of the latest frame; nothing before the first.

        Raises:
            StreamError: Its payload is damaged.
        """
        latest = self.latest
        if latest is None:
            return None
        return FrameReport(
            series=latest.series,
            frame=latest.frame,
            shape=latest.pixels.shape,
            dtype=latest.pixels.dtype,
            codec=latest.pixels.codec,
            size=len(latest.chunk),
            arrival=latest.arrival * 1e-9,
        )
