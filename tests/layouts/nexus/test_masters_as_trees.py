"""Masters as trees: the built-in beamline's, printed; scan axes, step scans, several detectors, geometry."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layouts import beamline, geometry
from layouts.capture import AxisPositions, Origin, Outcome
from layouts.nexus import dectris, nxmx
from layouts.nexus.chain import ChainError, follow
from layouts.nexus.check_chain import matrix, panel_of
from layouts.nexus.detector import saturation
from layouts.nexus.text import render
from layouts.nexus.tree import SoftLink, Virtual, array, find
from tests.kit.fabricate import acquire, counts, gap_mask, shot
from tests.kit.trees import at, attribute

BEAMLINE = beamline.load()
GOLDEN = Path(__file__).parents[2] / "golden"
SMALL = (6, 8)


@pytest.fixture
def make(tmp_path):
    return lambda *shots, **changes: acquire(tmp_path, BEAMLINE, list(shots), **changes)


def rotation(rows=6, **more):
    return shot("EIG1", counts(rows, SMALL), **({"omega": (10.0, 0.1)} | more))


def full_size(acquisition):
    """The same with the detectors' true shapes."""
    captures = tuple(
        replace(c, shape=d.spec.shape, pixel_mask=gap_mask(d))
        for c in acquisition.detectors
        for d in [BEAMLINE.detector(c.detector)]
    )
    return replace(acquisition, detectors=captures)


def test_the_built_in_beamlines_masters_are_as_stored(make, tmp_path, monkeypatch):
    monkeypatch.setattr(nxmx, "program_version", lambda: "0")
    acquisition = full_size(
        make(
            rotation(missing=[3], rows_per_file=4),
            shot("EIG2", counts(3, SMALL, "uint32"), omega=(10.0, 0.2)),
        )
    )
    texts = {
        "nxmx-default.txt": nxmx.master(acquisition),
        "dectris-default.txt": dectris.master(acquisition, acquisition.detectors[0]),
    }
    for name, tree in texts.items():
        (tmp_path / name).write_text(render(tree))
        stored = (GOLDEN / name).read_text().splitlines()
        assert render(tree).splitlines() == stored, f"if it is right, store {tmp_path / name}"


def test_only_the_scan_axis_has_a_value_a_frame(make):
    root = nxmx.master(make(rotation()))
    place = "/entry/sample/transformations"
    np.testing.assert_allclose(at(root, f"{place}/omega").value, 10 + 0.1 * np.arange(6))
    np.testing.assert_allclose(at(root, f"{place}/omega_end").value, 10.1 + 0.1 * np.arange(6))
    assert at(root, f"{place}/omega_increment_set").value == 0.1
    sizes = {name: at(root, f"{place}/{name}").value.size for name in ("kappa", "phi", "sam_x", "sam_z")}
    assert set(sizes.values()) == {1}
    assert find(root, f"{place}/stills") is None


def test_readbacks_and_jitter_never_reach_an_axis(make):
    noisy = AxisPositions(values=np.array([30.0]), readback=np.array([30.0004]))
    root = nxmx.master(make(rotation(kappa=noisy)))
    assert at(root, "/entry/sample/transformations/kappa").value.tolist() == [30.0]
    np.testing.assert_allclose(at(root, "/entry/sample/sample_kappa/readback").value, 30.0004)


def test_a_sweep_downwards_is_the_same_about_the_opposite_direction(make):
    root = nxmx.master(make(rotation(omega=(10.0, -0.1))))
    omega = at(root, "/entry/sample/transformations/omega")
    np.testing.assert_allclose(omega.value, -10 + 0.1 * np.arange(6))
    np.testing.assert_allclose(omega.attributes["vector"], -geometry.unit(BEAMLINE.motor("omega").vector))
    np.testing.assert_allclose(at(root, "/entry/data/omega").value, 10 - 0.1 * np.arange(6))
    np.testing.assert_allclose(at(root, "/entry/sample/sample_omega/value").value, 10 - 0.1 * np.arange(6))
    chain = follow(root, "/entry/sample/transformations/sam_z")
    wanted = geometry.transform(geometry.axis_chain(BEAMLINE, "sam_z"), {"omega": 9.7})
    np.testing.assert_allclose(matrix(chain, 3), wanted, atol=1e-12)


