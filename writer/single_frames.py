"""Frames in files of their own: the latest on request, or each as it comes (``AutoSave`` in Single mode)."""

from __future__ import annotations

import logging
from pathlib import Path

from layouts.stream.errors import StreamError
from writer import filenames
from writer.frame_file import write_frame
from writer.latest import Latest, Recent
from writer.requests import FrameWritten, Singles, SinglesReport, WriteFrame

_log = logging.getLogger(__name__)


class SingleFrames:
    """Writes single frames.

    Args:
        recent: Knows what came last.
    """

    def __init__(self, recent: Recent) -> None:
        self._recent = recent
        self._order: Singles | None = None
        self._number = self._written = 0
        self._path = self._message = ""

    @property
    def is_on(self) -> bool:
        """Whether each frame gets a file of its own."""
        return self._order is not None

    @property
    def report(self) -> SinglesReport | None:
        """What became of the order; nothing without one."""
        if self._order is None:
            return None
        return SinglesReport(
            revision=self._order.revision,
            number=self._number,
            path=self._path,
            written=self._written,
            message=self._message,
        )

    def order(self, order: Singles) -> None:
        """Begin, go on in another way, or end."""
        self._order = order if order.on else None
        self._number, self._written = order.number, 0
        self._path = self._message = ""

    def write(self, request: WriteFrame) -> FrameWritten:
        """Write the latest frame."""
        try:
            latest = self._recent.latest
            if latest is None:
                message = "no frame has come yet; take one first"
            else:
                message = self._write(Path(request.path), latest, request.suffix)
        except StreamError as error:
            message = f"the latest frame is damaged: {error}"
        return FrameWritten(token=request.token, message=message)

    def take(self) -> bool:
        """Write the frame that has just come as the order says; whether it is in its file."""
        order = self._order
        if order is None:
            return False
        number = self._number
        if order.increment:
            self._number += 1
        try:
            latest = self._recent.latest
            path = filenames.full_name(order.template, order.directory, order.name, number)
        except (StreamError, filenames.FileNameError) as error:
            message = str(error)
        else:
            message = "" if latest is None else self._write(Path(path), latest, order.suffix)
            self._path = path
        if message and message != self._message:
            _log.error("%s", message)
        self._message = message
        self._written += not message
        return not message

    def _write(self, path: Path, latest: Latest, suffix: str) -> str:
        try:
            write_frame(path, latest, suffix)
        except OSError as error:
            return error.strerror or str(error)
        return ""
