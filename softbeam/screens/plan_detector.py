"""Plans of what a detector has: its camera, and the truth of a simulated one."""

from __future__ import annotations

from softbeam.screens.plans import Cell, Group, Line, Look, Page, Plan, cells

CAM = Plan(
    file="cam",
    title="Detector",
    needs=frozenset({"DetectorState_RBV", "Acquire", "TriggerMode"}),
    pages=(
        Page(
            title="Detector",
            groups=(
                Group(
                    "Acquire",
                    (
                        "Acquire",
                        "DetectorState_RBV",
                        "StatusMessage_RBV",
                        *("AcquireBusy", "AcquireBusyCB", "WaitForPlugins", "ArrayCounter", "ArrayRate_RBV"),
                        *("NumImagesCounter_RBV", "NumExposuresCounter_RBV", "TimeRemaining_RBV"),
                        *("SequenceId", "StaleParameters_RBV"),
                    ),
                ),
                Group("Exposure", ("AcquireTime", "AcquirePeriod", "NumImages", "NumExposures", "ImageMode")),
                Group(
                    "Trigger",
                    (
                        "TriggerMode",
                        "NumTriggers",
                        "ManualTrigger",
                        "Trigger",
                        "Trigger*",
                        "Armed",
                        "CountingMode",
                    ),
                ),
                Group("Beam", ("PhotonEnergy", "Wavelength", "*Threshold*", "EnergyEps", "WavelengthEps")),
                Group("Geometry", ("BeamX", "BeamY", "DetDist")),
                Group(
                    "Pixels",
                    (
                        *("BitDepthImage_RBV", "CountCutoff_RBV", "AutoSummation", "FlatfieldApplied"),
                        *("PixelMaskApplied", "CountrateCorrApplied", "CompressionAlgo", "ROIMode"),
                        *("ExtGateMode", "DeadTime_RBV"),
                    ),
                ),
                Group(
                    "Stream",
                    ("DataSource", "StreamEnable", "StreamState_RBV", "StreamDropped_RBV", "Stream*"),
                ),
                Group(
                    "Condition",
                    (
                        *("State_RBV", "Error_RBV", "Initialize", "Restart", "ReadStatus", "Temperature*"),
                        *("Temp0_RBV", "Humid0_RBV", "HV*", "DCUBufferFree_RBV", "Link*_RBV"),
                    ),
                ),
            ),
        ),
        Page(
            title="Settings",
            suffix="_setup",
            columns=4,
            groups=(
                Group(
                    "What it is",
                    (
                        *("Manufacturer_RBV", "Model_RBV", "Description_RBV", "SerialNumber_RBV"),
                        *("FirmwareVersion_RBV", "SDKVersion_RBV", "DriverVersion_RBV", "ADCoreVersion_RBV"),
                        *(
                            "PortName_RBV",
                            "?PixelSize_RBV",
                            "Sensor*_RBV",
                            "MaxSize?_RBV",
                            "StringTo*",
                            "StringFrom*",
                        ),
                    ),
                ),
                Group("Angles", ("Omega*", "Kappa*", "Chi*", "Phi*", "TwoTheta*")),
                Group(
                    "Region",
                    ("MinX", "MinY", "SizeX", "SizeY", "BinX", "BinY", "Reverse?", "FrameType", "Gain"),
                ),
                Group(
                    "Arrays",
                    (
                        *(
                            "ArrayCallbacks",
                            "ArraySize?_RBV",
                            "ArraySize_RBV",
                            "NDimensions",
                            "Dimensions",
                            "DataType",
                        ),
                        *("SignedData", "ColorMode", "BayerPattern_RBV", "UniqueId_RBV", "TimeStamp_RBV"),
                        *("EpicsTS*", "Codec_RBV", "CompressedSize_RBV"),
                    ),
                ),
                Group("Attributes", ("NDAttributes*",)),
                Group("Detector's file writer", ("FW*", "SaveFiles", "FileOwner*", "FilePerms", "Monitor*")),
                Group("Shutter", ("Shutter*",)),
                Group("Buffers", ("Pool*", "*FreeList", "NumQueuedArrays", "*PreAlloc*")),
            ),
        ),
    ),
    labels={
        "Trigger": "Software trigger",
        "SequenceId": "Series",
        "FWNImagesPerFile": "FW images per file",
        "FWHDF5Format": "FW HDF5 format",
        "NDimensions": "Number of dimensions",
    },
    looks={"Acquire": Look.START_STOP, "AcquireBusy": Look.MENU},
    line=(
        Cell("DetectorState_RBV", "State"),
        Cell("Armed", "Armed", width=50, look=Look.LIGHT),
        Cell("NumImagesCounter_RBV", "Images", width=90),
        Cell("AcquireTime_RBV|AcquireTime", "Exposure, s", width=90),
        Cell("Acquire", "Acquire", width=130),
    ),
)

TRUTH = Plan(
    file="truth",
    title="Simulation",
    needs=frozenset({"Truth_RBV", "Faults"}),
    pages=(
        Page(
            title="Simulation", columns=1, width=700, groups=(Group("Simulation", ("Faults", "Truth_RBV")),)
        ),
    ),
)

TRIGGER = Plan(
    file="trigger",
    title="Trigger",
    needs=frozenset({"PulseIn", "Position", "Armed_RBV"}),
    pages=(
        Page(
            title="Trigger",
            columns=1,
            width=520,
            groups=(
                Group("Crossing", ("Motor", "Position", "Direction", "Pulses")),
                Group(
                    "Trigger", ("Arm", "Armed_RBV", "Count_RBV", "Fired_RBV", "FiredAt_RBV", "Message_RBV")
                ),
                Group("Pulse", (Line("By software", cells(Cell("PulseIn", text="Pulse"))), "PulseWidth")),
            ),
        ),
    ),
    looks={"PulseIn": Look.HOLD},
)
