"""What clients ask for: names of files, limits, refusals; and when the frames of a series were taken."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from layouts import beamline
from layouts.capture import Outcome
from layouts.raw import names
from layouts.stream.messages import GoniometerAxis, SeriesParameters
from writer import assemble, map_file, orders
from writer.orders import RefusedError
from writer.reports import CaptureRecord, SeriesReport
from writer.watch import Camera

MX = beamline.load()
EXPECTED = orders.expectation(MX.detector("EIG1"), images=300, per_trigger=300)
DIRECTORY = Path("/data/visit")


class Disk:
    """A disk of one directory."""

    def __init__(self, *, there=(), free=10**12, writable=True, directory=DIRECTORY):
        self.there, self.room, self.writable, self.directory = set(there), free, writable, directory

    def is_directory(self, path):
        return path == self.directory

    def is_writable(self, path):
        return self.writable

    def exists(self, path):
        return path.name in self.there

    def free(self, path):
        return self.room


def acquisition(name="run", images=50):
    expected = {"EIG1": replace(EXPECTED, images=images), "EIG2": replace(EXPECTED, images=images)}
    return orders.of_acquisition(MX, DIRECTORY, name, ("EIG1", "EIG2"), expected), expected


def test_an_acquisition_names_its_files_after_name_and_detector():
    order, _ = acquisition()
    assert order.detectors == ("EIG1", "EIG2")
    assert order.captures["EIG2"].single_file_name == "/data/visit/run_EIG2_000001.h5"
    assert {p.name for p in order.files} == {
        "run.nxs",
        *(f"run_{d}_{what}" for d in ("EIG1", "EIG2") for what in ("000001.h5", "meta.h5", "master.h5")),
    }


def test_many_frames_are_cut_into_files_under_a_map():
    per_file = MX.detector("EIG1").images_per_file
    order, _ = acquisition(images=2 * per_file + 1)
    assert order.captures["EIG1"].images_per_file == per_file
    assert order.captures["EIG1"].single_file_name is None
    assert order.full_names["EIG1"].name == "run_EIG1.h5"
    assert {"run_EIG1_000001.h5", "run_EIG1_000003.h5"} <= {p.name for p in order.files}


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a\n"])
def test_names_that_are_none(name):
    with pytest.raises(RefusedError, match="without slashes"):
        acquisition(name)


def test_a_capture_without_limit_goes_into_one_file():
    order = orders.of_detector(
        MX, "EIG1", orders.Wish(full_name=DIRECTORY / "x_000001.h5", num_capture=0, lazy=True), EXPECTED
    )
    capture = order.captures["EIG1"]
    assert capture.single_file_name == "/data/visit/x_000001.h5"
    assert capture.shape is None
    assert order.name == "x_000001"
    known = orders.of_detector(
        MX, "EIG1", orders.Wish(full_name=DIRECTORY / "x_000001.h5", num_capture=5, lazy=False), EXPECTED
    )
    assert known.captures["EIG1"].shape == MX.detector("EIG1").spec.shape


def test_a_full_name_that_is_the_masters_is_refused():
    with pytest.raises(RefusedError, match=r"end in \.h5"):
        orders.of_detector(
            MX, "EIG1", orders.Wish(full_name=DIRECTORY / "x.nxs", num_capture=0, lazy=True), EXPECTED
        )


@pytest.mark.parametrize(
    ("disk", "says"),
    [
        (Disk(directory=Path("/other")), "is not there"),
        (Disk(writable=False), "not writable"),
        (Disk(there=["run.nxs"]), "run.nxs exists"),
        (Disk(there=["run_EIG2_meta.h5"]), "run_EIG2_meta.h5 exists"),
        (Disk(free=10**8), "no space"),
    ],
)
def test_what_the_disk_cannot_take(disk, says):
    order, expected = acquisition()
    with pytest.raises(RefusedError, match=says):
        orders.check(order, expected, disk, 256 << 20)


def test_a_good_disk_takes_it():
    order, expected = acquisition()
    orders.check(order, expected, Disk(), 256 << 20)


@pytest.mark.parametrize(("text", "found"), [("", ("EIG1", "EIG2")), (" EIG2 , EIG1,", ("EIG2", "EIG1"))])
def test_lists_of_detectors(text, found):
    assert orders.parse_detectors(text, MX) == found


@pytest.mark.parametrize(("text", "says"), [("EIG7", "no detector 'EIG7'"), ("EIG1,EIG1", "twice")])
def test_lists_of_detectors_that_are_none(text, says):
    with pytest.raises(RefusedError, match=says):
        orders.parse_detectors(text, MX)


def report(series=1, rows=10, **more):
    times = {"began": 100.0, "first_frame": 100.5, "ended": 102.0} | more
    return SeriesReport(series=series, row=0, rows=rows, stored=rows, outcome=Outcome.COMPLETE, **times)


def record(*reports, **parameters):
    said = SeriesParameters(**({"frame_time": 0.1} | parameters))
    rows = sum(r.rows for r in reports)
    return CaptureRecord(
        detector="EIG1",
        raw_files=(),
        meta_file="m",
        rows=rows,
        shape=(4, 6),
        dtype="uint16",
        series=reports,
        parameters=said,
        opened=99.0,
        ended=103.0,
    )


def test_frames_were_taken_before_they_arrived():
    (span,) = assemble.spans(record(report()))
    assert span.begin == pytest.approx(100.4)
    assert span.end == pytest.approx(101.4)


def test_the_cameras_own_times_bound_late_arrivals():
    late = record(report(began=150.0, first_frame=150.5, ended=152.0))
    (span,) = assemble.spans(late, exposures={1: (100.0, 101.5)})
    assert span.begin == pytest.approx(100.5)
    assert span.end == 101.5


def test_the_stream_knows_the_goniometer_better_than_pvs():
    plans = {1: {"omega": GoniometerAxis(5.0, 0.1)}}
    (silent,) = assemble.spans(record(report()), plans)
    assert silent.plan["omega"].start == 5.0
    (told,) = assemble.spans(record(report(), goniometer={"omega": GoniometerAxis(7.0, 0.2)}), plans)
    assert told.plan["omega"].start == 7.0


def test_what_the_stream_did_not_say_is_completed():
    facts = assemble.CameraFacts(energy=12700.0, frame_time=0.02, threshold=6350.0)
    full = assemble.complete(
        SeriesParameters(frame_time=0.1), MX.detector("EIG1"), shape=(4, 6), dtype="uint16", camera=facts
    )
    assert full.frame_time == 0.1
    assert full.energy == 12700.0
    assert full.wavelength == pytest.approx(0.97625, abs=1e-5)
    assert full.threshold_energy == {"threshold_1": 6350.0}
    assert full.image_size == (6, 4)
    assert full.description == MX.detector("EIG1").spec.description


def test_gaps_of_a_model():
    spec = MX.detector("EIG1").spec
    mask = assemble.gaps(spec)
    assert mask.shape == spec.shape
    columns = (spec.grid[0] - 1) * spec.gap[0]
    rows = (spec.grid[1] - 1) * spec.gap[1]
    assert int((mask == 0).sum()) == (spec.width - columns) * (spec.height - rows)


def test_a_map_goes_no_further_than_its_files():
    parts = [map_file.Part(DIRECTORY / "x_000001.h5", 0, 4), map_file.Part(DIRECTORY / "x_000002.h5", 4, 4)]
    tree = map_file.tree(DIRECTORY, parts, rows=6, shape=(4, 6), dtype="uint16")
    frames = tree.members["entry"].members["data"].members["data"]
    assert frames.shape == (6, 4, 6)
    assert [(s.file, s.stop, s.at) for s in frames.stretches] == [
        ("x_000001.h5", 4, 0),
        ("x_000002.h5", 2, 4),
    ]
    assert frames.fill == np.iinfo("uint16").max


def test_a_camera_in_its_own_words():
    camera = Camera()
    for name, value in {
        "NumImages_RBV": 5.0,
        "NumTriggers_RBV": 3,
        "TriggerMode_RBV": "External Series",
        "OmegaStart_RBV": 1.0,
        "OmegaIncr_RBV": 0.5,
        "DataType_RBV": "UInt32",
    }.items():
        camera.take(name, value, 0.0)
    assert (camera.images, camera.per_trigger, camera.may_pause) == (15, 5, False)
    assert camera.plan == {"omega": GoniometerAxis(1.0, 0.5)}
    assert camera.dtype == "uint32"
    camera.take("TriggerMode_RBV", "External Enable", 0.0)
    assert (camera.images, camera.per_trigger, camera.may_pause) == (3, 1, True)


def test_episodes_of_a_camera_by_their_series():
    camera = Camera()
    for record_, value, when in [
        ("DetectorState_RBV", "Acquire", 10.0),
        ("SequenceId", 4, 10.1),
        ("DetectorState_RBV", "Idle", 12.0),
        ("SequenceId", 9, 12.5),
        ("DetectorState_RBV", "Acquire", 20.0),
        ("SequenceId", 5, 20.0),
    ]:
        camera.take(record_, value, when)
    found = camera.exposures(0.0)
    assert (found[4].begin, found[4].end) == (10.0, 12.0)
    assert (found[5].begin, found[5].end) == (20.0, None)
    assert list(camera.exposures(15.0)) == [5]


def test_a_suffix_is_told_and_looked_for():
    wish = orders.Wish(full_name=DIRECTORY / "x_1.h5", num_capture=5, temp_suffix=".part", flush_frames=3)
    order = orders.of_detector(MX, "EIG1", wish, EXPECTED)
    assert (order.captures["EIG1"].temp_suffix, order.captures["EIG1"].flush_frames) == (".part", 3)
    assert DIRECTORY / "x_1.h5.part" in order.files


class Never:
    async def held_name(self):
        return None

    async def held_written(self):
        return None


def test_held_frames_are_in_one_file():
    full = DIRECTORY / names.held_file("EIG1", "7")
    wish = orders.Wish(full_name=full, num_capture=50_000, holder=Never())
    order = orders.of_detector(MX, "EIG1", wish, EXPECTED)
    assert order.is_single("EIG1")
    assert names.is_held(order.full_names["EIG1"].name)
    assert not names.is_held("run_held_1.h5")


def with_workers(workers):
    known = MX.detectors[0].model_copy(
        update={"workers": workers, "frames_per_block": 4, "images_per_file": 10}
    )
    return MX.model_copy(update={"detectors": (known, *MX.detectors[1:])})


def test_several_workers_never_make_one_file_and_all_of_theirs_are_looked_for():
    wish = orders.Wish(full_name=DIRECTORY / "x.h5", num_capture=30)
    order = orders.of_detector(with_workers(2), "EIG1", wish, EXPECTED)
    capture = order.captures["EIG1"]
    assert not order.is_single("EIG1")
    assert (capture.frames_per_block, capture.images_per_file) == (4, 10)
    raw = {path.name for path in order.files if path.name[2:8].isdecimal()}
    assert raw == {f"x_{number:06d}.h5" for number in (1, 2, 3, 4)}  # 16 and 14 frames, 10 a file
    with pytest.raises(RefusedError, match=r"x_000004\.h5"):
        orders.check(order, {"EIG1": EXPECTED}, Disk(there=["x_000004.h5"]), 0)
    order = orders.of_detector(
        with_workers(3), "EIG1", orders.Wish(full_name=DIRECTORY / "x.h5", num_capture=0), EXPECTED
    )
    assert order.captures["EIG1"].single_file_name is None


def test_frames_of_several_workers_are_not_held_back():
    wish = orders.Wish(full_name=DIRECTORY / "x.h5", num_capture=30, holder=Never())
    with pytest.raises(RefusedError, match="2 workers; use Stream"):
        orders.of_detector(with_workers(2), "EIG1", wish, EXPECTED)
