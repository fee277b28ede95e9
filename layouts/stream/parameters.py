"""What a start message says, in the one vocabulary of ``SeriesParameters``, whatever its version and detail.

Anything may be absent, and a value of another type than documented counts as absent: a detector's new
firmware is no reason to lose its frames. The other direction is ``config_v1`` and ``config_v2``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from layouts.stream.arrays import PIXEL_TYPES, THRESHOLD_1
from layouts.stream.configs import config_v1, config_v2
from layouts.stream.messages import GoniometerAxis, SeriesParameters, Start

__all__ = ["AXES", "config_v1", "config_v2", "parameters"]

AXES: Final = ("chi", "kappa", "omega", "phi", "two_theta")
"""Goniometer axes as SIMPLON names them."""


def parameters(start: Start) -> SeriesParameters:
    """The parameters of a series.

    Args:
        start: Its start message; all is None where version 1 was told to say nothing.
    """
    return _from_v1(_Words(start.config)) if start.version == 1 else _from_v2(_Words(start.config))


class _Words:
    """A start message's values, each given only if it is of the right type."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def real(self, key: str) -> float | None:
        return _real(self._config.get(key))

    def whole(self, key: str) -> int | None:
        value = self._config.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, key: str) -> bool | None:
        value = self._config.get(key)
        return value if isinstance(value, bool) else None

    def text(self, key: str) -> str | None:
        value = self._config.get(key)
        return value if isinstance(value, str) else None

    def pair(self, first: str, second: str) -> tuple[float, float] | None:
        x, y = self.real(first), self.real(second)
        return None if x is None or y is None else (x, y)

    def size(self, first: str, second: str) -> tuple[int, int] | None:
        x, y = self.whole(first), self.whole(second)
        return None if x is None or y is None else (x, y)

    def items(self, key: str) -> list[Any]:
        value = self._config.get(key)
        return cast("list[Any]", value) if isinstance(value, list) else []

    def pairs(self, key: str) -> dict[str, Any]:
        value = self._config.get(key)
        return cast("dict[str, Any]", value) if isinstance(value, dict) else {}

    def translation(self) -> tuple[float, float, float] | None:
        match [_real(value) for value in self.items("detector_translation")]:
            case [float(x), float(y), float(z)]:
                return x, y, z
            case _:
                return None


def _real(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _from_v1(said: _Words) -> SeriesParameters:
    per_trigger, triggers = said.whole("nimages"), said.whole("ntrigger")
    threshold = said.real("threshold_energy")
    depth = said.whole("bit_depth_image")
    dtype = f"uint{depth}"
    cutoff = said.whole("countrate_correction_count_cutoff")
    return SeriesParameters(
        arm_date=said.text("data_collection_date"),
        images=None if per_trigger is None or triggers is None else per_trigger * triggers,
        images_per_trigger=per_trigger,
        triggers=triggers,
        trigger_mode=said.text("trigger_mode"),
        count_time=said.real("count_time"),
        frame_time=said.real("frame_time"),
        readout_time=said.real("detector_readout_time"),
        energy=said.real("photon_energy"),
        wavelength=said.real("wavelength"),
        threshold_energy={} if threshold is None else {THRESHOLD_1: threshold},
        goniometer=_v1_goniometer(said),
        image_size=said.size("x_pixels_in_detector", "y_pixels_in_detector"),
        dtype=dtype if dtype in PIXEL_TYPES else None,
        bit_depth_image=depth,
        bit_depth_readout=said.whole("bit_depth_readout"),
        beam_center=said.pair("beam_center_x", "beam_center_y"),
        detector_distance=said.real("detector_distance"),
        detector_translation=said.translation(),
        description=said.text("description"),
        serial_number=said.text("detector_number"),
        pixel_size=said.pair("x_pixel_size", "y_pixel_size"),
        sensor_material=said.text("sensor_material"),
        sensor_thickness=said.real("sensor_thickness"),
        # Both are counts of a whole image above which the correction is not to be trusted.
        saturation_value=cutoff,
        countrate_cutoff=cutoff,
        countrate_correction_applied=said.flag("countrate_correction_applied"),
        flatfield_applied=said.flag("flatfield_correction_applied"),
        pixel_mask_applied=said.flag("pixel_mask_applied"),
        virtual_pixel_correction_applied=said.flag("virtual_pixel_correction_applied"),
        software_version=said.text("software_version"),
        firmware_version=said.text("eiger_fw_version"),
    )


def _v1_goniometer(said: _Words) -> dict[str, GoniometerAxis]:
    found: dict[str, GoniometerAxis] = {}
    for axis in AXES:
        start, increment = said.real(f"{axis}_start"), said.real(f"{axis}_increment")
        if start is not None and increment is not None:
            found[axis] = GoniometerAxis(start, increment)
    return found


def _from_v2(said: _Words) -> SeriesParameters:
    dtype = said.text("image_dtype")
    channels = tuple(name for name in said.items("channels") if isinstance(name, str))
    thresholds = {channel: _real(energy) for channel, energy in said.pairs("threshold_energy").items()}
    known = dtype if dtype in PIXEL_TYPES else None
    return SeriesParameters(
        arm_date=said.text("arm_date"),
        images=said.whole("number_of_images"),
        count_time=said.real("count_time"),
        frame_time=said.real("frame_time"),
        energy=said.real("incident_energy"),
        wavelength=said.real("incident_wavelength"),
        threshold_energy={channel: energy for channel, energy in thresholds.items() if energy is not None},
        channels=channels or (THRESHOLD_1,),
        goniometer=_v2_goniometer(said),
        image_size=said.size("image_size_x", "image_size_y"),
        dtype=known,
        bit_depth_image=None if known is None else int(known.removeprefix("uint")),
        beam_center=said.pair("beam_center_x", "beam_center_y"),
        detector_translation=said.translation(),
        description=said.text("detector_description"),
        serial_number=said.text("detector_serial_number"),
        pixel_size=said.pair("pixel_size_x", "pixel_size_y"),
        sensor_material=said.text("sensor_material"),
        sensor_thickness=said.real("sensor_thickness"),
        saturation_value=said.whole("saturation_value"),
        countrate_correction_applied=said.flag("countrate_correction_enabled"),
        flatfield_applied=said.flag("flatfield_enabled"),
        pixel_mask_applied=said.flag("pixel_mask_enabled"),
        virtual_pixel_correction_applied=said.flag("virtual_pixel_interpolation_enabled"),
    )


def _v2_goniometer(said: _Words) -> dict[str, GoniometerAxis]:
    found: dict[str, GoniometerAxis] = {}
    for axis, value in said.pairs("goniometer").items():
        match value:
            case {"start": int() | float() as start, "increment": int() | float() as increment}:
                found[axis] = GoniometerAxis(float(start), float(increment))
            case _:
                continue
    return found
