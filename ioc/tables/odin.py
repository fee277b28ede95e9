"""Odin's records as Diamond serves them: ``OD:``, ``OD:FAN:``, ``OD:META:`` and one ``ODn:`` a node.

Mirrors the templates of ADOdin (2024) for an Eiger, and beside them what ophyd asks of an HDF5 plugin.
Behind them stands the same writer as behind ``HDF1:``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ioc.menus import Capture, Capturing, NoYes
from ioc.records import PvClass, Record
from ioc.tables.build import ACTS, ECHOES, READONLY, choice, number, said, shown, string, text, told, whole
from ioc.tables.hdf import hdf

NODES = 4
"""Nodes whose records are served, however many workers there are: Diamond's clients know four."""
_WRITING = ("Done", "Writing")
_TIMER = ("Done", "Timeout Active")
_COMPRESSION = ("None", "LZ4", "BSLZ4", "Blosc")
_SHUFFLES = ("NOSHUFFLE", "SHUFFLE", "BITSHUFFLE")
_COMPRESSORS = ("BLOSCLZ", "LZ4", "LZ4HC", "SNAPPY", "ZLIB", "ZSTD")
DATA_TYPES = ("UInt8", "UInt16", "UInt32", "UInt64")
FAN_READY = "DSTR_HEADER"
"""State of the fan when the start message of a series has come, and no frame of it yet."""


def odin(port: str = "OD", source: str = "EIG") -> tuple[Record, ...]:
    """Records of ``OD:``, the file writer as a whole.

    Args:
        port: The asyn port's name.
        source: The port of its camera.
    """
    own = tuple(_writer())
    theirs = {record.name for one in own for record in _pair(one)}
    return (*own, *_asked_for(port, source, theirs))


def fan() -> tuple[Record, ...]:
    """Records of ``OD:FAN:``, which pulls the detector's stream and deals frames to the nodes."""
    return (
        shown("ProcessConnected_RBV", 0, "Whether the process is there."),
        shown("CurrentSeries_RBV", 0, "Series under way, or the last."),
        shown("CurrentFrame_RBV", 0, "Number of the latest frame."),
        shown("FramesSent_RBV", 0, "Frames that it has handed on in this capture."),
        shown("CurrentOffset_RBV", 0, "What it adds to frame numbers."),
        shown("State_RBV", "WAITING_STREAM", "Where it is in the stream."),
        shown("StateReady_RBV", 0.0, "1 from the start message of a series to its first frame.", precision=0),
        shown("ConsumersConnected_RBV", 0, "Nodes that are connected."),
        shown("Consumers_RBV", NODES, "Nodes that it waits for."),
        shown("AllConsumersConnected_RBV", 0.0, "1 when all nodes are connected.", precision=0),
        choice("ForwardStream", NoYes, "No", "A copy of the stream for others; there is none."),
        choice("DevShmCache", NoYes, "No", "A copy of the frames in memory; there is none."),
        text("AcquisitionID", "", "Acquisition whose frames it deals: OD:FileName sets it, a put echoes."),
        whole("Offset", 0, "Asked to be added to frame numbers; frames keep their own."),
        whole("BlockSize", 1, "Frames that go to one node together; there is one worker."),
        shown("ControlPort_RBV", "", "Endpoint of its control channel."),
        shown("EigerAddress_RBV", "", "Host whose stream is taken."),
        shown("EigerPort_RBV", "", "Port of the stream."),
        shown("FanPortBase_RBV", 0, "First port of the nodes; 0 without a fan."),
        shown("ZMQSockets_RBV", 1, "Sockets on the stream."),
        shown("ZMQThreads_RBV", 1, "Threads of the sockets."),
    )


