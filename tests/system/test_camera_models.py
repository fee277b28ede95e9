"""Cameras of other models: an EIGER's menus, a region of interest, and sizes that are not known at boot."""

import asyncio

import pytest

from layouts.beamline import load
from tests.kit.hands import CAM, hands, internal
from tests.kit.simulated import Receiver, simulator

pytestmark = pytest.mark.system

CAM2 = "SB:EIG2:cam1:"


@pytest.fixture(scope="module")
def sim():
    """An EIGER2 9M and an EIGER 500K, with sizes that are 0 until the first frame."""
    beamline = load()
    large, small = beamline.detectors
    beamline = beamline.model_copy(
        update={
            "detectors": (
                large.model_copy(update={"model": "EIGER2 9M", "bad_pixels": 0}),
                small.model_copy(update={"model": "EIGER 500K"}),
            ),
            "simulation": beamline.simulation.model_copy(update={"primed": False}),
        }
    )
    with simulator(beamline) as running:
        yield running


def test_an_eiger_has_its_own_menus_and_records(sim):
    async def do():
        async with hands(sim) as h:
            modes = await h.client.get(CAM2 + "TriggerMode.FRST")
            assert modes == "Continuous"
            assert await h.get(CAM2 + "StreamHdrDetail_RBV") == "All"
            await h.put(CAM2 + "StreamHdrDetail", 2)
            assert await h.get(CAM2 + "StreamHdrDetail_RBV") == "None"
            await h.put(CAM2 + "CompressionAlgo", "LZ4")
            assert await h.get(CAM2 + "Codec_RBV") == "lz4"
            assert (await h.get(CAM2 + "Link1_RBV"), await h.get(CAM2 + "Link2_RBV")) == ("Up", "Down")
            assert await h.get(CAM2 + "Model_RBV") == "Eiger 500K"
            assert not await h.client.connect([CAM2 + "FWClear"], timeout=5)
            assert await h.client.connect([CAM2 + "HVReset"], timeout=0.5) == {CAM2 + "HVReset"}

    asyncio.run(do())


def test_sizes_are_0_until_the_first_frame_and_a_region_changes_them(sim):
    endpoint = sim.beamline.detectors[0].stream.endpoint

    async def do():
        async with hands(sim) as h:
            await internal(h, images=1)
            for name in ("ArraySizeX_RBV", "ArraySize_RBV", "ArraySize0_RBV", "NDimensions_RBV"):
                assert await h.get(CAM + name) == 0, name
            assert await h.get(CAM + "MaxSizeX_RBV") == 3108
            beam = await h.get(CAM + "BeamX_RBV")
            await h.put(CAM + "ROIMode", "4M")
            assert await h.get(CAM + "BeamX_RBV") == beam - (3108 - 2068) / 2
            assert await h.get(CAM + "AcquireTime_RBV") == 0.1
            assert await h.get(CAM + "SizeX_RBV") == 2068
            assert await h.get(CAM + "ArraySizeX_RBV") == 0
            await h.put(CAM + "Acquire", 1)
            assert await h.get(CAM + "DetectorState_RBV") == "Idle"
            assert await h.get(CAM + "ArraySizeX_RBV") == 2068
            assert await h.get(CAM + "ArraySize1_RBV") == 2162
            series = await h.get(CAM + "SequenceId")
            await h.put(CAM + "ROIMode", "Disable")
            assert await h.get(CAM + "ArraySizeX_RBV") == 3108
            assert await h.get(CAM + "BeamX_RBV") == beam
            return series

    with Receiver(endpoint) as receiver:
        got = receiver.series(asyncio.run(do()))
    assert got.start.config["image_size_x"] == 2068
    assert got.start.pixel_mask["threshold_1"].shape == (2162, 2068)
    assert got.images[0].payloads[0].shape == (2162, 2068)
