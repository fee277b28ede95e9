"""Laws of a motor's profile."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.profile import Profile, move, rest

POSITIONS = st.floats(-4000, 4000).map(lambda x: round(x, 4))
SPEEDS = st.floats(0.01, 500)
ACCELERATIONS = st.floats(0.1, 5000)
FRACTIONS = st.floats(0, 1)
START = 100.0


@st.composite
def moves(draw: st.DrawFn) -> tuple[Profile, float, float]:
    """A move, perhaps told to go elsewhere under way, with its speed and acceleration."""
    speed, acceleration = draw(SPEEDS), draw(ACCELERATIONS)
    profile = move(START, draw(POSITIONS), draw(POSITIONS), speed, acceleration)
    if draw(st.booleans()):
        at = START + draw(FRACTIONS) * (profile.end - START)
        profile = profile.retargeted(at, draw(POSITIONS), speed, acceleration)
    return profile, speed, acceleration


def times(profile: Profile, number: int = 50) -> list[float]:
    return [profile.start + i * (profile.end - profile.start) / number for i in range(number + 1)]


@given(moves())
@settings(max_examples=150, deadline=None)
def test_it_ends_where_it_shall_and_is_smooth(made: tuple[Profile, float, float]) -> None:
    profile, speed, acceleration = made
    assert profile.position(profile.end) == profile.target
    assert profile.position(profile.end + 1e6) == profile.target
    assert profile.velocity(profile.end) == 0.0
    assert profile.position(profile.start - 1) == pytest.approx(profile.origin)
    last = profile.pieces[-1].at(profile.end) if profile.pieces else (profile.target, 0.0)
    assert last == pytest.approx((profile.target, 0.0), abs=1e-6)
    for time in times(profile):
        assert abs(profile.velocity(time)) <= speed * (1 + 1e-9)
    for before, after in zip(profile.pieces, profile.pieces[1:], strict=False):
        assert before.end == pytest.approx(after.start)
        assert before.at(before.end) == pytest.approx((after.position, after.velocity), abs=1e-6)
        assert abs(before.acceleration) <= acceleration * (1 + 1e-9)


@given(moves(), FRACTIONS)
@settings(max_examples=150, deadline=None)
def test_a_crossing_is_where_and_when_the_position_is(
    made: tuple[Profile, float, float], fraction: float
) -> None:
    profile, _, _ = made
    wanted = profile.position(profile.start + fraction * (profile.end - profile.start))
    time = profile.crossing(wanted)
    if not profile.pieces:
        assert time is None
        return
    assert time is not None
    assert profile.start <= time <= profile.end
    assert profile.position(time) == pytest.approx(wanted, abs=1e-6)
    # It is the first one.
    assert profile.crossing(wanted, after=time) == time


@given(POSITIONS, POSITIONS, SPEEDS, ACCELERATIONS)
@settings(max_examples=100, deadline=None)
def test_a_move_crosses_between_its_ends_once_and_only_its_way(
    origin: float, target: float, speed: float, acceleration: float
) -> None:
    profile = move(START, origin, target, speed, acceleration)
    middle = (origin + target) / 2
    way = profile.direction
    if way == 0:
        assert profile.pieces == ()
        return
    time = profile.crossing(middle, direction=way)
    assert time is not None
    assert profile.crossing(middle, direction=-way) is None
    assert profile.crossing(middle, after=time + 1e-6 * (profile.end - START) + 1e-8) is None
    assert profile.crossing(target + way) is None
    assert profile.crossing(target, direction=way) == pytest.approx(profile.end, abs=1e-3)
    assert profile.crossing(origin, direction=way) == pytest.approx(START, abs=1e-3)


@given(moves(), FRACTIONS)
@settings(max_examples=100, deadline=None)
def test_a_stop_needs_its_distance_and_no_more(made: tuple[Profile, float, float], fraction: float) -> None:
    profile, _, acceleration = made
    at = profile.start + fraction * (profile.end - profile.start)
    stopped = profile.stopped(at, acceleration)
    velocity = profile.velocity(at)
    assert stopped.start == at
    assert stopped.position(at) == pytest.approx(profile.position(at), abs=1e-9)
    assert stopped.end - at == pytest.approx(abs(velocity) / acceleration, abs=1e-9)
    assert abs(stopped.target - profile.position(at)) <= velocity**2 / (2 * acceleration) + 1e-9


@given(moves())
@settings(max_examples=50, deadline=None)
def test_json_and_shift_keep_the_motion(made: tuple[Profile, float, float]) -> None:
    profile, _, _ = made
    assert Profile.from_dict(profile.to_dict()) == profile
    shifted = profile.shifted(12.5)
    for time in times(profile, 10):
        assert shifted.position(time) == pytest.approx(profile.position(time) + 12.5, abs=1e-9)
        assert shifted.velocity(time) == profile.velocity(time)


def test_a_constant_rotation_crosses_each_angle_exactly() -> None:
    profile = move(0.0, -1.0, 31.0, 10.0, 100.0)
    started = profile.crossing(0.0)
    assert started is not None
    for frame in range(300):
        assert profile.position(started + frame * 0.01) == pytest.approx(0.1 * frame, abs=1e-12)


def test_too_fast_for_its_new_target_it_turns_round() -> None:
    profile = move(0.0, 0.0, 100.0, 10.0, 10.0).retargeted(5.0, 46.0, 10.0, 10.0)
    assert profile.position(6.0) == pytest.approx(50.0)
    assert profile.position(profile.end) == 46.0
    assert profile.crossing(46.0, direction=1) == pytest.approx(5.0 + (10 - math.sqrt(80)) / 10)
    assert profile.crossing(46.0, direction=-1) == pytest.approx(profile.end, abs=1e-6)


def test_rest() -> None:
    still = rest(3.0, 7.0)
    assert (still.position(0), still.position(9), still.velocity(5), still.end) == (7.0, 7.0, 0.0, 3.0)
    assert still.crossing(7.0) is None
    assert still.stopped(4.0, 1.0).position(8.0) == 7.0


@pytest.mark.parametrize(("speed", "acceleration"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_no_motion_without_speed(speed: float, acceleration: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        move(0.0, 0.0, 1.0, speed, acceleration)
