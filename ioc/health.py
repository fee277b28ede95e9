"""The health records of a program: a beat each second, and what the system and the server say then."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import socket
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from ioc import processes
from ioc.puts import Put
from ioc.records import Severity, Status
from ioc.server import Server
from ioc.tables.health import health as table

PERIOD = 1.0
_PROBE = 0.1
"""Seconds between two looks at the clock that find the loop late."""
LATE, TOO_LATE = 200.0, 2000.0
"""Milliseconds of lateness that are a minor and a major alarm: clients notice, and clients give up."""
_TIME = "%m/%d/%Y %H:%M:%S"


class Health:
    """Health of this process.

    Args:
        server: Serves the records, and knows its clients.
        prefix: Of the records.
        children: Processes that should run beside this one.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self, server: Server, prefix: str, children: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.device = server.device(prefix, table())
        self._server, self._children, self._clock = server, children, clock
        self._puts = self._refused = 0
        self._lag = 0.0
        self._began, self._began_at = clock(), time.time()
        self._looked = (self._began, processes.look(os.getpid()))
        self._tasks: list[asyncio.Task[None]] = []

    def count(self, put: Put) -> None:
        """A client has put, or a put of one has failed."""
        if put.ended is None:
            self._puts += 1
        if put.error:
            self._refused += 1

    async def start(self) -> None:
        """Show who this is, and begin to beat."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        interfaces = " ".join(f"{address}:{self._server.port}" for address in self._server.interfaces)
        await self.device.post_all(
            {
                "STARTTOD": time.strftime(_TIME, time.localtime(self._began_at)),
                "CPU_CNT": len(os.sched_getaffinity(0)),
                "FD_MAX": limit,
                "RECORD_CNT": len(self._server.names),
                "HOSTNAME": socket.gethostname(),
                "PROCESS_ID": os.getpid(),
                "PARENT_ID": os.getppid(),
                "INTERFACES": interfaces,
                "APP_DIR": str(Path.cwd()),
                "VERSION": version("softbeam"),
                "CAPROTO_VERS": version("caproto"),
                "PYTHON_VERS": platform.python_version(),
                "KERNEL_VERS": f"{platform.system()} {platform.release()}",
            }
        )
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._probe())]

    async def close(self) -> None:
        """Beat no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _probe(self) -> None:
        while True:
            due = self._clock() + _PROBE
            await asyncio.sleep(_PROBE)
            self._lag = max(self._lag, self._clock() - due)

    async def _beat(self) -> None:
        beats = 0
        while True:
            await self._show(beats)
            beats += 1
            # By the clock, so that late beats do not make the next ones later.
            await asyncio.sleep(max(0.0, self._began + beats * PERIOD - self._clock()))
            beats = max(beats, int((self._clock() - self._began) / PERIOD))

    async def _show(self, beats: int) -> None:
        up = self._clock() - self._began
        lag, self._lag = 1000.0 * self._lag, 0.0
        await self.device.post_all(
            {
                "HEARTBEAT": beats,
                "TOD": time.strftime(_TIME),
                "UPTIME": uptime(up),
                "UPTIME_S": round(up),
            }
        )
        await self._post("LOOP_LAG", lag, _above(lag), Status.HIGH)
        clients, channels = self._server.connections
        await self.device.post_changed(
            {
                "CA_CLNT_CNT": clients,
                "CA_CONN_CNT": channels,
                "PUT_CNT": self._puts,
                "REFUSED_CNT": self._refused,
            }
        )
        await self._show_load()

    async def _show_load(self) -> None:
        pid, at, now = os.getpid(), self._clock(), processes.look(os.getpid())
        then, before = self._looked
        self._looked = (at, now)
        if pid not in now:
            return  # not Linux: the values stay 0
        load = processes.load(before, now, pid, at - then)
        descriptors = processes.descriptors()
        await self.device.post_changed(
            {
                "IOC_CPU_LOAD": round(load.cpu, 1),
                "TREE_CPU_LOAD": round(load.tree_cpu, 1),
                "MEM_USED": load.memory,
                "TREE_MEM_USED": load.tree_memory,
                "FD_CNT": descriptors,
                "FD_FREE": max(0.0, self.device["FD_MAX"] - descriptors),
                "THREAD_CNT": load.threads,
            }
        )
        missing = Severity.MAJOR if load.children < self._children else Severity.NONE
        await self._post("CHILD_CNT", load.children, missing, Status.LOW)

    async def _post(self, name: str, value: float, severity: Severity, status: Status) -> None:
        said = status if severity else Status.NO_ALARM
        await self.device.post(name, value, severity=severity, status=said)


def uptime(seconds: float) -> str:
    """A time as devIocStats says it: ``2 days, 03:04:05``."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    words = "" if not days else "1 day, " if days == 1 else f"{days} days, "
    return f"{words}{hour:02d}:{minute:02d}:{second:02d}"


def _above(lag: float) -> Severity:
    return Severity.MAJOR if lag > TOO_LATE else Severity.MINOR if lag > LATE else Severity.NONE
