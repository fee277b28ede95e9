"""The real simulator and writer together, where things go wrong: what is told, and what comes next."""

import asyncio
import json
import os
import signal
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from ioc.client import CaError
from tests.kit.beamline import running
from tests.kit.stage import impatient, on_stage

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PLUGINS = hdf5plugin.PLUGIN_PATH


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(impatient(), tmp_path_factory.mktemp("staging")) as up:
        yield up


def missing_of(master):
    with h5py.File(master) as file:
        return (
            [int(i) for i in file["entry/capture/missing"][()]] if "missing" in file["entry/capture"] else []
        )


def process(up, module):
    """The process of a module that serves the first detector of this beamline."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if {module, str(up.folder / "beamline.json"), "EIG1"} <= set(line):
            return int(entry.name)
    raise AssertionError(f"no {module} runs")


@pytest.mark.parametrize(
    ("faults", "missing", "counted"),
    [
        ("drop 3,7-9", [3, 7, 8, 9], {"Received": 8}),
        ("drop 0,11; no-end", [0, 11], {"Received": 10}),
        ("duplicate 5", [], {"Received": 13, "Duplicate": 1}),
        ("truncate 4=100; truncate 11", [4, 11], {"Received": 12, "Failed": 2}),
        ("stall 6=30", [6, 7, 8, 9, 10, 11], {"Received": 6}),
        ("lose-start", [], {"Received": 12}),
    ],
)
def test_every_fault_is_counted_listed_and_of_no_consequence_for_the_next(up, faults, missing, counted):
    async def work(stage):
        await stage.put(f"{stage.sim}Faults", faults)
        name = faults.replace(" ", "_").replace("=", "_").replace(";", "").replace(",", "_")
        await stage.set_up(name, 12)
        await stage.start()
        told = await stage.result()
        assert told["Outcome"] == ("incomplete" if missing else "complete"), told
        assert (told["Stored"], told["Missing"]) == (12 - len(missing), len(missing)), told
        assert missing_of(told["MasterFile"]) == missing
        assert stage.check(told["MasterFile"]).ok
        counters = await stage.counters()
        assert {word: counters[word] for word in counted} == counted
        truth = json.loads(await stage.get(stage.truth))
        assert truth["produced"] == truth["sent"] + truth["dropped"]
        await stage.put(f"{stage.sim}Faults", "")
        await stage.check_next(f"{name}_next")

    on_stage(up.beamline, up.folder, work)


@pytest.mark.parametrize("frame", [0, 5])
def test_a_readout_that_dies_is_incomplete_says_why_and_leaves_no_truth_of_another(up, frame):
    async def work(stage):
        await stage.check_next(f"before_{frame}")
        await stage.put(f"{stage.sim}Faults", f"crash {frame}")
        await stage.set_up(f"crash_{frame}", 12)
        await stage.start()
        told = await stage.result()
        assert told["Outcome"] == "incomplete"
        assert "the emitter of EIG1 ended by itself with exit code -9" in told["Message"]
        assert (told["Stored"], told["Missing"]) == (frame, 12 - frame), told
        assert not (stage.directory / f"crash_{frame}_truth.json").exists()
        await stage.counters()
        await stage.put(f"{stage.sim}Faults", "")
        await stage.check_next(f"crash_{frame}_next")

    on_stage(up.beamline, up.folder, work)


@pytest.mark.parametrize("how", ["ACQ", "camera"])
@pytest.mark.parametrize("phase", ["armed", "taking frames"])
def test_an_abort_at_any_time(up, phase, how):
    async def work(stage):
        name = f"{how}_{phase.replace(' ', '_')}"
        mode = "External Series" if phase == "armed" else "Internal Series"
        await stage.set_up(name, 300, time=0.02, TriggerMode=mode)
        start = stage.start()
        if phase == "armed":
            await stage.until(f"{stage.cam}Armed", lambda v: v == "Armed")
        else:
            await stage.captured(5)
        await stage.put(*((f"{stage.acq}Abort", 1) if how == "ACQ" else (f"{stage.cam}Acquire", 0)))
        assert await stage.get(f"{stage.cam}DetectorState_RBV") == "Aborted"
        await start
        told = await stage.result()
        assert (told["State"], told["Outcome"], told["Missing"]) == ("Aborted", "aborted", 0), told
        assert ("aborted by a client" if how == "ACQ" else "at its own PVs") in told["Message"]
        if phase == "armed":
            assert told["MasterFile"] == ""
        else:
            with h5py.File(told["MasterFile"]) as file:
                assert len(file["entry/data/data"]) == told["Stored"]
                assert "end_time" not in file["entry"]
        await stage.check_next(f"{name}_next")

    on_stage(up.beamline, up.folder, work)


def test_a_capture_set_in_mid_series_begins_with_the_next_frame(up):
    async def work(stage):
        await stage.set_up("middle", 80, time=0.02)
        await stage.put(f"{stage.hdf}NumCapture", 10)
        acquire = asyncio.create_task(stage.put(f"{stage.cam}Acquire", 1))
        await stage.until(f"{stage.cam}NumImagesCounter_RBV", lambda v: v > 5)
        await stage.capture()
        assert await stage.get(f"{stage.hdf}NumCaptured_RBV") == 10
        await acquire
        assert (await stage.counters())["Stored"] == 10
        with h5py.File(stage.directory / "middle_meta.h5") as file:
            first, *rest = file["frames/frame"][:10].tolist()
        assert first > 5
        assert rest == list(range(first + 1, first + 10))
        assert stage.check(await stage.get(f"{stage.hdf}MasterFile_RBV")).ok
        await stage.check_next("middle_next")

    on_stage(up.beamline, up.folder, work)


@pytest.mark.parametrize("lazy", [0, 1])
def test_the_named_file_opens_while_frames_come_and_holds_what_the_counter_says(up, lazy):
    async def work(stage):
        await stage.set_up(f"live_{lazy}", 60, time=0.02)
        await stage.put(f"{stage.hdf}LazyOpen", lazy)
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        path = await stage.get(f"{stage.hdf}FullFileName_RBV")
        if not lazy:
            with h5py.File(path, swmr=True) as file:
                assert file["entry/data/data"].shape[1:] == (1062, 1028)
        acquire = asyncio.create_task(stage.put(f"{stage.cam}Acquire", 1))
        mark = await stage.captured(20)
        with h5py.File(path, swmr=True) as file:
            frames = file["entry/data/data"]
            assert all((frames[i] != np.iinfo(frames.dtype).max).any() for i in (0, mark - 1))
        await acquire
        assert await stage.get(f"{stage.cam}DetectorState_RBV") == "Idle"
        await capture
        assert await stage.get(f"{stage.hdf}NumCaptured_RBV") == 60
        with h5py.File(path) as file:
            assert len(file["entry/data/data"]) == 60
        await stage.put(f"{stage.hdf}LazyOpen", 1)

    on_stage(up.beamline, up.folder, work)


def test_a_refusal_leaves_nothing_of_the_acquisition_before(up):
    async def work(stage):
        await stage.check_next("good")
        await stage.set_up("good", 6)
        with pytest.raises(CaError, match="exists"):
            await stage.start()
        told = await stage.result()
        assert (told["State"], told["MasterFile"], told["Stored"]) == ("Failed", "", 0)
        assert "refused: " in told["Message"]
        (stage.directory / "file").write_text("in the way")
        await stage.put(f"{stage.acq}FilePath", str(stage.directory / "file" / "below"))
        with pytest.raises(CaError, match="a file of that name is in the way"):
            await stage.start()
        for template, state in (("%q", "Write error"), ("%s%s.h5", "Write OK")):
            await stage.put(f"{stage.hdf}FileTemplate", template)
            assert await stage.get(f"{stage.hdf}WriteStatus") == state
        await stage.check_next("good_again")

    on_stage(up.beamline, up.folder, work)


def test_a_worker_that_stood_still_loses_nothing(up):
    async def work(stage):
        await stage.set_up("still", 60, time=0.02)
        start = stage.start()
        await stage.captured(5)
        worker = process(up, "writer.worker")
        os.kill(worker, signal.SIGSTOP)
        try:
            # Longer than a stall takes; the frames wait in its socket.
            await stage.until(f"{stage.cam}Acquire_RBV", lambda v: v == "Done")
            await asyncio.sleep(1.5)
        finally:
            os.kill(worker, signal.SIGCONT)
        await start
        told = await stage.result()
        assert (told["Outcome"], told["Stored"]) == ("complete", 60), told

    on_stage(up.beamline, up.folder, work)


@pytest.mark.parametrize("module", ["writer.worker", "sim.emitter"])
def test_a_process_that_is_killed_in_mid_series_is_told_of_and_replaced(up, module):
    async def work(stage):
        await stage.set_up(f"killed_{module}", 200, time=0.02)
        start = stage.start()
        await stage.captured(5)
        os.kill(process(up, module), signal.SIGKILL)
        if module == "writer.worker":
            with pytest.raises(CaError, match="SIGKILL"):
                await start
        else:
            await start
        told = await stage.result()
        assert told["Outcome"] == "incomplete"
        assert told["Stored"] >= 5
        if module == "writer.worker":
            assert (told["State"], told["MasterFile"]) == ("Failed", "")
            path = stage.directory / f"killed_{module}_EIG1_000001.h5"
            with h5py.File(path, swmr=True) as file:
                assert (file["entry/data/data"][4] != 65535).any()
        else:
            assert told["Stored"] + told["Missing"] == 200
            assert stage.check(told["MasterFile"]).ok
        await stage.until(f"{stage.hdf}Connected_RBV", lambda v: v == "Yes")
        await stage.check_next(f"killed_{module}_next")

    on_stage(up.beamline, up.folder, work)
