"""What tests of the coordinator do again and again: a body with its beamline, and looks into masters."""

import asyncio
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np

from tests.kit.fake_beamline import fake_beamline


def run(work, directory, **options):
    """A test body with its beamline."""

    async def body():
        async with fake_beamline(directory, **options) as rig:
            return await work(rig)

    return asyncio.run(body())


def frames_of(path, entry="entry"):
    """(series, frame) that each place of a file says it holds."""
    with h5py.File(path) as file:
        data = file[f"{entry}/data/data"]
        return [(int(data[i, 0, 0]), int(data[i, 0, 1])) for i in range(len(data))]


def outcome_of(master):
    with h5py.File(master) as file:
        found = []
        file["entry"].visititems(lambda n, o: found.append(o) if n.endswith("outcome") else None)
        return np.asarray(found[0]).item().decode()


def children(pid):
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes()
