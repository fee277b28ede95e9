"""A real worker process of the main detector, with a control socket in place of a coordinator."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import zmq

from benchmarks.processes import BenchmarkError, running
from layouts.beamline import Beamline
from writer import control

TIMEOUT: Final = 120.0
"""Seconds that one run may take."""
_M = TypeVar("_M", bound=control.ControlMessage)


class Controlled:
    """A worker that is there.

    Args:
        process: Its process.
        router: It has said Hello there.
        identity: Of its socket.
    """

    def __init__(self, process: subprocess.Popen[str], router: zmq.Socket[bytes], identity: bytes) -> None:
        self.process: Final = process
        self._router, self._identity = router, identity

    def capture(self, detector: str, folder: Path, frames: int) -> None:
        """Open a capture; its files are there when it returns."""
        order = control.Capture(
            capture="bench", directory=str(folder), stem="bench", detector=detector, num_capture=frames
        )
        self._router.send_multipart([self._identity, control.encode(order)])
        _wait(self._router, control.Opened)

    def done(self, frames: int) -> control.Done:
        """Wait for the end of the capture.

        Raises:
            BenchmarkError: Not every frame was stored.
        """
        done = _wait(self._router, control.Done)[1]
        if done.counters.stored != frames or done.record.missing:
            raise BenchmarkError(f"the worker has not stored {frames} frames: {done}")
        return done


@contextmanager
def controlled(beamline: Beamline, folder: Path, queue: int) -> Iterator[Controlled]:
    """A worker, from Hello until the end of the block.

    Args:
        beamline: On ports that are free.
        folder: For the beamline file.
        queue: Frames that may wait before it.
    """
    file = folder / f"beamline-{os.getpid()}.json"
    file.write_text(beamline.model_dump_json(), encoding="utf-8")
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.setsockopt(zmq.LINGER, 0)
    router.bind(beamline.ca.control)
    arguments = ["--beamline", str(file), "--detector", beamline.detectors[0].name]
    arguments += ["--control", beamline.ca.control, "--queue", str(queue)]
    try:
        with running("writer.worker", *arguments) as process:
            yield Controlled(process, router, _wait(router, control.Hello)[0])
    finally:
        router.close()
        context.term()
        file.unlink()


def _wait(router: zmq.Socket[bytes], kind: type[_M]) -> tuple[bytes, _M]:
    while router.poll(int(TIMEOUT * 1000)):
        identity, data = router.recv_multipart()
        message = control.decode(data)
        if isinstance(message, kind):
            return identity, message
        if isinstance(message, control.Failed):
            raise BenchmarkError(message.message)
    raise BenchmarkError(f"no {kind.__name__} from the worker in {TIMEOUT:g} s")
