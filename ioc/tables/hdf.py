"""The file writer of a detector: NDPluginBase, NDFile and NDFileHDF5.

Clients see the areaDetector plugin; behind it stand the workers and the coordinator. Values at boot let a
newcomer's first capture work: callbacks enabled, Stream mode, lazy open, directories created.

What only echoes says so in its sentence. The settings of chunks, filters and alignment do: frames come
packed by the detector and are stored as they come, one to a chunk.
"""

from __future__ import annotations

from ioc.menus import Compression, NoYes, OffOn
from ioc.records import Record
from ioc.tables.array import nd_array, nd_file
from ioc.tables.build import ACTS, ECHOES, choice, fault, number, said, shown, string, text, told, whole
from ioc.tables.plugin import driver, plugin

_DIMENSIONS = ("N", "X", "Y", *"3456789")
_SHUFFLES = ("None", "Byte", "Bit")
_COMPRESSORS = ("BloscLZ", "LZ4", "LZ4HC", "SNAPPY", "ZLIB", "ZSTD")
CALLS = {"create": "Create", "write": "Write", "flush": "Flush", "close": "Close"}
"""Names of the calls of the disk in the names of records."""
_MEANING = {
    "create": "Making a raw file",
    "write": "Storing a frame",
    "flush": "Flushing a raw file",
    "close": "Closing a raw file",
}
_PACKED = "Echoes: frames come packed by the detector."


def hdf(port: str = "HDF1", source: str = "EIG") -> tuple[Record, ...]:
    """All records of a detector's file writer.

    Args:
        port: The asyn port's name.
        source: The port of its camera.
    """
    return (
        *nd_array(port, callbacks=ECHOES, pool=ECHOES),
        *driver(),
        *plugin("NDFileHDF5", source, rates=ACTS, queue=ACTS, port=ACTS),
        *nd_file(acts=True),
        *_layout(),
        *_hdf5(),
        *_ours(),
        *_calls(),
    )


def _layout() -> tuple[Record, ...]:
    return (
        choice("ChunkSizeAuto", NoYes, "Yes", "Echoes: a chunk is a frame, whatever is put."),
        whole("NumRowChunks", 0, "Echoes: a chunk has all rows."),
        whole("NumColChunks", 0, "Echoes: a chunk has all columns."),
        whole("NumFramesChunks", 1, "Echoes: a chunk is a frame."),
        *(whole(f"ChunkSize{n}", 0, f"Echoes: chunk in dimension {n}.") for n in range(2, 10)),
        whole("NDAttributeChunk", 0, "Chunk of the columns."),
        whole("BoundaryAlign", 0, "Echoes: chunks lie where HDF5 puts them.", units="bytes"),
        whole("BoundaryThreshold", 1, "Echoes: as BoundaryAlign.", units="bytes"),
        number("FillValue", 0.0, "Echoes: what was not written reads as masked.", precision=1),
        whole("NumExtraDims", 0, "Dimensions of the scan beside N.", low=0, high=9, does=ACTS),
        *(whole(f"ExtraDimSize{d}", 1, f"Points along {d}.", does=ACTS) for d in _DIMENSIONS),
        *(shown(f"ExtraDimName{d}_RBV", "", f"Name of dimension {d}.") for d in _DIMENSIONS),
        *(whole(f"ExtraDimChunk{d}", 0, f"Chunk in dimension {d}.") for d in _DIMENSIONS[1:]),
        choice("PositionMode", OffOn, "Off", "Whether attributes place the frames, at the end.", does=ACTS),
        *(
            string(f"PosNameDim{d}", "", f"Attribute with the index along {d}.", does=ACTS)
            for d in _DIMENSIONS
        ),
        *(
            string(f"PosIndexDim{d}", "", f"Attribute stored by index along {d}.", does=ACTS)
            for d in _DIMENSIONS
        ),
        choice("DimAttDatasets", NoYes, "No", "Whether attributes have the scan's shape.", does=ACTS),
        choice("StoreAttr", NoYes, "Yes", "Whether attributes are stored.", does=ACTS),
        choice("StorePerform", NoYes, "No", "Echoes: when each frame came is always stored."),
        shown("IOSpeed", 0.0, "Speed of writing over the latest capture.", units="Mbit/s", precision=1),
        shown("RunTime", 0.0, "Duration of the latest capture.", units="s", precision=3),
    )


