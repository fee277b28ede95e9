"""Menus of the records, with the exact strings of the real ones: clients compare them.

Order is the index on the wire. Strings are those of the motor record, ADCore, ADEiger and NDFileHDF5.
"""

from __future__ import annotations

from enum import StrEnum


class NoYes(StrEnum):
    """ADCore's boolean."""

    NO = "No"
    YES = "Yes"


class OffOn(StrEnum):
    """SWMRMode, PositionMode and their like."""

    OFF = "Off"
    ON = "On"


class DisableEnable(StrEnum):
    """Callbacks and features."""

    DISABLE = "Disable"
    ENABLE = "Enable"


class Acquire(StrEnum):
    """Acquire and AcquireBusy."""

    DONE = "Done"
    ACQUIRE = "Acquire"


class Acquiring(StrEnum):
    """Acquire_RBV and AcquireBusy's readback."""

    DONE = "Done"
    ACQUIRING = "Acquiring"


class Capture(StrEnum):
    """The file writer's Capture."""

    DONE = "Done"
    CAPTURE = "Capture"


class Capturing(StrEnum):
    """Capture_RBV."""

    DONE = "Done"
    CAPTURING = "Capturing"


class DetectorState(StrEnum):
    """DetectorState_RBV; ophyd-async compares all eleven."""

    IDLE = "Idle"
    ACQUIRE = "Acquire"
    READOUT = "Readout"
    CORRECT = "Correct"
    SAVING = "Saving"
    ABORTING = "Aborting"
    ERROR = "Error"
    WAITING = "Waiting"
    INITIALIZING = "Initializing"
    DISCONNECTED = "Disconnected"
    ABORTED = "Aborted"


class ImageMode(StrEnum):
    """ImageMode."""

    SINGLE = "Single"
    MULTIPLE = "Multiple"
    CONTINUOUS = "Continuous"


class TriggerMode(StrEnum):
    """ADEiger's TriggerMode, as an EIGER2 has it."""

    INTERNAL_SERIES = "Internal Series"
    INTERNAL_ENABLE = "Internal Enable"
    EXTERNAL_SERIES = "External Series"
    EXTERNAL_ENABLE = "External Enable"
    CONTINUOUS = "Continuous"
    EXTERNAL_GATE = "External Gate"


class ShutterMode(StrEnum):
    """ShutterMode."""

    NONE = "None"
    EPICS_PV = "EPICS PV"
    DETECTOR_OUTPUT = "Detector output"


class Armed(StrEnum):
    """Whether the detector waits for triggers."""

    UNARMED = "Unarmed"
    ARMED = "Armed"


class DataType(StrEnum):
    """NDArray's data types."""

    INT8 = "Int8"
    UINT8 = "UInt8"
    INT16 = "Int16"
    UINT16 = "UInt16"
    INT32 = "Int32"
    UINT32 = "UInt32"
    INT64 = "Int64"
    UINT64 = "UInt64"
    FLOAT32 = "Float32"
    FLOAT64 = "Float64"


class ColorMode(StrEnum):
    """NDArray's colour modes."""

    MONO = "Mono"
    BAYER = "Bayer"
    RGB1 = "RGB1"
    RGB2 = "RGB2"
    RGB3 = "RGB3"
    YUV444 = "YUV444"
    YUV422 = "YUV422"
    YUV421 = "YUV421"


class FileWriteMode(StrEnum):
    """How the file plugin writes."""

    SINGLE = "Single"
    CAPTURE = "Capture"
    STREAM = "Stream"


class WriteStatus(StrEnum):
    """The file plugin's error flag."""

    OK = "Write OK"
    ERROR = "Write error"


class Compression(StrEnum):
    """NDFileHDF5's compression."""

    NONE = "None"
    N_BIT = "N-bit"
    SZIP = "szip"
    ZLIB = "zlib"
    BLOSC = "Blosc"
    BSLZ4 = "BSLZ4"
    LZ4 = "LZ4"
    JPEG = "JPEG"


class CompressionAlgo(StrEnum):
    """The detector's own compression."""

    LZ4 = "LZ4"
    BSLZ4 = "BS LZ4"
    NONE = "None"


class DataSource(StrEnum):
    """Which of the detector's outlets ADEiger reads."""

    NONE = "None"
    FILE_WRITER = "FileWriter"
    STREAM = "Stream"


class HeaderDetail(StrEnum):
    """StreamHdrDetail, in the order of an EIGER2."""

    NONE = "None"
    BASIC = "Basic"
    ALL = "All"


class StreamVersion(StrEnum):
    """StreamVersion."""

    STREAM = "Stream"
    STREAM2 = "Stream2"


class RoiMode(StrEnum):
    """ROIMode."""

    DISABLE = "Disable"
    FOUR_M = "4M"


class CountingMode(StrEnum):
    """CountingMode of an EIGER2."""

    NORMAL = "Normal"
    RETRIGGER = "Retrigger"


class GateMode(StrEnum):
    """ExtGateMode of an EIGER2."""

    HDR = "HDR"
    PUMP_PROBE = "Pump & Probe"


class Spmg(StrEnum):
    """The motor record's stop, pause, move, go."""

    STOP = "Stop"
    PAUSE = "Pause"
    MOVE = "Move"
    GO = "Go"


class Direction(StrEnum):
    """The motor record's DIR."""

    POS = "Pos"
    NEG = "Neg"


class OffsetMode(StrEnum):
    """The motor record's FOFF."""

    VARIABLE = "Variable"
    FROZEN = "Frozen"


class UseSet(StrEnum):
    """The motor record's SET."""

    USE = "Use"
    SET = "Set"


class AcqState(StrEnum):
    """Where an acquisition is."""

    IDLE = "Idle"
    CAPTURING = "Capturing"
    ACQUIRING = "Acquiring"
    FINISHING = "Finishing"
    DONE = "Done"
    ABORTED = "Aborted"
    FAILED = "Failed"


class TriggerDirection(StrEnum):
    """Which crossings of the position fire the trigger."""

    EITHER = "Either"
    POSITIVE = "Positive"
    NEGATIVE = "Negative"
