"""ophyd's own detector, plugin and motor classes against a whole beamline."""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import h5py
import pytest

import layouts.filters_h5  # noqa: F401  registers the filter of the frames
from layouts.beamline import load
from layouts.raw.names import DATA
from tests.kit.beamline import running
from tests.kit.programs import client_environment

pytestmark = pytest.mark.conformance

CHILDREN = Path(__file__).parent / "children"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("cycles", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.skipif(util.find_spec("ophyd") is None, reason="ophyd is missing")
def test_detectors_and_plugins(tmp_path: Path, cycles: int) -> None:
    with running(load(), tmp_path) as up:
        ca = up.beamline.ca
        done = subprocess.run(
            [sys.executable, "-W", "ignore", CHILDREN / "detector_ophyd.py", "SB:", tmp_path, str(cycles)],
            env=client_environment(ca.sim_port, ca.writer_port),
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:] + up.log[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    found = json.loads(line.removeprefix("RESULT "))
    signals = found["signals"]
    assert signals["EpicsMotor"] >= 19
    assert signals["EigerDetectorCam"] >= 216
    assert signals["HDF5Plugin_V34"] >= 295
    assert len(found["cycles"]) == cycles
    assert len({cycle["file"] for cycle in found["cycles"]}) == cycles
    for cycle in found["cycles"]:
        assert cycle["captured"] == cycle["frames"]
        with h5py.File(cycle["file"]) as file:
            frames = file[DATA]
            assert frames.shape[0] == cycle["frames"]
            assert len({frames[i, :200, :200].tobytes() for i in range(len(frames))}) == len(frames)
