"""Bookkeeping of a capture: its sums hold over any course of events."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kit.drive import OTHER, PIXELS, Drive, sums
from writer.capture_values import Began, Finished

events = st.one_of(
    st.tuples(st.just("start"), st.integers(1, 3), st.sampled_from([None, 1, 3, 5])),
    st.tuples(st.just("frame"), st.integers(1, 4), st.integers(0, 6)),
    st.tuples(st.just("frame"), st.integers(1, 2), st.integers(0, 4)),
    st.tuples(st.just("other"), st.integers(1, 3), st.integers(0, 5)),
    st.tuples(st.just("malformed")),
    st.tuples(st.just("end"), st.integers(1, 3)),
    st.tuples(st.just("abort"), st.sampled_from([None, 1, 2])),
    st.tuples(st.just("wait"), st.sampled_from([0.01, 0.2, 3.0, 30.0])),
    st.tuples(st.just("stop"), st.booleans()),
    st.tuples(st.just("give up")),
)


def happen(drive, kind, details, places):
    """One event; the place it filled, if any, is added."""
    capture = drive.capture
    match kind:
        case "start":
            drive.start(*details)
        case "frame" | "other":
            number, pixels = details[1], OTHER if kind == "other" else PIXELS
            fails = bool(capture.broken) or number == 6
            place = drive.frame(details[0], number, pixels, fails=fails)
            if place >= 0 and not fails:
                places.append(place)
        case "malformed":
            capture.malformed(drive.now)
        case "end":
            drive.end(*details)
        case "abort":
            drive.abort(*details)
        case "wait":
            drive.wait(*details)
        case "stop" if capture.finished is None:
            drive.stop(drain=details[0])
        case "give up" if capture.finished is None:
            drive.actions += capture.give_up("broken", drive.now)


@settings(max_examples=150, deadline=None)
@given(num_capture=st.sampled_from([0, 0, 4, 9]), course=st.lists(events, max_size=40))
def test_sums_hold_over_any_course_of_events(num_capture, course):
    drive = Drive(num_capture=num_capture)
    capture = drive.capture
    places: list[int] = []
    mark = 0
    for kind, *details in course:
        happen(drive, kind, details, places)
        sums(capture)
        assert kind == "abort" or capture.mark >= mark or capture.broken
        mark = capture.mark
        assert mark <= max(capture.rows, capture.high)
    if capture.finished is None:
        drive.stop(drain=False)
    finished = capture.finished
    sums(capture)
    tally = capture.tally
    assert finished.rows == tally.expected == tally.stored + tally.missing
    assert list(finished.missing) == sorted(set(finished.missing))
    assert len(finished.missing) == tally.missing
    assert sorted([*places, *finished.missing]) == list(range(finished.rows))
    assert finished.rows <= num_capture or not num_capture
    began = [action for action in drive.actions if isinstance(action, Began) and not action.again]
    assert len(began) == len(capture.ended)
    row = 0
    for ended in capture.ended:
        assert ended.row == row
        row += ended.rows
    assert row == finished.rows
    assert sum(isinstance(action, Finished) for action in drive.actions) == 1
