"""Checks of one NXmx entry: what readers need, units, limits, masks, times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from layouts.geometry import wavelength
from layouts.nexus.check_chain import MILLIMETRES
from layouts.nexus.findings import Finding, error, note, warning
from layouts.nexus.frames import masked
from layouts.nexus.tree import Field, Group, Virtual, as_text, find, walk

MATERIALS = ("Si", "Silicon", "CdTe", "GaAs")
SENSOR = (1e-5, 1e-2)
"""Metres between which the thickness of a sensor is believable."""
WAVELENGTH = (0.01, 100.0)
"""Angstrom between which a wavelength is believable."""
FACILITY = ("DIAMOND BEAMLINE", "DLS")
BEAMLINES = ("i03", "i04", "i24", "vmxi")
"""Instrument names that make dxtbx believe it is at Diamond."""
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "second": 1.0, "seconds": 1.0}
NEEDED = {
    "instrument/name": "the instrument's name",
    "instrument/detector/depends_on": "where the detector stands",
    "instrument/detector/sensor_material": "DIALS needs it for the parallax",
    "instrument/detector/sensor_thickness": "DIALS needs it for the parallax",
    "instrument/detector/pixel_mask": "readers take every pixel for good",
    "instrument/detector/detectorSpecific/pixel_mask": "neggia reads the mask there",
    "instrument/detector/detectorSpecific/nimages": "neggia reads the number of frames there",
    "instrument/detector/x_pixel_size": "durin needs it",
    "instrument/detector/y_pixel_size": "durin needs it",
    "instrument/detector/saturation_value": "readers take every count for true",
    "instrument/detector/bit_depth_readout": "DIALS takes masked pixels for counts",
    "instrument/detector/frame_time": "DIALS takes exposures of 0 s",
    "instrument/beam/incident_wavelength": "nothing can be indexed without it",
    "sample/name": "NXmx requires it",
    "source/name": "NXmx requires it",
    "start_time": "NXmx requires it",
    "end_time_estimated": "NXmx requires it",
}
CLASSES = {
    "data": "NXdata",
    "instrument": "NXinstrument",
    "instrument/beam": "NXbeam",
    "instrument/detector": "NXdetector",
    "instrument/detector/module": "NXdetector_module",
    "sample": "NXsample",
    "source": "NXsource",
}


def number(root: Group, path: str) -> float | None:
    """The first number of a data set; nothing if there is none."""
    field = find(root, path)
    if not isinstance(field, Field) or field.value.dtype.kind not in "iuf" or not field.value.size:
        return None
    return float(field.value.reshape(-1)[0])


def text(root: Group, path: str) -> str | None:
    """The text of a data set; nothing if there is none."""
    field = find(root, path)
    return as_text(field.value) if isinstance(field, Field) else None


def units(root: Group, path: str) -> str | None:
    """The units of a data set; nothing if it or they are not there."""
    field = find(root, path)
    return field.text("units") if isinstance(field, Field) else None


def check_presence(root: Group, entry: str) -> Iterator[Finding]:
    """That what readers need is there, and in groups of the right class."""
    for path, why in NEEDED.items():
        if not isinstance(find(root, f"{entry}/{path}"), Field):
            yield error(f"{entry}/{path}", "is not there", why)
    for path, nx_class in CLASSES.items():
        found = find(root, f"{entry}/{path}")
        if not isinstance(found, Group):
            yield error(f"{entry}/{path}", "is not there", f"a group of class {nx_class} is right")
        elif found.nx_class != nx_class:
            yield error(f"{entry}/{path}", f"NX_class {found.nx_class!r}", f"{nx_class} is right")
    name = text(root, f"{entry}/instrument/name") or ""
    if name.upper().startswith(FACILITY) or name.lower() in BEAMLINES:
        yield error(
            f"{entry}/instrument/name", f"{name!r} is a facility's own", "DIALS applies its special cases"
        )


def check_text(root: Group) -> Iterator[Finding]:
    """That text is fixed-length: neggia and durin cannot read the other kind."""
    found = [path for path, node in walk(root) if isinstance(node, (Field, Group, Virtual)) and node.variable]
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield warning(
            f"{found[0]}{more}", "text of variable length", "write it fixed-length; XDS's plug-ins fail"
        )


def check_beam(root: Group, entry: str) -> Iterator[Finding]:
    """Wavelength: unit, size, and agreement with the energy."""
    where = f"{entry}/instrument/beam/incident_wavelength"
    value = number(root, where)
    if value is None:
        return
    if units(root, where) != "angstrom":
        yield error(where, f"units {units(root, where)!r}", "angstrom is right; without it DIALS stops")
    elif not WAVELENGTH[0] < value < WAVELENGTH[1]:
        yield error(where, f"{value:g} angstrom", "not a wavelength of X-rays")
    energy = number(root, f"{entry}/instrument/beam/incident_energy")
    if energy is not None and abs(wavelength(energy) / value - 1) > 1e-4:
        yield error(
            where, f"{value:g} angstrom do not go with {energy:g} eV", "they say the same or one is wrong"
        )


def check_limits(root: Group, entry: str, frames: Virtual) -> Iterator[Finding]:
    """Saturation, underload, bit depth, sensor, times of a detector against its images."""
    place = f"{entry}/instrument/detector"
    top = masked(frames.dtype)
    saturation = number(root, f"{place}/saturation_value")
    if saturation is not None and not 0 < saturation < top:
        yield error(
            f"{place}/saturation_value", f"{saturation:g}", f"1 to {top - 2} is right for {frames.dtype}"
        )
    underload = number(root, f"{place}/underload_value")
    if underload is None or underload != 0:
        yield warning(f"{place}/underload_value", f"{underload}", "0 is right: no counts is a measurement")
    depth, bits = number(root, f"{place}/bit_depth_readout"), 8 * np.dtype(frames.dtype).itemsize
    if depth is not None and depth != bits:
        yield error(f"{place}/bit_depth_readout", f"{depth:g}", f"{bits}: DIALS finds masked pixels with it")
    material = text(root, f"{place}/sensor_material")
    if material is not None and material not in MATERIALS:
        yield error(f"{place}/sensor_material", f"{material!r}", f"DIALS knows {', '.join(MATERIALS)}")
    thickness = number(root, f"{place}/sensor_thickness")
    unit = units(root, f"{place}/sensor_thickness")
    if thickness is not None and unit not in MILLIMETRES:
        yield error(f"{place}/sensor_thickness", f"units {unit!r}", "m is right")
    elif thickness is not None and unit and not SENSOR[0] < thickness * MILLIMETRES[unit] / 1e3 < SENSOR[1]:
        yield error(f"{place}/sensor_thickness", f"{thickness:g} {unit}", "0.01 to 10 mm is believable")
    yield from _durations(root, place)


def _durations(root: Group, place: str) -> Iterator[Finding]:
    seconds: dict[str, float] = {}
    for name in ("count_time", "frame_time"):
        value, unit = number(root, f"{place}/{name}"), units(root, f"{place}/{name}")
        if value is None:
            continue
        if unit not in SECONDS:
            yield error(f"{place}/{name}", f"units {unit!r}", "s is right; without it DIALS stops")
        elif value <= 0:
            yield error(f"{place}/{name}", f"{value:g} {unit}", "more than 0 is right")
        else:
            seconds[name] = value * SECONDS[unit]
    if seconds.get("count_time", 0.0) > seconds.get("frame_time", np.inf) * (1 + 1e-9):
        yield error(
            f"{place}/count_time", "longer than frame_time", "a frame holds its exposure and the readout"
        )


def check_masks(root: Group, entry: str, frames: Virtual) -> Iterator[Finding]:
    """Mask and flatfield against the images."""
    place, shape = f"{entry}/instrument/detector", frames.shape[1:]
    for name in ("pixel_mask", "detectorSpecific/pixel_mask", "flatfield"):
        field = find(root, f"{place}/{name}")
        if not isinstance(field, Field):
            continue
        if field.value.shape != shape:
            yield error(f"{place}/{name}", f"has shape {field.value.shape}", f"{shape}, 2-D, is right")
        if field.chunks is not None or field.filters:
            yield error(
                f"{place}/{name}", "is chunked or compressed", "contiguous is right; neggia fails on it"
            )
    mask = find(root, f"{place}/pixel_mask")
    if isinstance(mask, Field) and mask.value.dtype.kind not in "iu":
        yield error(f"{place}/pixel_mask", f"is {mask.value.dtype}", "unsigned integers are right")
    elif isinstance(mask, Field) and mask.value.size and np.all(mask.value & 0xFFFF):
        yield warning(f"{place}/pixel_mask", "masks every pixel", "nothing is left to look at")


def check_pixels(root: Group, entry: str, frames: Virtual) -> Iterator[Finding]:
    """Module and counts of pixels against the images."""
    place, shape = f"{entry}/instrument/detector", frames.shape[1:]
    for name, wanted in (("data_size", shape), ("data_origin", (0, 0))):
        field = find(root, f"{place}/module/{name}")
        if not isinstance(field, Field) or tuple(field.value.reshape(-1).tolist()) != wanted:
            yield error(
                f"{place}/module/{name}", "is not that of the images", f"{list(wanted)}, (slow, fast)"
            )
    slow, fast = shape
    for name, wanted in (("x_pixels_in_detector", fast), ("y_pixels_in_detector", slow)):
        value = number(root, f"{place}/detectorSpecific/{name}")
        if value is not None and value != wanted:
            yield error(f"{place}/detectorSpecific/{name}", f"{value:g}", f"{wanted} is right")
    images = number(root, f"{place}/detectorSpecific/nimages")
    triggers = number(root, f"{place}/detectorSpecific/ntrigger") or 1
    if images is not None and images * triggers != frames.shape[0]:
        yield error(
            f"{place}/detectorSpecific/nimages", f"{images * triggers:g}", f"{frames.shape[0]} is right"
        )
    for axis, direction in (("x", "fast"), ("y", "slow")):
        size, edge = (
            number(root, f"{place}/{axis}_pixel_size"),
            number(root, f"{place}/module/{direction}_pixel_direction"),
        )
        if size is not None and edge is not None and abs(size / edge - 1) > 1e-6:
            yield error(
                f"{place}/{axis}_pixel_size", f"{size:g}, the module says {edge:g}", "they are the same"
            )


def check_times(root: Group, entry: str) -> Iterator[Finding]:
    """Start and end: ISO 8601 with a zone, in that order; no end of what was aborted."""
    when: dict[str, datetime] = {}
    for name in ("start_time", "end_time", "end_time_estimated"):
        said = text(root, f"{entry}/{name}")
        if said is None:
            continue
        try:
            when[name] = datetime.fromisoformat(said)
        except ValueError:
            yield error(f"{entry}/{name}", f"{said!r} is no time", "ISO 8601 in UTC with Z is right")
            continue
        if when[name].tzinfo is None:
            yield error(f"{entry}/{name}", f"{said!r} has no time zone", "UTC with Z is right")
            del when[name]
    for name in ("end_time", "end_time_estimated"):
        if name in when and "start_time" in when and when[name] < when["start_time"]:
            yield error(f"{entry}/{name}", "is before the start", "the end comes after it")
    outcome = text(root, f"{entry}/capture/outcome")
    if outcome == "aborted" and "end_time" in when:
        yield warning(
            f"{entry}/end_time", "of an acquisition that was aborted", "leave it out: nobody saw the end"
        )
    if outcome not in (None, "complete"):
        reason = text(root, f"{entry}/capture/reason") or "no reason given"
        yield note(f"{entry}/capture/outcome", f"{outcome}: {reason}", "what came is here")
