"""Checks of a master, NXmx or Dectris-style: everything a reader stumbles over, as far as it can be known.

Pure: works on the tree of the file and on facts about the files it points to. What finds the crystal wrong,
frames in the wrong order inside a raw file, say, no check of names and numbers can see; DIALS does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from layouts.nexus.check_chain import chain_from, check_axes, check_panel, check_scan, panel_of
from layouts.nexus.check_entry import (
    check_beam,
    check_limits,
    check_masks,
    check_pixels,
    check_presence,
    check_text,
    check_times,
    number,
    text,
)
from layouts.nexus.check_frames import Frames, check_links, check_virtual, frames_of
from layouts.nexus.check_gaps import check_attributes, check_columns, check_gaps, listed_gaps
from layouts.nexus.check_stripes import check_stripes
from layouts.nexus.findings import Finding, Row, error, warning, worst_first
from layouts.nexus.outside import Facts
from layouts.nexus.tree import Field, Group, SoftLink, as_text, find, walk


def inspect(root: Group, facts: Facts) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    """Check a master.

    Args:
        root: Its tree.
        facts: What was found at each place it points to.

    Returns:
        One row for each entry, and the findings, the worst first.
    """
    findings: list[Finding] = [*_links(root), *check_text(root)]
    rows: list[Row] = []
    entries = {n: m for n, m in root.members.items() if isinstance(m, Group) and m.nx_class == "NXentry"}
    if not entries:
        findings.append(error("/", "no NXentry", "this is no NeXus file, or its entry has no NX_class"))
    findings += [
        error(f"/{name}", f"NX_class {member.nx_class!r}", "NXentry is right; readers pass it by")
        for name, member in root.members.items()
        if isinstance(member, Group) and name.startswith("entry") and name not in entries
    ]
    for name, entry in entries.items():
        place = f"/{name}"
        definition = entry.members.get("definition")
        said = as_text(definition.value) if isinstance(definition, Field) else None
        legacy = (
            definition is None and find(root, f"{place}/instrument/detector/detectorSpecific") is not None
        )
        if said != "NXmx" and not legacy:
            findings.append(error(f"{place}/definition", f"{said!r}", "NXmx is right; DIALS looks for it"))
        data = find(root, f"{place}/data")
        if not isinstance(data, Group):
            findings.append(error(f"{place}/data", "is not there", "a group of class NXdata is right"))
            continue
        frames = frames_of(place, data)
        findings += _legacy(root, frames, facts) if legacy else _nxmx(root, frames, facts)
        findings += check_attributes(root, place, facts)
        rows.append(_row(root, frames, facts))
    return tuple(rows), worst_first(findings)


def _links(root: Group) -> Iterator[Finding]:
    """Soft links that lead nowhere."""
    for path, node in walk(root):
        if isinstance(node, SoftLink) and find(root, path) is None:
            yield error(path, f"leads to {node.path}, where nothing is", "a link must lead somewhere")


def _nxmx(root: Group, frames: Frames, facts: Facts) -> Iterator[Finding]:
    entry = frames.entry
    yield from check_presence(root, entry)
    yield from check_links(frames, facts)
    yield from check_virtual(frames, facts)
    yield from check_stripes(root, frames, facts)
    yield from check_gaps(root, frames, facts)
    yield from check_columns(root, frames, facts, frames.rows(facts))
    yield from check_beam(root, entry)
    yield from check_times(root, entry)
    if frames.virtual is not None and len(frames.virtual.shape) == 3:
        yield from check_limits(root, entry, frames.virtual)
        yield from check_masks(root, entry, frames.virtual)
        yield from check_pixels(root, entry, frames.virtual)
    yield from _coordinates(frames, facts)
    yield from _sample(root, frames, facts)
    detector = f"{entry}/instrument/detector"
    panel, wrong = panel_of(root, detector)
    yield from wrong
    if panel is not None:
        yield from check_panel(root, detector, panel)
    _, wrong = chain_from(root, f"{detector}/depends_on", text(root, f"{detector}/depends_on"))
    yield from wrong


def _sample(root: Group, frames: Frames, facts: Facts) -> Iterator[Finding]:
    where = f"{frames.entry}/sample/depends_on"
    start = text(root, where)
    if start == ".":
        yield error(where, "the sample stands on no axis", "DIALS takes a sweep for stills")
        return
    chain, wrong = chain_from(root, where, start)
    yield from wrong
    yield from check_axes(chain)
    yield from check_scan(root, chain, frames.rows(facts))


def _coordinates(frames: Frames, facts: Facts) -> Iterator[Finding]:
    """That NXdata's axes are there and as long as the frames."""
    axes = frames.data.attributes.get("axes")
    names = (
        [bytes(a).decode() for a in axes.reshape(-1)] if axes is not None and axes.dtype.kind == "S" else []
    )
    for name in names:
        field = frames.data.members.get(name)
        if name != "." and field is None:
            yield error(
                f"{frames.where}/{name}", "is named as an axis, and not there", "plots fail without it"
            )
        elif isinstance(field, Field) and field.value.size != frames.rows(facts):
            yield error(
                f"{frames.where}/{name}", f"{field.value.size} values", "one a frame is right for an axis"
            )


