"""A position-compare box: pulses at the times at which a motor crosses a position.

Pure. The motor's profile is known, so the time of each crossing is known before it comes; who owns the clock
asks for it, and then lets time pass. A pulse carries the time of its crossing, whenever it is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.profile import Profile

ONCE = 1e-6
"""Seconds within which a crossing is the same one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionTrigger:
    """The box.

    Attributes:
        profile: Motion of the motor that is watched, in physical positions.
        position: Physical position that fires.
        direction: 1 or -1 fires on crossings that way only, 0 on both.
        pulses: How many pulses before it disarms itself; 0 is any number.
        armed: Whether it waits.
        after: Crossings before that time do not count.
        fired: Pulses since it was armed.
    """

    profile: Profile
    position: float = 0.0
    direction: int = 0
    pulses: int = 1
    armed: bool = False
    after: float = 0.0
    fired: int = 0

    @property
    def due(self) -> float | None:
        """Time of the next pulse, as far as the motion is known."""
        if not self.armed:
            return None
        return self.profile.crossing(self.position, self.after, self.direction)


def arm(trigger: PositionTrigger, now: float) -> PositionTrigger:
    """Wait for crossings from now on."""
    return replace(trigger, armed=True, after=now, fired=0)


def disarm(trigger: PositionTrigger) -> PositionTrigger:
    """Wait no more."""
    return replace(trigger, armed=False)


def elapse(trigger: PositionTrigger, now: float) -> tuple[PositionTrigger, tuple[float, ...]]:
    """Let time pass.

    Returns:
        The box then, and the times of the pulses it has given, each not later than now.
    """
    pulses: list[float] = []
    while (due := trigger.due) is not None and due <= now:
        pulses.append(due)
        fired = trigger.fired + 1
        trigger = replace(trigger, after=due + ONCE, fired=fired, armed=fired != trigger.pulses)
    return trigger, tuple(pulses)


def moved(trigger: PositionTrigger, profile: Profile) -> tuple[PositionTrigger, tuple[float, ...]]:
    """The motor goes another way from the profile's start on; what it crossed before then still counts."""
    trigger, pulses = elapse(trigger, profile.start)
    return replace(trigger, profile=profile), pulses
