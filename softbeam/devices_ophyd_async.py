"""The module of ophyd-async devices: its text, with places for what the beamline file says.

ophyd-async's own Motor, and SimDetector (an areaDetector driver and nothing more) with the HDF5 writer and
statistics; the positions of the motors are stored with every frame.
"""

from __future__ import annotations

from string import Template

MOTOR = "Motor"
"""Class of the motors."""
TAKEN = frozenset({"prepare_beamline", "ensure_connected", "setup_ndattributes"})
"""Names in small letters that the module uses itself."""


TEMPLATE = Template('''\
"""Devices of the beamline, made by `softbeam devices --flavour $flavour`.

The classes are those of ophyd-async. The environment has to lead to the beamline before
this module is imported: eval "$$(softbeam env)". Connect with RE(prepare_beamline()).
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bluesky.utils import MsgGenerator
from ophyd_async.core import StaticPathProvider, UUIDFilenameProvider
from ophyd_async.epics.adcore import (
    ADWriterFactory,
    NDAttributePv,
    NDAttributePvDbrType,
    NDStatsIO,
    PluginSignalDataLogic,
    setup_ndattributes,
)
from ophyd_async.epics.adsimdetector import SimDetector
from ophyd_async.epics.motor import Motor
from ophyd_async.plan_stubs import ensure_connected

# Where the files go: a directory that writer and client see by the same path.
DATA = Path("data").absolute()


class Eiger(SimDetector):
    """A detector with its file writer and statistics."""

    def __init__(self, prefix: str, name: str) -> None:
        self._exposure: Any = None
        self._held: list[Any] = []
        stats = NDStatsIO(f"{prefix}$stats")
        provider = StaticPathProvider(UUIDFilenameProvider(), DATA)
        super().__init__(
            prefix,
            ADWriterFactory.hdf(provider, writer_suffix="$hdf"),
            driver_suffix="$cam",
            plugins={"stats": stats},
            name=name,
        )
        self.add_detector_logics(PluginSignalDataLogic(self.driver, stats.total))

    def stage(self) -> Any:
        """Make ready for a run."""
        self._exposure, self._held = None, []
        return super().stage()

    def trigger(self) -> Any:
        """Take the frames of one point."""
        self._exposure = super().trigger()
        return self._exposure

    async def pause(self) -> None:
        """Let the exposure under way come to its end; resume sees to its rows."""

    async def resume(self) -> None:
        """Wait for an exposure that a pause interrupted, pass over its rows.

        The point is taken again, and a document that points to the rows of both is
        refused by the RunEngine.

        Raises:
            TimeoutError: The interrupted exposure was aborted by hand: end this run
                with RE.abort().
        """
        if self._exposure is None:
            return
        await self._exposure
        async for name, doc in super().collect_asset_docs():
            if name == "stream_resource":  # of the file, which later rows are in
                self._held.append((name, doc))

    async def collect_asset_docs(self, index: int | None = None) -> AsyncIterator[Any]:
        """Documents of the rows that are new, without those that were passed over."""
        held, self._held = self._held, []
        for each in held:
            yield each
        async for each in super().collect_asset_docs(index):
            yield each


$motors

$detectors

$motor_list
$detector_list


def prepare_beamline() -> MsgGenerator:
    """Plan: connect, and have the readbacks of all motors stored with every frame."""
    yield from ensure_connected(*MOTORS, *DETECTORS)
    for detector in DETECTORS:
        yield from setup_ndattributes(
            detector.driver,
            [
                NDAttributePv(
                    f"{detector.name}_{motor.name}",
                    motor.user_readback,
                    NDAttributePvDbrType.DBR_DOUBLE,
                    f"readback of {motor.name}",
                )
                for motor in MOTORS
            ],
        )
''')
