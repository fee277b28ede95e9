"""Checks of the geometry: chains that end, axes that readers understand, and numbers that agree with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from layouts.geometry import Panel, rotation
from layouts.nexus.chain import STILLS, ChainError, follow
from layouts.nexus.findings import Finding, error, note, warning
from layouts.nexus.tree import Field, Group, as_text, find

Chain = Sequence[tuple[str, Field]]

MILLIMETRES = {"m": 1e3, "mm": 1.0, "cm": 10.0, "um": 1e-3, "micron": 1e-3, "microns": 1e-3, "nm": 1e-6}
DEGREES = {"deg": 1.0, "degree": 1.0, "degrees": 1.0, "rad": 180 / np.pi, "radian": 180 / np.pi}
UNIT_LENGTH = 1e-6
"""How far the length of a vector may be off 1: DIALS multiplies angles with it."""
DISTANCE = 1e-3
"""Millimetres that the distance may be off the chain's."""
BEAM_CENTRE = 0.01
"""Pixels that the beam centre may be off the chain's."""
STEP = 1e-3
"""Part of an increment that a value may be off a straight line."""


def chain_from(root: Group, where: str, start: str | None) -> tuple[Chain, list[Finding]]:
    """A chain, and what is wrong with it if it leads nowhere."""
    if start is None:
        return [], [error(where, "does not say what it stands on", "the path of an axis, or '.', is right")]
    try:
        return follow(root, start), []
    except ChainError as problem:
        return [], [error(where, str(problem), "every chain must end in '.'")]


def check_axes(chain: Chain) -> Iterator[Finding]:
    """Units, types and vectors of the axes of a chain."""
    for path, axis in chain:
        kind = as_text(axis.attributes.get("transformation_type"))
        units = as_text(axis.attributes.get("units"))
        vector = axis.attributes.get("vector")
        if kind not in ("rotation", "translation"):
            yield error(
                path, f"transformation_type {kind!r}", "rotation or translation; readers drop it silently"
            )
            continue
        known = DEGREES if kind == "rotation" else MILLIMETRES
        if units not in known:
            yield error(path, f"units {units!r} of a {kind}", f"one of {', '.join(known)} is right")
        if vector is None or vector.shape != (3,) or not np.all(np.isfinite(vector)):
            yield error(path, "no vector of three numbers", "give the axis its direction")
        elif abs(float(np.linalg.norm(vector)) - 1) > UNIT_LENGTH:
            yield error(
                path, f"vector of length {np.linalg.norm(vector):.6g}", "1 is right; DIALS does not normalise"
            )
        if axis.value.dtype.kind not in "fiu" or not np.all(np.isfinite(axis.value)):
            yield error(path, "a value that is no number", "finite numbers are right")


def check_scan(root: Group, chain: Chain, frames: int) -> Iterator[Finding]:
    """That readers find the axis that was scanned, with one value a frame."""
    varying = [(p, a) for p, a in chain if a.value.size > 1 and np.ptp(a.value) > 0]
    turning = [p for p, a in varying if as_text(a.attributes.get("transformation_type")) == "rotation"]
    if len(turning) > 1:
        yield error(turning[1], f"turns while {turning[0]} does", "readers know one scan axis only")
    for path, axis in chain:
        if axis.value.size not in (1, frames):
            yield error(
                path, f"{axis.value.size} values for {frames} frames", "one, or one a frame, is right"
            )
        elif axis.value.size > 1 and not path.endswith(f"/{STILLS}") and np.ptp(axis.value) == 0:
            yield warning(path, "one value a frame, all the same", "one number is right for an axis at rest")
    for path, axis in varying:
        yield from _line(root, path, axis)


def _line(root: Group, path: str, axis: Field) -> Iterator[Finding]:
    values = axis.value.astype(np.float64)
    step = float(np.median(np.diff(values)))
    if step < 0 and axis.text("transformation_type") == "rotation":
        yield error(
            path, f"steps of {step:g}", "DIALS takes no negative width; turn about the opposite vector"
        )
    off = np.abs(np.diff(values) - step) > STEP * abs(step)
    if off.any():
        row = int(np.flatnonzero(off)[0])
        yield warning(
            path,
            f"is no single sweep: it leaves its step of {step:g} between frames {row} and {row + 1}",
            "readers take it for one; one sweep a master is right",
        )
    end = find(root, f"{path}_end")
    if isinstance(end, Field):
        if end.value.shape != values.shape:
            yield error(
                f"{path}_end", f"{end.value.size} values, the axis has {values.size}", "as many are right"
            )
        elif np.any(np.abs(end.value[:-1] - values[1:]) > abs(step) * 0.5) and not off.any():
            yield warning(f"{path}_end", "frames end where the next does not begin", "step and width differ")
    said = find(root, f"{path}_increment_set")
    if isinstance(said, Field) and abs(float(said.value.reshape(-1)[0]) - step) > STEP * abs(step):
        yield error(
            f"{path}_increment_set",
            f"says {float(said.value.reshape(-1)[0]):g}, the step is {step:g}",
            "equal is right",
        )


