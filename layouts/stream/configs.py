"""Parameters of a series in a detector's own words: what its start message holds, key for key.

The keys and their order are those of recorded messages of real detectors. What has no default here must be
given: a start message without it would be of no use.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec, GoniometerAxis, SeriesParameters

HC: Final = 12398.419843320026
"""Energy (eV) times wavelength (Angstrom)."""

_AT_REST: Final = GoniometerAxis(0.0, 0.0)
_T = TypeVar("_T")


def config_v1(
    parameters: SeriesParameters,
    *,
    compression: Codec = Codec.BSLZ4,
    auto_summation: bool = True,
    element: str = "",
    frame_count_time: float | None = None,
    frame_period: float | None = None,
    number_of_excluded_pixels: int = 0,
    roi_mode: str = "",
) -> dict[str, Any]:
    """Part 2 of a start message of version 1: 48 keys, alphabetical.

    Axes that the parameters do not name are said to be at 0, as detectors do.

    Args:
        parameters: What the series is.
        compression: How frames are packed.
        auto_summation: Whether long exposures are summed from short ones.
        element: Whose fluorescence line the energy is; empty if none.
        frame_count_time: Seconds of one summed exposure; the count time unless given.
        frame_period: Seconds from one summed exposure to the next; the frame time unless given.
        number_of_excluded_pixels: How many the mask marks.
        roi_mode: Empty for the whole detector.

    Raises:
        StreamError: A parameter is missing; says which.
    """
    p = _Given(parameters, 1)
    energy = p.real("energy", parameters.energy)
    width, height = p("image_size", parameters.image_size)
    x_size, y_size = map(float, p("pixel_size", parameters.pixel_size))
    count_time = p.real("count_time", parameters.count_time)
    frame_time = p.real("frame_time", parameters.frame_time)
    beam_x, beam_y = map(float, parameters.beam_center or (0.0, 0.0))
    threshold = float(parameters.threshold_energy.get(parameters.channels[0], energy / 2))
    return {
        "auto_summation": auto_summation,
        "beam_center_x": beam_x,
        "beam_center_y": beam_y,
        "bit_depth_image": p("bit_depth_image", parameters.bit_depth_image),
        "bit_depth_readout": p("bit_depth_readout", parameters.bit_depth_readout),
        **_axis(parameters, "chi"),
        "compression": compression.value,
        "count_time": count_time,
        "countrate_correction_applied": _flag(parameters.countrate_correction_applied),
        "countrate_correction_count_cutoff": p(
            "countrate_cutoff", _first(parameters.countrate_cutoff, parameters.saturation_value)
        ),
        "data_collection_date": p("arm_date", parameters.arm_date),
        "description": p("description", parameters.description),
        "detector_distance": float(parameters.detector_distance or 0.0),
        "detector_number": p("serial_number", parameters.serial_number),
        "detector_readout_time": p.real("readout_time", parameters.readout_time),
        "detector_translation": [
            float(value) for value in parameters.detector_translation or (0.0, 0.0, 0.0)
        ],
        "eiger_fw_version": parameters.firmware_version or "",
        "element": element,
        "flatfield_correction_applied": _flag(parameters.flatfield_applied),
        "frame_count_time": count_time if frame_count_time is None else frame_count_time,
        "frame_period": frame_time if frame_period is None else frame_period,
        "frame_time": frame_time,
        **_axis(parameters, "kappa"),
        "nimages": p("images_per_trigger", _first(parameters.images_per_trigger, parameters.images)),
        "ntrigger": _first(parameters.triggers, 1),
        "number_of_excluded_pixels": number_of_excluded_pixels,
        **_axis(parameters, "omega"),
        **_axis(parameters, "phi"),
        "photon_energy": energy,
        "pixel_mask_applied": _flag(parameters.pixel_mask_applied),
        "roi_mode": roi_mode,
        "sensor_material": p("sensor_material", parameters.sensor_material),
        "sensor_thickness": p.real("sensor_thickness", parameters.sensor_thickness),
        "software_version": parameters.software_version or "",
        "threshold_energy": threshold,
        "trigger_mode": parameters.trigger_mode or "ints",
        **_axis(parameters, "two_theta"),
        "virtual_pixel_correction_applied": _flag(parameters.virtual_pixel_correction_applied),
        "wavelength": float(_first(parameters.wavelength, HC / energy)),
        "x_pixel_size": x_size,
        "x_pixels_in_detector": width,
        "y_pixel_size": y_size,
        "y_pixels_in_detector": height,
    }


def config_v2(parameters: SeriesParameters) -> dict[str, Any]:
    """A start message of version 2 without type, ids, arrays and user data.

    As detectors do, it leaves out the goniometer where the parameters name no axis, and the pixels' type,
    which came with later firmware, where they do not say it.

    Args:
        parameters: What the series is.

    Raises:
        StreamError: A parameter is missing; says which.
    """
    p = _Given(parameters, 2)
    energy = p.real("energy", parameters.energy)
    width, height = p("image_size", parameters.image_size)
    x_size, y_size = map(float, p("pixel_size", parameters.pixel_size))
    beam_x, beam_y = map(float, parameters.beam_center or (0.0, 0.0))
    config: dict[str, Any] = {
        "arm_date": p("arm_date", parameters.arm_date),
        "beam_center_x": beam_x,
        "beam_center_y": beam_y,
        "channels": list(parameters.channels),
        "count_time": p.real("count_time", parameters.count_time),
        "countrate_correction_enabled": _flag(parameters.countrate_correction_applied),
        "detector_description": p("description", parameters.description),
        "detector_serial_number": p("serial_number", parameters.serial_number),
        "detector_translation": [
            float(value) for value in parameters.detector_translation or (0.0, 0.0, 0.0)
        ],
        "flatfield_enabled": _flag(parameters.flatfield_applied),
        "frame_time": p.real("frame_time", parameters.frame_time),
    }
    if parameters.goniometer:
        config["goniometer"] = {
            name: {"increment": float(axis.increment), "start": float(axis.start)}
            for name, axis in sorted(parameters.goniometer.items())
        }
    if parameters.dtype is not None:
        config["image_dtype"] = parameters.dtype
    return config | {
        "image_size_x": width,
        "image_size_y": height,
        "incident_energy": energy,
        "incident_wavelength": float(_first(parameters.wavelength, HC / energy)),
        "number_of_images": p("images", parameters.images),
        "pixel_mask_enabled": _flag(parameters.pixel_mask_applied),
        "pixel_size_x": x_size,
        "pixel_size_y": y_size,
        "saturation_value": p(
            "saturation_value", _first(parameters.saturation_value, parameters.countrate_cutoff)
        ),
        "sensor_material": p("sensor_material", parameters.sensor_material),
        "sensor_thickness": p.real("sensor_thickness", parameters.sensor_thickness),
        "threshold_energy": {channel: float(value) for channel, value in parameters.threshold_energy.items()},
        "virtual_pixel_interpolation_enabled": _flag(parameters.virtual_pixel_correction_applied),
    }


def _axis(parameters: SeriesParameters, name: str) -> dict[str, float]:
    axis = parameters.goniometer.get(name, _AT_REST)
    return {f"{name}_increment": float(axis.increment), f"{name}_start": float(axis.start)}


class _Given:
    """Takes parameters out, or says which one is missing."""

    def __init__(self, parameters: SeriesParameters, version: int) -> None:
        self._where = f"start of version {version}, armed {parameters.arm_date or 'without a date'}"

    def __call__(self, name: str, value: _T | None) -> _T:
        if value is None:
            raise StreamError(f"no {name}", self._where, "a detector always knows it; give it")
        return value

    def real(self, name: str, value: float | None) -> float:
        # An integer would be printed as one; the detector prints 8000.0.
        return float(self(name, value))


def _first(value: _T | None, otherwise: _T) -> _T:
    return otherwise if value is None else value


def _flag(value: bool | None) -> bool:
    """A correction nobody spoke of is on, the detector's own default."""
    return value is None or value
