"""What a motor record does each time it is processed: it compares what is asked with what it did last.

Mirrors the order in which motorRecord looks at its fields: stop switches, resolutions, homing, jogging,
tweaks, then the targets. Pure: a motor and the time in, a motor out. Moves are in sim/motor_moves.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ioc.menus import OffsetMode, Spmg
from ioc.tables.motor_menus import StatusUpdate
from sim.motor import Mip, Motor, Target, nint
from sim.motor_linkage import reachable
from sim.motor_moves import go, home, jog, load

_Rule = Callable[[Motor, float], tuple[Motor, bool]]
"""A motor and the time in; the motor and whether that was all out."""


def process(motor: Motor, now: float, *, called_back: bool) -> Motor:
    """Process the record.

    Args:
        motor: Before it.
        now: Time.
        called_back: Whether the drive caused it, and not a put.
    """
    motor = _watch_limits(replace(motor, processed=motor.processed + 1), now)
    if called_back and not (motor.stop or motor.held or motor.done or motor.mip & Mip.RETRY):
        return motor
    for rule in (_switch, _rescale, _home, _jog, _release):
        motor, ended = rule(motor, now)
        if ended:
            return motor
    return _targets(_collected(motor), now, called_back=called_back)


def cleared(motor: Motor) -> Motor:
    """With no button pressed."""
    return replace(motor, buttons=frozenset())


def _watch_limits(motor: Motor, now: float) -> Motor:
    """A jog ends where it would reach a soft limit within a second; homing knows no soft limits."""
    s = motor.settings
    if not s.limited:
        return replace(motor, violated=False)
    if motor.mip & Mip.HOME:
        return replace(motor, violated=False)
    if not motor.mip & (Mip.JOG | Mip.JOG_BACKLASH_AWAY | Mip.JOG_BACKLASH):
        return motor
    violated = near_limit(motor, s.user(motor.dial_readback(now)))
    if violated and not motor.violated and not s.setting:
        motor = cleared(replace(motor, stop=True))
    return replace(motor, violated=violated)


def near_limit(motor: Motor, user: float) -> bool:
    """Whether a jog from a position is within a second of a soft limit."""
    s = motor.settings
    low, high = s.user_limits
    return s.limited and (
        ("JOGF" in motor.buttons and user > high - s.jog_velocity)
        or ("JOGR" in motor.buttons and user < low + s.jog_velocity)
        or s.low > s.high
    )


# --- stop switches ------------------------------------------------------------------------------------------


def _switch(motor: Motor, now: float) -> tuple[Motor, bool]:
    """SPMG and STOP."""
    turned, stop = motor.spmg is not motor.last_spmg, motor.stop
    if not (turned or stop):
        return motor, False
    motor = replace(motor, last_spmg=motor.spmg) if turned else replace(motor, stop=False)
    if motor.held or stop:
        return _halt(motor, now, for_good=stop or motor.spmg is Spmg.STOP), True
    if motor.spmg is Spmg.MOVE:
        return replace(motor, mip=Mip.DONE, tries=0), False
    below, above = motor.switches(now)
    if ("JOGF" in motor.buttons and not above) or ("JOGR" in motor.buttons and not below):
        return replace(motor, mip=Mip.JOG_WANTED), False
    return (replace(motor, mip=Mip.DONE) if motor.mip == Mip.STOP else motor), False


def _halt(motor: Motor, now: float, *, for_good: bool) -> Motor:
    """Stop the drive. For good makes the target what the readback is; otherwise the way to go is kept."""
    under_way = motor.drive.moving(now)
    stopped = motor.drive.stopped(now)
    if for_good:
        if motor.mip == Mip.DONE or motor.mip & (Mip.STOP | Mip.RETRY):
            if motor.mip & Mip.RETRY:
                motor = replace(motor, mip=Mip.DONE, done=True)
            return replace(motor, drive=stopped)
        motor = cleared(replace(motor, post=True)) if under_way else motor.synchronised(now)
    if motor.mip & Mip.HOME:
        motor = cleared(motor)
    mip = motor.mip if motor.mip & Mip.DELAY else Mip.STOP
    return replace(motor, drive=stopped, mip=mip, commanded=motor.commanded or under_way)


# --- resolutions, homing, jogging ---------------------------------------------------------------------------


def _rescale(motor: Motor, now: float) -> tuple[Motor, bool]:
    """A new resolution: the position keeps its number, or with SET takes the one that the steps now mean."""
    if not motor.rescaled:
        return motor, False
    motor = replace(motor, rescaled=False, settings=reachable(motor.settings))
    if motor.settings.setting:
        return replace(motor, post=True, commanded=True), True
    return (motor if motor.mip & Mip.LOAD else load(motor, now)), True


def _home(motor: Motor, now: float) -> tuple[Motor, bool]:
    below, above = motor.drive.switches(now)
    forward = "HOMF" in motor.buttons and not motor.mip & Mip.HOME_FORWARD and not above
    reverse = "HOMR" in motor.buttons and not motor.mip & Mip.HOME_REVERSE and not below
    if not (forward or reverse):
        return motor, False
    if motor.held:
        return replace(motor, done=False), True
    mip = Mip.HOME_FORWARD if "HOMF" in motor.buttons else Mip.HOME_REVERSE
    motor = replace(motor, mip=mip, post=True)
    if motor.drive.moving(now):
        return replace(motor, mip=mip | Mip.STOP, drive=motor.drive.stopped(now)), True
    return home(motor, now), True


def _jog(motor: Motor, now: float) -> tuple[Motor, bool]:
    busy = Mip.JOG | Mip.JOG_BACKLASH_AWAY | Mip.JOG_BACKLASH
    if motor.mip & busy or motor.held or not motor.mip & Mip.JOG_WANTED:
        return motor, False
    if near_limit(motor, motor.target.user):
        buttons = motor.buttons - {"JOGF", "JOGR"}
        return replace(motor, violated=True, buttons=buttons), True
    mip = Mip.JOG_FORWARD if "JOGF" in motor.buttons else Mip.JOG_REVERSE
    motor = replace(motor, mip=mip, post=True)
    if motor.drive.moving(now):
        return replace(motor, mip=mip | Mip.STOP, drive=motor.drive.stopped(now)), True
    return jog(motor, now), True


def _release(motor: Motor, now: float) -> tuple[Motor, bool]:
    """A jog goes on only until the record is processed again without the wish for it."""
    if motor.mip & Mip.JOG and not motor.mip & Mip.JOG_WANTED:
        mip = (motor.mip | Mip.JOG_STOP) & ~Mip.JOG
        return replace(motor, mip=mip, post=True, drive=motor.drive.stopped(now)), True
    return motor, bool(motor.mip & Mip.JOG_END)


# --- targets ------------------------------------------------------------------------------------------------


def _collected(motor: Motor) -> Motor:
    """The target with tweaks, relative and raw ones in it."""
    target = motor.target
    user = target.user + motor.tweak * motor.settings.tweak + motor.relative
    dial = target.dial
    if target.raw != motor.last.raw:
        dial = target.raw * motor.settings.resolution
    return replace(motor, tweak=0, relative=0.0, target=Target(user, dial, target.raw))


def _targets(motor: Motor, now: float, *, called_back: bool) -> Motor:
    s = motor.settings
    if motor.target.user != motor.last.user:
        if s.setting and s.freeze is OffsetMode.VARIABLE:
            return _offset(motor)
        motor = replace(motor, target=replace(motor.target, dial=s.dial(motor.target.user)))
    if motor.held:
        return motor
    if motor.target.dial != motor.last.dial or not motor.done:
        loading = s.setting and motor.mip & Mip.LOAD
        return motor if loading else (load if s.setting else go)(motor, now)
    if motor.sync and motor.mip == Mip.DONE:
        return replace(motor.synchronised(now), sync=False)
    if not called_back and motor.status is StatusUpdate.OFF:
        return replace(motor, status=StatusUpdate.BUSY)
    return motor


def _offset(motor: Motor) -> Motor:
    """SET with a variable offset: the present target gets another user number, and nothing moves."""
    s, target = motor.settings, motor.target
    settings = replace(s, offset=target.user - target.dial * s.sign)
    raw = nint(target.dial / s.resolution)
    last = Target(target.user, motor.last.dial, raw)
    return replace(
        motor, settings=settings, target=replace(target, raw=raw), last=last, mip=Mip.DONE, done=True
    )
