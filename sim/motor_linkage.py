"""How the settings of a motor record follow one another when one of them is put.

Mirrors what motorRecord does: speeds in units and in revolutions, limits in user, dial and raw coordinates,
resolutions, times and rates of acceleration. Pure; nothing here moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ioc.menus import Direction as Sense
from ioc.menus import NoYes as Whether
from ioc.menus import OffsetMode, UseSet
from ioc.records import PutError
from ioc.tables.motor_menus import AccelerationUsed
from sim.motor_settings import PLAIN, Settings, above

_SHORTEST, _LONGEST = 1e-9, 1e9
"""A step shorter than this is an error, and the record makes it 1; a longer one is refused."""


def put_setting(settings: Settings, field: str, value: Any) -> Settings:
    """The settings after a put, with everything that follows from it.

    Args:
        settings: Before it.
        field: Name of the record's field.
        value: Of the field's type; menus are their string.

    Raises:
        KeyError: No setting has the name.
        PutError: The value makes no sense for the field.
    """
    if field in PLAIN:
        return replace(settings, **{PLAIN[field]: value})
    return _SETTERS[field](settings, value)


def is_setting(field: str) -> bool:
    """Whether a field is a setting."""
    return field in PLAIN or field in _SETTERS


def consistent(s: Settings) -> Settings:
    """Settings from a file with what the record makes of them at boot."""
    s = _follow_velocity(_checked_speeds(s))
    return reachable(replace(s, encoder_resolution=s.encoder_resolution or s.resolution))


# --- speeds -------------------------------------------------------------------------------------------------


def _range(s: Settings, speed: float) -> float:
    speed = max(speed, s.velocity_base)
    return min(speed, s.velocity_max) if s.velocity_max != 0.0 else speed


def _checked_speeds(s: Settings) -> Settings:
    return replace(
        s,
        velocity=_range(s, s.velocity),
        backlash_velocity=_range(s, s.backlash_velocity),
        jog_velocity=_range(s, s.jog_velocity),
        home_velocity=_range(s, s.home_velocity),
    )


def _follow_velocity(s: Settings) -> Settings:
    """Of time and rate of acceleration, what is not used follows."""
    way = above(s.velocity, s.velocity_base)
    if s.acceleration_used is AccelerationUsed.TIME:
        return replace(s, acceleration=way / s.ramp)
    return replace(s, ramp=way / s.acceleration) if s.acceleration > 0 and way > 0 else s


def _velocity(s: Settings, value: float) -> Settings:
    return _follow_velocity(replace(s, velocity=_range(s, value)))


def _velocity_base(s: Settings, value: float) -> Settings:
    base = max(0.0, value)
    most = base if 0.0 != s.velocity_max < base else s.velocity_max
    return _follow_velocity(_checked_speeds(replace(s, velocity_base=base, velocity_max=most)))


def _velocity_max(s: Settings, value: float) -> Settings:
    most = max(0.0, value)
    base = most if 0.0 != most < s.velocity_base else s.velocity_base
    return _follow_velocity(_checked_speeds(replace(s, velocity_base=base, velocity_max=most)))


def _ramp(s: Settings, value: float) -> Settings:
    ramp = value if value > 0 else 0.1
    return replace(s, ramp=ramp, acceleration=above(s.velocity, s.velocity_base) / ramp)


def _acceleration(s: Settings, value: float) -> Settings:
    way = above(s.velocity, s.velocity_base)
    if value <= 0:
        return replace(s, acceleration=way / s.ramp)
    return replace(s, acceleration=value, ramp=way / value if way > 0 else s.ramp)


def _jog_acceleration(s: Settings, value: float) -> Settings:
    return replace(s, jog_acceleration=value if value > 0 else s.jog_velocity / 0.1)


def _turning(speed: Callable[[Settings, float], Settings]) -> Callable[[Settings, float], Settings]:
    """The same speed in revolutions."""
    return lambda s, value: speed(s, value * abs(s.turn))


# --- scale --------------------------------------------------------------------------------------------------


def reachable(s: Settings) -> Settings:
    """A retry deadband of less than a step could never be reached."""
    return replace(s, retry_deadband=max(s.retry_deadband, abs(s.resolution)))


def _resolution(s: Settings, value: float) -> Settings:
    """Speeds in revolutions and limits in steps stay; what they are in units follows."""
    if abs(value) > _LONGEST:
        raise PutError(f"MRES: a step of {value:g} is no use to a motor; at most {_LONGEST:g} is right")
    value = value if abs(value) >= _SHORTEST else 1.0
    ratio = abs(value / s.resolution)
    raw = s.raw_limits
    ends = sorted((raw[0] * value, raw[1] * value)) if s.low <= s.high else (s.low, s.high)
    return reachable(
        replace(
            s,
            resolution=value,
            low=ends[0],
            high=ends[1],
            velocity=s.velocity * ratio,
            velocity_base=s.velocity_base * ratio,
            velocity_max=s.velocity_max * ratio,
            backlash_velocity=s.backlash_velocity * ratio,
        )
    )


def _steps(s: Settings, value: int) -> Settings:
    """A revolution keeps its length."""
    steps = value if value > 0 else 200
    resolution = s.turn / steps
    return reachable(replace(s, steps=steps, resolution=resolution))


def _use_encoder(s: Settings, value: Whether) -> Settings:
    return replace(s, use_encoder=value, use_link=Whether.NO if value is Whether.YES else s.use_link)


def _use_link(s: Settings, value: Whether) -> Settings:
    return replace(s, use_link=value, use_encoder=Whether.NO if value is Whether.YES else s.use_encoder)


def _user_limit(*, high: bool) -> Callable[[Settings, float], Settings]:
    def to(s: Settings, user: float) -> Settings:
        upper = high == (s.direction is Sense.POS)
        return replace(s, high=s.dial(user)) if upper else replace(s, low=s.dial(user))

    return to


def _gain(name: str) -> Callable[[Settings, float], Settings]:
    return lambda s, value: replace(s, **{name: min(max(value, 0.0), 1.0)})


_SETTERS: dict[str, Callable[[Settings, Any], Settings]] = {
    "VELO": _velocity,
    "VBAS": _velocity_base,
    "VMAX": _velocity_max,
    "BVEL": lambda s, value: replace(s, backlash_velocity=_range(s, value)),
    "JVEL": lambda s, value: replace(s, jog_velocity=_range(s, value)),
    "HVEL": lambda s, value: replace(s, home_velocity=_range(s, value)),
    "S": _turning(_velocity),
    "SBAS": _turning(_velocity_base),
    "SMAX": _turning(_velocity_max),
    "SBAK": _turning(lambda s, value: replace(s, backlash_velocity=_range(s, value))),
    "ACCL": _ramp,
    "ACCS": _acceleration,
    "BACC": lambda s, value: replace(s, backlash_ramp=value if value > 0 else 0.1),
    "JAR": _jog_acceleration,
    "HLM": _user_limit(high=True),
    "LLM": _user_limit(high=False),
    "OFF": lambda s, value: replace(s, offset=value),
    "FOF": lambda s, _: replace(s, freeze=OffsetMode.FROZEN),
    "VOF": lambda s, _: replace(s, freeze=OffsetMode.VARIABLE),
    "SSET": lambda s, _: replace(s, use=UseSet.SET),
    "SUSE": lambda s, _: replace(s, use=UseSet.USE),
    "MRES": _resolution,
    "UREV": lambda s, value: _resolution(s, value / s.steps),
    "SREV": _steps,
    "ERES": lambda s, value: replace(s, encoder_resolution=value or s.resolution),
    "UEIP": _use_encoder,
    "URIP": _use_link,
    "RDBD": lambda s, value: reachable(replace(s, retry_deadband=value)),
    "FRAC": lambda s, value: replace(s, fraction=min(max(value, 0.1), 1.5)),
    "NTMF": lambda s, value: replace(s, new_target_factor=max(2, value)),
    "CNEN": lambda s, value: replace(s, torque=value),
    "PCOF": _gain("gain_p"),
    "ICOF": _gain("gain_i"),
    "DCOF": _gain("gain_d"),
}