def _legacy(root: Group, frames: Frames, facts: Facts) -> Iterator[Finding]:
    entry, rows = frames.entry, frames.rows(facts)
    detector = f"{entry}/instrument/detector"
    yield from check_links(frames, facts)
    yield from check_beam(root, entry)
    yield from check_times(root, entry)
    yield from _sample(root, frames, facts)
    for name in ("module", "transformations", "saturation_value", "type", "depends_on"):
        if find(root, f"{detector}/{name}") is not None:
            yield error(
                f"{detector}/{name}", "is there", "dxtbx adds it itself to a Dectris master, and stops"
            )
    if "dectris eiger" not in (text(root, f"{detector}/description") or "").lower():
        yield error(f"{detector}/description", "does not say Dectris Eiger", "dxtbx knows the format by it")
    specific = f"{detector}/detectorSpecific"
    images = (number(root, f"{specific}/nimages") or 0) * (number(root, f"{specific}/ntrigger") or 1)
    if rows and images != rows:
        yield error(f"{specific}/nimages", f"times ntrigger {images:g}", f"the raw files hold {rows}")
    mask = find(root, f"{specific}/pixel_mask")
    if not isinstance(mask, Field) or mask.chunks is not None or mask.value.ndim != 2:
        yield error(
            f"{specific}/pixel_mask", "is not there, not 2-D, or chunked", "neggia needs it contiguous"
        )
    for name in ("orientation/value", "translation/distances"):
        field = find(root, f"{detector}/geometry/{name}")
        if not isinstance(field, Field) or not np.all(np.isfinite(field.value)):
            yield error(
                f"{detector}/geometry/{name}", "is not there", "dxtbx takes the sensor's place from it"
            )
    said = number(root, f"{detector}/frame_time")
    if said is None:
        yield warning(f"{detector}/frame_time", "is not there", "readers take exposures of 0 s")


def _row(root: Group, frames: Frames, facts: Facts) -> Row:
    entry, rows = frames.entry, frames.rows(facts)
    detector = f"{entry}/instrument/detector"
    panel, wrong = panel_of(root, detector)
    fact = next(
        (facts[link.file, link.path] for _, link in frames.links if (link.file, link.path) in facts), None
    )
    virtual = next(iter(frames.mapped), None)
    shape = virtual.shape[1:] if virtual else fact.shape[1:] if fact else ()
    dtype = virtual.dtype if virtual else fact.dtype if fact else ""
    distance = number(root, f"{detector}/detector_distance")
    return Row(
        entry=entry,
        detector=text(root, f"{detector}/local_name") or text(root, f"{detector}/description") or "",
        frames=rows,
        stored=rows - int(listed_gaps(root, entry, rows).sum()),
        files=len(frames.files),
        shape=shape,
        dtype=dtype,
        scan=_scan(root, entry),
        distance=panel.distance if panel and not wrong else (distance or np.nan) * 1e3,
        beam_centre=panel.beam_centre
        if panel and not wrong
        else (
            number(root, f"{detector}/beam_center_x") or np.nan,
            number(root, f"{detector}/beam_center_y") or np.nan,
        ),
        wavelength=number(root, f"{entry}/instrument/beam/incident_wavelength") or np.nan,
        outcome=text(root, f"{entry}/capture/outcome") or "",
    )


def _scan(root: Group, entry: str) -> str:
    chain, _ = chain_from(root, entry, text(root, f"{entry}/sample/depends_on"))
    for path, axis in chain:
        if axis.value.size > 1 and np.ptp(axis.value) > 0:
            first, second = axis.value[:2]
            name, units = path.rpartition("/")[2], axis.text("units") or ""
            return f"{name} {first:g} by {second - first:g} {units}".strip()
    data = find(root, f"{entry}/data")
    axes = data.attributes.get("axes") if isinstance(data, Group) else None
    first = bytes(axes.reshape(-1)[0]).decode() if axes is not None and axes.size else "."
    return "stills" if first == "." else f"steps of {first}"
