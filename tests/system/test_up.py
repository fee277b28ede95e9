"""``softbeam up`` as a process: one READY line, clean ends, nothing left behind however it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layouts.beamline import load
from softbeam.ports import own_ports

pytestmark = pytest.mark.system


@pytest.fixture
def beamline(tmp_path):
    b = own_ports(load())
    (tmp_path / "beamline.json").write_text(b.model_dump_json())
    return b


@pytest.fixture
def up(tmp_path, beamline):
    """A function that starts it; whatever it left is killed after the test."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-m", "softbeam", "up", "-b", tmp_path / "beamline.json", "--data", tmp_path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for pid in family(tmp_path):
        os.kill(pid, signal.SIGKILL)


def family(folder):
    """Processes that were started with this folder's beamline file."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text:
            found.append(int(path.parent.name))
    return found


def gone(folder, seconds):
    deadline = time.monotonic() + seconds
    while (left := family(folder)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not left


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(up, tmp_path, number):
    process = up()
    assert process.stdout.readline().startswith("READY softbeam prefix=SB: ")
    assert len(family(tmp_path)) == 7  # up, simulator, two emitters, writer, two workers
    process.send_signal(number)
    out, _ = process.communicate(timeout=5)
    assert process.returncode == 0
    assert out == ""
    assert gone(tmp_path, 0.5)


def test_a_signal_before_it_is_ready_ends_everything(up, tmp_path):
    process = up()
    while len(family(tmp_path)) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=5)
    assert process.returncode == 0
    assert gone(tmp_path, 0.5)


def test_nothing_outlives_a_killed_parent(up, tmp_path):
    process = up()
    process.stdout.readline()
    process.kill()
    process.communicate()
    assert gone(tmp_path, 5)


@pytest.mark.parametrize("which", ["sim_port", "writer_port", "control", "stream"])
def test_a_port_that_is_taken_is_named(up, beamline, which):
    if which == "control":
        port = int(beamline.ca.control.rpartition(":")[2])
    elif which == "stream":
        port = int(beamline.detectors[0].stream.endpoint.rpartition(":")[2])
    else:
        port = getattr(beamline.ca, which)
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        holder.listen()
        process = up()
        out, err = process.communicate(timeout=70)
    assert process.returncode == 1
    assert "ended with exit code" in out
    assert str(port) in err


def test_a_program_that_dies_ends_the_other_and_is_named(up, tmp_path):
    process = up()
    process.stdout.readline()
    for pid in family(tmp_path):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"writer" in words:
            os.kill(pid, signal.SIGKILL)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "writer ended by itself with exit code -9" in out
    assert gone(tmp_path, 3)
