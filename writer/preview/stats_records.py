"""The Stats plugin's records: what is to be computed, the values, and the time series of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from numpy.typing import NDArray

from ioc.menus import NoYes
from ioc.records import PutError
from ioc.tables import params
from ioc.tables.stats import POINTS, SERIES
from writer.attribute_records import judge
from writer.attribute_sources import Feed
from writer.orders import RefusedError
from writer.preview.messages import Computed
from writer.preview.plugin import EPICS_EPOCH, Handler, PluginRecords
from writer.preview.settings import Statistics
from writer.preview.statistics import bin_values
from writer.preview.summary import SWITCHES
from writer.preview.time_series import TimeSeries

_SWITCHES: Final = {**SWITCHES, "IgnoreMasked": "ignore_masked"}
_NUMBERS: Final = {
    "BgdWidth": "rim",
    "CentroidThreshold": "threshold",
    "HistSize": "bins",
    "HistMin": "low",
    "HistMax": "high",
}
_RESETS: Final = (
    ("MinValue", "MaxValue", "MeanValue", "SigmaValue", "Total", "Net", "MinX", "MinY", "MaxX", "MaxY"),
    (
        *("CentroidX", "CentroidY", "SigmaX", "SigmaY", "SigmaXY", "CentroidTotal"),
        *("SkewX", "SkewY", "KurtosisX", "KurtosisY"),
    ),
    ("Eccentricity", "Orientation", "HistBelow", "HistAbove", "HistEntropy"),
)
"""What Reset, Reset1 and Reset2 set to 0; each goes on with the next."""
_PLAIN: Final = frozenset({"CursorVal"})
"""Values whose record has no ``_RBV``."""
_REFRESH: Final = 1.0
"""Seconds between two looks at a time series that grows."""


class StatsRecords(PluginRecords):
    """A detector's statistics."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.statistics = Statistics()
        self.series = TimeSeries(SERIES, POINTS)
        self._series_over = asyncio.Event()
        self._refreshed = 0.0
        self._feed = Feed(prefix=self.device.prefix, parameters=params.STATS, statistics=params.STATISTICS)
        self._own: dict[str, Handler] = {
            **{name: partial(self._put_switch, name) for name in _SWITCHES},
            **{name: partial(self._put_number, name) for name in _NUMBERS},
            **{name: partial(self._put_value, name) for group in _RESETS for name in group},
            **{name: partial(self._reset, index) for index, name in enumerate(("Reset", "Reset1", "Reset2"))},
            "CursorX": partial(self._put_cursor, "CursorX"),
            "CursorY": partial(self._put_cursor, "CursorY"),
            "NDAttributesFile": self._put_attributes,
            "NDAttributesMacros": self._put_macros,
            "TSControl": self._put_control,
            "TSRead": partial(self._read, "TSRead"),
            "TS:TSRead": partial(self._read, "TS:TSRead"),
            "TSNumPoints": self._put_points,
            "TS:TSNumPoints": self._put_points,
            "TS:TSAcquire": self._put_acquire,
            "TS:TSAcquireMode": self._put_mode,
        }

    def handlers(self) -> dict[str, Handler]:
        """What is done for puts of the plugin's own records."""
        return self._own

    async def boot(self) -> None:
        """Values that follow from settings."""
        await super().boot()
        await self._show_bins()

    # ------------------------------------------------------------ what clients put

    def _ask(self, **changes: Any) -> None:
        self.statistics = replace(self.statistics, **changes)
        self.changed()

    async def _put_switch(self, name: str, value: str) -> None:
        await self.device.settle(name, value)
        self._ask(**{_SWITCHES[name]: value == NoYes.YES})

    async def _put_number(self, name: str, value: float) -> None:
        await self.device.settle(name, value)
        self._ask(**{_NUMBERS[name]: value})
        if name.startswith("Hist"):
            await self._show_bins()

    async def _show_bins(self) -> None:
        asked = self.statistics
        await self.device.post("HistogramX_RBV", bin_values(asked.bins, asked.low, asked.high))

    async def _put_cursor(self, name: str, value: int) -> None:
        await self.device.settle(name, value)
        self._ask(cursor=(int(self.device["CursorX"]), int(self.device["CursorY"])))

    async def _put_value(self, name: str, value: float) -> None:
        await self.device.post(_shown(name), value)

    async def _reset(self, group: int, _value: str) -> None:
        for name in (name for names in _RESETS[group:] for name in names):
            await self.device.post(name, 0)
            await self.device.post(_shown(name), 0)
        await self.device.post(("Reset", "Reset1", "Reset2")[group], "Done")

    async def _put_attributes(self, value: str) -> None:
        await self._judge(value, str(self.device["NDAttributesMacros"]))

    async def _put_macros(self, value: str) -> None:
        await self._judge(str(self.device["NDAttributesFile"]), value)

    async def _judge(self, file: str, macros: str) -> None:
        try:
            await judge(self.device, self._feed, file=file, macros=macros)
        except RefusedError as error:
            await self.device.post("NDAttributesMessage_RBV", str(error))
            raise PutError(str(error)) from None
        await self.device.post_changed({"NDAttributesMessage_RBV": ""})

    # ------------------------------------------------------------ the time series

    async def _put_control(self, value: str) -> None:
        match value:
            case "Erase/Start":
                await self._start(erase=True)
            case "Start":
                await self._start(erase=False)
            case "Stop":
                await self._stop()
            case _:
                await self._refresh()

    async def _put_acquire(self, value: str) -> None:
        if value == "Done":
            await self._stop()
            return
        if not self.series.acquiring:
            await self._start(erase=True)
        await self._series_over.wait()

    async def _put_mode(self, value: str) -> None:
        await self.device.settle("TS:TSAcquireMode", value)
        self.series.circular = value == "Circ. buffer"
        await self._refresh()

    async def _put_points(self, value: int) -> None:
        await self.device.post_changed({"TSNumPoints": value, "TS:TSNumPoints": value})
        self.series.resize(value)
        await self._refresh()

    async def _read(self, name: str, _value: str) -> None:
        await self._refresh()
        await self.device.post(name, "Done")

    async def _start(self, *, erase: bool) -> None:
        self.series.start(time.time(), erase=erase)
        self._series_over.clear()
        await self.device.post_changed({"TS:TSAcquire": "Acquire"})
        await self._refresh()

    async def _stop(self) -> None:
        self.series.stop()
        await self._refresh()
        await self.device.post_changed({"TS:TSAcquire": "Done"})
        self._series_over.set()

    async def _refresh(self) -> None:
        self._refreshed = time.monotonic()
        rows = self.series.rows()
        for name, row in rows.items():
            await self.device.post(f"TS{name}", row)
        await self.device.post("TS:TSTimestamp", rows["Timestamp"])
        acquiring = "Acquiring" if self.series.acquiring else "Done"
        await self.device.post_changed(
            {
                "TSCurrentPoint": self.series.current,
                "TS:TSCurrentPoint": self.series.current,
                "TS:TSElapsedTime": self.series.elapsed,
                "TSAcquiring": acquiring,
                "TS:TSAcquiring": acquiring,
            }
        )

    # ------------------------------------------------------------ what a frame shows

    async def own(self, head: Computed, arrays: Mapping[str, NDArray[Any]], /) -> None:
        """Show the statistics of a frame, and take them into the time series."""
        values = {name if name in _PLAIN else f"{name}_RBV": value for name, value in head.values.items()}
        if "ProfileSizeX" in head.values:
            await self._show_size(int(head.values["ProfileSizeX"]), int(head.values["ProfileSizeY"]))
        await self.give({f"{name}_RBV": array for name, array in arrays.items()}, head.arrival)
        await self.give(values, head.arrival)
        if not self.series.acquiring:
            return
        point = head.values | {"Timestamp": head.arrival - EPICS_EPOCH}
        if self.series.add(point, time.time()):
            await self._stop()
        elif time.monotonic() - self._refreshed >= _REFRESH:
            await self._refresh()
        else:
            current = self.series.current
            await self.device.post_changed({"TSCurrentPoint": current, "TS:TSCurrentPoint": current})

    async def _show_size(self, fast: int, slow: int) -> None:
        for axis, size in (("X", fast), ("Y", slow)):
            if self.device[f"MaxSize{axis}"] != size:
                await self.device.post(f"MaxSize{axis}", size)
                await self.device.set_metadata(f"Cursor{axis}", low=0, high=size)


def _shown(name: str) -> str:
    return "Sigma_RBV" if name == "SigmaValue" else f"{name}_RBV"
