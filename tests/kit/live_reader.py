"""Run by any Python that has h5py, never imported: reads a capture that grows, as plain h5py users do.

Tells "place first-pixel second-pixel" of each frame that ``stored`` says is there, as soon as it is seen,
and ends when the capture has ended. One handle a data set, refreshed by ``Dataset.refresh``.
"""

import contextlib
import os
import sys
import time

import h5py

with contextlib.suppress(ImportError):
    import hdf5plugin  # noqa: F401  where there is none, HDF5 finds its filters, or needs none


def opened(path):
    while True:
        try:
            return h5py.File(path, "r", swmr=True)
        except OSError:  # not there yet, or not open for readers
            time.sleep(0.002)


def tell(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(meta_path, raw_path):
    tell(h5py.version.hdf5_version)
    meta, raw = opened(meta_path), opened(raw_path)
    stored, data = meta["frames/stored"], raw["entry/data/data"]
    seen = set()
    while True:
        stored.refresh()
        ended = stored.attrs["ended"] >= 0
        places = [p for p, there in enumerate(stored[:].tolist()) if there and p not in seen]
        if places:
            data.refresh()
        for place in places:
            seen.add(place)
            one, two = data[place, 0, :2].tolist()
            tell(place, one, two)
        if ended:
            tell("ended")
            return
        if os.getppid() == 1:  # the test has gone
            return
        time.sleep(0.002)


if __name__ == "__main__":
    main(*sys.argv[1:])
