"""The beamline file: what it gives, and that it lists everything that is wrong with it."""

import pytest

from layouts import beamline
from layouts.beamline import BeamlineError, MotorKind


@pytest.fixture
def text():
    return beamline.default_text()


def test_default_beamline_is_an_mx_station():
    b = beamline.load()
    assert {"omega", "kappa", "phi", "sam_x", "sam_y", "sam_z", "det_z", "energy"} <= {
        m.name for m in b.motors
    }
    assert [d.spec.shape for d in b.detectors] == [(1062, 1028), (512, 1028)]
    assert b.motor("omega").kind is MotorKind.ROTATION
    assert b.motor("omega").pv == "MOT:OMEGA"
    assert b.motor("omega").units == "deg"


def test_all_errors_are_listed_at_once(text):
    bad = (
        text.replace("version = 1", "version = 3")
        .replace('model = "EIGER2 1M"', 'model = "EIGER2 2M"')
        .replace('depends_on = "omega"', 'depends_on = "sam_z"')
        .replace('energy = "energy"', 'energy = "enrgy"')
        .replace("tcp://127.0.0.1:31002", "ipc:///tmp/x")
    )
    with pytest.raises(BeamlineError) as caught:
        beamline.parse(bad, "bl.toml")
    message = str(caught.value)
    assert message.startswith("bl.toml: ")
    for part in (
        "detectors[1].stream.version: Input should be 1 or 2 (got 3)",
        "EIGER2 1M",
        "runs in a circle",
        "beam.energy: no motor 'enrgy'",
        "detectors[1].stream.endpoint: a ZeroMQ TCP endpoint is right here",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ('name = "phi"', 'name = "omega"', "motors: name 'omega' is used 2 times"),
        ('stage = "det_z"', 'stage = "energy"', "detectors[0].stage: motor 'energy' is no axis"),
        ('stage = "det_z"', 'stage = "nowhere"', "detectors[0].stage: no motor 'nowhere'"),
        ("sim_port = 5164", "sim_port = 5166", "two CA servers on one port"),
        ("31002", "31001", "is used twice"),
        ("low = 80.0", "low = 200.0", "outside the limits"),
        ("vector = [1.0, 0.0, 0.0]", "vector = [0.0, 0.0, 0.0]", "direction that is not zero"),
        ('phi = "phi"', 'phi = "sam_x"', "goniometer.phi: no motor 'sam_x' of kind 'rotation'"),
        ("slow = [0.00149680, -0.99999688, -0.0020]", "slow = [0.1, -0.99, 0.0]", "right angle"),
        ('prefix = "SB:"', 'prefix = "SB : "', "prefix"),
        ("seed = 7", "sed = 7", "sample.crystal.sed: Extra inputs"),
        ("[source]", "[source", "not TOML"),
        (
            "[[detectors]]",
            '[[detectors]]\npack = "gzip"',
            "detectors[0].pack: Input should be 'none', 'bslz4'",
        ),
        ("[[detectors]]", '[[detectors]]\npack = "bslz4"\nworkers = 2', "pack bslz4 needs workers = 1"),
    ],
)
def test_each_mistake_is_named(text, old, new, finding):
    assert old in text
    with pytest.raises(BeamlineError, match=r"(?s).+") as caught:
        beamline.parse(text.replace(old, new, 1))
    assert finding in str(caught.value)


def test_unreadable_file_says_so(tmp_path):
    with pytest.raises(BeamlineError, match="cannot be read"):
        beamline.load(tmp_path / "none.toml")


def test_names_that_do_not_exist_are_answered_with_those_that_do():
    b = beamline.load()
    with pytest.raises(KeyError, match=r"no detector 'EIG9'.*EIG1"):
        b.detector("EIG9")
    with pytest.raises(KeyError, match=r"no motor 'x'.*omega"):
        b.motor("x")
