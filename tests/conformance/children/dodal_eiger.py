"""Diamond's own Eiger class armed, triggered and unarmed. Arguments: prefix, detector, directory, cycles."""

import json
import sys
import time
from pathlib import Path

from dodal.common.beamlines.beamline_utils import set_config_client
from dodal.devices.detector import DetectorParams, TriggerMode
from dodal.devices.detector.det_dim_constants import EIGER2_X_4M_SIZE
from dodal.devices.eiger import EigerDetector, EigerTimeouts
from ophyd import EpicsSignal

PREFIX, DETECTOR, DIRECTORY, CYCLES = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
IMAGES, TRIGGERS = 3, 2


class BeamCentre:
    """Stands in for Diamond's configuration server, which has the beam centre against the distance in mm."""

    columns = ((100.0, 900.0), (77.55, 77.55), (81.07, 81.07))

    def get_file_contents(self, _path: str, _model: type) -> "BeamCentre":
        return self


def parameters(run: int, mode: TriggerMode) -> DetectorParams:
    return DetectorParams(
        expected_energy_ev=12700.0 + run,
        exposure_time_s=0.02,
        directory=str(DIRECTORY),
        prefix="dodal",
        run_number=run,
        detector_distance=250.0,
        omega_start=10.0 * run,
        omega_increment=0.1,
        num_images_per_trigger=IMAGES,
        num_triggers=TRIGGERS,
        use_roi_mode=False,
        det_dist_to_beam_converter_path="beam_centre",
        trigger_mode=mode,
        detector_size_constants=EIGER2_X_4M_SIZE,
    )


def pulse(line: EpicsSignal) -> None:
    line.put("High", wait=True)
    time.sleep(0.15)


def refused_and_cleared(eiger: EigerDetector, line: EpicsSignal) -> None:
    """Arming with the name of files that are there fails and says so; the next stage clears the error."""
    eiger.timeouts = EigerTimeouts(general_status_timeout=3, meta_file_ready_timeout=3)
    eiger.set_detector_parameters(parameters(1, TriggerMode.SET_FRAMES))
    try:
        eiger.stage()
    except Exception:  # which one is ophyd's affair
        node = eiger.odin.nodes.node_0
        assert node.error_status.get() == 1
        assert "exists" in node.error_message.get()
    else:
        raise AssertionError("files that are there were to be written over")
    time.sleep(1.0)  # its own put of Capture gives up a little later than it does
    eiger.stop()
    eiger.timeouts = EigerTimeouts()
    eiger.set_detector_parameters(parameters(CYCLES + 2, TriggerMode.SET_FRAMES))
    eiger.stage()
    assert eiger.odin.nodes.node_0.error_status.get() == 0
    for _ in range(TRIGGERS):
        pulse(line)
    assert eiger.unstage()


def main() -> None:
    set_config_client(BeamCentre())
    eiger = EigerDetector(beamline="i03", prefix=f"{PREFIX}{DETECTOR}:", name="eiger")
    eiger.wait_for_connection(all_signals=True, timeout=60)
    line = EpicsSignal(f"{PREFIX}TRIG:PulseIn", name="line")
    line.wait_for_connection(timeout=10)
    done = []
    for run in range(1, CYCLES + 1):
        # The last one does not say how many frames it takes.
        mode = TriggerMode.FREE_RUN if run == CYCLES else TriggerMode.SET_FRAMES
        eiger.set_detector_parameters(parameters(run, mode))
        eiger.stage()
        assert eiger.is_armed()
        for _ in range(TRIGGERS):
            pulse(line)
        assert eiger.unstage(), "frames were dropped or timed out"
        assert eiger.odin.file_writer.num_captured.get() == IMAGES * TRIGGERS
        done.append({"name": f"dodal_{run}", "omega": 10.0 * run, "energy": 12700.0 + run})
    # An emergency stop in mid-acquisition leaves it ready for the next.
    eiger.set_detector_parameters(parameters(CYCLES + 1, TriggerMode.SET_FRAMES))
    eiger.stage()
    pulse(line)
    eiger.stop()
    assert eiger.cam.acquire.get() == 0
    assert eiger.odin.meta.ready.get() == 0
    refused_and_cleared(eiger, line)
    print("RESULT", json.dumps(done))  # noqa: T201


main()