def _hdf5() -> tuple[Record, ...]:
    return (
        choice(
            "Compression",
            Compression,
            "BSLZ4",
            "Echoes: frames keep the compression they come with, which Codec_RBV says.",
        ),
        whole("NumDataBits", 8, _PACKED, units="bit"),
        whole("DataBitsOffset", 0, _PACKED, units="bit"),
        whole("SZipNumPixels", 16, _PACKED, units="bit"),
        whole("ZLevel", 6, _PACKED),
        choice("BloscShuffle", _SHUFFLES, "Bit", _PACKED),
        choice("BloscCompressor", _COMPRESSORS, "LZ4", _PACKED),
        whole("BloscLevel", 5, _PACKED),
        whole("JPEGQuality", 90, _PACKED, low=1, high=100),
        choice(
            "SWMRMode",
            OffOn,
            "On",
            "What SWMRActive_RBV says of the next capture; files can always be read while they are written.",
            does=ACTS,
        ),
        told("SWMRActive_RBV", ("Off", "Active"), doc="Whether a file in SWMR mode is open."),
        told("SWMRSupported_RBV", ("Not Supported", "Supported"), "Supported", "Whether that is possible."),
        shown("SWMRCbCounter_RBV", 0, "Flushes of the latest capture."),
        choice(
            "FlushNow",
            ("Done", "Flush"),
            doc="Make readable what has come; a put completes when it is.",
            does=ACTS,
            rbv=False,
            rtype="busy",
        ),
        whole(
            "NumFramesFlush",
            0,
            "Frames after which to flush, besides by time; 0 is by time alone. For the next capture.",
            does=ACTS,
        ),
        text("XMLFileName", "", "Layout file or text; it is checked and not used.", does=ACTS, length=2048),
        told("XMLValid_RBV", NoYes, "Yes", "Whether the layout is good."),
        said("XMLErrorMsg_RBV", "", "What is wrong with it."),
    )


def _ours() -> tuple[Record, ...]:
    return (
        shown("NumStored_RBV", 0, "Frames of the capture that are on disk."),
        shown("NumMissing_RBV", 0, "Frames of the capture that never came."),
        shown("NumExpected_RBV", 0, "Frames that the capture's series have announced."),
        shown("NumReceived_RBV", 0, "Frames that have arrived since the capture began."),
        shown("NumDuplicate_RBV", 0, "Frames that came twice."),
        shown("NumUnwanted_RBV", 0, "Frames that came after the capture's last, or with none open."),
        shown("NumForeign_RBV", 0, "Frames of another shape or series."),
        shown("NumFailed_RBV", 0, "Frames that could not be written."),
        shown("SeriesId_RBV", 0, "Latest series."),
        told("Connected_RBV", NoYes, "No", "Whether the worker is there."),
        said("MasterFile_RBV", "", "Master of the latest acquisition.", length=512),
    )


def _calls() -> tuple[Record, ...]:
    """The capture under way, or the last one: what was late, what waits, and how long the disk took."""
    return (
        shown("NumLate_RBV", 0, "Frames that came after one of a later place, or after the end message."),
        shown("StoredBytes_RBV", 0.0, "Bytes of the frames that are on disk.", units="bytes", precision=0),
        shown(
            "BacklogBytes_RBV",
            0.0,
            "Bytes that have come and that readers cannot see yet.",
            units="bytes",
            precision=0,
        ),
        *(
            record
            for call, name in CALLS.items()
            for record in (
                shown(f"{name}Count_RBV", 0, f"{_MEANING[call]}: how often."),
                shown(f"{name}Last_RBV", 0.0, f"{_MEANING[call]}: the last one.", units="ms"),
                shown(f"{name}Max_RBV", 0.0, f"{_MEANING[call]}: the longest one.", units="ms"),
                shown(f"{name}Mean_RBV", 0.0, f"{_MEANING[call]}: the mean of all.", units="ms"),
            )
        ),
        said("SlowCalls_RBV", "", "Which calls took longer than [storage] of the beamline file allows."),
        *fault(),
    )
