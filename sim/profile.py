"""Where a motor is at any time of a move: pieces of constant acceleration, one behind the other.

Pure. The motion of a trapezoidal profile is known before it begins, so exposures and triggers can be planned
on it: ``position`` at any time, and ``crossing``, the time at which a position is reached. Times are seconds
of one monotonic clock, positions are in whatever unit the caller has.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

_NO_WAY = 1e-12
"""A way so short is none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of constant acceleration.

    Attributes:
        start: Time at which it begins.
        duration: Seconds.
        position: At its start.
        velocity: At its start.
        acceleration: Throughout.
    """

    start: float
    duration: float
    position: float
    velocity: float
    acceleration: float

    @property
    def end(self) -> float:
        """Time at which it ends."""
        return self.start + self.duration

    def at(self, time: float) -> tuple[float, float]:
        """Position and velocity at a time within it."""
        t = time - self.start
        return (
            self.position + (self.velocity + 0.5 * self.acceleration * t) * t,
            self.velocity + self.acceleration * t,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """A motion and the rest behind it.

    Attributes:
        start: Time at which it begins; before that the motor is where it begins.
        target: Where the motor is at rest afterwards, exactly.
        pieces: In order of time; none for a motor at rest.
    """

    start: float
    target: float
    pieces: tuple[Piece, ...] = ()

    @property
    def end(self) -> float:
        """Time from which the motor is at rest."""
        return self.pieces[-1].end if self.pieces else self.start

    @property
    def origin(self) -> float:
        """Position at the start."""
        return self.pieces[0].position if self.pieces else self.target

    @property
    def direction(self) -> int:
        """The way it ends up going: 1, -1, or 0 for a motor at rest."""
        return (self.target > self.origin) - (self.target < self.origin)

    def position(self, at: float) -> float:
        """Position at a time."""
        if not self.pieces or at >= self.end:
            return self.target
        return self._piece(at).at(max(at, self.start))[0]

    def velocity(self, at: float) -> float:
        """Velocity at a time; 0 at rest."""
        if not self.pieces or not self.start <= at < self.end:
            return 0.0
        return self._piece(at).at(at)[1]

    def moving(self, at: float) -> bool:
        """Whether the motor is under way at a time."""
        return self.start <= at < self.end

    def crossing(self, position: float, after: float = -math.inf, direction: int = 0) -> float | None:
        """When the motor gets to a position.

        Args:
            position: Where.
            after: Earlier crossings do not count.
            direction: 1 or -1 counts only crossings that go that way; 0 counts both.

        Returns:
            The time of the first crossing, or None if there is none. Setting out from the position counts,
            and so does coming to rest at it.
        """
        for piece in self.pieces:
            for time in _reached(piece, position):
                if time >= after and direction in (0, _way(piece, time)):
                    return time
        # Rounding may leave the last piece a hair short of where it ends by definition.
        if self.pieces and self.end >= after:
            last = self.pieces[-1]
            left, _ = last.at(last.end)
            in_between = min(left, self.target) <= position <= max(left, self.target)
            if in_between and direction in (0, _way(last, last.end)):
                return self.end
        return None

    def stopped(self, at: float, acceleration: float) -> Profile:
        """The profile from a time on if the motor is told to stop then."""
        position, velocity = self.position(at), self.velocity(at)
        pieces = _chained(at, position, [_ramp(velocity, 0.0, acceleration)])
        return Profile(at, position + velocity * abs(velocity) / (2 * acceleration), pieces)

    def retargeted(self, at: float, target: float, speed: float, acceleration: float) -> Profile:
        """The profile from a time on if the motor is told to go elsewhere then."""
        return move(at, self.position(at), target, speed, acceleration, velocity=self.velocity(at))

    def shifted(self, by: float) -> Profile:
        """The same motion in coordinates whose origin lies elsewhere."""
        pieces = (
            Piece(p.start, p.duration, p.position + by, p.velocity, p.acceleration) for p in self.pieces
        )
        return Profile(self.start, self.target + by, tuple(pieces))

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "start": self.start,
            "target": self.target,
            "pieces": [[p.start, p.duration, p.position, p.velocity, p.acceleration] for p in self.pieces],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From what ``to_dict`` makes."""
        return cls(
            float(values["start"]),
            float(values["target"]),
            tuple(Piece(*(float(v) for v in numbers)) for numbers in values["pieces"]),
        )

    def _piece(self, at: float) -> Piece:
        for piece in self.pieces:
            if at < piece.end:
                return piece
        return self.pieces[-1]


