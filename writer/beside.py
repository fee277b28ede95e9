"""What a worker does beside its captures: taking frames or letting them pass, single frames, flushes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from layouts.stream.errors import StreamError
from writer.capture_values import Tally
from writer.latest import Recent
from writer.reports import FrameReport
from writer.requests import Answer, Enable, Flush, Flushed, Request, Singles, SinglesReport, WriteFrame
from writer.single_frames import SingleFrames


class Beside:
    """Answers requests, and takes the frames that no capture is open for."""

    def __init__(self) -> None:
        self.recent: Final = Recent()
        """The latest frame, whether or not a capture has taken it."""
        self.enabled = True
        """Whether frames are taken at all."""
        self.passed = 0
        """Frames that came while none were to be taken."""
        self._singles = SingleFrames(self.recent)

    @property
    def singles(self) -> SinglesReport | None:
        """What became of the order of single frames; nothing without one."""
        return self._singles.report

    @property
    def latest(self) -> FrameReport | None:
        """What is told of the latest frame; nothing before the first, or if it is damaged."""
        try:
            return self.recent.report
        except StreamError:
            return None

    def answer(self, request: Request, flush: Callable[[], str]) -> Answer | None:
        """Do what is asked for.

        Args:
            request: From the coordinator.
            flush: Lets readers see what was stored; returns why not.
        """
        match request:
            case Flush():
                return Flushed(token=request.token, message=flush())
            case WriteFrame():
                return self._singles.write(request)
            case Enable():
                self.enabled = request.enabled
            case Singles():
                self._singles.order(request)
        return None

    def take(self, totals: Tally) -> None:
        """A frame came while no capture is open: unwanted, unless each is to have a file of its own."""
        totals.received += 1
        self.passed += not self.enabled
        if not (self.enabled and self._singles.is_on):
            totals.unwanted += 1
        elif self._singles.take():
            totals.stored += 1
        else:
            totals.failed += 1
