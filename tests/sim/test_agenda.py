"""The agenda: which frame is due when, over any course of commands."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sim.agenda import Agenda, Slot
from sim.eiger import Expose


def block(first: int, count: int, at: float, period: float = 0.1, count_time: float = 0.08) -> Expose:
    return Expose(series=1, first=first, count=count, at=at, period=period, count_time=count_time)


def drain(agenda: Agenda) -> list[Slot]:
    slots = []
    while (slot := agenda.peek()) is not None:
        assert agenda.peek() == slot
        slots.append(slot)
        agenda.advance()
    return slots


def test_frames_come_at_multiples_of_the_period():
    agenda = Agenda()
    assert agenda.peek() is None
    agenda.add(block(0, 3, 100.0))
    slots = drain(agenda)
    assert [s.frame for s in slots] == [0, 1, 2]
    assert [s.opens for s in slots] == [100.0, 100.1, 100.2]
    assert [s.since for s in slots] == [0.0, 0.1, 0.2]
    assert all(abs(s.closes - s.opens - 0.08) < 1e-9 for s in slots)


def test_triggers_follow_each_other_and_time_counts_from_the_first():
    agenda = Agenda()
    agenda.add(block(0, 2, 5.0))
    agenda.add(block(2, 2, 9.0))
    slots = drain(agenda)
    assert [s.frame for s in slots] == [0, 1, 2, 3]
    assert [s.since for s in slots] == [0.0, 0.1, 4.0, 4.1]
    agenda.add(block(4, 1, 20.0))
    assert [(s.frame, s.since) for s in drain(agenda)] == [(4, 15.0)]


def test_truncated_and_cleared():
    agenda = Agenda()
    agenda.add(block(0, 10, 0.0))
    agenda.truncate(4)
    agenda.advance()
    assert [s.frame for s in drain(agenda)] == [1, 2, 3]
    agenda = Agenda()
    agenda.add(block(0, 10, 0.0))
    agenda.clear()
    assert agenda.peek() is None


@settings(max_examples=30)
@given(st.integers(1, 2_000_000), st.floats(1e-4, 10.0), st.floats(0, 1e6))
def test_nothing_drifts(frame, period, at):
    agenda = Agenda()
    agenda.add(block(0, frame + 1, at, period, period / 2))
    agenda._next = frame
    slot = agenda.peek()
    assert slot is not None
    assert slot.since == frame * period
    assert slot.opens == at + frame * period
