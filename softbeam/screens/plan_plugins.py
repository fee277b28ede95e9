"""Plans of areaDetector's plugins beside the file writer: statistics, image, region of interest."""

from __future__ import annotations

from softbeam.screens.plans import Cell, Group, Page, Plan

_SOURCE = Group(
    "Source",
    (
        *(
            "EnableCallbacks",
            "NDArrayPort",
            "NDArrayAddress",
            "MinCallbackTime",
            "ArrayCounter",
            "ArrayRate_RBV",
        ),
        *(
            "UniqueId_RBV",
            "TimeStamp_RBV",
            "DroppedArrays",
            "QueueUse",
            "QueueFree",
            "QueueSize",
            "ExecutionTime_RBV",
        ),
    ),
)
_ARRAY = Group(
    "Array", ("ArraySize?_RBV", "ArraySize_RBV", "DataType", "ColorMode", "PortName_RBV", "PluginType_RBV")
)

STATS = Plan(
    file="stats",
    title="Statistics",
    needs=frozenset({"ComputeStatistics", "MeanValue_RBV", "Total_RBV"}),
    pages=(
        Page(
            title="Statistics",
            groups=(
                Group(
                    "Statistics",
                    (
                        *("ComputeStatistics", "BgdWidth", "MinValue_RBV", "MaxValue_RBV", "MeanValue_RBV"),
                        *("SigmaValue", "Sigma_RBV", "Total_RBV", "Net_RBV"),
                        *("MinX_RBV", "MinY_RBV", "MaxX_RBV", "MaxY_RBV"),
                    ),
                ),
                Group(
                    "Centroid",
                    (
                        *("ComputeCentroid", "CentroidThreshold", "CentroidTotal_RBV", "CentroidX_RBV"),
                        *(
                            "CentroidY_RBV",
                            "SigmaX_RBV",
                            "SigmaY_RBV",
                            "SigmaXY_RBV",
                            "SkewX_RBV",
                            "SkewY_RBV",
                        ),
                        *("KurtosisX_RBV", "KurtosisY_RBV", "Eccentricity_RBV", "Orientation_RBV"),
                    ),
                ),
                _SOURCE,
                Group(
                    "Histogram",
                    ("ComputeHistogram", "HistSize", "HistM*", "HistBelow*", "HistAbove*", "Hist*"),
                ),
                _ARRAY,
            ),
        ),
        Page(
            title="Profiles",
            suffix="_profiles",
            groups=(
                Group("Profiles", ("ComputeProfiles", "Cursor?", "CursorVal", "ProfileSize*", "MaxSize?")),
                Group("Along the fast axis", ("Profile*X_RBV",)),
                Group("Along the slow axis", ("Profile*Y_RBV",)),
            ),
        ),
        Page(
            title="Time series",
            suffix="_series",
            columns=4,
            groups=(
                Group("Values", ("TS*Value", "TSSigma", "TSTotal", "TSNet")),
                Group("Places", ("TSM??X", "TSM??Y", "TSCentroid?")),
                Group("Shape", ("TSCentroidTotal", "TSSigma*", "TSEccentricity", "TSOrientation")),
                Group("Higher moments", ("TSSkew?", "TSKurtosis?")),
                Group("Time series", ("TSControl", "TSAcquiring", "TSNumPoints", "TSCurrentPoint", "TSRead")),
            ),
        ),
    ),
    line=(
        Cell("UniqueId_RBV", "Frame", width=80),
        Cell("MinValue_RBV", "Least"),
        Cell("MaxValue_RBV", "Greatest"),
        Cell("MeanValue_RBV", "Mean"),
        Cell("Total_RBV", "Total"),
    ),
)

IMAGE = Plan(
    file="image",
    title="Image",
    needs=frozenset({"ArrayData", "EnableCallbacks"}),
    pages=(
        Page(
            title="Image",
            columns=2,
            width=620,
            groups=(Group("Image", ("ArrayData",)), _SOURCE, Group("Binning", ("Bin*",)), _ARRAY),
        ),
    ),
)

ROI = Plan(
    file="roi",
    title="Region of interest",
    needs=frozenset({"EnableX", "SizeX", "AutoSizeX"}),
    pages=(
        Page(
            title="Region",
            columns=2,
            groups=(
                *(
                    Group(
                        f"Dimension {axis}",
                        (
                            f"Enable{axis}",
                            f"Min{axis}",
                            f"Size{axis}",
                            f"AutoSize{axis}",
                            f"Bin{axis}",
                            f"Reverse{axis}",
                            f"MaxSize{axis}_RBV",
                        ),
                    )
                    for axis in "XYZ"
                ),
                Group("What comes of it", ("Name", "DataTypeOut", "EnableScale", "Scale", "CollapseDims")),
                _SOURCE,
                _ARRAY,
            ),
        ),
    ),
)
