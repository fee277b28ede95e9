"""One vocabulary for both versions, and back into a detector's own words."""

from dataclasses import fields, replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.stream import cbor, stream, v2
from layouts.stream.errors import StreamError
from layouts.stream.messages import (
    Codec,
    GoniometerAxis,
    HeaderDetail,
    SeriesParameters,
    Start,
)
from layouts.stream.parameters import AXES, config_v1, config_v2, parameters
from tests.layouts.stream import examples, strategies

FULL = SeriesParameters(
    arm_date=examples.DATE,
    images=6,
    images_per_trigger=3,
    triggers=2,
    trigger_mode="exts",
    count_time=0.0999999,
    frame_time=0.1,
    readout_time=1e-7,
    energy=12400.0,
    wavelength=0.99987256801,
    threshold_energy={"threshold_1": 6200.0},
    goniometer={
        "omega": GoniometerAxis(-90.0, 0.1),
        "chi": GoniometerAxis(0.0, 0.0),
        "kappa": GoniometerAxis(30.0, 0.0),
        "phi": GoniometerAxis(1.0, 0.0),
        "two_theta": GoniometerAxis(0.0, 0.0),
    },
    image_size=(1028, 1062),
    dtype="uint16",
    bit_depth_image=16,
    bit_depth_readout=16,
    beam_center=(510.5, 530.25),
    detector_distance=0.15,
    detector_translation=(0.0, 0.0, -0.15),
    description="Dectris EIGER2 Si 1M",
    serial_number="S-1",
    pixel_size=(75e-6, 75e-6),
    sensor_material="Si",
    sensor_thickness=450e-6,
    saturation_value=50000,
    countrate_cutoff=50000,
    countrate_correction_applied=True,
    flatfield_applied=True,
    pixel_mask_applied=False,
    virtual_pixel_correction_applied=True,
    software_version="1.8.0",
    firmware_version="2024.2",
)

ONLY_V1 = {
    "images_per_trigger": None,
    "triggers": None,
    "trigger_mode": None,
    "readout_time": None,
    "bit_depth_readout": None,
    "detector_distance": None,
    "countrate_cutoff": None,
    "software_version": None,
    "firmware_version": None,
}
"""What version 2 has no word for."""


def start(version, config, detail=HeaderDetail.BASIC):
    return Start(
        version=version,
        series=1,
        unique_id=examples.ULID if version == 2 else None,
        detail=detail,
        config=config,
    )


def through(version, config):
    """Parameters of a start message that has been on the wire."""
    return parameters(stream.decode(examples.encode(start(version, config), version)))


def test_version_1_says_it_all():
    assert through(1, config_v1(FULL)) == FULL


def test_version_2_says_what_it_has_words_for():
    assert through(2, config_v2(FULL)) == replace(FULL, **ONLY_V1)


def test_version_1_has_48_keys_in_alphabetical_order():
    config = config_v1(FULL)
    assert len(config) == 48
    assert list(config) == sorted(config)
    assert config["nimages"] == 3
    assert config["ntrigger"] == 2


def test_keys_of_version_2_stand_as_detectors_have_them():
    places = [v2.START_KEYS.index(key) for key in config_v2(FULL)]
    assert places == sorted(places)
    assert set(v2.START_KEYS) - set(config_v2(FULL)) == {
        "type",
        "series_id",
        "series_unique_id",
        "countrate_correction_lookup_table",
        "flatfield",
        "pixel_mask",
        "user_data",
    }


def test_without_axes_and_type_version_2_leaves_their_keys_out():
    bare = replace(FULL, goniometer={}, dtype=None, bit_depth_image=None)
    config = config_v2(bare)
    assert "goniometer" not in config
    assert "image_dtype" not in config
    assert through(2, config) == replace(bare, **ONLY_V1)
    some = replace(FULL, goniometer={"phi": GoniometerAxis(1.0, 0.5), "omega": GoniometerAxis(0.0, 0.0)})
    assert list(config_v2(some)["goniometer"]) == ["omega", "phi"]


def test_without_axes_version_1_says_zero():
    said = through(1, config_v1(replace(FULL, goniometer={})))
    assert said.goniometer == {axis: GoniometerAxis(0.0, 0.0) for axis in AXES}


