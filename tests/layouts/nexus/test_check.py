"""The check: silent on a good master, and loud on every single defect injected into one."""

from dataclasses import dataclass, replace

import h5py
import numpy as np
import pytest

from layouts import beamline
from layouts.nexus import dectris, nxmx
from layouts.nexus.check import inspect
from layouts.nexus.check_h5 import check, facts
from layouts.nexus.findings import Severity
from layouts.nexus.tree import ExternalLink, Group, SoftLink, data
from layouts.nexus.tree_h5 import write
from tests.kit.fabricate import acquire, counts, shot
from tests.kit.trees import at, attribute, change, value

BEAMLINE = beamline.load()
SMALL = (6, 8)
E = "/entry"
DET = "/entry/instrument/detector"
SAM = "/entry/sample/transformations"


@dataclass(frozen=True)
class Made:
    acquisition: object
    root: Group
    facts: dict

    def findings(self, root, severity=Severity.ERROR):
        found = facts(self.acquisition.directory, root, known=self.facts)
        return [f for f in inspect(root, found)[1] if f.severity is severity]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    shots = [
        shot("EIG1", counts(12, SMALL), missing=[3, 4, 9], rows_per_file=4, omega=(0.0, 0.1), det_z=150.0),
        shot("EIG2", counts(4, SMALL, "uint32"), omega=(0.0, 0.3)),
    ]
    directory = tmp_path_factory.mktemp("good")
    acquisition = acquire(directory, BEAMLINE, shots)
    root = nxmx.master(acquisition)
    return Made(acquisition, root, facts(directory, root))


def test_a_good_master_has_a_listed_gap_and_no_error(good):
    assert good.findings(good.root) == []
    warnings = good.findings(good.root, Severity.WARNING)
    assert [w.what for w in warnings] == ["3 of 12 frames are missing: 3, 4, 9"]
    rows, _ = inspect(good.root, good.facts)
    assert [(r.entry, r.detector, r.frames, r.stored, r.files) for r in rows] == [
        ("/entry", "EIG1", 12, 9, 3),
        ("/entry_EIG2", "EIG2", 4, 4, 1),
    ]
    assert rows[0].scan == "omega 0 by 0.1 deg"


def move(tree, **changes):
    virtual = at(tree, f"{E}/data/data")
    return change(tree, f"{E}/data/data", replace(virtual, **changes))


def stretch(tree, index, **changes):
    virtual = at(tree, f"{E}/data/data")
    stretches = list(virtual.stretches)
    stretches[index] = replace(stretches[index], **changes)
    return move(tree, stretches=tuple(stretches))


def swapped(tree):
    a, b, c, *rest = at(tree, f"{E}/data/data").stretches
    c = replace(c, file=a.file, path=a.path)
    return move(tree, stretches=(replace(a, file="run_EIG1_000003.h5"), b, c, *rest))


