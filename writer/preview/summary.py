"""What the statistics plugin makes of a frame, as its settings ask for it: for a look, and for a file.

Pure functions. Values are keyed by the names of their records, without ``_RBV``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from writer.preview import statistics
from writer.preview.pixels import Pixels, unmarked
from writer.preview.regions import cut
from writer.preview.settings import ROI, Settings, Statistics

SWITCHES: Final[Mapping[str, str]] = {
    "ComputeStatistics": "basic",
    "ComputeCentroid": "centroid",
    "ComputeProfiles": "profiles",
    "ComputeHistogram": "histogram",
}
"""Records that say what is computed, and what settings call it."""
_OTHERS: Final = (
    ("ComputeCentroid", ("CentroidTotal", "CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY")),
    ("ComputeCentroid", ("SkewX", "SkewY", "KurtosisX", "KurtosisY", "Eccentricity", "Orientation")),
    ("ComputeProfiles", ("CursorVal",)),
    ("ComputeHistogram", ("HistBelow", "HistAbove", "HistEntropy")),
)
SWITCH_OF: Final[Mapping[str, str]] = dict.fromkeys(statistics.BASIC, "ComputeStatistics") | {
    name: switch for switch, names in _OTHERS for name in names
}
"""Values of a frame, and the record that says whether they are computed."""


def summary(pixels: Pixels, asked: Statistics) -> tuple[dict[str, float], dict[str, NDArray[Any]]]:
    """Statistics of a frame.

    Args:
        pixels: Of the frame, or of the region that is looked at.
        asked: What is wanted of them.

    Returns:
        Values and arrays by record.
    """
    if not asked.ignore_masked:
        pixels = unmarked(pixels)
    values: dict[str, float] = {"NumMasked": pixels.left_out}
    arrays: dict[str, NDArray[Any]] = {}
    if asked.basic:
        values |= statistics.basic(pixels, asked.rim)
    if asked.centroid or asked.profiles:
        found = statistics.centroid(pixels, asked.threshold)
        values |= found.values if asked.centroid else {}
        if asked.profiles:
            at = found.values["CentroidX"], found.values["CentroidY"]
            values["CursorVal"], through = statistics.lines(pixels, at, asked.cursor)
            arrays |= found.profiles | through
        slow, fast = pixels.data.shape
        values |= {"ProfileSizeX": fast, "ProfileSizeY": slow}
    if asked.histogram:
        counted, arrays["Histogram"] = statistics.histogram(pixels, asked.bins, asked.low, asked.high)
        values |= counted
    return values, {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def idle(settings: Settings, name: str) -> str:
    """Which setting keeps a value from being computed; empty if none does."""
    if not settings.stats.enabled:
        return "EnableCallbacks of the statistics is Disable"
    if settings.stats.source == ROI and not settings.roi.enabled:
        return "EnableCallbacks of the region is Disable"
    if settings.stats.source == ROI and not settings.roi.hands_on:
        return "ArrayCallbacks of the region is Disable"
    switch = SWITCH_OF[name]
    return "" if getattr(settings.statistics, SWITCHES[switch]) else f"{switch} is No"


def narrowed(settings: Settings, names: Iterable[str]) -> Settings:
    """The same settings with nothing computed but these values, and what is computed with them."""
    needed = {SWITCHES[SWITCH_OF[name]] for name in names}
    asked = replace(settings.statistics, **{switch: switch in needed for switch in SWITCHES.values()})
    return replace(settings, statistics=asked)


def values_of(pixels: Pixels, settings: Settings, names: Collection[str]) -> dict[str, float]:
    """Statistics of a frame, or of its region if that is what they are of.

    Args:
        pixels: The whole frame.
        settings: With nothing switched on that is not needed.
        names: Those that are wanted.

    Returns:
        These, and what is computed with them.
    """
    seen = cut(pixels, settings.region) if settings.stats.source == ROI else pixels
    asked = settings.statistics
    if not set(names) <= set(statistics.SUMS):
        return summary(seen, asked)[0]
    return statistics.sums(seen if asked.ignore_masked else unmarked(seen))
