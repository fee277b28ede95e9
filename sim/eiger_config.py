"""Configuration of a detector as SIMPLON knows it, with the couplings between its values.

Mirrors the ``detector/api/1.8.0/config`` task of the SIMPLON API: setting one value may change others, and
the reply names all that changed. Pure: a configuration in, a configuration out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from layouts.geometry import HC_EV_ANGSTROM
from layouts.stream.messages import Codec, GoniometerAxis, HeaderDetail
from sim.readout import Readout, Region

IMAGES_MAX = 2**48
"""Most frames of a series, since firmware 2022.1.2."""
GATES_MAX = 2**32 - 1
"""Most gates of an image."""
COUNT_TIME = 0.1
"""Exposure that a change of the region of interest sets, s."""
SERIES_MAX = 7 * 24 * 3600.0
"""Longest series in seconds: arm refuses a longer one."""


class ConfigError(ValueError):
    """A value the detector does not take; the configuration stays as it was."""


class TriggerMode(StrEnum):
    """SIMPLON's trigger modes that are simulated."""

    INTS = "ints"
    INTE = "inte"
    EXTS = "exts"
    EXTE = "exte"
    EXTG = "extg"

    @property
    def is_external(self) -> bool:
        """Whether pulses start the exposures, and not commands."""
        return self in (TriggerMode.EXTS, TriggerMode.EXTE, TriggerMode.EXTG)

    @property
    def is_enable(self) -> bool:
        """Whether each trigger gives one frame that lasts as long as the trigger says."""
        return self in (TriggerMode.INTE, TriggerMode.EXTE)


class GateMode(StrEnum):
    """What becomes of the gates of an image in extg, in the words of the driver's menu."""

    HDR = "HDR"
    """All in one image of 32 bits."""
    PUMP_PROBE = "Pump & Probe"
    """By turns in the two images of a pair, 16 bits each."""


class RoiMode(StrEnum):
    """SIMPLON's regions of interest."""

    DISABLED = "disabled"
    FOUR_M = "4M"


@dataclass(frozen=True, slots=True, kw_only=True)
class EigerConfig:
    """All values of a detector that can be set. Times in s, energies in eV, wavelength in Angstrom.

    Attributes:
        readout: What the model can do.
        readout_time: Dead time between two frames.
        cutoff: Highest count rate of a pixel, per second.
        trigger_start_delay: From trigger to exposure, in ints and exts.
        nexpi: Gates of an image in extg.
        goniometer: What the detector was told of the axes, by SIMPLON's names.
        stream_enabled: Whether frames are sent.
    """

    readout: Readout
    readout_time: float
    cutoff: float
    count_time: float = 0.1
    frame_time: float = 0.1000001
    photon_energy: float = 8000.0
    wavelength: float = HC_EV_ANGSTROM / 8000.0
    threshold_energy: float = 4000.0
    threshold_2_energy: float = 11200.0
    trigger_mode: TriggerMode = TriggerMode.INTS
    nimages: int = 1
    ntrigger: int = 1
    trigger_start_delay: float = 0.0
    nexpi: int = 1
    extg_mode: GateMode = GateMode.HDR
    roi_mode: RoiMode = RoiMode.DISABLED
    stream_enabled: bool = True
    auto_summation: bool = True
    countrate_correction_applied: bool = True
    flatfield_correction_applied: bool = True
    pixel_mask_applied: bool = True
    virtual_pixel_correction_applied: bool = True
    beam_center_x: float = 0.0
    beam_center_y: float = 0.0
    detector_distance: float = 0.0
    goniometer: Mapping[str, GoniometerAxis] = field(default_factory=dict[str, GoniometerAxis])
    compression: Codec = Codec.BSLZ4
    header_detail: HeaderDetail = HeaderDetail.ALL
    header_appendix: str = ""
    image_appendix: str = ""

    @property
    def frames(self) -> int:
        """Frames of a whole series."""
        return self.frames_per_trigger * self.ntrigger

    @property
    def frames_per_trigger(self) -> int:
        """Frames that one trigger gives."""
        return 1 if self.trigger_mode.is_enable else self.nimages

    @property
    def region(self) -> Region | None:
        """The region of interest; nothing where the whole area is read."""
        return self.readout.region if self.roi_mode is RoiMode.FOUR_M else None

    @property
    def rates(self) -> tuple[float, float]:
        """Frames per second of the full and of the 8-bit readout, of what is read."""
        area = self.region or self.readout
        return area.rate_16, area.rate_8

    @property
    def frame_time_min(self) -> float:
        """Shortest frame time in seconds."""
        return 1.0 / self.rates[1]

    @property
    def sub_frames(self) -> int:
        """Exposures summed into one frame; the gates of extg go into one counter."""
        if self.bit_depth_image != 32 or self.trigger_mode is TriggerMode.EXTG:
            return 1
        return self.readout.sub_frames(self.count_time, self.cutoff)

    @property
    def bit_depth_image(self) -> int:
        """Bits of a pixel in the stream: 8, 16 or 32.

        8 where it must be, beyond the rate that the 16-bit readout allows; 32 where one counter would
        overflow before the exposure ends, and sub-frames are summed; otherwise 16.
        """
        if self.trigger_mode is TriggerMode.EXTG:
            return 32 if self.extg_mode is GateMode.HDR else 16
        if self.frame_time < 1.0 / self.rates[0] - 1e-9:
            return 8
        summed = self.auto_summation and self.readout.sub_frames(self.count_time, self.cutoff) > 1
        return 32 if summed else 16

    @property
    def saturation_value(self) -> int:
        """Counts beyond which a pixel says nothing; two values below the largest are kept for marks."""
        if self.bit_depth_image == 8:
            return 255  # no protection from overflow: the counter rolls over
        if self.trigger_mode is TriggerMode.EXTG:
            return 2**self.bit_depth_image - 3
        return int(min(self.cutoff * self.count_time, 2**self.bit_depth_image - 3))


