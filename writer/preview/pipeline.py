"""The previews of one detector: which plugin takes which frame when, and what comes of it. Pure.

The latest frame wins: a plugin that is not due yet takes, once it is, what is the latest then. So the last
frame of a series is always computed. Order is that of the port graph: the region first, then those that may
take its frames.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from numpy.typing import NDArray

from ioc.tables.image import ELEMENTS
from writer.preview.pixels import Pixels
from writer.preview.regions import cut, image, span
from writer.preview.settings import CAMERA, IMAGE, ROI, STATS, Plugin, Settings
from writer.preview.summary import summary

_ORDER: Final = (ROI, STATS, IMAGE)


class Frame(NamedTuple):
    """A frame, or what a plugin has made of one.

    Attributes:
        series: The detector's series number.
        number: In the series, from 0.
        arrival: When it came, s since 1970.
        pixels: Of it.
    """

    series: int
    number: int
    arrival: float
    pixels: Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a plugin has made of a frame.

    Attributes:
        plugin: "roi", "stats" or "image".
        series: Of the frame.
        number: Of the frame in its series.
        arrival: When the frame came, s since 1970.
        shape: (slow, fast) of what was made, or looked at.
        dtype: Its type, as numpy names it.
        is_row: Whether it has one dimension, the fast one.
        values: By record.
        arrays: By record.
        took: Seconds that it took.
    """

    plugin: str
    series: int
    number: int
    arrival: float
    shape: tuple[int, int]
    dtype: str
    is_row: bool = False
    values: dict[str, float] = field(default_factory=dict[str, float])
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict[str, NDArray[Any]])
    took: float = 0.0


@dataclass(slots=True)
class _Port:
    """Where a plugin stands.

    Attributes:
        seen: Which of its source's frames it took last.
        due: Monotonic time from which on it takes another.
        made: What it hands on.
    """

    seen: int = 0
    due: float = 0.0
    made: Frame | None = None
    number: int = 0
    """Of what it hands on: goes up with each."""


class Pipeline:
    """One detector's previews."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._ports = {name: _Port() for name in (CAMERA, *_ORDER)}

    @property
    def wanted(self) -> bool:
        """Whether frames are of any use."""
        return self._settings.wanted

    def set(self, settings: Settings) -> None:
        """Compute otherwise from now on; what is switched on begins with the next frame."""
        for name in _ORDER:
            before, after = _plugin(self._settings, name), _plugin(settings, name)
            port = self._ports[name]
            if after.enabled != before.enabled or after.source != before.source:
                port.seen = self._ports[after.source].number
            if after.again != before.again:
                port.seen, port.due = -1, 0.0
            elif (after.interval, after.rate) != (before.interval, before.rate):
                port.due = 0.0
        self._settings = settings

    def take(self, frame: Frame) -> None:
        """A frame came."""
        port = self._ports[CAMERA]
        port.made, port.number = frame, port.number + 1

    def due(self) -> float | None:
        """Monotonic time at which there is something to do; nothing if there is not."""
        times = [self._ports[name].due for name in _ORDER if self._input(name) is not None]
        return min(times, default=None)

    def work(self, now: float, clock: Callable[[], float] = time.perf_counter) -> list[Result]:
        """Compute what is due.

        Args:
            now: Monotonic time, s.
            clock: Tells how long each took.
        """
        results: list[Result] = []
        for name in _ORDER:
            port, frame = self._ports[name], self._input(name)
            if frame is None or now < port.due:
                continue
            plugin = _plugin(self._settings, name)
            port.seen = self._ports[plugin.source].number
            began = clock()
            made, values, arrays = _MAKERS[name](frame.pixels, self._settings)
            if made is not None:
                port.made, port.number = frame._replace(pixels=made), port.number + 1
            pixels = made or frame.pixels
            data = pixels.data
            slow, fast = arrays["ArrayData"].shape if name == IMAGE else data.shape
            size = data.nbytes if name != IMAGE else arrays["ArrayData"].nbytes
            port.due = now + max(plugin.interval, size / plugin.rate if plugin.rate > 0 else 0.0)
            results.append(
                Result(
                    plugin=name,
                    series=frame.series,
                    number=frame.number,
                    arrival=frame.arrival,
                    shape=(slow, fast),
                    dtype="int32" if name == IMAGE else data.dtype.name,
                    is_row=pixels.is_row,
                    values=values,
                    arrays=arrays,
                    took=clock() - began,
                )
            )
        return results

    def _input(self, name: str) -> Frame | None:
        """The frame that a plugin is to take; nothing if it has it already, or takes none."""
        plugin = _plugin(self._settings, name)
        source = self._ports[plugin.source]
        port = self._ports[name]
        asked = port.seen == -1
        if source.made is None or source.number == port.seen or not (plugin.enabled or asked):
            return None
        if plugin.source == ROI and not self._settings.roi.hands_on:
            return None
        return source.made


def _plugin(settings: Settings, name: str) -> Plugin:
    return {ROI: settings.roi, STATS: settings.stats, IMAGE: settings.image}[name]


_Made = tuple[Pixels | None, dict[str, float], dict[str, NDArray[Any]]]


def _region(pixels: Pixels, settings: Settings) -> _Made:
    region, (slow, fast) = settings.region, pixels.data.shape
    values: dict[str, float] = {}
    for axis, name, length in ((region.x, "X", fast), (region.y, "Y", slow)):
        taken = span(axis, length)
        values[f"MaxSize{name}"] = length
        if axis.enabled:
            values |= {f"Min{name}": taken.start, f"Size{name}": taken.size, f"Bin{name}": taken.bin}
    return cut(pixels, region), values, {}


def _statistics(pixels: Pixels, settings: Settings) -> _Made:
    return None, *summary(pixels, settings.statistics)


def _image(pixels: Pixels, _settings: Settings) -> _Made:
    data, step = image(pixels, ELEMENTS)
    return None, {"BinX": step, "BinY": step}, {"ArrayData": data}


_MAKERS: Final[dict[str, Callable[[Pixels, Settings], _Made]]] = {
    ROI: _region,
    STATS: _statistics,
    IMAGE: _image,
}
