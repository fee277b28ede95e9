"""What a camera makes of puts, and what its readbacks say: without process or port."""

import math

import pytest

from ioc.menus import DataSource, RoiMode
from layouts.beamline import load
from layouts.detector_models import MODELS
from sim.cam_rules import is_left_out, taken
from sim.cam_values import identity, links, modules, readings, series_settings, setpoints, setting
from sim.detector import initial_config
from sim.eiger_config import ConfigError, EigerConfig, TriggerMode, limits, set_value
from sim.readout import READOUTS

BEAMLINE = load()
DETECTOR = BEAMLINE.detectors[0]
CONFIG = initial_config(BEAMLINE, DETECTOR)


@pytest.mark.parametrize(
    ("pv", "value", "kept"),
    [
        ("AcquireTime", 0.0, 1e-7),
        ("AcquireTime", 1e9, 3600.0),
        ("AcquireTime", math.inf, 3600.0),
        ("AcquirePeriod", 1e-9, 1 / 4500),
        ("PhotonEnergy", 0.0, 5000.0),
        ("Threshold2Energy", -1.0, 2500.0),
        ("Wavelength", 100.0, 2.479683968),
        ("NumImages", -3, 1),
        ("NumTriggers", 0, 1),
        ("NumExposures", -1, 1),
        ("TriggerStartDelay", -0.5, 0.0),
    ],
)
def test_numbers_beyond_the_limits_are_brought_to_them(pv, value, kept):
    found = taken(pv, value, CONFIG, DETECTOR)
    assert found.value == pytest.approx(kept)
    assert pv in found.note
    assert "was taken" in found.note


@pytest.mark.parametrize(
    ("pv", "value"),
    [("AcquireTime", 0.5), ("AcquirePeriod", 0.0), ("NumImages", 7), ("BeamX", -1e6), ("DataSource", "None")],
)
def test_what_the_detector_takes_is_taken_without_a_word(pv, value):
    assert taken(pv, value, CONFIG, DETECTOR) == (value, "")


@pytest.mark.parametrize(
    ("pv", "value", "said"),
    [
        ("AcquireTime", math.nan, "nan"),
        ("BeamX", math.nan, "nan"),
        ("DataSource", DataSource.FILE_WRITER, "Stream or None"),
        ("FWNamePattern", "", r"\$id"),
        ("Threshold1Enable", "Disable", "always counted"),
        ("StreamVersion", "Stream", "Stream2 is right"),
    ],
)
def test_what_means_nothing_is_refused_with_a_sentence(pv, value, said):
    with pytest.raises(ConfigError, match=said):
        taken(pv, value, CONFIG, DETECTOR)


def test_a_model_without_a_region_stays_at_its_whole_area():
    assert taken("ROIMode", RoiMode.FOUR_M, CONFIG, DETECTOR).value == RoiMode.DISABLE
    large = EigerConfig(readout=READOUTS["EIGER2 16M"], readout_time=1e-7, cutoff=5e6)
    assert taken("ROIMode", RoiMode.FOUR_M, large, DETECTOR) == (RoiMode.FOUR_M, "")


def test_small_changes_of_energies_are_left_out():
    epsilons = {"EnergyEps": 0.05, "WavelengthEps": 0.0005}.__getitem__
    assert is_left_out("PhotonEnergy", 12700.04, CONFIG, epsilons)
    assert not is_left_out("PhotonEnergy", 12700.06, CONFIG, epsilons)
    assert is_left_out("Wavelength", CONFIG.wavelength + 0.0004, CONFIG, epsilons)
    assert not is_left_out("ThresholdEnergy", 6351.0, CONFIG, epsilons)
    assert not is_left_out("AcquireTime", CONFIG.count_time, CONFIG, epsilons)


@pytest.mark.parametrize(
    ("count_time", "frame_time", "bits"), [(0.1, 0.1000001, 32), (0.005, 0.01, 16), (1e-5, 1 / 4000, 8)]
)
def test_depth_type_and_size_follow_exposure_before_any_frame(count_time, frame_time, bits):
    config = set_value(set_value(CONFIG, "count_time", count_time)[0], "frame_time", frame_time)[0]
    found = readings(config, DETECTOR)
    assert (found["BitDepthImage_RBV"], found["DataType_RBV"]) == (bits, f"UInt{bits}")
    assert found["ArraySize_RBV"] == 1028 * 1062 * bits // 8
    assert found["AcquireTime"] == found["AcquireTime_RBV"] == count_time
    assert found["DeadTime_RBV"] == config.readout_time
    empty = readings(config, DETECTOR, sized=False)
    assert (empty["ArraySizeX_RBV"], empty["ArraySize_RBV"], empty["NDimensions_RBV"]) == (0, 0, 0)
    assert empty["DataType_RBV"] == f"UInt{bits}"


def test_every_config_value_that_a_put_sets_reads_back():
    for pv, value in setpoints(CONFIG).items():
        name, meant = setting(pv, value) or ("", None)
        assert name
        bounds = limits(CONFIG, name)
        assert bounds is None or bounds[0] <= meant <= bounds[1]
        assert set_value(CONFIG, name, meant)[0] is not None
    assert setting("NumImages", 3) is None


@pytest.mark.parametrize("model", MODELS)
def test_a_detector_says_what_it_is(model):
    found = identity(DETECTOR.model_copy(update={"model": model}))
    assert f"{found['Manufacturer_RBV']} {found['Model_RBV']}" == found["Description_RBV"]
    assert (found["MaxSizeX_RBV"], found["MaxSizeY_RBV"]) == (MODELS[model].width, MODELS[model].height)


@pytest.mark.parametrize(
    ("mode", "image_mode", "images", "frames"),
    [
        ("Internal Series", "Multiple", 5, 10),
        ("Internal Series", "Single", 5, 2),
        ("Internal Enable", "Multiple", 5, 2),
        ("External Gate", "Multiple", 5, 10),
        ("Continuous", "Multiple", 3, 6),
    ],
)
def test_what_is_set_at_arm(mode, image_mode, images, frames):
    pvs = {
        "TriggerMode": mode,
        "ImageMode": image_mode,
        "NumImages_RBV": images,
        "NumTriggers_RBV": 2,
    }
    config = set_value(CONFIG, "trigger_mode", TriggerMode.EXTE)[0]
    for name, value in series_settings(pvs, config):
        config = set_value(config, name, value)[0]
    assert config.frames == frames


def test_images_without_an_end_last_nearly_a_week():
    pvs = {
        "TriggerMode": "Internal Series",
        "ImageMode": "Continuous",
        "NumImages_RBV": 1,
        "NumTriggers_RBV": 5,
    }
    values = dict(series_settings(pvs, CONFIG))
    assert values["ntrigger"] == 1
    assert 6 * 86400 < values["nimages"] * CONFIG.frame_time < 7 * 86400


def test_states_of_the_modules_and_links():
    pvs = {"StreamEnable_RBV": "Enable", "FWEnable_RBV": "Disable", "MonitorEnable_RBV": "Enable"}
    assert modules(pvs, running=False) == {
        "StreamState_RBV": "ready",
        "FWState_RBV": "disabled",
        "MonitorState_RBV": "normal",
    }
    assert modules(pvs, running=True)["StreamState_RBV"] == "acquire"
    assert set(links(DETECTOR, alive=True).values()) == {"Up"}
    assert set(links(DETECTOR, alive=False).values()) == {"Down"}
    small = DETECTOR.model_copy(update={"model": "EIGER 500K"})
    assert list(links(small, alive=True).values()) == ["Up", "Up", "Down", "Down"]
