"""Between the camera's records and the detector's config: which PV sets which value, and back.

Mirrors what the ADEiger driver does with SIMPLON's values. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ioc import menus
from ioc.array_values import plane
from ioc.menus import CompressionAlgo, DataType, DisableEnable, HeaderDetail, ImageMode, StreamVersion
from ioc.menus import TriggerMode as CamTrigger
from layouts.beamline import Detector
from layouts.stream import messages
from sim.eiger_config import SERIES_MAX, EigerConfig, GateMode, RoiMode, TriggerMode

ANGLES = {"Omega": "omega", "Chi": "chi", "Kappa": "kappa", "Phi": "phi", "TwoTheta": "two_theta"}
FOLLOWING = ("AcquireTime", "AcquirePeriod", "ThresholdEnergy")
"""Setpoints that follow their readback, as asyn:READBACK makes them; the others keep what was put."""

NUMBERS = {
    "AcquireTime": "count_time",
    "AcquirePeriod": "frame_time",
    "PhotonEnergy": "photon_energy",
    "Wavelength": "wavelength",
    "ThresholdEnergy": "threshold_energy",
    "Threshold2Energy": "threshold_2_energy",
    "TriggerStartDelay": "trigger_start_delay",
    "NumExposures": "nexpi",
    "DetDist": "detector_distance",
    "BeamX": "beam_center_x",
    "BeamY": "beam_center_y",
    "StreamHdrAppendix": "header_appendix",
    "StreamImgAppendix": "image_appendix",
}
"""PVs whose value is that of a config value."""
_FLAGS = {
    "FlatfieldApplied": "flatfield_correction_applied",
    "CountrateCorrApplied": "countrate_correction_applied",
    "PixelMaskApplied": "pixel_mask_applied",
    "AutoSummation": "auto_summation",
    "StreamEnable": "stream_enabled",
}
_MENUS: dict[str, tuple[str, Mapping[Any, Any]]] = {
    "CompressionAlgo": (
        "compression",
        {
            CompressionAlgo.BSLZ4: messages.Codec.BSLZ4,
            CompressionAlgo.LZ4: messages.Codec.LZ4,
            CompressionAlgo.NONE: messages.Codec.NONE,
        },
    ),
    "StreamHdrDetail": (
        "header_detail",
        {
            HeaderDetail.ALL: messages.HeaderDetail.ALL,
            HeaderDetail.BASIC: messages.HeaderDetail.BASIC,
            HeaderDetail.NONE: messages.HeaderDetail.NONE,
        },
    ),
    "ROIMode": (
        "roi_mode",
        {menus.RoiMode.DISABLE: RoiMode.DISABLED, menus.RoiMode.FOUR_M: RoiMode.FOUR_M},
    ),
    "ExtGateMode": ("extg_mode", {menus.GateMode(mode): mode for mode in GateMode}),
}
"""PVs whose menu stands for a config value's words."""
MODES = {
    CamTrigger.INTERNAL_SERIES: TriggerMode.INTS,
    CamTrigger.INTERNAL_ENABLE: TriggerMode.INTE,
    CamTrigger.EXTERNAL_SERIES: TriggerMode.EXTS,
    CamTrigger.EXTERNAL_ENABLE: TriggerMode.EXTE,
    CamTrigger.CONTINUOUS: TriggerMode.INTS,
    CamTrigger.EXTERNAL_GATE: TriggerMode.EXTG,
}

Setting = tuple[str, Any]
"""A config value's SIMPLON name, and what it is set to."""


def setting(pv: str, value: Any) -> Setting | None:
    """The config value that a put sets; nothing if the PV stands for none."""
    if pv in NUMBERS:
        return NUMBERS[pv], value
    if pv in _FLAGS:
        return _FLAGS[pv], value == DisableEnable.ENABLE
    if pv in _MENUS:
        name, words = _MENUS[pv]
        return name, words[value]
    for ending, what in (("Start", "start"), ("Incr", "increment")):
        if pv.endswith(ending) and pv.removesuffix(ending) in ANGLES:
            return f"{ANGLES[pv.removesuffix(ending)]}_{what}", value
    return None


def setpoints(config: EigerConfig) -> dict[str, Any]:
    """What every PV that stands for a config value reads."""
    found: dict[str, Any] = {pv: getattr(config, name) for pv, name in NUMBERS.items()}
    for pv, name in _FLAGS.items():
        found[pv] = DisableEnable.ENABLE if getattr(config, name) else DisableEnable.DISABLE
    for pv, (name, words) in _MENUS.items():
        found[pv] = next(word for word, meant in words.items() if meant == getattr(config, name))
    for word, axis in ANGLES.items():
        start, increment = config.goniometer.get(axis, (0.0, 0.0))
        found |= {f"{word}Start": start, f"{word}Incr": increment}
    return found


