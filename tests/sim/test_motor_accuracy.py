"""Backlash, retries, settling and new targets under way: how a motor record gets to where it was told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.menus import NoYes, Spmg
from ioc.tables.motor_menus import NoYes as NewTarget
from ioc.tables.motor_menus import RetryMode
from sim.motor import Mip, Motor
from sim.motor_puts import tick
from tests.kit.motors import course, free, made, moved, rested, shown, told, watched

TENTHS = st.integers(-500, 500).map(lambda tenths: tenths / 10)


def legs(motor: Motor) -> list[tuple[float, float, int]]:
    """Ends of the motions that follow, with the speed each had at most, and MIP while it went on."""
    found: list[tuple[float, float, int]] = []
    while motor.commanded:
        profile, mip = motor.drive.profile, int(motor.mip)
        speed = max((abs(piece.velocity) for piece in profile.pieces), default=0.0)
        found.append((profile.target, round(speed, 6), mip))
        motor = watched(motor, profile.end, profile.end + 1e-9)
    return found


def test_without_backlash_it_goes_straight() -> None:
    assert legs(told(free(), ("VAL", 7.0))) == [(7.0, 10.0, Mip.MOVE)]


@pytest.mark.parametrize(
    ("backlash", "target", "expected"),
    [
        # The way that takes it up, at the same pace: straight.
        (1.0, 7.0, [(7.0, 10.0, Mip.MOVE)]),
        # The other way: beyond, and back.
        (1.0, -7.0, [(-8.0, 10.0, Mip.MOVE), (-7.0, 10.0, Mip.BACKLASH)]),
        (-1.0, 7.0, [(8.0, 10.0, Mip.MOVE), (7.0, 10.0, Mip.BACKLASH)]),
        (-1.0, -7.0, [(-7.0, 10.0, Mip.MOVE)]),
        # Less than a step is none.
        (5e-5, -7.0, [(-7.0, 10.0, Mip.MOVE)]),
    ],
)
def test_backlash_at_the_same_pace(backlash: float, target: float, expected: list) -> None:
    assert legs(told(free(), ("BDST", backlash), ("VAL", target))) == expected


def test_backlash_at_its_own_pace() -> None:
    motor = told(free(), ("BDST", 1.0), ("BVEL", 2.0), ("BACC", 0.2))
    assert legs(told(motor, ("VAL", 7.0))) == [(6.0, 10.0, Mip.MOVE), (7.0, 2.0, Mip.BACKLASH)]
    assert legs(told(motor, ("VAL", -7.0))) == [(-8.0, 10.0, Mip.MOVE), (-7.0, 2.0, Mip.BACKLASH)]
    # Within the backlash, the way that takes it up: at once, slowly.
    slowly = told(motor, ("VAL", 0.5))
    assert legs(slowly) == [(0.5, 2.0, Mip.MOVE)]
    # BACC is the time of its ramp.
    assert slowly.drive.profile.velocity(0.1) == pytest.approx(1.0)


def test_dmov_stays_0_between_the_legs() -> None:
    motor = told(free(backlash=1.0), ("VAL", -7.0))
    assert [shown(state, "DMOV")[0] for _, state in course(motor)] == [0, 1]


@given(TENTHS, TENTHS, st.sampled_from([-2.0, -0.3, 0.5, 3.0]), st.sampled_from([1.0, 5.0, 10.0]))
@settings(max_examples=100, deadline=None)
def test_every_move_ends_on_the_backlash_side(
    start: float, target: float, backlash: float, speed: float
) -> None:
    motor = moved(free(backlash=backlash, backlash_velocity=speed), "VAL", start)
    motor = told(motor, ("VAL", target), now=1e3)
    last = motor
    for _, state in course(motor):
        last = state if state.commanded else last
    way = last.drive.profile.target - last.drive.profile.origin
    end = rested(motor)
    assert shown(end, "RBV", "DMOV") == (target, 1)
    assert way == 0 or (way > 0) == (backlash > 0)


def test_the_limits_hold_for_the_way_to_take_the_backlash_up() -> None:
    motor = made(backlash=5.0)
    assert shown(told(motor, ("VAL", -97.0)), "LVIO", "VAL") == (1, 0.0)
    assert shown(moved(motor, "VAL", 97.0), "LVIO", "VAL") == (0, 97.0)


def test_a_jog_takes_its_backlash_up_in_two_legs() -> None:
    motor = tick(told(free(backlash=1.0, backlash_velocity=2.0), ("JOGF", 1)), 1.0)[-1]
    motor = told(motor, ("JOGF", 0), now=1.0)
    ends = legs(motor)
    assert [mip for _, _, mip in ends] == [Mip.JOG_STOP, Mip.JOG_BACKLASH_AWAY, Mip.JOG_BACKLASH]
    stop, away, back = (end for end, _, _ in ends)
    assert (away, back) == (pytest.approx(stop - 1.0, abs=1e-4), pytest.approx(stop, abs=1e-4))
    assert shown(rested(motor), "DMOV", "VAL") == (1, pytest.approx(stop, abs=1e-4))


def test_frac_goes_part_of_the_way_and_retries_the_rest() -> None:
    assert shown(told(free(), ("FRAC", 0.01)), "FRAC") == (0.1,)
    half = told(free(), ("FRAC", 0.5))
    assert legs(told(half, ("VAL", 8.0))) == [
        (4.0, 10.0, Mip.MOVE),
        (8.0, 10.0, Mip.RETRY | Mip.MOVE),
    ]
    # With an encoder moves are ways from where it is, and each goes its part.
    ends = [end for end, _, _ in legs(told(half, ("UEIP", NoYes.YES), ("VAL", 8.0)))]
    assert ends[:3] == [4.0, 6.0, 7.0]


def test_retries_go_on_until_it_is_near_enough() -> None:
    motor = rested(told(free_short(0.1), ("VAL", 10.0)))
    assert shown(motor, "RBV", "RCNT", "MISS", "DMOV") == (pytest.approx(10.0, abs=1.1e-4), 4, 0, 1)
    near = rested(told(free_short(0.1, retry_deadband=0.5), ("VAL", 10.0)))
    assert shown(near, "RBV", "RCNT", "MISS") == (9.9, 1, 0)


def test_too_few_retries_are_a_miss_until_the_next_good_move() -> None:
    motor = rested(told(free_short(0.5, retries=2), ("VAL", 8.0)))
    assert shown(motor, "RBV", "RCNT", "MISS", "DMOV", "VAL") == (7.0, 3, 1, 1, 8.0)
    good = rested(told(motor, ("RDBD", 5.0), ("VAL", 0.0), now=50.0))
    assert shown(good, "MISS", "RCNT") == (0, 0)


def test_no_retries_are_no_miss() -> None:
    motor = rested(told(free_short(0.5, retries=0), ("VAL", 8.0)))
    assert shown(motor, "RBV", "RCNT", "MISS", "DMOV") == (4.0, 0, 0, 1)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (RetryMode.DEFAULT, [8.0, 9.6, 9.92]),
        (RetryMode.ARITHMETIC, [8.0, 9.6, 9.888]),
        (RetryMode.GEOMETRIC, [8.0, 9.6, 9.76]),
    ],
)
def test_modes_of_retries(mode: RetryMode, expected: list[float]) -> None:
    motor = told(free_short(0.2), ("RMOD", mode), ("UEIP", NoYes.YES), ("VAL", 10.0))
    ends = [end for end, _, _ in legs(motor)]
    assert ends[:3] == pytest.approx(expected)


def test_in_position_retries_wait_and_look_again() -> None:
    motor = free_short(0.2, retry_mode=RetryMode.IN_POSITION, retries=3, delay=0.5)
    motor = told(motor, ("VAL", 10.0))
    first = motor.drive.profile.end
    times = [now - first for now, state in course(motor) if state.tries or state.missed]
    assert times == pytest.approx([0.5, 1.0, 1.5, 2.0])
    assert shown(rested(motor), "RBV", "RCNT", "MISS", "DMOV") == (8.0, 4, 1, 1)


def test_the_delay_comes_between_movn_and_dmov() -> None:
    motor = told(free(), ("DLY", 0.5), ("VAL", 10.0))
    seen = [(round(now, 6), *shown(state, "MOVN", "DMOV", now=now)) for now, state in course(motor)]
    assert seen == [(1.1, 0, 0), (1.6, 0, 1)]
    waiting = tick(motor, 1.2)[-1]
    stopped = rested(told(waiting, ("STOP", 1), now=1.3))
    assert shown(stopped, "DMOV", "VAL") == (1, 10.0)


def test_a_target_beyond_waits_for_the_end_of_the_move() -> None:
    motor = told(tick(told(free(), ("VAL", 10.0)), 0.5)[-1], ("VAL", 20.0), now=0.5)
    assert [end for end, _, _ in legs(motor)] == [10.0, 20.0]
    assert [shown(state, "DMOV")[0] for _, state in course(motor)] == [0, 1]
    assert shown(rested(motor), "VAL", "RBV") == (20.0, 20.0)


def test_a_target_behind_stops_the_move_and_turns_it_round() -> None:
    motor = told(tick(told(free(), ("VAL", 50.0)), 2.0)[-1], ("VAL", -10.0), now=2.0)
    seen = watched(motor, 2.0, 2.05)
    assert seen.mip == Mip.MOVE | Mip.STOP
    assert [shown(state, "DMOV")[0] for _, state in course(seen)] == [0, 1]
    assert shown(rested(seen), "RBV", "VAL", "TDIR") == (-10.0, -10.0, 0)
    # Told not to look for new targets, it goes to the old one first.
    patient = told(free(), ("NTM", NewTarget.NO), ("VAL", 50.0))
    patient = told(tick(patient, 2.0)[-1], ("VAL", -10.0), now=2.0)
    assert [end for end, _, _ in legs(watched(patient, 2.0, 2.2))] == [50.0, -10.0]


def test_a_target_just_behind_is_within_the_deadband() -> None:
    motor = told(free(), ("RDBD", 2.0), ("NTMF", 3), ("VAL", 50.0))
    motor = told(tick(motor, 2.05)[-1], ("VAL", 15.0), now=2.05)
    assert watched(motor, 2.05, 2.1).mip == Mip.MOVE
    # It is 2 at least, and then 4 is not far enough.
    narrow = told(motor, ("NTMF", 0), now=2.05)
    assert shown(narrow, "NTMF") == (2,)
    assert watched(narrow, 2.05, 2.1).mip == Mip.MOVE | Mip.STOP


def test_a_new_target_between_the_legs_skips_the_second() -> None:
    motor = tick(told(free(backlash=1.0), ("VAL", -10.0)), 1.0)[-1]
    motor = told(motor, ("VAL", -20.0), now=1.0)
    assert [end for end, _, _ in legs(motor)] == [-11.0, -21.0, -20.0]


def test_spdb_leaves_small_ways_alone() -> None:
    motor = told(free(), ("SPDB", 0.1), ("VAL", 0.05))
    assert shown(motor, "DMOV", "RBV", "VAL") == (1, 0.0, 0.05)
    assert shown(moved(motor, "VAL", 0.2), "RBV") == (0.2,)


def test_base_speed_needs_no_ramp() -> None:
    motor = told(free(velocity_base=4.0), ("VAL", 10.0))
    profile = motor.drive.profile
    assert profile.velocity(0.0) == 4.0
    # ACCL is the time from VBAS to VELO.
    assert profile.velocity(0.05) == pytest.approx(7.0)
    assert profile.velocity(0.1) == pytest.approx(10.0)
    assert profile.end == pytest.approx(0.2 + (10.0 - 2 * 0.7) / 10.0)


def test_no_speed_no_move() -> None:
    motor = moved(told(free(), ("VELO", 0.0)), "VAL", 1.0)
    assert shown(motor, "VELO", "RBV", "DMOV", "MISS") == (0.0, 0.0, 1, 1)


def test_a_paused_move_with_retries_goes_on_as_a_retry() -> None:
    motor = rested(told(tick(told(free(), ("VAL", 50.0)), 2.0)[-1], ("SPMG", Spmg.PAUSE), now=2.0))
    assert shown(motor, "MIP", "RCNT") == (int(Mip.RETRY), 1)


def free_short(part: float, **settings_: object) -> Motor:
    """A motor that stops short by a part of each way."""
    return made(drive={"hard": None, "undershoot": part}, low=0.0, high=0.0, **settings_)
