"""The lifeline: how a program notices that whoever started it has gone, in whatever way that went.

The starter holds the writing end of a pipe and hands the reading end down; nobody ever writes (decision 3).
It stands here because every program of ours has one, and this is the room that they share.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)

VARIABLE = "SOFTBEAM_LIFELINE"
"""Environment variable with the descriptor of the reading end."""


def descriptor() -> int | None:
    """The lifeline's descriptor, if the starter gave one and it is open."""
    text = os.environ.get(VARIABLE, "")
    if not text.isdecimal():
        return None
    try:
        os.fstat(int(text))
    except OSError:
        _log.warning("%s=%s is no open descriptor; going on without", VARIABLE, text)
        return None
    return int(text)


def to_inherit() -> tuple[int, ...]:
    """What a child is to inherit so that it has the lifeline too, for ``pass_fds``."""
    line = descriptor()
    return () if line is None else (line,)


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
            pass  # closed under our hands, which also means that nobody is there
        gone()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