def set_value(config: EigerConfig, name: str, value: Any) -> tuple[EigerConfig, tuple[str, ...]]:
    """Set one value, with all that follows from it.

    Args:
        config: As it is.
        name: SIMPLON's name, or an axis with ``_start`` or ``_increment`` behind it.
        value: Of the right type.

    Returns:
        The new configuration, and the names of all values that changed, as SIMPLON replies.

    Raises:
        ConfigError: The detector does not take the value.
    """
    new = _coupled(config, name, value)
    changed = [f.name for f in fields(EigerConfig) if getattr(new, f.name) != getattr(config, f.name)]
    changed += [n for n in ("bit_depth_image", "saturation_value") if getattr(new, n) != getattr(config, n)]
    return new, tuple(changed)


def limits(config: EigerConfig, name: str) -> tuple[float, float] | None:
    """Least and greatest value that the detector takes, as SIMPLON tells of them; nothing without limits."""
    readout = config.readout
    low, high = readout.energy
    found: dict[str, tuple[float, float]] = {
        "count_time": (readout.count_time_min, readout.count_time_max),
        "frame_time": (config.frame_time_min, readout.count_time_max * 2),
        "photon_energy": (low, high),
        "wavelength": (HC_EV_ANGSTROM / high, HC_EV_ANGSTROM / low),
        "threshold_energy": readout.threshold,
        "threshold_2_energy": readout.threshold,
        "nimages": (1, IMAGES_MAX),
        "ntrigger": (1, IMAGES_MAX),
        "nexpi": (1, GATES_MAX),
        "trigger_start_delay": (0.0, readout.count_time_max),
    }
    return found.get(name)


