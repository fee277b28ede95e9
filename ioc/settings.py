"""Which records are settings, whose values are worth keeping over a restart; commands and counters are none.

The names are those that the autosave request files of ADCore, ADEiger and synApps motor name
(``ADBase_settings.req`` and its like), so that what is kept here is what is kept at a beamline; and those of
our own devices. Positions of motors are none of them: a simulated motor begins where the beamline file says.
"""

from __future__ import annotations

from collections.abc import Mapping

from ioc.records import Record


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CAMERA = _names("""
    AcquirePeriod AcquireTime BinX BinY FrameType Gain ImageMode MinX MinY NumExposures NumImages ReverseX
    ReverseY ShutterCloseDelay ShutterMode ShutterOpenDelay SizeX SizeY Temperature TriggerMode
    AutoSummation BeamX BeamY ChiIncr ChiStart CompressionAlgo CountingMode CountrateCorrApplied
    DataSource DetDist EnergyEps ExtGateMode FWAutoRemove FWCompression FWEnable FWNImagesPerFile
    FWNamePattern FileOwner FileOwnerGrp FilePerms FlatfieldApplied HVResetTime KappaIncr KappaStart
    ManualTrigger MonitorEnable MonitorTimeout NumTriggers OmegaIncr OmegaStart PhiIncr PhiStart
    PhotonEnergy PixelMaskApplied ROIMode SaveFiles SignedData StreamDecompress StreamEnable
    StreamHdrAppendix StreamHdrDetail StreamImgAppendix Threshold1Enable Threshold2Enable Threshold2Energy
    ThresholdDiffEnable ThresholdEnergy TriggerStartDelay TwoThetaIncr TwoThetaStart WavelengthEps
""")
"""ADBase, eigerBase and eiger2."""

ARRAYS = _names("""
    ArrayCallbacks ColorMode NDAttributesFile NDAttributesMacros NumPreAllocBuffers
    WaitForPlugins BlockingCallbacks EnableCallbacks MaxByteRate MinCallbackTime NDArrayAddress
    NDArrayPort NumThreads QueueSize SortMode SortSize SortTime
""")
"""NDArrayBase and NDPluginBase, without DataType: an Eiger's follows from its exposure."""

FILES = _names("""
    AutoIncrement AutoSave CreateDirectory DeleteDriverFile FileFormat FileName FileNumber FilePath
    FileTemplate FileWriteMode LazyOpen NumCapture TempSuffix BloscCompressor BloscLevel BloscShuffle
    BoundaryAlign BoundaryThreshold ChunkSize2 ChunkSize3 ChunkSize4 ChunkSize5 ChunkSize6 ChunkSize7
    ChunkSize8 ChunkSize9 ChunkSizeAuto Compression DataBitsOffset ExtraDimSizeN ExtraDimSizeX
    ExtraDimSizeY JPEGQuality NumColChunks NumDataBits NumExtraDims NumFramesChunks NumFramesFlush
    NumRowChunks SWMRMode SZipNumPixels StoreAttr StorePerform XMLFileName ZLevel
""")
"""NDFile and NDFileHDF5."""

PLUGINS = _names("""
    BgdWidth CentroidThreshold ComputeCentroid ComputeHistogram ComputeProfiles ComputeStatistics CursorX
    CursorY HistMax HistMin HistSize AutoSizeX AutoSizeY AutoSizeZ BinZ CollapseDims DataTypeOut
    EnableScale EnableX EnableY EnableZ MinZ Name ReverseZ Scale SizeZ
    IgnoreMasked TS:TSNumPoints TS:TSAcquireMode
""")
"""NDStats, NDROI and NDTimeSeries; which pixels count is a setting of ours."""

MOTOR = _names("""
    ACCL ACCU BACC BDST BVEL DCOF DESC DHLM DIR DISA DISP DLLM DLY EGU ERES FLNK FOFF FRAC HVEL ICOF INIT
    JAR JVEL MRES NTM NTMF OFF OMSL PCOF POST PREC PREM RDBD RDBL RMOD RRES RSTM RTRY SPDB SREV TWV UEIP
    URIP VBAS VELO VMAX
""")
"""Fields of the motor record, of which the limits are the dial's: those of the user follow them and OFF."""

OWN = _names("Detectors Name SampleName Timeout Motor Position Direction PulseWidth Pulses")
"""``ACQ:`` and the trigger."""

_DEVICES = CAMERA | ARRAYS | FILES | PLUGINS | OWN


def is_setting(prefix: str, record: Record) -> bool:
    """Whether a record of a device is a setting.

    Args:
        prefix: Of the device; one that ends in "." makes the records fields of a motor.
        record: One of the device's.
    """
    return record.writable and record.name in (MOTOR if prefix.endswith(".") else _DEVICES)


def settings(prefix: str, records: Mapping[str, Record]) -> list[str]:
    """Names of the settings of a device, in the order of its table."""
    return [name for name, record in records.items() if is_setting(prefix, record)]
