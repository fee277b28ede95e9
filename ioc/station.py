"""What every IOC of ours has around its server: rules, put log, autosave, health, a look at who else serves.

The programs make their devices on ``Station.server``, ``look``, boot the devices, ``restore``, and ``open``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Mapping

from ioc import access, clash, names
from ioc.autosave import Changes, File
from ioc.health import Health
from ioc.place import Place
from ioc.putlog import PutLog, put_log_file
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
        # The beamline's own PVs before those of the program's health: an answer names the first.
        ours = names.health(place.prefix, place.program)
        asked = sorted(clash.records(self.server.names), key=lambda name: name.startswith(ours))
        found = await clash.look(asked, where)
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
        await self.server.start()
        await self.health.start()
        await self.health.device.post("ACCESS_RULES", len(place.rules))
        if place.put_log is not None:
            await self.health.device.post("PUT_LOG", str(put_log_file(place.put_log, place.program)))
        if self._file is not None:
            self._saving = asyncio.create_task(self._save_often(self._file), name="autosave")

    async def save(self) -> None:
        """Save what has changed, and save no more: the program ends."""
        self._closing.set()
        if self._saving is not None:
            await self._saving
            self._saving = None

    async def close(self) -> None:
        """Stop serving; what has changed is saved."""
        await self.save()
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
