"""The NXmx master: one entry for each detector of an acquisition, the main detector's first.

After NXmx v2026.01, and what its readers want beyond it. ``/entry`` is the main detector's, the others are
named after theirs (``/entry_EIG2``): readers take the first entry, and the first detector and data set in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from layouts.beamline import Beamline
from layouts.capture import Acquisition, DetectorCapture
from layouts.geometry import wavelength
from layouts.nexus.detector import attributes_link, detector_group, positioners
from layouts.nexus.frames import data_name, frames, links, stripes
from layouts.nexus.positions import Axis, axis, energies, transmissions
from layouts.nexus.sample import sample_group
from layouts.nexus.tree import Field, Group, HardLink, Node, SoftLink, Value, data, differences, group, maybe
from layouts.raw.names import Meta, master_file

DEFINITION = "NXmx"


def entry_name(acquisition: Acquisition, detector: str) -> str:
    """Name of a detector's entry.

    Args:
        acquisition: With its detectors, the main one first.
        detector: Name in the beamline file.
    """
    return "entry" if acquisition.detectors[0].detector == detector else f"entry_{detector}"


def iso(when: datetime) -> str:
    """A time as NeXus wants it: ISO 8601 in UTC with Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def program_version() -> str:
    """Of this program; "unknown" where it is not installed."""
    try:
        return version("softbeam")
    except PackageNotFoundError:
        return "unknown"


def master(acquisition: Acquisition) -> Group:
    """The tree of ``NAME.nxs``.

    Args:
        acquisition: Ended, with at least one detector.
    """
    entries: dict[str, Node] = {}
    for capture in acquisition.detectors:
        name = entry_name(acquisition, capture.detector)
        made = _entry(acquisition, capture, f"/{name}")
        first = entries.get("entry")
        entries[name] = _shared(made, first) if isinstance(first, Group) else made
    return group(
        "NXroot",
        entries,
        default="entry",
        file_name=master_file(acquisition.name),
        file_time=iso(acquisition.ended or acquisition.estimated_end),
        creator="softbeam",
        creator_version=program_version(),
    )


def _entry(acquisition: Acquisition, capture: DetectorCapture, place: str) -> Group:
    beamline = acquisition.beamline
    user = beamline.user
    return group(
        "NXentry",
        {
            "definition": data(DEFINITION, version="1.0"),
            "title": data(acquisition.name),
            "start_time": data(iso(capture.started)),
            "end_time": maybe(iso(acquisition.ended) if acquisition.ended else None),
            "end_time_estimated": data(iso(acquisition.estimated_end)),
            "experiment_identifier": maybe(user.visit or None),
            "program_name": data("softbeam", version=program_version()),
            "user": group("NXuser", {"name": data(user.name), "proposal": maybe(user.proposal or None)})
            if user.name
            else None,
            "source": _source(beamline),
            "sample": sample_group(beamline, capture, place),
            "instrument": _instrument(acquisition, capture, place),
            "data": data_group(acquisition, capture),
            "capture": capture_group(acquisition, capture),
        },
        default="data",
    )


def _source(beamline: Beamline) -> Group:
    source = beamline.source
    return group(
        "NXsource",
        {
            "name": data(source.name, short_name=source.short_name),
            "type": data(source.type),
            "probe": data(source.probe),
        },
    )


def _instrument(acquisition: Acquisition, capture: DetectorCapture, place: str) -> Group:
    beamline = acquisition.beamline
    detector = f"{place}/instrument/detector"
    let_through = transmissions(beamline, capture)
    return group(
        "NXinstrument",
        {
            "name": data(beamline.name, short_name=beamline.short_name or beamline.name),
            "beam": beam_group(beamline, capture),
            "attenuator": None
            if let_through is None
            else group("NXattenuator", {"attenuator_transmission": data(_scalar(let_through), units="")}),
            "detector": detector_group(beamline, capture, acquisition.directory, detector),
            **positioners(beamline, capture, detector),
            "NDAttributes": attributes_link(capture, acquisition.directory, Meta.ATTRIBUTES),
        },
        short_name=beamline.short_name or beamline.name,
    )