def meta() -> tuple[Record, ...]:
    """Records of ``OD:META:``, which keeps what is not a frame."""
    return (
        shown("ProcessConnected_RBV", 0, "Whether the process is there."),
        text("AcquisitionID", "", "Acquisition to listen for: OD:FileName sets it, a put echoes."),
        said("Acquisitions_RBV", "", "Acquisitions that it knows."),
        said("OutputFile_RBV", "", "Meta file of the capture.", length=512),
        shown("ActiveProcessors_RBV", 0, "Nodes that it hears."),
        told("Writing_RBV", _WRITING, doc="Whether a capture is open."),
        told(
            "AcquisitionActive_RBV",
            ("Inactive", "Active"),
            doc="Whether it waits for an acquisition, or takes one.",
        ),
        shown("FramesWritten_RBV", 0, "Frames whose row is on disk."),
        text("FilePath", "", "Directory of the meta file: OD:FilePath sets it, a put echoes."),
        text("FileName", "", "Stem of the meta file: OD:FileName sets it, a put echoes."),
        whole("FlushRate", 0, "Frames after which to flush; the writer flushes by time."),
        whole("FlushTimeout", 0, "Time after which to flush.", units="ms"),
        shown("ControlPort_RBV", "", "Endpoint of its control channel."),
        shown("ProcessorAddresses_RBV", "", "Endpoints of the nodes."),
        choice("Stop", ("Done", "Stop"), doc="End the acquisition.", does=ACTS, rbv=False),
    )


def node() -> tuple[Record, ...]:
    """Records of ``OD1:`` to ``OD4:``, one receiver and processor each."""
    return (
        whole("ResetStatistics", 0, "Begin counting anew; counters begin anew with each capture.", rbv=False),
        whole("FRResetStatistics", 0, "Likewise, of the receiver.", rbv=False),
        whole("FPResetStatistics", 0, "Likewise, of the processor.", rbv=False),
        whole("FPClearErrors", 0, "Forget errors.", does=ACTS, rbv=False),
        shown("FRProcessConnected_RBV", 0, "Whether the receiver is there: the worker it stands for."),
        shown("FPProcessConnected_RBV", 0, "Whether the processor is there: the worker it stands for."),
        said("FPErrorMessage_RBV", "", "What went wrong."),
        told("FPErrorState_RBV", ("No Errors", "Error"), doc="Whether something went wrong."),
        shown("ProcessRank_RBV", 0, "Rank of the node."),
        told("Writing_RBV", _WRITING, doc="Whether a capture is open."),
        told("TimeoutActive_RBV", _TIMER, doc="Whether the timer that closes the file runs."),
        said("FullFileName_RBV", "", "Raw file that it writes."),
        shown("NumCapture_RBV", 0, "Frames that it is to write; 0 where nobody knows."),
        shown("NumCaptured_RBV", 0, "Frames that it has written."),
        shown("NumExpected_RBV", 0, "Frames that the series have announced."),
        shown("FreeBuffers_RBV", 0, "Free buffers; frames go to the file without any."),
        shown("FramesReceived_RBV", 0, "Frames that have come in this capture."),
        shown("FramesDropped_RBV", 0, "Frames that came and could not be stored."),
        shown("FramesTimedOut_RBV", 0, "Frames of ended series that never came."),
        shown("FramesReleased_RBV", 0, "Frames that are done with."),
    )


