"""The camera of a detector: ADBase.template and ADEiger's records of an EIGER2.

Served is the union of the templates and of what ophyd, ophyd-async and dodal ask for. What acts is said here;
what it does is the simulator's.
"""

from __future__ import annotations

from ioc.menus import (
    Acquire,
    Acquiring,
    Armed,
    CompressionAlgo,
    CountingMode,
    DataSource,
    DetectorState,
    DisableEnable,
    GateMode,
    HeaderDetail,
    ImageMode,
    NoYes,
    RoiMode,
    StreamVersion,
    TriggerMode,
)
from ioc.records import Record
from ioc.tables.array import nd_array, nd_file
from ioc.tables.build import ACTS, READONLY, choice, number, said, shown, string, text, told, whole

_ANGLES = ("Omega", "Kappa", "Chi", "Phi", "TwoTheta")
_MAX = 2**31 - 1


def cam(port: str = "EIG") -> tuple[Record, ...]:
    """All records of a detector's camera.

    Args:
        port: The asyn port's name.
    """
    own = (*_base(), *_eiger(), *_stream_and_files(), *_beam(), *_shutter())
    return (*nd_array(port), *own, *nd_file(acts=False))


def truth() -> tuple[Record, ...]:
    """What only a simulated detector has."""
    return (
        said("Truth_RBV", "", "What was simulated in the latest series, as JSON.", length=65536),
        text(
            "Faults",
            "",
            "What goes wrong from the next series on: drop 3,7-9; duplicate 5; truncate 12=100; "
            "stall 20=5.0; delay-end 2; no-end; lose-start; crash 30. Empty is nothing.",
            does=ACTS,
            length=1024,
        ),
    )


def _base() -> tuple[Record, ...]:
    names = ("Manufacturer", "Model", "SerialNumber", "FirmwareVersion", "SDKVersion")
    return (
        choice(
            "Acquire",
            Acquire,
            doc="Begin a series, or abort it; a put completes when it has ended.",
            does=ACTS,
            readback_menu=Acquiring,
        ),
        choice("AcquireBusy", Acquire, doc="Whether an acquisition is under way.", rbv=False, rtype="busy"),
        told("AcquireBusyCB", Acquiring, doc="Whether the detector is busy."),
        choice("WaitForPlugins", NoYes, "No", "Whether Acquire waits for the writer.", rbv=False),
        number("AcquireTime", 0.1, "Exposure time of an image.", does=ACTS, units="s", precision=6),
        number("AcquirePeriod", 0.1, "Time from image to image.", does=ACTS, units="s", precision=6),
        whole("NumImages", 1, "Images of a trigger.", does=ACTS, low=1, high=_MAX),
        whole("NumExposures", 1, "Exposures of an image.", low=1, high=_MAX),
        shown("NumImagesCounter_RBV", 0, "Images of the series so far."),
        shown("NumExposuresCounter_RBV", 0, "Exposures of the image so far."),
        choice("ImageMode", ImageMode, "Multiple", "One image, NumImages, or without an end.", does=ACTS),
        choice("TriggerMode", TriggerMode, doc="What begins a series.", does=ACTS),
        told("DetectorState_RBV", DetectorState, doc="What the detector is doing."),
        said("StatusMessage_RBV", "", "What it is doing, or what went wrong."),
        said("StringToServer_RBV", "", "Latest request."),
        said("StringFromServer_RBV", "", "Latest reply."),
        shown("TimeRemaining_RBV", 0.0, "Time that the series has left.", units="s", precision=3),
        choice("FrameType", ("Normal", "Background", "FlatField", "DblCorrelation"), doc="Kind of frame."),
        number("Gain", 1.0, "Gain."),
        choice("ReadStatus", ("Done", "Read"), doc="Read the status again.", does=ACTS, rbv=False),
        whole("MaxSizeX_RBV", 0, "Pixels along the fast axis.", does=READONLY),
        whole("MaxSizeY_RBV", 0, "Pixels along the slow axis.", does=READONLY),
        *(whole(n, 0, "Region; an Eiger reads all of it.", does=ACTS) for n in ("MinX", "MinY")),
        *(whole(n, 0, "Region; an Eiger reads all of it.", does=ACTS) for n in ("SizeX", "SizeY")),
        *(whole(n, 1, "Binning; an Eiger has none.", does=ACTS) for n in ("BinX", "BinY")),
        *(choice(n, NoYes, "No", "Not offered by an Eiger.", does=ACTS) for n in ("ReverseX", "ReverseY")),
        number("Temperature", 24.0, "Wanted temperature.", units="C", precision=1),
        shown("TemperatureActual", 24.0, "Temperature.", units="C", precision=1),
        *(shown(f"{name}_RBV", "Unknown", f"{name} of the detector.") for name in names),
    )


