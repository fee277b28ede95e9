"""The controller and the mechanism behind a motor record: a stepper with limit switches and a home switch.

Pure. Positions are the mechanism's (mm, deg), times seconds of one monotonic clock. What the record calls raw
are steps from ``zero``, which a load of the position moves; a step's true length never changes, whatever a
client makes of MRES.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.profile import Profile, move, rest

_LEAST, _MOST = 1e-9, 1e9
"""Speeds at which a mechanism moves at all, and can."""
_HARDEST = 1e12
"""Greatest acceleration."""
_FAR = 1e7
"""How far a jog goes where nothing ends it."""
_NOWHERE = 1e12
"""Positions beyond this are none, as those that do not fit into a controller's register."""
_TOUCH = 1e-9
"""Lengths within which a switch is pressed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a command is carried out.

    Attributes:
        speed: Length per second.
        acceleration: Length per square second.
        base: Speed at which it sets out and comes to rest.
    """

    speed: float
    acceleration: float
    base: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One axis of a controller.

    Attributes:
        profile: Present motion.
        zero: Where raw 0 is.
        step: Length of a step.
        hard: Limit switches; None where there are none.
        home: Where the home switch is.
        undershoot: Part of its way by which every move stops short.
        powered: Whether there is torque; without it commands have no effect.
        upwards: The way it goes or has gone.
        homed: Whether it has found home.
        acceleration: Of the latest command; a stop uses it too.
    """

    profile: Profile
    zero: float = 0.0
    step: float = 1e-4
    hard: tuple[float, float] | None = None
    home: float = 0.0
    undershoot: float = 0.0
    powered: bool = True
    upwards: bool = True
    homed: bool = False
    acceleration: float = 1.0

    @classmethod
    def at_rest(cls, position: float, now: float) -> Drive:
        """A drive that stands still."""
        return cls(profile=rest(now, position))

    def raw(self, now: float) -> float:
        """Steps from zero; a fraction between two of them."""
        return (self.profile.position(now) - self.zero) / self.step

    def moving(self, now: float) -> bool:
        """Whether it is under way."""
        return now < self.profile.end

    def switches(self, now: float) -> tuple[bool, bool]:
        """Whether the low and the high limit switch are pressed."""
        if self.hard is None:
            return False, False
        position = self.profile.position(now)
        return position <= self.hard[0] + _TOUCH, position >= self.hard[1] - _TOUCH

    def at_home(self, now: float) -> bool:
        """Whether the home switch is pressed: within half a step."""
        return abs(self.profile.position(now) - self.home) <= 0.5 * self.step

    def to(self, target: float, now: float, pace: Pace) -> Drive:
        """Set out for a position, and stop short of it as this mechanism does."""
        here = self.profile.position(now)
        return self._towards(target - self.undershoot * (target - here), now, pace)

    def jogged(self, way: int, now: float, pace: Pace) -> Drive:
        """Set out upwards (1) or downwards (-1) until told to stop."""
        return self._towards(self.profile.position(now) + way * _FAR, now, pace)

    def homing(self, now: float, pace: Pace) -> Drive:
        """Set out for the home switch."""
        return self._towards(self.home, now, pace)

    def stopped(self, now: float) -> Drive:
        """Come to rest on the ramp of the latest command."""
        if not self.moving(now):
            return self
        profile = self.profile.stopped(now, self.acceleration)
        if self.hard is not None and not self.hard[0] <= profile.target <= self.hard[1]:
            at_switch = min(max(profile.target, self.hard[0]), self.hard[1])
            profile = _shortened(profile, at_switch)
        return replace(self, profile=profile)

    def loaded(self, raw: float, now: float) -> Drive:
        """Give the present position another number."""
        return replace(self, zero=self.profile.position(now) - raw * self.step)

    def switched(self, powered: bool, now: float) -> Drive:
        """Switch the torque; without it a motion ends."""
        drive = self if powered else self.stopped(now)
        return replace(drive, powered=powered)

    def _towards(self, target: float, now: float, pace: Pace) -> Drive:
        if not (self.powered and pace.speed >= _LEAST and abs(target) < _NOWHERE):
            return self.stopped(now)
        acceleration = min(max(pace.acceleration, _LEAST), _HARDEST)
        base = max(pace.base, 0.0)
        here, velocity = self.profile.position(now), self.profile.velocity(now)
        if self.hard is not None:
            target = min(max(target, self.hard[0]), self.hard[1])
        speed = min(pace.speed, _MOST)
        profile = move(now, here, target, speed, acceleration, velocity=velocity, base=base)
        upwards = self.upwards if target == here else target > here
        return replace(self, profile=profile, upwards=upwards, acceleration=acceleration)


def _shortened(profile: Profile, target: float) -> Profile:
    """A stop that a limit switch ends before its ramp does."""
    end = profile.crossing(target)
    if end is None:
        return rest(profile.start, target)
    pieces = tuple(
        replace(piece, duration=min(piece.duration, end - piece.start))
        for piece in profile.pieces
        if piece.start < end
    )
    return Profile(profile.start, target, pieces)
