"""The ophyd motor and a bluesky scan of two motors against ours. Argument: prefix of the beamline."""

import sys
import time

import bluesky.plans as bp
import pytest
from bluesky import RunEngine
from ophyd import EpicsMotor
from ophyd.utils import LimitError

PREFIX = sys.argv[1]


def main() -> None:
    phi = EpicsMotor(f"{PREFIX}MOT:PHI", name="phi")
    kappa = EpicsMotor(f"{PREFIX}MOT:KAPPA", name="kappa")
    for motor in (phi, kappa):
        motor.wait_for_connection(all_signals=True, timeout=10)
    phi.move(2.0, wait=True, timeout=10)
    assert phi.position == 2.0
    assert not phi.moving
    # Of no length.
    phi.move(2.0, wait=True, timeout=5)
    with pytest.raises(LimitError):
        phi.move(1e6)
    assert phi.limits == (-3600.0, 3600.0)
    assert (phi.precision, phi.egu) == (4, "deg")
    phi.set_lim(-50, 50)
    end = time.monotonic() + 5
    while phi.limits != (-50.0, 50.0) and time.monotonic() < end:
        time.sleep(0.02)
    assert phi.limits == (-50.0, 50.0)
    phi.velocity.set(5.0).wait(timeout=5)
    status = phi.move(40.0, wait=False)
    time.sleep(0.4)
    phi.stop()
    status.wait(timeout=5)
    assert 2.0 < phi.position < 40.0
    phi.set_current_position(7.0)
    assert phi.user_setpoint.get(use_monitor=False) == 7.0
    assert abs(phi.user_readback.get(use_monitor=False) - 7.0) < 1e-9
    phi.velocity.set(60.0).wait(timeout=5)
    phi.move(8.0, wait=True, timeout=10)

    documents: list[tuple[str, dict]] = []
    engine = RunEngine({}, call_returns_result=False)
    engine(bp.scan([phi, kappa], phi, 0, 2, kappa, 0, 4, 3), lambda n, d: documents.append((n, d)))
    points = [d["data"] for n, d in documents if n == "event"]
    assert [(p["phi"], p["kappa"]) for p in points] == [(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)]
    print("OK")  # noqa: T201


main()
