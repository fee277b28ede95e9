"""Bookkeeping of a capture: rules one by one."""

import pytest

from layouts.capture import Outcome
from tests.kit.drive import OTHER, PIXELS, Drive, sums
from writer.capture_values import DUPLICATE, FOREIGN, UNWANTED, Finished
from writer.series import Rules, SeriesKey


def test_places_follow_one_another():
    drive = Drive(num_capture=7)
    drive.start(1, 3)
    assert drive.frames(1, range(3)) == [0, 1, 2]
    drive.end(1)
    drive.start(2, 4)
    assert drive.frames(2, [1, 0, 3, 2]) == [4, 3, 6, 5]
    assert drive.finished == Finished(outcome=Outcome.COMPLETE, reason="", rows=7, missing=())
    sums(drive.capture)


def test_the_mark_waits_for_holes_until_the_series_is_over():
    drive = Drive()
    drive.start(1, 5)
    drive.frames(1, [0, 1, 3])
    assert drive.capture.mark == 2
    drive.frame(1, 2)
    assert drive.capture.mark == 4
    drive.end(1)
    drive.wait(2.1)
    assert drive.capture.mark == 5
    assert drive.last.outcome is Outcome.INCOMPLETE
    assert drive.last.rows == 5


def test_the_count_ends_a_series_without_an_end_message():
    drive = Drive()
    drive.start(1, 2)
    drive.frames(1, [0, 1])
    assert drive.last.outcome is Outcome.COMPLETE
    assert drive.frame(1, 1) == DUPLICATE
    assert drive.frame(1, 5) == FOREIGN


def test_an_abort_gives_trailing_places_back():
    drive = Drive(num_capture=100)
    drive.start(1, 100)
    drive.frames(1, [0, 1, 3])
    drive.abort(1)
    drive.end(1)
    drive.wait(0.11)
    assert (drive.last.outcome, drive.last.rows) == (Outcome.ABORTED, 4)
    drive.start(2, 2)
    assert drive.frames(2, [0, 1]) == [4, 5]
    drive.stop()
    drive.wait(0.2)
    assert drive.finished.outcome is Outcome.ABORTED
    assert drive.finished.missing == (2,)
    sums(drive.capture)


def test_an_abort_told_late_gives_back_too():
    drive = Drive()
    drive.start(1, 100)
    drive.frames(1, [0, 1])
    drive.end(1)
    drive.wait(3)
    assert drive.last.rows == 100
    drive.abort(1)
    assert (drive.last.outcome, drive.last.rows) == (Outcome.ABORTED, 2)
    drive.stop(drain=False)
    assert drive.finished.rows == 2
    sums(drive.capture)


def test_an_abort_may_be_told_before_the_start_message_comes():
    drive = Drive()
    drive.abort(1)
    drive.abort()  # told again, by someone who does not know which
    drive.start(1, 100)
    drive.end(1)
    drive.wait(0.11)
    assert (drive.last.outcome, drive.last.rows) == (Outcome.ABORTED, 0)
    drive.start(2, 2)  # the next one was not
    drive.frames(2, [0, 1])
    assert drive.last.outcome is Outcome.COMPLETE


def test_an_abort_without_an_end_message_waits_for_the_grace():
    drive = Drive()
    drive.start(1, 10)
    drive.frame(1, 0)
    drive.abort()
    drive.wait(1.9)
    assert drive.capture.series is not None
    drive.wait(0.2)
    assert drive.last.outcome is Outcome.ABORTED


def test_a_detector_that_fails_leaves_its_series_incomplete_with_every_frame_missing():
    drive = Drive(num_capture=12)
    drive.start(1, 10)
    drive.frames(1, [0, 1, 3])
    drive.abort(1, fault="it burnt")
    drive.wait(2.1)
    assert (drive.last.outcome, drive.last.rows) == (Outcome.INCOMPLETE, 10)
    assert drive.last.reason == "series 1: 3 of 10 frames: it burnt"
    assert drive.last.over
    drive.abort(1)
    drive.stop(drain=False)
    assert drive.finished.outcome is Outcome.INCOMPLETE
    assert drive.finished.missing == (2, 4, 5, 6, 7, 8, 9)
    sums(drive.capture)


@pytest.mark.parametrize("fault", ["", "it burnt"])
def test_a_series_that_was_aborted_is_over_for_the_next_capture_though_its_end_never_came(fault):
    drive = Drive()
    drive.start(1, 10)
    drive.abort(1, fault=fault)
    drive.stop(drain=False)
    assert drive.last.over


