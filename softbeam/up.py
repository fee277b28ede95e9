"""``softbeam up``: simulator and writer on this machine, one READY line, one Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ioc.access import fits
from ioc.place import local, rules
from ioc.putlog import put_log_file
from layouts.beamline import Beamline
from softbeam.programs import READY, ProgramError, Programs, start_beamline
from softbeam.pvs import devices

START_WITHIN = 60.0
"""Seconds the programs have to say that they are ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line says beside the beamline file, which it overrules.

    Attributes:
        interfaces: Where to serve Channel Access.
        put_log: Directory of the put log.
        autosave: Directory of the settings.
    """

    interfaces: Sequence[str] = ()
    put_log: Path | None = None
    autosave: Path | None = None

    def options(self) -> list[str | Path]:
        """The same for the programs."""
        found: list[str | Path] = ["--interfaces", *self.interfaces] if self.interfaces else []
        found += ["--put-log", self.put_log] if self.put_log else []
        return found + (["--autosave", self.autosave] if self.autosave else [])


def up(
    beamline: Beamline,
    file: Path,
    data: Path,
    wishes: Wishes,
    *,
    say: Callable[[str], None],
    tell: Callable[[str], None],
) -> int:
    """Run the beamline until a signal comes or a program ends by itself.

    Args:
        beamline: The description.
        file: Its file, for the programs.
        data: Default directory of the writer's files.
        wishes: What overrules the file.
        say: Called with each line for stdout.
        tell: Called with each line for people.

    Returns:
        Exit code: 0 after a signal, 1 if a program failed.
    """
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    for line in plainly(beamline, wishes):
        tell(f"softbeam up: {line}")
    with Programs() as programs:
        start_beamline(programs, file, data, wishes.options())
        try:
            programs.wait_ready(START_WITHIN, asked)
        except ProgramError as error:
            if asked.is_set():
                return 0
            say(f"softbeam up: {error}")
            return 1
        ca = beamline.ca
        host = local(wishes.interfaces or [ca.interface])
        servers = f"sim={host}:{ca.sim_port} writer={host}:{ca.writer_port}"
        say(f"{READY}softbeam prefix={beamline.prefix} {servers}")
        while not asked.wait(0.2):
            if why := programs.ended():
                say(f"softbeam up: {why}; ending the other")
                return 1
    return 0


def plainly(beamline: Beamline, wishes: Wishes) -> Iterator[str]:
    """Who can reach the beamline and do what, and what is kept of it: a line for each."""
    ca = beamline.ca
    interfaces = wishes.interfaces or [ca.interface]
    where = f"{' and '.join(interfaces)}, ports {ca.sim_port} and {ca.writer_port}"
    loopback = all(address.startswith("127.") for address in interfaces)
    yield f"{beamline.prefix} at {where}: {'this computer only' if loopback else 'OTHER COMPUTERS TOO'}"
    known = rules(ca)
    if known:
        yield f"{len(known)} access rules; a put that none fits is allowed"
    else:
        yield "no access rules: whoever reaches it may put"
    pvs = [f"{device.prefix}{name}" for device in devices(beamline) for name in device.records]
    for number, rule in enumerate(known, 1):
        if not any(fits(rule, pv) for pv in pvs):
            yield f"WARNING: access rule {number} fits no PV: {', '.join(rule.pvs)}"
    put_log, autosave = wishes.put_log or ca.put_log, wishes.autosave or ca.autosave
    logs = [str(put_log_file(put_log, program)) for program in ("sim", "writer")] if put_log else []
    yield f"puts are logged in {' and '.join(logs)}" if logs else "puts are not logged"
    yield f"settings are saved in {autosave}" if autosave else "settings are not saved"
