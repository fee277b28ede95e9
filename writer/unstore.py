"""Frames that were held for stored, and turned out to be in no file: the sums of a capture put right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from layouts.capture import Outcome
from writer.capture import Capture
from writer.capture_files import Lost

_WHY = "frames that were written did not reach the disk"


def unstore(capture: Capture, lost: Sequence[Lost]) -> tuple[int, ...]:
    """Count frames as failed that were counted as stored.

    Args:
        capture: The bookkeeping.
        lost: The frames.

    Returns:
        Those of their places that are missing now, as their series has ended already.
    """
    series, tally = capture.series, capture.tally
    missing: list[int] = []
    for place, size in lost:
        tally.stored, tally.failed, tally.bytes = tally.stored - 1, tally.failed + 1, tally.bytes - size
        capture.mark = min(capture.mark, place)
        if series is not None and place >= series.row:
            series.filled[place - series.row] = 0
            series.stored -= 1
        else:
            tally.missing += 1
            missing.append(place)
            _amend(capture, place)
    if series is not None:
        series.high = series.filled.rfind(1) + 1
    return tuple(missing)


def _amend(capture: Capture, place: int) -> None:
    """One frame less in what is told of a series that has ended."""
    for index, ended in enumerate(capture.ended):
        if ended.row <= place < ended.row + ended.rows:
            outcome = Outcome.INCOMPLETE if ended.outcome is Outcome.COMPLETE else ended.outcome
            capture.ended[index] = replace(
                ended, stored=ended.stored - 1, outcome=outcome, reason=ended.reason or _WHY
            )