def beam_group(beamline: Beamline, capture: DetectorCapture) -> Group:
    """NXbeam at the sample: one number each, or one a frame where the energy changed."""
    energy, origin = energies(beamline, capture)
    let_through = transmissions(beamline, capture)
    flux = beamline.beam.flux * (1.0 if let_through is None else let_through)
    share = beamline.beam.polarization
    return group(
        "NXbeam",
        {
            "incident_wavelength": data(
                _scalar(wavelength(1.0) / energy), units="angstrom", position_origin=origin.value
            ),
            "incident_energy": data(_scalar(energy), units="eV"),
            "total_flux": data(_scalar(np.asarray(flux)), units="Hz"),
            "incident_beam_size": data(np.array(beamline.beam.size), units="m"),
            "incident_polarization_stokes": data(np.array([[1.0, share, 0.0, 0.0]])),
        },
    )


def _scalar(values: np.ndarray) -> Value:
    """One number where there is one."""
    return np.asarray(values).reshape(-1)[0] if np.size(values) == 1 else values


def data_group(acquisition: Acquisition, capture: DetectorCapture) -> Group:
    """NXdata: the frames, the axis that was scanned, and what else differed from frame to frame."""
    beamline = acquisition.beamline
    moved = [axis(beamline, capture, motor.name) for motor in beamline.motors]
    attrs: dict[str, Value] = {}
    apart = links(capture, acquisition.directory)
    if not apart:
        apart = {data_name(1): HardLink(path=f"/{entry_name(acquisition, capture.detector)}/data/data")}
    members: dict[str, Node] = {"data": frames(capture, acquisition.directory), **apart}
    names: list[str] = []
    for found in moved:
        if found.is_scan or found.steps is not None:
            names.append(found.motor.name)
            members[found.motor.name] = _coordinate(found)
            attrs[f"{found.motor.name}_indices"] = 0
            if found.readback is not None:
                members[f"{found.motor.name}_readback"] = data(found.readback, units=found.motor.units)
                attrs[f"{found.motor.name}_readback_indices"] = 0
    first = next((f.motor.name for f in moved if f.is_scan), names[0] if names else ".")
    return group("NXdata", members, signal="data", axes=[first, ".", "."], **attrs)


def _coordinate(found: Axis) -> Field:
    values = found.values if found.steps is None else found.steps
    return data(values, units=found.motor.units, long_name=found.motor.description or found.motor.name)


def capture_group(acquisition: Acquisition, capture: DetectorCapture) -> Group:
    """What came and what did not: outcome, series, the places without a frame, from 0; whose turn it was."""
    series = capture.series
    columns = {
        "number": [s.series for s in series],
        "row": [s.row for s in series],
        "first": [s.first for s in series],
        "rows": [s.rows for s in series],
        "stored": [s.stored for s in series],
    }
    return group(
        "NXcollection",
        {
            "outcome": data(acquisition.outcome.value),
            "reason": maybe(acquisition.reason or None),
            "frames": data(capture.rows),
            "stored": data(capture.rows - len(capture.missing)),
            "missing": maybe(np.array(capture.missing, dtype=np.int64) if capture.missing else None),
            "stripes": stripes(capture, acquisition.directory),
            "series": group(
                "NXcollection",
                {
                    **{name: data(np.array(values, dtype=np.int64)) for name, values in columns.items()},
                    "outcome": data([s.outcome.value for s in series]),
                    "reason": data([s.reason for s in series]),
                },
            )
            if series
            else None,
        },
    )


def _shared(made: Group, first: Group) -> Group:
    """The entry with links to what the main detector's entry says in the same words."""
    members = dict(made.members)
    if not any(differences(members["source"], first.members["source"])):
        members["source"] = SoftLink(path="/entry/source")
    for parent, name in (("instrument", "beam"), ("instrument", "attenuator"), ("sample", "name")):
        ours, theirs = members[parent], first.members[parent]
        if isinstance(ours, Group) and isinstance(theirs, Group) and name in ours.members:
            same = name in theirs.members and not any(differences(ours.members[name], theirs.members[name]))
            if same:
                inner = dict(ours.members) | {name: SoftLink(path=f"/entry/{parent}/{name}")}
                members[parent] = Group(attributes=ours.attributes, members=inner)
    return Group(attributes=made.attributes, members=members)
