"""NDArrayBase.template: what cameras and plugins share.

Names and menus are ADCore's; the union with what ophyd's classes ask for beyond today's template.
"""

from __future__ import annotations

from ioc.array_values import AXES
from ioc.menus import (
    Capture,
    Capturing,
    ColorMode,
    DataType,
    DisableEnable,
    FileWriteMode,
    NoYes,
    WriteStatus,
)
from ioc.records import PvClass, Record
from ioc.tables.asyn import asyn
from ioc.tables.build import ACTS, ECHOES, choice, said, shown, string, text, told, whole

_ATTRIBUTES_STATUS = (
    "Attributes file OK",
    "File not found",
    "XML syntax error",
    "Macro substitution error",
)


XML_LENGTH = 16384
"""Bytes of an XML in NDAttributesFile: the template's 256 hold two attributes, clients write dozens."""


_NONE_STORED = "Echoes: it has no values of its own; put attributes to camera, statistics or file writer."


_NONE_TAKE = "Echoes: no further plugin takes its arrays."
_NO_POOL = "Echoes: there is no pool of buffers here, and its figures stay 0."


def nd_array(
    port: str, *, attributes: PvClass = ACTS, callbacks: PvClass = ACTS, pool: PvClass = ACTS
) -> tuple[Record, ...]:
    """Records of NDArrayBase.

    Args:
        port: The asyn port's name, which plugins name as their source.
        attributes: What becomes of puts of NDAttributesFile and NDAttributesMacros.
        callbacks: What becomes of puts of ArrayCallbacks.
        pool: What becomes of puts of PoolPollStats and EmptyFreeList; without a pool they echo.
    """
    return (
        shown("PortName_RBV", port, "Name of the port that plugins take arrays from."),
        shown("ADCoreVersion_RBV", "3.14.0", "Version of ADCore whose records these are."),
        shown("DriverVersion_RBV", "0.1.0", "Version of softbeam."),
        whole("ArrayCounter", 0, "Arrays counted since it was last set.", does=ACTS),
        choice(
            "ArrayCallbacks",
            DisableEnable,
            "Enable",
            "Whether arrays are handed on." if callbacks is ACTS else _NONE_TAKE,
            does=callbacks,
        ),
        shown("ArrayRate_RBV", 0.0, "Arrays in the last second.", units="Hz", precision=2, rtype="calc"),
        *_sizes(),
        choice("DataType", DataType, "UInt32", "Type of a pixel: that of the latest array, whatever is put."),
        choice("ColorMode", ColorMode, "Mono", "Colour mode."),
        told("BayerPattern_RBV", ("RGGB", "GBRG", "GRBG", "BGGR"), doc="Bayer pattern."),
        shown("UniqueId_RBV", 0, "Number of the latest array."),
        shown("TimeStamp_RBV", 0.0, "Time of the latest array, since 1990.", units="s", precision=3),
        shown("EpicsTSSec_RBV", 0, "Seconds of its EPICS time."),
        shown("EpicsTSNsec_RBV", 0, "Nanoseconds of its EPICS time."),
        shown("CompressedSize_RBV", 0, "Bytes of the latest array, compressed."),
        shown("Codec_RBV", "", "Its compression."),
        text(
            "NDAttributesFile",
            "",
            "Attributes to store with every frame, as a file or as XML."
            if attributes is ACTS
            else _NONE_STORED,
            does=attributes,
            rbv=False,
            length=XML_LENGTH,
        ),
        text(
            "NDAttributesMacros",
            "",
            "Macros for the attributes." if attributes is ACTS else "Echoes, as NDAttributesFile does.",
            does=attributes,
            rbv=False,
        ),
        told("NDAttributesStatus", _ATTRIBUTES_STATUS, doc="Whether the attributes were understood."),
        *_pool(pool),
        *asyn(port),
    )


def _sizes() -> tuple[Record, ...]:
    """Sizes are what the frames are: the setpoints of the template are inputs of the same chain."""
    whole_list: list[int] = [0] * AXES
    found = [
        shown("ArraySizeX_RBV", 0, "Pixels along the fast axis."),
        shown("ArraySizeY_RBV", 0, "Pixels along the slow axis."),
        shown("ArraySizeZ_RBV", 0, "Third dimension."),
        shown("ArraySize_RBV", 0, "Bytes of an array."),
    ]
    for ending in ("", "_RBV"):
        out = "" if ending else "longout"
        found += [
            shown(f"NDimensions{ending}", 0, "Number of dimensions.", rtype=out),
            shown(f"Dimensions{ending}", whole_list, "All dimensions, the fastest first."),
        ]
        for axis in range(AXES):
            doc = f"Size of dimension {axis}."
            found += [
                shown(f"Dim{axis}SA{ending}", [0], doc, rtype="subArray"),
                shown(f"ArraySize{axis}{ending}", 0, doc),
            ]
    return tuple(found)


