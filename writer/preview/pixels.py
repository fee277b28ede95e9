"""A frame as the previews see it: its pixels, and which of them the detector marks as masked.

An EIGER sends the greatest value of the type for pixels that it does not have, and the one below for those
that it does not trust. Pure functions of arrays; (slow, fast) is the order of all shapes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counter = np.int32 | np.int64 | np.float64
"""What sums of pixels are kept in."""
_BAND = 1 << 17
"""Pixels of a band."""
_MARKS = 2
"""Values at the top of the type that mark pixels."""


@dataclass(frozen=True)
class Pixels:
    """Pixels of a frame, or of a part of one.

    Attributes:
        data: (slow, fast); masked pixels have the greatest value of the type, or the one below.
        masked: True where a pixel is masked; None if none is.
        is_row: Whether they have one dimension, the fast one: a row of shape (1, fast).
    """

    data: NDArray[Any]
    masked: NDArray[np.bool_] | None = None
    is_row: bool = False

    @functools.cached_property
    def values(self) -> NDArray[np.float64]:
        """The pixels as numbers to compute with; masked ones are 0."""
        values = self.data.astype(np.float64)
        if self.masked is not None:
            values[self.masked] = 0.0
        return values

    @property
    def valid(self) -> int:
        """Number of pixels that are not masked."""
        return self.data.size - self.left_out

    @property
    def left_out(self) -> int:
        """Number of pixels that are masked."""
        return 0 if self.masked is None else int(np.count_nonzero(self.masked))

    def part(self, window: tuple[slice, ...] | slice) -> Pixels:
        """Some of the pixels, as views."""
        return Pixels(self.data[window], None if self.masked is None else self.masked[window])

    def bands(self) -> Iterator[tuple[int, Pixels]]:
        """The same in bands of whole lines, each with the number of pixels before it.

        What is computed band by band takes little memory, and stays in the processor's.
        """
        slow, fast = self.data.shape
        step = max(1, _BAND // fast)
        for row in range(0, slow, step):
            yield row * fast, self.part(np.s_[row : row + step])

    def along(self, axis: int) -> NDArray[np.intp] | int:
        """How many pixels count in each line across an axis: 0 adds the slow axis up, 1 the fast one."""
        if self.masked is None:
            return self.data.shape[axis]
        return self.data.shape[axis] - np.count_nonzero(self.masked, axis=axis)


def marked(data: NDArray[Any]) -> Pixels:
    """The pixels that a detector sent.

    Args:
        data: (slow, fast), uint8, uint16 or uint32.
    """
    masked = data > np.iinfo(data.dtype).max - _MARKS
    return Pixels(data, masked if masked.any() else None)


def unmarked(pixels: Pixels) -> Pixels:
    """The same with every pixel as good as any other."""
    return Pixels(pixels.data, is_row=pixels.is_row)


def add_up(data: NDArray[Any], slow: int, fast: int, kind: type[Counter]) -> NDArray[Any]:
    """Sums over blocks of ``slow`` times ``fast`` pixels; what is left over at the ends is left out.

    Args:
        data: (slow, fast).
        slow: Pixels of a block along the slow axis.
        fast: Pixels of a block along the fast axis.
        kind: Type to count in.

    Returns:
        (slow // block, fast // block).
    """
    rows, columns = data.shape[0] // slow, data.shape[1] // fast
    # Strided sums, one axis after the other, take a tenth of what numpy's sum over a reshaped array does.
    half = np.zeros((rows, data.shape[1]), kind)
    for start in range(slow):
        half += data[start : rows * slow : slow]
    whole = np.zeros((rows, columns), kind)
    for start in range(fast):
        whole += half[:, start : columns * fast : fast]
    return whole
