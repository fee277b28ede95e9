"""One open capture at work: its bookkeeping, its files, and what the coordinator is told of them.

What the bookkeeping decides is done here. A file that cannot be written on ends the storing, not the
capture: frames that still come are counted as failed, so that the sums stay right.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from layouts.stream.codecs import chunk_parts
from layouts.stream.forms import Form
from layouts.stream.messages import Image, SeriesParameters, Start
from layouts.stream.payloads import check_blocks
from writer import control
from writer.capture import Capture
from writer.capture_files import Arrays, CaptureFiles
from writer.capture_report import Files, done, file_added, series_ended, series_report, started
from writer.capture_values import Action, Began, Ended, Finished, PixelFormat
from writer.control import WorkerState
from writer.frame_row import row_of
from writer.latest import Recent
from writer.raw_h5 import Added
from writer.reports import RawFileReport, StorerReport
from writer.series import Announced, Rules, Series, SeriesKey
from writer.stretch import SUSPICIOUS, Parts, Read, Receive, Stretch
from writer.stripes.stripes import Stripes
from writer.syncing import not_synced
from writer.unstore import unstore

_log = logging.getLogger(__name__)


class OpenCapture:
    """A capture from Opened to Done.

    Args:
        order: What the coordinator asked for.
        now: Monotonic time in seconds.
        emit: Takes what the coordinator is told.
        recent: Is told of the frames that come fast; the others are seen by whoever hands them in.
        stripes: Where frames go that several storers store.

    Raises:
        WriteError: A file cannot be made.
    """

    def __init__(
        self,
        order: control.Capture,
        now: float,
        emit: Callable[[control.Event], None],
        recent: Recent | None = None,
        stripes: Stripes | None = None,
    ) -> None:
        self.order: Final = order
        self.frame_bytes = 0
        """Size of the frame stored last."""
        self.captured = 0
        """Places below which every frame is flushed, or known missing."""
        self.last_frame = -1
        self.last_series: int | None = None
        self.flushes = 0
        """Flushes that showed readers more."""
        self._flushed = 0
        """Frames that the latest of them could show."""
        self._recent = recent or Recent()
        self._emit = emit
        self._to_wall = time.time() - time.monotonic()
        self._to_wall_ns = time.time_ns() - time.monotonic_ns()
        made: list[Added] = []
        files = CaptureFiles(order=order, on_added=made.append, stripes=stripes)
        self._files: CaptureFiles | None = files
        self._arrays: Arrays = files.arrays
        self.times: Final = files.raw.times  # of its calls of the disk
        self._meta_file = str(files.meta.path)
        self._raw_files: tuple[RawFileReport, ...] = ()
        self._ending: Finished | None = None  # over and closed, but not yet as safe as the order asks for
        self._is_done = False
        self._missing: tuple[int, ...] = ()  # of series that had ended when a frame turned out to be lost
        self.capture: Final = Capture(
            num_capture=order.num_capture,
            began=now,
            format=files.raw.format,
            rules=Rules(
                stall_timeout=order.stall_timeout,
                grace=order.grace,
                stall=order.stall,
                images=order.images,
                images_per_trigger=order.images_per_trigger,
            ),
        )
        self._next_flush = now + order.flush_interval
        paths = tuple(str(path) for path in files.raw.paths)
        emit(control.Opened(capture=order.capture, files=paths, meta_file=self._meta_file))
        for added in made:
            self._added(added)
        files.raw.on_added = self._added

    @property
    def is_done(self) -> bool:
        """Whether Done has been said."""
        return self._is_done

    @property
    def backlog(self) -> int:
        """Frames stored that readers cannot see yet."""
        return 0 if self._files is None else self.capture.tally.stored - self._flushed

    @property
    def workers(self) -> int:
        """Among how many processes frames are dealt."""
        return 1

    @property
    def storers(self) -> tuple[StorerReport, ...]:
        """How several storers do."""
        return ()

    @property
    def _unflushed(self) -> int:
        """Frames that wait for a flush."""
        return self.capture.tally.stored - self._flushed

    @property
    def _is_full(self) -> bool:
        """Whether so many frames wait for a flush that they get one before its time."""
        return 0 < self.order.flush_frames <= self._unflushed

    @property
    def state(self) -> WorkerState:
        """What it is at."""
        if self._files is None:
            return WorkerState.FAILED
        if self.capture.stopping is not None or self._ending is not None:
            return WorkerState.DRAINING
        return WorkerState.WAITING if self.capture.series is None else WorkerState.WRITING

    # ------------------------------------------------------------ the stream

    def start(self, announced: Announced, start: Start | None, now: float) -> None:
        """A series begins, or is under way already; ``start`` is its message where that was seen."""
        before = self.capture.series
        actions = self.capture.start(announced, now)
        series = self.capture.series
        if start is not None and self._files is not None and series is not None and series is not before:
            try:
                self._files.start(start)
                self._files.plan(self.capture.rows)
                self._shape(self._files, announced.parameters)
            except OSError as error:
                self._give_up(error, now)
        self.do(actions, now)

    def image(self, key: SeriesKey, image: Image, clock: int) -> None:
        """A frame came, ``clock`` being monotonic ns.

        Raises:
            StreamError: Its payload is damaged; it is counted as failed.
        """
        now = clock * 1e-9
        payload = image.payloads[0]
        capture = self.capture
        pixels = capture.format
        if (
            pixels is None
            or payload.shape != pixels.shape
            or payload.dtype != pixels.dtype
            or payload.codec is not pixels.codec
        ):
            pixels = PixelFormat(payload.shape, payload.dtype, payload.codec)
        place, actions = capture.frame(key, image.frame, pixels, now)
        if actions:
            self.do(actions, now)
        if place < 0:
            return
        files = self._files
        stored = False
        try:
            if files is None:
                return
            chunk = chunk_parts(payload)
            size = len(chunk)
            if not self.frame_bytes or size < SUSPICIOUS * self.frame_bytes:
                check_blocks(payload)
            if files.raw.format is not pixels and files.raw.format != pixels:
                files.raw.start(pixels)
            files.write(row_of(image, place, size, clock + self._to_wall_ns), chunk)
            stored = True
        except OSError as error:
            self._give_up(error, now)
            return
        finally:
            if not stored:
                capture.failed()
        self.last_series, self.last_frame, self.frame_bytes = key.number, image.frame, size
        actions = self._stored(place, size, now)
        if actions:
            self.do(actions, now)
        elif now >= self._next_flush or self._is_full:
            self.flush(now)

    def follow(self, form: Form, receive: Receive, read: Read, until: int) -> Parts | None:
        """Store what comes for as long as it goes on where the last frame ended; see ``Stretch``.

        Returns:
            The message that must go the careful way; nothing if none waits, or at monotonic ns ``until``.
        """
        stretch = self._stretch(form)
        if stretch is None:
            return receive()
        first = stretch.number
        rest = stretch.follow(receive, read, min(until, int(self._next_flush * 1e9)))
        if stretch.number > first and self._files is not None:
            self._stored_on(self._files, stretch, first)
            self.last_series, self.last_frame = form.series, stretch.number - 1
            self.frame_bytes = stretch.size
            if stretch.last is not None:
                self._recent.note_frame(stretch.last, stretch.clock + self._to_wall_ns)
        if stretch.is_refused and self._files is not None:
            self._files.refused()
        return rest

    def _stretch(self, form: Form) -> Stretch | None:
        """What may follow now without a question for each; nothing if there is one to be asked."""
        series, pixels, files = self.capture.series, self.capture.format, self._files
        if files is None or files.statistics is not None:
            return None  # each is looked at, which takes far longer than the way that is saved
        if series is None or series.key != form[:2] or pixels != form[2:]:
            return None
        number = series.first + self._next(series)
        place = series.row - series.first
        room = files.raw.direct(number + place)
        if room is None or not self.frame_bytes or files.raw.format != pixels:
            return None
        store, base, end = room
        # The last frame of a series ends it.
        last = min(series.first + series.limit - 1, end - place)
        if self.order.flush_frames:
            last = min(last, number + self.order.flush_frames - 1 - self._unflushed)
        return Stretch(
            form=form,
            number=number,
            end=last,
            place=place,
            row=place - base,
            size=self.frame_bytes,
            store=store,
            rows=files.rows if files.stripes is None else files.sent,
            to_wall=self._to_wall_ns,
        )

    def _next(self, series: Series) -> int:
        """Place in a series, from its first, at which frames may go on without a question for each."""
        return series.high

    def _stored(self, place: int, size: int, now: float) -> Sequence[Action]:
        """A frame was written; what follows."""
        return self.capture.stored(place, size, now)

    def _stored_on(self, files: CaptureFiles, stretch: Stretch, first: int) -> None:
        """Frames of a stretch from number ``first`` on were written."""
        files.raw.touched(stretch.number - first, stretch.spent)
        self.capture.stored_on(stretch.number - first, stretch.bytes, stretch.clock * 1e-9)

    def end(self, key: SeriesKey, now: float) -> None:
        """An end message came."""
        self.do(self.capture.end(key, now), now)

    def stop(self, now: float, *, drain: bool) -> None:
        """End it, at once or when what is on its way has come."""
        self.do(self.capture.stop(now, drain=drain), now)

    def tick(self, now: float) -> None:
        """Time has passed: flush, and see what has ended."""
        if now >= self._next_flush:
            self.flush(now)
        self.do(self.capture.tick(now), now)
        self.settle(now)

    def settle(self, now: float, within: float | None = None) -> None:
        """Say Done of a capture that is over, once its files are safe.

        Args:
            now: Monotonic seconds.
            within: Seconds after which it is said that they are not; None asks once and waits on.
        """
        finished, files = self._ending, self._files
        if finished is None:
            return
        try:
            if files is not None and not files.is_settled(within or 0.0):
                if within is None:
                    return
                raise not_synced(within)
        except OSError as error:
            self._give_up(error, now)
        self._conclude(finished, now)

    def flush(self, now: float) -> None:
        """Let readers see what was written, and the coordinator count it."""
        self._next_flush = now + self.order.flush_interval
        if self._files is None or self._ending is not None:
            return
        mark, stored = self.capture.mark, self.capture.tally.stored
        try:
            self._files.flush()
        except OSError as error:
            self._give_up(error, now)
        else:
            self.flushes += stored > self._flushed
            self.captured, self._flushed = mark, stored

    def show(self, now: float) -> None:
        """Let readers see everything that has come."""
        self.flush(now)

    def note(self, values: control.AttributeValues) -> None:
        """NDAttributes have changed."""
        if self._files is not None:
            self._files.meta.note(values)

    def do(self, actions: Sequence[Action], now: float) -> None:
        """Carry out what the bookkeeping has decided."""
        for action in actions:
            match action:
                case Began():
                    self._began(action, now)
                case Ended():
                    self.flush(now)
                    report = series_report(action, self._to_wall)
                    last = self.last_frame if self.last_series == report.series else -1
                    self._emit(series_ended(self.order.capture, report, self.capture.tally, last))
                case Finished():
                    self._finished(action, now)

    # ------------------------------------------------------------ inside

    def _began(self, began: Began, now: float) -> None:
        self.last_series = began.key.number
        if self._files is not None:
            try:
                self._files.plan(self.capture.rows)
            except OSError as error:
                self._give_up(error, now)
        self._emit(started(self.order.capture, began, self._to_wall))

    def _shape(self, files: CaptureFiles, said: SeriesParameters) -> None:
        """Make the first raw file as soon as the start message tells what its frames look like."""
        capture = self.capture
        if said.image_size is None or said.dtype is None or capture.tally.stored:
            return
        fast, slow = said.image_size
        codec = self.order.codec if capture.format is None else capture.format.codec
        capture.format = PixelFormat((slow, fast), said.dtype, codec)
        files.raw.start(capture.format)

    def _finished(self, finished: Finished, now: float) -> None:
        if self._files is not None and not finished.rows and not self.capture.tally.stored:
            self._files.discard()  # its name is free again
            self._meta_file = ""
        elif self._files is not None:
            try:
                self._raw_files = self._files.finish(finished.rows)
            except OSError as error:
                self._give_up(error, now)
        self._ending = finished
        self.settle(now)

    def _conclude(self, finished: Finished, now: float) -> None:
        if self._missing:
            finished = replace(finished, missing=tuple(sorted({*finished.missing, *self._missing})))
        self._files, self._ending, self._is_done = None, None, True
        self.captured = finished.rows
        files = Files(raw=self._raw_files, meta=self._meta_file, arrays=self._arrays, workers=self.workers)
        times = {"opened": self.capture.began, "now": now, "to_wall": self._to_wall}
        self._emit(done(self.order, self.capture, finished, files, **times))

    def _added(self, added: Added) -> None:
        self._emit(file_added(self.order.capture, added))

    def _give_up(self, error: OSError, now: float) -> None:
        """Close the files as they are, and go on counting."""
        files, self._files = self._files, None
        if files is None:
            return
        why = error.strerror or str(error)
        _log.error("%s: capture %s: %s", self.order.detector, self.order.capture, why)
        self._missing += unstore(self.capture, files.save())
        if self.capture.tally.stored:
            self._raw_files = files.abandon(self.capture.high)
        else:
            files.discard()
            self._meta_file = ""
        self._emit(control.Failed(capture=self.order.capture, errno=error.errno or 0, message=why))
        self.do(self.capture.give_up(why, now), now)