def test_a_series_armed_in_vain_before_the_capture_is_none_of_it():
    drive = Drive(began=50.0)
    drive.start(1, 10)
    drive.start(2, 2)
    assert drive.frames(2, [0, 1]) == [0, 1]
    drive.stop()
    drive.wait(0.2)
    assert (drive.finished.outcome, drive.finished.rows) == (Outcome.COMPLETE, 2)
    assert drive.frame(1, 0) < 0
    sums(drive.capture)


def test_time_in_which_the_worker_stood_still_is_no_silence():
    drive = Drive(num_capture=3, rules=Rules(stall_timeout=1.0))
    drive.start(1, 3)
    drive.frame(1, 0)
    drive.now += 30
    drive.capture.held_up(30)
    drive.wait(0.9)
    assert drive.frames(1, [1]) == [1]
    drive.end(1)
    drive.now += 30
    drive.capture.held_up(30)
    drive.wait(0)
    drive.frame(1, 2)
    assert drive.finished.outcome is Outcome.COMPLETE
    sums(drive.capture)


def test_nothing_stalls_before_the_first_frame_or_between_triggers():
    drive = Drive(rules=Rules(stall_timeout=1.0))
    drive.start(1, 6, images_per_trigger=2, triggers=3)
    drive.wait(600)
    drive.frames(1, [0, 1])
    drive.wait(600)
    assert drive.capture.series is not None
    drive.frame(1, 2)
    drive.wait(1.2)
    assert drive.last.outcome is Outcome.INCOMPLETE
    assert drive.last.rows == 6
    assert "1.2 s" in drive.last.reason


def test_a_lost_last_frame_is_no_reason_to_stall_between_triggers():
    drive = Drive(rules=Rules(stall_timeout=1.0, images_per_trigger=2))
    drive.start(1, 6)
    drive.frames(1, [1, 3])
    drive.wait(600)
    assert drive.capture.series is not None


def test_pauses_of_any_length_where_they_are_in_order():
    for drive, said in (
        (Drive(rules=Rules(stall=False)), {}),
        (Drive(), {"trigger_mode": "exte"}),
        (Drive(), {"trigger_mode": "inte"}),
    ):
        drive.start(1, 6, **said)
        drive.frame(1, 0)
        drive.wait(600)
        assert drive.capture.series is not None


def test_frame_time_is_no_stall():
    drive = Drive(rules=Rules(stall_timeout=1.0))
    drive.start(1, 6, frame_time=60.0)
    drive.frame(1, 0)
    drive.wait(60.5)
    assert drive.capture.series is not None
    drive.wait(1)
    assert drive.capture.series is None


def test_frames_overtaken_by_the_end_have_their_grace():
    drive = Drive(rules=Rules(grace=2.0))
    drive.start(1, 3)
    drive.frame(1, 0)
    drive.end(1)
    drive.wait(1.5)
    assert drive.frames(1, [2, 1]) == [2, 1]
    assert drive.last.outcome is Outcome.COMPLETE


def test_capture_in_mid_series_begins_with_the_next_frame():
    drive = Drive()
    drive.start(1, 10, first=4)
    assert drive.frame(1, 3) == UNWANTED
    assert drive.frames(1, range(4, 10)) == list(range(6))
    assert drive.last.first == 4
    assert drive.last.rows == 6


def test_a_series_whose_start_was_not_seen():
    drive = Drive()
    assert drive.frames(8, [5, 6]) == [0, 1]
    drive.end(8)
    drive.wait(2.1)
    assert drive.last.outcome is Outcome.INCOMPLETE
    assert "start message not seen" in drive.last.reason
    # later ones have lost what is before their first frame
    assert drive.frame(9, 1) == 3
    drive.end(9)
    drive.wait(2.1)
    assert drive.capture.tally.missing == 1


def test_stray_frames_in_mid_series_are_foreign():
    drive = Drive()
    drive.start(1, 3)
    assert drive.frames(99, [0, 1]) == [FOREIGN, FOREIGN]
    assert drive.frames(1, [0, 1, 2]) == [0, 1, 2]


def test_stale_frames_of_a_series_before_the_capture_are_foreign():
    drive = Drive(closed={SeriesKey(1)})
    assert drive.frame(1, 7) == FOREIGN
    drive.start(1, 2)
    assert drive.frames(1, [0, 1]) == [0, 1]


def test_another_type_is_refused():
    drive = Drive()
    drive.start(1, 2)
    drive.frame(1, 0)
    assert drive.frame(1, 1, OTHER) == FOREIGN
    drive.frame(1, 1)
    drive.start(2, 2, dtype="uint32")
    assert drive.frame(2, 0, OTHER) == FOREIGN
    drive.stop(drain=False)
    assert drive.finished.rows == 2