def readings(config: EigerConfig, detector: Detector, *, sized: bool = True) -> dict[str, Any]:
    """Readbacks that follow from the config, with those of the setpoints and the setpoints that follow them.

    Args:
        config: Of the detector.
        detector: What it is.
        sized: Whether the sizes of arrays are known; a real driver learns them with its first frame.
    """
    bits = config.bit_depth_image
    area = config.region or detector.spec
    put = setpoints(config)
    found = {f"{pv}_RBV": value for pv, value in put.items()} | {pv: put[pv] for pv in FOLLOWING}
    found |= plane(area.width, area.height, bits) if sized else plane(0, 0, bits)
    for ending in ("", "_RBV"):
        found |= {
            f"SizeX{ending}": area.width,
            f"SizeY{ending}": area.height,
            f"DataType{ending}": DataType(f"UInt{bits}"),
        }
    return found | {
        "BitDepthImage_RBV": bits,
        "CountCutoff_RBV": float(config.saturation_value),
        "DeadTime_RBV": config.readout_time,
        "Codec_RBV": "" if config.compression is messages.Codec.NONE else str(config.compression),
    }


def identity(detector: Detector) -> dict[str, Any]:
    """What never changes: names and the size of the sensor. Maker and model are the description's words."""
    spec = detector.spec
    maker, _, model = spec.description.partition(" ")
    version = StreamVersion.STREAM2 if detector.stream.version == 2 else StreamVersion.STREAM
    return {
        "Manufacturer_RBV": maker,
        "Model_RBV": model,
        "SerialNumber_RBV": detector.serial_number,
        "FirmwareVersion_RBV": "1.8.0",
        "SDKVersion_RBV": "1.8.0",
        "Description_RBV": spec.description,
        "SensorMaterial_RBV": detector.sensor_material,
        "SensorThickness_RBV": detector.sensor_thickness,
        "XPixelSize_RBV": spec.pixel_size,
        "YPixelSize_RBV": spec.pixel_size,
        "MaxSizeX_RBV": spec.width,
        "MaxSizeY_RBV": spec.height,
        "StreamVersion": version,
        "StreamVersion_RBV": version,
    }


def modules(pvs: Mapping[str, Any] | Callable[[str], Any], *, running: bool) -> dict[str, str]:
    """States of the detector's stream, file writer and monitor.

    Args:
        pvs: Gives a PV's value by its name.
        running: Whether a series is armed.
    """
    read = pvs if callable(pvs) else pvs.__getitem__
    busy = "acquire" if running else "ready"
    found = {
        f"{module}State_RBV": busy if read(f"{module}Enable_RBV") == DisableEnable.ENABLE else "disabled"
        for module in ("Stream", "FW")
    }
    monitored = read("MonitorEnable_RBV") == DisableEnable.ENABLE
    return found | {"MonitorState_RBV": "normal" if monitored else "disabled"}


def links(detector: Detector, *, alive: bool) -> dict[str, str]:
    """States of the data links; the smallest detector has two of the four."""
    there = 2 if detector.model.endswith("500K") else 4
    return {f"Link{n}_RBV": "Up" if alive and n < there else "Down" for n in range(4)}


def series_settings(pvs: Mapping[str, Any] | Callable[[str], Any], config: EigerConfig) -> list[Setting]:
    """What the driver sets just before it arms: mode and numbers of triggers and images.

    ImageMode means what it means elsewhere in areaDetector: one image, NumImages, or images without an end.

    Args:
        pvs: Gives a PV's value by its name.
        config: The other values, for the length of a series without an end.
    """
    read = pvs if callable(pvs) else pvs.__getitem__
    mode = MODES[CamTrigger(read("TriggerMode"))]
    images, triggers = int(read("NumImages_RBV")), int(read("NumTriggers_RBV"))
    image_mode = ImageMode(read("ImageMode"))
    if mode.is_enable or image_mode is ImageMode.SINGLE:
        images = 1
    elif image_mode is ImageMode.CONTINUOUS:
        images, triggers = max(1, int(min(2**31 - 1, 0.999 * SERIES_MAX / config.frame_time))), 1
    return [("nimages", 1), ("ntrigger", triggers), ("trigger_mode", mode), ("nimages", images)]
