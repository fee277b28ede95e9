"""The thread by which a process notices that its parent has gone, in whatever way that went."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

VARIABLE = "SOFTBEAM_LIFELINE"
"""Environment variable with the descriptor of a pipe whose other end only the parent has."""


def descriptor() -> int | None:
    """The lifeline's descriptor, if the parent gave one."""
    text = os.environ.get(VARIABLE, "")
    return int(text) if text.isdecimal() else None


def watch(gone: Callable[[], object]) -> None:
    """Call ``gone`` from a thread when the lifeline breaks; does nothing where there is none."""
    line = descriptor()
    if line is None:
        return

    def wait() -> None:
        try:
            while os.read(line, 64):
                pass
        except OSError:
            pass  # no such descriptor: it was closed on the way here, which also means that nobody is there
        gone()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
