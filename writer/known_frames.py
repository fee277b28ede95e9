"""What is known of each detector's frames before the next one comes: by its camera, or by those seen last."""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

from layouts.beamline import Beamline
from writer import orders
from writer.control import Counters, Expect
from writer.orders import Expectation, RefusedError
from writer.reports import FrameReport
from writer.watch import Watch

PixelType = Literal["uint8", "uint16", "uint32"]


class Format(NamedTuple):
    """Size (slow, fast) and type."""

    shape: tuple[int, int]
    dtype: str


UNKNOWN = Format((0, 0), "uint16")


class KnownFrames:
    """Frames of all detectors.

    Args:
        beamline: The description.
        watch: Knows the cameras.
    """

    def __init__(self, beamline: Beamline, watch: Watch) -> None:
        self._beamline, self._watch = beamline, watch
        self._primed = beamline.simulation.primed
        self._formats = {d.name: Format(d.spec.shape, "uint16") for d in beamline.detectors}
        self._seen: dict[str, float] = {}
        self._bytes: dict[str, float] = {}

    def at_boot(self, detector: str) -> Format:
        """What the records show before anything is known."""
        return self._formats[detector] if self._primed else UNKNOWN

    def file_added(self, detector: str, shape: tuple[int, int], dtype: str) -> None:
        """A file was made for frames like these."""
        self._formats[detector] = Format(shape, dtype)

    def came(self, detector: str, frame: FrameReport | None) -> Format | None:
        """What a worker says of the latest frame; what is to be shown if it is another one than before."""
        if frame is None or frame.arrival <= self._seen.get(detector, 0.0):
            return None
        first = detector not in self._seen
        self._seen[detector] = frame.arrival
        known, self._formats[detector] = self._formats[detector], Format(frame.shape, frame.dtype)
        return self._formats[detector] if first or known != self._formats[detector] else None

    def camera_said(self, detector: str) -> Format | None:
        """The camera has another size or type; what is to be shown, if it knows."""
        camera = self._watch.cameras[detector]
        if camera.shape is None and not self._primed:
            return None
        known = self._formats[detector]
        self._formats[detector] = Format(camera.shape or known.shape, camera.dtype or known.dtype)
        return self._formats[detector]

    def stored(self, detector: str, counters: Counters) -> None:
        """A capture has ended: how large its frames were."""
        if counters.stored:
            self._bytes[detector] = counters.bytes / counters.stored

    def expectation(self, detector: str) -> Expectation:
        """What to expect of a capture that is about to begin."""
        camera, known = self._watch.cameras[detector], self._formats[detector]
        return orders.expectation(
            self._beamline.detector(detector),
            shape=camera.shape or known.shape,
            dtype=camera.dtype or cast("PixelType", known.dtype),
            frame_bytes=self._bytes.get(detector),
            images=camera.images,
            per_trigger=camera.per_trigger,
            may_pause=camera.may_pause,
        )

    def told(self, detector: str) -> Expect:
        """What its worker should know of the series to come or under way."""
        camera = self._watch.cameras[detector]
        return Expect(images=camera.images, images_per_trigger=camera.per_trigger, stall=not camera.may_pause)

    def check_camera(self, detector: str) -> None:
        """Refuse a camera that cannot begin.

        Raises:
            RefusedError: It does not answer, or is acquiring.
        """
        camera = self._watch.cameras[detector]
        prefix = self._watch.camera_prefix(self._beamline.detector(detector))
        if not camera.connected:
            raise RefusedError(f"{detector}: its camera {prefix} does not answer; is its IOC running?")
        if camera.state == "Acquire":
            raise RefusedError(f"{detector} is acquiring; wait for it, or put 0 to {prefix}Acquire")
