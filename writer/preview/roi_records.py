"""The ROI plugin's records: what part of a frame is taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from numpy.typing import NDArray

from ioc.menus import DisableEnable, NoYes
from ioc.tables.roi import AUTOMATIC
from writer.preview.messages import Computed
from writer.preview.plugin import Handler, PluginRecords
from writer.preview.settings import Region

_FIELDS: Final = {
    "Min": "start",
    "Size": "size",
    "Bin": "bin",
    "Enable": "enabled",
    "AutoSize": "auto",
    "Reverse": "reverse",
}
_YES: Final = (DisableEnable.ENABLE, NoYes.YES)


class RoiRecords(PluginRecords):
    """A detector's region of interest."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.region = Region()
        axes = (f"{word}{axis}" for word in _FIELDS for axis in "XY")
        others = ("DataTypeOut", "EnableScale", "Scale", "CollapseDims")
        self._own: dict[str, Handler] = {name: partial(self._put_region, name) for name in (*axes, *others)}
        self._own["ArrayCallbacks"] = self._put_callbacks

    def handlers(self) -> dict[str, Handler]:
        """What is done for puts of the plugin's own records."""
        return self._own

    async def _put_region(self, name: str, value: Any) -> None:
        await self.device.settle(name, value)
        device, dtype = self.device, str(self.device["DataTypeOut"])
        before = {"X": self.region.x, "Y": self.region.y}
        axis, word = name[-1], name[:-1]
        if axis in before and word in _FIELDS:
            # Readbacks of a region are brought into the frame, so what was put is kept here.
            flag = word in ("Enable", "AutoSize", "Reverse")
            before[axis] = replace(before[axis], **{_FIELDS[word]: value in _YES if flag else value})
        self.region = Region(
            x=before["X"],
            y=before["Y"],
            scale=float(device["Scale"]) if device["EnableScale"] == DisableEnable.ENABLE else 1.0,
            dtype="" if dtype == AUTOMATIC else dtype.lower(),
            collapse=device["CollapseDims"] == DisableEnable.ENABLE,
        )
        self.changed()

    async def _put_callbacks(self, value: str) -> None:
        await self.device.settle("ArrayCallbacks", value)
        self.set(hands_on=value == DisableEnable.ENABLE)

    async def own(self, head: Computed, _arrays: Mapping[str, NDArray[Any]], /) -> None:
        """Show what was taken of a frame."""
        await self.give({f"{name}_RBV": value for name, value in head.values.items()}, head.arrival)
        for axis in "XY":
            size = int(head.values[f"MaxSize{axis}"])
            if self.device[f"Max{axis}"] != size:
                await self.device.post(f"Max{axis}", size)
                for word in ("Min", "Size"):
                    await self.device.set_metadata(f"{word}{axis}", low=0, high=size)
