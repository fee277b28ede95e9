"""The devices of both flavours that ``softbeam devices`` writes, in turns in one process."""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from layouts.beamline import load
from softbeam.devices import module
from tests.kit.beamline import running
from tests.kit.programs import client_environment

pytestmark = pytest.mark.conformance

CHILD = Path(__file__).parent / "children" / "bluesky_mixed.py"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.slow)])
@pytest.mark.skipif(util.find_spec("bluesky") is None, reason="bluesky is missing")
def test_ophyd_and_ophyd_async_take_turns(tmp_path: Path, rounds: int) -> None:
    with running(load(), tmp_path) as up:
        ca = up.beamline.ca
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "beamline_ophyd.py").write_text(module(up.beamline, "ophyd"))
        (tmp_path / "beamline_async.py").write_text(module(up.beamline, "ophyd-async"))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", CHILD, str(rounds)],
            cwd=tmp_path,
            env=client_environment(ca.sim_port, ca.writer_port),
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:] + up.log[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert json.loads(line.removeprefix("RESULT ")) == [[3, 3]] * rounds
