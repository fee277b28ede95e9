"""Real Channel Access clients move our motors: EPICS base's tools, pyepics, ophyd, ophyd-async, bluesky."""

import itertools
import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest

from layouts.beamline import default_text
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
        ("motor_aioca.py", "aioca"),
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


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("DVAL", ["Units:            deg", "Precision:        4", "Lo ctrl limit:    -3600"]),
        ("RRBV", ["Hi disp limit:    36000000"]),
        ("VELO", ["Units:            deg/sec", "Hi ctrl limit:    360", "Lo ctrl limit:    0"]),
        ("JAR", ["Units:            deg/s/s", "Hi ctrl limit:    1e+300"]),
        ("VERS", ["Native data type: DBF_FLOAT", "Precision:        2"]),
        ("MSTA", ["Native data type: DBF_DOUBLE"]),
        ("MIP", ["Native data type: DBF_LONG"]),
        ("DISP", ["Native data type: DBF_CHAR"]),
        ("DTYP", ["Native data type: DBF_ENUM"]),
        ("FLNK", ["Native data type: DBF_STRING"]),
    ],
)
def test_control_information(clients: dict[str, str], field: str, said: list[str]) -> None:
    pv = f"SB:MOT:OMEGA.{field}"
    kind = {"RRBV": "DBR_CTRL_LONG", "FLNK": "DBR_CTRL_STRING", "DTYP": "DBR_CTRL_ENUM"}
    found = call("caget", "-d", kind.get(field, "DBR_CTRL_DOUBLE"), pv, env=clients)
    for line in said:
        assert line in found


def test_alarm_limits_units_and_decimals_follow_their_fields(clients: dict[str, str]) -> None:
    omega = "SB:MOT:OMEGA"
    limits = (("HIHI", "90"), ("HIGH", "80"), ("LOW", "-5"), ("LOLO", "-9"))
    for field, value in (*limits, ("EGU", "mrad"), ("PREC", "1")):
        call("caput", "-c", f"{omega}.{field}", value, env=clients)
    said = call("caget", "-d", "DBR_CTRL_DOUBLE", omega, env=clients)
    for line in (
        "Hi alarm limit:   90",
        "Hi warn limit:    80",
        "Lo warn limit:    -5",
        "Lo alarm limit:   -9",
        "Units:            mrad",
        "Precision:        1",
    ):
        assert line in said
    assert "mrad/se" in call("caget", "-d", "DBR_CTRL_DOUBLE", f"{omega}.VELO", env=clients)


def test_what_is_refused_and_what_is_taken(clients: dict[str, str]) -> None:
    omega = "SB:MOT:OMEGA"
    for field in ("RBV", "DMOV", "MSTA", "RHLM", "NAME"):
        refused = subprocess.run(
            [tool("caput"), f"{omega}.{field}", "1"], env=clients, capture_output=True, text=True, check=False
        )
        assert "Write access denied" in refused.stdout + refused.stderr
    call("caput", "-c", f"{omega}.RMOD", "9", env=clients, fails=True)
    call("caput", "-c", f"{omega}.RMOD", "Sometimes", env=clients, fails=True)
    assert call("caget", "-t", f"{omega}.RMOD", env=clients) == "Default"
    call("caput", "-c", "-s", f"{omega}.TWV", "2.5", env=clients)
    assert call("caget", "-t", f"{omega}.TWV", env=clients) == "2.5"
    call("caput", "-c", omega, "nan", env=clients, fails=True)
    assert call("caget", "-t", omega, f"{omega}.DMOV", env=clients).split() == ["0", "1"]


def test_the_alarm_is_that_of_the_record(clients: dict[str, str]) -> None:
    omega = "SB:MOT:OMEGA"
    call("caput", "-c", f"{omega}.HLSV", "MINOR", env=clients)
    call("caput", "-c", "-w", "10", omega, "5", env=clients)
    fine = call("caget", "-d", "DBR_STS_DOUBLE", f"{omega}.RBV", env=clients).split()
    assert fine.count("NO_ALARM") == 2
    call("caput", "-c", f"{omega}.DHLM", "4", env=clients)
    for field in ("RBV", "VAL", "DMOV", "VELO"):
        said = call("caget", "-d", "DBR_STS_DOUBLE", f"{omega}.{field}", env=clients).split()
        assert {"HIGH", "MINOR"} <= set(said), field
    assert call("caget", "-t", f"{omega}.STAT", f"{omega}.SEVR", env=clients).split() == ["HIGH", "MINOR"]


