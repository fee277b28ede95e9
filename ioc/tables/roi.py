"""NDROI.template: a part of the frame, binned, turned round and scaled, for image and statistics.

They take it where their NDArrayPort names this plugin's port. A detector's frames have two dimensions, so
what is said of Z is kept and has no effect.
"""

from __future__ import annotations

from typing import Final

from ioc.menus import DataType, DisableEnable, NoYes
from ioc.records import PvClass, Record
from ioc.tables.build import ACTS, ECHOES, choice, number, shown, string, whole
from ioc.tables.preview import preview

AUTOMATIC: Final = "Automatic"
_AXES: Final = {"X": "fast axis", "Y": "slow axis", "Z": "third dimension"}


def roi(port: str = "ROI1", source: str = "EIG") -> tuple[Record, ...]:
    """All records of a detector's region of interest.

    Args:
        port: The asyn port's name.
        source: The port of its camera.
    """
    return preview(
        "NDPluginROI",
        port,
        source,
        string("Name", "", "What the region is called.", does=ECHOES),
        *(record for axis, words in _AXES.items() for record in _axis(axis, words)),
        choice(
            "DataTypeOut",
            (*DataType, AUTOMATIC),
            AUTOMATIC,
            "Type of its pixels; that of the frame.",
            does=ACTS,
        ),
        choice("EnableScale", DisableEnable, "Disable", "Whether values are divided by Scale.", does=ACTS),
        number("Scale", 1.0, "What values are divided by.", does=ACTS),
        choice(
            "CollapseDims",
            DisableEnable,
            "Disable",
            "Whether a dimension of size 1 goes away: a single line or column becomes a row.",
            does=ACTS,
        ),
        shown("MaxX", 0, "As MaxSizeX_RBV; the upper end of MinX and SizeX."),
        shown("MaxY", 0, "As MaxSizeY_RBV; the upper end of MinY and SizeY."),
        number("SetXHOPR", 0.0, "Echoes: limits follow by themselves.", rbv=False, rtype="dfanout"),
        number("SetYHOPR", 0.0, "Echoes: limits follow by themselves.", rbv=False, rtype="dfanout"),
        callbacks=ACTS,
    )


def _axis(axis: str, words: str) -> tuple[Record, ...]:
    does = PvClass.ECHOES if axis == "Z" else ACTS
    return (
        whole(f"Min{axis}", 0, f"First pixel along the {words}.", does=does),
        whole(f"Size{axis}", 1000000, f"Pixels along the {words}, before binning.", does=does),
        whole(f"Bin{axis}", 1, f"Pixels that become one along the {words}.", does=does),
        shown(f"MaxSize{axis}_RBV", 0, f"Pixels of the frame along the {words}."),
        choice(f"Enable{axis}", DisableEnable, "Enable", f"Whether the {words} is cut at all.", does=does),
        choice(f"AutoSize{axis}", NoYes, "No", f"Whether Size{axis} is that of the frame.", does=does),
        choice(f"Reverse{axis}", NoYes, "No", f"Whether the {words} is turned round.", does=does),
    )
