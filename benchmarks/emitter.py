"""What does the simulated detector add to sending the bytes?

An emitter as shipped (schedule, motors, times, counters, message by message) whose frames are in memory
already, beside a bare PUSH loop that sends the same payloads; both to a receiver that does nothing. The
emitter waits where the socket is full, and all frames are due at once.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import pool as pools
from benchmarks.pool import Pool, load
from benchmarks.processes import expect, go, running
from benchmarks.report import Finding, Result
from benchmarks.rounds import Sample, cheaper, faster, interleaved
from benchmarks.series import spent
from benchmarks.source import queue_length
from layouts import beamline as files
from layouts.beamline import Beamline, Detector
from layouts.stream.messages import Codec, HeaderDetail, Payload
from sim import commands, emitter
from sim.detector import initial_config
from sim.eiger import Expose, SendEnd, SendStart
from sim.eiger_config import set_value
from sim.scenes.exposure import Exposure

SIZES: Final = {27_000: 10_000, 500_000: 1_500, 4_000_000: 200}
BAR: Final = 0.95
_PERIOD: Final = 1e-6
_SERIES: Final = 1


class PoolSource:
    """Frames that are there already, in place of a scene."""

    def __init__(self, detector: Detector, pool: Pool) -> None:
        self._payloads = itertools.cycle(pool.payloads)
        self._shape = detector.spec.shape

    @property
    def pixel_mask(self) -> NDArray[np.uint32]:
        """Nothing masked."""
        return np.zeros(self._shape, np.uint32)

    @property
    def flatfield(self) -> NDArray[np.float32]:
        """Flat."""
        return np.ones(self._shape, np.float32)

    def prepare(self, exposure: Exposure) -> None:
        """Nothing to prepare."""

    def prepare_more(self) -> bool:
        """Nothing to prepare."""
        return False

    def payload(self, exposure: Exposure, codec: Codec, version: int) -> Payload:  # noqa: ARG002
        """The next of the pool."""
        return next(self._payloads)

    def truth(self, exposure: Exposure) -> dict[str, Any]:  # noqa: ARG002
        """Nothing was simulated."""
        return {}


def main(beamline: Beamline, *, repeats: int, sizes: dict[int, int] = SIZES) -> Finding:
    """Measure the sender's side at each size."""
    results: list[Result] = []
    for size, frames in sizes.items():
        pool = pools.random(size)
        with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as name:
            saved = pool.save(Path(name) / "pool")
            contenders = {
                "bare PUSH": functools.partial(_bare, beamline, saved, frames),
                "emitter": functools.partial(_emitter, beamline, saved, frames),
            }
            samples = interleaved(contenders, repeats)
        results.append(
            Result(
                case=f"{size / 1e6:g} MB",
                samples=samples,
                ratios={
                    "PUSH/emitter": cheaper(samples, "bare PUSH", "emitter"),
                    "frames/s of PUSH": faster(samples, "emitter", "bare PUSH"),
                },
                bars={"frames/s of PUSH": BAR},
            )
        )
    title = f"sending: processor time and frames a second of the sender, {repeats} rounds"
    return Finding(name="emitter", title=title, results=results)


def _received(
    beamline: Beamline, saved: Path, frames: int, sender: subprocess.Popen[str], start: Callable[[], None]
) -> Sample:
    """Let a sender send everything to a receiver that does nothing."""
    endpoint = beamline.detectors[0].stream.endpoint
    series = ["--frames", str(frames), "--pool", str(saved), "--path", str(saved.with_name("none"))]
    with running("benchmarks.bare", "--how", "discard", "--endpoint", endpoint, *series) as receiver:

        def work() -> None:
            start()
            expect(receiver, "DONE")

        return spent(sender, frames, work)


def _bare(beamline: Beamline, saved: Path, frames: int) -> Sample:
    endpoint = beamline.detectors[0].stream.endpoint
    series = ["--frames", str(frames), "--pool", str(saved)]
    with running("benchmarks.source", "--endpoint", endpoint, *series) as source:
        return _received(beamline, saved, frames, source, functools.partial(go, source))


def _emitter(beamline: Beamline, saved: Path, frames: int) -> Sample:
    detector = beamline.detectors[0]
    stream = detector.stream.model_copy(update={"full_socket": "wait"})
    detectors = (detector.model_copy(update={"stream": stream}), *beamline.detectors[1:])
    file = saved.with_name("beamline.json")
    file.write_text(beamline.model_copy(update={"detectors": detectors}).model_dump_json(), encoding="utf-8")
    config = initial_config(beamline, detector)
    for key, value in (("nimages", frames), ("header_detail", HeaderDetail.BASIC)):
        config, *_ = set_value(config, key, value)
    with running("benchmarks.emitter", "--beamline", str(file), "--pool", str(saved)) as process:

        def start() -> None:
            at = time.monotonic()
            expose = Expose(
                series=_SERIES, first=0, count=frames, at=at, period=_PERIOD, count_time=_PERIOD / 2
            )
            for command in (SendStart(series=_SERIES, config=config), expose, SendEnd(series=_SERIES)):
                if process.stdin is not None:
                    process.stdin.write(commands.to_line(command).decode())
            if process.stdin is not None:
                process.stdin.flush()

        return _received(beamline, saved, frames, process, start)


def serve() -> int:
    """Entry point of the emitter's process: it says READY before anything else, to be waited for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beamline", type=Path, required=True)
    parser.add_argument("--pool", type=Path, required=True)
    arguments = parser.parse_args()
    pool = load(arguments.pool)
    queue = queue_length(pool.most)
    emitter.queue_length = lambda _bytes: queue  # as many as before the bare sender
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    detector = files.load(arguments.beamline).detectors[0].name
    return emitter.main(
        ["--beamline", str(arguments.beamline), "--detector", detector],
        lambda _beamline, own: PoolSource(own, pool),
    )


if __name__ == "__main__":
    os._exit(serve())  # a thread still reads stdin
