"""Chains of axes as NXtransformations: each axis names what it stands on, up to the laboratory, ".".

``depends_on`` is always an absolute path: readers disagree on what a relative one is relative to.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layouts.beamline import MotorKind
from layouts.geometry import unit
from layouts.nexus.positions import Axis
from layouts.nexus.tree import Field, Group, Node, SoftLink, as_text, data, find, group

LABORATORY = "."
STILLS = "stills"
"""Name of the axis that only counts frames."""
LONGEST = 64
"""Axes a chain may have; a longer one is taken for endless."""


class ChainError(ValueError):
    """A chain that does not lead to the laboratory; says where it breaks."""


def transformations(chain: Sequence[Axis], place: str, frames: int = 0) -> tuple[Group, str]:
    """A chain as an NXtransformations group.

    Args:
        chain: Axes from the laboratory outwards.
        place: Path that the group will have.
        frames: Of a sample's chain. If none of its axes scans, an axis that moves nothing carries one zero
            a frame, because readers count frames on the sample's axes.

    Returns:
        The group and the path of its outermost axis; "." if there is none.
    """
    members: dict[str, Node] = {}
    below = LABORATORY
    for axis in chain:
        name = axis.motor.name
        members |= axis_fields(axis, below)
        below = f"{place}/{name}"
    if frames and not any(a.is_scan for a in chain):
        members[STILLS] = data(
            np.zeros(frames),
            units="mm",
            transformation_type="translation",
            vector=[0.0, 0.0, 1.0],
            depends_on=below,
            long_name="moves nothing: one zero a frame, because no axis was scanned",
        )
        below = f"{place}/{STILLS}"
    return group("NXtransformations", members), below


def axis_fields(axis: Axis, below: str) -> dict[str, Node]:
    """One axis: its values, and where each frame ended if it was scanned.

    A rotation that was scanned downwards is written as the same rotation about the opposite direction: DIALS
    takes no sweep of negative width.

    Args:
        axis: The motor and its positions.
        below: Path of the axis it stands on, or ".".
    """
    motor = axis.motor
    kind = "rotation" if motor.kind is MotorKind.ROTATION else "translation"
    sign = -1.0 if axis.is_reversed else 1.0
    comment = (
        {"long_name": "minus the motor's angle, about the opposite of its axis"} if axis.is_reversed else {}
    )
    fields: dict[str, Node] = {
        motor.name: data(
            sign * axis.values,
            units=motor.units,
            transformation_type=kind,
            vector=sign * unit(motor.vector),
            depends_on=below,
            position_origin=axis.origin.value,
            **comment,
        )
    }
    if axis.is_scan:
        fields[f"{motor.name}_end"] = data(sign * (axis.values + axis.increment), units=motor.units)
        fields[f"{motor.name}_increment_set"] = data(sign * axis.increment, units=motor.units)
    return fields


def positioner(axis: Axis, place: str, pv: str) -> Group:
    """A motor as an NXpositioner: a link to its axis, the record behind it, and what it said.

    Args:
        axis: The motor and its positions.
        place: Path of its NXtransformations.
        pv: Name of its record.
    """
    motor = axis.motor
    link = SoftLink(path=f"{place}/{motor.name}")
    return group(
        "NXpositioner",
        {
            "name": data(motor.name),
            "value": data(axis.values, units=motor.units) if axis.is_reversed else link,
            motor.name: link,
            "controller_record": data(pv),
            "readback": None if axis.readback is None else data(axis.readback, units=motor.units),
        },
    )


def follow(root: Group, start: str) -> list[tuple[str, Field]]:
    """The axes from one to the laboratory, in that order, with their paths.

    Args:
        root: The file's root group.
        start: Path of the first axis, or ".".

    Raises:
        ChainError: It runs in a circle, ends nowhere, or an axis does not say what it stands on.
    """
    chain: list[tuple[str, Field]] = []
    path = start
    while path != LABORATORY:
        if any(path == seen for seen, _ in chain) or len(chain) >= LONGEST:
            raise ChainError(f"{path} comes again: the chain {' -> '.join(p for p, _ in chain)} has no end")
        node = find(root, path)
        if not isinstance(node, Field):
            where = chain[-1][0] if chain else "depends_on"
            raise ChainError(f"{where} stands on {path}, and there is no such axis")
        chain.append((path, node))
        below = as_text(node.attributes.get("depends_on"))
        if below is None:
            raise ChainError(f"{path} has no depends_on: a reader takes it for the end of the chain")
        above = path.rpartition("/")[0]
        path = below if below.startswith("/") or below == LABORATORY else f"{above}/{below}"
    return chain
