"""The motions of a motor record: moves with backlash and retries, jogs, homing, and loads of a position.

Mirrors motorRecord's rules of which way a move is taken, how far and how fast. Pure: a motor and the time in,
a motor whose drive has been told out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ioc.menus import NoYes, OffsetMode
from ioc.tables.motor_menus import RetryMode
from sim.motor import Mip, Motor, nint
from sim.motor_drive import Pace
from sim.motor_settings import Settings, above


def slewing(motor: Motor) -> Pace:
    """VELO, with ACCL or ACCS."""
    s = motor.settings
    return motor.pace(s.velocity, s.rate(s.velocity))


def correcting(motor: Motor) -> Pace:
    """BVEL and BACC."""
    s = motor.settings
    return motor.pace(s.backlash_velocity, above(s.backlash_velocity, s.velocity_base) / s.backlash_ramp)


def corrects(settings: Settings) -> bool:
    """Whether there is a backlash: less than a step is none."""
    return abs(settings.backlash) >= abs(settings.resolution)


def relative(settings: Settings) -> bool:
    """Whether moves are told as ways from where it is: with an encoder or a readback in use, and retries."""
    measured = NoYes.YES in (settings.use_encoder, settings.use_link)
    return settings.retries != 0 and settings.retry_mode is not RetryMode.IN_POSITION and measured


def told(motor: Motor, dial: float, now: float, pace: Pace) -> Motor:
    """With the drive on its way to a dial position."""
    return replace(motor, drive=motor.drive.to(motor.place(dial), now, pace), commanded=True)


def go(motor: Motor, now: float) -> Motor:
    """Set out for the target, unless it is there, out of reach, or a motion has to end first."""
    s, target = motor.settings, motor.target
    if s.dial(target.user) != target.dial:
        target = replace(target, user=s.user(target.dial))
    target = motor.aimed(target.user, target.dial)
    motor = replace(motor, target=target)
    if _too_near(motor, now):
        if not motor.done and motor.mip in (Mip.DONE, Mip.RETRY):
            motor = replace(motor, done=True, mip=Mip.DONE)
        return replace(motor, last=target)
    retrying = bool(motor.mip & Mip.RETRY)
    if retrying and motor.settings.retry_mode is RetryMode.IN_POSITION:
        return motor
    if not retrying:
        motor = replace(motor, tries=0)
    ways = _ways(motor, now)
    motor = replace(motor, violated=_beyond(motor, preferred=ways.preferred))
    if motor.violated:
        mip = Mip.DONE if retrying else motor.mip
        return replace(motor, target=motor.last, mip=mip, done=motor.done or mip == Mip.DONE)
    if motor.mip not in (Mip.DONE, Mip.RETRY):
        return motor
    return _set_out(motor, ways, now)


class _Ways(NamedTuple):
    """Ways to go, dial: straight, to one backlash before, and whether straight takes the backlash up."""

    straight: float
    before: float
    preferred: bool


def _ways(motor: Motor, now: float) -> _Ways:
    s = motor.settings
    straight = motor.target.dial - motor.dial_readback(now)
    before = straight - s.backlash
    way = straight if relative(s) else motor.target.dial - motor.last.dial
    preferred = (way > 0) == (s.backlash > 0)
    if not motor.mip & Mip.RETRY or s.retry_mode is RetryMode.DEFAULT:
        return _Ways(straight, before, preferred)
    if s.retry_mode is RetryMode.ARITHMETIC:
        factor = (s.retries - motor.tries + 1.0) / s.retries
    else:
        factor = 0.5 ** (motor.tries - 1)
    return _Ways(_part(straight, factor, s), _part(before, factor, s), preferred)


def _part(way: float, factor: float, s: Settings) -> float:
    """Part of a way, at least a step."""
    step = abs(s.resolution)
    return way * factor if abs(way * factor) >= step else (step if way > 0 else -step)


def _set_out(motor: Motor, ways: _Ways, now: float) -> Motor:
    s, here, last = motor.settings, motor.dial_at(now), motor.last.dial
    whole = motor.target.dial - last
    by_ways = relative(s)
    straight = here + ways.straight * s.fraction if by_ways else last + s.fraction * whole
    same_pace = (s.backlash_velocity, s.backlash_ramp) == (s.velocity, s.ramp)
    upwards = nint((motor.target.dial - motor.dial_readback(now)) / s.resolution) >= 0
    motor = replace(motor, mip=motor.mip | Mip.MOVE, done=False, last=motor.target, upwards=upwards)
    if not corrects(s) or (ways.preferred and same_pace):
        return told(motor, straight, now, slewing(motor))
    step = abs(s.resolution)
    if by_ways:
        within = ways.before <= step if s.backlash >= 0 else ways.before >= -step
    else:
        within = abs(whole) <= abs(s.backlash) + step
    if ways.preferred and within:
        return told(motor, straight, now, correcting(motor))
    before = here + ways.before if by_ways else motor.target.dial - s.backlash
    return told(replace(motor, post=True), before, now, slewing(motor))


def take_up(motor: Motor, now: float) -> Motor:
    """The last part of a motion, from one backlash before the target."""
    s = motor.settings
    away = motor.target.dial - s.backlash
    if relative(s):
        way = motor.target.dial - motor.dial_readback(now)
        dial = motor.dial_at(now) + way * s.fraction
    else:
        dial = away + s.fraction * s.backlash
        target = replace(motor.target, raw=nint(dial / s.resolution))
        motor = replace(motor, target=target)
    motor = told(replace(motor, done=False, post=True), dial, now, correcting(motor))
    return replace(motor, upwards=(motor.target.dial - motor.dial_readback(now)) / s.resolution >= 0)


def go_before(motor: Motor, now: float) -> Motor:
    """After a jog: to one backlash before where it has come to rest."""
    s = motor.settings
    before = motor.target.dial - s.backlash
    if relative(s):
        before += motor.dial_at(now) - motor.dial_readback(now)
    motor = told(replace(motor, done=False, post=True), before, now, slewing(motor))
    return replace(
        motor, mip=Mip.JOG_BACKLASH_AWAY, upwards=(before - motor.dial_at(now)) / s.resolution >= 0
    )


def home(motor: Motor, now: float) -> Motor:
    """Set out for the home switch, with HVEL."""
    s = motor.settings
    pace = motor.pace(s.home_velocity, above(s.home_velocity, s.velocity_base) / s.ramp)
    forward = bool(motor.mip & Mip.HOME_FORWARD) == (s.resolution > 0)
    drive = motor.drive.homing(now, pace)
    return replace(motor, drive=drive, commanded=True, done=False, post=True, tries=0, upwards=forward)


def jog(motor: Motor, now: float) -> Motor:
    """Set out until told to stop, with JVEL and JAR."""
    s = motor.settings
    upwards = bool(motor.mip & Mip.JOG_FORWARD) == motor.upright
    drive = motor.drive.jogged(1 if upwards else -1, now, motor.pace(s.jog_velocity, s.jog_acceleration))
    return replace(motor, drive=drive, commanded=True, done=False, post=True, upwards=upwards)


def load(motor: Motor, now: float) -> Motor:
    """Tell the controller that where it is, is the target; nothing moves, and DMOV blinks."""
    s, dial = motor.settings, motor.target.dial
    if s.freeze is OffsetMode.FROZEN:
        user = s.user(dial)
    else:
        user = motor.target.user
        s = replace(s, offset=user - dial * s.sign)
    target = motor.aimed(user, dial)
    drive = motor.drive.loaded(dial / s.resolution, now)
    return replace(
        motor, settings=s, drive=drive, target=target, last=target, mip=Mip.LOAD, done=False, commanded=True
    )


def _too_near(motor: Motor, now: float) -> bool:
    """Whether there is no way to go: less than a step, or for a retry less than RDBD."""
    s, dial = motor.settings, motor.target.dial
    way = abs(nint(dial / s.resolution) - nint(motor.dial_readback(now) / s.resolution))
    if motor.mip & Mip.RETRY:
        return way < nint(s.retry_deadband / abs(s.resolution))
    return way < 1 or (s.setpoint_deadband > 0 and abs(dial - motor.dial_readback(now)) < s.setpoint_deadband)


def _beyond(motor: Motor, *, preferred: bool) -> bool:
    """Whether the way to the target leaves the soft limits; back towards them is always allowed."""
    s, dial = motor.settings, motor.target.dial
    if not s.limited:
        return False
    if s.low > s.high:
        return True
    if (dial > s.high and dial < motor.last.dial) or (dial < s.low and dial > motor.last.dial):
        return False
    farthest = dial if preferred else dial - s.backlash
    slack = 1e-9 * max(1.0, abs(s.low), abs(s.high))
    return not s.low - slack <= farthest <= s.high + slack
