"""The simulator's processes, driven through Channel Access, with a receiver on the stream."""

import asyncio
import json

import numpy as np
import pytest

from ioc.client import PutFailedError
from ioc.records import Severity
from layouts.stream import codecs
from sim.scenes.exposure import Exposure
from sim.scenes.scene import Scene
from tests.kit.hands import CAM, SIM, hands, internal
from tests.kit.simulated import Receiver, simulator

pytestmark = pytest.mark.system

CAM2, MOT, TRIG = "SB:EIG2:cam1:", "SB:MOT:", "SB:TRIG:"


@pytest.fixture(scope="module")
def sim():
    with simulator() as running:
        yield running


@pytest.fixture(scope="module")
def main(sim):
    with Receiver(sim.beamline.detectors[0].stream.endpoint) as receiver:
        yield receiver


@pytest.fixture(scope="module")
def second(sim):
    with Receiver(sim.beamline.detectors[1].stream.endpoint) as receiver:
        yield receiver


def test_right_from_boot(sim):
    async def do():
        async with hands(sim) as h:
            detector = sim.beamline.detectors[0]
            for name, value in {
                "ArraySizeX_RBV": detector.spec.width,
                "ArraySizeY_RBV": detector.spec.height,
                "ArraySize0_RBV": detector.spec.width,
                "SizeX_RBV": detector.spec.width,
                "MaxSizeY_RBV": detector.spec.height,
                "DetectorState_RBV": "Idle",
                "State_RBV": "idle",
                "Acquire_RBV": "Done",
                "Model_RBV": "EIGER2 Si 1M",
                "BitDepthImage_RBV": 32,
                "DataType_RBV": "UInt32",
                "PhotonEnergy_RBV": 12700.0,
                "ThresholdEnergy_RBV": 6350.0,
                "SequenceId": 0,
            }.items():
                assert await h.get(CAM + name) == value, name
            assert await h.get(CAM2 + "StreamVersion_RBV") == "Stream"

    asyncio.run(do())


def test_acquire_with_completion_and_a_second_one_that_changes_nothing(sim, main):
    async def do():
        async with hands(sim) as h:
            seen = []
            for name in ("Acquire", "Acquire_RBV", "DetectorState_RBV", "Armed", "AcquireBusy"):
                await h.client.subscribe(CAM + name, lambda r, n=name: seen.append((n, r.value)))
            await internal(h, images=5)
            seen.clear()
            first = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Armed", "Armed")
            await h.put(CAM + "Acquire", 1)
            await first
            await asyncio.sleep(0)
            series = await h.get(CAM + "SequenceId")
            assert await h.get(CAM + "NumImagesCounter_RBV") == 5
            assert await h.get(CAM + "StreamDropped_RBV") == 0
            assert await h.get(CAM + "StatusMessage_RBV") == "Ready"
            assert [v for n, v in seen if n == "Acquire_RBV"] == ["Acquiring", "Done"]
            assert [v for n, v in seen if n == "DetectorState_RBV"] == ["Acquire", "Idle"]
            assert [v for n, v in seen if n == "Armed"] == ["Armed", "Unarmed"]
            last = [n for n, v in seen if v in ("Done", "Idle")]
            assert last.index("DetectorState_RBV") < last.index("Acquire_RBV") < last.index("Acquire")
            return series, await h.truth()

    series, truth = asyncio.run(do())
    got = main.series(series)
    assert got.start is not None
    assert [i.frame for i in got.images] == [0, 1, 2, 3, 4]
    assert [i.start_time.nanoseconds for i in got.images] == [n * 10_000_000 for n in range(5)]
    assert {i.stop_time.nanoseconds - i.start_time.nanoseconds for i in got.images} == {9_999_900}
    assert got.start.config["number_of_images"] == 5
    assert got.start.config["image_dtype"] == "uint16"
    assert truth["produced"] == truth["sent"] == 5


def test_pixels_are_the_scene_s(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=2)
            await h.put(CAM + "Acquire", 1)
            return await h.get(CAM + "SequenceId")

    series = asyncio.run(do())
    got = main.series(series)
    scene = Scene(sim.beamline, sim.beamline.detectors[0])
    assert np.array_equal(got.start.pixel_mask["threshold_1"], scene.pixel_mask)
    rest = {m.name: m.initial for m in sim.beamline.motors}
    for image in got.images:
        exposure = Exposure(start=rest, stop=rest, count_time=0.0099999, frame=image.frame, series=series)
        assert np.array_equal(codecs.decompress(image.payloads[0]), scene.render(exposure))


