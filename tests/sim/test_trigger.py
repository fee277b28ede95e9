"""When a motor crosses the position that fires the trigger."""

import pytest

from sim import trigger
from sim.profile import move, rest
from sim.trigger import PositionTrigger


def box(**values) -> PositionTrigger:
    return PositionTrigger(profile=rest(0.0, 0.0), **values)


def test_at_rest_nothing_fires():
    waiting = trigger.arm(box(position=10.0), 1.0)
    assert waiting.due is None
    assert trigger.elapse(waiting, 1e6) == (waiting, ())


def test_it_fires_once_at_exactly_the_crossing():
    waiting = trigger.arm(box(position=10.0), 1.0)
    run = move(2.0, 0.0, 20.0, 5.0, 50.0)
    waiting, pulses = trigger.moved(waiting, run)
    assert pulses == ()
    assert waiting.due is not None
    assert run.position(waiting.due) == pytest.approx(10.0, abs=1e-9)
    assert trigger.elapse(waiting, waiting.due - 1e-6)[1] == ()
    done, pulses = trigger.elapse(waiting, waiting.due + 0.5)
    assert pulses == (waiting.due,)
    assert (done.armed, done.due, done.fired) == (False, None, 1)


def test_not_armed_or_the_wrong_way():
    run = move(2.0, 0.0, 20.0, 5.0, 50.0)
    assert trigger.moved(box(position=10.0), run)[0].due is None
    backwards = trigger.arm(box(position=10.0, direction=-1), 1.0)
    assert trigger.moved(backwards, run)[0].due is None
    late = trigger.arm(box(position=10.0), 50.0)
    assert trigger.moved(late, run)[0].due is None
    armed = trigger.arm(box(position=10.0), 0.0)
    assert trigger.disarm(armed).due is None


def test_a_stop_before_the_crossing_takes_the_pulse_back():
    waiting, _ = trigger.moved(trigger.arm(box(position=10.0), 1.0), move(2.0, 0.0, 20.0, 5.0, 50.0))
    due = waiting.due
    assert due is not None
    stopped, pulses = trigger.moved(waiting, waiting.profile.stopped(due - 1.0, 50.0))
    assert (pulses, stopped.due, stopped.armed) == ((), None, True)


def test_a_stop_after_the_crossing_does_not():
    waiting, _ = trigger.moved(trigger.arm(box(position=10.0), 1.0), move(2.0, 0.0, 20.0, 5.0, 50.0))
    due = waiting.due
    assert due is not None
    # The clock's owner had no time to look in between.
    done, pulses = trigger.moved(waiting, waiting.profile.stopped(due + 0.01, 50.0))
    assert pulses == (due,)
    assert not done.armed


@pytest.mark.parametrize(
    ("pulses", "direction", "times"), [(0, 0, 2), (2, 0, 2), (1, 0, 1), (0, -1, 1), (0, 1, 1)]
)
def test_there_and_back_again(pulses, direction, times):
    waiting = trigger.arm(box(position=10.0, pulses=pulses, direction=direction), 0.0)
    there = move(1.0, 0.0, 20.0, 5.0, 50.0)
    waiting, first = trigger.moved(waiting, there)
    back = move(there.end, 20.0, 0.0, 5.0, 50.0)
    waiting, second = trigger.moved(waiting, back)
    waiting, third = trigger.elapse(waiting, 1e3)
    fired = first + second + third
    assert len(fired) == times
    assert waiting.fired == times
    assert waiting.armed == (pulses == 0)
