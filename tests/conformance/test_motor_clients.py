"""Real Channel Access clients move our motors: EPICS base's tools, pyepics, ophyd, ophyd-async, bluesky."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest

from tests.kit.epics_tools import call, tool
from tests.kit.programs import ROOT, client_environment, free_ports, program

pytestmark = pytest.mark.conformance

CHILDREN = Path(__file__).parent / "children"


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Environment of clients of a running motor server."""
    (port,) = free_ports(1)
    with program([ROOT / "tests/kit/serve_motors.py", port], tmp_path):
        yield client_environment(port)


@pytest.mark.parametrize(
    ("child", "package"),
    [
        ("motor_pyepics.py", "epics"),
        ("motor_ophyd.py", "ophyd"),
        ("motor_ophyd_async.py", "ophyd_async"),
    ],
)
def test_motor_classes(clients: dict[str, str], child: str, package: str) -> None:
    if util.find_spec(package) is None:
        pytest.skip(f"{package} is missing")
    command = [sys.executable, "-W", "ignore", CHILDREN / child, "SB:"]
    done = subprocess.run(command, env=clients, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OK" in done.stdout


def test_command_line(clients: dict[str, str]) -> None:
    omega = "SB:MOT:OMEGA"
    assert call("caget", "-t", f"{omega}.EGU", f"{omega}.DMOV", env=clients).split() == ["deg", "1"]
    assert call("caput", "-c", "-t", "-w", "10", omega, "3", env=clients) == "3"
    assert call("caget", "-t", f"{omega}.RBV", env=clients) == "3"
    # Out of limits: the record keeps its place and says so.
    call("caput", "-c", omega, "99999", env=clients)
    assert call("caget", "-t", omega, f"{omega}.LVIO", f"{omega}.DMOV", env=clients).split() == [
        "3",
        "1",
        "1",
    ]
    assert "Lo ctrl limit:    -3600" in call("caget", "-d", "DBR_CTRL_DOUBLE", omega, env=clients)
    call("caput", "-c", f"{omega}.HLM", "10", env=clients)
    assert "Hi ctrl limit:    10" in call("caget", "-d", "DBR_CTRL_DOUBLE", omega, env=clients)
    assert call("caput", "-t", f"{omega}.FOFF", "Frozen", env=clients) == "Frozen"


def test_monitors_of_a_move(clients: dict[str, str]) -> None:
    omega = "SB:MOT:OMEGA"
    names = [f"{omega}.{field}" for field in ("DMOV", "MOVN", "RBV")]
    watch = subprocess.Popen(
        [tool("camonitor"), "-n", *names], env=clients, stdout=subprocess.PIPE, text=True
    )
    try:
        assert watch.stdout is not None
        seen = [_event(watch.stdout.readline()) for _ in names]
        assert sorted(seen) == [("DMOV", "1"), ("MOVN", "0"), ("RBV", "0")]
        call("caput", "-c", "-w", "10", omega, "5", env=clients)
        seen = [_event(watch.stdout.readline())]
        while seen[-1] != ("DMOV", "1"):
            seen.append(_event(watch.stdout.readline()))
    finally:
        watch.kill()
        watch.communicate()
    assert seen[:2] == [("DMOV", "0"), ("MOVN", "1")]
    assert seen[-3:] == [("RBV", "5"), ("MOVN", "0"), ("DMOV", "1")]
    readbacks = [float(value) for field, value in seen if field == "RBV"]
    assert readbacks == sorted(readbacks)


def _event(line: str) -> tuple[str, str]:
    name, *_, value = line.split()
    return name.rpartition(".")[2], value
