"""Storage that fails under a capture that clients have begun: they are told, and the camera is stopped."""

import asyncio
import contextlib
import errno

import pytest

from tests.kit.fake_beamline import Plan
from tests.kit.masters import children, run
from tests.kit.storage_faults import Call, read

pytestmark = pytest.mark.system

BROKEN = Call.WRITE | Call.TRUNCATE


@pytest.mark.parametrize(
    ("number", "growing"),
    [
        pytest.param(errno.EIO, False, id="a broken disk"),
        pytest.param(errno.EDQUOT, True, id="quota", marks=pytest.mark.slow),
        pytest.param(errno.EROFS, False, id="mounted read-only on the way", marks=pytest.mark.slow),
    ],
)
def test_clients_are_told_and_the_camera_is_stopped(faults, tmp_path, number, growing):
    async def work(rig):
        camera = rig.cameras["EIG1"]
        await rig.setup(name="first", images=2000)
        camera.plan = Plan(gap=0.005)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda value: value >= 5)
        workers = children(rig.writer.process.pid)
        faults.fail(BROKEN, number, "*/first_EIG1_0*.h5", growing=growing)
        await rig.until(rig.cam("EIG1", "DetectorState_RBV"), lambda value: value == "Aborted")
        with contextlib.suppress(Exception):
            await start
        status = await rig.get(rig.hdf("EIG1", "WriteStatus"))
        message = str(await rig.get(rig.hdf("EIG1", "WriteMessage")))
        outcome = str(await rig.get(rig.acq("Outcome_RBV")))
        again = await rig.acquire(name="second", images=3)
        cleared = str(await rig.get(rig.hdf("EIG1", "WriteMessage")))
        assert children(rig.writer.process.pid) == workers
        return status, message, outcome, again, cleared

    status, message, outcome, again, cleared = run(
        work, tmp_path, environment=faults.environment, images_per_file=0
    )
    assert status == "Write error"
    assert errno.errorcode[number] in message
    assert "first_EIG1_000001.h5" in message
    assert outcome != "complete"
    assert (again, cleared) == ("complete", "")
    _, frames = read(tmp_path / "data" / "first_EIG1_000001.h5")
    assert frames[:5] == list(range(5))
