"""What a put to each field of a motor does, and what time does: the rules of the motor record.

Pure: a motor, the field, the value and the time in; out come the motors to show one behind the other, the
last of which is the motor afterwards. A field that is not named here has no effect.

Where the record does what no one can want, ours differs: NaN and infinity are refused (the record hands them
to the controller, and VAL differs from itself ever after).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ioc.menus import DisableEnable, OffsetMode
from ioc.records import PutError
from ioc.tables.motor_menus import StatusUpdate
from sim.motor import Mip, Motor
from sim.motor_linkage import is_setting, put_setting
from sim.motor_sequence import report
from sim.motor_work import process

_STEPS_AT_ONCE = 1000
"""Reports that may follow one another without time going by; more is an error of this program."""

_Act = Callable[[Motor, Any, float], Motor]

_TARGETS = {"VAL", "DVAL", "RVAL", "RLV", "TWF", "TWR"}
"""A put to these lets DMOV blink."""
_PROCESSING = _TARGETS | {
    *("OFF", "DIR", "SREV", "UREV", "MRES", "ERES", "UEIP", "URIP", "HLM", "LLM", "DHLM", "DLLM"),
    *("HIHI", "LOLO", "HIGH", "LOW", "HHSV", "LLSV", "HSV", "LSV", "HLSV", "SPMG", "STOP", "HOMF", "HOMR"),
    *("JOGF", "JOGR", "CNEN", "STUP", "SYNC", "PROC", "UDF"),
}
"""pp(TRUE) in motorRecord.dbd: a put processes the record, and completes when DMOV is 1."""


def put(motor: Motor, field: str, value: Any, now: float) -> tuple[Motor, ...]:
    """Do what a put to a field does.

    Args:
        motor: The motor before it.
        field: Name of the record's field.
        value: Of the field's type; menus are their string.
        now: Time.

    Raises:
        PutError: The value makes no sense for the field; nothing has changed.
    """
    s = motor.settings
    if isinstance(value, float) and not math.isfinite(value):
        raise PutError(f"{field}: {value} is no use to a motor; a finite number is right")
    if s.puts_disabled and field != "DISP":
        raise PutError(f"{field}: puts to this record are disabled; DISP 0 lets them through")
    states: list[Motor] = []
    if field in _TARGETS and motor.done and not s.off:
        motor = replace(motor, done=False)
        states.append(motor)
    motor = _accepted(motor, field, value, now)
    if field != "VAL" or s.off:
        states.append(motor)
    if field in _PROCESSING and not s.off:
        motor = process(motor, now, called_back=False)
        states.append(motor)
        if motor.status is StatusUpdate.BUSY:
            motor = replace(motor, status=StatusUpdate.OFF)
            states.append(motor)
        states += _settled(motor, now)
    return tuple(states)


def tick(motor: Motor, now: float) -> tuple[Motor, ...]:
    """What there is to show as time goes by."""
    if motor.drive.moving(now) and motor.until > now:
        return (report(motor, now),)
    return _settled(motor, now) or (motor,)


def is_kept(field: str) -> bool:
    """Whether the motor itself knows nothing of a field."""
    return not (field in _ACTS or is_setting(field) or field == "PROC")


def processes(field: str) -> bool:
    """Whether a put to the field processes the record, and so completes with its motion."""
    return field in _PROCESSING


def _settled(motor: Motor, now: float) -> tuple[Motor, ...]:
    """Everything that is due, one state each."""
    states: list[Motor] = []
    while motor.due <= now:
        motor = report(motor, now)
        states.append(motor)
        if len(states) > _STEPS_AT_ONCE:
            raise RuntimeError(f"the motor does not come to an end: {motor}")
    return tuple(states)


def _accepted(motor: Motor, field: str, value: Any, now: float) -> Motor:
    if field in _ACTS:
        return _ACTS[field](motor, value, now)
    if is_setting(field):
        motor = replace(motor, settings=put_setting(motor.settings, field, value))
        return replace(motor, rescaled=motor.rescaled or field in _SCALES)
    return motor


_SCALES = {"MRES", "UREV", "SREV", "ERES"}


def _aimed(coordinate: str) -> _Act:
    def act(motor: Motor, value: Any, _now: float) -> Motor:
        return replace(motor, target=replace(motor.target, **{coordinate: value}))

    return act


def _tweak(way: int) -> _Act:
    return lambda motor, on, _: replace(motor, tweak=way) if on else motor


def _button(field: str) -> _Act:
    def act(motor: Motor, on: int, _now: float) -> Motor:
        buttons = motor.buttons | {field} if on else motor.buttons - {field}
        return replace(motor, buttons=buttons)

    return act


def _home(field: str) -> _Act:
    press = _button(field)

    def act(motor: Motor, on: int, now: float) -> Motor:
        if motor.mip & Mip.HOME:
            raise PutError(f"{field}: it is looking for home already; STOP ends that")
        return press(motor, on, now)

    return act


def _jog(field: str, *, upwards: bool) -> _Act:
    press = _button(field)

    def act(motor: Motor, on: int, now: float) -> Motor:
        motor = press(motor, on, now)
        if not on:
            return replace(motor, mip=motor.mip & ~Mip.JOG_WANTED)
        at_switch = motor.switches(now)[upwards]
        ready = motor.mip == Mip.DONE and not at_switch
        return replace(motor, mip=motor.mip | Mip.JOG_WANTED) if ready else motor

    return act


def _offset(motor: Motor, offset: float, _now: float) -> Motor:
    """The dial stays; every user coordinate goes along."""
    settings = replace(motor.settings, offset=offset)
    target, last = (replace(t, user=settings.user(t.dial)) for t in (motor.target, motor.last))
    return replace(motor, settings=settings, target=target, last=last)


def _direction(motor: Motor, to: Any, _now: float) -> Motor:
    """With a variable offset VAL keeps its number, with a frozen one OFF does."""
    settings, target = replace(motor.settings, direction=to), motor.target
    if settings.freeze is OffsetMode.FROZEN:
        target = replace(target, user=settings.user(target.dial))
    else:
        settings = replace(settings, offset=target.user - target.dial * settings.sign)
    return replace(motor, settings=settings, target=target, last=replace(motor.last, user=target.user))


def _torque(motor: Motor, to: Any, now: float) -> Motor:
    drive = motor.drive.switched(to is DisableEnable.ENABLE, now)
    return replace(motor, drive=drive, settings=replace(motor.settings, torque=to))


def _jog_velocity(motor: Motor, value: float, now: float) -> Motor:
    """A jog under way takes the new speed."""
    motor = replace(motor, settings=put_setting(motor.settings, "JVEL", value))
    if not motor.mip & Mip.JOG or motor.mip & Mip.STOP:
        return motor
    s = motor.settings
    drive = motor.drive.jogged(
        1 if motor.upwards else -1, now, motor.pace(s.jog_velocity, s.jog_acceleration)
    )
    return replace(motor, drive=drive)


def _status(motor: Motor, to: StatusUpdate, _now: float) -> Motor:
    if to is not StatusUpdate.ON:
        raise PutError("STUP: only ON asks for the status")
    return replace(motor, status=StatusUpdate.BUSY)


_ACTS: dict[str, _Act] = {
    "VAL": _aimed("user"),
    "DVAL": _aimed("dial"),
    "RVAL": _aimed("raw"),
    "RLV": lambda motor, by, _: replace(motor, relative=by),
    "TWF": _tweak(1),
    "TWR": _tweak(-1),
    "JOGF": _jog("JOGF", upwards=True),
    "JOGR": _jog("JOGR", upwards=False),
    "HOMF": _home("HOMF"),
    "HOMR": _home("HOMR"),
    "STOP": lambda motor, on, _: replace(motor, stop=bool(on)),
    "SPMG": lambda motor, to, _: replace(motor, spmg=to),
    "SYNC": lambda motor, on, _: replace(motor, sync=bool(on)),
    "OFF": _offset,
    "DIR": _direction,
    "CNEN": _torque,
    "JVEL": _jog_velocity,
    "STUP": _status,
}
