"""Between the camera's records and the detector's config: which PV sets which value, and back.

Mirrors what the ADEiger driver does with SIMPLON's values. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ioc.array_values import plane
from ioc.menus import (
    CompressionAlgo,
    DataSource,
    DataType,
    DisableEnable,
    HeaderDetail,
    ImageMode,
    StreamVersion,
)
from ioc.menus import TriggerMode as CamTrigger
from layouts.beamline import Detector
from layouts.stream import messages
from sim.eiger_config import SERIES_MAX, ConfigError, EigerConfig, TriggerMode

ANGLES = {"Omega": "omega", "Chi": "chi", "Kappa": "kappa", "Phi": "phi", "TwoTheta": "two_theta"}

_NUMBERS = {
    "AcquireTime": "count_time",
    "AcquirePeriod": "frame_time",
    "PhotonEnergy": "photon_energy",
    "Wavelength": "wavelength",
    "ThresholdEnergy": "threshold_energy",
    "Threshold2Energy": "threshold_2_energy",
    "DetDist": "detector_distance",
    "BeamX": "beam_center_x",
    "BeamY": "beam_center_y",
    "StreamHdrAppendix": "header_appendix",
    "StreamImgAppendix": "image_appendix",
}
_FLAGS = {
    "FlatfieldApplied": "flatfield_correction_applied",
    "CountrateCorrApplied": "countrate_correction_applied",
    "PixelMaskApplied": "pixel_mask_applied",
    "AutoSummation": "auto_summation",
}
_CODECS = {
    CompressionAlgo.BSLZ4: messages.Codec.BSLZ4,
    CompressionAlgo.LZ4: messages.Codec.LZ4,
    CompressionAlgo.NONE: messages.Codec.NONE,
}
_DETAILS = {
    HeaderDetail.ALL: messages.HeaderDetail.ALL,
    HeaderDetail.BASIC: messages.HeaderDetail.BASIC,
    HeaderDetail.NONE: messages.HeaderDetail.NONE,
}
_MODES = {
    CamTrigger.INTERNAL_SERIES: TriggerMode.INTS,
    CamTrigger.INTERNAL_ENABLE: TriggerMode.INTE,
    CamTrigger.EXTERNAL_SERIES: TriggerMode.EXTS,
    CamTrigger.EXTERNAL_ENABLE: TriggerMode.EXTE,
    CamTrigger.CONTINUOUS: TriggerMode.INTS,
}

Setting = tuple[str, Any]
"""A config value's SIMPLON name, and what it is set to."""


def setting(pv: str, value: Any) -> Setting | None:
    """The config value that a put sets; nothing if the PV stands for none."""
    if pv in _NUMBERS:
        return _NUMBERS[pv], value
    if pv in _FLAGS:
        return _FLAGS[pv], value == DisableEnable.ENABLE
    if pv == "CompressionAlgo":
        return "compression", _CODECS[CompressionAlgo(value)]
    if pv == "StreamHdrDetail":
        return "header_detail", _DETAILS[HeaderDetail(value)]
    for ending, what in (("Start", "start"), ("Incr", "increment")):
        if pv.endswith(ending) and pv.removesuffix(ending) in ANGLES:
            return f"{ANGLES[pv.removesuffix(ending)]}_{what}", value
    return None


def setpoints(config: EigerConfig) -> dict[str, Any]:
    """What every PV that stands for a config value reads."""
    found: dict[str, Any] = {pv: getattr(config, name) for pv, name in _NUMBERS.items()}
    for pv, name in _FLAGS.items():
        found[pv] = DisableEnable.ENABLE if getattr(config, name) else DisableEnable.DISABLE
    found["CompressionAlgo"] = _key(_CODECS, config.compression)
    found["StreamHdrDetail"] = _key(_DETAILS, config.header_detail)
    for word, axis in ANGLES.items():
        start, increment = config.goniometer.get(axis, (0.0, 0.0))
        found |= {f"{word}Start": start, f"{word}Incr": increment}
    return found


def readings(config: EigerConfig, detector: Detector) -> dict[str, Any]:
    """Readbacks that follow from the config, with those of the setpoints."""
    bits = config.bit_depth_image
    spec = detector.spec
    found = {f"{pv}_RBV": value for pv, value in setpoints(config).items()}
    found |= plane(spec.width, spec.height, bits)
    return found | {
        "BitDepthImage_RBV": bits,
        "DataType": DataType(f"UInt{bits}"),
        "DataType_RBV": DataType(f"UInt{bits}"),
        "CountCutoff_RBV": min(config.saturation_value, 2**31 - 1),
        "DeadTime_RBV": config.frame_time - config.count_time,
        "Codec_RBV": "" if config.compression is messages.Codec.NONE else str(config.compression),
    }


