"""A motor as the fields of its record: every value that follows from its state, and its alarm.

Mirrors the readbacks, MSTA and alarms of motorRecord. Pure.
"""

from __future__ import annotations

from ioc.menus import DisableEnable
from ioc.records import Severity, Status
from ioc.tables.motor_menus import STATUSES, AlarmLevel
from sim.motor import Motor, nint
from sim.motor_settings import shown

Field = float | int | str

_BUTTONS = ("JOGF", "JOGR", "HOMF", "HOMR")
_SHOWN_STATUSES = len(STATUSES)


def fields(motor: Motor, now: float, *, settings: bool = True) -> dict[str, Field]:
    """Every field that follows from the state, in the order to show them.

    DMOV goes to 0 before anything else shows a motion, and to 1 after everything: clients wait for the edge.

    Args:
        motor: The motor.
        now: Time.
        settings: Whether to tell those of the settings too.
    """
    s = motor.settings
    dial = motor.dial_readback(now)
    way = motor.target.dial - dial
    done, moving = {"DMOV": int(motor.done)}, {"MOVN": int(motor.drive.moving(now))}
    return {
        **({} if motor.done else done | moving),
        **(shown(s) if settings else {}),
        "RBV": s.user(dial),
        "RRBV": motor.counts(now),
        "DRBV": dial,
        "RMP": nint(motor.drive.raw(now)),
        "REP": nint(motor.drive.raw(now)),
        "RVEL": nint(motor.drive.profile.velocity(now) / motor.drive.step),
        "DIFF": way,
        "RDIF": nint(way / s.resolution),
        "VAL": motor.target.user,
        "DVAL": motor.target.dial,
        "RVAL": motor.target.raw,
        "LVAL": motor.last.user,
        "LDVL": motor.last.dial,
        "LRVL": motor.last.raw,
        "RLV": motor.relative,
        "LRLV": 0.0,
        **_state(motor, now),
        **(moving | done if motor.done else {}),
    }


def alarm(motor: Motor, now: float) -> tuple[Severity, Status]:
    """The record's alarm.

    A limit switch, or a target beyond the dial limits, has the severity HLSV. HIHI, HIGH, LOW and LOLO raise
    none: the record only tells them to displays.
    """
    s = motor.settings
    if s.off:
        return _severity(s.disable_severity), Status.DISABLE
    if s.undefined:
        return Severity.INVALID, Status.UDF
    level = _severity(s.limit_severity)
    below, above = motor.switches(now)
    if level and (above or motor.target.dial > s.high):
        return level, Status.HIGH
    if level and (below or motor.target.dial < s.low):
        return level, Status.LOW
    return Severity.NONE, Status.NO_ALARM


def alarm_fields(severity: Severity, status: Status) -> dict[str, Field]:
    """SEVR and STAT; a state beyond the 16 choices of Channel Access is told as the last of them."""
    name = AlarmLevel.NO_ALARM if severity is Severity.NONE else AlarmLevel(severity.name)
    return {"STAT": STATUSES[min(int(status), _SHOWN_STATUSES - 1)], "SEVR": name}


def _severity(level: AlarmLevel) -> Severity:
    return Severity(list(AlarmLevel).index(level))


def _state(motor: Motor, now: float) -> dict[str, Field]:
    (low, high), (below, above) = motor.switches(now), motor.drive.switches(now)
    return {
        "TDIR": int(motor.drive.upwards),
        "CDIR": int(motor.upwards),
        "MIP": int(motor.mip),
        "HLS": int(high),
        "RHLS": int(above),
        "LLS": int(low),
        "RLLS": int(below),
        "ATHM": int(motor.drive.at_home(now)),
        "LVIO": int(motor.violated),
        "MISS": int(motor.missed),
        "RCNT": motor.tries,
        "MSTA": _status(motor, now),
        "PP": int(motor.post),
        "PUTF": int(not motor.done),
        "SPMG": motor.spmg,
        "LSPG": motor.last_spmg,
        "STUP": motor.status,
        "STOP": int(motor.stop),
        "SYNC": int(motor.sync),
        "TWF": int(motor.tweak > 0),
        "TWR": int(motor.tweak < 0),
        "SSET": 0,
        "SUSE": 0,
        "FOF": 0,
        "VOF": 0,
        "PROC": 0,
        **{button: int(button in motor.buttons) for button in _BUTTONS},
    }


def _status(motor: Motor, now: float) -> int:
    """The bits of MSTA; an encoder, torque that can be switched and closed-loop positions are there."""
    below, above = motor.drive.switches(now)
    moving, home = motor.drive.moving(now), motor.drive.at_home(now)
    bits = {
        0: motor.drive.upwards,
        1: not moving,
        2: above,
        3: home,
        5: motor.settings.torque is DisableEnable.ENABLE,
        7: home,
        8: True,
        10: moving,
        11: True,
        13: below,
        14: motor.drive.homed,
    }
    return sum(1 << bit for bit, on in bits.items() if on)