def test_puts_can_be_disabled(clients: dict[str, str]) -> None:
    omega = "SB:MOT:OMEGA"
    call("caput", "-c", f"{omega}.DISP", "1", env=clients)
    call("caput", "-c", omega, "3", env=clients, fails=True)
    call("caput", "-c", f"{omega}.DISP", "0", env=clients)
    call("caput", "-c", "-w", "10", omega, "3", env=clients)
    assert call("caget", "-t", f"{omega}.RBV", f"{omega}.DISP", env=clients).split() == ["3", "0"]


@pytest.mark.parametrize(("field", "mask"), [("MDEL", "v"), ("ADEL", "l")])
def test_deadbands_leave_monitors_out(clients: dict[str, str], field: str, mask: str) -> None:
    omega = "SB:MOT:OMEGA"
    call("caput", "-c", f"{omega}.{field}", "3", env=clients)
    watch = subprocess.Popen(
        [tool("camonitor"), "-n", "-m", mask, f"{omega}.RBV", f"{omega}.DMOV"],
        env=clients,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert watch.stdout is not None
        seen = [_event(watch.stdout.readline()) for _ in range(2)]
        call("caput", "-c", "-w", "10", omega, "10", env=clients)
        while seen[-1] != ("DMOV", "1") or len(seen) < 4:
            seen.append(_event(watch.stdout.readline()))
    finally:
        watch.kill()
        watch.communicate()
    readbacks = [float(value) for field, value in seen if field == "RBV"]
    assert 2 <= len(readbacks) <= 4
    assert all(b - a > 3 for a, b in itertools.pairwise(readbacks))
    assert call("caget", "-t", f"{omega}.RBV", env=clients) == "10"


def test_tpro_logs_each_processing(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with program([ROOT / "tests/kit/serve_motors.py", port], tmp_path) as served:
        env = client_environment(port)
        call("caput", "-c", "SB:MOT:OMEGA.PROC", "1", env=env)
        assert "process" not in served.said()
        call("caput", "-c", "SB:MOT:OMEGA.TPRO", "1", env=env)
        call("caput", "-c", "SB:MOT:OMEGA.PROC", "1", env=env)
        assert "process SB:MOT:OMEGA" in served.said()


def test_a_motor_that_stops_short_tries_again_until_it_misses(tmp_path: Path) -> None:
    file = tmp_path / "short.toml"
    file.write_text(default_text().replace('name = "omega"\nkind', 'name = "omega"\nundershoot = 0.5\nkind'))
    (port,) = free_ports(1)
    with program([ROOT / "tests/kit/serve_motors.py", port, file], tmp_path):
        env, omega = client_environment(port), "SB:MOT:OMEGA"
        fields = [f"{omega}.{field}" for field in ("RCNT", "MISS", "DMOV", "RBV")]
        call("caput", "-c", f"{omega}.RTRY", "3", env=env)
        call("caput", "-c", "-w", "10", omega, "16", env=env)
        assert call("caget", "-t", *fields, env=env).split() == ["4", "1", "1", "15"]
        call("caput", "-c", f"{omega}.RTRY", "10", env=env)
        call("caput", "-c", f"{omega}.RDBD", "0.01", env=env)
        call("caput", "-c", "-w", "10", omega, "0", env=env)
        retries, missed, done, readback = call("caget", "-t", *fields, env=env).split()
        assert (int(retries) > 5, missed, done) == (True, "0", "1")
        assert abs(float(readback)) < 0.01


def test_monitors_of_a_move(clients: dict[str, str]) -> None:
    omega = "SB:MOT:OMEGA"
    names = [f"{omega}.{field}" for field in ("DMOV", "MOVN", "RBV", "VAL")]
    watch = subprocess.Popen(
        [tool("camonitor"), "-n", *names], env=clients, stdout=subprocess.PIPE, text=True
    )
    try:
        assert watch.stdout is not None
        seen = [_event(watch.stdout.readline()) for _ in names]
        assert sorted(seen) == [("DMOV", "1"), ("MOVN", "0"), ("RBV", "0"), ("VAL", "0")]
        call("caput", "-c", "-w", "10", omega, "5", env=clients)
        seen = [_event(watch.stdout.readline())]
        while seen[-1] != ("DMOV", "1"):
            seen.append(_event(watch.stdout.readline()))
    finally:
        watch.kill()
        watch.communicate()
    # DMOV blinks before anything else, as the record's special processing has it.
    assert seen[:3] == [("DMOV", "0"), ("MOVN", "1"), ("VAL", "5")]
    assert seen[-3:] == [("RBV", "5"), ("MOVN", "0"), ("DMOV", "1")]
    readbacks = [float(value) for field, value in seen if field == "RBV"]
    assert readbacks == sorted(readbacks)


def _event(line: str) -> tuple[str, str]:
    name, *_, value = line.split()
    return name.rpartition(".")[2], value
