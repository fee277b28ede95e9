"""Types of pixels and tables, and flat bytes to arrays and back."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from layouts.stream.errors import StreamError

ITEM_SIZE: Final = {"uint8": 1, "uint16": 2, "uint32": 4, "float32": 4}
PIXEL_TYPES: Final = ("uint8", "uint16", "uint32")
THRESHOLD_1: Final = "threshold_1"
"""The one channel of version 1."""


def from_bytes(data: bytes | memoryview, dtype: str, shape: tuple[int, ...], where: str) -> NDArray[Any]:
    """A read-only view of little-endian bytes as an array.

    Raises:
        StreamError: The bytes do not fill the shape exactly.
    """
    size = math.prod(shape) * ITEM_SIZE[dtype]
    held = memoryview(data).nbytes
    if held != size:
        raise StreamError(
            f"{held} bytes for shape {shape} of {dtype}", where, f"{size} bytes are right for this shape"
        )
    return np.frombuffer(data, dtype=np.dtype(dtype).newbyteorder("<")).reshape(shape)


def to_bytes(array: NDArray[Any], dtype: str) -> memoryview:
    """An array's values as little-endian bytes in C order; copied only if they are not that already."""
    flat = np.ascontiguousarray(array, dtype=np.dtype(dtype).newbyteorder("<"))
    return flat.reshape(-1).view(np.uint8).data