def _eiger() -> tuple[Record, ...]:
    return (
        whole("NumTriggers", 1, "Triggers of a series.", does=ACTS, low=1, high=_MAX),
        choice("ManualTrigger", DisableEnable, "Disable", "Whether Trigger starts each one.", does=ACTS),
        number(
            "Trigger", 0.0, "Trigger by software; in Enable mode, for so many seconds.", does=ACTS, rbv=False
        ),
        number("TriggerExposure", 0.0, "Exposure of a software trigger.", units="s"),
        number("TriggerStartDelay", 0.0, "Delay from trigger to exposure.", units="s", precision=6),
        told("Armed", Armed, doc="Whether the detector waits for triggers."),
        shown("SequenceId", 0, "Series number; goes up with every arm."),
        shown("State_RBV", "idle", "SIMPLON's state."),
        shown("Error_RBV", "", "SIMPLON's errors."),
        shown("Description_RBV", "", "What the detector calls itself."),
        choice("Initialize", ("Done", "Initialize"), doc="Begin anew.", does=ACTS, rbv=False, rtype="busy"),
        choice(
            "Restart", ("Done", "Restart"), doc="Restart the detector.", does=ACTS, rbv=False, rtype="busy"
        ),
        told("StaleParameters_RBV", NoYes, "No", "Whether values are on their way to the detector."),
        shown("BitDepthImage_RBV", 32, "Bits of a pixel.", units="bit"),
        shown("CountCutoff_RBV", 0, "Counts above which a pixel is saturated."),
        shown("XPixelSize_RBV", 75e-6, "Width of a pixel.", units="m", precision=7),
        shown("YPixelSize_RBV", 75e-6, "Height of a pixel.", units="m", precision=7),
        shown("SensorThickness_RBV", 450e-6, "Thickness of the sensor.", units="m", precision=7),
        shown("SensorMaterial_RBV", "Si", "Material of the sensor."),
        shown("DeadTime_RBV", 0.0, "Dead time between images.", units="s", precision=9),
        shown("Temp0_RBV", 24.0, "Temperature of the detector.", units="C", precision=1),
        shown("Humid0_RBV", 10.0, "Humidity in it.", units="%", precision=1),
        *(told(f"Link{n}_RBV", ("Down", "Up"), "Up", "Data link.") for n in range(4)),
        shown("DCUBufferFree_RBV", 100.0, "Free buffer of the control unit.", units="%", precision=1),
        choice("ROIMode", RoiMode, "Disable", "Region of interest by hardware."),
        choice("CompressionAlgo", CompressionAlgo, "BS LZ4", "Compression of the frames.", does=ACTS),
        choice("FlatfieldApplied", DisableEnable, "Enable", "Flatfield correction.", does=ACTS),
        choice("CountrateCorrApplied", DisableEnable, "Enable", "Count rate correction.", does=ACTS),
        choice("PixelMaskApplied", DisableEnable, "Enable", "Masked pixels get the mask value.", does=ACTS),
        choice("AutoSummation", DisableEnable, "Enable", "Long exposures are summed up.", does=ACTS),
        choice("SignedData", ("Unsigned", "Signed"), doc="Sign of the data handed on."),
        choice("CountingMode", CountingMode, "Normal", "Counting mode.", does=ACTS),
        choice("ExtGateMode", GateMode, "HDR", "External gate mode.", does=ACTS),
        choice(
            "HVReset", ("Done", "Reset"), doc="Reset the high voltage.", does=ACTS, rbv=False, rtype="busy"
        ),
        number("HVResetTime", 60.0, "Duration of a reset.", units="s", precision=1),
        shown("HVState_RBV", "READY", "State of the high voltage."),
        number("WavelengthEps", 0.0005, "Least change of wavelength.", units="Angstrom"),
        number("EnergyEps", 0.05, "Least change of energy.", units="eV"),
    )


