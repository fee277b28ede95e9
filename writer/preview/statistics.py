"""What NDPluginStats computes of a frame: basic statistics, centroid, profiles, histogram.

Pure functions. Values are keyed by the names of their records, without ``_RBV``. The formulas are
NDPluginStats' own, its eccentricity too, with two differences: masked pixels do not count, and the sum of
squares is taken about the mean, so that it does not lose its digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from writer.preview.pixels import Pixels

Values = dict[str, float]
BASIC: Final = ("MinValue", "MinX", "MinY", "MaxValue", "MaxX", "MaxY", "MeanValue", "Sigma", "Total", "Net")
"""What is computed of a frame in any case."""


def basic(pixels: Pixels, rim: int) -> Values:
    """Least, greatest, mean, sum, and the sum less the background.

    Args:
        pixels: The frame.
        rim: Width in pixels of the border that tells the background; 0 takes none off.

    Returns:
        All zero if every pixel is masked.
    """
    count = pixels.valid
    if not count:
        return dict.fromkeys(BASIC, 0.0)
    data = pixels.data
    # Masked pixels have the greatest values there are, so they are never the least.
    least = int(data.argmin())
    greatest, most = least, data.flat[least]
    total = squares = 0.0
    for start, band in pixels.bands():
        total += float(band.values.sum())
        shown = band.data if band.masked is None else np.where(band.masked, data.flat[least], band.data)
        place = int(shown.argmax())
        if shown.flat[place] > most:
            greatest, most = start + place, shown.flat[place]
    mean = total / count
    for _, band in pixels.bands():
        spread = band.values - mean
        if band.masked is not None:
            spread[band.masked] = 0.0
        squares += float(np.dot(spread.ravel(), spread.ravel()))
    width = data.shape[1]
    found = (
        float(data.flat[least]),
        float(least % width),
        float(least // width),
        float(most),
        float(greatest % width),
        float(greatest // width),
        mean,
        math.sqrt(squares / count),
        total,
        total - _background(pixels, rim) * count,
    )
    return dict(zip(BASIC, found, strict=True))


SUMS: Final = ("Total", "MeanValue")
"""What ``sums`` computes."""


def sums(pixels: Pixels) -> Values:
    """Sum and mean alone, as ``basic`` has them to the last digit, in a quarter of its time."""
    total = sum(float(band.values.sum()) for _, band in pixels.bands()) if pixels.valid else 0.0
    return {"Total": total, "MeanValue": total / max(pixels.valid, 1)}


def _background(pixels: Pixels, rim: int) -> float:
    """Mean of the border's four strips; the corners are in two of them and count twice."""
    if rim <= 0:
        return 0.0
    slow, fast = pixels.data.shape
    strips = (
        np.s_[:, : min(rim, fast)],
        np.s_[:, max(0, fast - rim) :],
        np.s_[: min(rim, slow)],
        np.s_[max(0, slow - rim) :],
    )
    counts = sum(float(pixels.part(strip).values.sum()) for strip in strips)
    number = sum(
        pixels.data[strip].size
        - (0 if pixels.masked is None else int(np.count_nonzero(pixels.masked[strip])))
        for strip in strips
    )
    return counts / max(number, 1)


@dataclass(frozen=True)
class Centroid:
    """Moments of what is above the threshold, and the profiles they come of.

    Attributes:
        values: By record.
        profiles: Average and Threshold profiles along X and Y, by record.
    """

    values: Values
    profiles: dict[str, NDArray[np.float64]]


def centroid(pixels: Pixels, threshold: float) -> Centroid:
    """Centre, width and shape of the pixels from a threshold on.

    Args:
        pixels: The frame.
        threshold: Least value that counts.

    Returns:
        All values zero if nothing is above the threshold.
    """
    values = pixels.values
    kept = np.where(values >= threshold, values, 0.0)
    profile_x, profile_y = kept.sum(axis=0), kept.sum(axis=1)
    x, y = (np.arange(len(profile), dtype=np.float64) for profile in (profile_x, profile_y))
    in_column, in_row = (np.maximum(pixels.along(axis), 1) for axis in (0, 1))
    profiles = {
        "ProfileAverageX": values.sum(axis=0) / in_column,
        "ProfileAverageY": values.sum(axis=1) / in_row,
        "ProfileThresholdX": profile_x / in_column,
        "ProfileThresholdY": profile_y / in_row,
    }
    mixed = float(y @ (kept @ x))
    return Centroid(_moments(profile_x, profile_y, x, y, mixed), profiles)


