"""Parts of frames: NDPluginROI's cut, and the image that is small enough for Channel Access.

Pure functions. Sums that the type of the result cannot hold become the greatest it can; NDPluginROI lets
them wrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from writer.preview.pixels import Counter, Pixels, add_up
from writer.preview.settings import Axis, Region


@dataclass(frozen=True, slots=True)
class Span:
    """What is taken of an axis: pixels before binning."""

    start: int
    size: int
    bin: int


def span(axis: Axis, length: int) -> Span:
    """What a region takes of an axis of a frame, brought into it as NDPluginROI does."""
    if not axis.enabled:
        return Span(0, length, 1)
    start = min(max(axis.start, 0), length - 1)
    size = length if axis.auto else axis.size
    size = min(max(size, 1), length - start)
    return Span(start, size, min(max(axis.bin, 1), size))


def cut(pixels: Pixels, region: Region) -> Pixels:
    """The region of a frame; a row where one of its dimensions goes away."""
    found = _cut(pixels, region)
    if not region.collapse or 1 not in found.data.shape:
        return found
    masked = None if found.masked is None else found.masked.reshape(1, -1)
    return Pixels(found.data.reshape(1, -1), masked, is_row=True)


def _cut(pixels: Pixels, region: Region) -> Pixels:
    slow, fast = (span(axis, n) for axis, n in zip((region.y, region.x), pixels.data.shape, strict=True))
    window = np.s_[slow.start : slow.start + slow.size, fast.start : fast.start + fast.size]
    part = pixels.part(window)
    part = part.part(np.s_[:: -1 if _turned(region.y) else 1, :: -1 if _turned(region.x) else 1])
    dtype = np.dtype(region.dtype) if region.dtype else pixels.data.dtype
    scale = region.scale if region.scale not in (0.0, 1.0) else 1.0
    if (slow.bin, fast.bin) == (1, 1) and scale == 1.0 and dtype == part.data.dtype:
        return Pixels(np.ascontiguousarray(part.data), part.masked)
    kind = _counter(part.data.dtype, slow.bin * fast.bin) if scale == 1.0 else np.float64
    sums, masked = _summed(part, slow.bin, fast.bin, kind)
    result = _fitted(sums if scale == 1.0 else sums / scale, dtype)
    if masked is not None:
        result[masked] = _greatest(dtype)
    return Pixels(result, masked)


def _turned(axis: Axis) -> bool:
    return axis.enabled and axis.reverse


def image(pixels: Pixels, most: int) -> tuple[NDArray[np.int32], int]:
    """The frame with so many neighbours added up that it has at most ``most`` pixels.

    Args:
        pixels: The frame.
        most: Pixels that the image may have.

    Returns:
        int32 (slow, fast), -1 where every pixel is masked; and how many were added up along each axis.
    """
    slow, fast = pixels.data.shape
    step = 1
    while step < min(slow, fast) and (slow // step) * (fast // step) > most:
        step += 1
    sums, masked = _summed(pixels, step, step, _counter(pixels.data.dtype, step * step))
    result = _fitted(sums, np.dtype(np.int32))
    if masked is not None:
        result[masked] = -1
    return result, step


def _summed(
    pixels: Pixels, slow: int, fast: int, kind: type[Counter]
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Sums over blocks, without what is masked; and the blocks of which all is."""
    if pixels.masked is None:
        return add_up(pixels.data, slow, fast, kind), None
    counted = np.where(pixels.masked, pixels.data.dtype.type(0), pixels.data)
    masked = add_up(pixels.masked, slow, fast, np.int32) == slow * fast
    return add_up(counted, slow, fast, kind), masked if masked.any() else None


def _counter(dtype: np.dtype[Any], pixels: int) -> type[Counter]:
    """A type that holds the sum of so many pixels; int32 where it does, as that takes half the time."""
    if dtype.kind == "f":
        return np.float64
    return np.int32 if pixels * int(np.iinfo(dtype).max) < 2**31 else np.int64


def _greatest(dtype: np.dtype[Any]) -> float:
    return (np.finfo(dtype) if dtype.kind == "f" else np.iinfo(dtype)).max


def _fitted(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind != "f":
        limits = np.iinfo(dtype)
        # No sum of counts comes near 2**62, and beyond it neither int64 nor float64 holds every limit.
        values = np.clip(values, max(limits.min, -(2**62)), min(limits.max, 2**62))
    return values.astype(dtype)
