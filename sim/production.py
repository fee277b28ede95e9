"""One series as an emitter makes it: schedule, faults, times in the stream's units, and the count of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from layouts.stream.messages import Image, Payload, Rational
from sim.agenda import Agenda, Slot
from sim.eiger import SendStart
from sim.eiger_config import EigerConfig
from sim.faults import Faults
from sim.reports import Counts
from sim.scenes.exposure import Exposure
from sim.track import Track

TICKS = {1: 1_000_000_000, 2: 50_000_000}
"""Ticks of a second by stream version: ns, and the quartz of the control board."""


class Production:
    """A series that is being made.

    Attributes:
        series: Its number.
        unique_id: Its ULID.
        config: The settings at arm.
        faults: What goes wrong in it.
        fault_text: The same in the words it was asked for.
        agenda: Exposures still to be taken.
        track: Where the motors were.
        started: Whether the start message was taken; nothing until it has been tried.
        ending: Whether the end message comes when the agenda is empty.
        lost: Frames that a fault lost.
        first: The first exposure.
    """

    def __init__(
        self, start: SendStart, *, version: int, faults: Faults, fault_text: str, unique_id: str
    ) -> None:
        self.series = start.series
        self.unique_id = unique_id
        self.config: EigerConfig = start.config
        self.faults = faults
        self.fault_text = fault_text
        self.agenda = Agenda()
        self.track = Track()
        self.started: bool | None = None
        self.ending = False
        self.lost: list[int] = []
        self.first: Exposure | None = None
        self.series_date: str | None = None
        self._version = version
        self._region = None if start.config.region is None else start.config.region.rows_and_columns
        self._frames = self._duplicates = self._sent = self._dropped = self._withheld = self._size = 0

    @property
    def counts(self) -> Counts:
        """What became of the frames so far."""
        return Counts(
            frames=self._frames,
            duplicates=self._duplicates,
            sent=self._sent,
            dropped=self._dropped,
            withheld=self._withheld,
            size=self._size,
        )

    def exposure(self, slot: Slot, opens: Mapping[str, float], closes: Mapping[str, float]) -> Exposure:
        """What the detector looks at in a slot, with the motors at those physical positions."""
        return Exposure(
            start=opens,
            stop=closes,
            count_time=slot.exposed,
            summed=self.config.sub_frames,
            depth=cast("Literal[8, 16, 32]", self.config.bit_depth_image),
            frame=slot.frame,
            series=self.series,
            region=self._region,
            masked=self.config.pixel_mask_applied,
            flattened=self.config.flatfield_correction_applied,
        )

    def record(self, exposure: Exposure) -> None:
        """Keep where the motors were during a frame."""
        if self.first is None:
            self.first = exposure
        self.track.add(exposure.start, exposure.stop)

    def image(self, slot: Slot, payload: Payload, epoch: float) -> Image:
        """The message of a frame.

        Args:
            slot: When it was taken.
            payload: Its pixels.
            epoch: Seconds from the detector's start to the series' first exposure; version 1 counts from
                there, version 2 from the first exposure.
        """
        base = TICKS[self._version]
        origin = round(epoch * base) if self._version == 1 else 0
        opens = origin + round(slot.since * base)
        dead = (self.config.sub_frames - 1) * self.config.readout_time
        return Image(
            series=self.series,
            unique_id=self.unique_id if self._version == 2 else None,
            frame=slot.frame,
            payloads=(payload,),
            start_time=Rational(opens, base),
            stop_time=Rational(opens + round(slot.count_time * base), base),
            real_time=Rational(max(0, round((slot.exposed - dead) * base)), base),
            series_date=self.series_date if self._version == 2 else None,
            appendix=self.config.image_appendix or None,
        )

    def withhold(self) -> None:
        """Count a frame that is not sent, the stream being disabled."""
        self._frames += 1
        self._withheld += 1

    def taken(self, *, copies: int, sent: int, frame: int | None = None, size: int = 0) -> None:
        """Count a frame.

        Args:
            copies: How often it was to be sent.
            sent: How often the socket took it.
            frame: Its number, if a fault lost it.
            size: Bytes of its pixels as they were sent.
        """
        self._size = size or self._size
        self._frames += 1
        self._duplicates += copies - 1
        self._sent += sent
        self._dropped += copies - sent
        if frame is not None:
            self.lost.append(frame)

    def truth(self) -> dict[str, Any]:
        """What was simulated, as plain JSON."""
        config = self.config
        return {
            "series": self.series,
            "unique_id": self.unique_id,
            "started": self.series_date,
            "trigger_mode": str(config.trigger_mode),
            "nimages": config.nimages,
            "ntrigger": config.ntrigger,
            "count_time": config.count_time,
            "frame_time": config.frame_time,
            "photon_energy": config.photon_energy,
            "bit_depth_image": config.bit_depth_image,
            "sub_frames": config.sub_frames,
            "goniometer": {name: list(axis) for name, axis in config.goniometer.items()},
            "frames": self._frames,
            "produced": self.counts.produced,
            "sent": self._sent,
            "dropped": self._dropped,
            "faults": self.fault_text,
            "lost_by_fault": self.lost,
            "motors": self.track.summary(),
        }
