"""What a put to each field of a motor does; the rules of the motor record.

Pure: a motor, the field, the value and the time in, a step out. A field that is not named here has no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ioc.menus import Direction, OffsetMode, Spmg, UseSet
from ioc.records import PutError
from sim.motor import LEAST_RAMP, Motion, Motor, Step, begin, fields, home_position, stop

_FAR = 1e6
"""Where a motor without limits jogs to."""
_LEAST, _MOST = 1e-9, 1e9
"""Speeds, times and lengths that a motor may have."""

_Act = Callable[[Motor, Any, float], Step]
_Set = Callable[[Motor, Any], Motor]


def put(motor: Motor, field: str, value: Any, now: float) -> Step:
    """Do what a put to a field does.

    Args:
        motor: The motor before it.
        field: Name of the record's field.
        value: Of the field's type; menus are their string.
        now: Time.

    Raises:
        PutError: The value makes no sense for the field; nothing has changed.
    """
    if field in _ACTS:
        return _ACTS[field](motor, value, now)
    if field in _SETS:
        motor = _SETS[field](motor, value)
    return Step(motor, (fields(motor, now),))


def acts(field: str) -> bool:
    """Whether a put to the field does anything."""
    return field in _ACTS or field in _SETS


def moves(field: str) -> bool:
    """Whether a put to the field may begin or end a motion, and completes with it."""
    return field in _ACTS


# --- motion -------------------------------------------------------------------------------------------------


def _go(motor: Motor, dial: float, now: float) -> Step:
    if motor.use is UseSet.SET:
        return _redefine(motor, dial, now)
    if not motor.allows(dial):
        motor = replace(motor, violated=True)
        return Step(motor, (fields(motor, now),))
    motor = replace(motor, setpoint=dial)
    if motor.spmg in (Spmg.STOP, Spmg.PAUSE):
        return Step(motor, (fields(motor, now),))
    return begin(motor, dial, now, Motion.MOVE, (motor.velocity, motor.acceleration))


def _redefine(motor: Motor, dial: float, now: float) -> Step:
    """SET mode: the present position gets another number, and nothing moves."""
    zero = motor.profile.position(now) - dial
    motor = replace(motor, zero=zero, setpoint=dial)
    return Step(motor, (fields(motor, now),))


def _value(motor: Motor, user: float, now: float) -> Step:
    if motor.use is UseSet.SET and motor.freeze is OffsetMode.VARIABLE:
        dial = motor.dial_at(now)
        motor = replace(motor, offset=user - dial * motor.sign, setpoint=dial)
        return Step(motor, (fields(motor, now),))
    return _go(motor, motor.dial(user), now)


def _relative(motor: Motor, by: float, now: float) -> Step:
    return _value(motor, motor.user(motor.setpoint) + by, now)


def _tweak(way: int) -> _Act:
    def act(motor: Motor, on: int, now: float) -> Step:
        return _relative(motor, way * motor.tweak, now) if on else Step(motor, (fields(motor, now),))

    return act


def _jog(way: int) -> _Act:
    motion = Motion.JOG_FORWARD if way > 0 else Motion.JOG_REVERSE

    def act(motor: Motor, on: int, now: float) -> Step:
        if not on:
            jogging = motor.motion is motion
            return stop(motor, now) if jogging else Step(motor, (fields(motor, now),))
        if motor.spmg in (Spmg.STOP, Spmg.PAUSE) or motor.use is UseSet.SET:
            return Step(motor, (fields(motor, now),))
        dial_way = way * motor.sign
        limit = (motor.high if dial_way > 0 else motor.low) if motor.limited else dial_way * _FAR
        if (limit - motor.dial_at(now)) * dial_way <= 0:
            motor = replace(motor, violated=True)
            return Step(motor, (fields(motor, now),))
        return begin(motor, limit, now, motion, (motor.jog_velocity, motor.jog_acceleration))

    return act


def _home(motion: Motion) -> _Act:
    def act(motor: Motor, on: int, now: float) -> Step:
        if not on or motor.spmg in (Spmg.STOP, Spmg.PAUSE):
            return Step(motor, (fields(motor, now),))
        target = home_position(motor)
        speed = motor.home_velocity
        step = begin(motor, target, now, motion, (speed, speed / max(motor.ramp, LEAST_RAMP)))
        return Step(replace(step.motor, setpoint=target), step.views)

    return act


def _stop(motor: Motor, on: int, now: float) -> Step:
    return stop(motor, now) if on else Step(motor, (fields(motor, now),))


def _spmg(motor: Motor, to: Spmg, now: float) -> Step:
    motor = replace(motor, spmg=to)
    if to is Spmg.STOP:
        return stop(motor, now)
    if to is Spmg.PAUSE:
        return stop(motor, now, Motion.PAUSE)
    way_left = motor.setpoint != motor.profile.target - motor.zero or motor.motion is Motion.PAUSE
    if way_left and motor.motion in (Motion.REST, Motion.PAUSE):
        return begin(motor, motor.setpoint, now, Motion.MOVE, (motor.velocity, motor.acceleration))
    return Step(motor, (fields(motor, now),))


def _sync(motor: Motor, on: int, now: float) -> Step:
    if on and not motor.moving:
        motor = replace(motor, setpoint=motor.dial_at(now))
    return Step(motor, (fields(motor, now),))


_ACTS: dict[str, _Act] = {
    "VAL": _value,
    "DVAL": _go,
    "RVAL": lambda motor, raw, now: _go(motor, raw * motor.resolution, now),
    "RLV": _relative,
    "TWF": _tweak(1),
    "TWR": _tweak(-1),
    "JOGF": _jog(1),
    "JOGR": _jog(-1),
    "HOMF": _home(Motion.HOME_FORWARD),
    "HOMR": _home(Motion.HOME_REVERSE),
    "STOP": _stop,
    "SPMG": _spmg,
    "SYNC": _sync,
}

# --- settings -----------------------------------------------------------------------------------------------


def _positive(field: str, value: float) -> float:
    if not _LEAST <= value <= _MOST:
        raise PutError(f"{field}: {value} is no use to a motor; {_LEAST:g} to {_MOST:g} is right")
    return value


def _not_negative(field: str, value: float) -> float:
    if value < 0:
        raise PutError(f"{field}: {value} is no use to a motor; 0 or more is right")
    return value


def _velocity(motor: Motor, value: float) -> Motor:
    value = max(_positive("VELO", value), motor.velocity_base)
    return replace(motor, velocity=min(value, motor.velocity_max) if motor.velocity_max > 0 else value)


def _velocity_max(motor: Motor, value: float) -> Motor:
    motor = replace(motor, velocity_max=_not_negative("VMAX", value))
    return _velocity(motor, motor.velocity)


def _velocity_base(motor: Motor, value: float) -> Motor:
    motor = replace(motor, velocity_base=_not_negative("VBAS", value))
    return _velocity(motor, motor.velocity)


def _direction(motor: Motor, to: Direction) -> Motor:
    """With a variable offset the setpoint keeps its number, as the record has it."""
    user = motor.user(motor.setpoint)
    motor = replace(motor, direction=to)
    if motor.freeze is OffsetMode.FROZEN:
        return motor
    return replace(motor, offset=user - motor.setpoint * motor.sign)


def _user_limit(high: bool) -> _Set:
    def to(motor: Motor, user: float) -> Motor:
        dial = motor.dial(user)
        upper = high == (motor.direction is Direction.POS)
        return replace(motor, high=dial) if upper else replace(motor, low=dial)

    return to


def _steps(motor: Motor, value: int) -> Motor:
    per_turn = motor.resolution * motor.steps
    steps = int(_positive("SREV", value))
    return replace(motor, steps=steps, resolution=per_turn / steps)


def _resolution(motor: Motor, value: float) -> Motor:
    _positive("MRES", abs(value))
    return replace(motor, resolution=value)


_SETS: dict[str, _Set] = {
    "OFF": lambda motor, value: replace(motor, offset=value),
    "DIR": _direction,
    "FOFF": lambda motor, value: replace(motor, freeze=value),
    "FOF": lambda motor, _: replace(motor, freeze=OffsetMode.FROZEN),
    "VOF": lambda motor, _: replace(motor, freeze=OffsetMode.VARIABLE),
    "SET": lambda motor, value: replace(motor, use=value),
    "SSET": lambda motor, _: replace(motor, use=UseSet.SET),
    "SUSE": lambda motor, _: replace(motor, use=UseSet.USE),
    "HLM": _user_limit(high=True),
    "LLM": _user_limit(high=False),
    "DHLM": lambda motor, value: replace(motor, high=value),
    "DLLM": lambda motor, value: replace(motor, low=value),
    "MRES": _resolution,
    "SREV": _steps,
    "UREV": lambda motor, value: _resolution(motor, value / motor.steps),
    "VELO": _velocity,
    "VBAS": _velocity_base,
    "VMAX": _velocity_max,
    "S": lambda motor, value: _velocity(motor, value * abs(motor.resolution) * motor.steps),
    "SMAX": lambda motor, value: _velocity_max(motor, value * abs(motor.resolution) * motor.steps),
    "SBAS": lambda motor, value: _velocity_base(motor, value * abs(motor.resolution) * motor.steps),
    "ACCL": lambda motor, value: replace(motor, ramp=_positive("ACCL", value)),
    "ACCS": lambda motor, value: replace(motor, ramp=motor.velocity / _positive("ACCS", value)),
    "JVEL": lambda motor, value: replace(motor, jog_velocity=_positive("JVEL", value)),
    "JAR": lambda motor, value: replace(motor, jog_acceleration=_positive("JAR", value)),
    "HVEL": lambda motor, value: replace(motor, home_velocity=_positive("HVEL", value)),
    "TWV": lambda motor, value: replace(motor, tweak=value),
    "DLY": lambda motor, value: replace(motor, delay=_not_negative("DLY", value)),
}
