"""Screens: every PV is on one, nothing overlaps or is cut off, Phoebus knows every widget and property."""

import json
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ioc.records import Kind, Record, expand
from ioc.tables.build import choice, number, shown, text, told
from layouts.beamline import load
from softbeam.pvs import DeviceTable, devices
from softbeam.screens import bob
from softbeam.screens.bob import Box, Type
from softbeam.screens.families import group
from softbeam.screens.generate import OVERVIEW, PLANS, pages, screens
from softbeam.screens.plans import Line
from softbeam.screens.tree import read

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
WIDGETS = json.loads((GOLDEN / "phoebus-widgets.json").read_text())
BEAMLINES = {preset: load().model_copy(update={"preset": preset}) for preset in ("adcore", "dls")}
MADE = {preset: screens(beamline) for preset, beamline in BEAMLINES.items()}
SCREENS = [
    pytest.param(screen, id=f"{preset}-{screen.file}") for preset, made in MADE.items() for screen in made
]
SMALL = (
    number("Energy", 12700.0, "Photon energy.", units="eV", low=1000, high=30000),
    choice("Mode", ("Single", "Multiple", "Continuous"), doc="How often."),
    choice("Start", ("Done", "Start"), doc="Begin; a put completes at the end.", rbv=False, rtype="busy"),
    told("Armed_RBV", ("No", "Yes"), doc="Whether it waits."),
    text("FilePath", "", "Directory."),
    shown("Count_RBV", 0, "Frames so far."),
    Record(name="Curve_RBV", kind=Kind.DOUBLES, length=100, doc="Many values."),
)
ENTRIES = {Type.TEXT_ENTRY, Type.COMBO, Type.ACTION_BUTTON, Type.BOOL_BUTTON}


@pytest.fixture(scope="module", params=list(BEAMLINES))
def beamline(request):
    return BEAMLINES[request.param]


def nodes(screen, macros=None):
    """Widgets of a display, without the display itself."""
    top = read(screen.text, screen.devices[0] if macros is None else macros)
    return [node for node in top.walk() if node is not top]


def everywhere(screen):
    return [node for macros in screen.devices for node in nodes(screen, macros)]


def test_each_pv_is_on_a_screen_and_each_pv_of_a_screen_exists(beamline):
    there = {f"{d.prefix}{name}" for d in devices(beamline) for name in d.records}
    named = {pv for s in MADE[beamline.preset] for n in everywhere(s) for pv in n.pvs}
    assert named == there


def test_what_can_be_put_can_be_put_from_a_screen(beamline):
    writable = {f"{d.prefix}{n}" for d in devices(beamline) for n, r in d.records.items() if r.writable}
    on_entries = {n.pv for s in MADE[beamline.preset] for n in everywhere(s) if n.type in ENTRIES}
    assert on_entries - writable <= {""}, "an entry for what is read-only"
    assert not writable - on_entries


def test_the_same_beamline_gives_the_same_bytes(beamline):
    assert screens(beamline) == MADE[beamline.preset]


def test_files_have_names_of_their_own(beamline):
    files = [s.file for s in MADE[beamline.preset]]
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("screen", SCREENS)
def test_phoebus_knows_every_widget_and_property(screen):
    root = ET.fromstring(screen.text)
    assert (root.tag, root.get("version")) == ("display", "2.0.0")
    for element in root.iter("widget"):
        known = WIDGETS[element.get("type")]
        assert element.get("version") == known["version"]
        tags = {child.tag for child in element} - {"widget"}
        assert tags <= set(known["properties"]), element.findtext("name")
    assert screen.text.splitlines()[1] == f"<!-- {bob.MADE} -->"


@pytest.mark.parametrize("screen", SCREENS)
def test_no_widget_overlaps_another_or_leaves_its_place(screen):
    display = read(screen.text, screen.devices[0])
    parents = [node for node in display.walk() if node.children]
    for parent in parents:
        inner = parent.box if parent is display else _inside(parent.box)
        for node in parent.children:
            assert _within(node.box, inner), (screen.file, node.text("name"))
        for one, other in combinations(parent.children, 2):
            assert not _overlap(one.box, other.box), (screen.file, one.text("name"), other.text("name"))


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_fits_a_monitor(screen):
    box = read(screen.text, {}).box
    assert box.width <= 1920
    assert box.height <= 1080


@pytest.mark.parametrize("screen", SCREENS)
def test_words_have_room(screen):
    for node in nodes(screen):
        text = node.text("text") if node.type in (Type.LABEL, Type.ACTION_BUTTON) else node.text("off_label")
        font = node.element.find("font/font")
        size = float(font.get("size")) if font is not None else 14.0
        bold = font is not None and font.get("style") == "BOLD"
        padding = 0 if node.type is Type.LABEL else 16
        assert _width(text, size, bold) + padding <= node.box.width, (text, node.box.width)


@pytest.mark.parametrize("screen", SCREENS)
def test_macros_are_resolved(screen):
    for node in nodes(screen):
        assert "$(" not in node.pv
        assert "$(" not in node.text("tooltip")
        for action in node.element.iterfind("actions/action[@type='write_pv']"):
            assert action.findtext("pv_name") == "$(pv_name)"


