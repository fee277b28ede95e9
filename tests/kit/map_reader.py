"""A reader of a live map, as a program: may die of what it reads, and then its parent sees by what signal.

Runs under any Python with h5py, also Debian's with HDF5 1.10. ``python map_reader.py MAP`` opens the frames
for SWMR and answers each line of its input with one of JSON: "refresh" refreshes before it reads, "hold"
reads without, "open" opens the file anew.
"""

import json
import sys

import h5py


def answer(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main(path):
    file = h5py.File(path, "r", swmr=True)
    data = file["entry/data/data"]
    answer(h5py.version.hdf5_version)
    for line in sys.stdin:
        if line.strip() == "open":
            file.close()
            file = h5py.File(path, "r", swmr=True)
            data = file["entry/data/data"]
        elif line.strip() == "refresh":
            data.refresh()
        rows = data.shape[0]
        found = data[:, 0, 0].tolist() if rows else []
        for row in {0, rows // 2, rows - 1} if rows else ():
            assert data[row, 1, 1] == found[row]
        answer(found)


if __name__ == "__main__":
    main(sys.argv[1])
