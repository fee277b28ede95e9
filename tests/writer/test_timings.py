"""How long calls took: true means, whatever the order, and nothing of a call that was none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writer.timings import CALLS, Stopwatch, Stopwatches, Timing, Timings, together

runs = st.lists(st.tuples(st.floats(0, 1e3), st.integers(1, 1000)), min_size=1, max_size=30)


def timed(calls):
    timing = Timing()
    for seconds, count in calls:
        timing = timing.add(seconds, count)
    return timing


def test_nothing_was_called():
    assert Timing().mean == 0
    assert Timing().add(1.0, 0) == Timing()


@given(runs)
def test_the_mean_is_that_of_all_calls(calls):
    timing = timed(calls)
    count = sum(n for _, n in calls)
    assert timing.count == count
    assert math.isclose(timing.mean, math.fsum(s for s, _ in calls) / count, rel_tol=1e-9, abs_tol=1e-300)
    assert timing.last == calls[-1][0] / calls[-1][1]
    assert timing.longest == max(s / n for s, n in calls)


@given(runs)
def test_no_order_of_calls_changes_mean_or_longest(calls):
    there, back = timed(calls), timed(reversed(calls))
    assert (there.count, there.longest) == (back.count, back.longest)
    assert math.isclose(there.mean, back.mean, rel_tol=1e-9, abs_tol=1e-300)


@given(st.lists(st.tuples(st.integers(0, 10**12), st.integers(1, 1000)), min_size=1, max_size=30))
def test_a_stopwatch_says_what_the_value_says(calls):
    watch = Stopwatch()
    for nanoseconds, count in calls:
        watch.took(nanoseconds, count)
    value = timed((n * 1e-9, c) for n, c in calls)
    assert watch.timing.count == value.count
    for name in ("total", "last", "longest", "mean"):
        assert math.isclose(getattr(watch.timing, name), getattr(value, name), rel_tol=1e-9, abs_tol=1e-300)


def test_a_call_that_fails_took_its_time_too():
    watches = Stopwatches()
    with pytest.raises(OSError, match="no space"), watches.flush:
        raise OSError(28, "no space")
    assert {call: getattr(watches.read(), call).count for call in CALLS} == {
        "create": 0,
        "write": 0,
        "flush": 1,
        "close": 0,
    }


@given(runs, runs)
def test_what_two_processes_did_is_as_if_one_had_done_it(one, other):
    of_two = together([Timings(write=timed(one)), Timings(write=timed(other))]).write
    of_one = timed([*one, *other])
    assert (of_two.count, of_two.longest) == (of_one.count, of_one.longest)
    assert math.isclose(of_two.total, of_one.total, rel_tol=1e-9, abs_tol=1e-300)
    assert together([]) == Timings()
