"""Start the programs of a beamline, wait until they are ready, end them: nothing is ever left behind.

Every program holds the reading end of a pipe whose writing end only this process has (the lifeline): when
this process ends in whatever way, the pipe closes and they end by themselves.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

from ioc import lifeline

READY = "READY "
"""How a program's one line on stdout begins."""
END_WITHIN = 2.0
"""Seconds a program has to end after SIGTERM; then it is killed."""


class ProgramError(RuntimeError):
    """A program that did not start, or ended by itself."""


@dataclass
class _Program:
    name: str
    process: subprocess.Popen[str]
    lines: queue.Queue[str | None] = field(default_factory=queue.Queue[str | None])

    def read(self) -> None:
        stdout = self.process.stdout
        if stdout is not None:
            for line in stdout:
                self.lines.put(line.rstrip("\n"))
        self.lines.put(None)


class Programs:
    """Programs that live no longer than this process; a context manager."""

    def __init__(self, log: IO[str] | None = None, environment: Mapping[str, str] | None = None) -> None:
        """Make the lifeline.

        Args:
            log: Where the programs' logs go; this process's stderr unless given.
            environment: Variables that they have beside those of this process.
        """
        self._log = log
        self._environment = environment or {}
        self._read_end, self._write_end = os.pipe()
        self._programs: list[_Program] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, module: str, arguments: Sequence[str | Path]) -> None:
        """Start ``python -m module arguments``."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            pass_fds=(self._read_end,),
            env={
                **os.environ,
                **self._environment,
                lifeline.VARIABLE: str(self._read_end),
                "OMP_NUM_THREADS": "1",
            },
            start_new_session=True,  # Ctrl-C comes to us; we end them in order
        )
        program = _Program(name, process)
        threading.Thread(target=program.read, name=f"stdout of {name}", daemon=True).start()
        self._programs.append(program)

    def wait_ready(self, timeout: float, cancelled: threading.Event | None = None) -> dict[str, str]:
        """Wait until every program has said that it is ready.

        Args:
            timeout: Seconds for all of them together.
            cancelled: Ends the wait early when it is set.

        Returns:
            What each said after the word, by name.

        Raises:
            ProgramError: One ended, or said nothing in time.
        """
        deadline = time.monotonic() + timeout
        stop = cancelled or threading.Event()
        return {program.name: _ready(program, deadline, stop) for program in self._programs}

    def ended(self) -> str | None:
        """What ended by itself, in words; nothing while all run."""
        for program in self._programs:
            code = program.process.poll()
            if code is not None:
                return f"{program.name} ended by itself with exit code {code}"
        return None

    def stop(self) -> None:
        """End all of them: SIGTERM, and SIGKILL to what is still there 2 s later."""
        for program in self._programs:
            with suppress(ProcessLookupError):
                program.process.terminate()
        deadline = time.monotonic() + END_WITHIN
        for program in self._programs:
            try:
                program.process.wait(timeout=max(0.01, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()
        for end in (self._write_end, self._read_end):
            with suppress(OSError):
                os.close(end)
        for program in self._programs:
            if program.process.stdout is not None:
                program.process.stdout.close()
        self._programs = []


def _ready(program: _Program, deadline: float, cancelled: threading.Event) -> str:
    while not cancelled.is_set() and time.monotonic() < deadline:
        try:
            line = program.lines.get(timeout=0.1)
        except queue.Empty:
            continue
        if line is None:
            code = program.process.wait()
            raise ProgramError(f"{program.name}: ended with exit code {code}; its log says why")
        if line.startswith(READY):
            return line.removeprefix(READY)
    raise ProgramError(f"{program.name}: not ready in time; its log says why")


def start_beamline(
    programs: Programs, beamline: Path, data: Path, options: Sequence[str | Path] = ()
) -> None:
    """Start the simulator and the writer of a beamline.

    Args:
        programs: Takes them in.
        beamline: The beamline file.
        data: Where the writer puts files when no client says otherwise.
        options: What both are told beside it.
    """
    programs.start("simulator", "sim", ["--beamline", beamline, *options])
    programs.start("writer", "writer", ["--beamline", beamline, "--data", data, *options])
