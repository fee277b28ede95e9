"""Calls of the disk that take longer than the beamline file allows, in words.

Limits warn, as odin-data's watchdog does: they end no acquisition.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from layouts.beamline_storage import Storage
from writer import control
from writer.timings import Timings

_MEANS: Final = frozenset({"write"})
"""Calls whose mean is looked at: of the others, the longest."""


def limits_of(storage: Storage) -> dict[str, float]:
    """Milliseconds that each kind of call may take; those without a limit are left out."""
    limits = {
        "create": storage.limit_create,
        "write": storage.limit_write,
        "flush": storage.limit_flush,
        "close": storage.limit_close,
    }
    return {call: limit for call, limit in limits.items() if limit > 0}


def slow_calls(limits: dict[str, float], status: control.Status) -> dict[str, str]:
    """What took too long.

    Args:
        limits: Milliseconds, by kind of call.
        status: Of a worker.

    Returns:
        A sentence for each kind of call that is over its limit, by kind.
    """
    found: dict[str, str] = {}
    for call, limit in limits.items():
        for who, timings in _each(status):
            timing = getattr(timings, call)
            took = 1e3 * (timing.mean if call in _MEANS else timing.longest)
            if took > limit and call not in found:
                of = "of a frame on average" if call in _MEANS else "of a raw file"
                found[call] = f"{who}{call} {of} took {took:.3g} ms, over the limit of {limit:g} ms"
    return found


def _each(status: control.Status) -> Iterable[tuple[str, Timings]]:
    if status.storers:
        return [(f"storer {each.rank}: ", each.timings) for each in status.storers]
    return [("", status.timings)]
