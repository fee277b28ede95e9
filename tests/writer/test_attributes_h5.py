"""NDAttributes in files: columns that grow with the frames, read through the links of the capture's file."""

from __future__ import annotations

import subprocess
import sys

import h5py
import numpy as np
import pytest

from layouts.attributes import RESERVED, AttributeType
from layouts.raw import names
from layouts.raw.names import Meta
from layouts.stream.messages import Codec
from writer.attribute_messages import Attribute, AttributeValues
from writer.capture_values import PixelFormat
from writer.map_file import Part, publish, tree
from writer.meta_h5 import MetaFile, Row
from writer.raw_h5 import RawFiles

ARRIVAL = 1_700_000_000_250_000_000
PIXELS = PixelFormat((2, 3), "uint16", Codec.NONE)
ASKED = (
    Attribute(
        name="omega",
        value_type=AttributeType.FLOAT64,
        description="axis, °",
        source_type="NDAttrSourceEPICSPV",
        source="SB:OMEGA.RBV",
        value=1.5,
    ),
    Attribute(
        name="shutter",
        value_type=AttributeType.STRING,
        source_type="NDAttrSourceEPICSPV",
        source="SB:SHUTTER",
        value="Open",
    ),
    Attribute(
        name="sample",
        value_type=AttributeType.STRING,
        source_type="NDAttrSourceConst",
        source="lysozyme",
        constant=True,
        value="lysozyme",
    ),
)
CHILD = """
import sys, h5py
with h5py.File(sys.argv[1], "r", swmr=True) as file:
    print(file["/entry/data/data"].shape[0], file["/entry/instrument/NDAttributes/omega"][()].tolist())
"""


def packed(place: int, arrival: int = ARRIVAL) -> bytes:
    return Row(place, 1, place, 0, 0, 0, 12, arrival + place).packed


def both(folder):
    meta = MetaFile(folder / "run_meta.h5", {}, ASKED)
    raw = RawFiles(folder, "run", first=folder / "run.h5", meta=meta.path)
    raw.plan(3)
    raw.start(PIXELS)
    return meta, raw


def test_every_attribute_has_a_value_for_each_frame(tmp_path):
    meta, raw = both(tmp_path)
    meta.plan(3)
    meta.write([packed(0), packed(1)])
    meta.note(AttributeValues(capture="c", changes=((0, ARRIVAL + 1, 2.5), (1, ARRIVAL + 2, "Closed"))))
    meta.mend()
    meta.write([packed(2)])
    meta.finish(3)
    raw.finish(3)
    with h5py.File(tmp_path / "run.h5") as file:
        group = file[names.ATTRIBUTES]
        assert set(group) == {"omega", "shutter", "sample", *RESERVED}
        assert group["omega"][()].tolist() == [1.5, 2.5, 2.5]
        assert group["shutter"][()].tolist() == [b"Open", b"Open", b"Closed"]
        assert group["sample"][()].tolist() == [b"lysozyme"] * 3
        assert group["sample"].id.get_storage_size() == 0
        assert group["shutter"].dtype == "S256"
        assert group["NDArrayUniqueId"][()].tolist() == [0, 1, 2]
        assert group["NDArrayUniqueId"].dtype == "i4"
        assert group["NDArrayEpicsTSSec"][()].tolist() == [1_700_000_000 - 631_152_000] * 3
        assert group["NDArrayEpicsTSnSec"][()].tolist() == [250_000_000, 250_000_001, 250_000_002]
        assert group["NDArrayTimeStamp"][0] == pytest.approx(1_068_848_000.25)
        assert file[f"{names.DETECTOR}/NDAttributes/ColorMode"][()].tolist() == [0, 0, 0]
        assert file[f"{names.DETECTOR}/data"] == file[names.DATA]


