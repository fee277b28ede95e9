"""The simulator as a process on ports of its own, and a receiver of its streams."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import zmq

from ioc.lifeline import VARIABLE
from layouts.beamline import Beamline, load
from layouts.stream.errors import StreamError
from layouts.stream.messages import End, Image, Message, Start
from layouts.stream.stream import decode
from softbeam.ports import own_ports


@dataclass
class Simulated:
    """A simulator that runs.

    Attributes:
        beamline: Its description.
        process: The program.
        log: Its stderr.
    """

    beamline: Beamline
    process: subprocess.Popen[str]
    log: Path

    @property
    def address(self) -> str:
        """Where its Channel Access server is."""
        return f"127.0.0.1:{self.beamline.ca.sim_port}"

    def pids(self) -> list[int]:
        """Its process and those of its emitters."""
        found = [self.process.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    stat = (entry / "stat").read_text()
                except OSError:
                    continue
                if int(stat.rpartition(")")[2].split()[1]) == self.process.pid:
                    found.append(int(entry.name))
        return found


@contextmanager
def simulator(beamline: Beamline | None = None, lifeline: int | None = None) -> Iterator[Simulated]:
    """Run the simulator; it is ended, and its ports are free again, when the context is left."""
    environment = {} if lifeline is None else {VARIABLE: str(lifeline)}
    chosen = own_ports(beamline or load())
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "beamline.json"
        file.write_text(chosen.model_dump_json())
        log = Path(name) / "log"
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "sim", "--beamline", file],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=os.environ | environment,
                pass_fds=() if lifeline is None else (lifeline,),
            )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("READY "), f"{line!r}; {log.read_text()[-2000:]}"
            yield Simulated(chosen, process, log)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stdout is not None:
                process.stdout.close()


def gone(pids: list[int], within: float = 5.0) -> bool:
    """Whether all these processes end in time; a zombie has ended."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@dataclass
class Received:
    """One series as it came."""

    start: Start | None = None
    images: list[Image] = field(default_factory=list)
    end: End | None = None


class Receiver:
    """A PULL client of one detector; what is damaged is set aside."""

    def __init__(self, endpoint: str) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PULL)
        self._socket.linger = 0
        self._socket.connect(endpoint)
        self._messages: list[Message] = []
        self.damaged: list[StreamError] = []
        self._arrived = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._context.destroy(linger=0)

    def _receive(self) -> None:
        while not self._stop.is_set():
            if self._socket.poll(50):
                parts = self._socket.recv_multipart()
                try:
                    message = decode(parts)
                except StreamError as error:
                    self.damaged.append(error)
                    continue
                with self._arrived:
                    self._messages.append(message)
                    self._arrived.notify_all()

    @property
    def messages(self) -> list[Message]:
        """All that came so far."""
        with self._arrived:
            return list(self._messages)

    def series(self, number: int, within: float = 30.0) -> Received:
        """A whole series, when its end has come."""
        with self._arrived:
            ended = self._arrived.wait_for(
                lambda: any(isinstance(m, End) and m.series == number for m in self._messages), within
            )
            assert ended, f"no end of series {number}; {len(self._messages)} messages"
        return self.so_far(number)

    def so_far(self, number: int) -> Received:
        """What came of a series."""
        found = Received()
        for message in self.messages:
            if message.series == number:
                match message:
                    case Start():
                        assert found.start is None
                        found.start = message
                    case Image():
                        found.images.append(message)
                    case End():
                        assert found.end is None, "two ends"
                        found.end = message
        return found
