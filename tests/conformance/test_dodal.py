"""Diamond's EigerDetector class, unmodified, against the DLS preset: arming chain, frames, files, errors."""

import json
import subprocess
from pathlib import Path

import h5py
import pytest

import layouts.filters_h5  # noqa: F401  registers the filter of the frames
from layouts.beamline import load, parse
from tests.kit.beamline import running
from tests.kit.programs import ROOT, client_environment

pytestmark = [pytest.mark.conformance, pytest.mark.slow]

CHILD = Path(__file__).parent / "children" / "dodal_eiger.py"
CYCLES = 20
# Its pins are not ours, so it has an environment of its own, which `make slow` makes.
PYTHON = ROOT / ".venv-dodal" / "bin" / "python"


@pytest.mark.timeout(480)
@pytest.mark.skipif(not PYTHON.exists(), reason="dls-dodal is missing: make slow installs it")
def test_eiger_detector(tmp_path: Path) -> None:
    values = load().model_dump(mode="json")
    values["preset"] = "dls"
    values["detectors"][0] |= {"model": "EIGER2 4M", "beam_centre": (1034.0, 1081.0)}
    beamline = parse(json.dumps(values), "dls")
    name = beamline.detectors[0].name
    with running(beamline, tmp_path) as up:
        ca = up.beamline.ca
        done = subprocess.run(
            [PYTHON, "-W", "ignore", CHILD, beamline.prefix, name, tmp_path, str(CYCLES)],
            env=client_environment(ca.sim_port, ca.writer_port),
            capture_output=True,
            text=True,
            timeout=450,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:] + up.log[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    runs = json.loads(line.removeprefix("RESULT "))
    assert len(runs) == CYCLES
    for run in runs:
        with h5py.File(tmp_path / f"{run['name']}_000001.h5") as file:
            frames = file["entry/data/data"]
            assert frames.shape == (6, 2162, 2068)
            # Six exposures differ by their noise; unwritten ones would all be the masked value.
            assert len({frames[i, 500:600, 500:600].tobytes() for i in range(6)}) == 6
        with h5py.File(tmp_path / f"{run['name']}_{name}_master.h5") as file:
            energy = file["entry/instrument/detector/detectorSpecific/photon_energy"][()]
            assert energy == pytest.approx(run["energy"], abs=0.01)