def _coupled(config: EigerConfig, name: str, value: Any) -> EigerConfig:  # noqa: PLR0911 one return a rule
    match name:
        case "count_time":
            return _count_time(config, value)
        case "frame_time":
            return _frame_time(config, value)
        case "photon_energy":
            return _energy(config, value)
        case "wavelength":
            if value <= 0:
                raise ConfigError(f"wavelength {value:g} A is not above 0")
            return replace(_energy(config, HC_EV_ANGSTROM / value), wavelength=value)
        case "threshold_energy" | "threshold_2_energy":
            return _limited(config, name, value, "eV")
        case "trigger_start_delay":
            return _limited(config, name, value, "s")
        case "nexpi":
            return _limited(config, name, int(value), "")
        case "nimages" | "ntrigger":
            return _count(config, name, value)
        case "roi_mode":
            return _roi(config, RoiMode(value))
        case "trigger_mode":
            mode = TriggerMode(value)
            return replace(config, trigger_mode=mode, nimages=1 if mode.is_enable else config.nimages)
        case _:
            return _plain(config, name, value)


def _count_time(config: EigerConfig, value: float) -> EigerConfig:
    _limited(config, "count_time", value, "s")
    frame_time = config.frame_time
    if value > frame_time - config.readout_time + 1e-12:
        frame_time = max(value + config.readout_time, config.frame_time_min)
    return replace(config, count_time=value, frame_time=frame_time)


def _frame_time(config: EigerConfig, value: float) -> EigerConfig:
    _limited(config, "frame_time", value, "s")
    count_time = config.count_time
    if count_time > value - config.readout_time + 1e-12:
        count_time = value - config.readout_time
    return replace(config, frame_time=value, count_time=count_time)


def _energy(config: EigerConfig, value: float) -> EigerConfig:
    _limited(config, "photon_energy", value, "eV")
    return replace(
        config,
        photon_energy=value,
        wavelength=HC_EV_ANGSTROM / value,
        threshold_energy=0.5 * value,
        threshold_2_energy=1.4 * value,
    )


def _count(config: EigerConfig, name: str, value: int) -> EigerConfig:
    _limited(config, name, value, "")
    if name == "nimages" and value != 1 and config.trigger_mode.is_enable:
        raise ConfigError(f"nimages must be 1 in trigger mode {config.trigger_mode}; set ntrigger instead")
    new = _replace(config, name, int(value))
    if new.frames > IMAGES_MAX:
        raise ConfigError(f"nimages * ntrigger = {new.frames}; the detector takes up to {IMAGES_MAX}")
    return new


def _roi(config: EigerConfig, mode: RoiMode) -> EigerConfig:
    """Another area: times go back to their defaults, and the beam stays where it is on the sensor."""
    if mode is config.roi_mode:
        return config
    region = config.readout.region
    if region is None:
        raise ConfigError("roi_mode: this model reads its whole area; a 9M or 16M has a region of 4M")
    sign = -1 if mode is RoiMode.FOUR_M else 1
    return replace(
        config,
        roi_mode=mode,
        count_time=COUNT_TIME,
        frame_time=COUNT_TIME + config.readout_time,
        beam_center_x=config.beam_center_x + sign * region.x,
        beam_center_y=config.beam_center_y + sign * region.y,
    )


def _limited(config: EigerConfig, name: str, value: float, units: str) -> EigerConfig:
    low, high = limits(config, name) or (value, value)
    if not low <= value <= high:
        raise ConfigError(f"{name} {value:g} {units}: the detector takes {low:g} to {high:g} {units}".strip())
    return _replace(config, name, value)


def _plain(config: EigerConfig, name: str, value: Any) -> EigerConfig:
    axis, _, what = name.rpartition("_")
    if axis in ("omega", "chi", "kappa", "phi", "two_theta") and what in ("start", "increment"):
        old = config.goniometer.get(axis, GoniometerAxis(0.0, 0.0))
        new = GoniometerAxis(value, old.increment) if what == "start" else GoniometerAxis(old.start, value)
        return replace(config, goniometer={**config.goniometer, axis: new})
    settable = {f.name for f in fields(EigerConfig)} - {"readout", "readout_time", "cutoff", "goniometer"}
    if name not in settable:
        raise ConfigError(f"{name!r} is no value of this detector that can be set")
    return _replace(config, name, type(getattr(config, name))(value))


def _replace(config: EigerConfig, name: str, value: Any) -> EigerConfig:
    return replace(config, **{name: value})
