"""A motor as the EPICS motor record shows it: a pure state machine over a motion profile.

Mirrors motorRecord.dbd of synApps motor. Three coordinates: the mechanism's, in which the profile and the
hard limits are; dial, which the record can redefine (``zero`` lies between the two); and user, which is
``dial * DIR + OFF``. Nothing here owns a clock or a PV: a motor and the time in, a motor and the fields to
show out. What a put does is in sim/motor_puts.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from ioc.menus import Direction, OffsetMode, Spmg, UseSet
from ioc.records import Severity, Status
from sim.profile import Profile, rest

Field = float | int | str
Fields = Mapping[str, Field]

LEAST_RAMP = 1e-4
"""Seconds: a motor without acceleration time is still no hammer."""
_TOUCH = 1e-9


class Motion(Enum):
    """What a motor is doing, as the record's MIP says it."""

    REST = 0x0
    JOG_FORWARD = 0x1
    JOG_REVERSE = 0x2
    HOME_FORWARD = 0x8
    HOME_REVERSE = 0x10
    MOVE = 0x20
    STOP = 0x200
    PAUSE = 0x4000
    """Stopping, with the way to go kept for later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Motor:
    """One motor.

    Attributes:
        profile: Motion in the mechanism's coordinates.
        zero: Where dial 0 is in the mechanism's coordinates.
        setpoint: Where it shall be, dial (DVAL).
        motion: What it does.
        offset: OFF.
        direction: DIR.
        freeze: FOFF.
        use: SET.
        spmg: SPMG.
        low: DLLM; with ``high``, both 0 means no limits.
        high: DHLM.
        hard: Limit switches in the mechanism's coordinates; None where there are none.
        resolution: MRES.
        steps: SREV.
        velocity: VELO.
        velocity_base: VBAS.
        velocity_max: VMAX; 0 means no maximum.
        ramp: ACCL.
        jog_velocity: JVEL.
        jog_acceleration: JAR.
        home_velocity: HVEL.
        tweak: TWV.
        delay: DLY.
        forward: TDIR, the way it goes or has gone, in raw coordinates.
        homed: Whether it has found its home.
        violated: LVIO.
    """

    profile: Profile
    zero: float = 0.0
    setpoint: float = 0.0
    motion: Motion = Motion.REST
    offset: float = 0.0
    direction: Direction = Direction.POS
    freeze: OffsetMode = OffsetMode.VARIABLE
    use: UseSet = UseSet.USE
    spmg: Spmg = Spmg.GO
    low: float = 0.0
    high: float = 0.0
    hard: tuple[float, float] | None = None
    resolution: float = 1e-4
    steps: int = 200
    velocity: float = 1.0
    velocity_base: float = 0.0
    velocity_max: float = 0.0
    ramp: float = 0.1
    jog_velocity: float = 1.0
    jog_acceleration: float = 10.0
    home_velocity: float = 1.0
    tweak: float = 1.0
    delay: float = 0.0
    forward: bool = True
    homed: bool = False
    violated: bool = False

    @property
    def sign(self) -> int:
        """1 or -1, as DIR is."""
        return 1 if self.direction is Direction.POS else -1

    @property
    def moving(self) -> bool:
        """Whether it is under way, settling included."""
        return self.motion is not Motion.REST

    @property
    def end(self) -> float:
        """Time at which the motion will be done."""
        return self.profile.end + self.delay

    @property
    def limited(self) -> bool:
        """Whether it has soft limits."""
        return (self.low, self.high) != (0.0, 0.0)

    @property
    def user_limits(self) -> tuple[float, float]:
        """LLM and HLM."""
        return tuple(sorted((self.user(self.low), self.user(self.high))))  # type: ignore[return-value]

    @property
    def acceleration(self) -> float:
        """Units per square second."""
        return self.velocity / max(self.ramp, LEAST_RAMP)

    def user(self, dial: float) -> float:
        """User coordinates of a dial position."""
        return dial * self.sign + self.offset

    def dial(self, user: float) -> float:
        """Dial position of user coordinates."""
        return (user - self.offset) * self.sign

    def dial_at(self, now: float) -> float:
        """Dial position at a time."""
        return self.profile.position(now) - self.zero

    def raw(self, dial: float) -> int:
        """Steps of a dial position."""
        return round(dial / self.resolution)

    def switches(self, now: float) -> tuple[bool, bool]:
        """Whether the low and the high limit switch are pressed."""
        if self.hard is None:
            return False, False
        position = self.profile.position(now)
        return position <= self.hard[0] + _TOUCH, position >= self.hard[1] - _TOUCH

    def allows(self, dial: float) -> bool:
        """Whether a dial position is within the soft limits, give or take a rounding error."""
        slack = 1e-9 * max(1.0, abs(self.low), abs(self.high))
        return not self.limited or self.low - slack <= dial <= self.high + slack


@dataclass(frozen=True, slots=True)
class Step:
    """What came of a put or of the time.

    Attributes:
        motor: The motor afterwards.
        views: Fields to show, one behind the other, each in its order; what has not changed need not be.
    """

    motor: Motor
    views: tuple[Fields, ...]


def at_rest(position: float, now: float, **settings: object) -> Motor:
    """A motor that stands at a position of its mechanism.

    Args:
        position: Where.
        now: Time.
        settings: Further attributes of the motor.
    """
    motor = Motor(profile=rest(now, position))
    motor = replace(motor, **settings)  # type: ignore[arg-type]
    return replace(motor, setpoint=position - motor.zero)


def begin(motor: Motor, dial: float, now: float, motion: Motion, pace: tuple[float, float]) -> Step:
    """Set out for a dial position; a limit switch on the way ends it there.

    A move of no length is done at once, but DMOV goes to 0 first: clients wait for the edge.

    Args:
        motor: The motor before it.
        dial: Where to go.
        now: Time.
        motion: What kind of motion it is.
        pace: Speed and acceleration.
    """
    target = dial + motor.zero
    if motor.hard is not None:
        target = min(max(target, motor.hard[0]), motor.hard[1])
    profile = motor.profile.retargeted(now, target, *pace)
    if profile.pieces:
        motor = replace(motor, profile=profile, motion=motion, forward=profile.direction >= 0, violated=False)
        return Step(motor, (_setting_out(motor, now),))
    motor = replace(motor, profile=profile, motion=motion, violated=False)
    done = finish(motor, now).motor
    return Step(done, ({"DMOV": 0}, fields(done, now)))


def stop(motor: Motor, now: float, motion: Motion = Motion.STOP) -> Step:
    """Come to rest as soon as the ramp allows."""
    if not motor.moving:
        motor = replace(motor, setpoint=motor.dial_at(now)) if motion is Motion.STOP else motor
        return Step(motor, (fields(motor, now),))
    profile = motor.profile.stopped(now, motor.acceleration)
    motor = replace(motor, profile=profile, motion=motion)
    return Step(motor, (fields(motor, now),))


def tick(motor: Motor, now: float) -> Step:
    """What there is to show as time goes by."""
    return finish(motor, now) if motor.moving and now >= motor.end else Step(motor, (fields(motor, now),))


def finish(motor: Motor, now: float) -> Step:
    """The motion is done: readback, then MOVN, then DMOV."""
    dial = motor.dial_at(now)
    done = replace(motor, motion=Motion.REST)
    match motor.motion:
        case Motion.STOP | Motion.JOG_FORWARD | Motion.JOG_REVERSE:
            done = replace(done, setpoint=dial)
        case Motion.HOME_FORWARD | Motion.HOME_REVERSE:
            done = replace(done, setpoint=dial, homed=True)
        case Motion.MOVE if motor.spmg is Spmg.MOVE:
            done = replace(done, spmg=Spmg.PAUSE)
        case _:
            pass
    return Step(done, (fields(done, now),))


def fields(motor: Motor, now: float) -> dict[str, Field]:
    """Every field that follows from the state, in the order to show them: MOVN and DMOV come last."""
    dial = motor.dial_at(now)
    low, high = motor.user_limits
    return {
        **_settings(motor),
        "LLM": low,
        "HLM": high,
        "VAL": motor.user(motor.setpoint),
        "DVAL": motor.setpoint,
        "RVAL": motor.raw(motor.setpoint),
        "RLV": 0.0,
        "RBV": motor.user(dial),
        "DRBV": dial,
        "RRBV": motor.raw(dial),
        "DIFF": motor.setpoint - dial,
        "RDIF": motor.raw(motor.setpoint - dial),
        **_state(motor, now),
        "MOVN": int(motor.moving and now < motor.profile.end),
        "DMOV": int(not motor.moving),
    }


def alarm(motor: Motor, now: float) -> tuple[Severity, Status]:
    """The record's alarm: a pressed limit switch is a major one."""
    if any(motor.switches(now)):
        return Severity.MAJOR, Status.HW_LIMIT
    return Severity.NONE, Status.NO_ALARM


