"""One frame in a file of its own, as NDFileHDF5 writes it in Single mode.

``/entry/data/data`` is (1, slow, fast); number and times are where the plugin's default layout has them,
under ``/entry/instrument/NDAttributes``. The file has another name until it is closed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from layouts.raw import names
from layouts.stream.codecs import hdf5_filter
from writer.give_name import give_name
from writer.latest import Latest
from writer.raw_file import LIBVER
from writer.write_errors import failure

EPICS_EPOCH: Final = 631_152_000
"""Seconds between 1970 and 1990, where EPICS begins to count."""
_ATTRIBUTES: Final = "/entry/instrument/NDAttributes"
_NS: Final = 1_000_000_000


def write_frame(path: Path, frame: Latest, suffix: str = "") -> None:
    """Write a frame's file, never over another one.

    Args:
        path: Of the finished file.
        frame: What goes into it.
        suffix: Behind the name until the file is closed; a hidden name of ours unless given.

    Raises:
        WriteError: It cannot be written.
    """
    temporary = path.with_name(path.name + suffix if suffix else f".{path.name}.{os.getpid()}.tmp")
    made = False
    try:
        if os.path.lexists(path):
            raise FileExistsError(17, "is there already", str(path))
        with h5py.File(temporary, "x", libver=LIBVER, locking=False) as file:
            made = True
            _fill(file, frame)
        give_name(temporary, path)
    except (OSError, RuntimeError, ValueError) as error:
        if made:
            temporary.unlink(missing_ok=True)
        raise failure(error, path) from error


def _fill(file: h5py.File, frame: Latest) -> None:
    shape, dtype, codec = frame.pixels
    stored = np.dtype(dtype).newbyteorder("<")
    known = hdf5_filter(codec)
    packing: dict[str, Any] = {} if known is None else {"compression": known[0], "compression_opts": known[1]}
    data = file.create_dataset(names.DATA, (1, *shape), stored, chunks=(1, *shape), **packing)
    data.id.write_direct_chunk((0, 0, 0), frame.chunk)
    seconds, rest = divmod(frame.arrival, _NS)
    said = {
        "NDArrayUniqueId": np.array([frame.frame], np.int32),
        "NDArrayTimeStamp": np.array([frame.arrival / _NS - EPICS_EPOCH], np.float64),
        "NDArrayEpicsTSSec": np.array([seconds - EPICS_EPOCH], np.uint32),
        "NDArrayEpicsTSnSec": np.array([rest], np.uint32),
        "Series": np.array([frame.series], np.int64),
        "StartTime": np.array([frame.start], np.int64),
        "StopTime": np.array([frame.stop], np.int64),
        "RealTime": np.array([frame.real], np.int64),
    }
    for name, value in said.items():
        file.create_dataset(f"{_ATTRIBUTES}/{name}", data=value)
    entry, group = file["entry"], file["entry/data"]
    for one, kind in ((entry, "NXentry"), (group, "NXdata"), (file["entry/instrument"], "NXinstrument")):
        one.attrs["NX_class"] = kind
    file[_ATTRIBUTES].attrs["NX_class"] = "NXcollection"
    group.attrs["signal"] = "data"
    entry.attrs["default"] = "data"
    file.attrs["default"] = "entry"
