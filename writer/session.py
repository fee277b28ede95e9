"""What a worker does with messages and commands: no sockets here, so that tests can hand them in.

Messages of the stream and commands of the coordinator go in, control messages come out of ``events``. Frames
that come while no capture is open are counted; the last start message is kept, so that a capture that begins
in mid-series knows its series.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from layouts.stream.errors import StreamError
from layouts.stream.forms import Form
from layouts.stream.frames import Frames
from layouts.stream.messages import End, Image, Start
from layouts.stream.stream import decode
from writer import control
from writer.beside import Beside
from writer.capture_report import refused
from writer.capture_values import Tally
from writer.control import WorkerState
from writer.latest import Latest
from writer.open_capture import OpenCapture
from writer.opening import Opening
from writer.pace import Pace
from writer.requests import Enable, Flush, Singles, WriteFrame
from writer.series import Announced, SeriesKey
from writer.stretch import Receive
from writer.timings import Timings
from writer.understood import understood

_log = logging.getLogger(__name__)

_REMEMBERED: Final = 8
"""Series that are known when no capture asks for them."""
_SAFE_WITHIN: Final = 0.7
"""Seconds that files get to be brought to the disk when the worker is told to end."""
Part = bytes | memoryview


class Session:
    """One worker's work.

    Args:
        detector: Its name in the beamline file.
        rank: Of the worker among the detector's.
        opening: Opens its captures.
    """

    def __init__(self, detector: str, rank: int = 0, opening: Opening | None = None) -> None:
        self.detector: Final = detector
        self.rank: Final = rank
        self.events: Final[deque[control.Event]] = deque()
        self._to_wall_ns = time.time_ns() - time.monotonic_ns()
        self._totals = Tally()
        """Of captures that have ended, and of frames that no capture asked for."""
        self._known: OrderedDict[SeriesKey, Announced] = OrderedDict()
        self._current: Announced | None = None
        """What the last frame belonged to."""
        self._start: Start | None = None
        self._frames = Frames()
        self._form: Form | None = None
        """Of the last frame; nothing if frames like it must be looked at one by one."""
        self._opening = opening or Opening()
        self._open: OpenCapture | None = None
        self._last: OpenCapture | None = None
        self._message = ""
        self._beside = Beside()
        self._pace = Pace()
        self._complained: SeriesKey | None = None
        self._is_quiet = False

    @property
    def is_open(self) -> bool:
        """Whether a capture is open."""
        return self._open is not None

    @property
    def latest(self) -> Latest | None:
        """The frame that came last, whether or not a capture has taken it.

        Raises:
            StreamError: Its payload is damaged.
        """
        return self._beside.recent.latest

    @property
    def state(self) -> WorkerState:
        """What it is doing."""
        return WorkerState.IDLE if self._open is None else self._open.state

    @property
    def frame_bytes(self) -> int:
        """Size of the last frame stored, for the receiver's byte budget; 0 if none was."""
        return 0 if self._open is None else self._open.frame_bytes

    # ------------------------------------------------------------ the stream

    def take(self, receive: Receive, until: int) -> None:
        """Take messages for as long as any wait.

        Args:
            receive: Gives the next; nothing if none waits.
            until: Monotonic ns at which to stop.
        """
        began = time.monotonic_ns()
        while True:
            opened, form = self._open, self._form
            if opened is None or form is None or not self._beside.enabled:
                parts = receive()
            else:
                parts = opened.follow(form, receive, self._frames.read, until)
                known = self._current
                if known is not None and known.key == (opened.last_series, form.unique_id):
                    known.next_frame = max(known.next_frame, opened.last_frame + 1)
            if parts is None and (parts := self._dry(receive)) is None:
                break
            self.message(parts)
            if time.monotonic_ns() >= until:
                break
        self._pace.worked(time.monotonic_ns() - began)

    def _dry(self, receive: Receive) -> Sequence[Part] | None:
        """A message after all; nothing if none waits, which a capture that is to end wants to know."""
        opened = self._open
        if opened is None or opened.capture.stopping is None:
            return None
        parts = receive()
        if parts is None:
            opened.capture.ran_dry(time.monotonic())
        return parts

    def message(self, parts: Sequence[Part]) -> None:
        """Take a message of the stream, whatever is in it."""
        clock = time.monotonic_ns()
        try:
            message = decode(parts)
        except StreamError as error:
            self._malformed(str(error), clock * 1e-9)
            return
        except Exception as error:  # the stream is not ours: nothing on it may end the worker
            _log.exception("a message of the stream of %s was not understood", self.detector)
            self._malformed(f"not understood ({type(error).__name__}: {error})", clock * 1e-9)
            return
        if type(message) is Image:
            self._form = self._frames.learn(parts, message)
            self._image(message, clock)
        elif type(message) is Start:
            self._begin(message, clock * 1e-9)
        elif type(message) is End:
            self._end(message, clock * 1e-9)

    def _image(self, image: Image, clock: int) -> None:
        known = self._current
        if known is None or known.key[0] != image.series or known.key[1] != image.unique_id:
            known = self._current = self._known.get(SeriesKey(image.series, image.unique_id))
        if known is not None and image.frame >= known.next_frame:
            known.next_frame = image.frame + 1
        key = SeriesKey(image.series, image.unique_id) if known is None else known.key
        self._beside.recent.note_image(image, clock + self._to_wall_ns)
        opened = self._open
        if opened is not None and not self._beside.enabled:
            self._beside.passed += 1
            opened.capture.passed(key, image.frame, clock * 1e-9)
            return
        if opened is None:
            if known is None:
                self._remember(
                    Announced(key=key, arrival=clock * 1e-9, announced=False, next_frame=image.frame + 1)
                )
            self._beside.take(self._totals)
            return
        try:
            opened.image(key, image, clock)
        except StreamError as error:
            self._complain(key, str(error))
        if opened.is_done:
            self._done(opened)

    def _begin(self, start: Start, now: float) -> None:
        key = SeriesKey(start.series, start.unique_id)
        announced = Announced(key=key, parameters=understood(start, self.detector), arrival=now)
        known = self._known.get(key)
        if known is None or not known.announced or known.ended or known.parameters != announced.parameters:
            if known is not None and not known.announced and not known.ended:
                announced.next_frame = known.next_frame
            self._remember(announced)
        self._start = start
        if self._open is not None:
            self._open.start(announced, start, now)
            if self._open.is_done:
                self._done(self._open)

    def _end(self, end: End, now: float) -> None:
        key = SeriesKey(end.series, end.unique_id)
        known = self._known.get(key)
        if known is not None:
            known.ended = True
        opened = self._open
        if opened is None:
            latest = self._beside.latest
            last = latest.frame if latest is not None and latest.series == end.series else -1
            self.events.append(control.SeriesPassed(series=end.series, last_frame=last))
            return
        opened.end(key, now)
        if opened.is_done:
            self._done(opened)

    def _malformed(self, why: str, now: float) -> None:
        if self._open is not None:
            self._open.capture.malformed(now)
        else:
            self._totals.received += 1
            self._totals.failed += 1
        self._complain(next(reversed(self._known), None), why)

    def _complain(self, key: SeriesKey | None, why: str) -> None:
        """Say what is wrong with the stream, in the log once a series."""
        self._message = f"stream: {why}"
        if self._is_quiet and self._complained == key:
            return
        self._is_quiet, self._complained = True, key
        series = "before any series" if key is None else f"series {key.number}"
        _log.warning("%s, %s: %s; it and others like it are counted as failed", self.detector, series, why)

    def _remember(self, announced: Announced) -> None:
        self._known.pop(announced.key, None)
        self._known[announced.key] = announced
        self._current = announced
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    # ------------------------------------------------------------ the coordinator

    def command(self, command: control.Command) -> None:
        """Do what the coordinator says; Identify and Shutdown are the shell's."""
        now = time.monotonic()
        match command:
            case control.Capture():
                self._capture(command, now)
                return
            case Flush() | Enable() | WriteFrame() | Singles():
                answer = self._beside.answer(command, self._flush)
                if answer is not None:
                    self.events.append(answer)
                return
            case _:
                pass
        opened = self._open
        if opened is None:
            self._without_capture(command, now)
            return
        capture = opened.capture
        match command:
            case control.AttributeValues():
                if opened.order.capture == command.capture:
                    opened.note(command)
            case control.Expect():
                rules = capture.rules.told(
                    images=command.images,
                    images_per_trigger=command.images_per_trigger,
                    stall=command.stall,
                )
                opened.do(capture.expect(rules, now), now)
            case control.Aborted():
                opened.do(capture.abort(command.series, now, command.fault), now)
            case control.Stop() if opened.order.capture == command.capture:
                opened.stop(now, drain=command.drain)
            case _:
                _log.debug("%s: nothing to do for %s", self.detector, command)
        if opened.is_done:
            self._done(opened)

    def _flush(self) -> str:
        opened = self._open
        if opened is None:
            return ""
        opened.show(time.monotonic())
        return opened.capture.broken

    def held_up(self, seconds: float) -> None:
        """This process or its disk stood still: what came meanwhile is unread, so nothing has ended by it."""
        if self._open is not None:
            _log.warning("%s: the worker or its disk stood still for %.1f s", self.detector, seconds)
            self._open.capture.held_up(seconds)

    def tick(self, now: float) -> None:
        """Time has passed: flush, and see what has ended."""
        if (due := self._opening.due(now)) is not None:
            self._begin_capture(due, now)
        opened = self._open
        if opened is not None:
            opened.tick(now)
            if opened.is_done:
                self._done(opened)

    def close(self, why: str) -> None:
        """End the open capture at once: files closed, what did not come is not waited for."""
        opened = self._open
        self._leave(why, time.monotonic())
        if opened is not None:
            _log.warning("%s: capture %s ended: %s", self.detector, opened.order.capture, why)
            now = time.monotonic()
            opened.stop(now, drain=False)
            opened.settle(now, _SAFE_WITHIN)
            self._done(opened)

    def hello(self, *, version: str, endpoint: str, pid: int, host: str) -> control.Hello:
        """Who this is."""
        return control.Hello(
            detector=self.detector,
            rank=self.rank,
            pid=pid,
            host=host,
            version=version,
            endpoint=endpoint,
            capture=None if self._open is None else self._open.order.capture,
        )

    def status(self, *, connected: bool = False, queue: int = 0) -> control.Status:
        """How things stand."""
        opened = self._open
        shown = opened or self._last
        totals = self._totals if opened is None else self._totals.plus(opened.capture.tally)
        return control.Status(
            detector=self.detector,
            rank=self.rank,
            state=self.state,
            connected=connected,
            capture=None if opened is None else opened.order.capture,
            captured=0 if shown is None else shown.captured,
            series=None if shown is None else shown.last_series,
            last_frame=-1 if shown is None else shown.last_frame,
            counters=control.Counters() if shown is None else shown.capture.tally.counters(),
            totals=totals.counters(),
            cpu=time.process_time(),
            latest=self._beside.latest,
            queue=queue,
            passed=self._beside.passed,
            execution=self._pace.per_frame(totals.received),
            backlog=0 if opened is None else opened.backlog,
            flushes=0 if shown is None else shown.flushes,
            singles=self._beside.singles,
            timings=Timings() if shown is None else shown.times(),
            storers=self._opening.storers if shown is None else shown.storers,
            message=self._message or self._opening.complaint(capturing=opened is not None),
        )

    # ------------------------------------------------------------ inside

    def _capture(self, order: control.Capture, now: float) -> None:
        other = self._opening.waiting if self._open is None else self._open.order
        if other is not None:
            self._refuse(order, 0, f"capture {other.capture} is still open; stop it first", now)
        elif self._opening.is_ready(order, now):
            self._begin_capture(order, now)

    def _begin_capture(self, order: control.Capture, now: float) -> None:
        self._message = ""
        try:
            opened = self._opening.open(order, now, self.events.append, self._beside.recent)
        except OSError as error:
            self._refuse(order, error.errno or 0, error.strerror or str(error), now)
            return
        self._open = opened
        opened.capture.closed.update(known.key for known in self._known.values() if known.is_over)
        current = next(reversed(self._known.values()), None)
        if current is not None and not current.is_over:
            start = self._start
            is_its = start is not None and SeriesKey(start.series, start.unique_id) == current.key
            opened.start(current, start if is_its else None, now)

    def _without_capture(self, command: control.Command, now: float) -> None:
        if isinstance(command, control.Stop):
            self._leave("it was stopped before the storers were there", now)
        _log.debug("%s: no capture is open for %s", self.detector, command)

    def _leave(self, why: str, now: float) -> None:
        """Give up a capture that waits for storers."""
        order = self._opening.leave()
        if order is not None:
            self._refuse(order, 0, why, now)

    def _refuse(self, order: control.Capture, number: int, why: str, now: float) -> None:
        self._message = why
        _log.error("%s: capture %s refused: %s", self.detector, order.capture, why)
        self.events.extend(refused(order, number, why, now + time.time() - time.monotonic()))

    def _done(self, opened: OpenCapture) -> None:
        self._open, self._last = None, opened
        for ended in opened.capture.ended:
            known = self._known.get(ended.key)
            if known is not None and ended.over:
                known.ended = True
        self._message = opened.capture.broken or self._message
        self._totals = self._totals.plus(opened.capture.tally)
