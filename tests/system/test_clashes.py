"""Programs that would serve what is served already, and health as a client sees it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from layouts.beamline import load
from softbeam.env import exports
from softbeam.ports import own_ports
from tests.kit.beamline import running
from tests.kit.epics_tools import call, tool
from tests.kit.programs import free_ports
from tests.kit.soft_ioc import soft_ioc
from tests.kit.tools_at import Tools

pytestmark = [pytest.mark.system, pytest.mark.conformance]


def small():
    b = load()
    return b.model_copy(update={"detectors": b.detectors[:1]})


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(small(), tmp_path_factory.mktemp("first")) as up:
        yield up


def start(folder, module, *options, beamline=None, **environment):
    """A program to its end, or until it is ready; what it said, and its exit code if it has ended."""
    file = folder / "second.json"
    file.write_text((beamline or own_ports(small())).model_dump_json())
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, "--beamline", file, *options],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        if line.startswith("READY"):
            return line, None
        _, said = process.communicate(timeout=20)
        return line + said, process.returncode
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def test_a_second_simulator_is_refused_with_who_serves_what(up, tmp_path):
    said, code = start(tmp_path, "sim", **exports(up.beamline))
    assert code == 1
    assert re.search(rf"SB:\S+ is served already, by 127.0.0.1:{up.beamline.ca.sim_port}: ", said)
    assert "--prefix" in said
    assert "READY" not in said
    assert "streams from" not in said


def test_a_second_writer_is_refused_before_it_has_begun(up, tmp_path):
    said, code = start(tmp_path, "writer", "--data", tmp_path, **exports(up.beamline))
    assert code == 1
    assert f"is served already, by 127.0.0.1:{up.beamline.ca.writer_port}" in said
    assert "worker" not in said


def test_with_another_prefix_there_is_no_clash(up, tmp_path):
    said, code = start(tmp_path, "sim", "--prefix", "OTHER:", **exports(up.beamline))
    assert code is None
    assert said.startswith("READY sim prefix=OTHER: ")


def test_ports_that_no_client_of_this_environment_asks_are_no_clash(up, tmp_path):
    _, code = start(tmp_path, "sim", EPICS_CA_ADDR_LIST="", EPICS_CA_SERVER_PORT=str(free_ports(1)[0]))
    assert code is None


def test_our_own_ports_are_looked_at_whatever_the_environment_says(up, tmp_path):
    """The same file again: the clash is named before a port or a stream that is taken."""
    said, code = start(tmp_path, "sim", beamline=up.beamline)
    assert code == 1
    assert f"is served already, by 127.0.0.1:{up.beamline.ca.sim_port}" in said


def test_a_real_ioc_at_the_usual_port_is_found(tmp_path):
    (port,) = free_ports(1)
    with soft_ioc('record(ao, "SB:EIG1:cam1:AcquireTime") {}', port, tmp_path):
        assert Tools(port).get("SB:EIG1:cam1:AcquireTime") == "0"
        said, code = start(tmp_path, "sim", EPICS_CA_SERVER_PORT=str(port))
        assert code == 1
        assert f"SB:EIG1:cam1:AcquireTime is served already, by 127.0.0.1:{port}" in said


def test_softbeam_up_says_why_and_leaves_nothing(up, tmp_path):
    file = tmp_path / "again.json"
    file.write_text(own_ports(small()).model_dump_json())
    done = subprocess.run(
        [sys.executable, "-m", "softbeam", "up", "-b", file, "--data", tmp_path],
        env=os.environ | exports(up.beamline),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "is served already" in done.stderr
    assert "ended with exit code 1" in done.stdout


# --- health -------------------------------------------------------------------------------------------------


def test_health_of_both_programs(up):
    client = Tools(up.beamline.ca.sim_port, up.beamline.ca.writer_port)
    ca = up.beamline.ca
    # An emitter; a worker and the previews.
    for program, port, children in (("SIM", ca.sim_port, "1"), ("WRITER", ca.writer_port, "2")):
        prefix = f"SB:IOC:{program}:"
        first = float(client.get(f"{prefix}HEARTBEAT"))
        client.until(f"{prefix}HEARTBEAT", lambda v, first=first: float(v) >= first + 2)
        assert client.get(f"{prefix}INTERFACES") == f"127.0.0.1:{port}"
        assert client.get(f"{prefix}CHILD_CNT") == children
        assert "MAJOR" not in call("caget", "-a", f"{prefix}CHILD_CNT", env=client.env)
        pid = int(float(client.get(f"{prefix}PROCESS_ID")))
        assert program.lower() in Path(f"/proc/{pid}/cmdline").read_text()
        assert float(client.get(f"{prefix}TREE_MEM_USED")) > float(client.get(f"{prefix}MEM_USED")) > 1e7
        assert client.may(f"{prefix}HEARTBEAT") == "read, no write"


def test_clients_and_puts_are_counted(up):
    client = Tools(up.beamline.ca.sim_port, up.beamline.ca.writer_port)
    before = int(client.get("SB:IOC:SIM:PUT_CNT"))
    watcher = subprocess.Popen(
        [tool("camonitor"), "SB:MOT:OMEGA.RBV", "SB:MOT:PHI.RBV", "SB:IOC:SIM:TOD"],
        env=client.env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client.until("SB:IOC:SIM:CA_CLNT_CNT", lambda v: int(v) >= 1)
        client.until("SB:IOC:SIM:CA_CONN_CNT", lambda v: int(v) >= 3)
        client.put("SB:MOT:OMEGA.VELO", "12", wait=True)
        client.until("SB:IOC:SIM:PUT_CNT", lambda v: int(v) == before + 1)
    finally:
        watcher.kill()
        watcher.wait()


def test_an_emitter_that_has_gone_is_an_alarm(up):
    client = Tools(up.beamline.ca.sim_port)
    sim = int(float(client.get("SB:IOC:SIM:PROCESS_ID")))
    (emitter,) = [int(word) for word in Path(f"/proc/{sim}/task/{sim}/children").read_text().split()]
    os.kill(emitter, signal.SIGKILL)
    client.until("SB:IOC:SIM:CHILD_CNT", lambda v: v == "0")
    assert "MAJOR" in call("caget", "-a", "SB:IOC:SIM:CHILD_CNT", env=client.env)
    client.put("SB:EIG1:cam1:Initialize", "1", wait=True)
    client.until("SB:IOC:SIM:CHILD_CNT", lambda v: v == "1")
