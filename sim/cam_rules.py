"""What a camera makes of a value that was put: taken, brought to a limit, left out, or refused.

Mirrors EigerParam::put: numbers beyond SIMPLON's limits are brought to the limit, and energies that differ
by less than an epsilon are not sent. What a simulated detector has not is refused with a sentence. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ioc.menus import DataSource, DisableEnable, RoiMode
from layouts.beamline import Detector
from sim.cam_values import NUMBERS, identity
from sim.eiger_config import ConfigError, EigerConfig, limits

_COUNTS = {"NumImages": (1, 2**31 - 1), "NumTriggers": (1, 2**31 - 1)}
_EPSILONS = {
    "PhotonEnergy": "EnergyEps",
    "ThresholdEnergy": "EnergyEps",
    "Threshold2Energy": "EnergyEps",
    "Wavelength": "WavelengthEps",
}
PERMISSIONS = 0o666
"""Bits of FilePerms that the driver keeps."""
RESET_TIME = (1.0, 600.0)
"""Shortest and longest reset of the high voltage, s."""
_ONE_THRESHOLD: dict[str, tuple[Any, str]] = {
    "Threshold1Enable": (DisableEnable.ENABLE, "the first threshold is always counted"),
    "Threshold2Enable": (DisableEnable.DISABLE, "one threshold is simulated"),
    "ThresholdDiffEnable": (DisableEnable.DISABLE, "one threshold is simulated"),
}


class Taken(NamedTuple):
    """What the detector takes, and what is to be said where that is not what was put."""

    value: Any
    note: str = ""


def taken(pv: str, value: Any, config: EigerConfig, detector: Detector) -> Taken:
    """What the detector takes of a put.

    Args:
        pv: Name of the setpoint.
        value: Of the record's kind.
        config: As it is.
        detector: What it is.

    Raises:
        ConfigError: It has one value there, or the value means nothing; says what is right.
    """
    if isinstance(value, float) and math.isnan(value):
        raise ConfigError(f"{pv}: nan is no number")
    only, why = _only(pv, detector)
    if only is not None and value != only:
        raise ConfigError(f"{pv}: {value} is not possible, {why}; {only} is right")
    match pv:
        case "DataSource" if value == DataSource.FILE_WRITER:
            raise ConfigError("DataSource: the detector's own file writer makes no files; use Stream or None")
        case "FWNamePattern" if "$id" not in str(value):
            raise ConfigError(f"FWNamePattern: {value!r} has no $id, where the series' number goes")
        case "ROIMode" if value == RoiMode.FOUR_M and config.readout.region is None:
            return Taken(
                RoiMode.DISABLE, f"ROIMode: an {detector.model} has no region of 4M; Disable was taken"
            )
        case "FilePerms":
            kept = float(int(value) & PERMISSIONS)
            return Taken(kept, "" if kept == value else f"FilePerms: {int(kept)} was taken, the bits of 0666")
        case _:
            return _brought_to_limits(pv, value, config)


def is_left_out(pv: str, value: Any, config: EigerConfig, pvs: Callable[[str], Any]) -> bool:
    """Whether a change is too small to be sent.

    Args:
        pv: Name of the setpoint.
        value: What was put.
        config: As it is.
        pvs: Gives a PV's value by its name: EnergyEps, WavelengthEps.
    """
    epsilon = _EPSILONS.get(pv)
    return epsilon is not None and abs(value - getattr(config, NUMBERS[pv])) < float(pvs(epsilon))


def _only(pv: str, detector: Detector) -> tuple[Any, str]:
    if pv == "StreamVersion":
        return identity(detector)[pv], "the beamline file says so (detectors.stream.version)"
    return _ONE_THRESHOLD.get(pv, (None, ""))


def _brought_to_limits(pv: str, value: Any, config: EigerConfig) -> Taken:
    name = NUMBERS.get(pv, "")
    if pv == "AcquirePeriod" and value == 0:
        return Taken(value)  # as short as it gets
    low, high = _COUNTS.get(pv) or limits(config, name) or (value, value)
    kept = min(max(value, low), high)
    if kept == value:
        return Taken(value)
    what = f"{pv} ({name})" if name else pv
    return Taken(kept, f"{what}: {value:g} is beyond {low:g} to {high:g}; {kept:g} was taken")