def _moments(
    profile_x: NDArray[Any], profile_y: NDArray[Any], x: NDArray[Any], y: NDArray[Any], mixed: float
) -> Values:
    names = ("CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY")
    names += ("SkewX", "SkewY", "KurtosisX", "KurtosisY", "Eccentricity", "Orientation")
    found: Values = dict.fromkeys(names, 0.0)
    total = float(profile_x.sum())
    if total <= 0:
        return found
    centre_x, centre_y = float(profile_x @ x) / total, float(profile_y @ y) / total
    variance = {}
    for axis, profile, places, centre in (("X", profile_x, x, centre_x), ("Y", profile_y, y, centre_y)):
        # About the centre from the start: sums of fourth powers about 0 leave nothing of a narrow spot.
        off = places - centre
        second, third, fourth = (float(profile @ off**power) / total for power in (2, 3, 4))
        variance[axis] = second = max(second, 0.0)
        found[f"Centroid{axis}"], found[f"Sigma{axis}"] = centre, math.sqrt(second)
        if second > 0:
            found[f"Skew{axis}"] = third / second**1.5
            found[f"Kurtosis{axis}"] = fourth / second**2 - 3.0
    found["CentroidTotal"] = total
    both = mixed / total - centre_x * centre_y
    across, up = variance["X"], variance["Y"]
    if across > 0 and up > 0:
        found["SigmaXY"] = both / math.sqrt(across * up)
    found["Orientation"] = math.degrees(0.5 * math.atan2(2.0 * both, across - up))
    if across + up > 0:
        found["Eccentricity"] = ((across - up) ** 2 - 4.0 * both**2) / (across + up) ** 2
    return found


def lines(
    pixels: Pixels, at: tuple[float, float], cursor: tuple[int, int]
) -> tuple[float, dict[str, NDArray[np.float64]]]:
    """The lines of pixels through two points.

    Args:
        pixels: The frame.
        at: Centroid, (x, y).
        cursor: Cursor, (x, y); brought into the frame.

    Returns:
        The value at the cursor, and profiles by record.
    """
    values = pixels.values
    slow, fast = values.shape

    def inside(place: float, length: int) -> int:
        return min(max(int(place), 0), length - 1)

    centre = inside(at[0] + 0.5, fast), inside(at[1] + 0.5, slow)
    point = inside(cursor[0], fast), inside(cursor[1], slow)
    return float(values[point[1], point[0]]), {
        "ProfileCentroidX": values[centre[1]],
        "ProfileCentroidY": values[:, centre[0]],
        "ProfileCursorX": values[point[1]],
        "ProfileCursorY": values[:, point[0]],
    }


def histogram(pixels: Pixels, size: int, low: float, high: float) -> tuple[Values, NDArray[np.float64]]:
    """How often which values are there.

    Args:
        pixels: The frame.
        size: Number of bins.
        low: Centre of the first bin.
        high: Centre of the last bin.

    Returns:
        Numbers below and above, the entropy, and the bins.
    """
    high = high if high > low else low + 1.0
    values, counts = _distinct(pixels)
    below, above = values < low, values > high
    inside = ~(below | above)
    scale = (size - 1) / (high - low)
    places = ((values[inside] - low) * scale + 0.5).astype(np.intp)
    bins = np.bincount(places, weights=counts[inside], minlength=size).astype(np.float64)
    filled = bins[bins > 0]
    entropy = -float(filled @ np.log(filled)) / max(pixels.valid, 1)
    found = {
        "HistBelow": float(counts[below].sum()),
        "HistAbove": float(counts[above].sum()),
        "HistEntropy": entropy,
    }
    return found, bins


def bin_values(size: int, low: float, high: float) -> NDArray[np.float64]:
    """The value that each bin stands for, as NDPluginStats says it."""
    return np.linspace(low, high, size, endpoint=False, dtype=np.float64)


def _distinct(pixels: Pixels) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and how often each is there: few of them where the type has few."""
    data = pixels.data
    if data.dtype.kind == "u" and data.dtype.itemsize <= 2:
        counts = np.bincount(data.ravel(), minlength=np.iinfo(data.dtype).max + 1).astype(np.float64)
        if pixels.masked is not None:
            counts -= np.bincount(data[pixels.masked], minlength=len(counts))
        return np.arange(len(counts), dtype=np.float64), counts
    values = (data if pixels.masked is None else data[~pixels.masked]).ravel().astype(np.float64)
    return values, np.ones(len(values))
