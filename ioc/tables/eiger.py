"""ADEiger's own records: eigerBase.template with eiger1.template or eiger2.template.

Beside them what clients ask for of either generation, or of earlier releases of the driver.
"""

from __future__ import annotations

from typing import Literal

from ioc.menus import (
    Armed,
    CompressionAlgo,
    CountingMode,
    DataSource,
    DisableEnable,
    GateMode,
    HeaderDetail,
    NoYes,
    RoiMode,
    StreamVersion,
    TriggerMode,
)
from ioc.records import Menu, Record
from ioc.tables.build import ACTS, choice, number, shown, string, text, told, whole

Generation = Literal["eiger1", "eiger2"]
"""Whose template: an EIGER, or an EIGER2."""

_MODES = tuple(mode.value for mode in TriggerMode)
TRIGGER_MODES: dict[Generation, Menu] = {"eiger1": _MODES[:5], "eiger2": TriggerMode}
_CODECS: dict[Generation, Menu] = {"eiger1": ("LZ4", "BS LZ4"), "eiger2": CompressionAlgo}
_DETAILS: dict[Generation, Menu] = {"eiger1": ("All", "Basic", "None"), "eiger2": HeaderDetail}
_ANGLES = ("Omega", "Kappa", "Chi", "Phi", "TwoTheta")
_NO_FILES = "Echoes: a simulated detector has no files of its own"


def eiger(generation: Generation) -> tuple[Record, ...]:
    """Records of ADEiger.

    Args:
        generation: Whose menus and records.
    """
    own = _eiger2() if generation == "eiger2" else ()
    return (
        *_triggers(),
        *_state(),
        *_readout(generation),
        *_stream(generation),
        *_files(),
        *_beam(),
        *own,
        *_first_generation(),
    )


def _triggers() -> tuple[Record, ...]:
    return (
        whole("NumTriggers", 1, "Triggers of a series.", does=ACTS),
        choice("ManualTrigger", DisableEnable, "Disable", "Whether Trigger starts each one.", does=ACTS),
        number(
            "Trigger",
            0.0,
            "Trigger by software, with ManualTrigger; the value means nothing.",
            does=ACTS,
            rbv=False,
            precision=0,
        ),
        number(
            "TriggerExposure",
            0.0,
            "Exposure of software triggers in Internal Enable, of earlier drivers; 0 takes AcquireTime.",
            does=ACTS,
            units="s",
        ),
        told("Armed", Armed, doc="Whether the detector waits for triggers."),
        shown("SequenceId", 0, "Series number; goes up with every arm."),
    )


def _state() -> tuple[Record, ...]:
    return (
        shown("State_RBV", "idle", "SIMPLON's state."),
        shown("Error_RBV", "", "SIMPLON's errors."),
        shown("Description_RBV", "", "What the detector calls itself."),
        choice("Initialize", ("Done", "Initialize"), doc="Begin anew.", does=ACTS, rbv=False, rtype="busy"),
        choice(
            "Restart", ("Done", "Restart"), doc="Restart the detector.", does=ACTS, rbv=False, rtype="busy"
        ),
        told(
            "StaleParameters_RBV",
            NoYes,
            "No",
            "Yes while a change is on its way to the detector; No when the readbacks are what it has taken.",
        ),
        shown("Temp0_RBV", 24.0, "Temperature of the detector.", units="C", precision=1),
        shown("Humid0_RBV", 10.0, "Humidity in it.", units="%", precision=1),
        shown("SensorThickness_RBV", 450e-6, "Thickness of the sensor.", units="m", precision=6),
        shown("SensorMaterial_RBV", "Si", "Material of the sensor."),
        shown("XPixelSize_RBV", 75e-6, "Width of a pixel.", units="m", precision=6),
        shown("YPixelSize_RBV", 75e-6, "Height of a pixel.", units="m", precision=6),
    )


