"""A worker process and the coordinator's end of its control socket."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import zmq

from layouts.raw.names import DATA
from writer import control

ROOT = Path(__file__).parents[2]


class Worker:
    """A worker on a stream, and its events as they come."""

    def __init__(
        self,
        endpoint: str,
        *,
        wrapper: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        self.socket.set(zmq.LINGER, 0)
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.process = subprocess.Popen(
            [
                *wrapper,
                sys.executable,
                "-m",
                "writer.worker",
                "--detector",
                "EIG1",
                "--endpoint",
                endpoint,
                "--control",
                f"tcp://127.0.0.1:{port}",
                *options,
            ],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.identity = b""
        self.events: list[control.Event] = []
        self.status: control.Status | None = None
        assert self.process.stdout.readline().startswith("READY worker EIG1")
        self.wait(control.Hello)
        self.until(lambda status: status.connected)

    def send(self, command: control.Command) -> None:
        self.socket.send_multipart([self.identity, control.encode(command)])

    def pump(self, timeout: float) -> control.ControlMessage | None:
        if not self.socket.poll(timeout * 1000):
            return None
        self.identity, data = self.socket.recv_multipart()
        message = control.decode(data)
        if isinstance(message, control.Status):
            self.status = message
        else:
            self.events.append(message)
        return message

    def wait(self, kind, timeout: float = 20.0):
        """The next event of a kind; the ones before it are kept."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            message = self.pump(0.2)
            if isinstance(message, kind):
                return message
            assert self.process.poll() is None, "the worker has ended"
        raise AssertionError(f"no {kind.__name__} came in {timeout} s; {self.events}; {self.status}")

    def until(self, condition, timeout: float = 20.0) -> control.Status:
        """The first status of which something holds."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            message = self.pump(0.2)
            if isinstance(message, control.Status) and condition(message):
                return message
        raise AssertionError(f"no such status came in {timeout} s; last {self.status}; {self.events}")

    def capture(self, directory: Path, **changes) -> control.Opened:
        order = {
            "capture": "c1",
            "directory": str(directory),
            "stem": "run",
            "detector": "EIG1",
            "grace": 0.4,
            "stall_timeout": 0.6,
            "flush_interval": 0.05,
        } | changes
        self.send(control.Capture(**order))
        return self.wait(control.Opened)

    def done(self, timeout: float = 20.0) -> control.Done:
        return self.wait(control.Done, timeout)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(5)

    def wait_left(self) -> control.Done:
        """The Done that an ended worker has left."""
        while True:
            message = self.pump(2.0)
            assert message is not None, f"no Done was left; {self.events}"
            if isinstance(message, control.Done):
                return message

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.socket.close(0)
        self.context.term()


def frames(done: control.Done) -> np.ndarray:
    """All pixels of a capture, in order of places."""
    arrays = []
    for raw in done.record.raw_files:
        with h5py.File(raw.path, "r") as file:
            data = file[DATA][()]
            assert len(data) == raw.rows
            arrays.append(data)
    return np.concatenate(arrays)


def tags(done: control.Done) -> list[tuple[int, int] | None]:
    """Which (series, frame) stands at each place; None where nothing does."""
    found = []
    for frame in frames(done):
        empty = (frame == np.iinfo(frame.dtype).max).all()
        found.append(None if empty else (int(frame[0, 0]), int(frame[0, 1])))
    return found


def check_sums(counters: control.Counters) -> None:
    """The two identities."""
    c = counters
    assert c.received == c.stored + c.duplicate + c.foreign + c.unwanted + c.failed
    assert c.expected == c.stored + c.missing
