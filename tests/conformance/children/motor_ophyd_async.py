"""The ophyd-async motor against ours. Argument: prefix of the beamline."""

import asyncio
import sys

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import pytest
from bluesky import RunEngine
from ophyd_async.core import FlyMotorInfo, init_devices, wait_for_value
from ophyd_async.epics.motor import Motor, MotorLimitsError, UseSetMode

PREFIX = sys.argv[1]


async def rules(phi: Motor) -> None:
    await phi.set(2.0)
    assert await phi.user_readback.get_value() == 2.0
    await asyncio.wait_for(phi.set(2.0), 5)
    with pytest.raises(MotorLimitsError):
        await phi.set(1e6)
    await phi.velocity.set(5.0)
    status = phi.set(40.0)
    await asyncio.sleep(0.4)
    await phi.stop(success=True)
    await asyncio.wait_for(status, 5)
    # The status ends with the request to stop, the motor a ramp later.
    await wait_for_value(phi.motor_done_move, 1, timeout=5)
    stopped = await phi.user_readback.get_value()
    assert 2.0 < stopped < 40.0
    await phi.set_use_switch.set(UseSetMode.SET)
    await phi.user_setpoint.set(7.0)
    await phi.set_use_switch.set(UseSetMode.USE)
    assert abs(await phi.user_readback.get_value() - 7.0) < 1e-9
    await phi.velocity.set(60.0)
    await phi.offset.set(0.0)
    with pytest.raises(MotorLimitsError):
        await phi.set(-3601.0)


def fly(phi: Motor):
    """At an even speed from 0 to 10 in a second, with room for the ramps."""
    yield from bps.prepare(phi, FlyMotorInfo(start_position=0, end_position=10, time_for_move=1), wait=True)
    yield from bps.open_run()
    yield from bps.kickoff(phi, wait=True)
    yield from bps.complete(phi, wait=True)
    yield from bps.close_run()


def main() -> None:
    engine = RunEngine({}, call_returns_result=True)
    with init_devices():
        phi = Motor(f"{PREFIX}MOT:PHI", name="phi")
        kappa = Motor(f"{PREFIX}MOT:KAPPA", name="kappa")

    def wrapped():
        yield from bps.wait_for([lambda: rules(phi)])

    engine(wrapped())
    points: list[dict] = []
    engine(
        bp.scan([phi, kappa], phi, 0, 2, kappa, 0, 4, 3),
        lambda n, d: points.append(d["data"]) if n == "event" else None,
    )
    assert [(p["phi"], p["kappa"]) for p in points] == [(0.0, 0.0), (1.0, 2.0), (2.0, 4.0)]
    engine(fly(phi))
    where = engine(bps.rd(phi)).plan_result
    assert where == pytest.approx(10.0 + 10.0 * 0.1 / 2), where
    print("OK")  # noqa: T201


main()