def _readout(generation: Generation) -> tuple[Record, ...]:
    return (
        shown("BitDepthImage_RBV", 32, "Bits of a pixel; follows exposure and rate."),
        shown("CountCutoff_RBV", 0.0, "Counts above which a pixel is saturated.", units="count", precision=0),
        shown("DeadTime_RBV", 0.0, "Dead time between images.", units="s", precision=3),
        choice(
            "ROIMode",
            RoiMode,
            "Disable",
            "Region of interest by hardware: 4M of a 9M or 16M; sets exposure and period back.",
            does=ACTS,
            rtype="mbbo",
        ),
        choice(
            "CompressionAlgo",
            _CODECS[generation],
            "BS LZ4",
            "Compression of the frames.",
            does=ACTS,
            rtype="mbbo",
        ),
        choice(
            "FlatfieldApplied", DisableEnable, "Enable", "Frames are corrected by the flatfield.", does=ACTS
        ),
        choice(
            "CountrateCorrApplied",
            DisableEnable,
            "Enable",
            "Count rate correction: what the start message says of it; the simulated counter needs none.",
            does=ACTS,
        ),
        choice("PixelMaskApplied", DisableEnable, "Enable", "Masked pixels get the mask value.", does=ACTS),
        choice("AutoSummation", DisableEnable, "Enable", "Long exposures are summed up.", does=ACTS),
        choice("SignedData", ("Unsigned", "Signed"), doc="Echoes: the stream's frames are unsigned."),
    )


def _stream(generation: Generation) -> tuple[Record, ...]:
    return (
        choice(
            "DataSource",
            DataSource,
            "Stream",
            "Where the driver counts frames: in the stream, or nowhere; to choose Stream enables it.",
            does=ACTS,
        ),
        choice("StreamEnable", DisableEnable, "Enable", "The ZeroMQ stream.", does=ACTS),
        shown("StreamState_RBV", "ready", "State of the stream."),
        shown("StreamDropped_RBV", 0, "Frames of the series that the stream has dropped."),
        choice(
            "StreamDecompress",
            DisableEnable,
            "Disable",
            "Echoes: the writer takes frames as the detector has compressed them.",
        ),
        choice("StreamHdrDetail", _DETAILS[generation], "All", "Detail of the start message.", does=ACTS),
        text(
            "StreamHdrAppendix", "", "Text that the start message carries.", does=ACTS, rbv=False, length=1024
        ),
        text("StreamImgAppendix", "", "Text that image messages carry.", does=ACTS, rbv=False, length=1024),
        choice(
            "MonitorEnable", DisableEnable, "Disable", "The monitor; its images are not simulated.", does=ACTS
        ),
        number("MonitorTimeout", 500.0, "Echoes: patience with the monitor.", units="ms", precision=1),
        shown("MonitorState_RBV", "disabled", "State of the monitor."),
    )


def _files() -> tuple[Record, ...]:
    return (
        choice(
            "FWEnable",
            DisableEnable,
            "Disable",
            "The detector's own file writer: its state alone.",
            does=ACTS,
        ),
        choice("FWCompression", DisableEnable, "Enable", f"{_NO_FILES}."),
        text("FWNamePattern", "series_$id", "Names of its files; $id must be in it.", does=ACTS),
        whole("FWNImagesPerFile", 1000, f"{_NO_FILES}."),
        choice("FWAutoRemove", DisableEnable, "Disable", f"{_NO_FILES}."),
        number("FWClear", 0.0, f"{_NO_FILES} to clear.", rbv=False, precision=0),
        shown("FWFree_RBV", 0.0, "Space that it has.", units="GB", precision=3),
        shown("FWState_RBV", "disabled", "State of it."),
        choice("SaveFiles", DisableEnable, "Disable", f"{_NO_FILES} to fetch."),
        string("FileOwner", "", f"{_NO_FILES} to own."),
        string("FileOwnerGrp", "", f"{_NO_FILES} to own."),
        number("FilePerms", 0o644, "Permissions of fetched files: the bits of 0666.", does=ACTS, precision=0),
    )