def _setting_out(motor: Motor, now: float) -> Fields:
    view = fields(motor, now)
    return {name: view[name] for name in ("DMOV", "LVIO", "TDIR", "MOVN")} | view


def _settings(motor: Motor) -> dict[str, Field]:
    per_turn = abs(motor.resolution) * motor.steps
    return {
        "OFF": motor.offset,
        "DIR": motor.direction,
        "FOFF": motor.freeze,
        "SET": motor.use,
        "SPMG": motor.spmg,
        "DLLM": motor.low,
        "DHLM": motor.high,
        "MRES": motor.resolution,
        "SREV": motor.steps,
        "UREV": motor.resolution * motor.steps,
        "VELO": motor.velocity,
        "VBAS": motor.velocity_base,
        "VMAX": motor.velocity_max,
        "S": motor.velocity / per_turn,
        "SBAS": motor.velocity_base / per_turn,
        "SMAX": motor.velocity_max / per_turn,
        "ACCL": motor.ramp,
        "ACCS": motor.acceleration,
        "JVEL": motor.jog_velocity,
        "JAR": motor.jog_acceleration,
        "HVEL": motor.home_velocity,
        "TWV": motor.tweak,
        "DLY": motor.delay,
    }


def _state(motor: Motor, now: float) -> dict[str, Field]:
    below, above = motor.switches(now)
    upright = motor.direction is Direction.POS
    home = not motor.moving and motor.homed and abs(motor.dial_at(now) - home_position(motor)) < _TOUCH
    severity, status = alarm(motor, now)
    return {
        "HLS": int(above if upright else below),
        "LLS": int(below if upright else above),
        "RHLS": int(above),
        "RLLS": int(below),
        "ATHM": int(home),
        "LVIO": int(motor.violated),
        "TDIR": int(motor.forward),
        "CDIR": int(motor.forward),
        "MSTA": _status(motor, now, at_home=home),
        "MIP": motor.motion.value,
        "SEVR": severity.name if severity else "NO_ALARM",
        "STAT": status.name,
        "STOP": 0,
        "TWF": 0,
        "TWR": 0,
        "SYNC": 0,
        "SSET": 0,
        "SUSE": 0,
        "FOF": 0,
        "VOF": 0,
        "HOMF": int(motor.motion is Motion.HOME_FORWARD),
        "HOMR": int(motor.motion is Motion.HOME_REVERSE),
        "JOGF": int(motor.motion is Motion.JOG_FORWARD),
        "JOGR": int(motor.motion is Motion.JOG_REVERSE),
    }


def home_position(motor: Motor) -> float:
    """Where homing ends: dial 0, or the soft limit that is nearest to it."""
    return min(max(0.0, motor.low), motor.high) if motor.limited else 0.0


def _status(motor: Motor, now: float, *, at_home: bool) -> int:
    """The bits of MSTA."""
    below, above = motor.switches(now)
    bits = {
        0: motor.forward,
        1: not motor.moving,
        2: above,
        3: at_home,
        5: True,
        7: at_home,
        9: below or above,
        10: motor.moving and now < motor.profile.end,
        11: True,
        13: below,
        14: motor.homed,
    }
    return sum(1 << bit for bit, on in bits.items() if on)