def test_an_abort_in_mid_series_and_a_series_straight_after(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=1000, time=0.05)
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Armed", "Armed")
            await h.until(CAM + "NumImagesCounter_RBV", lambda count: count >= 2)
            await h.put(CAM + "Acquire", 0)
            assert await h.get(CAM + "DetectorState_RBV") == "Aborted"
            assert await h.get(CAM + "Acquire_RBV") == "Done"
            assert await h.get(CAM + "State_RBV") == "idle"
            await asyncio.wait_for(running, 5)
            aborted, counted = await h.get(CAM + "SequenceId"), await h.get(CAM + "NumImagesCounter_RBV")
            truth = await h.truth()
            await internal(h, images=2)
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "DetectorState_RBV") == "Idle"
            return aborted, counted, truth

    aborted, counted, truth = asyncio.run(do())
    got = main.series(aborted)
    assert len(got.images) == counted == truth["sent"] < 1000
    assert [i.frame for i in got.images] == list(range(counted))
    assert [i.frame for i in main.series(aborted + 1).images] == [0, 1]


def test_an_external_series_begins_exactly_where_the_motor_crosses(sim, main, second):
    async def do():
        async with hands(sim) as h:
            await h.put(MOT + "OMEGA.VAL", -2.0)
            speed = await h.get(MOT + "OMEGA.VELO")
            await h.put(MOT + "OMEGA.VELO", 10.0)
            for cam, images, period in ((CAM, 20, 0.01), (CAM2, 10, 0.02)):
                await h.set(
                    cam,
                    TriggerMode="External Series",
                    NumImages=images,
                    NumTriggers=1,
                    AcquireTime=period - 1e-7,
                    AcquirePeriod=period,
                    OmegaStart=1.5,
                    OmegaIncr=10.0 * period,
                )
            runs = [asyncio.create_task(h.put(c + "Acquire", 1)) for c in (CAM, CAM2)]
            for cam in (CAM, CAM2):
                await h.until(cam + "Armed", "Armed")
            await h.set(TRIG, Motor="omega", Position=1.5, Direction="Positive", Arm=1)
            await h.put(MOT + "OMEGA.VAL", 5.0)
            await asyncio.gather(*runs)
            await h.put(MOT + "OMEGA.VELO", speed)
            assert await h.get(TRIG + "Arm_RBV") == "Disable"
            assert abs(await h.get(TRIG + "Fired_RBV") - 1.5) < 1e-9
            other = json.loads(await h.get("SB:EIG2:SIM:Truth_RBV"))
            return await h.truth(), other

    truth, other = asyncio.run(do())
    omega = truth["motors"]["omega"]
    assert omega["first"] == pytest.approx(1.5, abs=1e-9)
    assert omega["increment"] == pytest.approx(0.1, abs=1e-9)
    assert omega["deviation"] < 1e-9
    assert omega["stop"][0] == pytest.approx(1.6 - 1e-6, abs=1e-8)
    assert other["motors"]["omega"]["first"] == pytest.approx(1.5, abs=1e-9)
    assert other["motors"]["omega"]["increment"] == pytest.approx(0.2, abs=1e-9)
    got = main.series(truth["series"])
    assert [i.frame for i in got.images] == list(range(20))
    assert got.images[0].start_time.nanoseconds == 0
    assert got.start.config["goniometer"]["omega"] == {"increment": 0.1, "start": 1.5}
    got = second.series(other["series"])
    assert [i.frame for i in got.images] == list(range(10))
    assert got.start.config["trigger_mode"] == "exts"
    scene = Scene(sim.beamline, sim.beamline.detectors[1])
    assert got.images[3].payloads[0].shape == scene.pixel_mask.shape


def test_faults_are_done_counted_and_told(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=8)
            with pytest.raises(PutFailedError):
                await h.put(SIM + "Faults", "explode 3")
            await h.put(SIM + "Faults", "drop 1,4-5; duplicate 2; truncate 6=100; lose-start")
            await h.put(CAM + "Acquire", 1)
            truth = await h.truth()
            dropped = await h.get(CAM + "StreamDropped_RBV")
            await h.put(SIM + "Faults", "")
            assert await h.get(SIM + "Faults_RBV") == ""
            return truth, dropped

    truth, dropped = asyncio.run(do())
    got = main.series(truth["series"])
    assert got.start is None
    assert [i.frame for i in got.images] == [0, 2, 2, 3, 7]
    assert len(main.damaged) == 1
    assert (truth["produced"], truth["sent"], truth["dropped"], dropped) == (9, 6, 3, 3)
    assert truth["lost_by_fault"] == [1, 4, 5]
    assert "duplicate 2" in truth["faults"]


def test_an_emitter_that_dies_is_told_and_started_again(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=5)
            await h.put(SIM + "Faults", "crash 2")
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "DetectorState_RBV") == "Error"
            assert "ended by itself" in await h.get(CAM + "StatusMessage_RBV")
            assert await h.get(CAM + "Acquire_RBV") == "Done"
            await h.put(SIM + "Faults", "")
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "DetectorState_RBV") == "Idle"
            return await h.get(CAM + "SequenceId"), await h.truth()

    series, truth = asyncio.run(do())
    assert truth["series"] == series
    assert len(main.series(series).images) == truth["sent"] == 5


