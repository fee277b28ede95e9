"""The generated pages are those that the code writes now, and every link in the docs leads somewhere."""

import re
from pathlib import Path

import pytest

from layouts.beamline import Preset, load
from softbeam.pvs import devices
from softbeam.reference import pages

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", ["pvs.md", "commands.md", "beamline.schema.json"])
def test_generated_pages_are_up_to_date(name):
    committed = (ROOT / "docs" / "reference" / name).read_text()
    assert committed == pages()[name], "run: make docs"


@pytest.mark.parametrize("page", DOCS, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("preset", list(Preset))
def test_every_pv_is_listed_with_a_sentence(preset):
    page = pages()["pvs.md"]
    for device in devices(load().model_copy(update={"preset": preset})):
        for name, record in device.records.items():
            assert record.doc.endswith("."), f"{device.title}: {name} says nothing"
            assert f"| `{name}` | " in page, f"{device.title}: {name} is not listed"
