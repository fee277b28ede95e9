"""The house itself: size of files, docstrings, and that the packages are the checkout's own."""

import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "packages"
]
SOURCES = sorted(p for room in [*ROOMS, "tests"] for p in (ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_hold_one_idea(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= 400, f"{path.name} has {len(lines)} lines; split it"
    if lines and path.name != "conftest.py":
        assert lines[0].startswith(('"""', 'r"""')), "a module says in its first line what it is"


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_are_imported_from_this_checkout(room):
    module = importlib.import_module(room)
    assert Path(module.__path__[0]) == ROOT / room
