"""ophyd's detector and plugin classes against a whole beamline. Arguments: prefix, directory, cycles.

Every signal of every version connects; the asyn ports form a graph; a detector that writes files is staged,
triggered and unstaged again and again, as bluesky does it.
"""

import json
import sys

from ophyd import EpicsMotor, SingleTrigger
from ophyd.areadetector import plugins
from ophyd.areadetector.base import ADComponent
from ophyd.areadetector.cam import EigerDetectorCam
from ophyd.areadetector.detectors import DetectorBase, EigerDetector
from ophyd.areadetector.filestore_mixins import FileStoreHDF5IterativeWrite

PREFIX, DIRECTORY, CYCLES = sys.argv[1], sys.argv[2], int(sys.argv[3])
DETECTOR = f"{PREFIX}EIG1:"
VERSIONS = ("", "_V20", "_V21", "_V22", "_V25", "_V26", "_V31", "_V32", "_V33", "_V34", "_V35")
FAMILIES = {"HDF5Plugin": "HDF1:", "StatsPlugin": "Stats1:", "ImagePlugin": "image1:", "ROIPlugin": "ROI1:"}
IMAGES = 3


class Hdf(plugins.HDF5Plugin, FileStoreHDF5IterativeWrite):
    """The writer as beamlines put it together."""

    def get_frames_per_point(self) -> int:
        return self.parent.cam.num_images.get()


class Eiger(SingleTrigger, DetectorBase):
    """An Eiger with its file writer and statistics."""

    cam = ADComponent(EigerDetectorCam, "cam1:")
    hdf = ADComponent(Hdf, "HDF1:", write_path_template=DIRECTORY)
    stats = ADComponent(plugins.StatsPlugin_V34, "Stats1:")
    image = ADComponent(plugins.ImagePlugin_V34, "image1:")


def connect(cls: type, prefix: str) -> int:
    """All signals of a class, made at once and then waited for; how many PVs they have."""
    device = cls(prefix, name="x")
    device.lazy_wait_for_connection = False  # one after another takes the client 32 ms each
    signals = [walk.item for walk in device.walk_signals(include_lazy=True)]
    device.wait_for_connection(all_signals=True, timeout=60)
    assert all(signal.connected for signal in signals)
    pvs = [getattr(s, what) for s in signals for what in ("pvname", "setpoint_pvname") if hasattr(s, what)]
    return len(set(pvs))


def connect_all() -> dict[str, int]:
    found = {"EpicsMotor": connect(EpicsMotor, f"{PREFIX}MOT:PHI")}
    found["EigerDetectorCam"] = connect(EigerDetectorCam, f"{DETECTOR}cam1:")
    found["EigerDetector"] = connect(EigerDetector, DETECTOR)
    for family, suffix in FAMILIES.items():
        for version in VERSIONS:
            cls = getattr(plugins, family + version, None)
            if cls is not None:
                found[family + version] = connect(cls, DETECTOR + suffix)
    return found


def cycle(eiger: Eiger) -> dict[str, object]:
    """Stage, trigger twice, unstage; what the file is called and how many frames it has to have."""
    eiger.stage()
    try:
        for _ in range(2):
            eiger.trigger().wait(timeout=20)
        path = eiger.hdf.full_file_name.get(use_monitor=False)
    finally:
        eiger.unstage()
    # Its trigger is over with Acquire, which does not wait for the writer; unstaging does.
    captured = eiger.hdf.num_captured.get(use_monitor=False)
    assert eiger.hdf.write_status.get(use_monitor=False) == 0, eiger.hdf.write_message.get()
    return {"file": path, "captured": int(captured), "frames": 2 * IMAGES}


def main() -> None:
    counts = connect_all()
    eiger = Eiger(DETECTOR, name="eiger")
    eiger.wait_for_connection(all_signals=True, timeout=60)
    eiger.validate_asyn_ports()
    graph, ports = eiger.get_asyn_digraph()
    assert set(graph.nodes) == set(ports)
    assert eiger.hdf.array_size.get() != (0, 0, 0), "it is primed"
    eiger.cam.acquire_time.set(0.02).wait(timeout=5)
    eiger.cam.num_images.set(IMAGES).wait(timeout=5)
    eiger.cam.stage_sigs["image_mode"] = "Multiple"
    done = [cycle(eiger) for _ in range(CYCLES)]
    print("RESULT", json.dumps({"signals": counts, "cycles": done}))  # noqa: T201


main()
