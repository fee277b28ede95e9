"""Publishing: masters appear whole or not at all, and nothing is ever overwritten."""

import errno
import os
from dataclasses import replace

import h5py
import numpy as np
import pytest

from layouts import beamline
from layouts.nexus.check_h5 import check
from layouts.nexus.findings import Severity
from tests.kit.fabricate import acquire, counts, shot
from writer import masters

BEAMLINE = beamline.load()
SMALL = (6, 8)


@pytest.fixture
def acquisition(tmp_path):
    shots = [
        shot("EIG1", counts(10, SMALL), missing=[7], rows_per_file=4, omega=(0.0, 0.1)),
        shot("EIG2", counts(5, SMALL, "uint32"), omega=(0.0, 0.2)),
    ]
    return acquire(tmp_path, BEAMLINE, shots)


def left_over(directory):
    return [p.name for p in directory.iterdir() if p.name.startswith(".") or p.suffix == ".tmp"]


def test_an_acquisition_gets_its_masters(acquisition):
    published = masters.publish(acquisition)
    assert published.ok
    names = ["run.nxs", "run_EIG1_master.h5", "run_EIG2_master.h5"]
    assert [p.name for p in published.paths] == names
    assert published.paths == masters.paths(acquisition)
    assert {f.severity for f in published.findings} == {Severity.WARNING, Severity.NOTE}
    assert all(check(path, deep=True).ok for path in published.paths)
    assert left_over(acquisition.directory) == []


def test_the_pixels_are_those_that_were_stored(acquisition):
    masters.publish(acquisition)
    model = counts(10, SMALL)
    model[7] = 65535
    with h5py.File(acquisition.directory / "run.nxs") as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], model)
        np.testing.assert_array_equal(file["entry_EIG2/data/data"][()], counts(5, SMALL, "uint32"))
        assert file["entry/instrument/detector/frames/stored"][()].sum() == 9
    with h5py.File(acquisition.directory / "run_EIG1_master.h5") as file:
        links = [file[f"entry/data/data_{i:06d}"][()] for i in (1, 2, 3)]
        np.testing.assert_array_equal(np.concatenate(links), model)


def test_masters_may_move_with_their_raw_files(acquisition, tmp_path):
    masters.publish(acquisition)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for path in acquisition.directory.glob("run*"):
        path.rename(moved / path.name)
    assert check(moved / "run.nxs", deep=True).ok


def test_nothing_is_overwritten(acquisition):
    (acquisition.directory / "run.nxs").write_text("mine")
    published = masters.publish(acquisition)
    assert (acquisition.directory / "run.nxs").read_text() == "mine"
    assert [p.name for p in published.paths] == ["run_EIG1_master.h5", "run_EIG2_master.h5"]
    assert "nothing is ever overwritten" in str(published.findings[0])
    assert not published.ok


def test_a_name_that_is_taken_meanwhile_stays_taken(acquisition, monkeypatch):
    link = os.link

    def taken(source, target):
        target.write_text("theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", taken)
    published = masters.publish(acquisition)
    assert published.paths == ()
    assert (acquisition.directory / "run.nxs").read_text() == "theirs"
    assert left_over(acquisition.directory) == []


def test_file_systems_without_hard_links_do_too(acquisition, monkeypatch):
    def refuse(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    assert masters.publish(acquisition).ok
    assert check(acquisition.directory / "run.nxs").ok


def test_a_lost_raw_file_keeps_the_masters_away(acquisition):
    acquisition.detectors[0].raw_files[1].path.unlink()
    published = masters.publish(acquisition)
    assert [p.name for p in published.paths] == ["run_EIG2_master.h5"]
    assert any("run_EIG1_000002.h5" in f.what for f in published.findings)
    assert left_over(acquisition.directory) == []


def test_a_full_disk_is_said_by_its_number(acquisition, monkeypatch):
    def full(path, root):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(masters, "write", full)
    published = masters.publish(acquisition)
    assert published.paths == ()
    assert all("ENOSPC" in f.what and "make room" in f.remedy for f in published.findings)


def test_a_detector_that_gave_nothing_is_left_out(acquisition):
    empty = replace(acquisition.detectors[0], rows=0, raw_files=(), missing=(), series=())
    published = masters.publish(replace(acquisition, detectors=(empty, acquisition.detectors[1])))
    assert [p.name for p in published.paths] == ["run.nxs", "run_EIG2_master.h5"]
    assert check(published.paths[0]).rows[0].detector == "EIG2"
    nothing = masters.publish(replace(acquisition, detectors=(empty,), name="none"))
    assert nothing.paths == ()
    assert not nothing.ok


def test_a_capture_of_which_no_frame_came_has_a_masked_master(tmp_path):
    lost = acquire(tmp_path, BEAMLINE, [shot("EIG1", counts(3, SMALL), missing=[0, 1, 2], omega=(0.0, 0.1))])
    assert masters.publish(lost).ok
    with h5py.File(tmp_path / "run.nxs") as file:
        assert (file["entry/data/data"][()] == 65535).all()