def rest(at: float, position: float) -> Profile:
    """A motor that stands still."""
    return Profile(at, position)


def move(
    at: float,
    position: float,
    target: float,
    speed: float,
    acceleration: float,
    *,
    velocity: float = 0.0,
    base: float = 0.0,
) -> Profile:
    """A trapezoid, or a triangle where the way is too short for the speed.

    A motor that already moves goes on from its velocity; if it goes the wrong way, or too fast to stop in
    time, it comes to rest first and then turns round. A stepper sets out at its base speed at once and comes
    to rest from it.

    Args:
        at: Time at which it begins.
        position: Where the motor is then.
        target: Where it shall come to rest.
        speed: Greatest speed, above 0.
        acceleration: Of both ramps, above 0.
        velocity: What it has at the start.
        base: Speed that needs no ramp.

    Raises:
        ValueError: Speed or acceleration is not above 0.
    """
    if not (speed > 0 and acceleration > 0):
        raise ValueError(f"speed {speed} and acceleration {acceleration} must be above 0")
    base = min(base, speed)
    legs: list[_Leg] = []
    here = position
    way = math.copysign(1.0, target - here)
    brake = max(0.0, velocity**2 - base**2)
    if velocity * way < 0 or brake > 2 * acceleration * abs(target - here) * (1 + 1e-12):
        legs.append(_ramp(velocity, math.copysign(min(base, abs(velocity)), velocity), acceleration))
        here += math.copysign(brake / (2 * acceleration), velocity)
        velocity = 0.0
        way = math.copysign(1.0, target - here)
    distance = abs(target - here)
    if distance < _NO_WAY:
        return Profile(at, target, _chained(at, position, legs))
    velocity = way * max(abs(velocity), base)
    top = min(speed, max(base, math.sqrt(acceleration * distance + 0.5 * (velocity**2 + base**2))))
    cruise = distance - (abs(top**2 - velocity**2) + top**2 - base**2) / (2 * acceleration)
    legs.append(_ramp(velocity, way * top, acceleration))
    if cruise > 0:
        legs.append((cruise / top, way * top, 0.0))
    legs.append(_ramp(way * top, way * base, acceleration))
    return Profile(at, target, _chained(at, position, legs))


_Leg = tuple[float, float, float]
"""Duration, velocity at its start, acceleration."""


def _ramp(velocity: float, to: float, acceleration: float) -> _Leg:
    return (abs(to - velocity) / acceleration, velocity, math.copysign(acceleration, to - velocity))


def _chained(at: float, position: float, legs: Iterable[_Leg]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for duration, velocity, acceleration in legs:
        if duration > 0:
            piece = Piece(at, duration, position, velocity, acceleration)
            pieces.append(piece)
            at, position = piece.end, piece.at(piece.end)[0]
    return tuple(pieces)


_SLACK = 1e-9
"""Seconds that rounding may put a crossing outside its piece."""


def _reached(piece: Piece, position: float) -> list[float]:
    """Times within a piece at which it is at a position."""
    offset = piece.position - position
    velocity, acceleration = piece.velocity, piece.acceleration
    if acceleration == 0:
        roots = [-offset / velocity]
    else:
        square = velocity**2 - 2 * acceleration * offset
        # At the point where it turns round, rounding decides the sign of nothing.
        if -1e-12 * (velocity**2 + abs(acceleration * offset)) <= square < 0:
            square = 0.0
        if square < 0:
            return []
        # The form without cancellation.
        q = -(velocity + math.copysign(math.sqrt(square), velocity))
        roots = [q / acceleration] + ([2 * offset / q] if q != 0 else [])
    inside = (t for t in roots if -_SLACK <= t <= piece.duration + _SLACK)
    return sorted(piece.start + min(max(t, 0.0), piece.duration) for t in inside)


def _way(piece: Piece, time: float) -> int:
    velocity = piece.at(time)[1]
    if abs(velocity) <= abs(piece.acceleration) * _SLACK:
        # At rest: it sets out the way it accelerates, and arrives against it.
        velocity = piece.acceleration if time - piece.start < 0.5 * piece.duration else -piece.acceleration
    return (velocity > 0) - (velocity < 0)
