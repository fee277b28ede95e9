"""bluesky's pause, resume and rewind: events point to the frames of their own exposure, and of no other."""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from layouts.beamline import load
from softbeam.devices import Flavour, module
from tests.kit.beamline import running
from tests.kit.programs import client_environment

pytestmark = pytest.mark.conformance

CHILD = Path(__file__).parent / "children" / "bluesky_pause.py"
FRAMES = {"ophyd": 2, "ophyd-async": 1}


def told(flavour: Flavour, folder: Path) -> dict[str, dict[str, Any]]:
    """What the runs of the child have told, by name."""
    with running(load(), folder) as up:
        ca = up.beamline.ca
        (folder / "data").mkdir(exist_ok=True)
        (folder / "beamline_devices.py").write_text(module(up.beamline, flavour))
        done = subprocess.run(
            [sys.executable, "-W", "ignore", CHILD, flavour],
            cwd=folder,
            env=client_environment(ca.sim_port, ca.writer_port),
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-6000:] + up.log[-3000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    return json.loads(line.removeprefix("RESULT "))


@pytest.mark.timeout(300)
@pytest.mark.skipif(util.find_spec("bluesky") is None, reason="bluesky is missing")
@pytest.mark.parametrize("flavour", ["ophyd", "ophyd-async"])
def test_an_interrupted_point_is_taken_again_and_no_event_points_elsewhere(
    flavour: Flavour, tmp_path: Path
) -> None:
    frames, found = FRAMES[flavour], told(flavour, tmp_path)

    def ends(points: list[int], taken: int) -> dict[str, Any]:
        """A run whose events point to these of the points that were taken."""
        pointed = [[point * frames, (point + 1) * frames] for point in points]
        return {
            "error": "",
            "clean": True,
            "events": len(points),
            "pointed": pointed,
            "length": taken * frames,
            "right": True,
        }

    assert found["undisturbed"] == ends([0, 1, 2], 3)
    # The interrupted exposure is in the file, whole, and no event has it.
    assert found["pause"] == ends([0, 2, 3], 4)
    assert found["pause in first"] == ends([1, 2, 3], 4)
    assert found["suspended"] == ends([0, 2, 3], 4)
    assert found["deferred"] == ends([0, 1, 2], 3)
    for way in ("stop", "abort", "halt"):
        assert found[way]["events"] == 1
        assert found[way]["right"]
        assert found[way]["clean"]
        assert found[f"after {way}"] == ends([0, 1, 2], 3)
    # An exposure that was ended by hand: either its places stay in the file, without frames, and no event has
    # them, or they were given back, rows are fewer than points, and the run says so and does not go on.
    if found["by hand"]["error"]:
        assert found["by hand"]["error"] in ("RuntimeError", "TimeoutError", "CancelledError")
        assert found["by hand"]["events"] == 1
    else:
        assert found["by hand"] == ends([0, 2, 3], 4)
    assert found["by hand"]["right"]
    assert found["by hand"]["clean"]
    assert found["after by hand"] == ends([0, 1, 2], 3)
    # What the libraries do by themselves, and the reason for what the written devices add.
    if flavour == "ophyd":  # armed in mid-exposure: one series for two points, and all later rows are wrong
        assert found["stock"]["length"] == 3 * frames
        assert found["stock"]["pointed"][-1] == [3 * frames, 4 * frames]
        assert not found["stock"]["right"]
        assert found["stock, later"] == ends([0, 2, 3], 4)
    else:  # the frame is that of the exposure before the pause; later, two rows are new and that is an error
        assert found["stock"] == ends([0, 1, 2], 3)
        assert found["stock, later"]["error"] == "RuntimeError"
    assert found["after stock"] == ends([0, 1, 2], 3)
