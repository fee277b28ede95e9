"""Extra dimensions in the records of ``HDF1:``: what hangs together, and the grid that a capture gets.

As in NDFileHDF5, sizes and number of dimensions set NumCapture to their product, NumCapture can be less but
not more, and a capture without a limit has extra dimensions only where PositionMode places the frames.
"""

from __future__ import annotations

import math
from typing import Final

from ioc.menus import Capturing, FileWriteMode, NoYes, OffOn
from ioc.server import Device
from layouts.raw.grid import DIMENSIONS, Grid
from writer.orders import RefusedError

_SIZES: Final = tuple(f"ExtraDimSize{d}" for d in DIMENSIONS)
RECORDS: Final = ("NumExtraDims", *_SIZES, "NumCapture", "PositionMode")
"""Whose puts change one another."""


def _places(device: Device) -> int:
    """Frames that the dimensions have room for."""
    return math.prod(int(device[size]) for size in _SIZES[: int(device["NumExtraDims"]) + 1])


async def put(device: Device, name: str, value: object) -> None:
    """Take a put to one of ``RECORDS``, and let the others follow.

    Raises:
        RefusedError: It cannot be changed now, or is no size.
    """
    shape = name == "NumExtraDims" or name in _SIZES
    before = device[f"{name}_RBV"]
    if shape and value != before:
        problem = ""
        if device["Capture_RBV"] != Capturing.DONE:
            problem = f"{name} cannot change while a file is open; wait until Capture_RBV is Done"
        elif isinstance(value, int) and value < int(name in _SIZES):
            problem = f"{name} {value}: a dimension has 1 point or more"
        if problem:
            await device.settle(name, before)
            raise RefusedError(problem)
    if name == "NumCapture" and device["NumExtraDims"] and isinstance(value, int) and value:
        value = min(value, _places(device))
    await device.settle(name, value)
    if shape and device["NumExtraDims"]:
        await device.settle("NumCapture", _places(device))
    if not device["NumCapture"] and device["PositionMode"] == OffOn.OFF and device["NumExtraDims"]:
        await device.settle("NumExtraDims", 0)


def grid(device: Device) -> Grid | None:
    """The grid that the records ask for; nothing if frames are stored one behind the other.

    Raises:
        RefusedError: It cannot be filled.
    """
    number, placed = int(device["NumExtraDims"]), device["PositionMode"] == OffOn.ON
    if not number and not placed:
        return None
    if device["FileWriteMode"] != FileWriteMode.STREAM:
        raise RefusedError(
            "extra dimensions are filled in Stream mode alone; put Stream to FileWriteMode, or 0 to "
            "NumExtraDims and Off to PositionMode"
        )
    used = DIMENSIONS[: number + 1]
    sizes = tuple(int(device[f"ExtraDimSize{d}"]) for d in used)
    positions = tuple(str(device[f"PosNameDim{d}"]) for d in used) if placed else ()
    for dimension, name in zip(used, positions, strict=False):
        if not name:
            raise RefusedError(
                f"PositionMode is On, and PosNameDim{dimension} is empty; put the name of the attribute with "
                "the index, or Off to PositionMode"
            )
    return Grid(
        sizes=sizes if number else (max(sizes[0], int(device["NumCapture"])),),
        positions=positions,
        indexes=tuple(str(device[f"PosIndexDim{d}"]) for d in used),
        columns=device["DimAttDatasets"] == NoYes.YES,
    )
