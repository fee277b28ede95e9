"""How much processor time does the worker take for a frame, beside the least that is possible?

One sender, three receivers one after another and again: receive and ``pwrite``, receive and direct chunk
write, and the worker as shipped. The unit is processor time of the whole receiving process, so that a
busy machine counts little; the result is the median of ratios within one round. The sender is faster than
all of them, and as much may wait in front of each, so that all have the same queue.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import zmq
from rich.console import Console
from rich.table import Table

from benchmarks.machine import cpu_seconds, facts
from benchmarks.source import POOL, SHAPE, blob, queue_length
from layouts.beamline import Beamline
from layouts.raw.names import DATA
from writer import control

TIMEOUT = 120.0
"""Seconds that one run may take."""
RECEIVERS = ("pwrite", "h5py", "worker")


class BenchmarkError(RuntimeError):
    """A run that did not do what is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One frame size."""

    size: int
    frames: int


FULL = (
    Case(size=10_000, frames=20_000),
    Case(size=27_000, frames=15_000),
    Case(size=100_000, frames=6_000),
    Case(size=500_000, frames=2_000),
    Case(size=2_000_000, frames=500),
)
SMOKE = (Case(size=27_000, frames=1_000),)


def main(beamline: Beamline, *, smoke: bool = False) -> int:
    """Run it, print a table and a line of JSON.

    Args:
        beamline: On ports that are free.
        smoke: Once, and only one size: shows that everything works.

    Returns:
        Exit code; 0 if every byte was where it should be.
    """
    console = Console(highlight=False)
    cases, repeats = (SMOKE, 1) if smoke else (FULL, 7)
    results = [_case(beamline, case, repeats) for case in cases]
    machine = facts()
    table = Table(title=f"receive and write: processor time, us a frame, median of {repeats}")
    for heading in ("frame", "pwrite", "h5py", "worker", "pwrite/worker", "h5py/worker", "spread"):
        table.add_column(heading, justify="right", no_wrap=True)
    for _, row in results:
        table.add_row(*row)
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), soft_wrap=True)
    console.print(
        json.dumps({"machine": machine, "results": [result for result, _ in results]}), soft_wrap=True
    )
    return 0


def _case(beamline: Beamline, case: Case, repeats: int) -> tuple[dict[str, object], list[str]]:
    costs: dict[str, list[float]] = {name: [] for name in RECEIVERS}
    for turn in range(repeats):
        # There and back, so that no receiver is always the one behind a busy moment of the others.
        for name in RECEIVERS if turn % 2 == 0 else RECEIVERS[::-1]:
            with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as folder:
                costs[name].append(_run(name, beamline, case, Path(folder)) / case.frames * 1e6)
    median = {name: statistics.median(values) for name, values in costs.items()}
    ratios = sorted(p / w for p, w in zip(costs["pwrite"], costs["worker"], strict=True))
    ours = [h / w for h, w in zip(costs["h5py"], costs["worker"], strict=True)]
    row = [
        f"{case.size / 1e3:g} kB",
        *(f"{median[name]:.1f}" for name in RECEIVERS),
        f"{statistics.median(ratios):.2f}",
        f"{statistics.median(ours):.2f}",
        f"{ratios[0]:.2f}-{ratios[-1]:.2f}",
    ]
    return {"size": case.size, "frames": case.frames, "us": costs}, row


def _run(name: str, beamline: Beamline, case: Case, folder: Path) -> float:
    """Processor seconds of one receiver for one series."""
    endpoint = beamline.detectors[0].stream.endpoint
    sizes = ["--frames", str(case.frames), "--size", str(case.size)]
    with _process("benchmarks.source", "--endpoint", endpoint, *sizes) as source:
        if name != "worker":
            target = ["--how", name, "--path", str(folder / "file"), "--endpoint", endpoint]
            with _process("benchmarks.bare", *target, *sizes) as bare:
                before = cpu_seconds(bare.pid)
                _go(source)
                _expect(bare, "DONE")
                return cpu_seconds(bare.pid) - before
        return _worker(beamline, source, case, folder)


def _worker(beamline: Beamline, source: subprocess.Popen[str], case: Case, folder: Path) -> float:
    file = folder / "beamline.json"
    file.write_text(beamline.model_dump_json(), encoding="utf-8")
    detector = beamline.detectors[0]
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    router.setsockopt(zmq.LINGER, 0)
    router.bind(beamline.ca.control)
    arguments = ["--beamline", str(file), "--detector", detector.name, "--control", beamline.ca.control]
    arguments += ["--queue", str(queue_length(case.size))]
    try:
        with _process("writer.worker", *arguments) as worker:
            identity = _await(router, control.Hello)[0]
            capture = control.Capture(
                capture="bench",
                directory=str(folder),
                stem="bench",
                detector=detector.name,
                num_capture=case.frames,
                shape=SHAPE,
                dtype="uint16",
            )
            router.send_multipart([identity, control.encode(capture)])
            _await(router, control.Opened)
            before = cpu_seconds(worker.pid)
            _go(source)
            done = _await(router, control.Done)[1]
            spent = cpu_seconds(worker.pid) - before
            assert isinstance(done, control.Done)  # noqa: S101
            _verify(done, case)
            return spent
    finally:
        router.close()
        context.term()


def _verify(done: control.Done, case: Case) -> None:
    if done.counters.stored != case.frames or done.record.missing:
        raise BenchmarkError(
            f"the worker stored {done.counters.stored} of {case.frames} frames: {done.reason}"
        )
    pool = [blob(i, case.size) for i in range(POOL)]
    with h5py.File(done.record.raw_files[0].path, "r") as raw:
        data = raw[DATA]
        assert isinstance(data, h5py.Dataset)  # noqa: S101
        for i in range(case.frames):
            if data.id.read_direct_chunk((i, 0, 0))[1] != pool[i % POOL]:
                raise BenchmarkError(f"frame {i} is not what was sent")


def _await(router: zmq.Socket[bytes], kind: type[object]) -> tuple[bytes, control.ControlMessage]:
    while router.poll(int(TIMEOUT * 1000)):
        identity, data = router.recv_multipart()
        message = control.decode(data)
        if isinstance(message, kind):
            return identity, message
        if isinstance(message, control.Failed):
            raise BenchmarkError(message.message)
    raise BenchmarkError(f"no {kind.__name__} from the worker in {TIMEOUT:g} s")


@contextmanager
def _process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        _expect(process, "READY")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin  # noqa: S101
    process.stdin.write("go\n")
    process.stdin.flush()


def _expect(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout  # noqa: S101
    line = process.stdout.readline()
    if not line.startswith(word):
        raise BenchmarkError(f"{process.args}: said {line!r} where {word} was due")
