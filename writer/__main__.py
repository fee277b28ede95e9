"""``python -m writer``: the coordinator, an IOC with the records of HDF1 and ACQ, and one worker a detector.

One READY line on stdout when clients may begin; the log is on stderr. SIGTERM and Ctrl-C end it and its
workers within 2 s with every file closed, and so does the end of whoever started it (``SOFTBEAM_LIFELINE``).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import getpass
import json
import logging
import signal
import sys
from pathlib import Path

from ioc import lifeline, names
from ioc.access import AccessError
from ioc.clash import ClashError
from ioc.client import CaError, Client
from ioc.place import Place, add_options, exposed, local, place
from ioc.records import expand
from ioc.station import Station
from ioc.tables.acq import acq
from ioc.tables.hdf import hdf
from ioc.tables.health import health
from ioc.tables.image import image
from ioc.tables.roi import roi
from ioc.tables.stats import stats
from layouts.beamline import Beamline, BeamlineError, load, parse
from writer.coordinator import Coordinator
from writer.disk import make_directories
from writer.metrics import MetricsServer, snapshot_of
from writer.orders import RefusedError

_log = logging.getLogger("writer")

_WORKERS_WITHIN = 20.0
_PREVIEWS_WITHIN = 5.0
"""Seconds beyond those of the workers."""
_RUNS_WITHIN = 0.6
"""Seconds that acquisitions have to close their files and write their masters when the program ends."""


def main(arguments: list[str] | None = None) -> int:
    """Run the coordinator until a signal comes; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s writer %(levelname)s %(message)s",
    )
    if not options.verbose:
        logging.getLogger("caproto").setLevel(logging.WARNING)
    try:
        beamline = _beamline(options)
        if options.list_pvs:
            return _list(beamline)
        return asyncio.run(_run(beamline, options))
    except (BeamlineError, RefusedError, AccessError, ClashError, CaError, OSError) as error:
        _log.error("%s", error)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m writer", description=__doc__)
    add_options(parser)
    parser.add_argument("--data", type=Path, help="where files go unless a client says otherwise")
    parser.add_argument(
        "--ca-addresses",
        help="servers of motors and cameras, host:port with spaces between; the simulator's unless given",
    )
    parser.add_argument("--list-pvs", action="store_true", help="print every PV with its type, and end")
    return parser


def _beamline(options: argparse.Namespace) -> Beamline:
    beamline = load(options.beamline)
    if options.prefix:
        values = beamline.model_dump(mode="json") | {"prefix": options.prefix}
        beamline = parse(json.dumps(values), "--prefix")
    return beamline


def _commands(beamline: Beamline, options: argparse.Namespace) -> dict[str, list[str]]:
    base = [sys.executable, "-P", "-m", "writer.worker"]
    if options.beamline is not None:
        base += ["--beamline", str(options.beamline)]
    level = "DEBUG" if options.verbose else "INFO"
    return {d.name: [*base, "--detector", d.name, "--log", level] for d in beamline.detectors}


def _place(beamline: Beamline, options: argparse.Namespace) -> Place:
    return place(
        beamline.ca,
        options,
        program="writer",
        prefix=beamline.prefix,
        port=beamline.ca.writer_port,
        other_port=beamline.ca.sim_port,
        children=len(beamline.detectors) + 1,  # a worker each, and the previews' process
    )


def _list(beamline: Beamline) -> int:
    tables = [(names.acq(beamline.prefix), acq()), (names.health(beamline.prefix, "writer"), health())]
    for detector in beamline.detectors:
        prefix = names.hdf(beamline.prefix, detector.pv, beamline.preset)
        tables.append((prefix, hdf(f"{detector.name}.HDF", detector.name)))
        others = ((names.stats, stats()), (names.image, image()), (names.roi, roi()))
        tables += [(name(beamline.prefix, detector.pv, beamline.preset), table) for name, table in others]
    for prefix, table in tables:
        for name, record in expand(table).items():
            sys.stdout.write(f"{prefix}{name} {record.kind.value}\n")
    return 0


async def _run(beamline: Beamline, options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    lifeline.watch(lambda: loop.call_soon_threadsafe(stop.set))
    data = _data(beamline, options)
    where = _place(beamline, options)
    may = f"have files written anywhere that {getpass.getuser()} may write"
    if warning := exposed(where.interfaces, may, len(where.rules)):
        _log.warning("%s", warning)
    here = local(where.interfaces)
    addresses = (options.ca_addresses or f"{here}:{beamline.ca.sim_port}").split()
    # Our own records too: NDAttributes may name them.
    client = Client([*addresses, f"{here}:{beamline.ca.writer_port}"])
    station = Station(where)
    coordinator = Coordinator(beamline, data, station.server, client, _commands(beamline, options))
    await station.look()
    look = functools.partial(snapshot_of, coordinator.hdfs, coordinator.acq.device)
    metrics = MetricsServer(port, look) if (port := beamline.ca.metrics_port) else None
    try:
        await coordinator.start()
        # Clients come when the settings are there; the workers may take longer.
        await station.restore()
        await station.open()
        await _ready(coordinator, stop)
        if not stop.is_set():
            served = ",".join(f"{address}:{station.server.port}" for address in where.interfaces)
            control = beamline.ca.control
            sys.stdout.write(f"READY writer prefix={beamline.prefix} ca={served} {control=!s} data={data}\n")
            sys.stdout.flush()
        await stop.wait()
        _log.info("ending")
    finally:
        if metrics is not None:
            metrics.close()
        await station.save()
        await coordinator.close(_RUNS_WITHIN)
        await station.close()
        with contextlib.suppress(Exception):
            await client.close()
    return 0


async def _ready(coordinator: Coordinator, stop: asyncio.Event) -> None:
    async def children() -> set[str]:
        late = await coordinator.supervisor.wait_ready(_WORKERS_WITHIN)
        if not await coordinator.previews.wait_ready(_PREVIEWS_WITHIN):
            _log.error("the preview process has not come up; its log says why, and nothing else needs it")
        return late

    ready = asyncio.create_task(children())
    ended = asyncio.create_task(stop.wait())
    await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not ready.done():
        ready.cancel()
        return
    for name in ready.result():
        _log.error("the worker of %s has not come up within %g s; its log says why", name, _WORKERS_WITHIN)


def _data(beamline: Beamline, options: argparse.Namespace) -> Path:
    directory = Path(options.data or beamline.storage.directory).absolute()
    make_directories(str(directory), 1, beamline.storage)
    return directory


if __name__ == "__main__":
    sys.exit(main())
