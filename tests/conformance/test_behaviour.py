"""Every row of the page of behaviour, done by a real Channel Access client (aioca) at the real programs."""

import json
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from layouts.beamline import Preset, load
from tests.kit.beamline import running
from tests.kit.behaviour import HEADER, PAGE, Event, PageError, items, matches, merged, parse
from tests.kit.programs import client_environment

CHILD = Path(__file__).parent / "children" / "behaviour.py"
SECTIONS = parse(PAGE.read_text())


@pytest.mark.conformance
@pytest.mark.timeout(300)
@pytest.mark.skipif(util.find_spec("aioca") is None, reason="aioca is missing")
@pytest.mark.parametrize("section", SECTIONS, ids=[section.title for section in SECTIONS])
def test_each_row_is_as_the_page_says(section, tmp_path: Path) -> None:
    beamline = load().model_copy(update={"preset": Preset(section.preset)})
    with running(beamline, tmp_path) as up:
        ca = up.beamline.ca
        done = subprocess.run(
            [sys.executable, "-W", "ignore", CHILD, PAGE, section.title, tmp_path],
            env=client_environment(ca.sim_port, ca.writer_port),
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:] + up.log[-2000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["line"] for one in found] == [row.line for row in section.rows]
    assert not [one for one in found if one["wrong"]]


def events(text: str) -> list[Event]:
    parts = [part.partition(" ") for part in text.split(", ")]
    return [Event(f"SB:EIG1:{pv}", [value]) for pv, _, value in parts]


@pytest.mark.parametrize(
    ("sequence", "seen", "right"),
    [
        ("c:A 1, A 0", "c:A 1, c:A 0", True),
        ("c:A 1, A 0", "c:A 0, c:A 1", False),
        ("c:A 1, A 0", "c:A 1, c:A 0, c:A 1", False),
        ("c:A 1, N ..3, A 0", "c:A 1, c:N 1, c:N 2, c:N 3, c:A 0", True),
        ("c:A 1, N ..3, A 0", "c:N 1, c:A 1, c:N 3, c:A 0", True),
        ("c:A 1, N ..3, A 0", "c:A 1, c:N 1, c:A 0, c:N 3", False),
        ("c:A 1, N ..3, A 0", "c:A 1, c:N 3, c:N 4, c:A 0", False),
        ("c:N 0, N ..3", "c:N 0, c:N 2, c:N 3", True),
        ("c:A 1", "c:B 5, c:A 1", True),
    ],
)
def test_a_sequence_is_exact(sequence: str, seen: str, right: bool) -> None:
    assert matches(items(sequence), events(seen)) is right


def test_equal_values_are_one() -> None:
    seen = merged(events("c:A 0, c:A 1, c:A 1, c:A 0"), {"SB:EIG1:c:A": ["0"]})
    assert [event.texts for event in seen] == [["1"], ["0"]]


@pytest.mark.parametrize(
    "row",
    [
        "| `a:B` | | | | x |",
        "| `a:B = 1` | `B` | | | x |",
        "| nothing | | | | x |",
        "| `a:B = 1` | |",
        "| `a:B = 1` | | | | |",
    ],
)
def test_a_row_that_cannot_be_read_says_its_line(row: str) -> None:
    page = f"## T\n\n{HEADER}\n|---|---|---|---|---|\n{row}\n"
    with pytest.raises(PageError, match="line 5"):
        parse(page)
