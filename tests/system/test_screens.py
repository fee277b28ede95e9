"""Screens against programs that run: every PV that they name is served, pictures show live values."""

import pytest
from typer.testing import CliRunner

from ioc import names
from layouts.beamline import load
from softbeam.__main__ import app
from softbeam.screens.generate import screens
from softbeam.screens.readings import live
from softbeam.screens.tree import read
from tests.kit.beamline import running

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(load(), tmp_path_factory.mktemp("screens")) as beamline:
        yield beamline


def test_every_pv_of_the_screens_is_served(up):
    nodes = [n for s in screens(up.beamline) for macros in s.devices for n in read(s.text, macros).walk()]
    pvs = {pv for node in nodes for pv in node.pvs}
    values = live(up.beamline, pvs, up.addresses)
    assert values is not None
    assert not [pv for pv in sorted(pvs) if values[pv].value is None]


def test_pictures_have_the_values_of_now(up):
    up.move({"phi": 12.5})
    pv = f"{names.motor(up.beamline.prefix, up.beamline.motor('phi').pv)}.RBV"
    values = live(up.beamline, [pv], up.addresses)
    assert values is not None
    assert values[pv].text().startswith("12.5")


def test_the_command_draws_what_runs(up):
    out = up.folder / "bob"
    file = str(up.folder / "beamline.json")
    done = CliRunner().invoke(app, ["screens", str(out), "--beamline", file, "--pictures"])
    assert done.exit_code == 0, done.output
    assert "No server answers" not in done.output
    assert (out / "overview.png").stat().st_size > 10_000


def test_without_servers_there_are_no_live_values(up):
    assert live(up.beamline, ["SB:NO:SUCH:PV"], up.addresses) is None
