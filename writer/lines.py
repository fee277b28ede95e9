"""How a child of the coordinator notices, in a loop that polls, that whoever started it is gone."""

from __future__ import annotations

import os
import select
import stat
import sys

from ioc import lifeline


def lines() -> list[int]:
    """Descriptors whose end means that whoever started us is gone: the lifeline, and a pipe as stdin."""
    found = list(lifeline.to_inherit())
    try:
        descriptor = sys.stdin.fileno()
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            found.append(descriptor)
    except (OSError, ValueError, AttributeError):
        pass  # no stdin, as under a service manager
    return found


def is_broken(line: int) -> bool:
    """Whether a descriptor has come to its end."""
    readable, _, _ = select.select([line], [], [], 0)
    try:
        return bool(readable) and not os.read(line, 4096)
    except OSError:
        return True
