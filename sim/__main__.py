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
from ioc.clash import ClashError
from ioc.place import Place, add_options, exposed, place
from ioc.station import Station
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
        where = _place(beamline, options)
        names = ", ".join(d.name for d in beamline.detectors)
        may = f"move {len(beamline.motors)} motors and run {names}"
        if warning := exposed(where.interfaces, may, len(where.rules)):
            _log.warning("%s", warning)
        return asyncio.run(_serve(beamline, options.beamline, where, list_pvs=options.list_pvs))
    except BeamlineError as error:
        _log.error("%s", error)
        return 2
    except (LinkError, ClashError, OSError, ValueError) as error:
        _log.error("%s", error)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim", description=__doc__)
    add_options(parser)
    parser.add_argument("--list-pvs", action="store_true", help="list the PVs once they are served")
    return parser


def _place(beamline: Beamline, options: argparse.Namespace) -> Place:
    return place(
        beamline.ca,
        options,
        program="sim",
        prefix=beamline.prefix,
        port=beamline.ca.sim_port,
        other_port=beamline.ca.writer_port,
        children=len(beamline.detectors),
    )


async def _serve(beamline: Beamline, file: Path | None, where: Place, *, list_pvs: bool) -> int:
    loop = asyncio.get_running_loop()
    stop, ready = asyncio.Event(), asyncio.Event()

    def end() -> None:
        if not stop.is_set():
            stop.set()
            loop.call_later(LEAVE_WITHIN, os._exit, 0)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    lifeline.watch(lambda: loop.call_soon_threadsafe(end))
    service = Service(beamline, file, Station(where))
    running = asyncio.create_task(service.run(stop, ready))
    announced = asyncio.create_task(_announce(service, ready, list_pvs=list_pvs))
    try:
        await running
    finally:
        announced.cancel()
    return 0


async def _announce(service: Service, ready: asyncio.Event, *, list_pvs: bool) -> None:
    await ready.wait()
    server, place = service.server, service.station.place
    lines = sorted(server.names) if list_pvs else []
    where = ",".join(f"{address}:{server.port}" for address in place.interfaces)
    lines.append(f"READY sim prefix={place.prefix} ca={where}")
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
