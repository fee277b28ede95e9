"""``softbeam up``: simulator and writer on this machine, one READY line, one Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

from layouts.beamline import Beamline
from softbeam.programs import READY, ProgramError, Programs, start_beamline

START_WITHIN = 60.0
"""Seconds the programs have to say that they are ready."""


def up(
    beamline: Beamline, file: Path, data: Path, *, interfaces: str | None, say: Callable[[str], None]
) -> int:
    """Run the beamline until a signal comes or a program ends by itself.

    Args:
        beamline: The description.
        file: Its file, for the programs.
        data: Default directory of the writer's files.
        interfaces: Where to serve Channel Access, if not where the file says.
        say: Called with each line for stdout.

    Returns:
        Exit code: 0 after a signal, 1 if a program failed.
    """
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    with Programs() as programs:
        start_beamline(programs, file, data, interfaces=interfaces)
        try:
            programs.wait_ready(START_WITHIN, asked)
        except ProgramError as error:
            if asked.is_set():
                return 0
            say(f"softbeam up: {error}")
            return 1
        ca = beamline.ca
        host = interfaces or ca.interface
        servers = f"sim={host}:{ca.sim_port} writer={host}:{ca.writer_port}"
        say(f"{READY}softbeam prefix={beamline.prefix} {servers}")
        while not asked.wait(0.2):
            if why := programs.ended():
                say(f"softbeam up: {why}; ending the other")
                return 1
    return 0
