"""How fast each EIGER model reads out, and how deep its frames are: the rule as data.

A frame is 8 bits deep where it must be, beyond the rate that the 16-bit readout allows; it is 32 bits deep
where one counter would overflow before the exposure ends, and sub-frames are summed; otherwise 16. Rates
are those of the fast variants of each model, as Dectris publishes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from layouts.detector_models import MODELS


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
    """

    rate_16: float
    rate_8: float
    counter_max: int
    energy: tuple[float, float] = (5000.0, 40000.0)
    threshold: tuple[float, float] = (2500.0, 56000.0)
    count_time_min: float = 1e-7
    count_time_max: float = 3600.0

    @property
    def frame_time_min(self) -> float:
        """Shortest frame time in seconds."""
        return 1.0 / self.rate_8

    def sub_frames(self, count_time: float, cutoff: float) -> int:
        """How many counters' worth of exposures are summed into one frame.

        Args:
            count_time: Exposure of the frame in seconds.
            cutoff: Highest count rate of a pixel, per second; a counter must hold it for a sub-frame.
        """
        return max(1, math.ceil(count_time * cutoff / self.counter_max - 1e-9))

    def bit_depth(self, count_time: float, frame_time: float, cutoff: float, *, summation: bool) -> int:
        """Bits of a pixel in the stream: 8, 16 or 32."""
        if frame_time < 1.0 / self.rate_16 - 1e-9:
            return 8
        return 32 if summation and self.sub_frames(count_time, cutoff) > 1 else 16


_EIGER = {"500K": 9000.0, "1M": 3000.0, "4M": 750.0, "9M": 238.0, "16M": 133.0}
_EIGER2 = {
    "500K": (2250.0, 4500.0),
    "1M": (2250.0, 4500.0),
    "4M": (560.0, 1120.0),
    "9M": (370.0, 550.0),
    "16M": (400.0, 560.0),
}

READOUTS: dict[str, Readout] = {
    **{f"EIGER {size}": Readout(rate_16=r, rate_8=r, counter_max=4095) for size, r in _EIGER.items()},
    **{
        f"EIGER2 {size}": Readout(rate_16=slow, rate_8=fast, counter_max=65535)
        for size, (slow, fast) in _EIGER2.items()
    },
}

if READOUTS.keys() != MODELS.keys():  # a model added to layouts needs its rates here
    missing = MODELS.keys() ^ READOUTS.keys()
    raise KeyError(f"sim.readout and layouts.detector_models differ in {sorted(missing)}; add the rates")
