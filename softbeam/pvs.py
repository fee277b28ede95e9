"""Every PV of a beamline, from the record tables that the servers are made from."""

from __future__ import annotations

from dataclasses import dataclass

from ioc import names
from ioc.records import Kind, Record, expand
from ioc.settings import is_setting
from ioc.tables.acq import acq
from ioc.tables.cam import cam, truth
from ioc.tables.hdf import hdf
from ioc.tables.health import health
from ioc.tables.image import image
from ioc.tables.motor import motor
from ioc.tables.odin import NODES, fan, meta, node, odin
from ioc.tables.roi import roi
from ioc.tables.stats import stats
from ioc.tables.trigger import trigger
from layouts.beamline import Beamline, Detector
from writer.preview.settings import IMAGE, ROI, STATS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTable:
    """One device and its records.

    Attributes:
        title: What it is.
        prefix: What its PVs begin with.
        records: By PV name behind the prefix, readbacks included.
    """

    title: str
    prefix: str
    records: dict[str, Record]


def devices(beamline: Beamline) -> list[DeviceTable]:
    """Devices of the simulator and of the writer, in the order of the beamline file."""
    b, motors = beamline, tuple(m.name for m in beamline.motors)
    found = [
        DeviceTable(
            title=f"motor {m.name}",
            prefix=f"{names.motor(b.prefix, m.pv)}.",
            records=expand(motor(m.units, m.precision, m.description)),
        )
        for m in b.motors
    ]
    found.append(
        DeviceTable(
            title="trigger",
            prefix=names.trigger(b.prefix, b.simulation.trigger_pv),
            records=expand(trigger(motors)),
        )
    )
    for d in b.detectors:
        cam_prefix, hdf_prefix = (f(b.prefix, d.pv, b.preset) for f in (names.cam, names.hdf))
        found += [
            DeviceTable(
                title=f"detector {d.name}", prefix=cam_prefix, records=expand(cam(d.spec.generation, d.name))
            ),
            DeviceTable(
                title=f"truth of {d.name}", prefix=names.sim(b.prefix, d.pv), records=expand(truth())
            ),
            DeviceTable(title=f"file writer of {d.name}", prefix=hdf_prefix, records=expand(hdf())),
        ]
        found += _previews(b, d)
        if b.preset == "dls":
            found += _odin(b, d)
    found.append(DeviceTable(title="acquisition", prefix=names.acq(b.prefix), records=expand(acq())))
    found += [
        DeviceTable(
            title=f"health of the {title}", prefix=names.health(b.prefix, program), records=expand(health())
        )
        for program, title in (("sim", "simulator"), ("writer", "writer"))
    ]
    return found


def _previews(beamline: Beamline, detector: Detector) -> list[DeviceTable]:
    b, camera = beamline, names.port(detector.name)
    tables = (
        ("statistics", STATS, names.stats, stats),
        ("image", IMAGE, names.image, image),
        ("region of interest", ROI, names.roi, roi),
    )
    return [
        DeviceTable(
            title=f"{title} of {detector.name}",
            prefix=prefix(b.prefix, detector.pv, b.preset),
            records=expand(records(names.port(detector.name, plugin), camera)),
        )
        for title, plugin, prefix, records in tables
    ]


def _odin(beamline: Beamline, detector: Detector) -> list[DeviceTable]:
    prefix, name = names.odin(beamline.prefix, detector.pv), detector.name
    tables = [
        ("Odin writer", prefix, odin()),
        ("Odin fan", f"{prefix}FAN:", fan()),
        ("Odin meta writer", f"{prefix}META:", meta()),
        *(
            (f"Odin node {n}", names.odin_node(beamline.prefix, detector.pv, n), node())
            for n in range(1, NODES + 1)
        ),
    ]
    return [DeviceTable(title=f"{t} of {name}", prefix=p, records=expand(r)) for t, p, r in tables]


def type_of(record: Record) -> str:
    """The type of a PV in words: menu choices, length of arrays, limits and units."""
    words = record.kind.value
    if record.kind is Kind.ENUM:
        words += f" ({', '.join(record.choices)})"
    elif record.length > 1:
        words += f" [{record.length}]"
    if record.units:
        words += f", {record.units}"
    if record.limited:
        words += f", {record.low:g} to {record.high:g}"
    return words


def class_of(device: DeviceTable, record: Record) -> str:
    """What becomes of a put, and whether autosave saves the value."""
    return f"{record.pv_class.value}{', saved' if is_setting(device.prefix, record) else ''}"


def table(beamline: Beamline, pattern: str = "") -> list[str]:
    """One line a PV: name, type, class, meaning.

    Args:
        beamline: The description.
        pattern: Only names that contain this.
    """
    rows = [
        (f"{device.prefix}{name}", type_of(record), class_of(device, record), record.doc)
        for device in devices(beamline)
        for name, record in device.records.items()
        if pattern in f"{device.prefix}{name}"
    ]
    widths = [min(60, max((len(row[i]) for row in rows), default=0)) for i in range(3)]
    return [
        "  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]).rstrip()
        for row in rows
    ]
