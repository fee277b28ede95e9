"""What is particular to one sensor: gaps, bad pixels, flatfield, and where its counters end."""

from __future__ import annotations

from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Detector


class MaskBit(IntFlag):
    """Meaning of the bits of a Dectris pixel mask."""

    GAP = 1
    DEAD = 2
    UNDER = 4
    OVER = 8
    NOISY = 16


_FAULTS = (MaskBit.DEAD, MaskBit.UNDER, MaskBit.OVER, MaskBit.NOISY)
_FLATNESS = 0.015


def pixel_mask(detector: Detector, seed: list[int]) -> NDArray[np.uint32]:
    """The true mask: of the beamline file if it names one, else gaps and scattered bad pixels.

    Args:
        detector: Of the beamline file.
        seed: Where the bad pixels come from.

    Returns:
        Dectris bits, shape (slow, fast).

    Raises:
        ValueError: The file named cannot be read or has another shape.
    """
    if detector.pixel_mask is not None:
        return _from_file(detector)
    spec = detector.spec
    mask = np.zeros(spec.shape, dtype=np.uint32)
    for axis, (grid, module, gap) in enumerate(zip(spec.grid, spec.module, spec.gap, strict=True)):
        for number in range(1, grid):
            end = number * (module + gap)
            gaps = slice(end - gap, end)
            mask[(slice(None), gaps) if axis == 0 else (gaps, slice(None))] = MaskBit.GAP
    rng = np.random.default_rng([*seed, 1])
    good = np.flatnonzero(mask == 0)
    bad = rng.choice(good, size=min(detector.bad_pixels, len(good)), replace=False)
    mask.flat[bad] = rng.choice([int(fault) for fault in _FAULTS], size=len(bad))
    return mask


def flatfield(detector: Detector, seed: list[int]) -> NDArray[np.float32]:
    """Factors near one that frames have been multiplied by, float32, shape (slow, fast)."""
    rng = np.random.default_rng([*seed, 2])
    spread = rng.standard_normal(detector.spec.shape, dtype=np.float32)
    return np.float32(1.0) + np.float32(_FLATNESS) * spread


def unflattened(
    frame: NDArray[np.unsignedinteger],
    flatfield: NDArray[np.float32],
    limit: int,
    rng: np.random.Generator,
) -> NDArray[np.unsignedinteger]:
    """A frame as its pixels counted, before the flatfield multiplied it.

    Args:
        frame: Corrected counts, shape (slow, fast).
        flatfield: The factors, same shape.
        limit: Where a pixel's count ends.
        rng: Rounds up as often as the fraction says, so that the mean is right for small numbers too.

    Returns:
        A new frame of the same type and shape.
    """
    counted = np.floor(frame / flatfield + rng.random(frame.shape, dtype=np.float32))
    return np.minimum(counted, min(limit, np.iinfo(frame.dtype).max)).astype(frame.dtype)


def saturation(detector: Detector, count_time: float, depth: int) -> int:
    """Counts at which a pixel stands still: what the cut-off rate gives in the time, if the depth holds it.

    The two highest values of a depth are no counts. 32-bit frames are summed from sub-frames short enough
    for the counter.
    """
    return int(min(detector.count_rate_cutoff * count_time, 2**depth - 3))


def _from_file(detector: Detector) -> NDArray[np.uint32]:
    where = f"detector {detector.name}, pixel_mask {detector.pixel_mask}"
    try:
        mask = np.load(str(detector.pixel_mask), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"{where}: cannot be read: {error}; a .npy file of integers is right") from None
    if mask.shape != detector.spec.shape or mask.dtype.kind not in "iu":
        raise ValueError(
            f"{where}: has {mask.dtype} of shape {mask.shape}; "
            f"integers of shape {detector.spec.shape} (slow, fast) are right"
        )
    return mask.astype(np.uint32)
