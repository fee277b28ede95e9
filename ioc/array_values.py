"""What the records of NDArrayBase say of an array of a given size.

Pure. ArraySize0... and Dim0SA... follow from Dimensions, as the records of the template do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

AXES = 10
"""Dimensions that the records know."""


def dimensions(sizes: Sequence[int]) -> dict[str, Any]:
    """Values of the records that tell of dimensions.

    Args:
        sizes: Of each dimension, the fastest first.

    Returns:
        Values by PV name: setpoints, which are inputs of the same chain, and readbacks alike.
    """
    padded = [*sizes, *[0] * (AXES - len(sizes))]
    found: dict[str, Any] = {}
    for ending in ("", "_RBV"):
        found |= {f"NDimensions{ending}": len(sizes), f"Dimensions{ending}": padded}
        for axis, size in enumerate(padded):
            found |= {f"Dim{axis}SA{ending}": [size], f"ArraySize{axis}{ending}": size}
    return found


def plane(width: int, height: int, bits: int) -> dict[str, Any]:
    """Values of all size records for a monochrome frame.

    Args:
        width: Pixels along the fast axis; 0 before any frame.
        height: Pixels along the slow axis.
        bits: Of a pixel.
    """
    sizes = (width, height) if width and height else ()
    return dimensions(sizes) | {
        "ArraySizeX_RBV": width,
        "ArraySizeY_RBV": height,
        "ArraySizeZ_RBV": 0,
        "ArraySize_RBV": width * height * bits // 8,
    }
