"""The loop of an emitter: takes commands, makes frames when they are due, and reports.

Frames are late where rendering is slow, and never lost by it. What the socket does not take is dropped and
counted, as the DCU does, or waited for, as the beamline file says.
"""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import time
from collections import deque
from collections.abc import Callable

from layouts.beamline import Beamline, Detector
from layouts.stream.messages import End, Payload
from layouts.stream.stream import encoder
from sim import announce, faults
from sim.agenda import Slot
from sim.commands import Command, Exit, Motion, SetFaults
from sim.eiger import Discard, Expose, SendEnd, SendStart, Truncate
from sim.frames import FrameSource
from sim.inbox import Inbox
from sim.outlet import Outlet
from sim.production import Production
from sim.profile import Profile
from sim.reports import Ended, Progress, Report
from sim.scenes.exposure import Exposure
from sim.timeline import Timeline

LATENCY = 0.01
"""Seconds from the end of an exposure until its frame is made: by then news of a stopped motor has come."""
REPORT_EVERY = 0.05
"""Least seconds between two reports of progress."""
SPARE = 0.005
"""Seconds until the next frame that suffice for a little work ahead."""
PATIENCE = 0.5
"""Seconds that a start or end message waits for the socket where frames do not wait at all."""


class Pacer:
    """Makes the series of one detector.

    Args:
        beamline: The description.
        detector: The detector in it.
        source: What the detector sees.
        outlet: The bound socket.
        inbox: Where commands come from.
        report: Takes what there is to tell.
    """

    def __init__(
        self,
        *,
        beamline: Beamline,
        detector: Detector,
        source: FrameSource,
        outlet: Outlet,
        inbox: Inbox,
        report: Callable[[Report], None],
    ) -> None:
        self._beamline = beamline
        self._detector = detector
        self._version = detector.stream.version
        self._lossless = detector.stream.full_socket == "wait"
        self._encoder = encoder(self._version)
        self._source, self._outlet, self._inbox, self._report = source, outlet, inbox, report
        self._timeline = Timeline({m.name: m.initial for m in beamline.motors})
        self._faults = faults.NONE
        self._fault_text = ""
        self._series: deque[Production] = deque()
        self._booted = time.monotonic()
        self._reported_at = 0.0
        self._reported = True

    def run(self) -> None:
        """Work until the inbox is closed."""
        while not self._inbox.closed:
            while (command := self._inbox.take()) is not None:
                self._obey(command)
            now = time.monotonic()
            due = self._work(now)
            if not self._reported:
                due = min(due, self._reported_at + REPORT_EVERY)
                self._progress(now)
            if due > now + SPARE and self._source.prepare_more():
                continue
            if due > now:
                self._inbox.wait(min(due - now, 1.0))

    def _obey(self, command: Command) -> None:
        match command:
            case SendStart():
                made = Production(
                    command,
                    version=self._version,
                    faults=self._faults,
                    fault_text=self._fault_text,
                    unique_id=announce.ulid(time.time()),
                )
                self._series.append(made)
            case Expose() | Truncate() | Discard() | SendEnd():
                self._instruct(command)
            case Motion(motor=motor, profile=profile):
                self._timeline.add(motor, Profile.from_dict(profile))
            case SetFaults(text=text):
                self._faults, self._fault_text = faults.parse(text), text
            case Exit():
                pass  # the inbox is closed

    def _instruct(self, command: Expose | Truncate | Discard | SendEnd) -> None:
        for made in self._series:
            if made.series == command.series:
                match command:
                    case Expose():
                        made.agenda.add(command)
                    case Truncate(frames=frames):
                        made.agenda.truncate(frames)
                    case Discard():
                        made.agenda.clear()
                    case SendEnd():
                        made.ending = True

    def _work(self, now: float) -> float:
        """Do what is due; says when there is more, inf for nothing before the next command."""
        if not self._series:
            return math.inf
        made = self._series[0]
        if made.started is None:
            self._start(made)
            return now
        slot = made.agenda.peek()
        if slot is not None:
            due = slot.closes + LATENCY
            if due <= now:
                self._make(made, slot)
            return due
        if made.ending:
            self._end(made)
            return now
        return math.inf

    # --- messages -----------------------------------------------------------------------------------------

    def _patience(self, made: Production, *, frame: bool) -> float:
        if self._lossless and not self._inbox.discarded(made.series):
            return math.inf
        return 0.0 if frame else PATIENCE

    def _start(self, made: Production) -> None:
        self._timeline.forget(time.monotonic() - 60.0)
        if not made.config.stream_enabled:
            made.started = False
            return
        read = slice(None) if made.config.region is None else made.config.region.rows_and_columns
        start = announce.start_message(
            self._detector,
            made.config,
            series=made.series,
            unique_id=made.unique_id,
            arm_date=announce.iso(time.time()),
            flatfield=self._source.flatfield[read],
            pixel_mask=self._source.pixel_mask[read],
        )
        made.started = not made.faults.lose_start and self._outlet.send(
            self._encoder.encode_start(start),
            patience=self._patience(made, frame=False),
            wanted=lambda: not self._inbox.closed and not self._inbox.discarded(made.series),
        )
        self._source.prepare(self._expected(made))

    def _expected(self, made: Production) -> Exposure:
        """The first exposure, as far as the detector's own goniometer values tell it."""
        opens = dict(self._timeline.positions(time.monotonic()))
        closes = dict(opens)
        for axis, motor in self._beamline.goniometer.items():
            start, increment = made.config.goniometer.get(axis, (0.0, 0.0))
            if increment:
                opens[motor] = start
                closes[motor] = start + increment * made.config.count_time / made.config.frame_time
        slot = Slot(frame=0, opens=0.0, closes=0.0, since=0.0, count_time=made.config.count_time)
        return made.exposure(slot, opens, closes)

    def _make(self, made: Production, slot: Slot) -> None:
        if made.faults.any and not self._fail(made, slot.frame):
            return
        if made.series_date is None:
            made.series_date = announce.iso(announce.wall_clock(slot.opens))
        made.agenda.advance()
        exposure = made.exposure(
            slot, self._timeline.positions(slot.opens), self._timeline.positions(slot.closes)
        )
        made.record(exposure)
        if not made.config.stream_enabled:
            made.withhold()
            self._note(made)
            return
        payload = self._source.payload(exposure, made.config.compression, self._version)
        if made.faults.truncate:
            payload = self._cut(made, slot.frame, payload)
        epoch = (made.agenda.origin or 0.0) - self._booted
        parts = self._encoder.encode_image(made.image(slot, payload, epoch))
        copies = made.faults.copies(slot.frame)
        sent = sum(self._send_frame(made, parts) for _ in range(copies))
        made.taken(copies=copies, sent=sent, size=len(payload.data))
        self._note(made)

    def _send_frame(self, made: Production, parts: list[bytes | memoryview]) -> bool:
        return self._outlet.send(
            parts,
            patience=self._patience(made, frame=True),
            wanted=lambda: not self._inbox.closed and not self._inbox.discarded(made.series),
        )

    def _end(self, made: Production) -> None:
        self._inbox.pause(made.faults.delay_end, made.series)
        message = self._encoder.encode_end(End(series=made.series, unique_id=self._ulid(made)))
        silent = made.faults.no_end or not made.config.stream_enabled
        sent = not silent and self._outlet.send(
            message, patience=self._patience(made, frame=False), wanted=lambda: not self._inbox.closed
        )
        self._series.popleft()
        self._reported = True
        truth = made.truth() | {"detector": self._detector.name}
        if made.first is not None:
            truth["scene"] = self._source.truth(made.first)
        self._report(
            Ended(series=made.series, counts=made.counts, started=bool(made.started), end=sent, truth=truth)
        )

    def _ulid(self, made: Production) -> str | None:
        return made.unique_id if self._version == 2 else None

    # --- faults -------------------------------------------------------------------------------------------

    def _fail(self, made: Production, frame: int) -> bool:
        """Let go wrong what is to; says whether the frame is still to be made."""
        if made.faults.crash == frame:
            os.kill(os.getpid(), signal.SIGKILL)
        self._inbox.pause(made.faults.stall.get(frame, 0.0), made.series)
        if self._inbox.closed or self._inbox.discarded(made.series):
            return False
        if not made.faults.dropped(frame):
            return True
        made.agenda.advance()
        made.taken(copies=1, sent=0, frame=frame)
        self._note(made)
        return False

    def _cut(self, made: Production, frame: int, payload: Payload) -> Payload:
        return dataclasses.replace(payload, data=made.faults.cut(frame, payload.data))

    # --- reports ------------------------------------------------------------------------------------------

    def _note(self, made: Production) -> None:
        self._reported = False
        if made.agenda.peek() is None:
            self._reported_at = 0.0  # a trigger's frames are done: say so at once

    def _progress(self, now: float) -> None:
        if now - self._reported_at >= REPORT_EVERY and self._series:
            self._reported, self._reported_at = True, now
            made = self._series[0]
            self._report(Progress(series=made.series, counts=made.counts))
