"""SIMPLON's couplings: setting one value changes others."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.beamline import load
from layouts.detector_models import MODELS
from layouts.stream.messages import Codec, GoniometerAxis
from sim.detector import initial_config
from sim.eiger_config import IMAGES_MAX, ConfigError, EigerConfig, TriggerMode, set_value
from sim.readout import READOUTS

CONFIG = EigerConfig(readout=READOUTS["EIGER2 1M"], readout_time=1e-7, cutoff=5e6)


def changed(config: EigerConfig, name: str, value: object) -> EigerConfig:
    return set_value(config, name, value)[0]


def test_every_model_has_its_rates():
    assert READOUTS.keys() == MODELS.keys()
    for readout in READOUTS.values():
        assert readout.rate_16 <= readout.rate_8


def test_a_long_exposure_pushes_the_frame_time():
    config, names = set_value(CONFIG, "count_time", 0.5)
    assert config.frame_time == 0.5 + 1e-7
    assert set(names) >= {"count_time", "frame_time"}


def test_a_short_frame_time_pulls_the_exposure():
    config, names = set_value(CONFIG, "frame_time", 0.01)
    assert config.count_time == 0.01 - 1e-7
    assert set(names) >= {"count_time", "frame_time", "bit_depth_image"}


def test_the_recommended_order_gives_exactly_the_frame_time():
    config = changed(changed(CONFIG, "count_time", 0.01), "frame_time", 0.01)
    assert (config.frame_time, config.count_time) == (0.01, 0.01 - 1e-7)
    again = changed(config, "count_time", 0.01 - 1e-7)
    assert again.frame_time == 0.01  # rounding does not push it


def test_a_shorter_exposure_leaves_the_frame_time():
    config, names = set_value(CONFIG, "count_time", 0.02)
    assert config.frame_time == CONFIG.frame_time
    assert "frame_time" not in names


@pytest.mark.parametrize(
    ("count_time", "frame_time", "depth", "summed"),
    [
        (0.1, 0.1000001, 32, 8),
        (0.0131, 0.02, 16, 1),
        (0.0132, 0.02, 32, 2),
        (0.004, 0.005, 16, 1),
        (1 / 2250 - 1e-7, 1 / 2250, 16, 1),
        (0.0003, 1 / 2251, 8, 1),
        (1e-6, 1 / 4500, 8, 1),
    ],
)
def test_depth_follows_exposure_and_rate(count_time, frame_time, depth, summed):
    config = replace(CONFIG, count_time=count_time, frame_time=frame_time)
    assert (config.bit_depth_image, config.sub_frames) == (depth, summed)


def test_without_summation_a_long_exposure_stays_at_16_bits():
    config = changed(changed(CONFIG, "auto_summation", False), "count_time", 1.0)
    assert (config.bit_depth_image, config.saturation_value) == (16, 65533)


def test_saturation_is_the_cutoff_or_what_the_depth_holds():
    assert changed(CONFIG, "count_time", 0.001).saturation_value == 5000
    assert changed(CONFIG, "count_time", 1000.0).saturation_value == 2**32 - 3


def test_energy_moves_wavelength_and_thresholds():
    config, names = set_value(CONFIG, "photon_energy", 12700.0)
    assert config.wavelength == pytest.approx(0.976253530)
    assert (config.threshold_energy, config.threshold_2_energy) == (6350.0, pytest.approx(17780.0))
    assert set(names) == {"photon_energy", "wavelength", "threshold_energy", "threshold_2_energy"}


def test_wavelength_moves_energy_and_stays_what_was_set():
    config = changed(CONFIG, "wavelength", 1.0)
    assert config.wavelength == 1.0
    assert config.photon_energy == pytest.approx(12398.41984)
    assert changed(config, "threshold_energy", 5000.0).photon_energy == config.photon_energy


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("count_time", 0.0, "count_time 0 s"),
        ("count_time", 3601.0, "3600"),
        ("count_time", float("nan"), "nan"),
        ("frame_time", 1e-4, "0.000222222"),
        ("photon_energy", 100.0, "5000 to 40000"),
        ("wavelength", 0.0, "not above 0"),
        ("wavelength", -1.0, "not above 0"),
        ("threshold_energy", 10.0, "threshold_energy"),
        ("nimages", 0, "nimages"),
        ("ntrigger", IMAGES_MAX + 1, "ntrigger"),
        ("colour", 1, "colour"),
        ("cutoff", 1.0, "cutoff"),
        ("goniometer", {}, "goniometer"),
    ],
)
def test_what_the_detector_does_not_take(name, value, said):
    with pytest.raises(ConfigError, match=said):
        set_value(CONFIG, name, value)


def test_enable_modes_force_one_image_and_refuse_more():
    config = changed(changed(CONFIG, "nimages", 10), "trigger_mode", "inte")
    assert config.nimages == 1
    with pytest.raises(ConfigError, match="nimages must be 1"):
        set_value(config, "nimages", 2)
    assert changed(config, "ntrigger", 7).frames == 7
    assert not TriggerMode.INTE.is_external
    assert TriggerMode.EXTE.is_external


def test_goniometer_values_and_plain_ones():
    config = changed(changed(CONFIG, "omega_start", 12.0), "omega_increment", 0.1)
    assert config.goniometer == {"omega": GoniometerAxis(12.0, 0.1)}
    assert changed(config, "two_theta_start", 3.0).goniometer["two_theta"] == GoniometerAxis(3.0, 0.0)
    assert changed(config, "compression", "lz4").compression is Codec.LZ4


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["count_time", "frame_time"]), st.floats(1e-6, 100.0)),
        min_size=1,
        max_size=6,
    )
)
def test_exposure_and_readout_always_fit_into_the_frame(puts):
    config = CONFIG
    for name, value in puts:
        try:
            config = changed(config, name, value)
        except ConfigError:
            continue
        assert getattr(config, name) == value  # what was accepted is what is read back
        assert config.count_time + config.readout_time <= config.frame_time * (1 + 1e-9) + 1e-11
        assert config.frame_time >= config.frame_time_min


def test_a_detector_boots_with_the_beamline_s_energy_and_geometry():
    beamline = load()
    for detector in beamline.detectors:
        config = initial_config(beamline, detector)
        assert config.photon_energy == 12700.0
        assert config.frame_time >= config.count_time + config.readout_time - 1e-12
        assert config.goniometer.keys() == {"omega", "kappa", "phi", "two_theta"}
    main = initial_config(beamline, beamline.detectors[0])
    assert main.detector_distance == pytest.approx(0.12, abs=1e-3)
    assert main.beam_center_x == pytest.approx(518.7, abs=5)