def test_manual_triggers_enable_mode_and_pulses(sim, main):
    async def do():
        async with hands(sim) as h:
            await internal(h, images=2)
            await h.set(CAM, NumTriggers=2, ManualTrigger="Enable")
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Armed", "Armed")
            for count in (2, 4):
                await h.put(CAM + "Trigger", 1)
                await h.until(CAM + "NumImagesCounter_RBV", count)
            await running
            manual = await h.get(CAM + "SequenceId")
            await h.set(CAM, ManualTrigger="Disable", TriggerMode="Internal Enable", NumTriggers=3)
            await h.put(CAM + "Acquire", 1)
            await h.set(CAM, TriggerMode="External Enable", NumImages=2, NumTriggers=2)
            await h.put(TRIG + "PulseWidth", 0.02)
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Armed", "Armed")
            await h.put(TRIG + "PulseIn", "High")
            await h.until(CAM + "NumImagesCounter_RBV", 1)
            await h.put(TRIG + "PulseIn", "High")
            await running
            assert await h.get(CAM + "NumImages_RBV") == 2
            return manual

    manual = asyncio.run(do())
    assert [i.frame for i in main.series(manual).images] == [0, 1, 2, 3]
    assert [i.frame for i in main.series(manual + 1).images] == [0, 1, 2]
    gated = main.series(manual + 2).images
    assert [i.stop_time.nanoseconds - i.start_time.nanoseconds for i in gated] == [20_000_000] * 2


def test_values_that_cannot_be_are_refused_and_settle(sim):
    async def do():
        async with hands(sim) as h:
            await internal(h)
            for name, value, said in (
                ("StreamVersion", "Stream", "beamline file"),
                ("Threshold1Enable", "Disable", "always counted"),
                ("Threshold2Enable", "Enable", "one threshold"),
                ("DataSource", "FileWriter", "makes no files"),
                ("FWNamePattern", "images", "$id"),
            ):
                before = await h.get(f"{CAM}{name}_RBV")
                with pytest.raises(PutFailedError):
                    await h.put(CAM + name, value)
                assert said in await h.get(CAM + "StatusMessage_RBV")
                assert await h.get(f"{CAM}{name}_RBV") == before
                assert await h.get(CAM + name) == before
                assert (await h.client.read(CAM + name)).severity == Severity.INVALID
            # The next put that is taken clears the alarm of its record and the message.
            await h.put(CAM + "FWNamePattern", "run_$id")
            assert (await h.client.read(CAM + "FWNamePattern")).severity == Severity.NONE
            assert await h.get(CAM + "StatusMessage_RBV") == "Ready"
            with pytest.raises(PutFailedError):
                await h.put(CAM + "BinX", 2)

    asyncio.run(do())


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        ("AcquireTime", -1.0, 1e-7),
        ("AcquirePeriod", 1e-6, 1 / 4500),
        ("PhotonEnergy", 1.0, 5000.0),
        ("ThresholdEnergy", 1e6, 56000.0),
        ("Threshold2Energy", -1.0, 2500.0),
        ("NumImages", 0, 1),
        ("NumTriggers", -5, 1),
        ("NumExposures", 0, 1),
        ("ROIMode", "4M", "Disable"),
        ("FilePerms", 0o777, 0o666),
    ],
)
def test_values_beyond_the_limits_are_brought_to_them_and_told(sim, name, value, taken):
    async def do():
        async with hands(sim) as h:
            await internal(h)
            await h.put(CAM + name, value)
            assert await h.get(f"{CAM}{name}_RBV") == pytest.approx(taken)
            assert name in await h.get(CAM + "StatusMessage_RBV")
            assert "was taken" in await h.get(CAM + "StatusMessage_RBV")
            await h.set(CAM, PhotonEnergy=12700.0, FWNamePattern="series_$id", AcquirePeriod=0.01)

    asyncio.run(do())


def test_the_period_follows_the_exposure_until_it_is_set(sim):
    async def do():
        async with hands(sim) as h:
            await h.set(CAM, AcquirePeriod=0.0, AcquireTime=0.02)
            assert await h.get(CAM + "AcquirePeriod_RBV") == pytest.approx(0.0200001)
            await h.put(CAM + "AcquireTime", 0.005)
            assert await h.get(CAM + "AcquirePeriod_RBV") == pytest.approx(0.0050001)
            await h.put(CAM + "AcquirePeriod", 0.5)
            await h.put(CAM + "AcquireTime", 0.001)
            assert await h.get(CAM + "AcquirePeriod_RBV") == 0.5
            assert await h.get(CAM + "AcquireTime_RBV") == 0.001

    asyncio.run(do())


def test_without_a_receiver_frames_are_dropped_and_counted(sim):
    with simulator() as other:

        async def do():
            async with hands(other) as h:
                await internal(h, images=5)
                await h.put(CAM + "Acquire", 1)
                assert await h.get(CAM + "DetectorState_RBV") == "Idle"
                assert await h.get(CAM + "StreamDropped_RBV") == 5
                return await h.truth()

        truth = asyncio.run(do())
        assert (truth["produced"], truth["sent"], truth["dropped"]) == (5, 0, 5)
