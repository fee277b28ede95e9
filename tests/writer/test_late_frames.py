"""Frames that came late: after one of a later place, or after the end message; counted once, and stored."""

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.kit.drive import Drive, sums


def test_frames_in_order_are_never_late():
    drive = Drive()
    drive.start(1, 4)
    drive.frames(1, range(4))
    assert drive.capture.tally.late == 0


def test_one_that_was_overtaken_is_late_and_its_duplicate_is_not():
    drive = Drive()
    drive.start(1, 5)
    drive.frames(1, [0, 2, 1, 1, 2])
    assert (drive.capture.tally.late, drive.capture.tally.duplicate) == (1, 2)
    sums(drive.capture)


def test_all_that_come_after_the_end_message_are_late():
    drive = Drive()
    drive.start(1, 4)
    drive.frames(1, [0, 1])
    drive.end(1)
    drive.frames(1, [2, 3])
    assert drive.capture.tally.late == 2
    assert drive.last.stored == 4


@given(st.integers(1, 30), st.randoms(use_true_random=False))
def test_as_many_are_late_as_are_below_one_that_came_before(count, rng: random.Random):
    order = rng.sample(range(count), count)
    drive = Drive()
    drive.start(1, count)
    drive.frames(1, order)
    late = sum(number < max(order[:at], default=-1) for at, number in enumerate(order))
    assert drive.capture.tally.late == late
    assert drive.capture.tally.stored == count