def _pool(does: PvClass) -> tuple[Record, ...]:
    there = does is ACTS
    return (
        shown("PoolMaxBuffers", 0, "Buffers at most; 0 is no limit."),
        shown("PoolMaxMem", 0.0, "Memory at most; 0 is no limit.", units="MB", precision=1),
        shown("PoolUsedMem", 0.0, "Memory of the buffers.", units="MB", precision=1),
        shown("PoolAllocBuffers", 0, "Buffers: as many as were ever in use at once."),
        shown("PoolFreeBuffers", 0, "Buffers free."),
        shown("PoolUsedBuffers", 0.0, "Buffers in use.", precision=0, rtype="calc"),
        choice(
            "PoolPollStats",
            ("Done", "Poll"),
            doc="Count the buffers again." if there else _NO_POOL,
            does=does,
            rbv=False,
        ),
        choice(
            "EmptyFreeList",
            ("Done", "Empty"),
            doc="Give free buffers back." if there else _NO_POOL,
            does=does,
            rbv=False,
        ),
        shown("NumQueuedArrays", 0, "Arrays that a plugin has still to take."),
        whole("NumPreAllocBuffers", 100, "Buffers to allocate in advance."),
        choice(
            "PreAllocBuffers",
            ("Done", "Allocate"),
            doc="Allocate them." if there else "There is no pool of buffers here: done at once.",
            does=ACTS,
            rbv=False,
            rtype="busy",
        ),
    )


def nd_file(*, acts: bool) -> tuple[Record, ...]:
    """Records of NDFile.

    Args:
        acts: Whether a writer stands behind them; a camera's own set only echoes.
    """
    does = ACTS if acts else ECHOES
    return (
        text("FilePath", "", "Directory; the readback ends in a slash.", does=does),
        told("FilePathExists_RBV", NoYes, doc="Whether the directory is there."),
        text("FileName", "", "Stem of the file names.", does=does),
        whole("FileNumber", 1, "Number that goes into the file name.", does=does),
        whole("FileNumber_Sync", 0, "Historic; echoes.", rbv=False),
        whole("FileNumber_write", 0, "Historic; echoes.", rbv=False),
        text("FileTemplate", "%s%s_%6.6d.h5", "C format of path, name and number.", does=does),
        said("FullFileName_RBV", "", "File that a reader opens.", length=512),
        choice("AutoIncrement", NoYes, "Yes", "Whether the number goes up with every file.", does=does),
        choice("AutoSave", NoYes, "No", "Whether every frame is a file in Single mode.", does=does),
        choice(
            "FileFormat",
            ("HDF5" if acts else "Undefined", "Invalid"),
            doc="Echoes: HDF5 it is." if acts else "Echoes: the writer writes the files.",
            readback_menu=("HDF5" if acts else "netCDF", "Undefined"),
            rtype="mbbo",
        ),
        choice("FileWriteMode", FileWriteMode, "Stream", "How frames become files.", does=does),
        whole("NumCapture", 0, "Frames to capture; 0 is until told to stop.", does=does),
        shown("NumCaptured_RBV", 0, "Frames on disk, or known to be missing."),
        choice(
            "Capture",
            Capture,
            doc="Begin and end a capture; a put completes when it has ended.",
            does=does,
            readback_menu=Capturing,
            rtype="busy",
        ),
        choice(
            "WriteFile",
            ("Done", "Write"),
            doc="Write the latest frame, or those that Capture mode holds; a put completes when it is done.",
            does=does,
            readback_menu=("Done", "Writing"),
            rtype="busy",
        ),
        choice(
            "ReadFile",
            ("Done", "Read"),
            doc="Not offered.",
            does=does,
            readback_menu=("Done", "Reading"),
            rtype="busy",
        ),
        told("WriteStatus", WriteStatus, doc="Whether the latest write went well."),
        said("WriteMessage", "", "What went wrong with it."),
        choice("LazyOpen", NoYes, "Yes", "Whether the file is made with the first frame only.", does=does),
        choice("DeleteDriverFile", NoYes, "No", "Echoes: the detector's own files are not touched."),
        choice(
            "FreeCapture",
            ("Done", "Free"),
            doc="Drop the frames that Capture mode holds.",
            does=does,
            rbv=False,
        ),
        string("TempSuffix", "", "Suffix of a file until it is closed.", does=does),
        whole("CreateDirectory", -5, "Minus the number of directories to create.", does=does),
    )
