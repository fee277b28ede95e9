"""Rules of the motor record, on the pure motor."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.menus import Direction, OffsetMode, Spmg, UseSet
from ioc.records import Kind, PutError, PvClass, expand
from ioc.tables.motor import motor as table
from sim.motor import Motor, at_rest, fields, tick
from sim.motor_puts import acts, put

POSITIONS = st.floats(-90, 90).map(lambda x: round(x, 4))


def made(**settings_: object) -> Motor:
    values: dict[str, object] = {"low": -100.0, "high": 100.0, "hard": (-105.0, 105.0), "velocity": 10.0}
    return at_rest(0.0, 0.0, **values | {"ramp": 0.1, "jog_velocity": 10.0} | settings_)


def moved(motor: Motor, field: str, value: object, now: float = 0.0) -> Motor:
    """The motor after a put and all that came of it."""
    motor = put(motor, field, value, now).motor
    return tick(motor, motor.end).motor


def shown(motor: Motor, *names: str, now: float = 1e9) -> tuple[object, ...]:
    view = fields(motor, now)
    return tuple(view[name] for name in names)


@given(POSITIONS, st.sampled_from(Direction), st.floats(-50, 50), st.floats(0.01, 500), st.floats(0.01, 5))
@settings(max_examples=100, deadline=None)
def test_a_move_ends_exactly_where_it_was_told(
    user: float, direction: Direction, offset: float, velocity: float, ramp: float
) -> None:
    motor = made(
        direction=direction, offset=offset, velocity=velocity, ramp=ramp, low=0.0, high=0.0, hard=None
    )
    start = put(motor, "VAL", user, 5.0).motor
    end = tick(start, start.end).motor
    assert end.setpoint == start.profile.target
    assert shown(end, "RBV", "DMOV", "MOVN", "DIFF") == (pytest.approx(user, abs=1e-9), 1, 0, 0.0)
    assert shown(end, "RVAL", "RRBV") == (round(end.setpoint / 1e-4),) * 2


def test_edges_come_in_order() -> None:
    step = put(made(), "VAL", 10.0, 0.0)
    (view,) = step.views
    order = list(view)
    assert order.index("DMOV") < order.index("MOVN") < order.index("RBV")
    assert (view["DMOV"], view["MOVN"], view["VAL"]) == (0, 1, 10.0)
    (view,) = tick(step.motor, 0.5).views
    assert (view["DMOV"], view["MOVN"]) == (0, 1)
    assert 0 < float(view["RBV"]) < 10
    (view,) = tick(step.motor, step.motor.end).views
    assert list(view)[-2:] == ["MOVN", "DMOV"]
    assert (view["RBV"], view["MOVN"], view["DMOV"]) == (10.0, 0, 1)


def test_a_move_of_no_length_still_pulses_dmov() -> None:
    step = put(made(), "VAL", 0.0, 0.0)
    assert [view["DMOV"] for view in step.views] == [0, 1]
    assert not step.motor.moving


@pytest.mark.parametrize("user", [100.5, -101.0])
def test_beyond_the_limits_nothing_moves(user: float) -> None:
    motor = moved(made(), "VAL", 3.0)
    step = put(motor, "VAL", user, 10.0)
    assert not step.motor.moving
    assert shown(step.motor, "LVIO", "VAL", "DMOV") == (1, 3.0, 1)
    assert shown(moved(step.motor, "VAL", 4.0, 10.0), "LVIO", "VAL") == (0, 4.0)


def test_without_soft_limits_the_switch_ends_it_with_an_alarm() -> None:
    motor = put(put(made(), "DHLM", 0.0, 0.0).motor, "DLLM", 0.0, 0.0).motor
    motor = moved(motor, "VAL", 200.0)
    assert shown(motor, "RBV", "HLS", "LLS", "RHLS", "SEVR", "VAL") == (105.0, 1, 0, 1, "MAJOR", 200.0)
    assert shown(moved(motor, "VAL", 0.0, 100.0), "HLS", "SEVR", "RBV") == (0, "NO_ALARM", 0.0)


def test_stop_takes_the_distance_of_its_ramp_and_val_follows() -> None:
    motor = put(made(), "VAL", 50.0, 0.0).motor
    before = motor.dial_at(2.0)
    motor = put(motor, "STOP", 1, 2.0).motor
    assert motor.moving
    motor = tick(motor, motor.end).motor
    distance = motor.velocity**2 / (2 * motor.acceleration)
    assert motor.dial_at(99.0) == pytest.approx(before + distance)
    assert shown(motor, "VAL", "STOP", "DMOV") == (shown(motor, "RBV")[0], 0, 1)


def test_another_target_on_the_way() -> None:
    motor = put(made(), "VAL", 50.0, 0.0).motor
    step = put(motor, "VAL", -10.0, 2.0)
    assert step.views[0]["DMOV"] == 0
    assert shown(tick(step.motor, step.motor.end).motor, "RBV", "VAL", "TDIR") == (-10.0, -10.0, 0)


def test_pause_keeps_the_way_to_go() -> None:
    motor = put(made(), "VAL", 50.0, 0.0).motor
    motor = moved(motor, "SPMG", Spmg.PAUSE, 2.0)
    assert shown(motor, "VAL", "DMOV") == (50.0, 1)
    assert shown(motor, "RBV")[0] != 50.0
    assert not put(motor, "VAL", 60.0, 5.0).motor.moving
    assert shown(moved(motor, "SPMG", Spmg.GO, 5.0), "RBV") == (50.0,)


def test_spmg_stop_gives_the_target_up_and_move_goes_once() -> None:
    motor = put(made(), "VAL", 50.0, 0.0).motor
    motor = moved(motor, "SPMG", Spmg.STOP, 2.0)
    assert shown(motor, "VAL") == shown(motor, "RBV")
    motor = put(motor, "VAL", 30.0, 5.0).motor
    assert not motor.moving
    motor = moved(motor, "SPMG", Spmg.MOVE, 6.0)
    assert shown(motor, "RBV", "SPMG") == (30.0, Spmg.PAUSE)


def test_set_redefines_the_offset_and_the_limits_go_along() -> None:
    motor = moved(made(), "VAL", 10.0)
    motor = put(motor, "SET", UseSet.SET, 5.0).motor
    motor = put(motor, "VAL", 3.0, 5.0).motor
    assert not motor.moving
    assert shown(motor, "VAL", "RBV", "OFF", "DVAL", "HLM", "LLM") == (3.0, 3.0, -7.0, 10.0, 93.0, -107.0)
    assert motor.profile.position(6.0) == 10.0


def test_set_with_a_frozen_offset_redefines_the_dial() -> None:
    motor = moved(made(offset=1.0), "VAL", 10.0)
    motor = put(motor, "FOFF", OffsetMode.FROZEN, 5.0).motor
    motor = put(put(motor, "SET", UseSet.SET, 5.0).motor, "VAL", 3.0, 5.0).motor
    assert shown(motor, "VAL", "RBV", "OFF", "DVAL", "DRBV") == (3.0, 3.0, 1.0, 2.0, 2.0)
    assert motor.profile.position(6.0) == 9.0
    motor = put(motor, "SUSE", 1, 5.0).motor
    assert moved(motor, "VAL", 4.0, 6.0).profile.position(99.0) == 10.0


def test_the_other_direction() -> None:
    motor = moved(made(), "VAL", 10.0)
    motor = put(motor, "DIR", Direction.NEG, 5.0).motor
    assert shown(motor, "VAL", "RBV", "DVAL", "OFF") == (10.0, 10.0, 10.0, 20.0)
    assert shown(motor, "LLM", "HLM") == (-80.0, 120.0)
    motor = moved(motor, "VAL", 15.0, 6.0)
    assert shown(motor, "RBV", "DRBV", "TDIR") == (15.0, 5.0, 0)
    motor = put(motor, "HLM", 100.0, 9.0).motor
    assert shown(motor, "DLLM", "DHLM", "HLM") == (-80.0, 100.0, 100.0)


def test_dial_raw_relative_and_tweak() -> None:
    motor = made(offset=1.0)
    assert shown(moved(motor, "DVAL", 5.0), "VAL", "RBV") == (6.0, 6.0)
    assert shown(moved(motor, "RVAL", 50000), "VAL") == (6.0,)
    assert shown(moved(motor, "RLV", 2.0), "VAL", "RLV") == (3.0, 0.0)
    motor = put(motor, "TWV", 0.5, 0.0).motor
    assert shown(moved(motor, "TWF", 1), "VAL", "TWF") == (1.5, 0)
    assert shown(moved(motor, "TWR", 1), "VAL", "TWR") == (0.5, 0)


def test_jog_goes_until_told_and_not_beyond_the_limit() -> None:
    motor = put(made(), "JOGF", 1, 0.0).motor
    assert shown(motor, "JOGF", "DMOV", now=1.0) == (1, 0)
    stopped = moved(motor, "JOGF", 0, 2.0)
    assert 15 < float(shown(stopped, "RBV")[0]) < 25  # type: ignore[arg-type]
    assert shown(stopped, "JOGF", "VAL") == (0, *shown(stopped, "RBV"))
    at_limit = tick(motor, motor.end).motor
    assert shown(at_limit, "RBV", "JOGF") == (100.0, 0)
    assert shown(put(at_limit, "JOGF", 1, 50.0).motor, "LVIO", "DMOV") == (1, 1)


def test_homing_finds_dial_zero() -> None:
    motor = moved(moved(made(), "VAL", 30.0), "HOMR", 1, 20.0)
    assert shown(motor, "RBV", "VAL", "ATHM", "HOMR") == (0.0, 0.0, 1, 0)
    msta = int(str(shown(motor, "MSTA")[0]))
    assert msta & (1 << 14)
    assert msta & (1 << 7)
    assert msta & (1 << 1)


def test_speeds_follow_one_another() -> None:
    motor = put(made(velocity_max=20.0), "VELO", 50.0, 0.0).motor
    assert shown(motor, "VELO") == (20.0,)
    motor = put(motor, "VMAX", 15.0, 0.0).motor
    assert shown(motor, "VELO", "SMAX", "S") == (15.0, pytest.approx(750.0), pytest.approx(750.0))
    assert shown(put(motor, "S", 100.0, 0.0).motor, "VELO") == (pytest.approx(2.0),)


@pytest.mark.parametrize(("field", "value"), [("VELO", 0.0), ("ACCL", -1.0), ("MRES", 0.0), ("VMAX", -1.0)])
def test_useless_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(PutError, match=field):
        put(made(), field, value, 0.0)


def test_the_record_shows_every_field_and_acts_on_what_it_says() -> None:
    records = expand(table("deg"))
    assert set(fields(made(), 0.0)) <= set(records)
    acting = {name for name, record in records.items() if record.pv_class is PvClass.ACTS}
    assert {name for name in records if acts(name)} == acting - {"EGU", "PREC"}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_series_of_puts_breaks_it(data: st.DataObject) -> None:
    records = {n: r for n, r in expand(table("deg")).items() if acts(n)}
    motor, now = made(), 0.0
    for _ in range(8):
        record = records[data.draw(st.sampled_from(sorted(records)))]
        values = {
            Kind.ENUM: st.sampled_from(record.choices).map(lambda s, menu=record.menu: menu(s)),  # type: ignore[misc]
            Kind.DOUBLE: st.floats(-200, 200),
        }
        value = data.draw(values.get(record.kind, st.integers(-3, 3)))
        now += data.draw(st.floats(0, 3))
        motor = tick(motor, now).motor
        try:
            motor = put(motor, record.name, value, now).motor
        except PutError:
            continue
        view = fields(motor, now)
        assert view["DMOV"] == int(not motor.moving)
        low, high = motor.hard or (0, 0)
        assert low - 1e-6 <= motor.profile.position(now) <= high + 1e-6
    motor = tick(motor, motor.end).motor
    assert not motor.moving
