"""What acting PVs change at once beside themselves, and what clients put in normal use."""

_COMMON = {"QueueSize": "QueueUseHIGH"}
_PREVIEW = _COMMON | {"MaxArrayRate": "MinCallbackTime_RBV"}
_VALUES = (
    "CentroidTotal CentroidX CentroidY Eccentricity HistAbove HistBelow HistEntropy KurtosisX KurtosisY "
    "MaxValue MaxX MaxY MeanValue MinValue MinX MinY Net Orientation SigmaX SigmaXY SigmaY SkewX SkewY Total"
)
"""Values of a frame that clients can set until the next one."""
EFFECTS: dict[str, dict[str, str]] = {
    "motor": {
        "VAL": "DMOV",
        "DVAL": "DMOV",
        "RVAL": "DMOV",
        "RLV": "DMOV",
        "HLM": "DHLM",
        "LLM": "DLLM",
        "DHLM": "HLM",
        "DLLM": "LLM",
        "VELO": "S",
        "VBAS": "SBAS",
        "VMAX": "SMAX",
        "BVEL": "SBAK",
        "S": "VELO",
        "SBAS": "VBAS",
        "SMAX": "VMAX",
        "SBAK": "BVEL",
        "ACCL": "ACCS",
        "ACCS": "ACCL",
        "OFF": "VAL",
        "SPMG": "LSPG",
        "TWF": "DMOV",
        "TWR": "DMOV",
    },
    "trigger": {"Arm": "Armed_RBV", "PulseIn": "Count_RBV"},
    "detector": {
        "AcquireTime": "AcquirePeriod_RBV",
        "CompressionAlgo": "Codec_RBV",
        "FilePerms": "StatusMessage_RBV",
        "AutoSummation": "BitDepthImage_RBV",
        "StreamEnable": "StreamState_RBV",
        "MonitorEnable": "MonitorState_RBV",
        "FWEnable": "FWState_RBV",
        "PhotonEnergy": "Wavelength_RBV",
        "Wavelength": "PhotonEnergy_RBV",
        "NDAttributesFile": "NDAttributesStatus",
        "PreAllocBuffers": "PoolAllocBuffers",
        "Initialize": "DetectorState_RBV",
        "Threshold2Enable": "StatusMessage_RBV",
        "ThresholdDiffEnable": "StatusMessage_RBV",
        "StreamVersion": "StatusMessage_RBV",
        "HVReset": "HVState_RBV",
    },
    "truth": {},
    "file": _COMMON
    | {"FilePath": "FilePathExists_RBV", "NumExtraDims": "NumCapture_RBV", "XMLFileName": "XMLErrorMsg_RBV"}
    | {"MinCallbackTime": "WriteMessage", "ReadFile": "WriteMessage", "NDArrayPort": "WriteMessage"},
    "statistics": _PREVIEW
    | {name: f"{name}_RBV" for name in _VALUES.split()}
    | {"SigmaValue": "Sigma_RBV"}
    | {"HistSize": "HistogramX_RBV", "HistMin": "HistogramX_RBV", "HistMax": "HistogramX_RBV"}
    | {"TSNumPoints": "TS:TSNumPoints", "TS:TSNumPoints": "TSNumPoints"},
    "image": _PREVIEW,
    "region": _PREVIEW,
    "acquisition": {"FilePath": "FilePathExists_RBV", "Detectors": "Message_RBV", "Start": "State_RBV"},
}
"""By kind of device: a record, and a PV of the same device that a put of another value changes."""

ONLY_ECHO = {
    "ArrayCallbacks": "the stream goes on whatever the driver hands on (decision 12)",
    "BlockingCallbacks": "the camera is another process and never waits",
    "ChunkSizeAuto": "a chunk is a frame, which is what it asks for",
    "NumColChunks": "a chunk is a frame",
    "NumRowChunks": "a chunk is a frame",
    "NumFramesChunks": "a chunk is a frame",
    "DevShmCache": "frames go to the file without a copy in memory",
}
"""What clients put that only echoes, and why an echo is the whole truth."""


def _all(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(prefix + name for name in names.split())


PUT_BY_CLIENTS: dict[str, tuple[str, ...]] = {
    "ophyd": (
        *_all(
            "SB:EIG1:HDF1:",
            "ArrayCounter AutoIncrement AutoSave BlockingCallbacks Capture EnableCallbacks "
            "FileName FileNumber FilePath FileTemplate FileWriteMode NumCapture",
        ),
        *_all("SB:EIG1:Stats1:", "BlockingCallbacks EnableCallbacks"),
        *_all("SB:EIG1:cam1:", "Acquire AcquireTime ArrayCallbacks ImageMode NumImages"),
        *_all("SB:EIG1:image1:", "BlockingCallbacks EnableCallbacks"),
    ),
    "ophyd-async": (
        *_all(
            "SB:EIG1:HDF1:",
            "AutoIncrement Capture ChunkSizeAuto CreateDirectory EnableCallbacks FileName "
            "FileNumber FilePath FileTemplate FileWriteMode FlushNow LazyOpen NumCapture "
            "NumExtraDims SWMRMode XMLFileName",
        ),
        *_all(
            "SB:EIG1:cam1:",
            "Acquire AcquirePeriod AcquireTime ImageMode NDAttributesFile NumImages WaitForPlugins",
        ),
        *_all("SB:EIG1:Stats1:", "NDAttributesFile"),
        *_all("SB:MOT:PHI.", "VAL VELO"),
    ),
    "dodal": (
        *_all(
            "SB:EIG1:CAM:",
            "Acquire AcquirePeriod AcquireTime BeamX BeamY DetDist ImageMode NumExposures "
            "NumImages NumTriggers OmegaIncr OmegaStart PhotonEnergy ROIMode TriggerMode",
        ),
        *_all("SB:EIG1:OD1:", "FPClearErrors"),
        *_all(
            "SB:EIG1:OD:",
            "Capture DataType FileName FilePath ImageHeight ImageWidth NumCapture "
            "NumColChunks NumFramesChunks NumRowChunks StartTimeout",
        ),
        *_all("SB:EIG1:OD:FAN:", "DevShmCache"),
        *_all("SB:EIG1:OD:META:", "Stop"),
        *_all("SB:TRIG:", "PulseIn"),
    ),
}
"""What the put log said of the classes of tests/conformance/children: all PVs that they put."""
