"""What a detector's previews are asked to compute: values that go from the coordinator as JSON.

Records hold them in words of areaDetector; here they stand as the computation needs them. The whole of a
detector's settings is sent at each change, so nothing has to be remembered of the one before.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CAMERA = "camera"
ROI = "roi"
STATS = "stats"
IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What every plugin has.

    Attributes:
        enabled: Whether frames are taken.
        source: "camera" or "roi": whose frames.
        interval: Least time between two frames, s.
        rate: Most bytes per second of what it makes; 0 is no limit.
        hands_on: Whether those who take its frames get any.
        again: Counts how often the latest frame was asked to be taken again.
    """

    enabled: bool = True
    source: str = CAMERA
    interval: float = 0.0
    rate: float = 0.0
    hands_on: bool = True
    again: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What is computed of a frame, and how.

    Attributes:
        rim: Pixels of the border that tells the background.
        threshold: Least value that counts for the centroid.
        cursor: (x, y) of the lines that are shown.
        ignore_masked: Whether masked pixels are left out.
    """

    basic: bool = True
    centroid: bool = False
    profiles: bool = False
    histogram: bool = False
    rim: int = 1
    threshold: float = 1.0
    cursor: tuple[int, int] = (256, 256)
    bins: int = 256
    low: float = 0.0
    high: float = 255.0
    ignore_masked: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What a region takes of an axis; ``auto`` takes all of it, not ``enabled`` does so unbinned."""

    enabled: bool = True
    start: int = 0
    size: int = 1_000_000
    bin: int = 1
    auto: bool = False
    reverse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of the frame.

    Attributes:
        scale: What values are divided by.
        dtype: numpy's name of the type of the result; empty is that of the frame.
        collapse: Whether a single line or column becomes a row, which has one dimension.
    """

    x: Axis = Axis()
    y: Axis = Axis()
    scale: float = 1.0
    dtype: str = ""
    collapse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All of a detector's."""

    roi: Plugin = Plugin(enabled=False)
    stats: Plugin = Plugin()
    image: Plugin = Plugin(interval=0.1)
    statistics: Statistics = field(default_factory=Statistics)
    region: Region = field(default_factory=Region)

    @property
    def wanted(self) -> bool:
        """Whether any plugin takes frames."""
        return self.roi.enabled or self.stats.enabled or self.image.enabled
