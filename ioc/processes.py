"""What the system says of a process and of those it has started: CPU time, memory, threads, descriptors.

Read from Linux' /proc; elsewhere there is nothing to read, and nothing is said. The texts are taken apart by
pure functions.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one process has and has used.

    Attributes:
        cpu: Seconds of CPU time so far.
        memory: Resident bytes.
        threads: Threads.
        parent: Process that has started it.
        zombie: Whether it has ended and nobody has asked how.
    """

    cpu: float
    memory: int
    threads: int
    parent: int
    zombie: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a process and its children use, between two looks.

    Attributes:
        cpu: Percent of one core, the process itself.
        tree_cpu: With those it has started, and theirs.
        memory: Resident bytes of the process itself.
        tree_memory: With those.
        threads: Of the process itself.
        children: Processes that it has started and that run.
    """

    cpu: float
    tree_cpu: float
    memory: int
    tree_memory: int
    threads: int
    children: int


def usage(stat: str) -> Usage:
    """What ``/proc/PID/stat`` says.

    Raises:
        ValueError: It is no such text.
    """
    # The name in parentheses may hold anything, even spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    try:
        return Usage(
            cpu=(int(fields[11]) + int(fields[12])) / _TICK,
            memory=int(fields[21]) * _PAGE,
            threads=int(fields[17]),
            parent=int(fields[1]),
            zombie=fields[0] == "Z",
        )
    except IndexError:
        raise ValueError(f"no process status: {stat[:80]!r}") from None


def family(processes: Mapping[int, Usage], pid: int) -> set[int]:
    """A process, those it has started, and theirs."""
    found = {pid}
    while more := {p for p, u in processes.items() if u.parent in found and not u.zombie} - found:
        found |= more
    return found


def load(before: Mapping[int, Usage], now: Mapping[int, Usage], pid: int, seconds: float) -> Load:
    """What was used between two looks.

    Args:
        before: The earlier look; a process that is not in it has used all its time since.
        now: The later one; has ``pid``, and may have others that are not of its family.
        pid: Whose.
        seconds: Time between them.
    """
    ours = family(now, pid)

    def percent(p: int) -> float:
        spent = now[p].cpu - (before[p].cpu if p in before else 0.0)
        return max(0.0, 100.0 * spent / max(seconds, 1e-3))

    return Load(
        cpu=percent(pid),
        tree_cpu=sum(percent(p) for p in ours),
        memory=now[pid].memory,
        tree_memory=sum(now[p].memory for p in ours),
        threads=now[pid].threads,
        children=sum(1 for p in ours if now[p].parent == pid),
    )


def look(pid: int) -> dict[int, Usage]:
    """A process and its children, and theirs; empty where there is no /proc."""
    found: dict[int, Usage] = {}
    wanted = [pid]
    while wanted:
        one = wanted.pop()
        try:
            found[one] = usage((_PROC / str(one) / "stat").read_text())
            wanted += _children(one)
        except (OSError, ValueError):
            continue  # it has ended meanwhile
    return found


def descriptors() -> int:
    """Open descriptors of this process; 0 where nobody says."""
    try:
        return sum(1 for _ in (_PROC / "self" / "fd").iterdir())
    except OSError:
        return 0


def _children(pid: int) -> list[int]:
    # Each thread has the children that it has started.
    files = (task / "children" for task in (_PROC / str(pid) / "task").iterdir())
    return [int(word) for file in files for word in file.read_text().split()]
