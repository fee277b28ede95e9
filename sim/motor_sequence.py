"""What a motor record does while its drive is under way and when it has come to rest.

Mirrors motorRecord's handling of the device's reports: what is left to do (backlash, homing after a stop),
the delay of DLY, retries, and moves that go the wrong way since there is a new target. Pure.
"""

from __future__ import annotations

import math
from dataclasses import replace

from ioc.menus import Spmg
from ioc.tables.motor_menus import NoYes, OutputMode, RetryMode
from sim.motor import Mip, Motor
from sim.motor_moves import corrects, go_before, home, take_up
from sim.motor_work import cleared, process

_MOVING_ON = Mip.MOVE | Mip.BACKLASH | Mip.JOG_BACKLASH_AWAY | Mip.JOG_BACKLASH
"""Motions that go to a target and leave it as it is."""


def report(motor: Motor, now: float) -> Motor:
    """What follows from the drive's report at a time, or from the end of a delay."""
    if motor.until <= now:
        motor = replace(motor, until=math.inf, done=True, mip=motor.mip & ~Mip.DELAY)
        return _tried(motor, now)
    if motor.drive.moving(now):
        return process(_under_way(motor, now), now, called_back=True)
    if not motor.commanded:
        return motor
    return _at_rest(replace(motor, commanded=False), now)


def _under_way(motor: Motor, now: float) -> Motor:
    if motor.done:
        # A motion that the record knows nothing of, or had done with.
        return replace(motor, done=False, mip=motor.mip | Mip.EXTERNAL, post=True, commanded=True)
    s = motor.settings
    way = motor.target.dial - motor.dial_readback(now)
    away = ((way / s.resolution) >= 0) != motor.upwards
    deadband = s.new_target_factor * (abs(s.backlash) + s.retry_deadband)
    going = motor.mip & (Mip.MOVE | Mip.RETRY) and not motor.mip & Mip.STOP
    if s.new_target is NoYes.YES and going and away and abs(way) > deadband:
        # What was left to do belonged to the target before.
        drive = motor.drive.stopped(now)
        return replace(motor, drive=drive, mip=motor.mip | Mip.STOP, post=False)
    return motor


def _at_rest(motor: Motor, now: float) -> Motor:
    marked, motor = not motor.done, replace(motor, done=True)
    if motor.mip in (Mip.JOG_FORWARD, Mip.JOG_REVERSE):
        motor = cleared(replace(motor, mip=Mip.DONE, post=True))
    if motor.blocked(now):
        motor = cleared(motor)
        if motor.mip != Mip.DONE:
            # A limit switch ends whatever it was; the record looks once more, and takes the place for target.
            return replace(motor, done=False, mip=Mip.DONE, post=True, commanded=True)
    if motor.post:
        if motor.target.user != motor.last.user and not motor.mip & (Mip.STOP | Mip.JOG_STOP):
            motor = cleared(motor) if motor.mip in (Mip.HOME_FORWARD, Mip.HOME_REVERSE) else motor
            return process(replace(motor, mip=Mip.DONE), now, called_back=True)
        motor = _leftover(motor, now)
    if motor.blocked(now) or motor.mip == Mip.LOAD:
        motor = replace(motor, mip=Mip.DONE)
    elif motor.done and motor.settings.delay > 0 and marked:
        return replace(motor, done=False, mip=motor.mip | Mip.DELAY, until=now + motor.settings.delay)
    elif motor.done and motor.mip != Mip.DONE:
        return _tried(motor, now)
    return process(motor, now, called_back=True)


def _tried(motor: Motor, now: float) -> Motor:
    motor = _retry(motor, now)
    if motor.mip == Mip.RETRY and motor.settings.retry_mode is RetryMode.IN_POSITION:
        motor = replace(motor, mip=Mip.RETRY | Mip.DELAY, until=now + max(motor.settings.delay, 0.0))
    return process(motor, now, called_back=True)


def _leftover(motor: Motor, now: float) -> Motor:
    """What was left to do until the drive has come to rest."""
    motor = replace(motor, post=False)
    if motor.settings.output_mode is not OutputMode.CLOSED_LOOP and not motor.mip & _MOVING_ON:
        motor = motor.synchronised(now)
    if motor.mip & Mip.HOME:
        if motor.mip & Mip.STOP:
            motor = home(replace(motor, mip=motor.mip & ~Mip.STOP), now)
        else:
            button = "HOMF" if motor.mip & Mip.HOME_FORWARD else "HOMR"
            found = motor.drive.homed or motor.drive.at_home(now)
            motor = replace(
                motor,
                mip=motor.mip & ~Mip.HOME,
                buttons=motor.buttons - {button},
                drive=replace(motor.drive, homed=found),
            )
    elif motor.mip & (Mip.JOG_STOP | Mip.MOVE):
        if corrects(motor.settings):
            if motor.mip & Mip.JOG_STOP:
                motor = go_before(motor, now)
            else:
                motor = replace(take_up(motor, now), mip=Mip.BACKLASH)
        motor = replace(motor, mip=motor.mip & ~(Mip.JOG_STOP | Mip.MOVE))
    elif motor.mip & Mip.JOG_BACKLASH_AWAY:
        motor = replace(take_up(motor, now), mip=Mip.JOG_BACKLASH)
    if motor.mip & Mip.LOAD:
        motor = replace(motor, mip=Mip.DONE)
    return replace(motor, last=motor.target, mip=motor.mip & ~Mip.STOP)


def _retry(motor: Motor, now: float) -> Motor:
    """Compare the target with where it is: done, one more try, or missed."""
    s = motor.settings
    wanted = Mip.JOG_WANTED
    below, above = motor.switches(now)
    to_high = motor.upwards == motor.upright
    way = abs(motor.target.dial - motor.dial_readback(now))
    if way < s.retry_deadband or (above and to_high) or (below and not to_high):
        spmg = Spmg.PAUSE if motor.spmg is Spmg.MOVE else motor.spmg
        return replace(motor, mip=motor.mip & wanted, missed=False, spmg=spmg)
    if s.retries == 0:
        return replace(motor, mip=motor.mip & wanted)
    if motor.tries + 1 <= s.retries:
        return replace(motor, tries=motor.tries + 1, done=False, mip=Mip.RETRY)
    again = ("JOGF" in motor.buttons and not above) or ("JOGR" in motor.buttons and not below)
    mip = wanted if again else Mip.DONE
    return replace(motor, tries=motor.tries + 1, mip=mip, last=motor.target, missed=True)
