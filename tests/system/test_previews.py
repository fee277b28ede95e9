"""Statistics, image and region of a whole beamline: real processes, held against the frames in the files."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest

from ioc import names
from layouts.raw.names import DATA
from tests.kit.beamline import running
from tests.kit.epics_tools import call
from tests.kit.programs import client_environment
from tests.kit.stage import impatient, on_stage

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(impatient(), tmp_path_factory.mktemp("previews")) as up:
        yield up


class Previews:
    """Names of the records of a stage's detector, and its process."""

    def __init__(self, stage) -> None:
        b, pv = stage.beamline, stage.beamline.detector(stage.detector).pv
        self.stats, self.image, self.roi = (f(b.prefix, pv) for f in (names.stats, names.image, names.roi))
        self.stage = stage

    async def values(self, *records: str, of: str = "") -> dict:
        prefix = of or self.stats
        return {name: await self.stage.get(f"{prefix}{name}_RBV") for name in records}

    async def back_to_camera(self) -> None:
        for prefix in (self.stats, self.image):
            await self.stage.put(f"{prefix}NDArrayPort", self.stage.detector)


def preview_process(up) -> int:
    """The preview process of this beamline's writer."""
    mine = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().decode().split("\0")
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if {"writer", str(up.folder / "beamline.json")} <= set(line):
            mine[int(entry.name)] = "writer"
        elif "writer.preview" in line:
            mine[int(entry.name)] = parent
    (found,) = [pid for pid, parent in mine.items() if mine.get(parent) == "writer"]
    return found


def frames_of(path: Path) -> np.ndarray:
    with h5py.File(path) as file:
        return file[DATA][()]


def plain(frame: np.ndarray) -> dict[str, float]:
    """Statistics of a frame as anybody would compute them, masked pixels left out."""
    good = frame[frame < np.iinfo(frame.dtype).max - 1].astype(float)
    return {
        "Total": good.sum(),
        "MeanValue": good.mean(),
        "Sigma": good.std(),
        "MinValue": good.min(),
        "MaxValue": good.max(),
    }


def test_values_are_those_of_the_last_frame_in_the_file(up):
    async def work(stage):
        p = Previews(stage)
        await stage.set_up("last", 20)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        await stage.start()
        frames = frames_of(up.folder / "last_EIG1_000001.h5")
        frame = frames[-1]
        found = await p.values(*plain(frame), "UniqueId", "NumMasked", "ArrayCounter", "NumSkipped")
        masked = int((frame >= np.iinfo(frame.dtype).max - 1).sum())
        assert (found.pop("UniqueId"), found.pop("NumMasked")) == (19, masked)
        assert 0 < found.pop("ArrayCounter") + found.pop("NumSkipped") <= 20
        assert found == pytest.approx(plain(frame))
        at = await p.values("MaxX", "MaxY")
        assert frame[int(at["MaxY"]), int(at["MaxX"])] == found["MaxValue"]
        await check_image(p, frame)

    on_stage(up.beamline, up.folder, work)


