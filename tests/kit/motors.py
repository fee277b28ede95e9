"""Pure motors for tests, and what becomes of them."""

from collections.abc import Iterator

from sim.motor import Motor, motor_at
from sim.motor_drive import Drive
from sim.motor_fields import fields
from sim.motor_puts import put, tick
from sim.motor_settings import Settings
from sim.profile import rest

_DRIVE = {"hard": (-105.0, 105.0)}
_SETTINGS = {
    **dict.fromkeys(("velocity", "jog_velocity", "home_velocity", "backlash_velocity"), 10.0),
    **dict.fromkeys(("ramp", "backlash_ramp"), 0.1),
    "low": -100.0,
    "high": 100.0,
    "jog_acceleration": 100.0,
}


def made(position: float = 0.0, *, drive: dict[str, object] | None = None, **settings: object) -> Motor:
    """A motor at rest with limits at 100 and switches at 105, at 10 units per second after 0.1 s."""
    at = Drive(profile=rest(0.0, position), **_DRIVE | (drive or {}))  # type: ignore[arg-type]
    return motor_at(at, Settings(**_SETTINGS | settings), 0.0)  # type: ignore[arg-type]


def free(**settings: object) -> Motor:
    """A motor that nothing ends."""
    return made(drive={"hard": None}, low=0.0, high=0.0, **settings)


def told(motor: Motor, *puts: tuple[str, object], now: float = 0.0) -> Motor:
    """The motor after some puts, at once."""
    for field, value in puts:
        motor = put(motor, field, value, now)[-1]
    return motor


def course(motor: Motor, until: float = 1e6) -> Iterator[tuple[float, Motor]]:
    """Each state that comes by itself, with its time."""
    while motor.due <= until:
        now = motor.due
        for state in tick(motor, now):
            yield now, state
            motor = state


def rested(motor: Motor) -> Motor:
    """The motor when nothing more will happen."""
    for _, after in course(motor):
        motor = after
    return motor


def moved(motor: Motor, field: str, value: object, now: float = 0.0) -> Motor:
    """The motor after a put and all that came of it."""
    return rested(told(motor, (field, value), now=now))


def watched(motor: Motor, start: float, end: float, every: float = 0.05) -> Motor:
    """The motor at a time, looked at as often as the shell does."""
    now = start
    while now < end:
        now = min(now + every, motor.due if motor.due > now else now + every, end)
        motor = tick(motor, now)[-1]
    return motor


def shown(motor: Motor, *names: str, now: float = 1e9) -> tuple[object, ...]:
    """Values of fields; a single one is a tuple too."""
    view = fields(motor, now)
    return tuple(view[name] for name in names)
