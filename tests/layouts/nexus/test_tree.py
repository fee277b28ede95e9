"""Trees: values, links, comparison, and the way to a file and back."""

import h5py
import numpy as np
import pytest

from layouts.nexus.text import render
from layouts.nexus.tree import (
    ExternalLink,
    Field,
    Group,
    HardLink,
    SoftLink,
    Stretch,
    Virtual,
    as_text,
    data,
    differences,
    find,
    group,
    maybe,
    same,
)
from layouts.nexus.tree_h5 import read, write


def example() -> Group:
    return group(
        "NXroot",
        {
            "entry": group(
                "NXentry",
                {
                    "title": data("a run"),
                    "unicode": data("Jürgen"),
                    "empty": data(""),
                    "names": data(["omega", "."]),
                    "count": data(3),
                    "angle": data(1.5, units="deg", vector=[0.0, 0.0, 1.0]),
                    "none": data(np.empty(0)),
                    "a_mask": data(np.eye(4, dtype=np.uint32)),
                    "z_mask": HardLink(path="/entry/a_mask"),
                    "left_out": maybe(None),
                    "soft": SoftLink(path="/entry/title"),
                    "outside": ExternalLink(file="raw.h5", path="/entry/data/data"),
                    "frames": Virtual(
                        shape=(6, 3, 4),
                        dtype="uint16",
                        fill=65535,
                        stretches=(
                            Stretch(file="raw.h5", path="/entry/data/data", extent=3, start=0, stop=2, at=0),
                            Stretch(file="raw.h5", path="/entry/data/data", extent=3, start=2, stop=3, at=4),
                        ),
                    ),
                },
                default="data",
            )
        },
    )


def test_a_tree_comes_back_from_a_file_as_it_was(tmp_path):
    write(tmp_path / "a.h5", example())
    assert list(differences(example(), read(tmp_path / "a.h5"))) == []


def test_what_hdf5_makes_of_it(tmp_path):
    write(tmp_path / "a.h5", example())
    with h5py.File(tmp_path / "a.h5") as file:
        entry = file["entry"]
        assert entry["title"].dtype == "S5"
        assert entry.attrs.get_id("NX_class").dtype == "S7"
        assert h5py.check_string_dtype(entry["unicode"].dtype).encoding == "utf-8"
        assert entry["a_mask"].chunks is None
        assert entry["a_mask"] == entry["z_mask"]
        assert (entry["frames"][()] == 65535).all()
        assert entry["frames"].fillvalue == 65535


def test_the_virtual_data_set_maps_rows(tmp_path):
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file["entry/data/data"] = np.arange(36, dtype=np.uint16).reshape(3, 3, 4)
    write(tmp_path / "a.h5", example())
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["entry/frames"][:, 0, 0].tolist() == [0, 12, 65535, 65535, 24, 65535]
        assert file["entry/outside"].shape == (3, 3, 4)


def test_a_virtual_data_set_may_map_nothing(tmp_path):
    nothing = Virtual(shape=(2, 3, 4), dtype="uint8", fill=255, stretches=())
    write(tmp_path / "a.h5", group("NXroot", {"v": nothing}))
    with h5py.File(tmp_path / "a.h5") as file:
        assert (file["v"][()] == 255).all()
    assert same(read(tmp_path / "a.h5").members["v"], nothing)


BLOCKS = Virtual(
    shape=(9, 3, 4),
    dtype="uint16",
    fill=65535,
    stretches=(Stretch(file="raw.h5", path="/d", extent=6, start=1, stop=5, at=2, block=2, stride=5),),
)


def test_rows_may_stand_in_blocks_at_a_distance(tmp_path):
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file["d"] = np.arange(72, dtype=np.uint16).reshape(6, 3, 4)
    write(tmp_path / "a.h5", group("NXroot", {"v": BLOCKS}))
    assert same(read(tmp_path / "a.h5").members["v"], BLOCKS)
    with h5py.File(tmp_path / "a.h5") as file:
        rows = file["v"][:, 0, 0].tolist()
    assert rows == [65535, 65535, 12, 24, 65535, 65535, 65535, 36, 48]
    assert [rows[place] for place in BLOCKS.stretches[0].places] == [12, 24, 36, 48]


@pytest.mark.parametrize(
    ("where", "which"), [(np.s_[0:2, 0:1], np.s_[0:2, 0:1]), (np.s_[0:2], np.s_[0:4:2])], ids=["part", "rows"]
)
def test_mappings_that_no_tree_can_hold_are_refused(tmp_path, where, which):
    layout = h5py.VirtualLayout((4, 3), dtype="u2")
    layout[where] = h5py.VirtualSource("raw.h5", "d", shape=(4, 3))[which]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("v", layout)
    with pytest.raises(OSError, match="something else than blocks of whole rows"):
        read(tmp_path / "a.h5")


def test_files_are_never_overwritten(tmp_path):
    write(tmp_path / "a.h5", example())
    with pytest.raises(FileExistsError):
        write(tmp_path / "a.h5", example())


def test_differences_say_where():
    one, other = example(), example()
    entry = other.members["entry"]
    changed = Group(attributes=entry.attributes, members={**entry.members, "count": data(4)})
    other = Group(attributes=other.attributes, members={"entry": changed, "more": data(1)})
    assert [d.partition(":")[0] for d in differences(one, other)] == ["/entry/count", "/more"]
    assert not same(one, other)
    assert same(data(np.nan), data(np.nan))
    assert not same(data(1), data(1.0))


def test_find_follows_links_and_stops():
    root = group(
        "NXroot",
        {
            "a": group("NXentry", {"x": data(1), "y": SoftLink(path="/b/x")}),
            "b": SoftLink(path="/a"),
            "c": SoftLink(path="/d"),
            "d": SoftLink(path="/c"),
        },
    )
    assert isinstance(find(root, "/b/x"), Field)
    assert isinstance(find(root, "/a/y"), Field)
    assert find(root, "/c") is None
    assert find(root, "/a/x/z") is None


def test_variable_text_is_noticed(tmp_path):
    with h5py.File(tmp_path / "v.h5", "w") as file:
        file["text"] = "variable"
        file["number"] = 1
        file["number"].attrs["units"] = "deg"
    root = read(tmp_path / "v.h5")
    assert root.members["text"].variable
    assert root.members["number"].variable
    assert as_text(root.members["text"].value) == "variable"


def test_text_shows_links_and_arrays():
    lines = render(example()).splitlines()
    assert any("soft -> /entry/title" in line for line in lines)
    assert any("z_mask => /entry/a_mask" in line for line in lines)
    assert any("a_mask = uint32 4 x 4, 4 not zero, crc" in line for line in lines)
    assert any("[4:5] from raw.h5:/entry/data/data [2:3] of 3" in line for line in lines)
