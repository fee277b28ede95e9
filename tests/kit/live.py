"""Readers of a growing capture as child processes, and what they must have seen at which moment."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

from layouts.capture import Outcome
from tests.kit.push import Push, settle
from tests.kit.worker import ROOT, Worker, check_sums, tags
from writer import control

READER = ROOT / "tests" / "kit" / "live_reader.py"
OPEN, CLOSED = 160, 14
"""Frames before Stop is sent, and after the first series; the tail is one of no whole block of anything."""


class Reader:
    """A child that prints a line for each frame that it sees."""

    def __init__(self, command: list[str | Path], log: Path) -> None:
        self.log = log
        with log.open("w") as out, log.with_suffix(".err").open("w") as err:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=_environment()
            )

    def lines(self) -> list[str]:
        text = self.log.read_text()
        return text[: text.rfind("\n") + 1].splitlines()

    def frames(self) -> list[tuple[int, ...]]:
        """Of each line that begins with a place: place, and what stands behind."""
        return [tuple(map(int, words)) for line in self.lines() if len(words := line.split()) == 3]

    def sees(self, number: int) -> None:
        """Wait until it has told of so many frames."""
        assert settle(lambda: len(self.frames()) >= number or self.process.poll() is not None, 60), (
            self.lines()[-3:]
        )
        assert len(self.frames()) >= number, self.complaint()

    def over(self) -> int:
        """Its exit code; negative is the signal that killed it."""
        return self.process.wait(60)

    def complaint(self) -> str:
        return f"exit code {self.process.poll()}: {self.log.with_suffix('.err').read_text()[-2000:]}"

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HDF5_"))}
    return kept | {"OMP_NUM_THREADS": "1"}


Tags = Callable[[control.Done], list[tuple[int, int] | None]]


def capture_with(
    readers: list[Reader],
    push: Push,
    worker: Worker,
    directory: Path,
    found: Tags = tags,
    **order: object,
) -> None:
    """Two series, one with holes and one ended by force; every reader sees each frame as what it is.

    The last frames must be seen while the capture is still open. ``found`` says what the files hold then.
    """
    chance = random.Random(3)
    lost = {5, 40, 41}
    try:
        worker.capture(directory, num_capture=0, flush_interval=0.05, stall_timeout=30.0, **order)
        push.start(3, OPEN)
        for frame in range(OPEN):
            if frame not in lost:
                push.image(3, frame)
            if chance.random() < 0.1:
                worker.pump(0.02)
        push.end(3)
        worker.wait(control.SeriesEnded)
        push.start(4, 1000)
        push.images(4, range(CLOSED))
        told = OPEN - len(lost) + CLOSED
        for reader in readers:
            reader.sees(told)
        worker.until(lambda status: status.counters.stored == told)
        assert not worker.of(control.Done)
        worker.send(control.Stop(capture="c1", drain=False))
        done = worker.done()
        assert done.outcome is not Outcome.COMPLETE
        check_sums(done.counters)
        expected = [(p, *tag) for p, tag in enumerate(found(done)) if tag is not None]
        assert len(expected) == told
        for reader in readers:
            assert reader.over() == 0, reader.complaint()
            assert sorted(reader.frames()) == expected
            assert "ended" in reader.lines()[-1]
    finally:
        for reader in readers:
            reader.close()
