"""The screens command: what it writes, what it leaves alone, what it tells; and pictures of the files."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ioc.records import Kind, Record
from ioc.tables.build import READONLY, choice, number, said, shown
from layouts.beamline import load
from softbeam.__main__ import app
from softbeam.pvs import DeviceTable
from softbeam.screens import bob
from softbeam.screens.bob import Box, Display, Type
from softbeam.screens.families import group
from softbeam.screens.files import SETTINGS, ForeignFileError, opening, texts, write
from softbeam.screens.generate import screens
from softbeam.screens.lines import words
from softbeam.screens.picture import draw
from softbeam.screens.plans import Look, Plan, find
from softbeam.screens.readings import Reading, at_boot
from softbeam.screens.tree import read, resolve
from softbeam.screens.widgets import Shown, show

GREEN, MAGENTA = (0, 220, 0), (200, 0, 200)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("AcquirePeriod", "Acquire period"),
        ("NumImages_RBV", "Num images"),
        ("SWMRMode", "SWMR mode"),
        ("XPixelSize_RBV", "X pixel size"),
        ("ExtraDimSize3", "Extra dim size 3"),
        ("NDArrayPort", "ND array port"),
        ("VELO", "VELO"),
        ("IOSpeed", "IO speed"),
    ],
)
def test_names_become_words(name, said):
    assert words(name) == said


def test_the_plan_that_needs_most_is_taken():
    def plan(file, *needs):
        return Plan(file=file, title="", needs=frozenset(needs), pages=())

    plans = [plan("a", "X"), plan("b", "X", "Y"), plan("c", "Z")]
    assert find(plans, ["X", "Y", "W"]).file == "b"
    assert find(plans, ["W"]) is None


def test_devices_of_the_same_records_share_displays():
    families = {f.file: f for f in group("SB:", _devices(), ())}
    assert families["lamp"].prefix == "$(P)$(R)"
    assert [d.macros for d in families["lamp"].devices] == [
        (("P", "SB:"), ("R", "L1:")),
        (("P", "SB:"), ("R", "L2:")),
    ]
    assert families["lamp_2"].devices[0].prefix == "SB:L3:"
    assert families["axis"].prefix == "$(P)$(M)."
    assert families["axis"].devices[0].macros == (("P", "SB:"), ("M", "AX"))


def test_what_was_written_may_be_written_again_and_nothing_else(tmp_path):
    files = texts(screens(load()), {"org.phoebus.pv.ca/addr_list": "127.0.0.1:1"})
    assert {p.name for p in write(tmp_path, files)} == set(files)
    assert (tmp_path / SETTINGS).read_text().splitlines()[1] == "org.phoebus.pv.ca/addr_list=127.0.0.1:1"
    write(tmp_path, files)
    mine = tmp_path / "motor.bob"
    mine.write_text(mine.read_text().replace(bob.MADE, "Saved by an editor"))
    (tmp_path / "cam.bob").unlink()
    with pytest.raises(ForeignFileError, match=r"motor\.bob not made by softbeam screens"):
        write(tmp_path, files)
    assert not (tmp_path / "cam.bob").exists(), "all or nothing"


def test_the_command_says_what_it_wrote_and_how_to_open_it(tmp_path):
    done = CliRunner().invoke(app, ["screens", str(tmp_path / "bob")])
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert str(tmp_path / "bob" / "overview.bob") in lines
    assert any(f'-resource "file://{tmp_path}/bob/overview.bob"' in line for line in lines)
    assert any("motor.bob?P=SB:&M=MOT:OMEGA" in line for line in lines)
    settings = (tmp_path / "bob" / "settings.ini").read_text()
    assert "org.phoebus.pv.ca/addr_list=127.0.0.1:5164 127.0.0.1:5166\n" in settings
    (tmp_path / "bob" / "hdf.bob").write_text("<display/>\n")
    again = CliRunner().invoke(app, ["screens", str(tmp_path / "bob")])
    assert again.exit_code == 1
    assert "hdf.bob not made by softbeam screens" in again.output


def test_opening_names_the_settings_and_the_overview(tmp_path):
    told = "\n".join(opening(tmp_path, screens(load())))
    assert str(tmp_path / SETTINGS) in told
    assert (tmp_path / "overview.bob").as_uri() in told


def test_macros_without_a_value_stay():
    assert resolve("$(P)$(Q)x", {"P": "SB:"}) == "SB:$(Q)x"


@pytest.mark.parametrize(
    ("record", "value", "said"),
    [
        (number("A", units="eV", precision=2), 12700.5, "12700.50 eV"),
        (shown("A", 7, units="B"), 7, "7 B"),
        (choice("A", ("No", "Yes")), 1, "Yes"),
        (choice("A", ("No", "Yes")), "Yes", "Yes"),
        (said("A"), "a text", "a text"),
        (Record(name="A", kind=Kind.DOUBLES, length=2, precision=1), [1.0, 2.25], "[1.0, 2.2]"),
        (said("A"), None, ""),
    ],
)
def test_values_are_shown_with_decimals_and_units(record, value, said):
    assert Reading(record, value).text() == said


def test_a_picture_shows_what_the_file_says(tmp_path):
    record = choice("Up", ("No", "Yes"), does=READONLY)
    widgets = show(Shown(record=record, pv="$(P)Up", look=Look.LIGHT), Box(10, 10, 40, 24))
    text = bob.xml(Display(name="small", width=60, height=44, widgets=widgets))
    (light,) = read(text, {"P": "SB:"}).children
    assert (light.type, light.pv) == (Type.LED, "SB:Up")
    x, y, width, height = light.box
    for value, inside, edge in (("Yes", GREEN, None), (None, None, MAGENTA)):
        path = tmp_path / "small.png"
        draw(text, path, {"P": "SB:"}, {"SB:Up": Reading(record, value)})
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        assert pixels.shape == (44, 60, 3)
        if inside:
            assert tuple(pixels[y + height // 2, x + width // 2]) == inside
        if edge:
            assert tuple(pixels[y, x + width // 2]) == edge


@pytest.mark.parametrize("file", ["motor.bob", "hdf.bob"])
def test_a_display_can_be_drawn(file, tmp_path):
    screen = next(s for s in screens(load()) if s.file == file)
    path = tmp_path / "a.png"
    draw(screen.text, path, screen.devices[0], at_boot(load()))
    box = read(screen.text, {}).box
    with Image.open(path) as image:
        assert image.size == (box.width, box.height)


def _devices():
    def table(title, prefix, *names):
        return DeviceTable(title=title, prefix=prefix, records={n: shown(n, 0) for n in names})

    return [
        table("lamp 1 of EIG1", "SB:L1:", "On"),
        table("lamp 2 of EIG1", "SB:L2:", "On"),
        table("lamp 3 of EIG1", "SB:L3:", "On", "Off"),
        table("axis", "SB:AX.", "VAL"),
    ]
