"""ophyd-async's detector, statistics, attributes and motor against a whole beamline, documents followed.

Beside the frames stands their sum, as ``setup_ndstats_sum`` asks for it.
"""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from layouts.beamline import load
from tests.kit.beamline import running
from tests.kit.programs import client_environment

pytestmark = pytest.mark.conformance

CHILD = Path(__file__).parent / "children" / "detector_ophyd_async.py"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.skipif(util.find_spec("ophyd_async") is None, reason="ophyd-async is missing")
def test_count_scan_and_fly_again_and_again(tmp_path: Path, rounds: int) -> None:
    with running(load(), tmp_path) as up:
        ca = up.beamline.ca
        done = subprocess.run(
            [sys.executable, "-W", "ignore", CHILD, "SB:", tmp_path, str(rounds)],
            env=client_environment(ca.sim_port, ca.writer_port),
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:] + up.log[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert json.loads(line.removeprefix("RESULT ")) == [[3, 3, 10]] * rounds
