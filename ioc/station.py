"""What every IOC of ours has around its server: rules, put log, autosave, health, a look at who else serves.

The programs make their devices on ``Station.server``, ``look``, boot the devices, ``restore``, and ``open``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ioc import access, clash, names
from ioc.autosave import Changes, File
from ioc.health import Health
from ioc.putlog import PutLog
from ioc.puts import Put
from ioc.records import Kind, PutError, Severity, Value
from ioc.server import Server
from ioc.settings import settings

_log = logging.getLogger(__name__)

SAVE_EVERY = 3.0
"""Seconds between two looks at what has changed."""
_RESTORED_WITHIN = 5.0
"""Seconds that the put of one setting may take."""
_ARRAYS = (Kind.DOUBLES, Kind.LONGS)
ANY = ("0.0.0.0", "")  # noqa: S104 (only when it is asked for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and how a program serves.

    Attributes:
        program: ``sim`` or ``writer``.
        prefix: Of all its PVs.
        interfaces: Addresses to bind.
        port: Of Channel Access.
        other_ports: Of our other programs.
        rules: Who may put what.
        put_log: Directory of the put log; none if nothing.
        autosave: Directory of the settings; they are not kept if nothing.
        children: Processes that should run beside this one.
    """

    program: str
    prefix: str
    interfaces: tuple[str, ...]
    port: int
    other_ports: tuple[int, ...] = ()
    rules: tuple[access.Rule, ...] = ()
    put_log: Path | None = None
    autosave: Path | None = None
    children: int = 0


class Station:
    """A server with everything around it.

    Args:
        place: Where and how.

    Raises:
        access.AccessError: A rule cannot be kept.
        OSError: The directory of the log or of the settings cannot be used.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self._put_log = (
            None
            if place.put_log is None
            else PutLog(put_log_file(place.put_log, place.program), place.program, place.prefix)
        )
        self._file = None if place.autosave is None else File(place.autosave, place.program)
        self._changes = Changes({})
        self._saved: Mapping[str, Value] = {}
        self._saving: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()
        self.server = Server(place.interfaces, place.port, gate=access.gate(place.rules), trace=self._heard)
        self.health = Health(self.server, names.health(place.prefix, place.program), place.children)

    async def look(self) -> None:
        """See that nobody serves our PVs; when the devices are made, before anything is started.

        Raises:
            clash.ClashError: Somebody does.
        """
        place = self.place
        where = clash.addresses(
            place.interfaces,
            (place.port, *place.other_ports),
            os.environ,
            clash.broadcasts(place.interfaces),
        )
        found = await clash.look(clash.records(self.server.names), where)
        if found is not None:
            raise clash.ClashError(found)

    async def restore(self) -> None:
        """Put the settings that were kept; after the devices have booted, before clients come."""
        if self._file is None:
            return
        self._changes = Changes(self._settings())
        kept = await asyncio.to_thread(self._file.load)
        for name, value in kept.items():
            try:
                await asyncio.wait_for(self.server.put(name, value), _RESTORED_WITHIN)
            except KeyError:
                _log.warning("setting %s: no PV has this name any more; left out", name)
            except (PutError, TimeoutError) as error:
                _log.warning("setting %s = %r: %s; left as it is", name, value, error or "took too long")
            else:
                self._changes.put(name)
        self._changes.see(self._settings())
        _log.info(
            "%d of %d settings restored from %s", len(self._changes.values()), len(kept), self._file.path
        )

    async def open(self) -> None:
        """Begin to serve.

        Raises:
            PortTakenError: The port is in use.
        """
        place = self.place
        await self.health.start()
        await self.health.device.post("ACCESS_RULES", len(place.rules))
        if place.put_log is not None:
            await self.health.device.post("PUT_LOG", str(put_log_file(place.put_log, place.program)))
        await self.server.start()
        if self._file is not None:
            self._saving = asyncio.create_task(self._save_often(self._file), name="autosave")

    async def close(self) -> None:
        """Stop serving; what has changed is saved."""
        self._closing.set()
        if self._saving is not None:
            await self._saving
        await self.health.close()
        await self.server.close()
        if self._put_log is not None:
            self._put_log.close()

    def _heard(self, put: Put) -> None:
        self.health.count(put)
        if put.ended is None and put.taken:
            self._changes.put(put.pv)
        if self._put_log is not None:
            self._put_log(put)

    def _settings(self) -> dict[str, Value]:
        return {
            device.prefix + name: device[name]
            for device in self.server.devices
            for name in settings(device.prefix, device.records)
            if device.records[name].kind not in _ARRAYS
        }

    async def _save_often(self, file: File) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), SAVE_EVERY)
            await self._save(file)

    async def _save(self, file: File) -> None:
        self._changes.see(self._settings())
        values = self._changes.values()
        if list(values.items()) == list(self._saved.items()):
            return
        try:
            await asyncio.to_thread(file.save, values)
        except OSError as error:
            text = f"settings are not saved: {file.path}: {error.strerror}"
            if self.health.device["AUTOSAVE"] != text:
                _log.error("%s", text)
            await self.health.device.post("AUTOSAVE", text, severity=Severity.MAJOR)
            return
        self._saved = values
        text = f"{len(values)} settings in {file.path}, {time.strftime('%H:%M:%S')}"
        await self.health.device.post("AUTOSAVE", text, severity=Severity.NONE)


def put_log_file(directory: Path, program: str) -> Path:
    """File of a program's puts."""
    return directory / f"{program}-puts.jsonl"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what every IOC of ours can be told, named as caproto names it."""
    parser.add_argument("--beamline", type=Path, help="beamline file; the built-in one unless given")
    parser.add_argument("--prefix", help="PV prefix other than the beamline file's")
    parser.add_argument(
        "--interfaces",
        nargs="+",
        metavar="ADDRESS",
        help="addresses to serve Channel Access on, other than the file's; 0.0.0.0 is all of them",
    )
    parser.add_argument("--put-log", type=Path, metavar="DIRECTORY", help="log every put there")
    parser.add_argument("--autosave", type=Path, metavar="DIRECTORY", help="keep settings there")
    parser.add_argument("-v", "--verbose", action="store_true", help="log more")


def local(interfaces: Sequence[str]) -> str:
    """Address at which a program on this machine finds a server on some interfaces."""
    for address in interfaces:
        if address in ANY or address.startswith("127."):
            return "127.0.0.1" if address in ANY else address
    return interfaces[0]


def exposed(interfaces: Sequence[str], what: str, rules: int) -> str:
    """What is open to others where a program leaves loopback; empty on loopback.

    Args:
        interfaces: Addresses that are served.
        what: Anybody who reaches it may do.
        rules: Access rules there are.
    """
    outside = [address for address in interfaces if not address.startswith("127.")]
    if not outside:
        return ""
    where = ", ".join("every interface" if address in ANY else address for address in outside)
    who = (
        f"the {rules} access rules of the beamline file say who may put; user names are what clients say"
        if rules
        else "there are no access rules (ca.rules in the beamline file), so everybody there may put"
    )
    return f"serving on {where}: whoever reaches it can {what}; {who}"
