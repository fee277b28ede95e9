"""Programs under test: started on free ports, waited for, ended; and the environment of their clients."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = "READY"


def free_ports(number: int) -> list[int]:
    """TCP ports that are free for UDP as well; all different."""
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < number:
            tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held += [tcp, udp]
            tcp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                udp.bind(tcp.getsockname())
                ports.append(tcp.getsockname()[1])
    finally:
        for sock in held:
            sock.close()
    return ports


def client_environment(*servers: int) -> dict[str, str]:
    """Environment in which any CA client finds the servers on these loopback ports, and no others."""
    repeater, beacons = free_ports(2)
    return {
        **os.environ,
        "EPICS_CA_ADDR_LIST": " ".join(f"127.0.0.1:{port}" for port in servers),
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_REPEATER_PORT": str(repeater),
        "EPICS_CAS_BEACON_PORT": str(beacons),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }


@dataclass
class Program:
    """A program that has said READY."""

    process: subprocess.Popen[str]
    ready: str
    """What stood behind READY."""
    log: Path

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")

    def stop(self, timeout: float = 5.0) -> int:
        """SIGTERM, and the exit code; killed if it does not go."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextlib.contextmanager
def program(
    command: Sequence[str | Path],
    directory: Path,
    *,
    env: Mapping[str, str] | None = None,
    timeout: float = 20.0,
) -> Iterator[Program]:
    """Start a program, wait for its READY line, and end it.

    Args:
        command: Arguments after the interpreter.
        directory: Working directory; the log goes there.
        env: Environment; that of the tests unless given.
        timeout: Seconds until READY.

    Raises:
        AssertionError: It ended or did not get ready in time; says what it has logged.
    """
    log = directory / f"program-{time.monotonic_ns()}.log"
    environment = {**(env or os.environ), "PYTHONPATH": str(ROOT)}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            cwd=directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        started = Program(process, _wait_ready(process, log, timeout), log)
        yield started
    finally:
        if process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.terminate()
                process.wait(5)
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _wait_ready(process: subprocess.Popen[str], log: Path, timeout: float) -> str:
    assert process.stdout is not None
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        readable, _, _ = select.select([process.stdout], [], [], 0.2)
        line = process.stdout.readline() if readable else ""
        if line.startswith(READY):
            return line.removeprefix(READY).strip()
        if process.poll() is not None or (readable and not line):
            break
    raise AssertionError(f"{process.args} is not ready; its log:\n{log.read_text(errors='replace')}")
