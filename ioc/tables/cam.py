"""The camera of a detector: ADBase.template with NDArrayBase, ADEiger's records and NDFile.

Served is the union of the templates and of what ophyd, ophyd-async and dodal ask for. What acts is said here;
what it does is the simulator's. ImageMode means what it does elsewhere in areaDetector; ADEiger itself takes
NumImages whatever it says.
"""

from __future__ import annotations

from dataclasses import replace

from ioc.menus import Acquire, Acquiring, DetectorState, ImageMode, NoYes, ShutterMode
from ioc.records import Record
from ioc.tables.array import nd_array, nd_file
from ioc.tables.build import (
    ACTS,
    ECHOES,
    choice,
    number,
    said,
    shown,
    switched_off,
    text,
    told,
    whole,
)
from ioc.tables.eiger import TRIGGER_MODES, Generation, eiger

_CALLBACKS = "Echoes: the detector sends its stream whatever it says; HDF1:EnableCallbacks holds frames back."
_NOT_OF_AN_EIGER = {
    *(f"{what}{axis}" for what in ("Bin", "Min", "Size", "Reverse") for axis in "XY"),
    "DataType",
    "ColorMode",
}
"""Records of ADBase that ADEiger's templates disable."""


def cam(generation: Generation = "eiger2", port: str = "EIG") -> tuple[Record, ...]:
    """All records of a detector's camera.

    Args:
        generation: Whose menus and records: of an EIGER or of an EIGER2.
        port: The asyn port's name.
    """
    base = (*nd_array(port), *_acquisition(generation), *_sensor(), *_shutter())
    base = (replace(r, pv_class=ECHOES, doc=_CALLBACKS) if r.name == "ArrayCallbacks" else r for r in base)
    files = (replace(r, pv_class=ACTS) if r.name == "FilePath" else r for r in nd_file(acts=False))
    return (*switched_off(base, _NOT_OF_AN_EIGER), *eiger(generation), *files)


def truth() -> tuple[Record, ...]:
    """What only a simulated detector has, and where the writer acknowledges its series."""
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
        choice(
            "Writing", NoYes, "No", "Whether a writer takes the frames; it says so.", does=ACTS, rbv=False
        ),
        whole(
            "Stored",
            0,
            "Latest series whose frames are all stored; the writer says so.",
            does=ACTS,
            rbv=False,
        ),
        whole("Queued", 0, "Frames that the writer has still to store; it says so.", does=ACTS, rbv=False),
    )


def _acquisition(generation: Generation) -> tuple[Record, ...]:
    return (
        choice(
            "Acquire",
            Acquire,
            doc="Begin a series, or abort it; a put completes when AcquireBusy is Done.",
            does=ACTS,
            readback_menu=Acquiring,
        ),
        choice(
            "AcquireBusy",
            Acquiring,
            doc="Whether an acquisition is under way, with WaitForPlugins until it is written as well; "
            "a put of Done ends the wait.",
            does=ACTS,
            rbv=False,
            rtype="busy",
        ),
        told("AcquireBusyCB", Acquiring, doc="What clears AcquireBusy when it goes to Done."),
        shown("SetAcquireBusy", 0.0, "1 from the begin of an acquisition on.", precision=0, rtype="calcout"),
        shown("ClearAcquireBusy", 0.0, "AcquireBusyCB as a number.", precision=0, rtype="calcout"),
        choice(
            "WaitForPlugins", NoYes, "No", "Whether AcquireBusy waits for the writer.", does=ACTS, rbv=False
        ),
        number(
            "AcquireTime",
            0.1,
            "Exposure time of an image; brought to what the detector takes.",
            does=ACTS,
            precision=3,
        ),
        number(
            "AcquirePeriod",
            0.1,
            "Time from image to image, never shorter than exposure and dead time; 0 is as short as it gets.",
            does=ACTS,
            precision=3,
        ),
        whole("NumImages", 1, "Images of a trigger; 1 while an Enable mode runs.", does=ACTS),
        whole("NumExposures", 1, "Gates of an image in External Gate.", does=ACTS),
        shown("NumImagesCounter_RBV", 0, "Images of the series so far."),
        shown("NumExposuresCounter_RBV", 0, "Gates of the image under way in External Gate."),
        choice("ImageMode", ImageMode, "Multiple", "One image, NumImages, or without an end.", does=ACTS),
        choice("TriggerMode", TRIGGER_MODES[generation], doc="What begins a series.", does=ACTS),
        told("DetectorState_RBV", DetectorState, doc="What the detector is doing."),
        said("StatusMessage_RBV", "", "What it is doing, or what went wrong."),
        said("StringToServer_RBV", "", "Latest command that the detector was given."),
        said("StringFromServer_RBV", "", "What it said to it."),
        shown("TimeRemaining_RBV", 0.0, "Time that the series has left.", precision=3),
        choice(
            "ReadStatus", ("Done", "Read"), doc="Read temperatures and states again.", does=ACTS, rbv=False
        ),
    )


def _sensor() -> tuple[Record, ...]:
    names = ("Manufacturer", "Model", "SerialNumber", "FirmwareVersion", "SDKVersion")
    no = "Disabled: an Eiger has none."
    return (
        choice(
            "FrameType",
            ("Normal", "Background", "FlatField", "DblCorrelation"),
            doc="Echoes: an Eiger takes normal frames.",
        ),
        number("Gain", 1.0, "Echoes: an Eiger has no gain.", precision=3),
        shown("MaxSizeX_RBV", 0, "Pixels along the fast axis."),
        shown("MaxSizeY_RBV", 0, "Pixels along the slow axis."),
        *(whole(f"Min{axis}", 0, no) for axis in "XY"),
        *(
            whole(f"Size{axis}", 1, "Disabled: an Eiger reads its whole area, or that of ROIMode.")
            for axis in "XY"
        ),
        *(whole(f"Bin{axis}", 1, no) for axis in "XY"),
        *(choice(f"Reverse{axis}", NoYes, "No", no) for axis in "XY"),
        number("Temperature", 25.0, "Echoes: cooling has its own control.", units="C", precision=1),
        shown("TemperatureActual", 24.0, "Temperature.", units="C", precision=1),
        *(shown(f"{name}_RBV", "Unknown", f"{name} of the detector.") for name in names),
    )


def _shutter() -> tuple[Record, ...]:
    where = ("Closed", "Open")
    return (
        choice(
            "ShutterMode",
            ShutterMode,
            doc="Which shutter is moved: none, one behind ShutterControlEPICS, or the detector's output.",
            does=ACTS,
            readback_menu=("None", "EPICS PV", "Camera output"),
        ),
        choice(
            "ShutterControl", ("Close", "Open"), doc="Move it; each software trigger does as well.", does=ACTS
        ),
        told("ShutterStatus_RBV", where, doc="Where it is."),
        number("ShutterOpenDelay", 0.0, "Time it takes to open.", does=ACTS, precision=3),
        number("ShutterCloseDelay", 0.0, "Time it takes to close.", does=ACTS, precision=3),
        told("ShutterControlEPICS", where, doc="What a shutter of its own is told."),
        shown("ShutterFanout", 0, "Passes ShutterControlEPICS on.", rtype="fanout"),
        shown(
            "ShutterOpenEPICS",
            0.0,
            "1 while a shutter of its own is told to open.",
            precision=0,
            rtype="calcout",
        ),
        shown("ShutterCloseEPICS", 0.0, "The same, for closing it.", precision=0, rtype="calcout"),
        told("ShutterStatusEPICS_RBV", where, doc="Where a shutter of its own is.", rtype="mbbi"),
    )
