"""The start message of a series: what the detector says of itself and of its settings."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Detector
from layouts.stream.configs import config_v1, config_v2
from layouts.stream.messages import HeaderDetail, SeriesParameters, Start
from sim.eiger_config import EigerConfig

SOFTWARE_VERSION = "1.8.0"
"""API version that a start message names."""
CHANNEL = "threshold_1"
"""The one channel that is simulated."""
_TABLE_V1 = 4000
_TABLE_V2 = 65536
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def iso(seconds: float) -> str:
    """A Unix time as detectors write it: local, with milliseconds and the zone's offset."""
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="milliseconds")


def ulid(seconds: float, randomness: int | None = None) -> str:
    """A ULID: 48 bits of Unix time in ms, 80 random bits, as 26 characters in order of time."""
    tail = secrets.randbits(80) if randomness is None else randomness
    value = int(seconds * 1000) << 80 | tail
    return "".join(_BASE32[value >> shift & 31] for shift in range(125, -1, -5))


def parameters(detector: Detector, config: EigerConfig, arm_date: str) -> SeriesParameters:
    """All that a start message can say of a series.

    Args:
        detector: The beamline file's description.
        config: The settings at arm.
        arm_date: As ``iso`` writes it.
    """
    spec = detector.spec
    area = config.region or spec
    return SeriesParameters(
        arm_date=arm_date,
        images=config.frames,
        images_per_trigger=config.frames_per_trigger,
        triggers=config.ntrigger,
        trigger_mode=str(config.trigger_mode),
        count_time=config.count_time,
        frame_time=config.frame_time,
        readout_time=config.readout_time,
        energy=config.photon_energy,
        wavelength=config.wavelength,
        threshold_energy={CHANNEL: config.threshold_energy},
        channels=(CHANNEL,),
        goniometer=config.goniometer,
        image_size=(area.width, area.height),
        dtype=f"uint{config.bit_depth_image}",
        bit_depth_image=config.bit_depth_image,
        bit_depth_readout=8 if config.bit_depth_image == 8 else spec.readout_depth,
        beam_center=(config.beam_center_x, config.beam_center_y),
        detector_distance=config.detector_distance,
        detector_translation=(0.0, 0.0, config.detector_distance),
        description=spec.description,
        serial_number=detector.serial_number,
        pixel_size=(spec.pixel_size, spec.pixel_size),
        sensor_material=detector.sensor_material,
        sensor_thickness=detector.sensor_thickness,
        saturation_value=config.saturation_value,
        countrate_cutoff=config.saturation_value,
        countrate_correction_applied=config.countrate_correction_applied,
        flatfield_applied=config.flatfield_correction_applied,
        pixel_mask_applied=config.pixel_mask_applied,
        virtual_pixel_correction_applied=config.virtual_pixel_correction_applied,
        software_version=SOFTWARE_VERSION,
        firmware_version=f"softbeam-{SOFTWARE_VERSION}",
    )


def start_message(
    detector: Detector,
    config: EigerConfig,
    *,
    series: int,
    unique_id: str,
    arm_date: str,
    flatfield: NDArray[np.float32],
    pixel_mask: NDArray[np.uint32],
) -> Start:
    """The start message of a series, in the words of the detector's stream version.

    Args:
        detector: The beamline file's description.
        config: The settings at arm.
        series: Its number.
        unique_id: A ULID.
        arm_date: As ``iso`` writes it.
        flatfield: What frames are corrected by, (slow, fast).
        pixel_mask: Dectris mask bits, (slow, fast).
    """
    said = parameters(detector, config, arm_date)
    version = detector.stream.version
    words = _words_v1(said, config, pixel_mask) if version == 1 else config_v2(said)
    everything = config.header_detail is HeaderDetail.ALL
    silent = version == 1 and config.header_detail is HeaderDetail.NONE
    return Start(
        version=version,
        series=series,
        unique_id=unique_id if version == 2 else None,
        detail=config.header_detail,
        config={} if silent else words,
        flatfield={CHANNEL: flatfield} if everything else {},
        pixel_mask={CHANNEL: pixel_mask} if everything else {},
        countrate_table=countrate_table(version, config.cutoff) if everything else None,
        appendix=config.header_appendix or None,
    )


def _words_v1(said: SeriesParameters, config: EigerConfig, pixel_mask: NDArray[np.uint32]) -> dict[str, Any]:
    return config_v1(
        said,
        compression=config.compression,
        auto_summation=config.auto_summation,
        frame_count_time=config.count_time / config.sub_frames,
        frame_period=config.frame_time / config.sub_frames,
        number_of_excluded_pixels=int(np.count_nonzero(pixel_mask)),
    )


def countrate_table(version: int, cutoff: float) -> NDArray[np.float32] | NDArray[np.uint32]:
    """The table that turns observed into true counts; the simulated counter is linear up to its cut-off.

    Returns:
        float32 (2, 4000) of rates for version 1, uint32 (65536,) of counts for version 2.
    """
    if version == 1:
        rates = np.linspace(0.0, cutoff, _TABLE_V1, dtype=np.float32)
        return np.stack([rates, rates])
    return np.arange(_TABLE_V2, dtype=np.uint32)


def wall_clock(monotonic: float) -> float:
    """Unix time of a time on the schedule's clock."""
    return time.time() + (monotonic - time.monotonic())
