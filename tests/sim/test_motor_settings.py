"""How the settings of a motor record follow one another, and redefine where it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc.menus import Direction, NoYes, OffsetMode, UseSet
from ioc.records import PutError
from ioc.tables.motor_menus import AccelerationUsed
from sim.motor_puts import put
from tests.kit.motors import free, made, moved, shown, told


@pytest.mark.parametrize(
    ("puts", "fields", "expected"),
    [
        ([("VELO", 50.0)], "VELO S", (20.0, 1000.0)),
        ([("VELO", -1.0)], "VELO", (0.0,)),
        ([("VMAX", 8.0)], "VMAX SMAX VELO S BVEL JVEL HVEL", (8.0, 400.0, 8.0, 400.0, 8.0, 8.0, 8.0)),
        ([("VMAX", 0.0), ("VELO", 50.0)], "VELO", (50.0,)),
        ([("VBAS", 12.0)], "VBAS SBAS VELO BVEL JVEL", (12.0, 600.0, 12.0, 12.0, 12.0)),
        ([("VBAS", 25.0)], "VBAS VMAX VELO", (25.0, 25.0, 25.0)),
        ([("VBAS", 15.0), ("VMAX", 5.0)], "VBAS VMAX VELO", (5.0, 5.0, 5.0)),
        ([("VBAS", -1.0), ("VMAX", -1.0)], "VBAS VMAX", (0.0, 0.0)),
        ([("S", 100.0)], "S VELO", (100.0, 2.0)),
        ([("SBAK", 100.0)], "SBAK BVEL", (100.0, 2.0)),
        ([("SMAX", 100.0)], "VMAX VELO", (2.0, 2.0)),
        ([("SBAS", 50.0)], "VBAS", (1.0,)),
        ([("BVEL", 99.0), ("JVEL", 99.0), ("HVEL", 99.0)], "BVEL JVEL HVEL", (20.0, 20.0, 20.0)),
        ([("ACCL", 0.5)], "ACCL ACCS", (0.5, 20.0)),
        ([("ACCL", 0.0)], "ACCL ACCS", (0.1, 100.0)),
        ([("ACCS", 50.0)], "ACCS ACCL", (50.0, 0.2)),
        ([("ACCS", -5.0)], "ACCS ACCL", (100.0, 0.1)),
        ([("VELO", 20.0)], "ACCL ACCS", (0.1, 200.0)),
        ([("ACCU", AccelerationUsed.RATE), ("VELO", 20.0)], "ACCL ACCS", (0.2, 100.0)),
        ([("VBAS", 5.0)], "ACCL ACCS", (0.1, 50.0)),
        ([("BACC", -1.0)], "BACC", (0.1,)),
        ([("JAR", 0.0)], "JAR", (100.0,)),
        ([("FRAC", 9.0)], "FRAC", (1.5,)),
        ([("RDBD", 0.0)], "RDBD", (1e-4,)),
        ([("PCOF", 2.0), ("ICOF", -1.0), ("DCOF", 3.0)], "PCOF ICOF DCOF", (1.0, 0.0, 1.0)),
        ([("URIP", NoYes.YES), ("UEIP", NoYes.YES)], "UEIP URIP", (NoYes.YES, NoYes.NO)),
        ([("UEIP", NoYes.YES), ("URIP", NoYes.YES)], "UEIP URIP", (NoYes.NO, NoYes.YES)),
        ([("SSET", 1)], "SET SSET", (UseSet.SET, 0)),
        ([("SSET", 1), ("SUSE", 1)], "SET", (UseSet.USE,)),
    ],
)
def test_what_follows_a_put(puts: list, fields: str, expected: tuple[object, ...]) -> None:
    motor = told(made(velocity_max=20.0), *puts)
    found = shown(motor, *fields.split())
    assert [v if isinstance(v, str) else pytest.approx(v) for v in expected] == list(found)


def test_offset_and_limits() -> None:
    motor = told(moved(made(), "VAL", 10.0), ("OFF", 5.0), now=9.0)
    assert shown(motor, "VAL", "RBV", "DVAL", "HLM", "LLM", "DHLM") == (15.0, 15.0, 10.0, 105.0, -95.0, 100.0)
    assert not motor.drive.moving(9.01)
    motor = told(motor, ("HLM", 50.0), ("DLLM", -1.0))
    assert shown(motor, "DHLM", "LLM", "RHLM", "RLLM") == (45.0, 4.0, 450000.0, -10000.0)


def test_the_other_direction() -> None:
    motor = told(moved(made(), "VAL", 10.0), ("DIR", Direction.NEG), now=5.0)
    assert shown(motor, "VAL", "RBV", "DVAL", "OFF") == (10.0, 10.0, 10.0, 20.0)
    assert shown(motor, "LLM", "HLM") == (-80.0, 120.0)
    motor = moved(motor, "VAL", 15.0, 6.0)
    assert shown(motor, "RBV", "DRBV", "TDIR") == (15.0, 5.0, 0)
    motor = told(motor, ("HLM", 100.0), now=9.0)
    assert shown(motor, "DLLM", "DHLM", "HLM") == (-80.0, 100.0, 100.0)
    frozen = told(moved(made(), "VAL", 10.0), ("FOF", 1), ("DIR", Direction.NEG), now=5.0)
    assert shown(frozen, "VAL", "RBV", "DVAL", "OFF") == (-10.0, -10.0, 10.0, 0.0)


def test_set_redefines_the_offset_and_the_limits_go_along() -> None:
    motor = told(moved(made(), "VAL", 10.0), ("SET", UseSet.SET), ("VAL", 3.0), now=5.0)
    assert not motor.drive.moving(5.01)
    assert shown(motor, "VAL", "RBV", "OFF", "DVAL", "HLM", "LLM") == (3.0, 3.0, -7.0, 10.0, 93.0, -107.0)
    assert motor.drive.profile.position(6.0) == 10.0


def test_set_with_a_frozen_offset_or_the_dial_loads_the_controller() -> None:
    before = told(moved(made(offset=1.0), "VAL", 10.0), ("FOFF", OffsetMode.FROZEN), ("SSET", 1), now=5.0)
    states = put(before, "VAL", 3.0, 5.0)
    assert [shown(state, "DMOV")[0] for state in states] == [0, 0, 1]
    motor = states[-1]
    assert shown(motor, "VAL", "RBV", "OFF", "DVAL", "DRBV", "RRBV") == (3.0, 3.0, 1.0, 2.0, 2.0, 20000)
    assert motor.drive.profile.position(6.0) == 9.0
    assert moved(told(motor, ("SUSE", 1)), "VAL", 4.0, 6.0).drive.profile.position(99.0) == 10.0
    dial = told(moved(made(), "VAL", 10.0), ("SSET", 1), ("DVAL", 4.0), now=5.0)
    # With a variable offset VAL stays and OFF takes the difference.
    assert shown(dial, "DVAL", "DRBV", "VAL", "RBV", "OFF") == (4.0, 4.0, 10.0, 10.0, 6.0)


def test_igset_moves_whatever_set_is() -> None:
    assert shown(moved(told(made(), ("SSET", 1), ("IGSET", 1)), "VAL", 3.0), "RBV", "OFF") == (3.0, 0.0)


def test_another_resolution_keeps_the_position_and_scales_speeds_and_limits() -> None:
    motor = told(moved(made(velocity_max=20.0), "VAL", 10.0), ("MRES", 2e-4), now=5.0)
    assert shown(motor, "VAL", "RBV", "RVAL", "RRBV", "DMOV") == (10.0, 10.0, 50000, 50000, 1)
    assert shown(motor, "UREV", "VELO", "VMAX", "BVEL", "S") == (0.04, 20.0, 40.0, 20.0, 500.0)
    assert shown(motor, "DHLM", "HLM", "RHLM", "RDBD") == (200.0, 200.0, 1e6, 2e-4)
    # A step is as long as it was: the mechanism goes half as far, in the time the record thinks of.
    motor = told(motor, ("VAL", 30.0), now=6.0)
    assert motor.drive.profile.target == pytest.approx(20.0)
    assert motor.drive.profile.velocity(6.5) == pytest.approx(10.0)


def test_another_resolution_with_set_gives_the_position_its_new_number() -> None:
    motor = told(moved(made(), "VAL", 10.0), ("SSET", 1), ("MRES", 2e-4), now=5.0)
    assert shown(motor, "VAL", "RBV", "RRBV") == (20.0, 20.0, 100000)


def test_a_negative_resolution_turns_raw_round() -> None:
    motor = told(made(drive={"hard": (-105.0, 105.0)}), ("MRES", -1e-4))
    assert shown(motor, "DHLM", "DLLM", "RHLM", "RLLM") == (100.0, -100.0, 1e6, -1e6)
    motor = moved(told(motor, ("DHLM", 0.0), ("DLLM", 0.0)), "VAL", 200.0)
    assert shown(motor, "RBV", "HLS", "LLS", "RHLS", "RLLS", "CDIR") == (105.0, 1, 0, 0, 1, 0)


@pytest.mark.parametrize(
    ("put_", "mres", "srev", "urev"),
    [
        (("SREV", 400), 5e-5, 400, 0.02),
        (("SREV", -4), 1e-4, 200, 0.02),
        (("UREV", 0.04), 2e-4, 200, 0.04),
        (("MRES", 0.0), 1.0, 200, 200.0),
    ],
)
def test_steps_and_revolutions(put_: tuple[str, object], mres: float, srev: int, urev: float) -> None:
    assert shown(told(free(), put_), "MRES", "SREV", "UREV") == pytest.approx((mres, srev, urev))


def test_a_resolution_beyond_reason_is_refused() -> None:
    with pytest.raises(PutError, match="MRES"):
        put(free(), "MRES", 1e200, 0.0)


def test_the_encoder_shows_its_own_counts() -> None:
    motor = told(moved(free(), "VAL", 10.0), ("UEIP", NoYes.YES), ("ERES", 2e-4), now=5.0)
    assert shown(motor, "RRBV", "DRBV", "REP", "RMP") == (100000, 20.0, 100000, 100000)
    assert shown(told(motor, ("ERES", 0.0)), "ERES") == (1e-4,)


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5), st.sampled_from(Direction), st.floats(-1e3, 1e3))
def test_user_and_dial_limits_are_the_same_limits(
    low: float, high: float, direction: Direction, offset: float
) -> None:
    motor = told(free(direction=direction, offset=offset), ("HLM", high), ("LLM", low))
    assert shown(motor, "HLM", "LLM") == pytest.approx((high, low), abs=1e-6)
    dial = told(motor, ("DHLM", motor.settings.high), ("DLLM", motor.settings.low))
    assert shown(dial, "HLM", "LLM") == pytest.approx((high, low), abs=1e-6)
