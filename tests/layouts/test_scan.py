"""Sweeps: every frame where its number says, and runs that the motor can do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.scan import ScanError, Sweep, check_run, run_up

sweeps = st.builds(
    Sweep,
    start=st.floats(-360, 360),
    increment=st.floats(0.001, 5) | st.floats(-5, -0.001),
    images=st.integers(1, 5000),
    frame_time=st.floats(0.0005, 10),
)


@given(sweeps)
def test_the_run_holds_the_sweep(sweep):
    run = run_up(sweep, 0.1)
    inside = min(run.begin, run.end), max(run.begin, run.end)
    assert inside[0] < min(sweep.start, sweep.end)
    assert max(sweep.start, sweep.end) < inside[1]
    assert (run.end - run.begin) * sweep.increment > 0
    assert sweep.velocity * sweep.duration == pytest.approx(abs(sweep.end - sweep.start), abs=1e-6)


@given(sweeps, st.integers(1, 500))
def test_other_numbers_of_frames_cover_the_same(sweep, images):
    other = sweep.over(images)
    assert other.images == images
    assert other.end == pytest.approx(sweep.end)
    assert other.duration == pytest.approx(sweep.duration)
    assert other.velocity == pytest.approx(sweep.velocity)


def test_starts():
    assert list(Sweep(start=10, increment=0.5, images=3, frame_time=0.1).starts) == [10, 10.5, 11]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"images": 0}, "0 frames"),
        ({"frame_time": 0}, "above zero"),
        ({"frame_time": float("nan")}, "frame time: nan"),
        ({"increment": 0}, "rotation"),
    ],
)
def test_impossible_sweeps_are_refused(wrong, message):
    with pytest.raises(ScanError, match=message):
        Sweep(**({"start": 0.0, "increment": 0.1, "images": 10, "frame_time": 0.1} | wrong))


def test_runs_that_the_motor_refuses_are_refused():
    run = run_up(Sweep(start=0, increment=1, images=90, frame_time=0.1), 0.1)
    check_run(run, low=-10, high=100, fastest=10, axis="omega")
    check_run(run, low=0, high=0, fastest=10, axis="omega")
    with pytest.raises(ScanError, match="needs 10 a second, the motor does 5"):
        check_run(run, low=-10, high=100, fastest=5, axis="omega")
    with pytest.raises(ScanError, match="the limits are 0 to 100"):
        check_run(run, low=0, high=100, fastest=10, axis="omega")
