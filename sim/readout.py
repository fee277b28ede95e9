"""How fast each EIGER model reads out, what one counter holds, and which part of it can be read alone.

Rates are those of the fast variants of each model, as Dectris publishes them. How deep frames are follows
from them in ``sim.eiger_config``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from layouts.detector_models import MODELS


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region of interest that the hardware reads alone, in pixels of the whole area.

    Attributes:
        x: First column.
        y: First row.
        width: Columns.
        height: Rows.
        rate_16: Frames per second that its full readout allows.
        rate_8: Frames per second of its 8-bit readout.
    """

    x: int
    y: int
    width: int
    height: int
    rate_16: float
    rate_8: float

    @property
    def rows_and_columns(self) -> tuple[slice, slice]:
        """Index of an array of the whole area, (slow, fast)."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What the readout of one model can do.

    Attributes:
        rate_16: Frames per second that the full readout allows.
        rate_8: Frames per second of the 8-bit readout; equal to ``rate_16`` where there is none.
        counter_max: What one counter holds.
        energy: Photon energies the detector takes, lowest and highest, eV.
        threshold: Threshold energies, lowest and highest, eV.
        count_time_min: Shortest exposure in seconds.
        count_time_max: Longest exposure in seconds.
        region: The 4M region of interest, where the model has one.
    """

    rate_16: float
    rate_8: float
    counter_max: int
    energy: tuple[float, float] = (5000.0, 40000.0)
    threshold: tuple[float, float] = (2500.0, 56000.0)
    count_time_min: float = 1e-7
    count_time_max: float = 3600.0
    region: Region | None = None

    def sub_frames(self, count_time: float, cutoff: float) -> int:
        """How many counters' worth of exposures are summed into one frame.

        Args:
            count_time: Exposure of the frame in seconds.
            cutoff: Highest count rate of a pixel, per second; a counter must hold it for a sub-frame.
        """
        return max(1, math.ceil(count_time * cutoff / self.counter_max - 1e-9))


_EIGER = {"500K": 9000.0, "1M": 3000.0, "4M": 750.0, "9M": 238.0, "16M": 133.0}
_EIGER2 = {
    "500K": (2250.0, 4500.0),
    "1M": (2250.0, 4500.0),
    "4M": (560.0, 1120.0),
    "9M": (370.0, 550.0),
    "16M": (400.0, 560.0),
}

_WITH_REGION = ("9M", "16M")


def _region(family: str, size: str, rates: tuple[float, float]) -> Region | None:
    """The 4M in the middle of a larger detector, as fast as a 4M is."""
    if size not in _WITH_REGION:
        return None
    whole, part = MODELS[f"{family} {size}"], MODELS[f"{family} 4M"]
    return Region(
        x=(whole.width - part.width) // 2,
        y=(whole.height - part.height) // 2,
        width=part.width,
        height=part.height,
        rate_16=rates[0],
        rate_8=rates[1],
    )


READOUTS: dict[str, Readout] = {
    **{
        f"EIGER {size}": Readout(
            rate_16=rate,
            rate_8=rate,
            counter_max=4095,
            region=_region("EIGER", size, (_EIGER["4M"], _EIGER["4M"])),
        )
        for size, rate in _EIGER.items()
    },
    **{
        f"EIGER2 {size}": Readout(
            rate_16=slow,
            rate_8=fast,
            counter_max=65535,
            region=_region("EIGER2", size, _EIGER2["4M"]),
        )
        for size, (slow, fast) in _EIGER2.items()
    },
}

if READOUTS.keys() != MODELS.keys():  # a model added to layouts needs its rates here
    missing = MODELS.keys() ^ READOUTS.keys()
    raise KeyError(f"sim.readout and layouts.detector_models differ in {sorted(missing)}; add the rates")
