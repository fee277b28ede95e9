"""The workers of all detectors: started, watched, started again, and spoken to through one ROUTER socket.

A worker is a child with a pipe as its stdin, so that it ends when this process does, in whatever way. One
that ends by itself is reported and replaced at once; one that keeps failing is tried again at growing
intervals. One that runs but says nothing is alarmed about first and replaced later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import zmq
import zmq.asyncio

from ioc import lifeline
from writer import control
from writer.endings import ending

_log = logging.getLogger(__name__)

SILENT_AFTER: Final = 2 * control.HEARTBEAT
"""Seconds without a message after which a running worker is in alarm."""
GIVEN_UP_AFTER: Final = 20.0
"""Seconds without a message after which a running worker is replaced."""
_CHECK: Final = 0.1
_QUICK_DEATH: Final = 5.0
_LONGEST_PAUSE: Final = 10.0


class WorkerAbsentError(RuntimeError):
    """No worker is there to take a command; says since when, and what will happen."""


OnEvent = Callable[[str, control.Event], None]
OnChange = Callable[[str, str], None]


@dataclass(slots=True)
class _Worker:
    detector: str
    process: asyncio.subprocess.Process | None = None
    identity: bytes = b""
    heard: float = 0.0
    silent: bool = False
    started: float = 0.0
    quick_deaths: int = 0
    ending: str = ""
    """Why we end it ourselves."""
    ready: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Keeps one worker for each detector.

    Args:
        commands: Command line of each detector's worker, by detector.
        endpoint: Where the ROUTER binds and the workers connect.
        on_event: Called in this loop with every message of a worker.
        on_lost: Called with detector and reason when a worker has ended by itself.
        on_silent: Called with detector and a sentence when one falls silent, without when it speaks again.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        endpoint: str,
        *,
        on_event: OnEvent,
        on_lost: OnChange,
        on_silent: OnChange,
    ) -> None:
        self._commands = commands
        self.options: dict[str, tuple[str, ...]] = {}
        """What is added to a detector's command when its worker is started next."""
        self._endpoint = endpoint
        self._on_event, self._on_lost, self._on_silent = on_event, on_lost, on_silent
        self._workers = {name: _Worker(name) for name in commands}
        self._by_identity: dict[bytes, _Worker] = {}
        self._context = zmq.asyncio.Context()
        self._socket: zmq.asyncio.Socket | None = None
        self._outgoing: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._closing = False

    async def start(self) -> None:
        """Bind the control socket and start the workers.

        Raises:
            OSError: The control endpoint cannot be bound; says what would be right.
        """
        socket = self._context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.LINGER, 200)
        socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        try:
            socket.bind(self._endpoint)
        except zmq.ZMQError as error:
            socket.close(0)
            raise OSError(
                error.errno,
                f"control socket {self._endpoint}: {error.strerror}; end the program that has it, or give "
                "ca.control in the beamline file an address of its own",
            ) from None
        self._socket = socket
        work = [self._receive(socket), self._send(socket), self._check()]
        work += [self._keep(worker) for worker in self._workers.values()]
        self._tasks = [asyncio.create_task(w) for w in work]

    async def wait_ready(self, timeout: float) -> set[str]:  # noqa: ASYNC109
        """Wait until every worker has said Hello; returns the detectors whose worker has not."""
        waits = [asyncio.create_task(w.ready.wait()) for w in self._workers.values()]
        _, late = await asyncio.wait(waits, timeout=timeout)
        for wait in late:
            wait.cancel()
        return {w.detector for w in self._workers.values() if not w.ready.is_set()}

    def send(self, detector: str, command: control.Command) -> None:
        """Send a command to a detector's worker; commands arrive in order.

        Raises:
            WorkerAbsentError: It is not there.
        """
        worker = self._workers[detector]
        if not worker.ready.is_set():
            raise WorkerAbsentError(
                f"the worker of {detector} is not there; it is being started, try again in some seconds "
                "and look at the writer's log if it stays away"
            )
        self._outgoing.put_nowait((worker.identity, control.encode(command)))

    def is_ready(self, detector: str) -> bool:
        """Whether the detector's worker is there."""
        return self._workers[detector].ready.is_set()

    def restart(self, detector: str, reason: str) -> None:
        """End a worker that does not answer; another one is started. Its loss is reported with the reason."""
        worker = self._workers[detector]
        if worker.process is not None and worker.process.returncode is None:
            _log.error("worker of %s: %s; replacing it", detector, reason)
            worker.ending = reason
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()

    async def close(self, timeout: float = 1.2) -> None:  # noqa: ASYNC109
        """End all workers: Shutdown and a closed stdin first, SIGKILL after ``timeout`` seconds."""
        self._closing = True
        for worker in self._workers.values():
            if worker.ready.is_set():
                self._outgoing.put_nowait((worker.identity, control.encode(control.Shutdown())))
        processes = [w.process for w in self._workers.values() if w.process is not None]
        for process in processes:
            if process.stdin is not None:
                process.stdin.close()
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        if processes:
            await asyncio.wait([asyncio.create_task(p.wait()) for p in processes], timeout=timeout)
        for process in processes:
            if process.returncode is None:
                _log.error("worker process %d did not end in %g s; killed", process.pid, timeout)
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close(0)
        self._context.term()

    async def _keep(self, worker: _Worker) -> None:
        while not self._closing:
            try:
                process = await self._spawn(worker.detector)
            except OSError as error:
                _log.error("worker of %s: cannot be started: %s", worker.detector, error)
                await asyncio.sleep(_LONGEST_PAUSE)
                continue
            worker.process, worker.started, worker.heard = process, time.monotonic(), time.monotonic()
            code = await process.wait()
            if self._closing:
                return
            self._gone(worker, code)
            if worker.quick_deaths:
                await asyncio.sleep(min(_LONGEST_PAUSE, 0.5 * 2 ** (worker.quick_deaths - 1)))

    async def _spawn(self, detector: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self._commands[detector],
            *self.options.get(detector, ()),
            stdin=asyncio.subprocess.PIPE,
            stdout=sys.stderr.fileno(),
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            pass_fds=lifeline.to_inherit(),
            process_group=0,  # Ctrl-C comes to us; we end them in order
        )

    def _gone(self, worker: _Worker, code: int) -> None:
        pid = worker.process.pid if worker.process is not None else 0
        self._by_identity.pop(worker.identity, None)
        worker.identity = b""
        worker.ready.clear()
        worker.silent = False
        quick = time.monotonic() - worker.started < _QUICK_DEATH
        worker.quick_deaths = worker.quick_deaths + 1 if quick else 0
        reason = worker.ending or f"the worker (process {pid}) {ending(code)}; another one is started"
        _log.error("%s: %s", worker.detector, reason)
        worker.ending = ""
        self._on_lost(worker.detector, reason)

    async def _receive(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            identity, *parts = await socket.recv_multipart()
            try:
                message = control.decode(parts[-1])
            except (control.ControlError, IndexError) as error:
                _log.warning("a message on the control socket was left out: %s", error)
                continue
            self._take(identity, message)

    def _take(self, identity: bytes, message: control.ControlMessage) -> None:
        if isinstance(message, control.Hello):
            self._hello(identity, message)
        worker = self._by_identity.get(identity)
        if worker is None:
            if isinstance(message, control.Status):
                self._outgoing.put_nowait((identity, control.encode(control.Identify())))
            return
        worker.heard = time.monotonic()
        if worker.silent:
            worker.silent = False
            self._on_silent(worker.detector, "")
        if isinstance(message, control.Event):
            try:
                self._on_event(worker.detector, message)
            except Exception:
                _log.exception("a message of the worker of %s could not be taken", worker.detector)

    def _hello(self, identity: bytes, hello: control.Hello) -> None:
        worker = self._workers.get(hello.detector)
        if worker is None or worker.process is None or worker.process.pid != hello.pid:
            _log.warning("a worker that is not ours (%s, process %d) was left out", hello.detector, hello.pid)
            return
        self._by_identity.pop(worker.identity, None)
        self._by_identity[identity] = worker
        worker.identity = identity
        if not worker.ready.is_set():
            _log.info("worker of %s is there: process %d, %s", hello.detector, hello.pid, hello.endpoint)
        worker.ready.set()

    async def _send(self, socket: zmq.asyncio.Socket) -> None:
        while True:
            await socket.send_multipart(await self._outgoing.get())

    async def _check(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(_CHECK)
            now = time.monotonic()
            if now - last > 5 * _CHECK:  # this process was held up: what came meanwhile is still unread
                for worker in self._workers.values():
                    worker.heard += now - last
            last = now
            for worker in _running(self._workers.values()):
                quiet = now - worker.heard
                if quiet > SILENT_AFTER and not worker.silent and worker.ready.is_set():
                    worker.silent = True
                    text = f"the worker of {worker.detector} has said nothing for {quiet:.1f} s"
                    _log.error("%s", text)
                    self._on_silent(worker.detector, text)
                if quiet > GIVEN_UP_AFTER:
                    reason = f"the worker said nothing for {quiet:.0f} s and was replaced"
                    worker.heard = now
                    self.restart(worker.detector, reason)


def _running(workers: Iterable[_Worker]) -> list[_Worker]:
    return [w for w in workers if w.process is not None and w.process.returncode is None]
