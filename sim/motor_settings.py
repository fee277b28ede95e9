"""The settings of a motor record: what clients set, and the fields that follow from it.

Mirrors motorRecord.dbd. How a put to one changes the others is in sim/motor_linkage.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ioc.menus import Direction as Sense
from ioc.menus import DisableEnable, OffsetMode, UseSet
from ioc.menus import NoYes as Whether
from ioc.tables.motor_menus import AccelerationUsed, AlarmLevel, NoYes, OutputMode, RetryMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What clients set; defaults are those of a record that a beamline's template has filled in."""

    offset: float = 0.0
    direction: Sense = Sense.POS
    freeze: OffsetMode = OffsetMode.VARIABLE
    use: UseSet = UseSet.USE
    ignore_set: int = 0
    output_mode: OutputMode = OutputMode.SUPERVISORY
    low: float = 0.0
    """Dial; with ``high``, both 0 means no limits."""
    high: float = 0.0
    resolution: float = 1e-4
    steps: int = 200
    encoder_resolution: float = 1e-4
    use_encoder: Whether = Whether.NO
    use_link: Whether = Whether.NO
    velocity: float = 1.0
    velocity_base: float = 0.0
    velocity_max: float = 0.0
    """0 means no maximum."""
    ramp: float = 0.2
    acceleration: float = 5.0
    acceleration_used: AccelerationUsed = AccelerationUsed.TIME
    jog_velocity: float = 1.0
    jog_acceleration: float = 5.0
    home_velocity: float = 1.0
    backlash: float = 0.0
    backlash_velocity: float = 1.0
    backlash_ramp: float = 0.2
    fraction: float = 1.0
    retries: int = 10
    retry_mode: RetryMode = RetryMode.DEFAULT
    retry_deadband: float = 1e-4
    setpoint_deadband: float = 0.0
    tweak: float = 1.0
    delay: float = 0.0
    new_target: NoYes = NoYes.YES
    new_target_factor: int = 2
    monitor_deadband: float = 0.0
    archive_deadband: float = 0.0
    limit_severity: AlarmLevel = AlarmLevel.NO_ALARM
    torque: DisableEnable = DisableEnable.ENABLE
    gain_p: float = 0.0
    gain_i: float = 0.0
    gain_d: float = 0.0
    alarm_high: float = 0.0
    alarm_low: float = 0.0
    warning_high: float = 0.0
    warning_low: float = 0.0
    disabled: int = 0
    disable_value: int = 1
    disable_severity: AlarmLevel = AlarmLevel.NO_ALARM
    puts_disabled: int = 0
    undefined: int = 0

    @property
    def sign(self) -> int:
        """1 or -1, as DIR is."""
        return 1 if self.direction is Sense.POS else -1

    @property
    def turn(self) -> float:
        """UREV."""
        return self.resolution * self.steps

    @property
    def limited(self) -> bool:
        """Whether it has soft limits."""
        return (self.low, self.high) != (0.0, 0.0)

    @property
    def user_limits(self) -> tuple[float, float]:
        """LLM and HLM."""
        low, high = self.user(self.low), self.user(self.high)
        return (low, high) if self.sign > 0 else (high, low)

    @property
    def raw_limits(self) -> tuple[float, float]:
        """RLLM and RHLM: raw coordinates run the other way where MRES is negative."""
        low, high = self.low / self.resolution, self.high / self.resolution
        return (low, high) if self.resolution > 0 else (high, low)

    @property
    def setting(self) -> bool:
        """Whether a target redefines the position."""
        return self.use is UseSet.SET and not self.ignore_set

    @property
    def off(self) -> bool:
        """Whether the record is disabled: puts are kept and nothing comes of them."""
        return self.disabled == self.disable_value

    def user(self, dial: float) -> float:
        """User coordinates of a dial position."""
        return tidy(dial * self.sign + self.offset, dial, self.offset)

    def dial(self, user: float) -> float:
        """Dial position of user coordinates."""
        return (user - self.offset) * self.sign

    def rate(self, velocity: float) -> float:
        """Acceleration of a move at a velocity, units per square second."""
        if self.acceleration_used is AccelerationUsed.RATE:
            return self.acceleration
        return above(velocity, self.velocity_base) / self.ramp


def tidy(value: float, *terms: float) -> float:
    """A value to the 15 digits that it and the terms of its sum have.

    3000 steps of 0.0001 are 0.3 and compare equal to it, and what a sum leaves of two equal terms is 0.
    """
    largest = max(abs(value), *(abs(term) for term in terms), 1e-9)
    if not math.isfinite(largest):
        return value
    return round(value, 14 - math.floor(math.log10(largest)))


def above(velocity: float, base: float) -> float:
    """What a ramp has to make good: speeds up to the base speed need none, but are given one."""
    return abs(velocity) - base if abs(velocity) > base else abs(velocity)


PLAIN = {
    "FOFF": "freeze",
    "SET": "use",
    "IGSET": "ignore_set",
    "OMSL": "output_mode",
    "ACCU": "acceleration_used",
    "BDST": "backlash",
    "RTRY": "retries",
    "RMOD": "retry_mode",
    "SPDB": "setpoint_deadband",
    "TWV": "tweak",
    "DLY": "delay",
    "NTM": "new_target",
    "MDEL": "monitor_deadband",
    "ADEL": "archive_deadband",
    "HLSV": "limit_severity",
    "HIHI": "alarm_high",
    "LOLO": "alarm_low",
    "HIGH": "warning_high",
    "LOW": "warning_low",
    "DHLM": "high",
    "DLLM": "low",
    "DISA": "disabled",
    "DISV": "disable_value",
    "DISS": "disable_severity",
    "DISP": "puts_disabled",
    "UDF": "undefined",
}
"""Fields that take what is put, whatever it is."""


def shown(s: Settings) -> dict[str, Any]:
    """Every field that follows from the settings."""
    turn = abs(s.turn)
    user, raw = s.user_limits, s.raw_limits
    return {field: getattr(s, name) for field, name in PLAIN.items()} | {
        "OFF": s.offset,
        "DIR": s.direction,
        "HLM": user[1],
        "LLM": user[0],
        "RHLM": raw[1],
        "RLLM": raw[0],
        "MRES": s.resolution,
        "SREV": s.steps,
        "UREV": s.turn,
        "ERES": s.encoder_resolution,
        "UEIP": s.use_encoder,
        "URIP": s.use_link,
        "VELO": s.velocity,
        "VBAS": s.velocity_base,
        "VMAX": s.velocity_max,
        "BVEL": s.backlash_velocity,
        "S": s.velocity / turn,
        "SBAS": s.velocity_base / turn,
        "SMAX": s.velocity_max / turn,
        "SBAK": s.backlash_velocity / turn,
        "ACCL": s.ramp,
        "ACCS": s.acceleration,
        "BACC": s.backlash_ramp,
        "JVEL": s.jog_velocity,
        "JAR": s.jog_acceleration,
        "HVEL": s.home_velocity,
        "FRAC": s.fraction,
        "RDBD": s.retry_deadband,
        "NTMF": s.new_target_factor,
        "CNEN": s.torque,
        "PCOF": s.gain_p,
        "ICOF": s.gain_i,
        "DCOF": s.gain_d,
    }
