"""asyn parameters and the records that show them: what an NDAttribute of type PARAM means.

From the drvInfo strings of the record templates (NDArrayBase, ADBase and ADEiger for the camera;
NDPluginBase, NDFile and NDFileHDF5 for the file writer; NDPluginBase and NDStats for the statistics); of
several records of one parameter, its readback.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ioc.records import expand
from ioc.tables.stats import stats

_BOTH = """
ACQUIRE Acquire_RBV, ACQUIRE_BUSY AcquireBusyCB, ADCORE_VERSION ADCoreVersion_RBV,
ARRAY_CALLBACKS ArrayCallbacks_RBV, ARRAY_COUNTER ArrayCounter_RBV, ARRAY_DIMENSIONS Dimensions_RBV,
ARRAY_NDIMENSIONS NDimensions_RBV, ARRAY_SIZE ArraySize_RBV, ARRAY_SIZE_X ArraySizeX_RBV,
ARRAY_SIZE_Y ArraySizeY_RBV, ARRAY_SIZE_Z ArraySizeZ_RBV, AUTO_INCREMENT AutoIncrement_RBV,
AUTO_SAVE AutoSave_RBV, BAYER_PATTERN BayerPattern_RBV, CAPTURE Capture_RBV, CODEC Codec_RBV,
COLOR_MODE ColorMode_RBV, COMPRESSED_SIZE CompressedSize_RBV, CREATE_DIR CreateDirectory_RBV,
DATA_TYPE DataType_RBV, DELETE_DRIVER_FILE DeleteDriverFile_RBV, DRIVER_VERSION DriverVersion_RBV,
EPICS_TS_NSEC EpicsTSNsec_RBV, EPICS_TS_SEC EpicsTSSec_RBV, FILE_FORMAT FileFormat_RBV,
FILE_LAZY_OPEN LazyOpen_RBV, FILE_NAME FileName_RBV, FILE_NUMBER FileNumber_RBV, FILE_PATH FilePath_RBV,
FILE_PATH_EXISTS FilePathExists_RBV, FILE_TEMPLATE FileTemplate_RBV, FILE_TEMP_SUFFIX TempSuffix_RBV,
FIRMWARE_VERSION FirmwareVersion_RBV, FREE_CAPTURE FreeCapture, FULL_FILE_NAME FullFileName_RBV,
MANUFACTURER Manufacturer_RBV, MODEL Model_RBV, ND_ATTRIBUTES_FILE NDAttributesFile,
ND_ATTRIBUTES_MACROS NDAttributesMacros, ND_ATTRIBUTES_STATUS NDAttributesStatus,
NUM_CAPTURE NumCapture_RBV, NUM_CAPTURED NumCaptured_RBV, NUM_QUEUED_ARRAYS NumQueuedArrays,
POOL_ALLOC_BUFFERS PoolAllocBuffers, POOL_EMPTY_FREELIST EmptyFreeList,
POOL_FREE_BUFFERS PoolFreeBuffers, POOL_MAX_MEMORY PoolMaxMem,
POOL_NUM_PRE_ALLOC_BUFFERS NumPreAllocBuffers_RBV, POOL_POLL_STATS PoolPollStats,
POOL_PRE_ALLOC_BUFFERS PreAllocBuffers, POOL_USED_MEMORY PoolUsedMem, PORT_NAME_SELF PortName_RBV,
READ_FILE ReadFile_RBV, SDK_VERSION SDKVersion_RBV, SERIAL_NUMBER SerialNumber_RBV,
TIME_STAMP TimeStamp_RBV, UNIQUE_ID UniqueId_RBV, WAIT_FOR_PLUGINS WaitForPlugins,
WRITE_FILE WriteFile_RBV, WRITE_MESSAGE WriteMessage, WRITE_MODE FileWriteMode_RBV,
WRITE_STATUS WriteStatus
"""

_CAMERA = """
ACQ_PERIOD AcquirePeriod_RBV, ACQ_TIME AcquireTime_RBV, ARMED Armed, AUTO_REMOVE FWAutoRemove_RBV,
AUTO_SUMMATION AutoSummation_RBV, BIN_X BinX_RBV, BIN_Y BinY_RBV, CLEAR FWClear,
COMPRESSION FWCompression_RBV, COMPRESSION_ALGO CompressionAlgo_RBV, DATA_SOURCE DataSource_RBV,
DCU_BUF_FREE DCUBufferFree_RBV, DESCRIPTION Description_RBV, EIG_DCD_beam_center_x BeamX_RBV,
EIG_DCD_beam_center_y BeamY_RBV, EIG_DCD_chi_increment ChiIncr_RBV, EIG_DCD_chi_start ChiStart_RBV,
EIG_DCD_detector_distance DetDist_RBV, EIG_DCD_detector_readout_time DeadTime_RBV,
EIG_DCD_kappa_increment KappaIncr_RBV, EIG_DCD_kappa_start KappaStart_RBV,
EIG_DCD_omega_increment OmegaIncr_RBV, EIG_DCD_omega_start OmegaStart_RBV,
EIG_DCD_phi_increment PhiIncr_RBV, EIG_DCD_phi_start PhiStart_RBV,
EIG_DCD_sensor_thickness SensorThickness_RBV, EIG_DCD_two_theta_increment TwoThetaIncr_RBV,
EIG_DCD_two_theta_start TwoThetaStart_RBV, EIG_DCD_x_pixel_size XPixelSize_RBV,
EIG_DCD_y_pixel_size YPixelSize_RBV, EIG_DCI_bit_depth_image BitDepthImage_RBV,
EIG_DCI_counting_mode CountingMode_RBV, EIG_DCI_countrate_correction_applied CountrateCorrApplied_RBV,
EIG_DCI_countrate_correction_count_cutoff CountCutoff_RBV,
EIG_DCI_flatfield_correction_applied FlatfieldApplied_RBV,
EIG_DCI_pixel_mask_applied PixelMaskApplied_RBV, EIG_DCS_sensor_material SensorMaterial_RBV,
EIG_SCI_header_detail StreamHdrDetail_RBV, EIG_SCS_header_appendix StreamHdrAppendix,
EIG_SCS_image_appendix StreamImgAppendix, ENERGY_EPSILON EnergyEps_RBV, ERROR Error_RBV,
EXT_GATE_MODE ExtGateMode_RBV, FILE_OWNER FileOwner_RBV, FILE_OWNER_GROUP FileOwnerGrp_RBV,
FILE_PERMISSIONS FilePerms_RBV, FRAME_TYPE FrameType_RBV, FWHDF5_FORMAT FWHDF5Format_RBV,
FW_ENABLE FWEnable_RBV, FW_FREE FWFree_RBV, FW_STATE FWState_RBV, GAIN Gain_RBV, HV_RESET HVReset,
HV_RESET_TIME HVResetTime_RBV, HV_STATE HVState_RBV, IMAGE_MODE ImageMode_RBV, INITIALIZE Initialize,
LINK_0 Link0_RBV, LINK_1 Link1_RBV, LINK_2 Link2_RBV, LINK_3 Link3_RBV, MANUAL_TRIGGER ManualTrigger_RBV,
MAX_SIZE_X MaxSizeX_RBV, MAX_SIZE_Y MaxSizeY_RBV, MIN_X MinX_RBV, MIN_Y MinY_RBV,
MONITOR_ENABLE MonitorEnable_RBV, MONITOR_STATE MonitorState_RBV, MONITOR_TIMEOUT MonitorTimeout_RBV,
NAME_PATTERN FWNamePattern_RBV, NEXPOSURES NumExposures_RBV, NEXPOSURES_COUNTER NumExposuresCounter_RBV,
NIMAGES NumImages_RBV, NIMAGES_COUNTER NumImagesCounter_RBV, NIMAGES_PER_FILE FWNImagesPerFile_RBV,
NUM_TRIGGERS NumTriggers_RBV, PHOTON_ENERGY PhotonEnergy_RBV, READ_STATUS ReadStatus, RESTART Restart,
REVERSE_X ReverseX_RBV, REVERSE_Y ReverseY_RBV, ROI_MODE ROIMode_RBV, SAVE_FILES SaveFiles_RBV,
SEQ_ID SequenceId, SHUTTER_CLOSE_DELAY ShutterCloseDelay_RBV, SHUTTER_CONTROL ShutterControl_RBV,
SHUTTER_CONTROL_EPICS ShutterControlEPICS, SHUTTER_MODE ShutterMode_RBV,
SHUTTER_OPEN_DELAY ShutterOpenDelay_RBV, SHUTTER_STATUS ShutterStatus_RBV, SIGNED_DATA SignedData_RBV,
SIZE_X SizeX_RBV, SIZE_Y SizeY_RBV, STATE State_RBV, STATUS DetectorState_RBV,
STATUS_MESSAGE StatusMessage_RBV, STREAM_AS_TIMESTAMP_SOURCE StreamAsTSSource_RBV,
STREAM_DECOMPRESS StreamDecompress_RBV, STREAM_DROPPED StreamDropped_RBV, STREAM_ENABLE StreamEnable_RBV,
STREAM_STATE StreamState_RBV, STREAM_VERSION StreamVersion_RBV, STRING_FROM_SERVER StringFromServer_RBV,
STRING_TO_SERVER StringToServer_RBV, TEMPERATURE Temperature_RBV, TEMPERATURE_ACTUAL TemperatureActual,
THRESHOLD ThresholdEnergy_RBV, THRESHOLD1_ENABLE Threshold1Enable_RBV, THRESHOLD2 Threshold2Energy_RBV,
THRESHOLD2_ENABLE Threshold2Enable_RBV, THRESHOLD_DIFF_ENABLE ThresholdDiffEnable_RBV,
TH_HUMID_0 Humid0_RBV, TH_TEMP_0 Temp0_RBV, TIME_REMAINING TimeRemaining_RBV, TRIGGER Trigger,
TRIGGER_MODE TriggerMode_RBV, TRIGGER_START_DELAY TriggerStartDelay_RBV, WAVELENGTH Wavelength_RBV,
WAVELENGTH_EPSILON WavelengthEps_RBV
"""

_PLUGIN = """
BLOCKING_CALLBACKS BlockingCallbacks_RBV, DISORDERED_ARRAYS DisorderedArrays_RBV,
DROPPED_ARRAYS DroppedArrays_RBV, DROPPED_OUTPUT_ARRAYS DroppedOutputArrays_RBV,
ENABLE_CALLBACKS EnableCallbacks_RBV, EXECUTION_TIME ExecutionTime_RBV,
HDF5_NDAttributeChunk NDAttributeChunk_RBV, HDF5_SWMRCbCounter SWMRCbCounter_RBV,
HDF5_SWMRFlushNow FlushNow, HDF5_SWMRMode SWMRMode_RBV, HDF5_SWMRRunning SWMRActive_RBV,
HDF5_SWMRSupported SWMRSupported_RBV, HDF5_bloscCompressLevel BloscLevel_RBV,
HDF5_bloscCompressor BloscCompressor_RBV, HDF5_bloscShuffleType BloscShuffle_RBV,
HDF5_chunkBoundaryAlign BoundaryAlign_RBV, HDF5_chunkBoundaryThreshold BoundaryThreshold_RBV,
HDF5_chunkSize2 ChunkSize2_RBV, HDF5_chunkSize3 ChunkSize3_RBV, HDF5_chunkSize4 ChunkSize4_RBV,
HDF5_chunkSize5 ChunkSize5_RBV, HDF5_chunkSize6 ChunkSize6_RBV, HDF5_chunkSize7 ChunkSize7_RBV,
HDF5_chunkSize8 ChunkSize8_RBV, HDF5_chunkSize9 ChunkSize9_RBV, HDF5_chunkSizeAuto ChunkSizeAuto_RBV,
HDF5_compressionType Compression_RBV, HDF5_dimAttDatasets DimAttDatasets_RBV,
HDF5_extraDimChunk3 ExtraDimChunk3_RBV, HDF5_extraDimChunk4 ExtraDimChunk4_RBV,
HDF5_extraDimChunk5 ExtraDimChunk5_RBV, HDF5_extraDimChunk6 ExtraDimChunk6_RBV,
HDF5_extraDimChunk7 ExtraDimChunk7_RBV, HDF5_extraDimChunk8 ExtraDimChunk8_RBV,
HDF5_extraDimChunk9 ExtraDimChunk9_RBV, HDF5_extraDimChunkX ExtraDimChunkX_RBV,
HDF5_extraDimChunkY ExtraDimChunkY_RBV, HDF5_extraDimName3 ExtraDimName3_RBV,
HDF5_extraDimName4 ExtraDimName4_RBV, HDF5_extraDimName5 ExtraDimName5_RBV,
HDF5_extraDimName6 ExtraDimName6_RBV, HDF5_extraDimName7 ExtraDimName7_RBV,
HDF5_extraDimName8 ExtraDimName8_RBV, HDF5_extraDimName9 ExtraDimName9_RBV,
HDF5_extraDimNameN ExtraDimNameN_RBV, HDF5_extraDimNameX ExtraDimNameX_RBV,
HDF5_extraDimNameY ExtraDimNameY_RBV, HDF5_extraDimSize3 ExtraDimSize3_RBV,
HDF5_extraDimSize4 ExtraDimSize4_RBV, HDF5_extraDimSize5 ExtraDimSize5_RBV,
HDF5_extraDimSize6 ExtraDimSize6_RBV, HDF5_extraDimSize7 ExtraDimSize7_RBV,
HDF5_extraDimSize8 ExtraDimSize8_RBV, HDF5_extraDimSize9 ExtraDimSize9_RBV,
HDF5_extraDimSizeN ExtraDimSizeN_RBV, HDF5_extraDimSizeX ExtraDimSizeX_RBV,
HDF5_extraDimSizeY ExtraDimSizeY_RBV, HDF5_fillValue FillValue_RBV,
HDF5_flushNthFrame NumFramesFlush_RBV, HDF5_jpegQuality JPEGQuality_RBV,
HDF5_layoutErrorMsg XMLErrorMsg_RBV, HDF5_layoutFilename XMLFileName_RBV, HDF5_layoutValid XMLValid_RBV,
HDF5_nColChunks NumColChunks_RBV, HDF5_nExtraDims NumExtraDims_RBV,
HDF5_nFramesChunks NumFramesChunks_RBV, HDF5_nRowChunks NumRowChunks_RBV,
HDF5_nbitsOffset DataBitsOffset_RBV, HDF5_nbitsPrecision NumDataBits_RBV,
HDF5_posIndexDim3 PosIndexDim3_RBV, HDF5_posIndexDim4 PosIndexDim4_RBV,
HDF5_posIndexDim5 PosIndexDim5_RBV, HDF5_posIndexDim6 PosIndexDim6_RBV,
HDF5_posIndexDim7 PosIndexDim7_RBV, HDF5_posIndexDim8 PosIndexDim8_RBV,
HDF5_posIndexDim9 PosIndexDim9_RBV, HDF5_posIndexDimN PosIndexDimN_RBV,
HDF5_posIndexDimX PosIndexDimX_RBV, HDF5_posIndexDimY PosIndexDimY_RBV, HDF5_posNameDim3 PosNameDim3_RBV,
HDF5_posNameDim4 PosNameDim4_RBV, HDF5_posNameDim5 PosNameDim5_RBV, HDF5_posNameDim6 PosNameDim6_RBV,
HDF5_posNameDim7 PosNameDim7_RBV, HDF5_posNameDim8 PosNameDim8_RBV, HDF5_posNameDim9 PosNameDim9_RBV,
HDF5_posNameDimN PosNameDimN_RBV, HDF5_posNameDimX PosNameDimX_RBV, HDF5_posNameDimY PosNameDimY_RBV,
HDF5_posRunning PositionMode_RBV, HDF5_storeAttributes StoreAttr_RBV,
HDF5_storePerformance StorePerform_RBV, HDF5_szipNumPixels SZipNumPixels_RBV, HDF5_totalIoSpeed IOSpeed,
HDF5_totalRuntime RunTime, HDF5_zCompressLevel ZLevel_RBV, MAX_BYTE_RATE MaxByteRate_RBV,
MAX_THREADS MaxThreads_RBV, MIN_CALLBACK_TIME MinCallbackTime_RBV, NDARRAY_ADDR NDArrayAddress_RBV,
NDARRAY_PORT NDArrayPort_RBV, NUM_THREADS NumThreads_RBV, PLUGIN_TYPE PluginType_RBV,
PROCESS_PLUGIN ProcessPlugin, QUEUE_FREE QueueFree, QUEUE_SIZE QueueSize_RBV, SORT_FREE SortFree,
SORT_MODE SortMode_RBV, SORT_SIZE SortSize_RBV, SORT_TIME SortTime_RBV
"""

_STATISTICS = """
CENTROIDX_VALUE CentroidX_RBV, CENTROIDY_VALUE CentroidY_RBV, CENTROID_TOTAL CentroidTotal_RBV,
CURSOR_VAL CursorVal, ECCENTRICITY_VALUE Eccentricity_RBV, HIST_ABOVE HistAbove_RBV,
HIST_BELOW HistBelow_RBV, HIST_ENTROPY HistEntropy_RBV, KURTOSISX_VALUE KurtosisX_RBV,
KURTOSISY_VALUE KurtosisY_RBV, MAX_VALUE MaxValue_RBV, MAX_X MaxX_RBV, MAX_Y MaxY_RBV,
MEAN_VALUE MeanValue_RBV, MIN_VALUE MinValue_RBV, MIN_X MinX_RBV, MIN_Y MinY_RBV, NET Net_RBV,
ORIENTATION_VALUE Orientation_RBV, SIGMAXY_VALUE SigmaXY_RBV, SIGMAX_VALUE SigmaX_RBV,
SIGMAY_VALUE SigmaY_RBV, SIGMA_VALUE Sigma_RBV, SKEWX_VALUE SkewX_RBV, SKEWY_VALUE SkewY_RBV,
TOTAL Total_RBV
"""

_STATS = """
BGD_WIDTH BgdWidth_RBV, CENTROID_THRESHOLD CentroidThreshold_RBV, COMPUTE_CENTROID ComputeCentroid_RBV,
COMPUTE_HISTOGRAM ComputeHistogram_RBV, COMPUTE_PROFILES ComputeProfiles_RBV,
COMPUTE_STATISTICS ComputeStatistics_RBV, CURSOR_X CursorX_RBV, CURSOR_Y CursorY_RBV,
HIST_MAX HistMax_RBV, HIST_MIN HistMin_RBV, HIST_SIZE HistSize_RBV, PROFILE_SIZE_X ProfileSizeX_RBV,
PROFILE_SIZE_Y ProfileSizeY_RBV
"""


def _table(text: str) -> dict[str, str]:
    words = text.replace(",", " ").split()
    return dict(zip(words[::2], words[1::2], strict=True))


CAMERA: Final[Mapping[str, str]] = _table(_BOTH) | _table(_CAMERA)
"""Parameters of the Eiger driver."""
PLUGIN: Final[Mapping[str, str]] = _table(_BOTH) | _table(_PLUGIN)
"""Parameters of the file writer."""
STATISTICS: Final[Mapping[str, str]] = _table(_STATISTICS)
"""Parameters of the statistics that are another value for each frame."""


def _of_stats() -> dict[str, str]:
    """Those of every plugin, and its own that are no arrays."""
    own = {record.name for record in expand(stats()).values()}
    shared = {name: record for name, record in PLUGIN.items() if record in own}
    return shared | _table(_STATS) | dict(STATISTICS)


STATS: Final[Mapping[str, str]] = _of_stats()
"""Parameters of the statistics plugin."""
