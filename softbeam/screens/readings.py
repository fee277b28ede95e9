"""Values for pictures of screens: those of a beamline that runs, or those at boot from the record tables."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ioc.circuit import CaError
from ioc.client import Client, PvValue
from ioc.records import Kind, Record, Value
from layouts.beamline import Beamline
from softbeam.pvs import devices

_PATIENCE = 3.0
"""Seconds to wait for the servers."""
_AT_ONCE = 200
"""Reads on their way together."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a PV holds.

    Attributes:
        record: What it is.
        value: Its value, or None where nobody serves it.
    """

    record: Record
    value: Value | PvValue | None

    @property
    def number(self) -> float:
        """The value as a number: the index of a menu's choice; 0 where there is none."""
        if isinstance(self.value, str):
            return float(self.record.choices.index(self.value)) if self.value in self.record.choices else 0.0
        if isinstance(self.value, int | float):
            return float(self.value)
        return 0.0

    def text(self, *, units: bool = True) -> str:
        """The value as Phoebus shows it, with the record's decimals and units."""
        if self.value is None:
            return ""
        if self.record.kind is Kind.ENUM and isinstance(self.value, int):
            choices = self.record.choices
            return choices[self.value] if self.value < len(choices) else str(self.value)
        if isinstance(self.value, str):
            return self.value
        if isinstance(self.value, int | float):
            number = self._number(self.value)
            return f"{number} {self.record.units}" if units and self.record.units else number
        return "[" + ", ".join(self._number(item) for item in self.value) + "]"

    def _number(self, value: float | str) -> str:
        decimals = self.record.precision if self.record.kind in (Kind.DOUBLE, Kind.FLOAT, Kind.DOUBLES) else 0
        return f"{float(value):.{decimals}f}"


Readings = Mapping[str, Reading]
"""By PV name."""


def at_boot(beamline: Beamline) -> dict[str, Reading]:
    """Every PV with the value that its table gives it."""
    return {
        f"{device.prefix}{name}": Reading(record, record.default)
        for device in devices(beamline)
        for name, record in device.records.items()
    }


def live(beamline: Beamline, names: Iterable[str], addresses: Sequence[str]) -> dict[str, Reading] | None:
    """Every PV with the value that the servers give the named ones, the others with none.

    Args:
        beamline: Its tables say what each PV is.
        names: PVs to read.
        addresses: Servers as ``host:port``.

    Returns:
        None where no server answers.
    """
    found = asyncio.run(_read(sorted(set(names)), addresses))
    if not found:
        return None
    return {name: Reading(one.record, found.get(name)) for name, one in at_boot(beamline).items()}


async def _read(names: Sequence[str], addresses: Sequence[str]) -> dict[str, PvValue]:
    client = Client(addresses)
    values: dict[str, PvValue] = {}

    async def one(name: str) -> None:
        try:
            values[name] = await client.get(name)
        except CaError:
            return

    try:
        missing = await client.connect(names, _PATIENCE)
        there = [name for name in names if name not in missing]
        for start in range(0, len(there), _AT_ONCE):
            await asyncio.gather(*(one(name) for name in there[start : start + _AT_ONCE]))
    finally:
        await client.close()
    return values