def test_a_step_scan_is_no_staircase(make):
    steps = np.repeat([0.0, 5.0, 10.0], 2)
    root = nxmx.master(
        make(
            rotation(
                omega=AxisPositions(values=steps, readback=np.array([0.01, 5.01, 10.0])), series=(2, 2, 2)
            )
        )
    )
    assert at(root, "/entry/sample/transformations/omega").value.tolist() == [0.0]
    assert at(root, "/entry/sample/depends_on").value == b"/entry/sample/transformations/stills"
    assert at(root, "/entry/sample/transformations/stills").value.tolist() == [0.0] * 6
    data = at(root, "/entry/data")
    assert data.members["omega"].value.tolist() == steps.tolist()
    assert data.members["omega_readback"].value.tolist() == [0.01, 0.01, 5.01, 5.01, 10.0, 10.0]
    assert data.attributes["axes"].tolist() == [b"omega", b".", b"."]
    assert data.attributes["omega_indices"] == 0
    assert at(root, "/entry/capture/series/row").value.tolist() == [0, 2, 4]


def test_frames_at_rest_are_still_counted(make):
    root = nxmx.master(make(rotation(omega=3.0)))
    assert at(root, "/entry/sample/transformations/stills").value.size == 6
    assert at(root, "/entry/data").attributes["axes"].tolist() == [b".", b".", b"."]


def test_every_detector_has_its_entry_and_shares_what_is_the_same(make):
    root = nxmx.master(make(rotation(), shot("EIG2", counts(3, SMALL, "uint32"), omega=(10.0, 0.2))))
    assert list(root.members) == ["entry", "entry_EIG2"]
    other = root.members["entry_EIG2"]
    assert other.members["source"] == SoftLink(path="/entry/source")
    assert at(root, "/entry_EIG2/sample/transformations/omega").value.size == 3
    assert at(root, "/entry_EIG2/instrument/beam/incident_wavelength") is at(
        root, "/entry/instrument/beam/incident_wavelength"
    )
    for _, axis in follow(root, "/entry_EIG2/sample/transformations/sam_z"):
        below = axis.text("depends_on")
        assert below == "." or below.startswith("/entry_EIG2/")


def test_beams_that_differ_are_not_shared(make):
    first = rotation()
    second = shot("EIG2", counts(3, SMALL), energy=9000.0)
    root = nxmx.master(make(first, second))
    found = [at(root, f"/{e}/instrument/beam/incident_wavelength").value for e in ("entry", "entry_EIG2")]
    np.testing.assert_allclose(found, [geometry.wavelength(12700), geometry.wavelength(9000)])


def test_an_energy_that_changed_is_said_for_each_frame(make):
    energies = np.linspace(12000, 12500, 6)
    root = nxmx.master(make(rotation(energy=energies)))
    beam = at(root, "/entry/instrument/beam")
    np.testing.assert_allclose(beam.members["incident_wavelength"].value, geometry.wavelength(1) / energies)


def test_the_stream_stands_in_where_no_motor_answered(make):
    silent = AxisPositions(values=np.array([12700.0]), origin=Origin.CONFIGURED)
    root = nxmx.master(make(rotation(energy=silent, parameters={"energy": 9000.0})))
    found = at(root, "/entry/instrument/beam/incident_wavelength").value
    np.testing.assert_allclose(found, geometry.wavelength(9000))


@pytest.mark.parametrize("detector", ["EIG1", "EIG2"])
@pytest.mark.parametrize("positions", [{}, {"det_z": 311.5, "arm": 33.0, "arm_z": 150.25}, {"arm": 100.0}])
def test_the_chain_leads_to_the_panel(make, detector, positions):
    root = nxmx.master(make(shot(detector, counts(2, SMALL), **positions)))
    panel, findings = panel_of(root, "/entry/instrument/detector")
    wanted = geometry.panel(BEAMLINE, BEAMLINE.detector(detector), positions)
    assert findings == []
    for name in ("origin", "fast", "slow"):
        np.testing.assert_allclose(getattr(panel, name), getattr(wanted, name), atol=1e-9)
    said = at(root, "/entry/instrument/detector/distance").value * 1e3
    np.testing.assert_allclose(said, wanted.distance)
    assert (find(root, "/entry/instrument/detector/beam_center_x") is None) == bool(
        np.isnan(wanted.beam_centre[0])
    )