def matrix(chain: Chain, row: int = 0) -> NDArray[np.float64]:
    """4 x 4 matrix of a chain from its first axis to the laboratory, mm.

    Args:
        chain: In the order of ``follow``, the laboratory last.
        row: Frame.
    """
    total = np.eye(4)
    for _, axis in chain:
        value = float(axis.value.reshape(-1)[min(row, axis.value.size - 1)])
        units = as_text(axis.attributes.get("units")) or ""
        vector = axis.attributes["vector"].astype(np.float64)
        step = np.eye(4)
        if as_text(axis.attributes.get("transformation_type")) == "rotation":
            step[:3, :3] = rotation(vector, value * DEGREES[units])
        else:
            step[:3, 3] = value * MILLIMETRES[units] * vector
        total = step @ total
    return total


def panel_of(root: Group, detector: str) -> tuple[Panel | None, list[Finding]]:
    """The sensor in the laboratory as the chain has it, and what is wrong with the chain."""
    module = f"{detector}/module"
    directions = [find(root, f"{module}/{name}_pixel_direction") for name in ("fast", "slow")]
    size = find(root, f"{module}/data_size")
    fast, slow = directions
    if not isinstance(fast, Field) or not isinstance(slow, Field) or not isinstance(size, Field):
        return None, [error(module, "no pixel directions or no data_size", "NXdetector_module needs them")]
    findings: list[Finding] = []
    chains: list[Chain] = []
    for name, direction in (("fast", fast), ("slow", slow)):
        where = f"{module}/{name}_pixel_direction"
        chain, wrong = chain_from(root, where, as_text(direction.attributes.get("depends_on")))
        findings += wrong + list(check_axes([(where, direction), *chain]))
        chains.append(chain)
    if findings:
        return None, list(dict.fromkeys(findings))
    moves = [matrix(chain) for chain in chains]
    vectors = [m[:3, :3] @ d.attributes["vector"] for m, d in zip(moves, (fast, slow), strict=True)]
    if abs(float(vectors[0] @ vectors[1])) > 1e-4:
        findings.append(error(module, "fast and slow are not at a right angle", "pixels are rectangular"))
    if not any(path == f"{module}/module_offset" for path, _ in chains[0]):
        findings.append(
            warning(module, "module_offset is not in the chain", "readers take the corner from it")
        )
    edge = float(fast.value.reshape(-1)[0]) * MILLIMETRES[as_text(fast.attributes.get("units")) or ""]
    panel = Panel(
        origin=moves[0][:3, 3],
        fast=vectors[0],
        slow=vectors[1],
        pixel_size=edge,
        shape=(int(size.value[0]), int(size.value[1])) if size.value.shape == (2,) else (0, 0),
    )
    return panel, findings


def check_panel(root: Group, detector: str, panel: Panel) -> Iterator[Finding]:
    """That distance and beam centre say what the chain says."""
    where = f"{detector}/distance"
    said = find(root, where)
    units = as_text(said.attributes.get("units")) if isinstance(said, Field) else None
    if not isinstance(said, Field):
        yield warning(where, "is not there", "people and simple readers look for it")
    elif units not in MILLIMETRES:
        yield error(where, f"units {units!r}", "m is right")
    elif abs(float(said.value.reshape(-1)[0]) * MILLIMETRES[units] - panel.distance) > DISTANCE:
        distance = float(said.value.reshape(-1)[0]) * MILLIMETRES[units]
        yield error(
            where, f"{distance:.4f} mm, by the chain it is {panel.distance:.4f} mm", "the chain counts"
        )
    for name, number in zip(("beam_center_x", "beam_center_y"), panel.beam_centre, strict=True):
        field = find(root, f"{detector}/{name}")
        if not isinstance(field, Field):
            if np.isfinite(number):
                yield note(f"{detector}/{name}", "is not there", f"by the chain it is {number:.2f}")
        elif not abs(float(field.value.reshape(-1)[0]) - number) <= BEAM_CENTRE:
            value = float(field.value.reshape(-1)[0])
            yield error(
                f"{detector}/{name}", f"{value:.3f}, by the chain it is {number:.3f}", "the chain counts"
            )