def test_datasets_say_where_they_come_from_as_ndfilehdf5s_do(tmp_path):
    meta, raw = both(tmp_path)
    meta.finish(0)
    raw.finish(0)
    with h5py.File(tmp_path / "run.h5") as file:
        about = {name: _text(value) for name, value in file[f"{names.ATTRIBUTES}/omega"].attrs.items()}
        assert about["NDAttrName"] == "omega"
        assert about["NDAttrDescription"] == "axis, °"
        assert about["NDAttrSourceType"] == "NDAttrSourceEPICSPV"
        assert about["NDAttrSource"] == "SB:OMEGA.RBV"
        assert "monitor" in about["sampled"]
        assert "NDAttrDescription" not in file[f"{names.ATTRIBUTES}/shutter"].attrs
        assert _text(file["/entry/instrument"].attrs["NX_class"]) == "NXinstrument"


def _text(value) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def test_places_without_a_frame_read_as_unknown(tmp_path):
    meta, _ = both(tmp_path)
    meta.write([packed(1)])
    meta.finish(3)
    with h5py.File(tmp_path / "run_meta.h5") as file:
        group = file[Meta.ATTRIBUTES]
        np.testing.assert_array_equal(group["omega"][()], [np.nan, 1.5, np.nan])
        assert group["shutter"][()].tolist() == [b"", b"Open", b""]
        assert group["NDArrayUniqueId"][()].tolist() == [-1, 1, -1]


def test_attributes_can_be_read_while_they_are_written_and_after_a_move(tmp_path):
    meta, raw = both(tmp_path)

    def read(folder) -> str:
        result = subprocess.run(
            [sys.executable, "-c", CHILD, folder / "run.h5"], capture_output=True, text=True, check=True
        )
        return result.stdout.strip()

    meta.plan(2)
    meta.write([packed(0), packed(1)])
    assert read(tmp_path) == "3 [1.5, 1.5]"
    meta.note(AttributeValues(capture="c", changes=((0, ARRIVAL + 1, 2.5),)))
    meta.mend()
    assert read(tmp_path) == "3 [1.5, 2.5]"
    meta.finish(2)
    raw.finish(2)
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert read(moved) == "2 [1.5, 2.5]"


def test_the_file_alone_still_has_its_frames(tmp_path):
    meta, raw = both(tmp_path)
    meta.finish(0)
    raw.finish(2)
    (tmp_path / "run_meta.h5").unlink()
    with h5py.File(tmp_path / "run.h5") as file:
        assert file[names.DATA].shape == (2, 2, 3)
        with pytest.raises(KeyError, match="open file"):
            file[names.ATTRIBUTES]


def test_none_are_stored_where_none_are_wanted(tmp_path):
    meta = MetaFile(tmp_path / "run_meta.h5")
    raw = RawFiles(tmp_path, "run", first=tmp_path / "run.h5")
    raw.start(PIXELS)
    meta.write([packed(0)])
    meta.note(AttributeValues(capture="c", changes=((0, 1, 2.5),)))
    meta.mend()
    meta.finish(1)
    raw.finish(1)
    with h5py.File(tmp_path / "run.h5") as file, h5py.File(tmp_path / "run_meta.h5") as columns:
        assert "NDAttributes" not in file["/entry/instrument"]
        assert Meta.ATTRIBUTES not in columns


def test_a_map_over_several_files_has_the_same_links(tmp_path):
    meta = MetaFile(tmp_path / "run_meta.h5", {}, ASKED)
    raw = RawFiles(tmp_path, "run", rows_per_file=1, meta=meta.path)
    raw.start(PIXELS)
    for place in range(2):
        raw.write(place, np.full((2, 3), place, np.uint16).tobytes())
    meta.write([packed(0), packed(1)])
    meta.finish(2)
    files = raw.finish(2)
    parts = [Part(path, row, rows) for row, (path, rows) in enumerate(files)]
    publish(tmp_path / "run.h5", tree(tmp_path, parts, rows=2, shape=(2, 3), dtype="uint16", meta=meta.path))
    with h5py.File(tmp_path / "run.h5") as file:
        assert file[f"{names.ATTRIBUTES}/omega"][()].tolist() == [1.5, 1.5]
        assert file[f"{names.DETECTOR}/data"][:, 0, 0].tolist() == [0, 1]
        assert file[f"{names.DETECTOR}/NDAttributes/ColorMode"].shape == (2,)
    with h5py.File(files[0][0]) as file:
        assert "instrument" not in file["/entry"]
