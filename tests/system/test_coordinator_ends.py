"""How the coordinator begins and ends: no process left behind, files readable, mistakes told."""

import asyncio
import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.kit.fake_beamline import Plan
from tests.kit.masters import children, frames_of, outcome_of, run
from tests.kit.push import settle

pytestmark = pytest.mark.system


def is_running(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    return False


async def gone(pids, within):
    return await asyncio.to_thread(settle, lambda: not any(is_running(p) for p in pids), within)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_behind(tmp_path, how):
    async def work(rig):
        await rig.setup(name="cut", images=50)
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=5)
        start = asyncio.create_task(rig.put(rig.acq("Start"), 1))
        await camera.sent.wait()
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v == 5)
        workers = children(rig.writer.process.pid)
        assert len(workers) == 3  # with the process of the previews
        rig.writer.process.send_signal(how)
        assert await gone([rig.writer.process.pid, *workers], 2.0)
        start.cancel()

    run(work, tmp_path)
    raw = tmp_path / "data" / "cut_EIG1_000001.h5"
    assert frames_of(raw)[:5] == [(1, i) for i in range(5)]
    if how != signal.SIGKILL:
        assert outcome_of(tmp_path / "data" / "cut.nxs") == "aborted"


@pytest.mark.parametrize(
    ("more", "says"),
    [([], "is served already"), (["--prefix", "OTHER:"], "end the program that has it")],
)
def test_what_another_program_has_ends_with_a_message(tmp_path, more, says):
    async def work(rig):
        done = await asyncio.to_thread(
            subprocess.run,
            [
                os.sys.executable,
                "-m",
                "writer",
                "--beamline",
                rig.directory / "beamline.json",
                "--data",
                tmp_path,
                *more,
            ],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 1
        assert says in done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr

    run(work, tmp_path)


@pytest.mark.parametrize("argument", [["--beamline", "nowhere.toml"], ["--prefix", "a b"]])
def test_wrong_arguments_end_with_a_message(tmp_path, argument):
    done = subprocess.run(
        [os.sys.executable, "-m", "writer", *argument, "--list-pvs"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr


def test_capture_and_acquire_that_are_stopped_at_once_leave_no_row_without_a_frame(tmp_path):
    async def work(rig):
        camera = rig.cameras["EIG1"]
        camera.plan = Plan(stop_after=1, silent=0.2)  # the stream is ahead of what the camera says
        await rig.put(rig.cam("EIG1", "NumImages"), 3)
        capture = asyncio.create_task(rig.put(rig.hdf("EIG1", "Capture"), 1))
        await rig.until(rig.hdf("EIG1", "Capture_RBV"), lambda v: v == "Capturing")
        acquire = asyncio.create_task(rig.put(rig.cam("EIG1", "Acquire"), 1))
        await rig.until(rig.hdf("EIG1", "NumCaptured_RBV"), lambda v: v == 1)
        await asyncio.gather(
            rig.put(rig.hdf("EIG1", "Capture"), 0), rig.put(rig.cam("EIG1", "Acquire"), 0), capture, acquire
        )
        assert await rig.get(rig.hdf("EIG1", "NumMissing_RBV")) == 0
        return str(await rig.get(rig.hdf("EIG1", "MasterFile_RBV")))

    master = run(work, tmp_path)
    assert frames_of(master) == [(1, 0)]
    assert outcome_of(master) == "aborted"
