"""Devices that share their displays: those with the same records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ioc.records import Record
from softbeam.pvs import DeviceTable
from softbeam.screens.plans import Plan, find


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device.

    Attributes:
        title: What it is.
        prefix: What its PVs begin with.
        macros: What its displays are opened with.
    """

    title: str
    prefix: str
    macros: tuple[tuple[str, str], ...]

    @property
    def name(self) -> str:
        """Its name alone."""
        return self.title.split()[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Devices with the same records.

    Attributes:
        file: Stem of their displays' files.
        title: What they are.
        plan: Their plan; None where there is none.
        records: Their records.
        devices: Each of them.
    """

    file: str
    title: str
    plan: Plan | None
    records: Mapping[str, Record]
    devices: tuple[Device, ...]

    @property
    def prefix(self) -> str:
        """What their PVs begin with, in macros."""
        names = [name for name, _ in self.devices[0].macros]
        return "".join(f"$({name})" for name in names) + ("." if "M" in names else "")


def group(prefix: str, tables: Sequence[DeviceTable], plans: Sequence[Plan]) -> list[Family]:
    """Devices of the same records together: they share their displays.

    Args:
        prefix: What all PVs of the beamline begin with.
        tables: Its devices.
        plans: Those to choose from.
    """
    by_records: dict[tuple[str, ...], list[DeviceTable]] = {}
    for table in tables:
        by_records.setdefault(tuple(table.records), []).append(table)
    families: list[Family] = []
    used: Counter[str] = Counter()
    for alike in by_records.values():
        plan = find(plans, alike[0].records)
        stem = plan.file if plan else _stem(alike[0].title)
        used[stem] += 1
        families.append(
            Family(
                file=f"{stem}_{used[stem]}" if used[stem] > 1 else stem,
                title=plan.title if plan else _kind(alike[0].title).capitalize(),
                plan=plan,
                records=alike[0].records,
                devices=tuple(_device(prefix, table) for table in alike),
            )
        )
    return families


def _device(prefix: str, table: DeviceTable) -> Device:
    """A device with the macros of its displays: P and M as motor screens have them, P and R as others."""
    rest = table.prefix.removeprefix(prefix)
    macros = {"P": prefix, "M": rest[:-1]} if rest.endswith(".") else {"P": prefix, "R": rest}
    return Device(title=table.title, prefix=table.prefix, macros=tuple(macros.items()))


def _kind(title: str) -> str:
    """What a title says besides the device's name: ``image of EIG1`` is an image."""
    return re.sub(r"\s+\d+$", "", title.split(" of ", maxsplit=1)[0])


def _stem(title: str) -> str:
    return re.sub(r"\W+", "_", _kind(title).lower()).strip("_")
