"""NDStats.template: statistics, centroid, profiles, histogram and time series of the latest frame.

The values are those of NDPluginStats; pixels that the detector marks as masked are left out of them unless
IgnoreMasked says otherwise. A client that watches ArrayCounter_RBV reads values of one frame. Those that
NDAttributesFile names are computed of every frame that is stored.
"""

from __future__ import annotations

from typing import Final

from ioc.menus import NoYes
from ioc.records import Kind, Record
from ioc.tables.build import ACTS, choice, number, said, shown, told, whole
from ioc.tables.preview import preview

POINTS: Final = 2048
"""Points of a time series at most."""
BINS: Final = 4096
"""Bins of the histogram at most."""
SIZE: Final = 4362
"""Pixels of a profile at most; an EIGER2 16M has 4362 along its longer side."""

_BASIC: Final = {
    "MinValue": "Least value.",
    "MaxValue": "Greatest value.",
    "MinX": "Where the least value is, along the fast axis.",
    "MinY": "Where the least value is, along the slow axis.",
    "MaxX": "Where the greatest value is, along the fast axis.",
    "MaxY": "Where the greatest value is, along the slow axis.",
    "MeanValue": "Mean of the pixels.",
    "Total": "Sum of the pixels.",
    "Net": "Sum without the background, which is that of a rim of BgdWidth pixels.",
}
_CENTROID: Final = {
    "CentroidTotal": ("Sum of the pixels from CentroidThreshold on.", 4),
    "CentroidX": ("Their centre along the fast axis.", 1),
    "CentroidY": ("Their centre along the slow axis.", 1),
    "SigmaX": ("Their width along the fast axis.", 1),
    "SigmaY": ("Their width along the slow axis.", 1),
    "SigmaXY": ("Correlation of both axes.", 3),
    "SkewX": ("Skewness along the fast axis.", 3),
    "SkewY": ("Skewness along the slow axis.", 3),
    "KurtosisX": ("Kurtosis along the fast axis, less that of a Gaussian.", 3),
    "KurtosisY": ("Kurtosis along the slow axis, less that of a Gaussian.", 3),
    "Eccentricity": ("Eccentricity as NDPluginStats has it.", 3),
    "Orientation": ("Angle of the long axis in degrees.", 3),
}
SERIES: Final = (
    "MinValue",
    "MinX",
    "MinY",
    "MaxValue",
    "MaxX",
    "MaxY",
    "MeanValue",
    "Sigma",
    "Total",
    "Net",
    *_CENTROID,
    "Timestamp",
)
"""What a time series has of each frame, in the order of NDPluginStats; the records are ``TS`` and this."""
PROFILES: Final = ("Average", "Threshold", "Centroid", "Cursor")


def stats(port: str = "STATS1", source: str = "EIG") -> tuple[Record, ...]:
    """All records of a detector's statistics.

    Args:
        port: The asyn port's name.
        source: The port of its camera.
    """
    return preview(
        "NDPluginStats",
        port,
        source,
        *_basic(),
        *_centroid(),
        *_profiles(),
        *_histogram(),
        *_series(),
        choice("Reset", ("Done", "Reset"), doc="Set every value to 0.", does=ACTS, rbv=False, rtype="sseq"),
        choice("Reset1", ("Done", "Reset"), doc="As Reset.", does=ACTS, rbv=False, rtype="sseq"),
        choice("Reset2", ("Done", "Reset"), doc="As Reset.", does=ACTS, rbv=False, rtype="sseq"),
        choice("IgnoreMasked", NoYes, "Yes", "Whether masked pixels are left out of all values.", does=ACTS),
        shown("NumMasked_RBV", 0, "Pixels that were left out."),
        said(
            "NDAttributesMessage_RBV",
            "",
            "What is wrong with NDAttributesFile.",
        ),
        attributes=ACTS,
    )


def _value(name: str, doc: str, precision: int = 4, *, readback: str = "") -> tuple[Record, Record]:
    """A value as the template has it: a record to set it (Reset does) and the value."""
    return (
        number(name, 0.0, f"Sets {readback or name}_RBV until the next frame.", does=ACTS, rbv=False),
        shown(f"{readback or name}_RBV", 0.0, doc, precision=precision),
    )


def _array(name: str, doc: str, length: int) -> Record:
    return Record(name=name, kind=Kind.DOUBLES, length=length, doc=doc)


def _basic() -> tuple[Record, ...]:
    values = [_value(name, doc) for name, doc in _BASIC.items()]
    return (
        choice("ComputeStatistics", NoYes, "Yes", "Whether these are computed.", does=ACTS),
        whole("BgdWidth", 1, "Width of the rim that tells the background; 0 is none.", does=ACTS),
        *(record for pair in values for record in pair),
        *_value("SigmaValue", "Standard deviation of the pixels.", 1, readback="Sigma"),
    )