def test_buttons_lead_to_displays_with_their_macros(beamline):
    made = {s.file: s for s in MADE[beamline.preset]}
    for screen in made.values():
        for action in ET.fromstring(screen.text).iter("action"):
            if action.get("type") == "open_display":
                target = made[action.findtext("file")]
                given = action.find("macros")
                macros = screen.devices[0] if given is None else {m.tag: m.text for m in given}
                assert macros in target.devices, (screen.file, target.file)


def test_the_overview_opens_a_display_of_each_device(beamline):
    overview, *others = MADE[beamline.preset]
    assert overview.file == OVERVIEW
    opened = [
        (action.findtext("file"), {m.tag: m.text for m in action.find("macros")})
        for action in ET.fromstring(overview.text).iter("action")
        if action.get("type") == "open_display"
    ]
    tables = devices(beamline)
    assert len(opened) == len(tables)
    prefixes = {m["P"] + (f"{m['M']}." if "M" in m else m["R"]) for _, m in opened}
    assert prefixes == {d.prefix for d in tables}
    assert {file for file, _ in opened} <= {s.file for s in others}


def test_tool_tips_say_what_a_record_is():
    screen = next(s for s in MADE["adcore"] if s.file == "cam.bob")
    tips = {n.pv: n.text("tooltip") for n in nodes(screen)}
    assert tips["SB:EIG1:cam1:AcquireTime"].startswith("SB:EIG1:cam1:AcquireTime\n")
    docs = {f"{d.prefix}{n}": r.doc for d in devices(load()) for n, r in d.records.items()}
    for pv, tip in tips.items():
        assert not pv or tip.endswith(docs[pv])


def test_long_strings_are_texts_and_bars_follow_their_full_length():
    screen = next(s for s in MADE["adcore"] if s.file == "hdf.bob")
    by_pv = {(n.pv, n.type): n for n in nodes(screen)}
    assert by_pv["SB:EIG1:HDF1:FilePath", Type.TEXT_ENTRY].text("format") == "6"
    assert by_pv["SB:EIG1:HDF1:FilePath_RBV", Type.TEXT_UPDATE].text("format") == "6"
    assert by_pv["SB:EIG1:HDF1:NumCaptured_RBV", Type.PROGRESS_BAR].rules == {
        "maximum": ("SB:EIG1:HDF1:NumCapture_RBV", "SB:EIG1:HDF1:NumExpected_RBV")
    }


def test_plans_name_records_that_are_there():
    families = [f for b in BEAMLINES.values() for f in group(b.prefix, devices(b), PLANS)]
    for plan in PLANS:
        records = next((family.records for family in families if family.plan is plan), None)
        if records is None:
            continue
        entries = [e for page in plan.pages for g in page.groups for e in g.entries]
        cells = [c for e in (*entries, *plan.panel) if isinstance(e, Line) for c in e.cells] + list(plan.line)
        named = {e for e in entries if isinstance(e, str) and not re.search(r"[*?]", e)}
        named |= {*plan.labels, *plan.looks, *plan.bars, *sum(plan.bars.values(), ()), *plan.bits}
        missing = {name for name in named if name not in records}
        missing |= {c.record for c in cells if not any(n in records for n in c.record.split("|"))}
        assert not missing, plan.file


def test_a_small_screen_is_as_committed():
    table = DeviceTable(title="thing 1 of EIG1", prefix="SB:EIG1:THING1:", records=expand(SMALL))
    (family,) = group("SB:", [table], ())
    ((file, text),) = pages(family)
    assert file == "thing.bob"
    assert text == (GOLDEN / "screen-thing.bob").read_text()


def _inside(box: Box) -> Box:
    return Box(box.x + 1, box.y + bob.TITLE_HEIGHT, box.width - 2, box.height - bob.TITLE_HEIGHT - 1)


def _within(box: Box, outer: Box) -> bool:
    return (
        outer.x <= box.x
        and outer.y <= box.y
        and box.x + box.width <= outer.x + outer.width
        and box.y + box.height <= outer.y + outer.height
        and min(box.width, box.height) > 0
    )


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def _width(text: str, size: float, bold: bool) -> float:
    """Pixels of a text in Helvetica, whose widths Phoebus' Liberation Sans shares; matplotlib brings them."""
    return sum(_metrics(bold).get(ord(letter), 1000) for letter in text) * size / 1000


def _metrics(bold: bool, cache: dict[bool, dict[int, float]] = {}) -> dict[int, float]:  # noqa: B006
    if bold not in cache:
        import matplotlib as mpl

        name = "Helvetica-Bold.afm" if bold else "Helvetica.afm"
        afm = (Path(mpl.get_data_path()) / "fonts" / "pdfcorefonts" / name).read_text()
        cache[bold] = {int(c): float(w) for c, w in re.findall(r"^C (\d+) ; WX (\d+)", afm, re.MULTILINE)}
    return cache[bold]
