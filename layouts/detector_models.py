"""Dectris EIGER and EIGER2 models: true pixel counts, module sizes and gaps.

Image sizes follow from module and gap sizes and equal the published ones. Orders are (fast, slow)
unless a name says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorModel:
    """One detector model.

    Attributes:
        name: The model as Dectris writes it, "EIGER2 1M".
        generation: Whose interface it has: an EIGER's or an EIGER2's.
        description: What the detector says of itself in streams and files.
        module: Pixels of one module, (fast, slow).
        gap: Pixels between two modules, (fast, slow).
        grid: Modules along (fast, slow).
        pixel_size: Edge of a pixel in metres.
        readout_time: Shortest dead time between two frames in seconds.
        readout_depth: Bits of one readout of the chip.
    """

    name: str
    generation: Literal["eiger1", "eiger2"]
    description: str
    module: tuple[int, int]
    gap: tuple[int, int]
    grid: tuple[int, int]
    pixel_size: float = 75e-6
    readout_time: float = 1e-7
    readout_depth: int = 16

    @property
    def width(self) -> int:
        """Pixels along fast."""
        return self.grid[0] * (self.module[0] + self.gap[0]) - self.gap[0]

    @property
    def height(self) -> int:
        """Pixels along slow."""
        return self.grid[1] * (self.module[1] + self.gap[1]) - self.gap[1]

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of one frame in array order, (slow, fast)."""
        return self.height, self.width


def _eiger(size: str, *grid: int) -> DetectorModel:
    return DetectorModel(
        name=f"EIGER {size}",
        generation="eiger1",
        description=f"Dectris Eiger {size}",
        module=(1030, 514),
        gap=(10, 37),
        grid=(grid[0], grid[1]),
        readout_time=7.540540540540541e-6,  # as a real EIGER 1M says of itself
    )


def _eiger2(size: str, *grid: int) -> DetectorModel:
    return DetectorModel(
        name=f"EIGER2 {size}",
        generation="eiger2",
        description=f"Dectris EIGER2 Si {size}",
        module=(1028, 512),
        gap=(12, 38),
        grid=(grid[0], grid[1]),
    )


_SIZES = {"500K": (1, 1), "1M": (1, 2), "4M": (2, 4), "9M": (3, 6), "16M": (4, 8)}

MODELS: dict[str, DetectorModel] = {
    model.name: model
    for make in (_eiger, _eiger2)
    for model in (make(size, *grid) for size, grid in _SIZES.items())
}
