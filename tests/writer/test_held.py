"""Held frames get their name: links lead to where the meta file is then, and nothing is written over."""

import asyncio
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import pytest

from layouts.beamline import load
from layouts.raw import names
from layouts.raw.names import DATA
from tests.writer.test_single_frames import feed
from tests.writer.test_stretch import PAYLOADS, message, start
from writer import control, held, orders, run
from writer.acquisition import Timing
from writer.orders import RefusedError
from writer.session import Session
from writer.watch import Camera


def holding(directory: Path, frames: int = 3):
    """A run of Capture mode whose worker is done."""
    full = directory / names.held_file("EIG1", "1")
    wish = orders.Wish(full_name=full, num_capture=0)
    beamline = load()
    order = orders.of_detector(beamline, "EIG1", wish, orders.expectation(beamline.detector("EIG1")))
    session = Session("EIG1")
    session.command(orders.named(order.captures["EIG1"], "c"))
    feed(session, [start(), *(message(n, PAYLOADS[0]) for n in range(frames))])
    session.close("the test is over")

    async def made():
        return run.new(1, order, {"EIG1": Camera()}, Timing())

    found = asyncio.run(made())  # it has a future, which is of a loop
    for event in session.events:
        run.note(found.progress["EIG1"], event)
    assert isinstance(session.events[-1], control.Done)
    return found


def attributes(path):
    with h5py.File(path) as file:
        return len(file[DATA]), list(file[f"{names.ATTRIBUTES}/NDArrayUniqueId"])


def test_frames_are_under_their_name_with_all_that_belongs_to_them(tmp_path):
    found = holding(tmp_path)
    assert all(path.name.startswith(".") for path in tmp_path.iterdir())
    held.write(found, tmp_path / "run_1.h5")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run_1.h5", "run_1_meta.h5"]
    assert attributes(tmp_path / "run_1.h5") == (3, [0, 1, 2])
    assert found.order.name == "run_1"
    assert found.progress["EIG1"].record.meta_file == str(tmp_path / "run_1_meta.h5")


def test_they_are_held_on_if_their_name_is_taken(tmp_path):
    found = holding(tmp_path)
    for taken in ("run_1.h5", "run_1_meta.h5", "run_1.nxs"):
        (tmp_path / taken).write_text("precious")
        with pytest.raises(RefusedError, match="not written over"):
            held.write(found, tmp_path / "run_1.h5")
        (tmp_path / taken).unlink()
    held.write(found, tmp_path / "run_1.h5")
    assert attributes(tmp_path / "run_1.h5")[0] == 3


def test_another_file_system_gets_a_copy(tmp_path):
    other = Path("/dev/shm")  # another file system than that of most temporary directories
    target = other / f"softbeam-test-{tmp_path.name}-{id(tmp_path)}"
    target.mkdir()
    try:
        held.write(holding(tmp_path), target / "run_1.h5")
        assert attributes(target / "run_1.h5") == (3, [0, 1, 2])
        assert list(tmp_path.iterdir()) == []
    finally:
        for path in target.iterdir():
            path.unlink()
        target.rmdir()


def test_a_directory_that_is_gone_loses_no_frames(tmp_path):
    found = holding(tmp_path)
    with pytest.raises(OSError, match="the directory is gone"):
        held.write(found, tmp_path / "no" / "run_1.h5")
    held.write(found, tmp_path / "run_1.h5")
    assert attributes(tmp_path / "run_1.h5") == (3, [0, 1, 2])


def test_dropped_frames_leave_nothing(tmp_path):
    held.drop(holding(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_capture_without_frames_holds_nothing(tmp_path):
    found = holding(tmp_path, frames=0)
    assert held.record_of(found) is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RefusedError, match="no frames are held"):
        held.write(found, tmp_path / "run_1.h5")
