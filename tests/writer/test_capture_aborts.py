"""Aborts that are heard of late: no place is kept for a frame that nobody has sent."""

import pytest

from layouts.capture import Outcome
from tests.kit.drive import Drive, sums
from writer.series import Rules


def test_a_stop_waits_for_what_is_heard_of_an_abort_behind_the_end_message():
    drive = Drive()
    drive.start(1, 1)
    drive.stop()  # Capture=0 and Acquire=0 at once: the frame is not sent any more
    drive.end(1)
    drive.wait(0.5)
    assert drive.finished is None
    drive.abort(1)
    drive.wait(0.11)
    assert (drive.finished.outcome, drive.finished.rows) == (Outcome.ABORTED, 0)
    assert not drive.finished.missing
    sums(drive.capture)


def test_a_stop_behind_a_short_end_waits_for_the_grace_and_no_longer():
    drive = Drive(rules=Rules(grace=1.0))
    drive.start(1, 3)
    drive.frames(1, [0, 1])
    drive.end(1)
    drive.stop()
    drive.wait(0.9)
    assert drive.finished is None
    drive.wait(0.2)
    assert (drive.finished.outcome, drive.finished.missing) == (Outcome.INCOMPLETE, (2,))
    sums(drive.capture)


def test_a_stop_behind_a_whole_series_waits_for_nothing_more():
    drive = Drive()
    drive.start(1, 2)
    drive.frames(1, [0, 1])
    drive.end(1)
    drive.stop()
    drive.wait(0.11)
    assert drive.finished.outcome is Outcome.COMPLETE


@pytest.mark.parametrize("come", [0, 2])
def test_an_abort_told_when_the_next_series_has_begun_gives_places_back(come):
    drive = Drive(num_capture=9)
    drive.start(1, 5)
    drive.frames(1, range(come))
    drive.end(1)
    drive.start(2, 4)
    drive.abort(1)
    assert (drive.last.outcome, drive.last.rows) == (Outcome.ABORTED, come)
    assert drive.frames(2, [1, 0, 2]) == [come + 1, come, come + 2]
    assert drive.capture.mark == come + 3
    drive.frame(2, 3)
    drive.stop()
    drive.wait(0.11)
    assert (drive.finished.rows, drive.finished.missing) == (come + 4, ())
    sums(drive.capture)


def test_an_abort_told_when_the_next_series_has_frames_leaves_places_as_they_are():
    drive = Drive()
    drive.start(1, 3)
    drive.frame(1, 0)
    drive.end(1)
    drive.start(2, 1)
    assert drive.frame(2, 0) == 3
    drive.abort(1)
    drive.stop()
    drive.wait(0.11)
    assert (drive.finished.rows, drive.finished.missing) == (4, (1, 2))
    sums(drive.capture)
