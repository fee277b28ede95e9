"""The simulator's end of an emitter: starts the process, tells it what to do, hears what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from ioc import lifeline
from sim import commands, reports
from sim.commands import Command, Motion, SetFaults
from sim.reports import Broken, Ready, Report

START_WITHIN = 30.0
"""Seconds that an emitter has to bind its socket and grow its crystal."""
END_WITHIN = 1.0
"""Seconds that it has to end before it is killed."""
_LINE = 1 << 24

_log = logging.getLogger(__name__)


class LinkError(RuntimeError):
    """An emitter that could not be started, in its own words."""


class Link:
    """One emitter process.

    Args:
        detector: Name in the beamline file.
        beamline: The file; the built-in beamline if nothing.
        on_report: Called with each report, in order.
        on_died: Called when the process has ended by itself, with a sentence.
    """

    def __init__(
        self,
        detector: str,
        beamline: Path | None,
        *,
        on_report: Callable[[Report], Awaitable[None]],
        on_died: Callable[[str], Awaitable[None]],
    ) -> None:
        self.detector = detector
        self._beamline = beamline
        self._on_report, self._on_died = on_report, on_died
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None] | None = None
        self._standing: dict[str, Command] = {}
        self._closing = False

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.returncode is None

    async def ensure(self) -> bool:
        """Start the process if it does not run; says whether it had to.

        Raises:
            LinkError: It could not be started; says why.
        """
        if self.alive:
            return False
        await self._start()
        return True

    def send(self, command: Command) -> None:
        """Tell the emitter something; motions and faults are told again to one that is started anew."""
        if isinstance(command, Motion):
            self._standing[f"motion {command.motor}"] = command
        elif isinstance(command, SetFaults):
            self._standing["faults"] = command
        self._write(command)

    async def kill(self) -> None:
        """End it at once, when it does not answer any more."""
        if self._process is not None and self.alive:
            self._process.kill()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=END_WITHIN)

    async def close(self) -> None:
        """End it: its stdin ends, and it has a second."""
        self._closing = True
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_WITHIN)
        except TimeoutError:
            _log.warning("the emitter of %s did not end; it is killed", self.detector)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=END_WITHIN)

    async def _start(self) -> None:
        arguments = ["-P", "-m", "sim.emitter", "--detector", self.detector]
        if self._beamline is not None:
            arguments += ["--beamline", str(self._beamline)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=lifeline.to_inherit(),
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            limit=_LINE,
        )
        self._ready = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(self._process), name=f"emitter {self.detector}")
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), START_WITHIN)
        except TimeoutError:
            await self.kill()
            raise LinkError(
                f"the emitter of {self.detector} was not ready within {START_WITHIN:g} s; its log says why"
            ) from None
        for command in self._standing.values():
            self._write(command)

    def _write(self, command: Command) -> None:
        process = self._process
        if process is None or process.stdin is None or not self.alive or process.stdin.is_closing():
            return  # its end is reported by the reader
        process.stdin.write(commands.to_line(command))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        why = ""
        if process.stdout is not None:
            async for line in process.stdout:
                try:
                    report = reports.from_line(line)
                except ValueError as error:
                    _log.error("emitter of %s: %s", self.detector, error)
                    continue
                if isinstance(report, Broken):
                    why = report.message
                elif isinstance(report, Ready):
                    _log.info("%s streams from %s (pid %d)", self.detector, report.endpoint, report.pid)
                    self._settle(None)
                else:
                    await self._hear(report)
        code = await process.wait()
        message = why or f"the emitter of {self.detector} ended by itself with exit code {code}"
        starting = self._settle(LinkError(message))
        if not self._closing and not starting:
            _log.error(message)
            await self._on_died(message)

    def _settle(self, error: LinkError | None) -> bool:
        """Tell who waits for the start; says whether somebody did."""
        if self._ready is None or self._ready.done():
            return False
        if error is None:
            self._ready.set_result(None)
        else:
            self._ready.set_exception(error)
        return True

    async def _hear(self, report: Report) -> None:
        try:
            await self._on_report(report)
        except Exception:
            _log.exception("a report of the emitter of %s was not understood", self.detector)