def test_a_series_that_turns_out_to_be_of_another_type_takes_no_places():
    drive = Drive()
    drive.start(1, 1)
    drive.frame(1, 0)
    drive.start(2, 5)
    assert drive.frame(2, 0, OTHER) == FOREIGN
    drive.end(2)
    drive.wait(2.1)
    assert drive.last.rows == 0
    drive.start(3, 1)
    assert drive.frame(3, 0) == 1


def test_the_first_frame_decides_unless_its_start_message_disagrees():
    drive = Drive(format=OTHER)
    drive.start(1, 3, dtype="uint16")
    assert drive.frame(1, 0, PIXELS) == 0
    drive = Drive()
    drive.start(1, 3, dtype="uint16")
    assert drive.frame(1, 0, OTHER) == FOREIGN
    assert drive.frame(1, 1, OTHER) == 1


def test_num_capture_cuts_a_series():
    drive = Drive(num_capture=3)
    drive.start(1, 10)
    assert drive.frames(1, [0, 5, 1, 2]) == [0, UNWANTED, 1, 2]
    assert drive.finished.outcome is Outcome.COMPLETE
    assert drive.finished.rows == 3
    assert drive.frame(1, 3) == UNWANTED
    sums(drive.capture)


def test_stop_drains_until_it_is_quiet():
    drive = Drive()
    drive.start(1, 10)
    drive.frame(1, 0)
    drive.stop()
    drive.wait(0.08)
    drive.frame(1, 1)
    drive.wait(0.08)
    assert drive.finished is None
    drive.wait(0.03)
    assert drive.finished.rows == 2
    assert "2 of 10 frames: the capture was stopped" in drive.finished.reason


def test_stop_does_not_drain_for_ever():
    drive = Drive(rules=Rules(grace=1.0))
    drive.start(1, 1000)
    drive.stop()
    for number in range(30):
        drive.frame(1, number)
        drive.wait(0.05)
    assert drive.finished is not None


def test_armed_in_vain_costs_nothing():
    drive = Drive(num_capture=2)
    drive.start(1, 500)
    drive.start(2, 2)
    assert drive.frames(2, [0, 1]) == [0, 1]
    assert drive.finished.rows == 2


def test_a_start_message_told_twice_changes_nothing():
    drive = Drive()
    drive.start(1, 3)
    drive.frame(1, 0)
    drive.start(1, 3)
    assert drive.frames(1, [1, 2]) == [1, 2]
    assert len(drive.capture.ended) == 1


def test_files_that_break_end_the_capture_with_the_series():
    drive = Drive(num_capture=50)
    drive.start(1, 50)
    drive.frames(1, range(5))
    drive.frame(1, 5, fails=True)
    assert drive.capture.give_up("disk full", drive.now) == []
    drive.frame(1, 6, fails=True)
    drive.end(1)
    drive.wait(2.1)
    assert drive.finished == Finished(outcome=Outcome.INCOMPLETE, reason="disk full", rows=5, missing=())
    assert drive.capture.tally.failed == 2
    sums(drive.capture)


def test_images_and_triggers_that_the_coordinator_knows():
    drive = Drive()
    drive.start(1)
    drive.frame(1, 0)
    drive.actions += drive.capture.expect(Rules().told(images=2, images_per_trigger=1, stall=True), drive.now)
    drive.wait(600)
    drive.frame(1, 1)
    assert drive.last.outcome is Outcome.COMPLETE


def test_a_stop_in_mid_series_takes_what_is_on_its_way_and_no_more():
    drive = Drive()
    drive.start(1, 10_000)
    drive.frames(1, range(5))
    drive.stop()
    for frame in range(5, 25):  # they go on, a hundred a second, and the worker keeps up
        drive.wait(0.01)
        drive.frame(1, frame)
        drive.capture.ran_dry(drive.now)
        drive.wait(0.0)
        if drive.finished:
            break
    assert drive.finished.rows == 15
    sums(drive.capture)


def test_a_stop_waits_for_what_still_queues():
    drive = Drive()
    drive.start(1, 10_000)
    drive.stop()
    for frame in range(50):  # the worker never sees an empty stream
        drive.wait(0.01)
        drive.frame(1, frame)
    assert not drive.finished
    drive.capture.ran_dry(drive.now)
    drive.wait(0.0)
    assert drive.finished.rows == 50


def test_frames_that_pass_by_keep_a_series_from_stalling():
    drive = Drive()
    drive.start(1, 10)
    drive.frames(1, range(2))
    for frame in range(2, 8):
        drive.wait(9.0)
        drive.capture.passed(SeriesKey(1), frame, drive.now)
    assert drive.finished is None
    assert drive.capture.series is not None
    assert drive.frames(1, [8, 9]) == [8, 9]
    drive.end(1)
    drive.wait(3.0)
    assert drive.last.stored == 4
    assert drive.capture.tally.unwanted == 6
    sums(drive.capture)
