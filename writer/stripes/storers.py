"""The storers as the fan sees them: started, watched, started again, and spoken to through one ROUTER socket.

A storer is a child with a pipe as its stdin, so that it ends when the fan does; or one that others start, on
any host, where the fan binds an endpoint that they know. One that ends, or says nothing for too long, is
gone: what was on its way to it is lost, and the next capture begins with another.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import zmq

from ioc import lifeline
from writer import control
from writer.endings import ending
from writer.stripes import messages

_log = logging.getLogger(__name__)

SILENT_AFTER: Final = 2 * control.HEARTBEAT
"""Seconds without a message after which a storer is in alarm."""
GIVEN_UP_AFTER: Final = 20.0
"""Seconds without a message after which a storer is held for gone."""
_WATCH: Final = 0.03
"""Seconds between two looks at who is there."""
_HELD_UP: Final = 0.5
"""Seconds that this process itself must have stood still."""
_LAST_WORDS: Final = 0.6
"""Seconds in all that storers are waited for once the fan is to end."""
_PARTING: Final = 0.25
"""Seconds that they get at least to end by themselves."""
_QUICK_DEATH: Final = 5.0
_LONGEST_PAUSE: Final = 10.0
_POLL: Final = 20
_SMALL: Final = 1 << 16
"""Bytes below which copying a frame costs less than sharing it."""


@dataclass(slots=True)
class _Storer:
    rank: int
    process: subprocess.Popen[bytes] | None = None
    identity: bytes = b""
    heard: float = 0.0
    silent: bool = False
    started: float = 0.0
    quick_deaths: int = 0
    next_start: float = 0.0


class Storers:
    """A fan's storers.

    Args:
        context: Of ZeroMQ.
        workers: How many there are.
        endpoint: Where to bind for storers that others start; they are started here if it is empty.
        level: Of their log.

    Raises:
        OSError: The endpoint cannot be bound.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], workers: int, endpoint: str = "", level: str = "INFO"
    ) -> None:
        self.socket: Final = context.socket(zmq.ROUTER)
        self.socket.set(zmq.LINGER, 200)
        self.socket.set(zmq.SNDHWM, 0)  # what waits is counted in bytes
        self.socket.set(zmq.RCVHWM, 0)
        self.socket.set(zmq.ROUTER_MANDATORY, 1)
        self.are_own: Final = not endpoint
        """Whether they are children, so that one that is gone has ended."""
        try:
            self.socket.bind(endpoint or _own_endpoint())
        except zmq.ZMQError as error:
            self.socket.close(0)
            raise OSError(
                error.errno,
                f"{endpoint} cannot be bound for storers: {error.strerror}; end the program that has it, or "
                "give detector.storers another address",
            ) from None
        self.endpoint: Final = str(self.socket.get_string(zmq.LAST_ENDPOINT))
        self._level = level
        self._all: Final = [_Storer(rank) for rank in range(workers)]
        self._ranks: dict[bytes, int] = {}
        self._looked_at = time.monotonic()
        self._watch_at = 0.0
        self._end_by = 0.0
        self.on_word: Callable[[int, messages.Word], None] = lambda _rank, _word: None
        """Takes what storers say."""
        self.on_gone: Callable[[int, str], None] = lambda _rank, _why: None
        """Is told of each that is gone, and why."""
        self.breathe: Callable[[], bool] = lambda: False
        """Called while the fan waits for storers; says whether it is to end."""
        self.tick(self._looked_at)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def is_ready(self) -> bool:
        """Whether all are there."""
        return all(each.identity for each in self._all)

    @property
    def complaint(self) -> str:
        """What is wrong with them now; empty if nothing."""
        absent = [str(each.rank) for each in self._all if not each.identity]
        silent = [str(each.rank) for each in self._all if each.silent]
        if absent:
            return f"storer {', '.join(absent)} is not there" + (
                "; it is being started" if self.are_own else ""
            )
        return f"storer {', '.join(silent)} has said nothing for more than 1 s" if silent else ""

    def is_there(self, rank: int) -> bool:
        """Whether a storer is there."""
        return bool(self._all[rank].identity)

    def is_well(self, rank: int) -> bool:
        """Whether a storer is there and has been heard within the last second."""
        return bool(self._all[rank].identity) and not self._all[rank].silent

    def name(self, rank: int) -> str:
        """What to call a storer in a message."""
        process = self._all[rank].process
        return f"storer {rank}" + ("" if process is None else f" (process {process.pid})")

    # ------------------------------------------------------------ to the storers

    def send(self, rank: int, order: messages.Order) -> None:
        """Send an order; one that is gone does not get it."""
        self._send(self._all[rank].identity, messages.encode(order))

    def send_frame(self, rank: int, row: int, chunk: bytes | memoryview) -> None:
        """Send a packed frame, which is not copied if it is large and came from a socket."""
        identity, size = self._all[rank].identity, len(chunk)
        whole = chunk.obj if isinstance(chunk, memoryview) else None
        if size < _SMALL or not isinstance(whole, zmq.Frame):
            self._send(identity, messages.FRAME.pack(row, 0, size), chunk)
            return
        offset = _address(chunk) - _address(whole.buffer)
        self._send(identity, messages.FRAME.pack(row, offset, size), whole)

    def drop(self, rank: int, why: str) -> None:
        """Hold a storer for gone."""
        self._end(self._all[rank])
        self._gone(self._all[rank], why, time.monotonic())

    def _send(self, identity: bytes, head: bytes, body: bytes | memoryview | zmq.Frame | None = None) -> None:
        if not identity:
            return
        send = self.socket.send
        try:
            send(identity, zmq.SNDMORE)
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            return  # its end is noticed in its own time
        if body is None:
            send(head)
        else:
            send(head, zmq.SNDMORE)
            send(body, copy=not isinstance(body, zmq.Frame))

    # ------------------------------------------------------------ from the storers

    def wait(self, done: Callable[[], bool]) -> bool:
        """Take what storers say until something is done; returns False if the fan is to end first.

        It does not take longer than a storer may be silent: then that one is gone.
        """
        while not done():
            if self.breathe() and not self._end_by:
                self._end_by = time.monotonic() + _LAST_WORDS
            if self._end_by and time.monotonic() >= self._end_by:
                return False
            self.socket.poll(_POLL)
            self.tick(time.monotonic())
        return True

    def tick(self, now: float) -> None:
        """Take what has been said, and see who is gone, silent, or to be started."""
        if now - self._looked_at > _HELD_UP:  # what came meanwhile is still unread
            for each in self._all:
                each.heard += now - self._looked_at
        self._looked_at = now
        while self.socket.poll(0):
            identity, data = self.socket.recv_multipart()[:2]
            self._take(identity, data, now)
        if now < self._watch_at:
            return
        self._watch_at = now + _WATCH
        for each in self._all:
            self._watch(each, now)
            if self.are_own and each.process is None and now >= each.next_start and not self._end_by:
                self._start(each, now)

    def _take(self, identity: bytes, data: bytes, now: float) -> None:
        try:
            word = messages.word(data)
        except control.ControlError as error:
            _log.warning("a storer's message was left out: %s", error)
            return
        if isinstance(word, messages.Hello):
            self._hello(identity, word, now)
            return
        rank = self._ranks.get(identity)
        if rank is None:
            self._send(identity, messages.encode(messages.Identify()))
            return
        storer = self._all[rank]
        storer.heard, storer.silent = now, False
        self.on_word(rank, word)

    def _hello(self, identity: bytes, hello: messages.Hello, now: float) -> None:
        if not 0 <= hello.rank < len(self._all):
            _log.error("a storer of rank %d came, but there are %d", hello.rank, len(self._all))
            return
        storer = self._all[hello.rank]
        if storer.process is not None and storer.process.pid != hello.pid:
            _log.warning("a storer that is not ours (process %d) was left out", hello.pid)
            return
        if storer.identity and storer.identity != identity:
            self._gone(storer, f"{self.name(hello.rank)} was replaced", now)
        storer.identity, storer.heard, storer.silent = identity, now, False
        self._ranks[identity] = hello.rank
        _log.info("storer %d is there: process %d on %s", hello.rank, hello.pid, hello.host)

    def _watch(self, storer: _Storer, now: float) -> None:
        process = storer.process
        if process is not None and (code := process.poll()) is not None:
            why = f"{self.name(storer.rank)} {ending(code)}"
            quick = now - storer.started < _QUICK_DEATH
            storer.quick_deaths = storer.quick_deaths + 1 if quick else 0
            pause = min(_LONGEST_PAUSE, 0.5 * 2 ** (storer.quick_deaths - 1)) if quick else 0.0
            storer.next_start = now + pause
            self._end(storer)
            self._gone(storer, why, now)
            return
        quiet = now - storer.heard
        if not storer.identity or quiet <= SILENT_AFTER:
            return
        if not storer.silent:
            storer.silent = True
            _log.error("%s has said nothing for %.1f s", self.name(storer.rank), quiet)
        if quiet > GIVEN_UP_AFTER:
            why = f"{self.name(storer.rank)} said nothing for {quiet:.0f} s"
            self._end(storer)
            self._gone(storer, why, now)

    def _gone(self, storer: _Storer, why: str, now: float) -> None:
        self._ranks.pop(storer.identity, None)
        was_there = bool(storer.identity)
        storer.identity, storer.silent, storer.heard = b"", False, now
        if not self._end_by:
            _log.error("%s", why)
        if was_there:
            self.on_gone(storer.rank, why)

    # ------------------------------------------------------------ processes

    def _start(self, storer: _Storer, now: float) -> None:
        command = [sys.executable, "-P", "-m", "writer.storer", "--fan", self.endpoint]
        command += ["--rank", str(storer.rank), "--log", self._level]
        try:
            storer.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=sys.stderr.fileno(),
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                pass_fds=lifeline.to_inherit(),
                process_group=0,
            )
        except OSError as error:
            _log.error("storer %d cannot be started: %s", storer.rank, error)
            storer.next_start = now + _LONGEST_PAUSE
            return
        storer.started = now

    def _end(self, storer: _Storer) -> None:
        process, storer.process = storer.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def close(self) -> None:
        """End those that were started here, and leave the others as they are: they wait for the next fan."""
        now = time.monotonic()
        end_by = max(self._end_by or now + _LAST_WORDS, now + _PARTING)
        self._end_by = end_by
        for each in self._all:
            if each.process is not None:
                self.send(each.rank, messages.Shutdown())
                if each.process.stdin is not None:
                    each.process.stdin.close()
        for each in self._all:
            if each.process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    each.process.wait(max(0.0, end_by - time.monotonic()))
                self._end(each)
        self.socket.close(0)


def _own_endpoint() -> str:
    """For children: a Unix socket costs half of what TCP does, and an abstract one leaves no file."""
    if sys.platform != "linux":
        return "tcp://127.0.0.1:*"
    return f"ipc://@softbeam-{os.getpid()}-{secrets.token_hex(8)}"


def _address(view: bytes | memoryview) -> int:
    return int(np.frombuffer(view, np.uint8).__array_interface__["data"][0])