def _writer() -> Iterable[Record]:
    return (
        text("FilePath", "", "Directory; the readback ends in a slash.", does=ACTS),
        told("FilePathExists_RBV", NoYes, doc="Whether the directory is there."),
        text(
            "FileName",
            "",
            "Stem of the files and name of the acquisition; FAN and META follow it.",
            does=ACTS,
        ),
        whole("CreateDirectory", 0, "Minus the number of directories to create.", does=ACTS),
        text("FP:FilePath", "", "Directory as the nodes know it: FilePath sets it, a put echoes."),
        text("FP:FileName", "", "Stem as the nodes know it: FileName sets it, a put echoes."),
        text("AcquisitionID", "", "Name of the acquisition: FileName sets it, a put echoes."),
        string("FileExtension", "h5", "Ending of the files' names."),
        said("FullFileName_RBV", "", "File that a reader opens.", length=512),
        choice(
            "FileFormat", ("HDF5", "Invalid"), "HDF5", "File format.", readback_menu=("HDF5", "Undefined")
        ),
        choice(
            "Capture",
            Capture,
            doc="Begin and end a capture; a put completes when it has ended.",
            does=ACTS,
            readback_menu=Capturing,
            rtype="busy",
        ),
        choice(
            "StartTimeout",
            Capture,
            doc="Start the timer that closes the files; back to Done when they are closed.",
            does=ACTS,
            rbv=False,
            rtype="busy",
        ),
        choice("StartCloseTimeout", ("Done", "Timeout"), doc="As StartTimeout.", does=ACTS, rbv=False),
        told("TimeoutActive_RBV", _TIMER, doc="Whether that timer runs."),
        whole(
            "CloseFileTimeout",
            5000,
            "Time without a frame after which files are closed, once StartTimeout was put.",
            does=ACTS,
            units="ms",
            low=0,
            high=3_600_000,
        ),
        whole(
            "NumCapture", 1, "Frames to capture; 0 is until told to stop.", does=ACTS, low=0, high=2**31 - 1
        ),
        shown("NumCaptured_RBV", 0, "Frames on disk, or known to be missing."),
        whole("ImageWidth", 0, "Pixels along fast; a capture of others is refused.", does=ACTS),
        whole("ImageHeight", 0, "Pixels along slow; a capture of others is refused.", does=ACTS),
        choice(
            "DataType",
            DATA_TYPES,
            "UInt16",
            "Type of a pixel; frames of another are stored as they come, and are an error at the nodes.",
            does=ACTS,
        ),
        whole("NumColChunks", 0, "Columns of a chunk; a chunk is a frame."),
        whole("NumRowChunks", 0, "Rows of a chunk; a chunk is a frame."),
        whole("NumFramesChunks", 1, "Frames of a chunk; a chunk is a frame."),
        whole("BlockSize", 1, "Frames of a block.", does=ACTS, low=1, high=2**31 - 1),
        whole(
            "BlocksPerFile", 0, "Blocks of a raw file; 0 puts all in one.", does=ACTS, low=0, high=2**31 - 1
        ),
        choice(
            "EarliestHDF5Version", NoYes, "No", "Files as old readers want them; HDF5 1.10 reads them all."
        ),
        whole("BoundaryAlign", 1, "Alignment of chunks in the file.", units="bytes"),
        whole("BoundaryThreshold", 1, "Size from which they are aligned.", units="bytes"),
        whole("NumFramesFlush", 0, "Frames after which to flush; the writer flushes by time."),
        choice("Compression", _COMPRESSION, "BSLZ4", "Compression; frames come compressed."),
        whole("BloscLevel", 0, "Of Blosc."),
        choice("BloscShuffle", _SHUFFLES, doc="Of Blosc."),
        choice("BloscCompressor", _COMPRESSORS, doc="Of Blosc."),
        number("FillValue", 0.0, "Value of pixels that were not written; the masked value is.", precision=1),
        shown("RestAPIVersion_RBV", "0.1", "Version of the interface."),
        shown("NumProcesses_RBV", 1, "Workers."),
    )


def _asked_for(port: str, source: str, have: set[str]) -> Iterable[Record]:
    """What clients ask of any HDF5 plugin and Odin has not: it is there, and keeps what is put."""
    for record in hdf(port, source):
        if any(one.name in have for one in _pair(record)):
            continue
        kept = ECHOES if record.pv_class is ACTS else record.pv_class
        yield replace(record, pv_class=kept, doc=_of_plugin(record.doc, kept))


def _of_plugin(doc: str, kept: PvClass) -> str:
    what = "stays as it is" if kept is READONLY else "only kept"
    doc = doc.removeprefix("Echoes: ")
    return f"Of areaDetector's plugin, and {what} here: {doc[:1].lower()}{doc[1:]}"


def _pair(record: Record) -> tuple[Record, ...]:
    return (record, replace(record, name=f"{record.name}_RBV")) if record.readback else (record,)