def _stream_and_files() -> tuple[Record, ...]:
    return (
        choice("DataSource", DataSource, "Stream", "Where frames come from.", does=ACTS),
        choice("StreamEnable", DisableEnable, "Enable", "The ZeroMQ stream.", does=ACTS),
        shown("StreamState_RBV", "ready", "State of the stream."),
        shown("StreamDropped_RBV", 0, "Frames of the series that the stream has dropped."),
        choice("StreamDecompress", DisableEnable, "Disable", "Whether frames are decompressed on arrival."),
        choice("StreamHdrDetail", HeaderDetail, "All", "Detail of the start message.", does=ACTS),
        text("StreamHdrAppendix", "", "Text that the start message carries.", does=ACTS, length=1024),
        text("StreamImgAppendix", "", "Text that image messages carry.", does=ACTS, length=1024),
        choice("StreamVersion", StreamVersion, "Stream2", "Version of the stream.", does=ACTS),
        choice("StreamAsTSSource", NoYes, "No", "Whether frames are timed by the stream."),
        choice("MonitorEnable", DisableEnable, "Disable", "The detector's monitor images."),
        whole("MonitorTimeout", 500, "Patience with the monitor.", units="ms"),
        shown("MonitorState_RBV", "normal", "State of the monitor."),
        choice("FWEnable", DisableEnable, "Disable", "The detector's own file writer."),
        choice("FWCompression", DisableEnable, "Enable", "Compression of its files."),
        text("FWNamePattern", "series_$id", "Names of its files."),
        whole("FWNImagesPerFile", 1000, "Images in one of its files."),
        choice("FWAutoRemove", DisableEnable, "Disable", "Remove files that were fetched."),
        choice("FWClear", ("Done", "Clear"), doc="Remove its files.", rbv=False),
        shown("FWFree_RBV", 0.0, "Space that it has.", units="GB", precision=1),
        shown("FWState_RBV", "disabled", "State of it."),
        choice("FWHDF5Format", ("Legacy", "v2024.2"), doc="Format of its files."),
        choice("SaveFiles", DisableEnable, "Disable", "Whether its files are fetched."),
        string("FileOwner", "", "Owner of fetched files."),
        string("FileOwnerGrp", "", "Group of fetched files."),
        number("FilePerms", 0o644, "Permissions of fetched files.", precision=0),
    )


def _beam() -> tuple[Record, ...]:
    return (
        number("PhotonEnergy", 12700.0, "Photon energy.", does=ACTS, units="eV", precision=3),
        number("Wavelength", 0.976254, "Wavelength.", does=ACTS, units="Angstrom", precision=6),
        number("ThresholdEnergy", 6350.0, "Energy of threshold 1.", does=ACTS, units="eV", precision=3),
        number("Threshold2Energy", 8890.0, "Energy of threshold 2.", does=ACTS, units="eV", precision=3),
        choice("Threshold1Enable", DisableEnable, "Enable", "Threshold 1.", does=ACTS),
        choice("Threshold2Enable", DisableEnable, "Disable", "Threshold 2.", does=ACTS),
        choice("ThresholdDiffEnable", DisableEnable, "Disable", "Difference of thresholds.", does=ACTS),
        number("DetDist", 0.0, "Distance from sample to detector.", does=ACTS, units="m", precision=6),
        number("BeamX", 0.0, "Beam on the detector, fast.", does=ACTS, units="pixel", precision=3),
        number("BeamY", 0.0, "Beam on the detector, slow.", does=ACTS, units="pixel", precision=3),
        *(
            number(f"{angle}{what}", 0.0, f"{angle} {long}.", does=ACTS, units="deg", precision=6)
            for angle in _ANGLES
            for what, long in (("Start", "at the first image"), ("Incr", "from image to image"))
        ),
    )


def _shutter() -> tuple[Record, ...]:
    states = ("Close", "Open")
    return (
        choice("ShutterMode", ("None", "EPICS PV", "Detector output"), doc="Which shutter is moved."),
        choice("ShutterControl", states, doc="Move it."),
        told("ShutterStatus_RBV", ("Closed", "Open"), doc="Where it is."),
        number("ShutterOpenDelay", 0.0, "Time it takes to open.", units="s", precision=3),
        number("ShutterCloseDelay", 0.0, "Time it takes to close.", units="s", precision=3),
        whole("ShutterFanout", 0, "Historic; echoes.", rbv=False),
        number("ShutterOpenEPICS", 0.0, "Opens a shutter of its own.", rbv=False),
        number("ShutterCloseEPICS", 0.0, "Closes it.", rbv=False),
        choice("ShutterControlEPICS", states, doc="Moves it.", rbv=False),
        told("ShutterStatusEPICS_RBV", ("Closed", "Open"), doc="Where it is."),
    )
