"""The motors of a beamline, made from the beamline file and served as motor records.

Tells whoever wants to know each new motion as a profile in physical coordinates: those of the beamline file,
whatever clients have made of OFF and DIR since.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from ioc import names
from ioc.server import Server
from layouts.beamline import Beamline
from layouts.beamline import Motor as MotorModel
from sim.motor import Motor, motor_at
from sim.motor_axis import Axis, Clock
from sim.motor_drive import Drive
from sim.motor_settings import Settings
from sim.profile import Profile, rest

_HARD_MARGIN = 0.01
"""Part of the travel by which the limit switches lie beyond the soft limits."""

OnMotion = Callable[[str, Profile], None]


class Motors:
    """All motors of a beamline.

    Args:
        beamline: Says which.
        server: Serves them; not started yet.
        on_motion: Told each motor's profile when it changes, in physical coordinates and the clock's time.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self,
        beamline: Beamline,
        server: Server,
        on_motion: OnMotion | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._clock = clock
        self._on_motion = on_motion
        self._models = {model.name: model for model in beamline.motors}
        self._axes = {model.name: self._axis(model, beamline.prefix, server) for model in beamline.motors}

    def _axis(self, model: MotorModel, prefix: str, server: Server) -> Axis:
        return Axis(
            names.motor(prefix, model.pv),
            motor_of(model, self._clock()),
            server,
            units=model.units,
            precision=model.precision,
            description=model.description,
            on_motion=lambda profile: self._moved(model, profile),
            clock=self._clock,
        )

    def _moved(self, model: MotorModel, profile: Profile) -> None:
        if self._on_motion is not None:
            self._on_motion(model.name, profile.shifted(model.offset))

    def position(self, name: str, at: float | None = None) -> float:
        """Physical position of a motor at a time, now unless given; what the scene is rendered for.

        Raises:
            KeyError: No motor has the name.
        """
        at = self._clock() if at is None else at
        return self._axes[name].motor.drive.profile.position(at) + self._models[name].offset

    def profile(self, name: str) -> Profile:
        """Present motion of a motor in physical coordinates.

        Raises:
            KeyError: No motor has the name.
        """
        return self._axes[name].motor.drive.profile.shifted(self._models[name].offset)

    def physical(self, name: str, user: float) -> float:
        """Physical position of user coordinates, as clients see them now."""
        motor = self._axes[name].motor
        return motor.place(motor.settings.dial(user)) + self._models[name].offset

    def user(self, name: str, physical: float) -> float:
        """User coordinates of a physical position."""
        motor = self._axes[name].motor
        return motor.settings.user((physical - self._models[name].offset - motor.drive.zero) / motor.scale)

    def initial(self) -> Mapping[str, float]:
        """Physical positions of all motors now."""
        return {name: self.position(name) for name in self._axes}

    def moving(self, name: str) -> bool:
        """Whether a motor is under way."""
        return self._axes[name].motor.moving

    async def close(self) -> None:
        """End the motors' tasks; puts that wait for a motion are not answered any more."""
        for axis in self._axes.values():
            axis.close()
        await asyncio.sleep(0)


def motor_of(model: MotorModel, now: float) -> Motor:
    """The motor that a beamline file describes, at rest where it says.

    Its user position is physical at first; the limit switches lie a little beyond the soft limits, and the
    home switch is at dial 0, or at the soft limit that is nearest to it.
    """
    offset, limited = model.offset, (model.low, model.high) != (0.0, 0.0)
    low, high = (model.low - offset, model.high - offset) if limited else (0.0, 0.0)
    margin = _HARD_MARGIN * (high - low)
    settings = Settings(
        offset=offset,
        low=low,
        high=high,
        resolution=model.resolution,
        encoder_resolution=model.resolution,
        retry_deadband=model.resolution,
        velocity=model.velocity,
        velocity_max=model.velocity_max or model.velocity,
        backlash_velocity=model.velocity,
        ramp=model.acceleration,
        backlash_ramp=model.acceleration,
        jog_velocity=model.velocity,
        jog_acceleration=model.velocity / model.acceleration,
        home_velocity=model.velocity,
    )
    drive = Drive(
        profile=rest(now, model.initial - offset),
        step=model.resolution,
        hard=(low - margin, high + margin) if limited else None,
        home=min(max(0.0, low), high),
        undershoot=model.undershoot,
    )
    return motor_at(drive, settings, now)
