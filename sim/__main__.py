"""``python -m sim``: the simulated beamline as a program."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from ioc import lifeline
from ioc.server import PortTakenError
from layouts.beamline import Beamline, BeamlineError, load
from sim.link import LinkError
from sim.service import Service

_log = logging.getLogger("sim")

LEAVE_WITHIN = 1.9
"""Seconds from the request to end until the process is gone, whatever still runs in it."""


def main(arguments: list[str] | None = None) -> int:
    """Serve a beamline until told to end.

    Returns:
        Exit code: 0 when told to end, 1 if it could not start, 2 for a beamline file that cannot be used.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s sim: %(message)s",
    )
    # caproto tells of every request when it may.
    logging.getLogger("caproto").setLevel(logging.WARNING)
    try:
        beamline = load(options.beamline)
        if options.prefix:
            beamline = beamline.model_copy(update={"prefix": options.prefix})
        interface = options.interfaces or beamline.ca.interface
        return asyncio.run(_serve(beamline, options.beamline, interface, list_pvs=options.list_pvs))
    except BeamlineError as error:
        _log.error("%s", error)
        return 2
    except (LinkError, PortTakenError, ValueError) as error:
        _log.error("%s", error)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim", description=__doc__)
    parser.add_argument("--beamline", type=Path, help="beamline file; the built-in one unless given")
    parser.add_argument("--prefix", help="PV prefix other than the beamline file's")
    parser.add_argument("--interfaces", help="address to serve on other than the beamline file's")
    parser.add_argument("--list-pvs", action="store_true", help="list the PVs once they are served")
    parser.add_argument("-v", "--verbose", action="store_true")
    return parser


async def _serve(beamline: Beamline, file: Path | None, interface: str, *, list_pvs: bool) -> int:
    loop = asyncio.get_running_loop()
    stop, ready = asyncio.Event(), asyncio.Event()

    def end() -> None:
        if not stop.is_set():
            stop.set()
            loop.call_later(LEAVE_WITHIN, os._exit, 0)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    lifeline.watch(lambda: loop.call_soon_threadsafe(end))
    service = Service(beamline, file, interface)
    running = asyncio.create_task(service.run(stop, ready))
    announced = asyncio.create_task(_announce(service, beamline, interface, ready, list_pvs=list_pvs))
    try:
        await running
    finally:
        announced.cancel()
    return 0


async def _announce(
    service: Service, beamline: Beamline, interface: str, ready: asyncio.Event, *, list_pvs: bool
) -> None:
    await ready.wait()
    lines = sorted(service.server.names) if list_pvs else []
    lines.append(f"READY sim prefix={beamline.prefix} ca={interface}:{service.server.port}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
