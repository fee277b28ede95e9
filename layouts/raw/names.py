"""Names of files and of what is in raw and meta files, written once for writers, readers and tests.

Raw files follow the Dectris file writer (one 3-D data set, chunk of one frame, ``image_nr_low`` and
``image_nr_high``), meta files Odin's (one column a quantity, one row a frame).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

DATA: Final = "/entry/data/data"
"""Frames (rows, slow, fast) in a raw file, and in a capture's file as clients see it."""


ATTRIBUTES: Final = "/entry/instrument/NDAttributes"
"""Where clients look for NDAttributes in a capture's file: a link to ``Meta.ATTRIBUTES``."""
DETECTOR: Final = "/entry/instrument/detector"
"""Where NDFileHDF5 has the frames too, and ``NDAttributes`` of its own."""


CLASSES: Final = {
    "/entry": "NXentry",
    "/entry/data": "NXdata",
    "/entry/instrument": "NXinstrument",
    DETECTOR: "NXdetector",
}
"""Groups of a capture's file, as NDFileHDF5 has them."""


class Column(StrEnum):
    """Columns of a meta file: one row for each place of the capture, -1 or 0 where no frame came."""

    STORED = "stored"
    """uint8: 1 where the frame is in the raw file; flushed after the frame itself."""
    SERIES = "series"
    """int64: the detector's series number."""
    FRAME = "frame"
    """int64: the frame's number in its series, from 0."""
    START_TIME = "start_time"
    """int64 ns: the detector's clock at the start of the exposure."""
    STOP_TIME = "stop_time"
    REAL_TIME = "real_time"
    SIZE = "size"
    """int64: bytes as stored."""
    ARRIVAL = "arrival"
    """int64 ns since 1970, UTC: when the writer took the frame from the socket."""


class Stripe(StrEnum):
    """How places are dealt to workers and files (``layouts.raw.mapping``), for whoever reads a file alone.

    Attributes (int64) of ``DATA`` in every raw file; all but the rank also of ``Meta.COLUMNS`` in the meta
    file, and data sets of a group of the master. The place of a file's first row is its ``image_nr_low`` - 1,
    that of its last ``image_nr_high`` - 1; between them are places of other workers too.
    """

    RANK = "rank"
    """Whose stripe the file is of, from 0."""
    WORKERS = "workers"
    FRAMES_PER_BLOCK = "frames_per_block"
    """Places that go to one worker before the next has its turn."""
    IMAGES_PER_FILE = "images_per_file"
    """Rows of each of a worker's files but the last; 0 where one file has them all."""


class About(StrEnum):
    """Attributes of a meta file: what a reader needs to find its raw files, and when to stop waiting."""

    DETECTOR = "detector"
    """Of the root, as those below: its name in the beamline file."""
    CAPTURE = "capture"
    FIRST_FILE = "first_file"
    """The first raw file, from the meta file's directory, where ``raw_file`` does not name it; else empty."""
    TEMP_SUFFIX = "temp_suffix"
    """Behind the names of raw files until the capture has ended; may be empty."""
    ENDED = "ended"
    """int64, of ``Column.STORED``: places of the capture once it has ended, written last; -1 before."""


class Meta(StrEnum):
    """Other objects of a meta file."""

    COLUMNS = "/frames"
    """Group of the columns."""
    HEADERS = "/headers"
    """Group with one data set a series: the start message's values as JSON text."""
    MASKS = "/masks"
    """Group of pixel masks (slow, fast), uint32, named by hash."""
    FLATFIELDS = "/flatfields"
    COUNTRATE_TABLES = "/countrate_tables"
    ATTRIBUTES = "/attributes"
    """Group with a column for each NDAttribute, one row a frame."""
    DETECTOR_ATTRIBUTES = "/detector_attributes"
    """Group with what NDFileHDF5 puts beside the detector's data."""


def attribute_links() -> dict[str, str]:
    """Links of a capture's file, and where in the meta file each leads."""
    return {ATTRIBUTES: Meta.ATTRIBUTES, f"{DETECTOR}/NDAttributes": Meta.DETECTOR_ATTRIBUTES}


_NUMBERED: Final = re.compile(r"_(\d{6,})\.h5$")


def held_file(detector: str, mark: str) -> str:
    """Hidden name of the frames of Capture mode, until a client lets them be written."""
    return f".{detector}_held_{mark}.h5"


def is_held(name: str) -> bool:
    """Whether a file has such a name."""
    return name.startswith(".") and "_held_" in name


def raw_file(stem: str, number: int) -> str:
    """Name of a capture's raw file; numbers from 1."""
    return f"{stem}_{number:06d}.h5"


def raw_number(name: str) -> int | None:
    """Number in the name of a raw file; nothing if it is named otherwise."""
    found = _NUMBERED.search(name)
    return int(found[1]) if found else None


def meta_file(stem: str) -> str:
    """Name of a capture's meta file."""
    return f"{stem}_meta.h5"


def stem_of(meta: str) -> str:
    """The stem behind the name of a meta file.

    Raises:
        ValueError: It is no such name.
    """
    stem = meta.removesuffix("_meta.h5")
    if stem == meta or not stem:
        raise ValueError(f"{meta} is no meta file: its name does not end in _meta.h5")
    return stem


def master_file(stem: str) -> str:
    """Name of an acquisition's NXmx master."""
    return f"{stem}.nxs"


def dectris_master_file(stem: str, detector: str) -> str:
    """Name of the Dectris-style master of one detector."""
    return f"{stem}_{detector}_master.h5"


def truth_file(stem: str) -> str:
    """Name of what was simulated, left beside the master."""
    return f"{stem}_truth.json"