def _centroid() -> tuple[Record, ...]:
    values = [_value(name, doc, precision) for name, (doc, precision) in _CENTROID.items()]
    return (
        choice("ComputeCentroid", NoYes, "No", "Whether these are computed.", does=ACTS),
        number("CentroidThreshold", 1.0, "Least value that counts for the centroid.", does=ACTS),
        *(record for pair in values for record in pair),
    )


def _profiles() -> tuple[Record, ...]:
    meanings = {
        "Average": "mean of the pixels",
        "Threshold": "mean with pixels below CentroidThreshold as 0",
        "Centroid": "pixels of the line through the centroid",
        "Cursor": "pixels of the line through the cursor",
    }
    return (
        choice("ComputeProfiles", NoYes, "No", "Whether these are computed.", does=ACTS),
        whole("CursorX", 256, "Cursor along the fast axis.", does=ACTS),
        whole("CursorY", 256, "Cursor along the slow axis.", does=ACTS),
        shown("CursorVal", 0.0, "Value at the cursor.", precision=1),
        shown("ProfileSizeX_RBV", 0, "Points of the profiles along the fast axis."),
        shown("ProfileSizeY_RBV", 0, "Points of the profiles along the slow axis."),
        shown("MaxSizeX", 0, "As ProfileSizeX_RBV; the upper end of CursorX."),
        shown("MaxSizeY", 0, "As ProfileSizeY_RBV; the upper end of CursorY."),
        number("SetXHOPR", 0.0, "Echoes: limits follow by themselves.", rbv=False, rtype="dfanout"),
        number("SetYHOPR", 0.0, "Echoes: limits follow by themselves.", rbv=False, rtype="dfanout"),
        *(
            _array(f"Profile{name}{axis}_RBV", f"Profile along {axis}: {meanings[name]}.", SIZE)
            for name in PROFILES
            for axis in "XY"
        ),
    )


def _histogram() -> tuple[Record, ...]:
    return (
        choice("ComputeHistogram", NoYes, "No", "Whether these are computed.", does=ACTS),
        whole("HistSize", 256, "Number of bins.", does=ACTS, low=1, high=BINS),
        number("HistMin", 0.0, "Centre of the first bin.", does=ACTS),
        number("HistMax", 255.0, "Centre of the last bin.", does=ACTS),
        whole("HistBelow", 0, "Sets HistBelow_RBV until the next frame.", does=ACTS, rbv=False),
        shown("HistBelow_RBV", 0, "Pixels below HistMin."),
        whole("HistAbove", 0, "Sets HistAbove_RBV until the next frame.", does=ACTS, rbv=False),
        shown("HistAbove_RBV", 0, "Pixels above HistMax."),
        *_value("HistEntropy", "Entropy of the bins as NDPluginStats has it.", 3),
        _array("Histogram_RBV", "Pixels in each bin.", BINS),
        _array("HistogramX_RBV", "Value of each bin.", BINS),
    )


def _series() -> tuple[Record, ...]:
    """The time series: the waveforms, today's records to rule it (``TS:``) and those of older versions."""
    acquiring = ("Done", "Acquiring")
    modes = ("Fixed length", "Circ. buffer")
    one = "Echoes: a point is a frame."
    return (
        *(_array(f"TS{name}", f"{name} of each frame of the time series.", POINTS) for name in SERIES),
        choice(
            "TSControl",
            ("Erase/Start", "Start", "Stop", "Read"),
            "Stop",
            "Rules the time series, as before ADCore 3.3.",
            does=ACTS,
            rbv=False,
        ),
        told("TSAcquiring", acquiring, doc="Whether the time series takes frames."),
        whole("TSNumPoints", POINTS, "Points to take.", does=ACTS, rbv=False, low=1, high=POINTS),
        shown("TSCurrentPoint", 0, "Points taken."),
        choice("TSRead", ("Done", "Read"), doc="Show what was taken so far.", does=ACTS, rbv=False),
        choice(
            "TS:TSAcquire",
            ("Done", "Acquire"),
            doc="Begin and end; a put completes when all points are taken.",
            does=ACTS,
            rbv=False,
            rtype="busy",
        ),
        told("TS:TSAcquiring", acquiring, doc="Whether the time series takes frames."),
        choice("TS:TSRead", ("Done", "Read"), doc="Show what was taken so far.", does=ACTS, rbv=False),
        whole("TS:TSNumPoints", POINTS, "Points to take.", does=ACTS, rbv=False, low=1, high=POINTS),
        shown("TS:TSCurrentPoint", 0, "Points taken."),
        choice("TS:TSAcquireMode", modes, doc="Whether it ends or goes round.", does=ACTS, rtype="mbbo"),
        shown("TS:TSElapsedTime", 0.0, "Time since it began.", units="s", precision=3),
        number("TS:TSTimePerPoint", 0.0, one, units="s", precision=3),
        number("TS:TSAveragingTime", 0.0, one, units="s", precision=3),
        shown("TS:TSNumAverage", 1, "Frames of a point."),
        _array("TS:TSTimestamp", "Time of each frame.", POINTS),
    )
