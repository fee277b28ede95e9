"""Frames that several workers took in turns: however they are dealt, the masters have them in order."""

import tempfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts import beamline
from layouts.nexus import nxmx
from layouts.nexus.check import inspect
from layouts.nexus.check_h5 import check, facts
from layouts.nexus.findings import Severity
from layouts.nexus.frames import frames, in_order, masked
from layouts.nexus.tree import Group, Virtual, find
from layouts.raw.mapping import Mapping
from layouts.raw.names import DATA, Stripe
from tests.kit.fabricate import acquire, counts, shot
from writer.masters import publish

BEAMLINE = beamline.load()
SHAPE = (6, 8)


def linked(file):
    """What a reader has that puts data_000001, data_000002 ... one behind the other."""
    data = file["entry/data"]
    return np.concatenate([data[name][()] for name in sorted(data) if name.startswith("data_")])


@settings(max_examples=15, deadline=None)
@given(
    rows=st.integers(1, 40),
    workers=st.integers(1, 4),
    block=st.integers(1, 7),
    per_file=st.integers(0, 9),
    dtype=st.sampled_from(["uint8", "uint16", "uint32"]),
    draw=st.data(),
)
def test_both_masters_are_the_series_that_was_sent(rows, workers, block, per_file, dtype, draw):
    missing = draw.draw(st.sets(st.integers(0, rows - 1)))
    model = counts(rows, SHAPE, dtype)
    with tempfile.TemporaryDirectory() as name:
        taken = shot(
            "EIG1",
            model.copy(),
            missing=missing,
            rows_per_file=per_file,
            workers=workers,
            block=block,
            omega=(0.0, 0.1),
        )
        acquisition = acquire(Path(name), BEAMLINE, [taken])
        published = publish(acquisition)
        told = [f for f in published.findings if f.severity is not Severity.NOTE]
        told = [f for f in told if not f.where.endswith("/capture/missing")]
        assert told == []
        assert [p.name for p in published.paths] == ["run.nxs", "run_EIG1_master.h5"]
        assert all(check(path, deep=True).ok for path in published.paths)
        model[sorted(missing)] = masked(dtype)
        with h5py.File(published.paths[0]) as file:
            np.testing.assert_array_equal(file["entry/data/data"][()], model)
            np.testing.assert_array_equal(linked(file), model)
            listed = file["entry/capture"].get("missing", np.empty(0))
            assert set(listed[...].tolist()) == missing
        with h5py.File(published.paths[1]) as file:
            np.testing.assert_array_equal(linked(file), model)


def test_the_master_says_where_each_frame_is(tmp_path):
    model = counts(23, SHAPE)
    taken = shot("EIG1", model, rows_per_file=4, workers=3, block=2, omega=(0.0, 0.1))
    published = publish(acquire(tmp_path, BEAMLINE, [taken]))
    with h5py.File(published.paths[0]) as file:
        group = file["entry/capture/stripes"]
        mapping = Mapping(
            rows_per_file=int(group[Stripe.IMAGES_PER_FILE][()]),
            workers=int(group[Stripe.WORKERS][()]),
            block=int(group[Stripe.FRAMES_PER_BLOCK][()]),
        )
        links = [name for name in sorted(group) if name.startswith("raw_")]
        ranks = dict(zip(links, group[Stripe.RANK][()].tolist(), strict=True))
        for place in range(23):
            worker, number, row = mapping.locate(place)
            name = f"raw_{number * 3 + worker + 1:06d}"
            assert ranks[name] == worker
            np.testing.assert_array_equal(group[name][row], model[place])


def test_a_full_file_is_one_or_two_pieces_however_many_blocks_it_has(tmp_path):
    model = np.zeros((4000, 1, 2), np.uint16)
    for per_file, files in ((0, 4), (300, 16)):
        folder = tmp_path / str(per_file)
        folder.mkdir()
        taken = shot("EIG1", model, rows_per_file=per_file, workers=4, block=3, omega=(0.0, 0.1))
        capture = acquire(folder, BEAMLINE, [taken]).detectors[0]
        assert len(capture.raw_files) == files
        assert len(frames(capture, folder).stretches) <= 2 * files


def test_files_that_are_runs_of_frames_are_linked_in_their_order(tmp_path):
    model = counts(20, SHAPE)
    taken = shot("EIG1", model, rows_per_file=3, workers=2, block=6, omega=(0.0, 0.1))
    acquisition = acquire(tmp_path, BEAMLINE, [taken])
    ordered = in_order(acquisition.detectors[0])
    assert ordered is not None
    assert [raw.worker for raw in ordered] == [0, 0, 1, 1, 0, 0, 1]
    published = publish(acquisition)
    for path in published.paths:
        with h5py.File(path) as file:
            names = [n for n in file["entry/data"] if n.startswith("data_")]
            assert all(isinstance(file["entry/data"].get(n, getlink=True), h5py.ExternalLink) for n in names)
            np.testing.assert_array_equal(linked(file), model)


