"""ophyd's and ophyd-async's devices of one detector take turns in one RunEngine. Argument: rounds.

In the working directory are ``beamline_ophyd.py`` and ``beamline_async.py``.
"""

import json
import sys
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
from bluesky import RunEngine

sys.path.insert(0, str(Path.cwd()))
ENGINE = RunEngine({}, call_returns_result=False)

import beamline_async  # noqa: E402  its loop is the engine's
import beamline_ophyd  # noqa: E402


def scan(devices: Any, start: int) -> int:
    """A scan; how many events it had."""
    told: list[str] = []
    ENGINE(bp.scan([devices.eig1], devices.omega, start, start + 1, 3), lambda name, _: told.append(name))
    return told.count("event")


def main() -> None:
    ENGINE(beamline_async.prepare_beamline())
    for device in (beamline_ophyd.eig1, beamline_ophyd.omega):
        device.wait_for_connection(timeout=60)
    cam = beamline_ophyd.eig1.cam
    ENGINE(bps.mv(cam.acquire_time, 0.01, cam.acquire_period, 0.01, cam.num_images, 1))
    rounds = range(int(sys.argv[1]))
    told = [[scan(devices, turn) for devices in (beamline_async, beamline_ophyd)] for turn in rounds]
    print("RESULT", json.dumps(told))  # noqa: T201


main()
