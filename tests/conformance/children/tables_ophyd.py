"""Every signal of ophyd's Eiger and HDF5 classes connects. Argument: prefix of the beamline."""

import sys

from ophyd import Component, Device
from ophyd.areadetector.cam import EigerDetectorCam
from ophyd.areadetector.plugins import HDF5Plugin, HDF5Plugin_V34


class Detector(Device):
    cam = Component(EigerDetectorCam, "cam1:")
    hdf = Component(HDF5Plugin, "HDF1:")
    hdf34 = Component(HDF5Plugin_V34, "HDF1:")


detector = Detector(f"{sys.argv[1]}EIG1:", name="eiger")
detector.wait_for_connection(all_signals=True, timeout=20)
assert detector.cam.image_mode.get(as_string=True) == "Multiple"
# Setpoints come back, the empty text as well: unstaging waits for that without a limit.
detector.cam.file_name.set("").wait(timeout=5)
detector.cam.stream_decompress.set("Enable").wait(timeout=5)
detector.hdf.num_frames_chunks.set(5).wait(timeout=5)
print("OK")  # noqa: T201
