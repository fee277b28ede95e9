"""From what a client's XML asks for to the PVs that are watched, and from their readings to values. Pure.

A parameter of areaDetector's driver is read from the record that shows it. What differs with every frame is
counted or computed by the worker: no monitor could tell in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ioc import names
from ioc.circuit import Reading
from ioc.records import Kind, expand
from ioc.tables import params
from ioc.tables.stats import stats
from ioc.wire import Dbr
from layouts.attributes import (
    AttributesError,
    AttributeSource,
    AttributeType,
    NDAttributesStatus,
    SourceType,
)
from layouts.beamline import Beamline
from writer.attribute_messages import Attribute, AttributeValue, PerFrame
from writer.preview.settings import Settings
from writer.preview.summary import idle

_WORDS: Final = {
    SourceType.EPICS_PV: "NDAttrSourceEPICSPV",
    SourceType.PARAM: "NDAttrSourceParam",
    SourceType.CONST: "NDAttrSourceConst",
}
_NATIVE: Final = {
    Dbr.STRING: AttributeType.STRING,
    Dbr.INT: AttributeType.INT16,
    Dbr.FLOAT: AttributeType.FLOAT32,
    Dbr.ENUM: AttributeType.INT16,
    Dbr.CHAR: AttributeType.INT8,
    Dbr.LONG: AttributeType.INT32,
    Dbr.DOUBLE: AttributeType.FLOAT64,
}
_COUNTED: Final = {
    "UNIQUE_ID": PerFrame.PLACE,
    "ARRAY_COUNTER": PerFrame.PLACE,
    "NIMAGES_COUNTER": PerFrame.FRAME,
    "TIME_STAMP": PerFrame.STAMP,
    "EPICS_TS_SEC": PerFrame.SECONDS,
    "EPICS_TS_NSEC": PerFrame.NANOSECONDS,
}
_STATS: Final = expand(stats())
_TYPES: Final = {Kind.LONG: ("INT", AttributeType.INT32), Kind.DOUBLE: ("DOUBLE", AttributeType.FLOAT64)}
_FROM_PV: Final = ("ARRAY_COUNTER",)
"""Of these, the ones that go on from what the camera's record says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Records with an NDAttributesFile of their own.

    Attributes:
        prefix: What stands before their names.
        parameters: Record by asyn parameter.
        statistics: Those of them that are computed of each frame, by asyn parameter.
    """

    prefix: str
    parameters: Mapping[str, str]
    statistics: Mapping[str, str] = field(default_factory=dict[str, str])


def feeds(beamline: Beamline) -> dict[str, tuple[Feed, ...]]:
    """By detector, the records that ask for attributes: camera, statistics, and the file writer's own."""
    prefix, preset = beamline.prefix, beamline.preset
    return {
        d.name: (
            Feed(prefix=names.cam(prefix, d.pv, preset), parameters=params.CAMERA),
            Feed(
                prefix=names.stats(prefix, d.pv, preset),
                parameters=params.STATS,
                statistics=params.STATISTICS,
            ),
            Feed(prefix=names.hdf(prefix, d.pv, preset), parameters=params.PLUGIN),
        )
        for d in beamline.detectors
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An attribute and what tells its value.

    Attributes:
        pv: Empty for constants, and where there is none.
        per_frame: What the worker counts or computes.
        statistic: What it computes.
        problem: Why its value cannot be known; empty if it can.
        doubt: Why it may not be what is meant; empty if it is.
    """

    source: AttributeSource
    pv: str = ""
    per_frame: PerFrame = PerFrame.NOTHING
    statistic: str = ""
    problem: str = ""
    doubt: str = ""


def wanted(sources: Iterable[AttributeSource], feed: Feed) -> list[Wanted]:
    """What to watch for the attributes of one file."""
    return [_wanted(source, feed) for source in sources]


def _wanted(source: AttributeSource, feed: Feed) -> Wanted:
    if source.type is SourceType.CONST:
        return Wanted(source=source)
    if source.type is SourceType.EPICS_PV:
        return Wanted(source=source, pv=source.source)
    # asyn compares names of parameters without regard to case
    known = {name.casefold(): name for name in feed.parameters}
    name = known.get(source.source.casefold())
    if name is None:
        why = f"{feed.prefix} has no parameter {source.source}; take a drvInfo of its templates, or EPICS_PV"
        return Wanted(source=source, problem=why)
    if name in feed.statistics:
        return _statistic(source, feed, name)
    counted = _COUNTED.get(name, PerFrame.NOTHING)
    pv = "" if counted and name not in _FROM_PV else feed.prefix + feed.parameters[name]
    return Wanted(source=source, pv=pv, per_frame=counted)


def _statistic(source: AttributeSource, feed: Feed, name: str) -> Wanted:
    record = feed.parameters[name]
    word, kind = _TYPES[_STATS[record].kind]
    if source.value_type is not kind:
        # In ADCore such an attribute has no value; an XML that does not say has INT.
        return Wanted(source=source, problem=f'{name} is not of that type; datatype="{word}" is right')
    return Wanted(
        source=source,
        pv=feed.prefix + record,
        per_frame=PerFrame.STATISTIC,
        statistic=record.removesuffix("_RBV"),
    )


def as_set(one: Wanted, settings: Settings) -> Wanted:
    """The same as the previews' settings have it: what is not computed keeps its record's value."""
    if one.per_frame is not PerFrame.STATISTIC or not (why := idle(settings, one.statistic)):
        return one
    doubt = f"{one.source.source} is not computed while {why}; every frame has the value that {one.pv} shows"
    return replace(one, per_frame=PerFrame.NOTHING, statistic="", doubt=doubt)


def understood(sources: tuple[AttributeSource, ...], feed: Feed) -> tuple[AttributeSource, ...]:
    """The same, if every parameter among them is one of those records.

    Raises:
        AttributesError: One is not.
    """
    for one in wanted(sources, feed):
        if one.problem:
            why = f"NDAttributesFile: attribute {one.source.name}: {one.problem}"
            raise AttributesError(NDAttributesStatus.SYNTAX, why)
    return sources


def merged(lists: Iterable[list[Wanted]]) -> list[Wanted]:
    """All of them; of two with one name the later counts, as in ADCore, where case is nothing."""
    found: dict[str, Wanted] = {}
    for each in (one for some in lists for one in some):
        found.pop(each.source.name.casefold(), None)
        found[each.source.name.casefold()] = each
    return list(found.values())


def attribute(one: Wanted, reading: Reading | None) -> Attribute:
    """The column of an attribute, with its value as it is now."""
    source = one.source
    kind = source.value_type or native(reading)
    constant = source.type is SourceType.CONST
    return Attribute(
        name=source.name,
        value_type=kind,
        description=source.description,
        source_type=_WORDS[source.type],
        source=source.source,
        constant=constant,
        per_frame=one.per_frame,
        statistic=one.statistic,
        value=source.source if constant else value(reading, kind),
    )


def native(reading: Reading | None) -> AttributeType:
    """Type of a PV's column where the XML leaves it to the PV; of one that does not answer, numbers."""
    if reading is None or reading.native is None:
        return AttributeType.FLOAT64
    if isinstance(reading.value, str) and reading.native is Dbr.CHAR:
        return AttributeType.STRING
    return _NATIVE[reading.native]


def value(reading: Reading | None, kind: AttributeType) -> AttributeValue:
    """A reading as the value of a column; nothing where the PV's server is not there."""
    if reading is None or not reading.connected:
        return None
    found = reading.value
    if reading.number is not None and kind is not AttributeType.STRING:
        return reading.number
    if isinstance(found, list):
        return found[0] if found else None
    return found
