"""Plans of the writer's side: a detector's file writer, as NDFileHDF5 and as Odin, and an acquisition."""

from __future__ import annotations

from softbeam.screens.plans import Cell, Group, Line, Look, Page, Plan, cells

HDF = Plan(
    file="hdf",
    title="File writer",
    needs=frozenset({"Capture", "NumCaptured_RBV", "SWMRMode"}),
    pages=(
        Page(
            title="File writer",
            groups=(
                Group(
                    "Capture",
                    (
                        "Capture",
                        "NumCapture",
                        Line("Progress", cells(Cell("NumCaptured_RBV", look=Look.BAR))),
                        *("NumCaptured_RBV", "FileWriteMode", "LazyOpen", "EnableCallbacks"),
                        *(
                            "WriteStatus",
                            "WriteMessage",
                            "WriteFile",
                            "ReadFile",
                            "FlushNow",
                            "RunTime",
                            "IOSpeed",
                        ),
                    ),
                ),
                Group(
                    "File",
                    (
                        *("FilePath", "FilePathExists_RBV", "CreateDirectory", "FileName", "FileNumber"),
                        *(
                            "AutoIncrement",
                            "FileTemplate",
                            "TempSuffix",
                            "FullFileName_RBV",
                            "MasterFile_RBV",
                        ),
                    ),
                ),
                Group(
                    "Frames",
                    (
                        *(
                            "Connected_RBV",
                            "NumExpected_RBV",
                            "NumReceived_RBV",
                            "NumStored_RBV",
                            "NumMissing_RBV",
                        ),
                        *(
                            "NumDuplicate_RBV",
                            "NumUnwanted_RBV",
                            "NumForeign_RBV",
                            "NumFailed_RBV",
                            "SeriesId_RBV",
                        ),
                    ),
                ),
                Group(
                    "Reading while writing",
                    ("SWMR*", "NumFramesFlush"),
                ),
                Group(
                    "Queue",
                    ("QueueSize", "QueueUse", "QueueFree", "Dropped*", "Disordered*", "ExecutionTime_RBV"),
                ),
                Group(
                    "Array", ("ArrayCounter", "ArrayRate_RBV", "ArraySize?_RBV", "DataType", "UniqueId_RBV")
                ),
                Group("Compression", ("Compression", "Codec_RBV", "CompressedSize_RBV")),
            ),
        ),
        Page(
            title="Layout",
            suffix="_layout",
            columns=4,
            groups=(
                Group("Attributes", ("NDAttributes*", "StoreAttr", "StorePerform", "DimAttDatasets")),
                Group("Layout file", ("XML*",)),
                Group(
                    "Chunks",
                    (
                        "ChunkSizeAuto",
                        "Num*Chunks",
                        "ChunkSize?",
                        "NDAttributeChunk",
                        "Boundary*",
                        "FillValue",
                    ),
                ),
                Group(
                    "Compressors",
                    ("NumDataBits", "DataBitsOffset", "SZipNumPixels", "ZLevel", "Blosc*", "JPEGQuality"),
                ),
                Group("Extra dimensions", ("NumExtraDims", "ExtraDimSize*", "ExtraDimName*")),
                Group("Chunks of extra dimensions", ("ExtraDimChunk*",)),
                Group("Positions", ("PositionMode", "PosNameDim*", "PosIndexDim*")),
                Group("Plugin", ("PluginType_RBV", "PortName_RBV", "NDArrayPort", "NDArrayAddress")),
            ),
        ),
    ),
    labels={"SZipNumPixels": "szip pixels", "ZLevel": "zlib level", "NumDataBits": "N-bit data bits"},
    looks={"Capture": Look.START_STOP},
    bars={"NumCaptured_RBV": ("NumCapture_RBV", "NumExpected_RBV")},
    line=(
        Cell("Connected_RBV", "Worker", width=60, look=Look.LIGHT),
        Cell("Capture_RBV", "Capture"),
        Cell("NumCaptured_RBV", "Progress", look=Look.BAR),
        Cell("NumStored_RBV", "Stored", width=80),
        Cell("NumMissing_RBV", "Missing", width=80),
    ),
)

ACQ = Plan(
    file="acquisition",
    title="Acquisition",
    needs=frozenset({"Start", "Abort", "State_RBV", "Outcome_RBV"}),
    pages=(
        Page(
            title="Acquisition",
            columns=2,
            width=520,
            groups=(
                Group("Files", ("FilePath", "FilePathExists_RBV", "CreateDirectory", "Name")),
                Group("What", ("Detectors", "SampleName", "Timeout")),
                Group(
                    "Acquisition",
                    (
                        Line("", cells("Start", "Abort")),
                        "State_RBV",
                        Line("Progress", cells(Cell("Progress_RBV", look=Look.BAR))),
                        *("Progress_RBV", "Elapsed_RBV", "Message_RBV"),
                    ),
                ),
                Group(
                    "Frames",
                    (
                        *("Expected_RBV", "Stored_RBV", "Missing_RBV", "Outcome_RBV", "MasterFile_RBV"),
                        *("Number_RBV", "Version_RBV"),
                    ),
                ),
            ),
        ),
    ),
    panel=(
        "Name",
        "FilePath",
        Line("", cells("Start", "Abort")),
        Line("State", cells("State_RBV", "Outcome_RBV")),
        Line("Progress", cells(Cell("Progress_RBV", look=Look.BAR))),
        Line("Stored, missing", cells("Stored_RBV", "Missing_RBV")),
        "Message_RBV",
        "MasterFile_RBV",
    ),
)

_ODIN_CAPTURE = (
    *("Capture", "NumCapture"),
    Line("Progress", cells(Cell("NumCaptured_RBV", look=Look.BAR))),
    *("NumCaptured_RBV", "StartTimeout", "StartCloseTimeout", "TimeoutActive_RBV", "CloseFileTimeout"),
    *("WriteStatus", "WriteMessage", "NumProcesses_RBV", "RestAPIVersion_RBV"),
)

ODIN = Plan(
    file="odin",
    title="Odin",
    needs=frozenset({"Capture", "NumCaptured_RBV", "StartTimeout", "CloseFileTimeout"}),
    pages=(
        Page(
            title="Odin",
            groups=(
                Group("Capture", _ODIN_CAPTURE),
                Group(
                    "File",
                    (
                        *("FilePath", "FilePathExists_RBV", "CreateDirectory", "FileName", "AcquisitionID"),
                        *("FileExtension", "FullFileName_RBV", "FileFormat"),
                    ),
                ),
                Group(
                    "Frames",
                    ("ImageWidth", "ImageHeight", "DataType", "BlockSize", "BlocksPerFile", "Num*Chunks"),
                ),
                Group(
                    "File format",
                    (
                        "EarliestHDF5Version",
                        "Boundary*",
                        "NumFramesFlush",
                        "Compression",
                        "Blosc*",
                        "FillValue",
                    ),
                ),
            ),
        ),
    ),
    looks={"Capture": Look.START_STOP},
    bars={"NumCaptured_RBV": ("NumCapture_RBV", "NumExpected_RBV")},
)
