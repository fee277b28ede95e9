"""The file writer of a detector: NDPluginBase, NDFile and NDFileHDF5.

Clients see the areaDetector plugin; behind it stand the workers and the coordinator. Values at boot let a
newcomer's first capture work: callbacks enabled, Stream mode, lazy open, directories created.
"""

from __future__ import annotations

from ioc.menus import Compression, DisableEnable, NoYes, OffOn
from ioc.records import Record
from ioc.tables.array import nd_array, nd_file
from ioc.tables.build import ACTS, choice, number, said, shown, string, text, told, whole

_DIMENSIONS = ("N", "X", "Y", *"3456789")
_SHUFFLES = ("None", "Byte", "Bit")
_COMPRESSORS = ("BloscLZ", "LZ4", "LZ4HC", "Snappy", "zlib", "Zstd")


def hdf(port: str = "HDF1", source: str = "EIG") -> tuple[Record, ...]:
    """All records of a detector's file writer.

    Args:
        port: The asyn port's name.
        source: The port of its camera.
    """
    return (*nd_array(port), *_plugin(source), *nd_file(acts=True), *_layout(), *_hdf5(), *_ours())


def _plugin(source: str) -> tuple[Record, ...]:
    return (
        shown("PluginType_RBV", "NDFileHDF5", "Kind of plugin."),
        string("NDArrayPort", source, "Port whose arrays are written.", does=ACTS),
        whole("NDArrayAddress", 0, "Address at the port."),
        choice("EnableCallbacks", DisableEnable, "Enable", "Whether frames are taken.", does=ACTS),
        choice("BlockingCallbacks", NoYes, "No", "Whether the camera waits for the writer."),
        choice("ProcessPlugin", ("Done", "Process"), doc="Take the latest frame again.", rbv=False),
        whole("QueueSize", 1000, "Frames that may wait to be written.", low=1, high=10**6),
        shown("QueueFree", 1000, "Room in the queue."),
        shown("QueueFreeLow", 100, "Room that is a warning."),
        shown("QueueUse", 0, "Frames that wait."),
        shown("QueueUseHIGH", 800, "Frames that are a warning."),
        shown("QueueUseHIHI", 950, "Frames that are an alarm."),
        whole("DroppedArrays", 0, "Frames that were lost before they were written.", does=ACTS),
        whole("DroppedOutputArrays", 0, "Frames not handed on."),
        whole("DisorderedArrays", 0, "Frames that came out of order."),
        number("MinCallbackTime", 0.0, "Least time between frames.", units="s"),
        number("MaxByteRate", 0.0, "Most bytes per second.", units="B/s", precision=0),
        number("MaxArrayRate", 0.0, "Most frames per second.", units="Hz"),
        number("MaxArrayRate_COUT", 0.0, "Historic; echoes.", rbv=False),
        whole("NumThreads", 1, "Threads.", low=1, high=64),
        shown("MaxThreads_RBV", 1, "Threads at most."),
        choice("SortMode", ("Unsorted", "Sorted"), "Sorted", "Frames are placed by their number."),
        number("SortTime", 0.0, "Patience with frames out of order.", units="s"),
        whole("SortSize", 0, "Frames that may wait for one."),
        shown("SortFree", 0, "Room for them."),
        shown("SortFreeLow", 0, "Room that is a warning."),
        shown("ExecutionTime_RBV", 0.0, "Time to write a frame.", units="ms", precision=3),
    )


def _layout() -> tuple[Record, ...]:
    return (
        choice("ChunkSizeAuto", NoYes, "Yes", "Whether a chunk is a frame."),
        whole("NumRowChunks", 0, "Rows of a chunk; 0 is all."),
        whole("NumColChunks", 0, "Columns of a chunk; 0 is all."),
        whole("NumFramesChunks", 1, "Frames of a chunk; the writer takes each as it comes."),
        *(whole(f"ChunkSize{n}", 0, f"Chunk in dimension {n}.") for n in range(2, 10)),
        whole("NDAttributeChunk", 0, "Chunk of the columns."),
        whole("BoundaryAlign", 0, "Alignment of chunks in the file.", units="B"),
        whole("BoundaryThreshold", 65536, "Size from which they are aligned.", units="B"),
        number("FillValue", 0.0, "Value of pixels that were not written."),
        whole("NumExtraDims", 0, "Further dimensions.", low=0, high=9),
        *(whole(f"ExtraDimSize{d}", 1, f"Size of dimension {d}.") for d in _DIMENSIONS),
        *(string(f"ExtraDimName{d}", "", f"Name of dimension {d}.") for d in _DIMENSIONS),
        *(whole(f"ExtraDimChunk{d}", 0, f"Chunk in dimension {d}.") for d in _DIMENSIONS),
        choice("PositionMode", OffOn, "Off", "Whether attributes place the frames."),
        *(string(f"PosNameDim{d}", "", f"Attribute of dimension {d}.") for d in _DIMENSIONS),
        *(string(f"PosIndexDim{d}", "", f"Index of dimension {d}.") for d in _DIMENSIONS),
        choice("DimAttDatasets", NoYes, "No", "Whether columns have the scan's shape."),
        choice("StoreAttr", NoYes, "Yes", "Whether attributes are stored."),
        choice("StorePerform", NoYes, "No", "Whether timings are stored."),
        shown("IOSpeed", 0.0, "Speed of writing.", units="MB/s", precision=1),
        shown("RunTime", 0.0, "Duration of the latest capture.", units="s", precision=3),
    )


def _hdf5() -> tuple[Record, ...]:
    return (
        choice("Compression", Compression, "BSLZ4", "Compression; frames come compressed.", does=ACTS),
        whole("NumDataBits", 8, "Of N-bit."),
        whole("DataBitsOffset", 0, "Of N-bit."),
        whole("SZipNumPixels", 16, "Of szip."),
        whole("ZLevel", 6, "Of zlib."),
        choice("BloscShuffle", _SHUFFLES, "Bit", "Of Blosc."),
        choice("BloscCompressor", _COMPRESSORS, "LZ4", "Of Blosc."),
        whole("BloscLevel", 5, "Of Blosc."),
        whole("JPEGQuality", 90, "Of JPEG."),
        choice("SWMRMode", OffOn, "On", "Whether files may be read while they are written.", does=ACTS),
        told("SWMRActive_RBV", ("Off", "Active"), doc="Whether they may be now."),
        told("SWMRSupported_RBV", ("Not Supported", "Supported"), "Supported", "Whether that is possible."),
        shown("SWMRCbCounter_RBV", 0, "Flushes so far."),
        choice(
            "FlushNow",
            ("Done", "Flush"),
            doc="Make readable what has come; a put completes when it is.",
            does=ACTS,
            rbv=False,
            rtype="busy",
        ),
        whole("NumFramesFlush", 0, "Frames after which to flush; the writer flushes by time."),
        text("XMLFileName", "", "Layout of the file; the writer has its own.", length=2048),
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