def test_what_follows_from_the_rest_need_not_be_given():
    short = replace(FULL, wavelength=None, images_per_trigger=None, triggers=None, trigger_mode=None)
    config = config_v1(short)
    assert config["wavelength"] == pytest.approx(12398.4198 / 12400.0)
    assert (config["nimages"], config["ntrigger"], config["trigger_mode"]) == (6, 1, "ints")
    assert config["frame_count_time"] == config["count_time"]
    assert config_v2(short)["incident_wavelength"] == config["wavelength"]


def test_what_only_the_detector_knows_is_told():
    config = config_v1(
        FULL,
        compression=Codec.LZ4,
        auto_summation=False,
        element="Cu",
        frame_count_time=0.001,
        frame_period=0.002,
        number_of_excluded_pixels=5,
        roi_mode="4M",
    )
    assert config["compression"] == "lz4"
    assert config["auto_summation"] is False
    assert config["element"] == "Cu"
    assert config["frame_count_time"] == 0.001
    assert config["frame_period"] == 0.002
    assert config["number_of_excluded_pixels"] == 5
    assert config["roi_mode"] == "4M"


def test_whole_numbers_are_sent_as_reals_where_reals_belong():
    whole = replace(
        FULL, energy=12400, frame_time=1, beam_center=(1, 2), goniometer={"omega": GoniometerAxis(0, 1)}
    )
    text = orjson.dumps(config_v1(whole))
    for words in (
        b'"photon_energy":12400.0,',
        b'"frame_time":1.0,',
        b'"beam_center_x":1.0,',
        b'_start":0.0,',
    ):
        assert words in text
    config = config_v2(whole)
    assert isinstance(config["incident_energy"], float)
    assert isinstance(config["goniometer"]["omega"]["increment"], float)


NEEDED = ["energy", "image_size", "pixel_size", "count_time", "frame_time", "arm_date", "description"]


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("make", [config_v1, config_v2])
def test_what_a_detector_always_knows_must_be_given(make, name):
    with pytest.raises(StreamError, match=f"no {name}"):
        make(replace(FULL, **{name: None}))


def test_a_start_that_says_nothing():
    for version, detail in ((1, HeaderDetail.NONE), (2, HeaderDetail.BASIC)):
        assert parameters(start(version, {}, detail)) == SeriesParameters()


@pytest.mark.parametrize(("version", "make"), [(1, config_v1), (2, config_v2)])
def test_any_key_may_be_absent(version, make):
    config = make(FULL)
    whole = parameters(start(version, config))
    for key in config:
        without = parameters(start(version, {k: v for k, v in config.items() if k != key}))
        lost = [f.name for f in fields(whole) if getattr(whole, f.name) != getattr(without, f.name)]
        assert len(lost) <= 3, f"{key} took {lost} with it"


@settings(max_examples=80)
@given(st.data(), st.sampled_from([(1, config_v1), (2, config_v2)]))
def test_a_value_of_another_type_counts_as_absent(data, kind):
    version, make = kind
    config = make(FULL)
    for key in data.draw(st.sets(st.sampled_from(sorted(config)), max_size=6)):
        config[key] = data.draw(strategies.USER_DATA)
    assert isinstance(parameters(start(version, config)), SeriesParameters)


@pytest.mark.parametrize("depth", [8, 16, 32, 12, None])
def test_pixel_types(depth):
    said = parameters(start(1, config_v1(FULL) | {"bit_depth_image": depth}))
    assert said.dtype == (f"uint{depth}" if depth in (8, 16, 32) else None)
    said = parameters(start(2, config_v2(FULL) | {"image_dtype": f"uint{depth}"}))
    assert said.dtype == (f"uint{depth}" if depth in (8, 16, 32) else None)


def test_a_threshold_that_is_not_streamed_is_kept():
    two = replace(FULL, threshold_energy={"threshold_1": 6200.0, "threshold_2": 18600.0})
    said = through(2, config_v2(two))
    assert said.threshold_energy == two.threshold_energy
    assert said.channels == ("threshold_1",)


def test_integral_reals_survive_the_wire_in_both_versions():
    assert isinstance(through(1, config_v1(FULL)).energy, float)
    assert isinstance(cbor.decode(cbor.encode(config_v2(FULL)))["incident_energy"], float)