def _beam() -> tuple[Record, ...]:
    return (
        number(
            "PhotonEnergy",
            12700.0,
            "Photon energy; wavelength and thresholds follow. Changes below EnergyEps are left out.",
            does=ACTS,
            units="eV",
            precision=3,
        ),
        number(
            "Wavelength",
            0.976254,
            "Wavelength; the energy follows.",
            does=ACTS,
            units="Angstroms",
            precision=4,
        ),
        number(
            "ThresholdEnergy",
            6350.0,
            "Energy of threshold 1; half the photon energy whenever that is set.",
            does=ACTS,
            units="eV",
            precision=3,
        ),
        number(
            "WavelengthEps",
            0.0005,
            "Least change of wavelength that is set.",
            does=ACTS,
            units="Angstroms",
            precision=6,
        ),
        number(
            "EnergyEps", 0.05, "Least change of an energy that is set.", does=ACTS, units="eV", precision=3
        ),
        number("DetDist", 0.0, "Distance from sample to detector.", does=ACTS, units="m", precision=3),
        number("BeamX", 0.0, "Beam on the detector, fast.", does=ACTS, units="pixels", precision=3),
        number("BeamY", 0.0, "Beam on the detector, slow.", does=ACTS, units="pixels", precision=3),
        *(
            number(f"{angle}{what}", 0.0, f"{angle} {long}.", does=ACTS, units="deg", precision=3)
            for angle in _ANGLES
            for what, long in (("Start", "at the first image"), ("Incr", "from image to image"))
        ),
    )


def _eiger2() -> tuple[Record, ...]:
    one = "one threshold is simulated, and always on."
    return (
        number("Threshold2Energy", 17780.0, "Energy of threshold 2.", does=ACTS, units="eV", precision=3),
        choice("Threshold1Enable", DisableEnable, "Enable", f"Threshold 1: {one}", does=ACTS),
        choice(
            "Threshold2Enable", DisableEnable, "Disable", "Refused: one threshold is simulated.", does=ACTS
        ),
        choice(
            "ThresholdDiffEnable", DisableEnable, "Disable", "Refused: one threshold is simulated.", does=ACTS
        ),
        choice("CountingMode", CountingMode, "Retrigger", "Echoes: the simulated counter has no dead time."),
        number(
            "TriggerStartDelay",
            0.0,
            "Delay from trigger to exposure in the Series modes.",
            does=ACTS,
            units="s",
        ),
        choice(
            "ExtGateMode",
            GateMode,
            "HDR",
            "External Gate: all gates in one 32-bit image, or by turns in two of 16 bits.",
            does=ACTS,
            rtype="mbbo",
        ),
        choice(
            "HVReset", ("Done", "Reset"), doc="Reset the high voltage for HVResetTime.", does=ACTS, rbv=False
        ),
        number("HVResetTime", 30.0, "Duration of a reset, 1 to 600 s.", does=ACTS, units="s", precision=0),
        shown("HVState_RBV", "READY", "State of the high voltage: READY, or RAMPING in a reset."),
        choice(
            "StreamVersion",
            StreamVersion,
            "Stream2",
            "Version of the stream; the beamline file sets it.",
            does=ACTS,
            rtype="mbbo",
        ),
        choice("StreamAsTSSource", NoYes, "No", "Echoes: times are those of the exposures."),
        choice("FWHDF5Format", ("Legacy", "v2024.2"), doc=f"{_NO_FILES}.", rtype="mbbo"),
    )


def _first_generation() -> tuple[Record, ...]:
    """Of an EIGER; ophyd's class asks an EIGER2 for them as well."""
    return (
        *(
            told(f"Link{n}_RBV", ("Down", "Up"), "Up", "Data link; up while the emitter lives.")
            for n in range(4)
        ),
        shown("DCUBufferFree_RBV", 100.0, "Free buffer of the control unit.", units="%", precision=1),
    )
