"""Every command in README and docs that is marked to be run, run as a reader would."""

import os
import re
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from layouts.beamline import load
from softbeam.ports import own_ports
from softbeam.programs import Programs

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"<!-- (run|run alone|run in background): ([\w-]+) -->\n```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = [
    pytest.param(page, how, language, text, id=f"{page.stem}:{name}")
    for page in PAGES
    for how, name, language, text in BLOCK.findall(page.read_text())
    if how != "run in background"
]
LANGUAGES = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [".venv/bin/python", "-c"]}

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A directory that looks like the checkout to the commands, with a beamline on ports of its own."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / ".venv").symlink_to(ROOT / ".venv", target_is_directory=True)
    (folder / "up.log").touch()
    (folder / "beamline.json").write_text(own_ports(load()).model_dump_json())
    return folder


@pytest.fixture(scope="module")
def up(folder):
    """What the reader has in the first terminal."""
    with (folder / "up.log").open("w") as log, Programs(log) as programs:
        programs.start(
            "up", "softbeam", ["up", "--beamline", folder / "beamline.json", "--data", folder / "data"]
        )
        programs.wait_ready(60)
        yield


def test_the_pages_have_commands():
    assert len(BLOCKS) >= 2
    assert ".venv/bin/softbeam up" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(("page", "how", "language", "text"), BLOCKS)
def test_commands_of_the_pages_do_what_they_say(page, how, language, text, folder, request):
    if how == "run":
        request.getfixturevalue("up")
    environment = os.environ | {"SOFTBEAM_BEAMLINE": str(folder / "beamline.json")}
    # To a file, and in a session of its own: EPICS' tools leave a repeater behind that holds a pipe open.
    with (folder / "output.txt").open("w+") as output:
        process = subprocess.Popen(
            [*LANGUAGES[language], text],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=110)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        said = output.read()
    log = (folder / "up.log").read_text()[-3000:]
    assert code == 0, f"{page.name}:\n{text}\n{said}\n{log}"
