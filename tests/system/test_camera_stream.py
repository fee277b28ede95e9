"""What is put to a camera is in its stream: start messages, image messages, pixels, and when it begins."""

import asyncio

import numpy as np
import pytest

from layouts.stream import codecs
from sim.cam_values import ANGLES
from sim.scenes.exposure import Exposure
from sim.scenes.scene import Scene
from tests.kit.hands import CAM, hands, internal
from tests.kit.simulated import Receiver, simulator

pytestmark = pytest.mark.system

CAM2, MOT, TRIG = "SB:EIG2:cam1:", "SB:MOT:", "SB:TRIG:"
PLACE = {"BeamX": 500.5, "BeamY": 600.25, "DetDist": 0.375}
TURNS = {
    "OmegaStart": 11.0,
    "OmegaIncr": 0.1,
    "ChiStart": 12.0,
    "ChiIncr": 0.2,
    "KappaStart": 13.0,
    "KappaIncr": 0.3,
    "PhiStart": 14.0,
    "PhiIncr": 0.4,
    "TwoThetaStart": 15.0,
    "TwoThetaIncr": 0.5,
}
CORRECTIONS = ("FlatfieldApplied", "CountrateCorrApplied", "PixelMaskApplied")
LEGS = ((2, 0), (0, 1), (2, 1), (0, 2), (2, 2), (0, 2))
"""Where a motor goes, and how often the trigger has fired when it is there."""
APPENDICES = {"StreamHdrAppendix": "for the start", "StreamImgAppendix": "for each image"}


@pytest.fixture(scope="module")
def sim():
    with simulator() as running:
        yield running


@pytest.fixture(scope="module", params=[0, 1], ids=["version 2", "version 1"])
def camera(sim, request):
    """One camera's prefix, its place in the beamline file, and a receiver of its stream."""
    with Receiver(sim.beamline.detectors[request.param].stream.endpoint) as receiver:
        yield (CAM, CAM2)[request.param], sim.beamline.detectors[request.param], receiver


def series(sim, camera, images=1, **puts):
    """A series with these puts before it, as it came."""
    prefix, _, receiver = camera

    async def do():
        async with hands(sim) as h:
            await internal(h, images=images, prefix=prefix)
            await h.set(prefix, **puts)
            await h.put(prefix + "Acquire", 1)
            assert await h.get(prefix + "DetectorState_RBV") == "Idle"
            return await h.get(prefix + "SequenceId")

    return receiver.series(asyncio.run(do()))


def test_where_the_detector_stands_and_how_axes_turn_is_in_the_start_message(sim, camera):
    said = series(sim, camera, **PLACE, **TURNS).start.config
    assert (said["beam_center_x"], said["beam_center_y"]) == (PLACE["BeamX"], PLACE["BeamY"])
    assert said["detector_translation"] == [0.0, 0.0, PLACE["DetDist"]]
    for word, axis in ANGLES.items():
        start, increment = TURNS[f"{word}Start"], TURNS[f"{word}Incr"]
        if "goniometer" in said:
            assert said["goniometer"][axis] == {"start": start, "increment": increment}
        else:
            assert (said[f"{axis}_start"], said[f"{axis}_increment"]) == (start, increment)
    series(sim, camera, **dict.fromkeys(TURNS, 0.0))


def test_energies_are_in_the_start_message(sim, camera):
    said = series(sim, camera, PhotonEnergy=13000.0, ThresholdEnergy=6200.0).start.config
    assert said.get("incident_energy", said.get("photon_energy")) == 13000.0
    assert said["threshold_energy"] in (6200.0, {"threshold_1": 6200.0})
    series(sim, camera, PhotonEnergy=12700.0)


def test_corrections_are_in_the_start_message_one_by_one(sim, camera):
    words = {
        "FlatfieldApplied": ("flatfield_enabled", "flatfield_correction_applied"),
        "CountrateCorrApplied": ("countrate_correction_enabled", "countrate_correction_applied"),
        "PixelMaskApplied": ("pixel_mask_enabled", "pixel_mask_applied"),
    }
    for off in CORRECTIONS:
        said = series(sim, camera, **{name: "Disable" if name == off else "Enable" for name in CORRECTIONS})
        for name, keys in words.items():
            assert [said.start.config[key] for key in keys if key in said.start.config] == [name != off]
    series(sim, camera, **dict.fromkeys(CORRECTIONS, "Enable"))


