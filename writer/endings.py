"""How a process ended, in words."""

from __future__ import annotations

import signal


def ending(code: int) -> str:
    """What became of a process, by its return code as ``subprocess`` has it."""
    if code >= 0:
        return f"ended by itself with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
