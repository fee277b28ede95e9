"""Rules of the motor record, on the pure motor: targets, edges, limits, stops, jogs and homing."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.menus import Direction, DisableEnable, OffsetMode, Spmg
from ioc.records import Kind, PutError, PvClass, Severity, Status, expand
from ioc.tables.motor import motor as table
from ioc.tables.motor_menus import AlarmLevel, OutputMode, StatusUpdate
from sim.motor_fields import alarm, fields
from sim.motor_puts import is_kept, processes, put, tick
from tests.kit.motors import course, free, made, moved, rested, shown, told, watched

POSITIONS = st.integers(-900_000, 900_000).map(lambda steps: steps / 10_000)


@given(POSITIONS, st.sampled_from(Direction), st.floats(-50, 50), st.floats(0.01, 500), st.floats(0.01, 5))
@settings(max_examples=100, deadline=None)
def test_a_move_ends_where_it_was_told(
    user: float, direction: Direction, offset: float, velocity: float, ramp: float
) -> None:
    motor = free(direction=direction, offset=offset, velocity=velocity, ramp=ramp)
    start = told(motor, ("VAL", user), now=5.0)
    assert start.target.user == user
    end = rested(start)
    assert abs(end.drive.profile.target - end.place(end.target.dial)) < 1e-9
    # The readback is in whole steps.
    assert shown(end, "DMOV", "MOVN", "MIP") == (1, 0, 0)
    assert shown(end, "RBV")[0] == pytest.approx(user, abs=0.51e-4)
    assert shown(end, "RVAL") == shown(end, "RRBV")


@given(st.floats(-1e4, 1e4), st.sampled_from(Direction), st.floats(-1e3, 1e3), st.sampled_from([1e-4, -2e-3]))
def test_user_dial_and_raw_and_back(
    user: float, direction: Direction, offset: float, resolution: float
) -> None:
    motor = told(free(direction=direction, offset=offset, resolution=resolution), ("VAL", user))
    val, dval, rval = (float(str(v)) for v in shown(motor, "VAL", "DVAL", "RVAL", now=0.0))
    assert val == user
    assert motor.settings.user(dval) == pytest.approx(user, abs=1e-9)
    assert rval == pytest.approx(dval / resolution, abs=0.5 + 1e-6)


def test_edges_come_in_order() -> None:
    blink, start = put(made(), "VAL", 10.0, 0.0)
    assert shown(blink, "DMOV", "MOVN", "VAL", now=0.0) == (0, 0, 0.0)
    view = fields(start, 0.0)
    assert list(view)[:2] == ["DMOV", "MOVN"]
    assert (view["DMOV"], view["MOVN"], view["VAL"], view["MIP"]) == (0, 1, 10.0, 0x20)
    view = fields(tick(start, 0.5)[-1], 0.5)
    assert (view["DMOV"], view["MOVN"]) == (0, 1)
    assert 0 < float(view["RBV"]) < 10
    ((now, end),) = course(start)
    view = fields(end, now)
    assert list(view)[-2:] == ["MOVN", "DMOV"]
    assert (view["RBV"], view["MOVN"], view["DMOV"]) == (10.0, 0, 1)


@pytest.mark.parametrize("value", [0.0, 4e-5])
def test_a_move_of_no_length_still_blinks_dmov(value: float) -> None:
    states = put(made(), "VAL", value, 0.0)
    assert [shown(state, "DMOV")[0] for state in states] == [0, 1]
    assert shown(states[-1], "VAL") == (value,)


@pytest.mark.parametrize("user", [100.5, -101.0])
def test_beyond_the_limits_nothing_moves(user: float) -> None:
    motor = moved(made(), "VAL", 3.0)
    states = put(motor, "VAL", user, 10.0)
    assert [shown(state, "DMOV")[0] for state in states] == [0, 1]
    assert shown(states[-1], "LVIO", "VAL", "DVAL", "RVAL") == (1, 3.0, 3.0, 30000)
    assert shown(moved(states[-1], "VAL", 4.0, 10.0), "LVIO", "VAL") == (0, 4.0)


def test_from_beyond_the_limits_only_the_way_back_is_open() -> None:
    motor = told(moved(made(), "VAL", 50.0), ("HLM", 10.0), now=20.0)
    assert shown(told(motor, ("VAL", 60.0), now=20.0), "LVIO", "VAL") == (1, 50.0)
    assert shown(moved(motor, "VAL", 40.0, 20.0), "LVIO", "RBV") == (0, 40.0)
    assert shown(moved(told(made(), ("DLLM", 10.0), ("DHLM", 5.0)), "VAL", 7.0), "LVIO", "VAL") == (1, 0.0)


def test_a_limit_switch_ends_a_move_and_val_follows() -> None:
    motor = told(made(), ("DHLM", 0.0), ("DLLM", 0.0), ("HLSV", AlarmLevel.MAJOR))
    motor = moved(motor, "VAL", 200.0)
    assert shown(motor, "RBV", "HLS", "LLS", "RHLS", "VAL", "DMOV") == (105.0, 1, 0, 1, 105.0, 1)
    assert alarm(motor, 1e9) == (Severity.MAJOR, Status.HIGH)
    assert shown(moved(motor, "VAL", 0.0, 100.0), "HLS", "RBV") == (0, 0.0)
    assert shown(moved(told(motor, ("DIR", Direction.NEG), now=99.0), "RLV", 1.0, 100.0), "LLS", "RBV") == (
        0,
        106.0,
    )


def test_alarms_of_the_record() -> None:
    motor = told(made(), ("HLSV", AlarmLevel.MINOR), ("HIHI", 1.0))
    at_five = moved(motor, "VAL", 5.0)
    assert alarm(at_five, 99.0) == (Severity.NONE, Status.NO_ALARM)
    assert alarm(told(at_five, ("DHLM", 4.0), now=9.0), 99.0) == (Severity.MINOR, Status.HIGH)
    assert alarm(told(at_five, ("DLLM", 6.0), now=9.0), 99.0) == (Severity.MINOR, Status.LOW)
    assert alarm(told(motor, ("UDF", 1)), 0.0) == (Severity.INVALID, Status.UDF)
    off = told(motor, ("DISS", AlarmLevel.MAJOR), ("DISA", 1))
    assert alarm(off, 0.0) == (Severity.MAJOR, Status.DISABLE)


def test_stop_takes_the_distance_of_its_ramp_and_val_follows() -> None:
    motor = tick(told(made(), ("VAL", 50.0)), 2.0)[-1]
    before = motor.dial_at(2.0)
    motor = told(motor, ("STOP", 1), now=2.0)
    assert shown(motor, "STOP", "DMOV", "MIP", now=2.0) == (0, 0, 0x200)
    motor = rested(motor)
    assert motor.dial_at(99.0) == pytest.approx(before + 10.0**2 / (2 * 100.0))
    assert shown(motor, "VAL", "DMOV") == (shown(motor, "RBV")[0], 1)
    # With OMSL closed_loop VAL is what it was told.
    loop = tick(told(made(), ("OMSL", OutputMode.CLOSED_LOOP), ("VAL", 50.0)), 2.0)[-1]
    assert shown(rested(told(loop, ("STOP", 1), now=2.0)), "VAL", "RBV", "DMOV") == (
        50.0,
        *shown(motor, "RBV"),
        1,
    )
    # At rest STOP changes nothing.
    paused = told(made(), ("SPMG", Spmg.PAUSE), ("VAL", 5.0))
    assert shown(told(paused, ("STOP", 1)), "VAL") == (5.0,)


def test_pause_keeps_the_way_to_go_and_dmov_at_0() -> None:
    motor = told(tick(told(made(), ("VAL", 50.0)), 2.0)[-1], ("SPMG", Spmg.PAUSE), now=2.0)
    motor = rested(motor)
    assert shown(motor, "VAL", "DMOV", "MOVN") == (50.0, 0, 0)
    assert shown(motor, "RBV")[0] != 50.0
    assert shown(moved(motor, "SPMG", Spmg.GO, 5.0), "RBV", "DMOV") == (50.0, 1)
    assert shown(moved(motor, "SPMG", Spmg.STOP, 5.0), "DMOV", "VAL") == (1, 50.0)


def test_without_retries_pause_gives_the_way_up_until_there_is_a_new_target() -> None:
    motor = told(tick(told(made(retries=0), ("VAL", 50.0)), 2.0)[-1], ("SPMG", Spmg.PAUSE), now=2.0)
    motor = rested(motor)
    assert shown(motor, "VAL", "DMOV") == (50.0, 1)
    assert shown(moved(motor, "SPMG", Spmg.GO, 5.0), "RBV") == shown(motor, "RBV")
    waiting = told(motor, ("VAL", 60.0), now=5.0)
    assert not waiting.drive.moving(5.01)
    assert shown(moved(waiting, "SPMG", Spmg.GO, 6.0), "RBV") == (60.0,)


def test_spmg_stop_gives_the_target_up_and_move_goes_once() -> None:
    motor = told(tick(told(made(), ("VAL", 50.0)), 2.0)[-1], ("SPMG", Spmg.STOP), now=2.0)
    motor = rested(motor)
    assert shown(motor, "VAL", "DMOV") == (*shown(motor, "RBV"), 1)
    motor = told(motor, ("VAL", 30.0), now=5.0)
    assert not motor.drive.moving(5.01)
    motor = moved(motor, "SPMG", Spmg.MOVE, 6.0)
    assert shown(motor, "RBV", "SPMG") == (30.0, Spmg.PAUSE)
    assert not told(motor, ("VAL", 31.0), now=20.0).drive.moving(20.01)


def test_dial_raw_relative_and_tweak() -> None:
    motor = made(offset=1.0)
    assert shown(moved(motor, "DVAL", 5.0), "VAL", "RBV") == (6.0, 6.0)
    assert shown(moved(motor, "RVAL", 50000), "VAL") == (6.0,)
    assert shown(moved(motor, "RLV", 2.0), "VAL", "RLV") == (3.0, 0.0)
    motor = told(motor, ("TWV", 0.5))
    assert shown(moved(motor, "TWF", 1), "VAL", "TWF") == (1.5, 0)
    assert shown(moved(motor, "TWR", 1), "VAL", "TWR") == (0.5, 0)
    at_limit = moved(motor, "VAL", 101.0)
    assert shown(moved(at_limit, "TWF", 1, 20.0), "VAL", "LVIO", "DMOV") == (101.0, 1, 1)


def test_jog_goes_until_told() -> None:
    motor = told(made(), ("JOGF", 1))
    assert shown(motor, "JOGF", "DMOV", "MIP", now=1.0) == (1, 0, 0x1)
    stopped = rested(told(motor, ("JOGF", 0), now=2.0))
    assert shown(stopped, "RBV")[0] == pytest.approx(20.0, abs=1.0)
    assert shown(stopped, "JOGF", "VAL", "MIP") == (0, *shown(stopped, "RBV"), 0)
    faster = told(motor, ("JVEL", 20.0), now=1.0)
    assert faster.drive.profile.velocity(2.0) == 20.0
    # Any other put that processes the record ends it, as it does there.
    assert shown(rested(told(motor, ("PROC", 1), now=2.0)), "DMOV", "RBV") == (1, 20.0)
    gently = told(made(), ("JAR", 20.0), ("JOGF", 1))
    assert gently.drive.profile.velocity(0.25) == pytest.approx(5.0)


def test_jog_stops_a_second_before_the_limit_and_refuses_to_begin_there() -> None:
    motor = rested(watched(told(made(), ("JOGF", 1)), 0.0, 30.0))
    assert shown(motor, "JOGF", "LVIO", "DMOV") == (0, 1, 1)
    assert 90.0 < float(str(shown(motor, "RBV")[0])) < 92.0
    again = told(motor, ("JOGF", 1), now=50.0)
    assert shown(again, "LVIO", "JOGF", "DMOV", now=50.0) == (1, 0, 1)
    back = told(motor, ("JOGR", 1), now=50.0)
    assert shown(back, "TDIR", "DMOV", now=51.0) == (0, 0)


def test_homing_finds_the_switch_and_knows_no_soft_limits() -> None:
    motor = moved(moved(made(drive={"home": -102.0}), "VAL", 30.0), "HOMR", 1, 20.0)
    assert shown(motor, "RBV", "VAL", "ATHM", "HOMR", "DMOV") == (-102.0, -102.0, 1, 0, 1)
    msta = int(str(shown(motor, "MSTA")[0]))
    assert [bit for bit in range(15) if msta >> bit & 1] == [1, 3, 5, 7, 8, 11, 14]
    under_way = told(moved(made(), "VAL", 30.0), ("HOMR", 1), now=20.0)
    with pytest.raises(PutError, match="HOMF"):
        put(under_way, "HOMF", 1, 20.5)
    stopped = rested(told(under_way, ("STOP", 1), now=21.0))
    assert shown(stopped, "HOMR", "DMOV") == (0, 1)
    assert not stopped.drive.homed


def test_homing_while_it_moves_stops_it_first() -> None:
    motor = told(told(made(), ("HVEL", 4.0), ("VAL", 50.0)), ("HOMF", 1), now=2.0)
    assert shown(motor, "MIP", "DMOV", now=2.0) == (0x208, 0)
    speeds = [state.drive.profile.velocity(now + 1.0) for now, state in course(motor)]
    assert pytest.approx(-4.0) in speeds
    end = rested(motor)
    assert shown(end, "RBV", "HOMF", "DMOV") == (0.0, 0, 1)


def test_without_torque_nothing_moves_and_retries_run_out() -> None:
    motor = moved(told(made(), ("CNEN", DisableEnable.DISABLE)), "VAL", 5.0)
    assert shown(motor, "RBV", "MISS", "DMOV", "RCNT") == (0.0, 1, 1, 11)
    assert not int(str(shown(motor, "MSTA")[0])) & (1 << 5)
    assert shown(moved(told(motor, ("CNEN", DisableEnable.ENABLE)), "VAL", 4.0, 1.0), "RBV") == (4.0,)


def test_a_record_that_is_disabled_keeps_puts_and_acts_later() -> None:
    motor = told(made(), ("DISA", 1), ("VAL", 5.0))
    assert shown(motor, "VAL", "DMOV", "RBV") == (5.0, 1, 0.0)
    assert shown(moved(told(motor, ("DISA", 0)), "PROC", 1), "RBV") == (5.0,)
    # DISV says which DISA that is.
    other = told(made(), ("DISV", 2), ("DISA", 1))
    assert shown(moved(other, "VAL", 5.0), "RBV") == (5.0,)
    assert shown(moved(told(other, ("DISA", 2)), "VAL", 5.0), "RBV") == (0.0,)
    refusing = told(made(), ("DISP", 1))
    with pytest.raises(PutError, match="DISP"):
        put(refusing, "VAL", 1.0, 0.0)
    assert shown(moved(told(refusing, ("DISP", 0)), "VAL", 1.0), "RBV") == (1.0,)


def test_asking_for_the_status() -> None:
    states = put(made(), "STUP", StatusUpdate.ON, 0.0)
    assert [shown(s, "STUP")[0] for s in states][-2:] == [StatusUpdate.BUSY, StatusUpdate.OFF]
    with pytest.raises(PutError, match="STUP"):
        put(made(), "STUP", StatusUpdate.BUSY, 0.0)
    assert StatusUpdate.BUSY in [shown(s, "STUP")[0] for s in put(made(), "PROC", 1, 0.0)]


def test_sync_takes_the_readback_for_target() -> None:
    motor = moved(made(retries=0, drive={"undershoot": 0.1}), "VAL", 10.0)
    assert shown(motor, "VAL", "RBV") == (10.0, 9.0)
    assert shown(told(motor, ("SYNC", 1), now=9.0), "VAL", "SYNC", "DMOV") == (9.0, 0, 1)


@pytest.mark.parametrize("value", [1e15, -1e300])
def test_what_no_controller_can_count_does_not_move_it(value: float) -> None:
    motor = moved(free(), "VAL", value)
    assert shown(motor, "RBV", "MISS", "DMOV") == (0.0, 1, 1)


@pytest.mark.parametrize("field", ["VAL", "DVAL", "RLV", "VELO", "OFF", "HLM"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(field: str, value: float) -> None:
    with pytest.raises(PutError, match=f"{field}.*finite"):
        put(made(), field, value, 0.0)


def test_every_field_is_shown_and_acts_as_the_table_says() -> None:
    records = expand(table("deg"))
    assert set(fields(made(), 0.0)) <= set(records)
    acting = {name for name, record in records.items() if record.pv_class is PvClass.ACTS}
    by_the_shell = {"EGU", "PREC", "TPRO"}
    assert {name for name in records if not is_kept(name)} == acting - by_the_shell
    assert not {name for name, record in records.items() if not record.writable and processes(name)}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_series_of_puts_breaks_it(data: st.DataObject) -> None:
    records = {n: r for n, r in expand(table("deg")).items() if not is_kept(n) and n not in {"DISP", "DISA"}}
    motor, now = made(), 0.0
    for _ in range(8):
        record = records[data.draw(st.sampled_from(sorted(records)))]
        values = {
            Kind.ENUM: st.sampled_from(record.choices).map(lambda s, menu=record.menu: menu(s)),  # type: ignore[misc]
            Kind.DOUBLE: st.floats(-200, 200),
            Kind.FLOAT: st.floats(-200, 200),
        }
        value = data.draw(values.get(record.kind, st.integers(-3, 3)))
        now += data.draw(st.floats(0, 3))
        motor = tick(motor, now)[-1]
        try:
            motor = put(motor, record.name, value, now)[-1]
        except PutError:
            continue
        view = fields(motor, now)
        assert all(math.isfinite(float(v)) for v in view.values() if not isinstance(v, str))
        low, high = motor.drive.hard or (0, 0)
        assert low - 1e-6 <= motor.drive.profile.position(now) <= high + 1e-6
    if not motor.held and motor.due < 1e5:
        motor = rested(motor)
        assert shown(motor, "MOVN") == (0,)


def test_frozen_and_variable_are_what_their_buttons_say() -> None:
    motor = told(made(), ("FOF", 1))
    assert shown(motor, "FOFF", "FOF") == (OffsetMode.FROZEN, 0)
    assert shown(told(motor, ("VOF", 1)), "FOFF") == (OffsetMode.VARIABLE,)
