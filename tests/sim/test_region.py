"""The 4M region of interest: which models have it, what it changes, what it lets through."""

import numpy as np
import pytest

from layouts.detector_models import MODELS
from layouts.stream.messages import Codec
from sim.eiger_config import ConfigError, EigerConfig, RoiMode, limits, set_value
from sim.frames import SceneSource
from sim.readout import READOUTS
from sim.scenes.exposure import Exposure


def config(model: str) -> EigerConfig:
    return EigerConfig(
        readout=READOUTS[model], readout_time=1e-7, cutoff=5e6, beam_center_x=2000.0, beam_center_y=2100.0
    )


@pytest.mark.parametrize("model", MODELS)
def test_nine_and_sixteen_megapixels_have_a_region_of_four(model):
    region = READOUTS[model].region
    assert (region is not None) == model.endswith((" 9M", " 16M"))
    if region is None:
        with pytest.raises(ConfigError, match="whole area"):
            set_value(config(model), "roi_mode", RoiMode.FOUR_M)
        return
    family = model.rpartition(" ")[0]
    part = MODELS[f"{family} 4M"]
    assert (region.height, region.width) == part.shape
    assert region.x + region.width <= MODELS[model].width
    assert region.y + region.height <= MODELS[model].height


def test_a_region_is_faster_sets_times_back_and_keeps_the_beam_on_its_pixel():
    before = set_value(config("EIGER2 16M"), "count_time", 0.5)[0]
    after, changed = set_value(before, "roi_mode", "4M")
    assert {"roi_mode", "count_time", "frame_time", "beam_center_x"} <= set(changed)
    assert after.count_time == 0.1
    assert after.frame_time_min < before.frame_time_min
    assert after.region is not None
    assert after.beam_center_x + after.region.x == before.beam_center_x
    back, _ = set_value(after, "roi_mode", RoiMode.DISABLED)
    assert (back.beam_center_x, back.beam_center_y) == (2000.0, 2100.0)
    assert back.region is None
    assert set_value(after, "roi_mode", "4M")[0] is after
    assert limits(after, "frame_time") != limits(before, "frame_time")


def test_frames_are_cut_to_what_is_read():
    class Whole(SceneSource):
        def __init__(self) -> None:
            self._scene = self

        def render(self, _exposure: Exposure) -> np.ndarray:
            return np.arange(12, dtype=np.uint16).reshape(3, 4)

    exposure = Exposure(start={}, stop={}, count_time=1.0, region=(slice(1, 3), slice(1, 3)))
    payload = Whole().payload(exposure, Codec.NONE, 2)
    assert payload.shape == (2, 2)
    assert np.frombuffer(payload.data, np.uint16).tolist() == [5, 6, 9, 10]