def test_runs_of_unequal_length_are_not_linked(tmp_path):
    # The first has 3 frames, the second 1: who computes the file of a frame from the first would miss.
    taken = shot("EIG1", counts(10, SHAPE), rows_per_file=3, workers=2, block=4, omega=(0.0, 0.1))
    assert in_order(acquire(tmp_path, BEAMLINE, [taken]).detectors[0]) is None


def test_a_worker_that_left_nothing_leaves_gaps_in_its_places_only(tmp_path):
    model = counts(20, SHAPE)
    lost = [p for p in range(20) if Mapping(workers=2, block=3).index(p)[0] == 1]
    taken = shot("EIG1", model.copy(), missing=lost, workers=2, block=3, omega=(0.0, 0.1))
    acquisition = acquire(tmp_path, BEAMLINE, [taken])
    capture = acquisition.detectors[0]
    left = tuple(raw for raw in capture.raw_files if raw.worker == 0)
    published = publish(replace(acquisition, detectors=(replace(capture, raw_files=left),)))
    assert published.ok, published.findings
    model[lost] = masked("uint16")
    with h5py.File(published.paths[0]) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], model)


@pytest.mark.parametrize("block", [3, 8])
def test_a_lost_file_in_the_middle_moves_no_other_frame(tmp_path, block):
    model = counts(30, SHAPE)
    mapping = Mapping(rows_per_file=4, workers=2, block=block)
    lost = [place for place in range(30) if mapping.locate(place)[:2] == (1, 1)]
    taken = shot(
        "EIG1", model.copy(), missing=lost, rows_per_file=4, workers=2, block=block, omega=(0.0, 0.1)
    )
    acquisition = acquire(tmp_path, BEAMLINE, [taken])
    capture = acquisition.detectors[0]
    left = tuple(raw for raw in capture.raw_files if not raw.path.name.endswith("_000004.h5"))
    assert len(left) == len(capture.raw_files) - 1
    published = publish(replace(acquisition, detectors=(replace(capture, raw_files=left),)))
    assert published.ok, published.findings
    model[lost] = masked("uint16")
    with h5py.File(published.paths[0]) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], model)
        np.testing.assert_array_equal(linked(file), model)
        assert "raw_000004" not in file["entry/capture/stripes"]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    directory = tmp_path_factory.mktemp("good")
    taken = shot("EIG1", counts(20, SHAPE), rows_per_file=5, workers=2, block=3, omega=(0.0, 0.1))
    root = nxmx.master(acquire(directory, BEAMLINE, [taken]))
    return root, facts(directory, root)


def with_member(root, path, node):
    """The tree with something else at a path."""
    name, _, rest = path.strip("/").partition("/")
    inner = with_member(root.members[name], rest, node) if rest else node
    return Group(attributes=root.attributes, members=dict(root.members) | {name: inner})


def errors(root, known):
    return [f"{f.where}: {f.what}" for f in inspect(root, known)[1] if f.severity is Severity.ERROR]


def test_a_good_master_has_no_error(good):
    assert errors(*good) == []


def test_frames_of_two_workers_that_changed_places_are_found(good):
    root, known = good
    data = find(root, "/entry/data/data")
    assert isinstance(data, Virtual)
    a, b = data.stretches[:2]
    swapped = (replace(a, file=b.file), replace(b, file=a.file), *data.stretches[2:])
    said = errors(with_member(root, "/entry/data/data", replace(data, stretches=swapped)), known)
    assert any("not where the rule has them" in line for line in said), said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (Stripe.WORKERS, 0, "is no mapping"),
        (Stripe.FRAMES_PER_BLOCK, 2, "not where the rule has them"),
        (Stripe.RANK, [0], "and 1 ranks"),
        (Stripe.RANK, [0, 1, 5, 1, 0], "raw_000003 is of worker 5"),
        (Stripe.WORKERS, "two", "lacks workers"),
    ],
)
def test_a_rule_that_cannot_be_is_found(good, name, value, said):
    root, known = good
    wrong = with_member(root, f"/entry/capture/stripes/{name}", nxmx.data(value))
    found = errors(wrong, known)
    assert any(said in line for line in found), found


def test_a_second_data_set_of_frames_inside_a_master_is_found(good):
    root, known = good
    data = find(root, "/entry/data/data")
    twice = with_member(root, "/entry/data/data_000002", data)
    assert any("is not the only one" in line for line in errors(twice, known))


def test_a_raw_file_that_is_gone_is_found(good):
    root, known = good
    link = find(root, "/entry/capture/stripes/raw_000002")
    found = errors(root, {place: fact for place, fact in known.items() if place != (link.file, DATA)})
    assert any("raw_000002" in line and "cannot be opened" in line for line in found), found