async def check_image(p: Previews, frame: np.ndarray) -> None:
    sizes = await p.values("ArraySize0", "ArraySize1", "BinX", "BinY", "UniqueId", of=p.image)
    fast, slow, step = sizes["ArraySize0"], sizes["ArraySize1"], sizes["BinX"]
    assert (slow, fast) == tuple(n // step for n in frame.shape)
    image = np.array(await p.stage.get(f"{p.image}ArrayData")).reshape(slow, fast)
    top = np.iinfo(frame.dtype).max
    blocks = frame[: slow * step, : fast * step].reshape(slow, step, fast, step).swapaxes(1, 2)
    good = blocks < top - 1
    wanted = np.where(good, blocks, 0).sum(axis=(2, 3), dtype=np.int64)
    assert np.array_equal(image, np.where(good.any(axis=(2, 3)), wanted, -1))


def test_when_acquire_is_done_the_statistics_are_those_of_its_last_frame(up):
    async def work(stage):
        p = Previews(stage)
        await stage.set_up("points", 3)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        # With a capture over all of them, as a step scan has it, and then without any.
        await stage.put(f"{stage.hdf}NumCapture", 0)
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        told = []
        for _ in range(5):
            await stage.put(f"{stage.cam}Acquire", 1)
            told.append(await p.values("UniqueId", "Total"))
        await stage.put(f"{stage.hdf}Capture", 0)
        await capture
        frames = frames_of(Path(await stage.get(f"{stage.hdf}FullFileName_RBV")))
        assert [point["Total"] for point in told] == [plain(f)["Total"] for f in frames[2::3]]
        for number in (4, 1, 7):
            await stage.put(f"{stage.cam}NumImages", number)
            before = await stage.get(f"{p.stats}ArrayCounter_RBV")
            await stage.put(f"{stage.cam}Acquire", 1)
            assert await stage.get(f"{p.stats}UniqueId_RBV") == number - 1
            assert await stage.get(f"{p.stats}ArrayCounter_RBV") > before

    on_stage(up.beamline, up.folder, work)


def test_who_watches_the_counter_reads_values_of_one_frame(up):
    async def work(stage):
        p = Previews(stage)
        heard: dict[str, object] = {}
        seen: list[tuple[int, float]] = []

        def listen(name: str):
            def take(reading) -> None:
                heard[name] = reading.value
                if name == "ArrayCounter_RBV" and "Total_RBV" in heard:
                    seen.append((int(heard["UniqueId_RBV"]), float(heard["Total_RBV"])))

            return take

        for name in ("Total_RBV", "UniqueId_RBV", "ArrayCounter_RBV"):
            await stage.client.subscribe(f"{p.stats}{name}", listen(name))
        await asyncio.sleep(0.5)
        seen.clear()
        await stage.set_up("watched", 60, time=0.02)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        await stage.start()
        frames = frames_of(up.folder / "watched_EIG1_000001.h5")
        assert len(seen) > 5
        assert seen[-1][0] == 59
        for number, total in seen:
            assert total == plain(frames[number])["Total"]

    on_stage(up.beamline, up.folder, work)


def test_a_region_for_statistics_and_image(up):
    async def work(stage):
        p = Previews(stage)
        await stage.set_up("region", 4)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        settings = {"MinX": 300, "SizeX": 400, "MinY": 200, "SizeY": 100, "BinX": 2, "BinY": 2}
        for name, value in settings.items():
            await stage.put(f"{p.roi}{name}", value)
        for prefix in (p.stats, p.image):
            await stage.put(f"{prefix}NDArrayPort", f"{stage.detector}.ROI")
        try:
            await stage.start()
            frame = frames_of(up.folder / "region_EIG1_000001.h5")[-1][200:300, 300:700]
            found = await p.values("Total", "UniqueId", "ArraySize0", "ArraySize1")
            assert found["Total"] == plain(frame)["Total"]
            assert (found["ArraySize0"], found["ArraySize1"], found["UniqueId"]) == (200, 50, 3)
            assert await p.values("ArraySize0", "BinX", of=p.image) == {"ArraySize0": 200, "BinX": 1}
            assert len(await stage.get(f"{p.image}ArrayData")) == 200 * 50
        finally:
            await p.back_to_camera()

    on_stage(up.beamline, up.folder, work)


def test_profiles_histogram_and_a_time_series(up):
    async def work(stage):
        p = Previews(stage)
        await stage.set_up("more", 5, time=0.1)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        for what in ("Centroid", "Profiles", "Histogram"):
            await stage.put(f"{p.stats}Compute{what}", "Yes")
        await stage.put(f"{p.stats}HistMax", 20.0)
        await stage.put(f"{p.stats}HistSize", 21)
        await stage.put(f"{p.stats}TS:TSNumPoints", 5)
        series = asyncio.create_task(stage.put(f"{p.stats}TS:TSAcquire", 1))
        await stage.until(f"{p.stats}TS:TSAcquiring", lambda v: v == "Acquiring")
        await stage.start()
        await series
        frames = frames_of(up.folder / "more_EIG1_000001.h5")
        totals = [plain(frame)["Total"] for frame in frames]
        assert await stage.get(f"{p.stats}TSTotal") == totals
        frame, top = frames[-1], np.iinfo(frames.dtype).max
        good = frame < top - 1
        bins = await stage.get(f"{p.stats}Histogram_RBV")
        assert bins == [int((frame[good] == n).sum()) for n in range(21)]
        assert await stage.get(f"{p.stats}HistAbove_RBV") == (frame[good] > 20).sum()
        profile = np.array(await stage.get(f"{p.stats}ProfileAverageX_RBV"))
        mean = np.where(good, frame, 0).sum(axis=0) / np.maximum(good.sum(axis=0), 1)
        assert profile == pytest.approx(mean)
        for what in ("Centroid", "Profiles", "Histogram"):
            await stage.put(f"{p.stats}Compute{what}", "No")

    on_stage(up.beamline, up.folder, work)


def test_a_stopped_or_killed_preview_is_of_no_consequence(up):
    async def work(stage):
        p = Previews(stage)
        pid = preview_process(up)
        for name, blow in (("stopped", signal.SIGSTOP), ("killed", signal.SIGKILL)):
            await stage.set_up(name, 100)
            await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
            running_ = stage.start()
            await stage.captured(10)
            os.kill(pid, blow)
            try:
                await running_
                told = await stage.result()
                assert (told["Outcome"], told["Stored"], told["Missing"]) == ("complete", 100, 0)
                assert (await stage.counters())["Stored"] == 100
                # Acquire is answered though nobody computes.
                await stage.put(f"{stage.cam}NumImages", 2)
                await stage.put(f"{stage.cam}Acquire", 1)
            finally:
                if blow is signal.SIGSTOP:
                    os.kill(pid, signal.SIGCONT)
            # It goes on with what is the latest, or another one does.
            await stage.until(f"{p.stats}UniqueId_RBV", lambda v: v == 1)
        assert preview_process(up) != pid
        await stage.until(f"{stage.sim}Writing", lambda v: v == "Yes")
        await stage.put(f"{stage.cam}NumImages", 4)
        await stage.put(f"{stage.cam}Acquire", 1)
        assert await stage.get(f"{p.stats}UniqueId_RBV") == 3

    on_stage(up.beamline, up.folder, work)


def test_disabled_previews_are_not_waited_for_and_take_nothing(up):
    async def work(stage):
        p = Previews(stage)
        prefixes = (p.stats, p.image, p.roi)
        for prefix in prefixes:
            await stage.put(f"{prefix}EnableCallbacks", "Disable")
        await stage.until(f"{stage.sim}Writing", lambda v: v == "No")
        before = await p.values("ArrayCounter", "UniqueId")
        await stage.set_up("disabled", 9)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        await stage.put(f"{stage.cam}Acquire", 1)
        assert await p.values("ArrayCounter", "UniqueId") == before
        for prefix in prefixes:
            await stage.put(f"{prefix}EnableCallbacks", "Enable")
        await stage.put(f"{stage.cam}Acquire", 1)
        assert await stage.get(f"{p.stats}UniqueId_RBV") == 8

    on_stage(up.beamline, up.folder, work)


PYEPICS = """
import sys
import epics
image, stats = sys.argv[1:]
data = epics.caget(image + "ArrayData")
size = epics.caget(image + "ArraySize0_RBV") * epics.caget(image + "ArraySize1_RBV")
print(data.dtype, len(data) == size, int(data[data >= 0].sum()))
"""


def test_the_image_by_caget_and_pyepics(up):
    ca = up.beamline.ca
    environment = client_environment(ca.sim_port, ca.writer_port)

    async def work(stage):
        p = Previews(stage)
        await stage.set_up("image", 2)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        await stage.put(f"{stage.cam}Acquire", 1)
        data = await stage.get(f"{p.image}ArrayData")
        name = f"{p.image}ArrayData"
        words = (await asyncio.to_thread(call, "caget", "-#", "10", name, env=environment)).split()
        assert words[:2] == [name, "10"]
        assert [int(word) for word in words[2:12]] == data[:10]
        whole = (await asyncio.to_thread(call, "caget", name, env=environment)).split()
        # caget asks for as many as the record has room for, and a waveform fills up with zeros.
        assert [int(word) for word in whole[1:]] == [262144, *data, *[0] * (262144 - len(data))]
        told = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-W", "ignore", "-c", PYEPICS, p.image, p.stats],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert told.returncode == 0, told.stderr
        assert told.stdout.split() == ["int32", "True", str(sum(v for v in data if v >= 0))]

    on_stage(up.beamline, up.folder, work)


def test_the_ports_lead_to_the_camera(up):
    async def work(stage):
        p = Previews(stage)
        prefixes = (stage.cam, stage.hdf, p.stats, p.image, p.roi)
        ports = [await stage.get(f"{prefix}PortName_RBV") for prefix in prefixes]
        assert all(a != b for a, b in itertools.combinations(ports, 2))
        for prefix in prefixes[1:]:
            assert await stage.get(f"{prefix}NDArrayPort_RBV") == ports[0]
            assert str(await stage.get(f"{prefix}PluginType_RBV")).startswith("ND")

    on_stage(up.beamline, up.folder, work)
