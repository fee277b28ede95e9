"""Keeps one child process of the coordinator going: started again when it ends, at growing intervals.

The child has a pipe as its stdin and inherits the lifeline, so that it ends when this process does, in
whatever way.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from ioc import lifeline

_log = logging.getLogger(__name__)

_QUICK_DEATH: Final = 5.0
_LONGEST_PAUSE: Final = 10.0


class Keeper:
    """One child.

    Args:
        name: What it is called in the log.
        command: Its command line.
        ended: Called when it has ended by itself.
    """

    def __init__(self, name: str, command: Sequence[str], ended: Callable[[], None]) -> None:
        self._name, self._command, self._ended = name, command, ended
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        """Process id; 0 while there is none."""
        return 0 if self._process is None or self._process.returncode is not None else self._process.pid

    def start(self) -> None:
        """Start the child, and again whenever it has ended."""
        self._task = asyncio.create_task(self._keep())

    async def close(self, timeout: float = 0.5) -> None:  # noqa: ASYNC109
        """End the child: SIGTERM, and SIGKILL after ``timeout`` seconds, as one that is stopped needs."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), timeout)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep(self) -> None:
        quick_deaths = 0
        while True:
            started = time.monotonic()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=sys.stderr.fileno(),
                    env=os.environ | {"OMP_NUM_THREADS": "1"},
                    pass_fds=lifeline.to_inherit(),
                    process_group=0,  # Ctrl-C comes to us; we end it in order
                )
            except OSError as error:
                _log.error("%s: cannot be started: %s", self._name, error)
                await asyncio.sleep(_LONGEST_PAUSE)
                continue
            code = await self._process.wait()
            self._ended()
            _log.error(
                "%s (process %d) has ended with code %d; started again", self._name, self._process.pid, code
            )
            quick_deaths = quick_deaths + 1 if time.monotonic() - started < _QUICK_DEATH else 0
            if quick_deaths:
                await asyncio.sleep(min(_LONGEST_PAUSE, 0.5 * 2 ** (quick_deaths - 1)))