def identity(detector: Detector) -> dict[str, Any]:
    """What never changes: names, sizes, and what an Eiger does not offer."""
    spec = detector.spec
    sizes = {"X": spec.width, "Y": spec.height}
    version = StreamVersion.STREAM2 if detector.stream.version == 2 else StreamVersion.STREAM
    found: dict[str, Any] = {
        "Manufacturer_RBV": "Dectris",
        "Model_RBV": detector.model,
        "SerialNumber_RBV": detector.serial_number,
        "FirmwareVersion_RBV": "1.8.0",
        "SDKVersion_RBV": "1.8.0",
        "Description_RBV": spec.description,
        "SensorMaterial_RBV": detector.sensor_material,
        "SensorThickness_RBV": detector.sensor_thickness,
        "XPixelSize_RBV": spec.pixel_size,
        "YPixelSize_RBV": spec.pixel_size,
        "StreamVersion": version,
        "StreamVersion_RBV": version,
    }
    for axis, size in sizes.items():
        found |= {f"MaxSize{axis}_RBV": size}
        found |= {f"Size{axis}": size, f"Size{axis}_RBV": size}
    return found


_ONLY: dict[str, tuple[Any, str]] = {
    "MinX": (0, "an Eiger reads its whole area"),
    "MinY": (0, "an Eiger reads its whole area"),
    "BinX": (1, "an Eiger has no binning"),
    "BinY": (1, "an Eiger has no binning"),
    "ReverseX": ("No", "an Eiger does not turn its frames"),
    "ReverseY": ("No", "an Eiger does not turn its frames"),
    "Threshold1Enable": (DisableEnable.ENABLE, "the first threshold is always counted"),
    "Threshold2Enable": (DisableEnable.DISABLE, "one threshold is simulated"),
    "ThresholdDiffEnable": (DisableEnable.DISABLE, "one threshold is simulated"),
}


def accepted(pv: str, value: Any, config: EigerConfig, detector: Detector) -> Any:
    """What becomes of a put that sets no config value.

    Raises:
        ConfigError: The detector has one value there, or none of this kind.
    """
    if pv == "ReadStatus":
        return "Done"
    if pv == "HVReset":
        raise ConfigError(
            f"HVReset: the high voltage of a simulated {detector.sensor_material} sensor is fixed"
        )
    if pv == "DataSource" and value == DataSource.FILE_WRITER:
        raise ConfigError("DataSource: the detector's own file writer is not simulated; use Stream")
    if pv == "TriggerMode" and value not in _MODES:
        raise ConfigError(f"TriggerMode: {value} is not simulated; right is one of {', '.join(_MODES)}")
    only, why = _fixed(pv, config, detector)
    if only is not None and value != only:
        raise ConfigError(f"{pv}: {value} is not possible, {why}; {only} is right")
    return value


def _fixed(pv: str, config: EigerConfig, detector: Detector) -> tuple[Any, str]:
    whole = "an Eiger reads its whole area"
    match pv:
        case "SizeX":
            return detector.spec.width, whole
        case "SizeY":
            return detector.spec.height, whole
        case "StreamVersion":
            return identity(detector)[pv], "the beamline file says so (detectors.stream.version)"
        case "DataType":
            return DataType(f"UInt{config.bit_depth_image}"), "it follows from exposure and rate"
        case _:
            return _ONLY.get(pv, (None, ""))


def series_settings(pvs: Mapping[str, Any] | Callable[[str], Any], config: EigerConfig) -> list[Setting]:
    """What the driver sets just before it arms: mode and numbers of triggers and images.

    Args:
        pvs: Gives a PV's value by its name.
        config: The other values, for the length of a series without an end.

    Raises:
        ConfigError: A trigger mode that is not simulated.
    """
    read = pvs if callable(pvs) else pvs.__getitem__
    mode = CamTrigger(read("TriggerMode"))
    if mode not in _MODES:
        raise ConfigError(f"trigger mode {mode} is not simulated; right is one of {', '.join(_MODES)}")
    images, triggers = int(read("NumImages")), int(read("NumTriggers"))
    image_mode = ImageMode(read("ImageMode"))
    if _MODES[mode].is_enable or image_mode is ImageMode.SINGLE:
        images = 1
    if mode is CamTrigger.CONTINUOUS or image_mode is ImageMode.CONTINUOUS:
        images, triggers = max(1, int(min(2**31 - 1, 0.999 * SERIES_MAX / config.frame_time))), 1
    return [("nimages", 1), ("ntrigger", triggers), ("trigger_mode", _MODES[mode]), ("nimages", images)]


def _key(table: Mapping[Any, Any], value: Any) -> Any:
    return next(key for key, item in table.items() if item == value)
