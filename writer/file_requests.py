"""What file records ask of a worker beside captures, each with an answer or a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final

from writer.orders import RefusedError
from writer.requests import Answer, Enable, Flush, Singles, WriteFrame
from writer.supervisor import Supervisor, WorkerAbsentError

_WITHIN: Final = 10.0
"""Seconds that a worker has to answer: its disk may be slow."""


class FileRequests:
    """Asks workers.

    Args:
        supervisor: Reaches them.
    """

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._tokens = itertools.count(1)
        self._waiting: dict[int, tuple[str, asyncio.Future[str]]] = {}

    async def flush(self, detector: str) -> None:
        """Return when readers can see every frame that has come so far.

        Raises:
            RefusedError: They cannot; says why.
        """
        await self._ask(detector, lambda token: Flush(token=token))

    async def write_frame(self, detector: str, path: Path, suffix: str) -> None:
        """Write the latest frame into a file of its own.

        Raises:
            RefusedError: It could not be; says why.
        """
        await self._ask(detector, lambda token: WriteFrame(token=token, path=str(path), suffix=suffix))

    def tell(self, detector: str, what: Enable | Singles) -> None:
        """Tell a worker something that has no answer; one that is not there is told when it comes."""
        if self._supervisor.is_ready(detector):
            self._supervisor.send(detector, what)

    async def have_told(self, detector: str, what: Enable | Singles) -> None:
        """Tell a worker something, and return when frames that come from now on meet it.

        A worker that is not there, or does not answer in time, is told when it comes.
        """
        self.tell(detector, what)
        with contextlib.suppress(RefusedError):
            await self.flush(detector)  # which it answers after what it was told before

    def queue(self, detector: str, frames: int) -> None:
        """Give the detector's next worker another queue."""
        self._supervisor.options[detector] = ("--queue", str(frames))

    def answered(self, answer: Answer) -> None:
        """A worker has answered."""
        _, future = self._waiting.get(answer.token, ("", None))
        if future is not None and not future.done():
            future.set_result(answer.message)

    def lost(self, detector: str, reason: str) -> None:
        """A worker is gone: it answers nothing any more."""
        for whose, future in self._waiting.values():
            if whose == detector and not future.done():
                future.set_result(reason)

    async def _ask(self, detector: str, request: Callable[[int], Flush | WriteFrame]) -> None:
        token = next(self._tokens)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[token] = detector, future
        try:
            self._supervisor.send(detector, request(token))
            message = await asyncio.wait_for(future, _WITHIN)
        except WorkerAbsentError as error:
            raise RefusedError(str(error)) from None
        except TimeoutError:
            raise RefusedError(
                f"the worker of {detector} has not answered within {_WITHIN:g} s; its log says why"
            ) from None
        finally:
            del self._waiting[token]
        if message:
            raise RefusedError(message)
