"""A real worker killed in the middle of a series: what comes back is what was sent."""

import hashlib
import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from layouts.nexus.check_h5 import check
from layouts.raw.names import Column, meta_file
from tests.kit.push import SHAPE, pixels
from tests.kit.worker import ROOT
from writer.meta_h5 import read_columns

pytestmark = pytest.mark.system

SENT, BLOCK = 400, 50
STEM = "run_EIG1"


def salvage(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "softbeam", "salvage", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def digests(directory):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


@pytest.mark.parametrize("images_per_file", [0, 60])
def test_a_worker_killed_in_mid_series_loses_no_frame_that_was_flushed(
    push, worker, tmp_path, images_per_file
):
    """A block is sent when the one before is flushed, so that it is known what must be there."""
    files, out = tmp_path / "files", tmp_path / "back"
    files.mkdir()
    mask = np.zeros(SHAPE, np.uint32)
    mask[4, 5] = 8
    worker.capture(files, stem=STEM, num_capture=1000, images_per_file=images_per_file, flush_interval=0.05)
    push.start(1, 1000, mask=mask)
    for begin in range(0, SENT, BLOCK):
        push.images(1, [frame for frame in range(begin, begin + BLOCK) if frame % 40 != 7])
        sent = sum(frame % 40 != 7 for frame in range(begin + BLOCK))
        # Not the mark, which stays at the first gap.
        worker.until(lambda status, sent=sent: status.counters.stored == sent and status.backlog == 0)
    push.images(1, range(SENT, SENT + 3))
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait(5)
    before = digests(files)
    done = salvage(files, "--out", out)
    assert done.returncode == 0, done.stdout + done.stderr
    assert STEM in done.stdout
    assert digests(files) == before
    columns = read_columns(out / meta_file(f"{STEM}_salvaged"))
    stored = columns[Column.STORED] == 1
    whole = {frame for frame in range(SENT) if frame % 40 != 7}
    there = set(np.flatnonzero(stored).tolist())
    assert whole <= there <= whole | set(range(SENT, SENT + 3))
    with h5py.File(out / "run_salvaged.nxs") as file:
        data = file["entry/data/data"]
        assert len(data) == stored.size
        for place in range(stored.size):
            sent = pixels(1, place) if place in there else np.full(SHAPE, 65535, np.uint16)
            np.testing.assert_array_equal(data[place], sent)
        assert file["entry/instrument/detector/pixel_mask"][4, 5] == 8
    report = check(out / "run_salvaged.nxs", deep=True)
    assert report.ok, report.findings
    (row,) = report.rows
    assert (row.frames, row.stored) == (stored.size, int(stored.sum()))
    again = salvage(files, "--out", out)
    assert again.returncode == 1
    assert "nothing is ever overwritten" in again.stdout


def test_while_the_worker_lives_its_files_are_left_alone(push, worker, tmp_path):
    worker.capture(tmp_path, stem=STEM, num_capture=10, stall_timeout=60.0)
    push.start(1, 10)
    push.images(1, range(4))
    worker.until(lambda status: status.captured == 4)
    done = salvage(tmp_path)
    assert done.returncode == 1
    assert f"process {worker.process.pid} is writing on it" in done.stdout
    assert not list(tmp_path.glob("*salvaged*"))
    worker.terminate()
    done = salvage(tmp_path)  # no coordinator has made a master
    assert done.returncode == 0
    assert sorted(p.name for p in tmp_path.glob("*salvaged*")) == [
        "run_salvaged.nxs",
        "run_salvaged_EIG1_master.h5",
    ]
    done = salvage(tmp_path)
    assert done.returncode == 0
    assert "there is nothing to bring back" in done.stdout


def test_what_is_not_there_is_said(tmp_path):
    assert salvage(tmp_path / "nothing").returncode == 2
    done = salvage(tmp_path)
    assert done.returncode == 1
    assert "no capture is there" in done.stdout