@pytest.mark.parametrize(("masked", "flattened"), [(False, True), (True, False)])
def test_without_mask_or_flatfield_pixels_are_as_they_count(sim, camera, masked, flattened):
    detector = camera[1]
    puts = {"PixelMaskApplied": int(masked), "FlatfieldApplied": int(flattened)}
    got = series(sim, camera, **puts)
    (image,) = got.images
    rest = {m.name: m.initial for m in sim.beamline.motors}
    taken = {"start": rest, "stop": rest, "count_time": 0.0099999, "series": image.series}
    scene = Scene(sim.beamline, detector)
    frame = codecs.decompress(image.payloads[0])
    assert np.array_equal(frame, scene.render(Exposure(**taken, masked=masked, flattened=flattened)))
    assert not np.array_equal(frame, scene.render(Exposure(**taken)))
    series(sim, camera, **dict.fromkeys(CORRECTIONS, "Enable"))


def test_appendices_are_in_their_messages(sim, camera):
    got = series(sim, camera, images=2, **APPENDICES)
    assert got.start.appendix == APPENDICES["StreamHdrAppendix"]
    assert [image.appendix for image in got.images] == [APPENDICES["StreamImgAppendix"]] * 2
    plain = series(sim, camera, **dict.fromkeys(APPENDICES, ""))
    assert (plain.start.appendix, plain.images[0].appendix) == (None, None)


def test_the_detail_of_the_start_message_is_as_it_was_put(sim, camera):
    found = {}
    for detail in ("All", "Basic", "None"):
        start = series(sim, camera, StreamHdrDetail=detail).start
        found[detail] = (bool(start.config), bool(start.flatfield), bool(start.pixel_mask))
    assert found["All"] == (True, True, True)
    assert found["Basic"] == (True, False, False)
    # Version 2 has its parameters whatever was asked for.
    assert found["None"] == (camera[1].stream.version == 2, False, False)
    series(sim, camera, StreamHdrDetail="All")


def test_how_many_images_a_series_has(sim, camera):
    assert len(series(sim, camera, images=3, ImageMode="Single").images) == 1
    assert len(series(sim, camera, images=3, ImageMode="Multiple").images) == 3
    assert len(series(sim, camera, images=3, NumTriggers=2).images) == 6


def test_a_delay_comes_between_the_trigger_and_the_first_image(sim):
    async def do():
        async with hands(sim) as h:
            await h.set(MOT, **{"OMEGA.VELO": 10.0, "OMEGA.VAL": -2.0})
            await internal(h, images=2)
            await h.set(CAM, TriggerMode="External Series", TriggerStartDelay=0.25)
            running = asyncio.create_task(h.put(CAM + "Acquire", 1))
            await h.until(CAM + "Armed", "Armed")
            await h.set(TRIG, Motor="omega", Position=1.0, Direction="Positive", Pulses=1, Arm=1)
            await h.put(MOT + "OMEGA.VAL", 8.0)
            await running
            truth = await h.truth()
            await h.put(CAM + "TriggerStartDelay", 0.0)
            await h.put(MOT + "OMEGA.VAL", 0.0)
            return truth["motors"]["omega"]["first"]

    assert asyncio.run(do()) == pytest.approx(1.0 + 10.0 * 0.25, abs=1e-6)


def test_the_trigger_fires_for_its_motor_its_way_and_as_often_as_it_was_told(sim):
    async def do():
        async with hands(sim) as h:
            for motor in ("OMEGA", "PHI"):
                await h.set(MOT, **{f"{motor}.VELO": 20.0, f"{motor}.VAL": 0.0})
            before = await h.get(TRIG + "Count_RBV")
            await h.set(TRIG, Motor="phi", Position=1.0, Direction="Negative", Pulses=2, Arm=1)
            for motor, to, pulses in (("OMEGA", 2, 0), ("OMEGA", 0, 0), *(("PHI", *leg) for leg in LEGS)):
                await h.put(f"{MOT}{motor}.VAL", to)
                await h.until(TRIG + "Count_RBV", before + pulses)
            assert await h.get(TRIG + "Armed_RBV") == "Unarmed"
            assert await h.get(TRIG + "Fired_RBV") == pytest.approx(1.0, abs=1e-9)

    asyncio.run(do())