def test_the_sample_chain_is_the_goniometers(make):
    positions = {"kappa": 40.0, "phi": -20.0, "sam_x": 1.0, "sam_z": -2.0}
    root = nxmx.master(make(rotation(**positions)))
    chain = follow(root, "/entry/sample/transformations/sam_z")
    wanted = geometry.transform(geometry.axis_chain(BEAMLINE, "sam_z"), positions | {"omega": 10.3})
    np.testing.assert_allclose(matrix(chain, 3), wanted, atol=1e-12)


def test_chains_that_run_in_a_circle_end(make):
    root = nxmx.master(make(rotation()))
    place = "/entry/sample/transformations"
    with pytest.raises(ChainError, match="comes again"):
        follow(attribute(root, f"{place}/omega", "depends_on", f"{place}/phi"), f"{place}/sam_z")
    with pytest.raises(ChainError, match="no such axis"):
        follow(attribute(root, f"{place}/omega", "depends_on", f"{place}/chi"), f"{place}/sam_z")
    with pytest.raises(ChainError, match="no depends_on"):
        follow(attribute(root, f"{place}/omega", "depends_on"), f"{place}/sam_z")


@pytest.mark.parametrize(
    ("dtype", "said", "wanted"),
    [
        ("uint16", {"saturation_value": 40000}, 40000),
        ("uint16", {"countrate_cutoff": 200000}, 65533),
        ("uint32", {"countrate_cutoff": 2943293}, 2943293),
        ("uint32", {"countrate_cutoff": None, "count_time": 2.0}, 10_000_000),
        ("uint8", {}, 253),
    ],
)
def test_saturation_follows_the_cut_off_and_the_type(make, dtype, said, wanted):
    acquisition = make(shot("EIG1", counts(2, SMALL, dtype), parameters=said))
    assert saturation(BEAMLINE.detector("EIG1"), acquisition.detectors[0]) == wanted


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_the_bit_depth_is_the_images(make, dtype):
    root = nxmx.master(make(shot("EIG1", counts(2, SMALL, dtype))))
    virtual = at(root, "/entry/data/data")
    assert isinstance(virtual, Virtual)
    assert virtual.fill == np.iinfo(dtype).max
    assert at(root, "/entry/instrument/detector/bit_depth_readout").value == np.iinfo(dtype).bits


def test_an_aborted_acquisition_has_no_end(make):
    root = nxmx.master(make(rotation(), ended=None, outcome=Outcome.ABORTED, reason="the user said so"))
    assert find(root, "/entry/end_time") is None
    assert at(root, "/entry/capture/reason").value == b"the user said so"
    assert find(root, "/entry/end_time_estimated") is not None


def test_the_dectris_master_has_nothing_that_leads_readers_astray(make):
    acquisition = make(rotation())
    root = dectris.master(acquisition, acquisition.detectors[0])
    assert find(root, "/entry/definition") is None
    detector = at(root, "/entry/instrument/detector").members
    assert not {"module", "transformations", "depends_on", "type", "saturation_value"} & detector.keys()
    assert at(root, "/entry/sample/goniometer/omega_range_total").value == pytest.approx(0.6)
    assert at(root, "/entry/instrument/detector/description").value == array("Dectris EIGER2 Si 1M")
    panel = geometry.panel(BEAMLINE, BEAMLINE.detector("EIG1"), {})
    distances = at(root, "/entry/instrument/detector/geometry/translation/distances").value
    np.testing.assert_allclose(distances * 1e3, panel.origin * [1, 1, -1])


def test_triggers_are_told_where_they_divide_the_frames(make):
    acquisition = make(rotation(series=(2, 2, 2)))
    specific = "/entry/instrument/detector/detectorSpecific"
    root = dectris.master(acquisition, acquisition.detectors[0])
    assert (at(root, f"{specific}/nimages").value, at(root, f"{specific}/ntrigger").value) == (2, 3)


@pytest.mark.parametrize("triggers", [4, 5, 1_000_000])
def test_triggers_that_never_came_do_not_make_frames(make, triggers):
    acquisition = make(rotation(series=(2, 2, 2)))
    capture = acquisition.detectors[0]
    capture = replace(capture, parameters=replace(capture.parameters, triggers=triggers))
    specific = "/entry/instrument/detector/detectorSpecific"
    root = dectris.master(replace(acquisition, detectors=(capture,)), capture)
    assert (at(root, f"{specific}/nimages").value, at(root, f"{specific}/ntrigger").value) == (6, 1)