DEFECTS = {
    "no NX_class of the entry": (lambda t: attribute(t, E, "NX_class"), E),
    "no definition": (lambda t: change(t, f"{E}/definition", None), "/entry"),
    "another definition": (lambda t: value(t, f"{E}/definition", "NXtomo"), f"{E}/definition"),
    "no start time": (lambda t: change(t, f"{E}/start_time", None), f"{E}/start_time"),
    "start time without a zone": (
        lambda t: value(t, f"{E}/start_time", "2026-03-01T12:00:00"),
        f"{E}/start_time",
    ),
    "start time that is none": (lambda t: value(t, f"{E}/start_time", "yesterday"), f"{E}/start_time"),
    "end before start": (lambda t: value(t, f"{E}/end_time", "2020-01-01T00:00:00Z"), f"{E}/end_time"),
    "no source name": (lambda t: change(t, f"{E}/source/name", None), f"{E}/source/name"),
    "no instrument name": (lambda t: change(t, f"{E}/instrument/name", None), f"{E}/instrument/name"),
    "a facility's name": (lambda t: value(t, f"{E}/instrument/name", "DLS I03"), f"{E}/instrument/name"),
    "no wavelength": (lambda t: change(t, f"{E}/instrument/beam/incident_wavelength", None), "wavelength"),
    "wavelength without units": (
        lambda t: attribute(t, f"{E}/instrument/beam/incident_wavelength", "units"),
        "wavelength",
    ),
    "wavelength beside the energy": (
        lambda t: value(t, f"{E}/instrument/beam/incident_wavelength", 0.98),
        "wavelength",
    ),
    "no class of the detector": (lambda t: attribute(t, DET, "NX_class"), DET),
    "no class of the module": (lambda t: attribute(t, f"{DET}/module", "NX_class"), f"{DET}/module"),
    "distance beside the chain": (lambda t: value(t, f"{DET}/distance", 0.153), f"{DET}/distance"),
    "distance without units": (lambda t: attribute(t, f"{DET}/distance", "units"), f"{DET}/distance"),
    "beam centre beside the chain": (
        lambda t: value(t, f"{DET}/beam_center_x", 535.0),
        f"{DET}/beam_center_x",
    ),
    "saturation 0": (lambda t: value(t, f"{DET}/saturation_value", 0), f"{DET}/saturation_value"),
    "saturation above the type": (lambda t: value(t, f"{DET}/saturation_value", 10**6), f"{DET}/saturation"),
    "bit depth of the readout": (
        lambda t: value(t, f"{DET}/bit_depth_readout", 32),
        f"{DET}/bit_depth_readout",
    ),
    "no bit depth": (lambda t: change(t, f"{DET}/bit_depth_readout", None), f"{DET}/bit_depth_readout"),
    "an unknown sensor": (lambda t: value(t, f"{DET}/sensor_material", "Ge"), f"{DET}/sensor_material"),
    "a sensor of half a metre": (
        lambda t: value(t, f"{DET}/sensor_thickness", 0.45),
        f"{DET}/sensor_thickness",
    ),
    "thickness without units": (lambda t: attribute(t, f"{DET}/sensor_thickness", "units"), "thickness"),
    "frame time without units": (lambda t: attribute(t, f"{DET}/frame_time", "units"), f"{DET}/frame_time"),
    "no frame time": (lambda t: change(t, f"{DET}/frame_time", None), f"{DET}/frame_time"),
    "counting longer than a frame": (lambda t: value(t, f"{DET}/count_time", 0.02), f"{DET}/count_time"),
    "no mask": (lambda t: change(t, f"{DET}/pixel_mask", None), f"{DET}/pixel_mask"),
    "a mask of another shape": (
        lambda t: value(t, f"{DET}/detectorSpecific/pixel_mask", np.zeros((8, 6), np.uint32)),
        f"{DET}/pixel_mask",
    ),
    "a mask of three dimensions": (
        lambda t: value(t, f"{DET}/detectorSpecific/pixel_mask", np.zeros((1, 6, 8), np.uint32)),
        f"{DET}/pixel_mask",
    ),
    "a chunked mask": (
        lambda t: change(
            t,
            f"{DET}/detectorSpecific/pixel_mask",
            replace(at(t, f"{DET}/pixel_mask"), chunks=(3, 4), filters=(32008,)),
        ),
        f"{DET}/pixel_mask",
    ),
    "data_size turned": (lambda t: value(t, f"{DET}/module/data_size", np.array([8, 6])), "data_size"),
    "pixels of another size": (lambda t: value(t, f"{DET}/x_pixel_size", 1.72e-4), f"{DET}/x_pixel_size"),
    "no x_pixels": (lambda t: value(t, f"{DET}/detectorSpecific/x_pixels_in_detector", 6), "x_pixels"),
    "nimages": (lambda t: value(t, f"{DET}/detectorSpecific/nimages", 11), "nimages"),
    "fast axis not normal": (
        lambda t: attribute(t, f"{DET}/module/fast_pixel_direction", "vector", [-2.0, 0.0, 0.0]),
        "fast_pixel_direction",
    ),
    "fast along slow": (
        lambda t: attribute(t, f"{DET}/module/fast_pixel_direction", "vector", [0.0, -1.0, 0.0]),
        f"{DET}/module",
    ),
    "offset stands on nothing": (
        lambda t: attribute(t, f"{DET}/module/module_offset", "depends_on"),
        "fast_pixel_direction",
    ),
    "detector chain dangles": (
        lambda t: change(t, f"{DET}/transformations/det_z", None),
        "fast_pixel_direction",
    ),
    "det_z without units": (lambda t: attribute(t, f"{DET}/transformations/det_z", "units"), "det_z"),
    "detector chain in a circle": (
        lambda t: attribute(t, f"{DET}/transformations/det_z", "depends_on", f"{DET}/module/module_offset"),
        "fast_pixel_direction",
    ),
    "sample on no axis": (lambda t: value(t, f"{E}/sample/depends_on", "."), f"{E}/sample/depends_on"),
    "sample chain in a circle": (
        lambda t: attribute(t, f"{SAM}/omega", "depends_on", f"{SAM}/phi"),
        "depends_on",
    ),
    "omega without depends_on": (lambda t: attribute(t, f"{SAM}/omega", "depends_on"), "depends_on"),
    "omega without units": (lambda t: attribute(t, f"{SAM}/omega", "units"), f"{SAM}/omega"),
    "omega without a type": (lambda t: attribute(t, f"{SAM}/omega", "transformation_type"), f"{SAM}/omega"),
    "omega without a vector": (lambda t: attribute(t, f"{SAM}/omega", "vector"), f"{SAM}/omega"),
    "omega too short": (lambda t: value(t, f"{SAM}/omega", np.arange(11) * 0.1), f"{SAM}/omega"),
    "an angle that is none": (lambda t: value(t, f"{SAM}/kappa", np.array([np.nan])), f"{SAM}/kappa"),
    "a fixed axis that jitters": (lambda t: value(t, f"{SAM}/phi", np.arange(12) % 2 * 1e-4), "omega"),
    "another increment": (lambda t: value(t, f"{SAM}/omega_increment_set", 0.2), "increment_set"),
    "a sweep downwards": (lambda t: value(t, f"{SAM}/omega", np.arange(12) * -0.1), f"{SAM}/omega"),
    "ends missing": (lambda t: value(t, f"{SAM}/omega_end", np.arange(11) * 0.1), "omega_end"),
    "no signal": (lambda t: attribute(t, f"{E}/data", "signal"), f"{E}/data"),
    "no virtual data set": (lambda t: change(t, f"{E}/data/data", None), f"{E}/data/data"),
    "a link left out": (lambda t: change(t, f"{E}/data/data_000002", None), f"{E}/data/data_000003"),
    "a link to nothing": (
        lambda t: change(t, f"{E}/data/data_000002", ExternalLink(file="gone.h5", path="/entry/data/data")),
        f"{E}/data/data_000002",
    ),
    "a soft link to nothing": (
        lambda t: change(t, f"{E}/sample/beam", SoftLink(path="/x")),
        f"{E}/sample/beam",
    ),
    "another fill value": (lambda t: move(t, fill=0), f"{E}/data/data"),
    "another type": (lambda t: move(t, dtype="uint32"), f"{E}/data/data"),
    "signed frames": (lambda t: move(t, dtype="int32"), f"{E}/data/data"),
    "frames mapped twice": (lambda t: stretch(t, 1, at=2), f"{E}/data/data"),
    "more mapped than there is": (lambda t: stretch(t, 1, stop=9), f"{E}/data/data"),
    "halves swapped": (swapped, f"{E}/data/data"),
    "a stretch left out": (
        lambda t: move(t, stretches=at(t, f"{E}/data/data").stretches[1:]),
        f"{E}/capture/missing",
    ),
    "a gap that is not listed": (
        lambda t: value(t, f"{E}/capture/missing", np.array([3, 4])),
        "capture/missing",
    ),
    "no gap is listed": (lambda t: change(t, f"{E}/capture/missing", None), "capture/missing"),
    "a gap that is none": (
        lambda t: value(t, f"{E}/capture/missing", np.array([1, 3, 4, 9])),
        "frames/stored",
    ),
    "a gap outside": (lambda t: value(t, f"{E}/capture/missing", np.array([3, 4, 9, 99])), "capture/missing"),
    "another number of frames": (lambda t: value(t, f"{E}/capture/frames", 11), f"{E}/capture/frames"),
    "an axis of NXdata left out": (lambda t: change(t, f"{E}/data/omega", None), f"{E}/data/omega"),
    "no data group": (lambda t: change(t, f"{E}/data", None), f"{E}/data"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_every_defect_is_found_where_it_is(good, name):
    inject, where = DEFECTS[name]
    errors = good.findings(inject(good.root))
    assert any(where in f.where for f in errors), [str(f) for f in errors]
    assert all(f.what and f.remedy for f in errors)


def test_what_is_odd_is_a_warning(good):
    sweeps = np.concatenate([np.arange(6) * 0.1] * 2)
    odd = value(value(good.root, f"{SAM}/omega", sweeps), f"{SAM}/omega_end", sweeps + 0.1)
    assert good.findings(odd) == []
    assert any("no single sweep" in w.what for w in good.findings(odd, Severity.WARNING))
    variable = change(good.root, f"{E}/title", replace(at(good.root, f"{E}/title"), variable=True))
    assert any("variable" in w.what for w in good.findings(variable, Severity.WARNING))


def test_columns_are_compared_with_the_map(good):
    place = (good.acquisition.detectors[0].meta_file.name, "/frames/stored")
    lost = good.facts[place].values.copy()
    lost[6] = 0
    changed = good.facts | {place: replace(good.facts[place], values=lost)}
    errors = [f for f in inspect(good.root, changed)[1] if f.severity is Severity.ERROR]
    assert [f.where for f in errors] == [f"{DET}/frames/stored"]


@pytest.mark.parametrize(
    ("place", "group"),
    [(f"{E}/instrument/NDAttributes", "/attributes"), (f"{DET}/NDAttributes", "/detector_attributes")],
)
def test_links_to_attributes_lead_somewhere(good, place, group):
    link = at(good.root, place)
    assert (link.file, link.path) == (good.acquisition.detectors[0].meta_file.name, group)
    for lost in (replace(link, file="gone_meta.h5"), replace(link, path="/attributes/none")):
        (found,) = good.findings(change(good.root, place, lost))
        assert found.where == place


def test_times_that_go_back_are_found(good):
    place = (good.acquisition.detectors[0].meta_file.name, "/frames/start_time")
    times = good.facts[place].values.copy()
    times[6], times[7] = times[7], times[6]
    changed = good.facts | {place: replace(good.facts[place], values=times)}
    assert any("goes back at frame 7" in f.what for f in inspect(good.root, changed)[1])


def spoil(directory, how):
    path = directory / "run_EIG1_000002.h5"
    if how == "gone":
        path.unlink()
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:300])
    else:
        with h5py.File(path, "r+") as file:
            frames = file["entry/data/data"]
            if how == "short":
                frames.resize(2, axis=0)
            elif how == "chunk lost":
                attrs = dict(frames.attrs)
                kept = frames[2:]
                del file["entry/data/data"]
                frames = file.create_dataset(
                    "entry/data/data", (4, *SMALL), "u2", chunks=(1, *SMALL), fillvalue=65535
                )
                frames[2:] = kept
                frames.attrs.update(attrs)
            elif how == "cut short":  # a reader that trusts it crashes
                _, chunk = frames.id.read_direct_chunk((1, 0, 0))
                frames.id.write_direct_chunk((1, 0, 0), chunk[: len(chunk) // 2], 0)
            else:
                frames.id.write_direct_chunk((1, 0, 0), b"\0" * 12 + b"no bitshuffle", 0)


@pytest.mark.parametrize("how", ["gone", "cut", "short", "chunk lost", "cut short", "rubbish"])
def test_raw_files_that_are_spoilt_are_found(tmp_path, how):
    acquisition = acquire(
        tmp_path, BEAMLINE, [shot("EIG1", counts(8, SMALL), rows_per_file=4, omega=(0.0, 0.1), missing=[4])]
    )
    write(tmp_path / "run.nxs", nxmx.master(acquisition))
    assert check(tmp_path / "run.nxs", deep=True).ok
    spoil(tmp_path, how)
    report = check(tmp_path / "run.nxs", deep=True)
    assert not report.ok
    assert any("run_EIG1_000002.h5" in f.what for f in report.findings), report.findings


def test_what_is_no_master_is_said_to_be_none(tmp_path):
    assert not check(tmp_path / "nothing.nxs").ok
    (tmp_path / "text.nxs").write_text("hello")
    assert not check(tmp_path / "text.nxs").ok
    write(tmp_path / "empty.nxs", Group())
    assert [f.what for f in check(tmp_path / "empty.nxs").findings] == ["no NXentry"]


LEGACY = {
    "a module": lambda t: change(t, f"{DET}/module", Group()),
    "a saturation value": lambda t: change(t, f"{DET}/saturation_value", data(1)),
    "another description": lambda t: value(t, f"{DET}/description", "Pilatus"),
    "nimages": lambda t: value(t, f"{DET}/detectorSpecific/nimages", 7),
    "no mask": lambda t: change(t, f"{DET}/detectorSpecific/pixel_mask", None),
    "no place": lambda t: change(t, f"{DET}/geometry/translation", None),
    "omega too short": lambda t: value(t, f"{SAM}/omega", np.arange(11) * 0.1),
}


@pytest.mark.parametrize("name", LEGACY)
def test_defects_of_a_dectris_master_are_found(good, name):
    root = dectris.master(good.acquisition, good.acquisition.detectors[0])
    assert good.findings(root) == []
    assert good.findings(LEGACY[name](root))
