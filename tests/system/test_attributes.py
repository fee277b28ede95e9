"""NDAttributes with the real programs: what clients ask for stands beside the frames in the file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from ioc import names as pvs
from ioc.client import PutFailedError
from layouts.raw import names
from tests.kit.beamline import running
from tests.kit.stage import Stage, impatient, on_stage

pytestmark = pytest.mark.system

CHILD = """
import sys, h5py
with h5py.File(sys.argv[1], "r", swmr=True) as file:
    print(file["/entry/instrument/NDAttributes/sam_x"][: int(sys.argv[2])].tolist())
"""


def xml(*lines: str) -> str:
    return "<Attributes>" + "".join(f"<Attribute {line}/>" for line in lines) + "</Attributes>"


def motor(stage: Stage, name: str, field: str) -> str:
    return f"{pvs.motor(stage.beamline.prefix, stage.beamline.motor(name).pv)}.{field}"


def statistics_of(stage: Stage) -> str:
    beamline = stage.beamline
    return pvs.stats(beamline.prefix, beamline.detector(stage.detector).pv, beamline.preset)


def region_of(stage: Stage) -> str:
    beamline = stage.beamline
    return pvs.roi(beamline.prefix, beamline.detector(stage.detector).pv, beamline.preset)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(impatient(), tmp_path_factory.mktemp("attributes")) as beamline:
        yield beamline


@pytest.fixture
def perform(up):
    """Does something with the beamline; what attributes were asked for is forgotten after it."""

    def call(work) -> None:
        async def whole(stage: Stage) -> None:
            try:
                await work(stage)
            finally:
                for prefix in (stage.cam, stage.hdf, statistics_of(stage)):
                    await stage.put(f"{prefix}NDAttributesFile", "")
                    await stage.put(f"{prefix}NDAttributesMacros", "")
                await stage.put(f"{stage.hdf}StoreAttr", "Yes")

        on_stage(up.beamline, up.folder, whole)

    return call


async def ask(stage: Stage, text: str, folder: Path) -> None:
    """Ask the file plugin for attributes, by a file."""
    file = folder / "attributes.xml"
    file.write_text(text)
    await stage.put(f"{stage.hdf}NDAttributesFile", str(file))
    assert await stage.get(f"{stage.hdf}NDAttributesStatus") == "Attributes file OK"


async def full_name(stage: Stage) -> Path:
    return Path(await stage.get(f"{stage.hdf}FullFileName_RBV"))


def test_every_point_of_a_step_scan_has_its_own_values(perform, tmp_path):
    async def work(stage: Stage) -> None:
        await stage.put(
            f"{stage.cam}NDAttributesFile",
            xml(
                'name="Counter" type="PARAM" source="NIMAGES_COUNTER"', 'name="who" type="CONST" source="me"'
            ),
        )
        await ask(
            stage,
            xml(
                f'name="sam_x" type="EPICS_PV" source="{motor(stage, "sam_x", "RBV")}" dbrtype="DBR_DOUBLE"',
                f'name="state" type="EPICS_PV" source="{stage.cam}DetectorState_RBV" dbrtype="DBR_STRING"',
                f'name="native" source="{stage.cam}NumImages"',
                'name="number" type="PARAM" source="FILE_NUMBER" description="own"',
            ),
            tmp_path,
        )
        await stage.set_up("step_scan", 2)
        await stage.put(f"{stage.hdf}NumCapture", 12)
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        number = await stage.get(f"{stage.hdf}FileNumber_RBV")
        positions = [0.3, -0.2, 0.5, 0.1, 0.7, 0.0]
        for done, position in enumerate(positions, start=1):
            await stage.put(motor(stage, "sam_x", "VAL"), position)
            await stage.put(f"{stage.cam}Acquire", 1)
            if done == 3:
                await stage.captured(6)
                path = await full_name(stage)
                shown = await asyncio.to_thread(
                    subprocess.run,
                    [sys.executable, "-c", CHILD, path, "6"],
                    capture_output=True,
                    text=True,
                    check=True,
                )
                assert eval(shown.stdout) == pytest.approx(np.repeat(positions[:3], 2), abs=2e-3)
        await capture
        with h5py.File(await full_name(stage)) as file:
            group = file[names.ATTRIBUTES]
            assert group["sam_x"][()] == pytest.approx(np.repeat(positions, 2), abs=2e-3)
            assert group["Counter"][()].tolist() == [0, 1] * 6
            assert group["who"][()].tolist() == [b"me"] * 12
            assert set(group["state"][()].tolist()) == {b"Acquire"}
            assert group["native"][()].tolist() == [2] * 12
            assert group["native"].dtype == "i4"
            assert group["number"][()].tolist() == [number] * 12
            assert group["NDArrayUniqueId"][()].tolist() == list(range(12))
            assert file[names.DATA].shape[0] == 12

    perform(work)


def test_a_pv_that_nobody_serves_is_said_and_the_capture_goes_on(perform, tmp_path):
    async def work(stage: Stage) -> None:
        await ask(
            stage, xml('name="lost" source="NO:SUCH:PV"', 'name="who" type="CONST" source="x"'), tmp_path
        )
        await stage.set_up("absent", 3)
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        said = await stage.get(f"{stage.hdf}WriteMessage")
        assert "attribute lost: NO:SUCH:PV does not answer" in said
        await stage.put(f"{stage.cam}Acquire", 1)
        await capture
        with h5py.File(await full_name(stage)) as file:
            assert np.isnan(file[f"{names.ATTRIBUTES}/lost"][()]).all()
            assert file[f"{names.ATTRIBUTES}/who"][()].tolist() == [b"x"] * 3

    perform(work)


def test_acquisitions_have_attributes_too_with_their_masters_and_storeattr_leaves_them_out(perform):
    async def work(stage: Stage) -> None:
        asked = xml(f'name="time" source="{stage.cam}AcquireTime"')
        await stage.put(f"{stage.cam}NDAttributesFile", asked)
        await stage.set_up("with_attributes", 4)
        await stage.start()
        with h5py.File(await full_name(stage)) as file:
            assert file[f"{names.ATTRIBUTES}/time"][()] == pytest.approx([0.01] * 4, rel=1e-3)
        master = Path((await stage.result())["MasterFile"])
        for path in (master, master.with_name(names.dectris_master_file(master.stem, stage.detector))):
            assert stage.check(str(path)).ok
            with h5py.File(path) as file:
                assert file[f"{names.ATTRIBUTES}/time"][()] == pytest.approx([0.01] * 4, rel=1e-3)
        with h5py.File(master) as file:
            assert file[f"{names.DETECTOR}/NDAttributes/ColorMode"][()].tolist() == [0] * 4
        await stage.put(f"{stage.hdf}StoreAttr", "No")
        await stage.set_up("without_attributes", 4)
        await stage.start()
        master = (await stage.result())["MasterFile"]
        assert stage.check(master).ok
        for path in (await full_name(stage), master):
            with h5py.File(path) as file:
                assert "NDAttributes" not in file["/entry/instrument"]

    perform(work)


@pytest.mark.parametrize(
    ("value", "status", "said"),
    [
        ("/no/such/file.xml", "File not found", "cannot be read"),
        (xml('name="a" type="FUNCTION" source="f"'), "XML syntax error", "EPICS_PV"),
        (xml('name="a" type="PARAM" source="NO_SUCH"'), "XML syntax error", "no parameter NO_SUCH"),
        (xml('name="a" source="$(P)X"'), "Macro substitution error", "NDAttributesMacros"),
    ],
)
def test_what_is_not_understood_is_refused_at_once(perform, value, status, said):
    async def work(stage: Stage) -> None:
        with pytest.raises(PutFailedError):
            await stage.put(f"{stage.hdf}NDAttributesFile", value)
        assert await stage.get(f"{stage.hdf}NDAttributesStatus") == status
        assert said in await stage.get(f"{stage.hdf}WriteMessage")
        await stage.put(f"{stage.hdf}NDAttributesFile", "")
        assert await stage.get(f"{stage.hdf}NDAttributesStatus") == "Attributes file OK"
        assert await stage.get(f"{stage.hdf}WriteMessage") == ""

    perform(work)


def test_a_long_xml_goes_into_the_record(perform):
    async def work(stage: Stage) -> None:
        lines = [f'name="a{i}" type="CONST" source="{i}" description="number {i}"' for i in range(60)]
        await stage.put(f"{stage.hdf}NDAttributesFile", xml(*lines))
        assert await stage.get(f"{stage.hdf}NDAttributesStatus") == "Attributes file OK"
        assert await stage.get(f"{stage.hdf}NDAttributesFile") == xml(*lines)

    perform(work)


def statistic(name: str, parameter: str, datatype: str = "DOUBLE") -> str:
    return f'name="{name}" type="PARAM" source="{parameter}" datatype="{datatype}" addr="0"'


def good(frame: np.ndarray) -> np.ndarray:
    """Pixels that count: the two greatest values of the type mark those that do not."""
    return frame[frame < np.iinfo(frame.dtype).max - 1].astype(float)


def test_statistics_stand_beside_every_frame_however_few_the_previews_see(perform):
    async def work(stage: Stage) -> None:
        stats = statistics_of(stage)
        await stage.put(f"{stats}ComputeCentroid", "Yes")
        asked = xml(
            statistic("sum", "TOTAL"),
            statistic("most", "MAX_VALUE"),
            statistic("mean", "MEAN_VALUE"),
            statistic("sigma", "sigma_value"),
            statistic("x", "CENTROIDX_VALUE"),
            statistic("low", "HIST_BELOW", "INT"),
        )
        await stage.put(f"{stats}NDAttributesFile", asked)
        assert await stage.get(f"{stats}NDAttributesStatus") == "Attributes file OK"
        await stage.put(f"{stats}HistBelow", 17)
        await stage.set_up("statistics", 40, time=0.005)
        await stage.put(f"{stage.cam}WaitForPlugins", "Yes")
        capture = stage.capture()
        await stage.until(f"{stage.hdf}Capture_RBV", lambda v: v == "Capturing")
        # Nothing is switched on by being asked for: the value that the plugin has is that of all frames.
        said = await stage.get(f"{stage.hdf}WriteMessage")
        assert "attribute low: HIST_BELOW is not computed while ComputeHistogram is No" in said
        await stage.put(f"{stage.cam}Acquire", 1)
        await capture
        with h5py.File(await full_name(stage)) as file:
            group, frames = file[names.ATTRIBUTES], file[names.DATA][()]
            found = {name: group[name][()] for name in ("sum", "most", "mean", "sigma", "x", "low")}
        assert found["sum"].tolist() == [good(frame).sum() for frame in frames]
        assert found["most"].tolist() == [good(frame).max() for frame in frames]
        assert found["mean"] == pytest.approx([good(frame).mean() for frame in frames])
        assert found["sigma"] == pytest.approx([good(frame).std() for frame in frames])
        columns = np.where(frames < np.iinfo(frames.dtype).max - 1, frames, 0).sum(axis=1, dtype=float)
        assert found["x"] == pytest.approx(columns @ np.arange(columns.shape[1]) / columns.sum(axis=1))
        assert found["low"].tolist() == [17] * 40
        assert len(set(found["sum"].tolist())) > 1
        last = await stage.get(f"{stats}Total_RBV"), await stage.get(f"{stats}CentroidX_RBV")
        assert last == (found["sum"][-1], found["x"][-1])
        await stage.put(f"{stage.cam}WaitForPlugins", "No")
        await stage.put(f"{stats}ComputeCentroid", "No")

    perform(work)


def test_statistics_of_a_region_are_of_that_region_in_the_file_too(perform):
    async def work(stage: Stage) -> None:
        stats, region = statistics_of(stage), region_of(stage)
        where = {"MinX": 100, "SizeX": 300, "MinY": 50, "SizeY": 200, "EnableCallbacks": "Enable"}
        for record, value in where.items():
            await stage.put(f"{region}{record}", value)
        await stage.put(f"{stats}NDArrayPort", pvs.port(stage.detector, "roi"))
        await stage.put(f"{stats}NDAttributesFile", xml(statistic("sum", "TOTAL")))
        await stage.set_up("of_a_region", 5)
        await stage.start()
        await stage.put(f"{stats}NDArrayPort", pvs.port(stage.detector))
        await stage.put(f"{region}EnableCallbacks", "Disable")
        with h5py.File(await full_name(stage)) as file:
            parts = file[names.DATA][:, 50:250, 100:400]
            assert file[f"{names.ATTRIBUTES}/sum"][()].tolist() == [good(part).sum() for part in parts]

    perform(work)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (statistic("sum", "TOTALS"), "has no parameter TOTALS"),
        (statistic("sum", "TOTAL", "INT"), 'datatype="DOUBLE" is right'),
        (statistic("profile", "PROFILE_AVERAGE_X"), "has no parameter PROFILE_AVERAGE_X"),
    ],
)
def test_statistics_that_are_not_understood_are_refused_at_once(perform, line, said):
    async def work(stage: Stage) -> None:
        stats = statistics_of(stage)
        with pytest.raises(PutFailedError):
            await stage.put(f"{stats}NDAttributesFile", xml(line))
        assert await stage.get(f"{stats}NDAttributesStatus") == "XML syntax error"
        assert said in await stage.get(f"{stats}NDAttributesMessage_RBV")
        await stage.put(f"{stats}NDAttributesFile", "")
        assert await stage.get(f"{stats}NDAttributesStatus") == "Attributes file OK"
        assert await stage.get(f"{stats}NDAttributesMessage_RBV") == ""

    perform(work)
