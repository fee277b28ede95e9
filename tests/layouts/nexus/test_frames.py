"""The virtual data set of a capture: whatever files and gaps there are, it is the model's array."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts import beamline
from layouts.nexus.frames import frames, masked, runs
from layouts.nexus.tree import group
from layouts.nexus.tree_h5 import write
from tests.kit.fabricate import acquire, shot
from writer.masters import publish

BEAMLINE = beamline.load()


@given(st.integers(0, 30), st.integers(0, 30), st.sets(st.integers(-3, 33)))
def test_runs_are_what_is_not_missing(first, last, missing):
    covered = [row for start, stop in runs(first, last, sorted(missing)) for row in range(start, stop)]
    assert covered == [row for row in range(first, last) if row not in missing]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 12),
    st.integers(0, 5),
    st.data(),
    st.sampled_from(["uint8", "uint16", "uint32"]),
)
def test_the_virtual_data_set_is_the_models_array(rows, per_file, draw, dtype):
    missing = draw.draw(st.sets(st.integers(0, rows - 1)))
    model = np.arange(rows * 12).reshape(rows, 3, 4).astype(dtype)
    with tempfile.TemporaryDirectory() as name:
        made = acquire(Path(name), BEAMLINE, [shot("EIG1", model, missing=missing, rows_per_file=per_file)])
        virtual = frames(made.detectors[0], Path(name))
        write(Path(name) / "v.h5", group("NXroot", {"data": virtual}))
        with h5py.File(Path(name) / "v.h5") as file:
            read = file["data"][()]
    model[sorted(missing)] = masked(dtype)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, model)
    assert all(s.start < s.stop <= s.extent for s in virtual.stretches)


def test_too_many_gaps_are_left_to_the_raw_files(tmp_path, monkeypatch):
    monkeypatch.setattr("layouts.nexus.frames.MOST", 3)
    model = np.arange(1, 10 * 12 + 1, dtype=np.uint16).reshape(10, 3, 4)
    gaps = range(0, 10, 2)
    acquisition = acquire(
        tmp_path, BEAMLINE, [shot("EIG1", model, missing=gaps, rows_per_file=6, omega=(0, 1))]
    )
    assert [s.stop for s in frames(acquisition.detectors[0], tmp_path).stretches] == [6, 4]
    published = publish(acquisition)
    assert published.ok, published.findings
    model[list(gaps)] = masked("uint16")
    with h5py.File(published.paths[0]) as file:
        np.testing.assert_array_equal(file["entry/data/data"][()], model)
