"""The records that every preview plugin has: what is put to them, and what they show of a frame.

What belongs to one frame is shown together, values first and ArrayCounter_RBV last: a client that waits for
the counter reads the values of the frame it was told of.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ioc.menus import DataType, DisableEnable
from ioc.records import Kind, PutError, PvClass, Record
from ioc.server import Server
from writer.preview.messages import Computed
from writer.preview.settings import Plugin

Handler = Callable[[Any], Awaitable[None]]

EPICS_EPOCH: Final = 631152000
"""Seconds from 1970 to 1990."""
_REMEMBERED: Final = 100
_TYPES: Final = {kind.value.lower(): kind for kind in DataType}


class PluginRecords:
    """One plugin's records.

    Args:
        server: Serves them.
        prefix: What they begin with.
        table: What they are.
        ports: Ports whose frames it may take, and what the computation calls them.
        changed: Called when what is to be computed has changed.
    """

    def __init__(
        self,
        server: Server,
        prefix: str,
        table: tuple[Record, ...],
        ports: Mapping[str, str],
        changed: Callable[[], None],
    ) -> None:
        self.device = server.device(prefix, table, self._put)
        self.changed = changed
        self._ports = ports
        self.plugin = Plugin(interval=float(self.device["MinCallbackTime"]))
        self.shown: tuple[int, int] | None = None
        """Series and number of the frame that is shown."""
        self._over: deque[int] = deque(maxlen=_REMEMBERED)
        """Series that were shown before that one."""
        self._skipped = (0, 0)
        """Frames passed over in all, and how many of them when the counter was set."""
        self._rate = (time.monotonic(), 0)
        self._has_frame = False
        """Whether a frame has been taken since frames were last enabled: what ProcessPlugin takes again."""
        self._handlers: dict[str, Handler] = {
            "EnableCallbacks": self._put_enable,
            "PreAllocBuffers": self._put_buffers,
            "NDArrayPort": self._put_port,
            "NDArrayAddress": self._put_address,
            "MinCallbackTime": self._put_interval,
            "MaxArrayRate": self._put_rate,
            "MaxByteRate": self._put_byte_rate,
            "ProcessPlugin": self._put_process,
            "ArrayCounter": self._put_counter,
            "QueueSize": self._put_queue,
        }

    async def boot(self) -> None:
        """Values that follow from settings."""
        await self._put_interval(self.plugin.interval)

    # ------------------------------------------------------------ what clients put

    def handlers(self) -> dict[str, Handler]:
        """What is done for puts of the plugin's own records."""
        return {}

    async def _put(self, name: str, value: Any) -> None:
        handler = self.handlers().get(name) or self._handlers.get(name)
        if handler is not None:
            await handler(value)
        elif self.device.records[name].pv_class is not PvClass.ECHOES:
            await self.device.settle(name, value)

    def set(self, **changes: Any) -> None:
        """Have the frames taken otherwise."""
        self.plugin = replace(self.plugin, **changes)
        self.changed()

    async def _put_enable(self, value: str) -> None:
        await self.device.settle("EnableCallbacks", value)
        self._has_frame = self._has_frame and value == DisableEnable.ENABLE
        self.set(enabled=value == DisableEnable.ENABLE)

    async def _put_buffers(self, _value: str) -> None:
        # There is no pool, so nothing is to be allocated; who waits for it is told at once.
        await self.device.post("PreAllocBuffers", "Done")

    async def _put_port(self, value: str) -> None:
        if value not in self._ports:
            raise PutError(
                f"NDArrayPort: no port {value!r} has frames here; right is {' or '.join(self._ports)}"
            )
        await self.device.settle("NDArrayPort", value)
        self.set(source=self._ports[value])

    async def _put_address(self, value: int) -> None:
        if value != 0:
            raise PutError(f"NDArrayAddress {value}: a detector's port has one address, 0")
        await self.device.settle("NDArrayAddress", value)

    async def _put_interval(self, value: float) -> None:
        await self.device.settle("MinCallbackTime", value)
        await self.device.post("MaxArrayRate_RBV", 1.0 / value if value > 0 else 0.0)
        self.set(interval=value)

    async def _put_rate(self, value: float) -> None:
        if value < 0:
            raise PutError(f"MaxArrayRate {value:g}: 0 is no limit, else frames per second")
        await self._put_interval(1.0 / value if value else 0.0)

    async def _put_byte_rate(self, value: float) -> None:
        await self.device.settle("MaxByteRate", value)
        self.set(rate=max(0.0, value))

    async def _put_process(self, _value: str) -> None:
        if self._has_frame:
            self.set(again=self.plugin.again + 1)
        await self.device.post("ProcessPlugin", "Done")

    async def _put_counter(self, value: int) -> None:
        self._skipped = (self._skipped[0], self._skipped[0])
        await self.device.settle("ArrayCounter", value)
        await self.device.post("NumSkipped_RBV", 0)

    async def _put_queue(self, value: int) -> None:
        of_it = {"QueueFree": value, "QueueFreeLow": value * 0.25}
        await self.device.settle("QueueSize", value)
        await self.device.post_all(of_it | {"QueueUseHIGH": value * 0.75, "QueueUseHIHI": value})

    # ------------------------------------------------------------ what a frame shows

    async def show(self, head: Computed, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Show what was made of a frame."""
        self._has_frame = self.plugin.enabled
        self._skipped = (head.skipped, self._skipped[1])
        await self.own(head, arrays)
        await self.give(self._about(head), head.arrival)
        await self._show_rate()
        self._now_shown(head.series, head.number)
        counter = int(self.device["ArrayCounter_RBV"]) + 1
        await self.device.post("UniqueId_RBV", head.number, timestamp=head.arrival)
        await self.device.post("ArrayCounter", counter, timestamp=head.arrival)
        await self.device.post("ArrayCounter_RBV", counter, timestamp=head.arrival)

    async def own(self, head: Computed, arrays: Mapping[str, NDArray[Any]], /) -> None:
        """Show what only this plugin makes."""

    async def show_damaged(self, series: int, number: int) -> None:
        """A frame could not be computed."""
        self._now_shown(series, number)
        await self.device.settle("DroppedArrays", int(self.device["DroppedArrays_RBV"]) + 1)

    def shows(self, series: int, number: int) -> bool:
        """Whether a frame is shown, or was, or one after it."""
        if self.shown is None:
            return False
        return series in self._over or (self.shown[0] == series and self.shown[1] >= number)

    def _now_shown(self, series: int, number: int) -> None:
        if self.shown is not None and self.shown[0] != series:
            self._over.append(self.shown[0])
            while series in self._over:  # a detector that was started anew counts from 1 again
                self._over.remove(series)
        self.shown = series, number

    async def show_idle(self) -> None:
        """Time has passed: the rate goes down though no frame comes."""
        await self._show_rate()

    async def give(self, values: Mapping[str, Any], arrival: float) -> None:
        """Give records their values, leaving out those that have them already.

        Args:
            values: By record; whole numbers may come as floats.
            arrival: Time of the frame, s since 1970.
        """
        for name, value in values.items():
            kind = self.device.records[name].kind
            is_array = kind in (Kind.LONGS, Kind.DOUBLES)
            said = int(value) if kind is Kind.LONG else value
            if is_array or self.device[name] != said:
                await self.device.post(name, said, timestamp=arrival)

    def _about(self, head: Computed) -> dict[str, Any]:
        dtype = np.dtype(head.dtype)
        seconds = head.arrival - EPICS_EPOCH
        return {
            **self._sizes(head, dtype.itemsize),
            "DataType": _TYPES[dtype.name],
            "DataType_RBV": _TYPES[dtype.name],
            "NumSkipped_RBV": head.skipped - self._skipped[1],
            "ExecutionTime_RBV": head.took * 1e3,
            "TimeStamp_RBV": seconds,
            "EpicsTSSec_RBV": int(seconds),
            "EpicsTSNsec_RBV": int(seconds % 1.0 * 1e9),
        }

    def _sizes(self, head: Computed, pixel: int) -> dict[str, Any]:
        slow, fast = head.shape
        sizes: dict[str, Any] = {"ArraySize_RBV": fast * slow * pixel}
        lengths = (fast, 0) if head.is_row else (fast, slow)
        if (self.device["ArraySize0_RBV"], self.device["ArraySize1_RBV"]) == lengths:
            return sizes
        sizes |= dict(zip(("ArraySizeX_RBV", "ArraySizeY_RBV"), lengths, strict=True))
        sizes |= dict.fromkeys(_both("NDimensions"), 1 if head.is_row else 2)
        sizes |= {name: [*lengths, *[0] * 8] for name in _both("Dimensions")}
        for axis, size in enumerate(lengths):
            sizes |= dict.fromkeys(_both(f"ArraySize{axis}"), size)
            array = self.device.records[f"Dim{axis}SA"].kind is Kind.LONGS
            sizes |= dict.fromkeys(_both(f"Dim{axis}SA"), [size] if array else size)
        return sizes

    async def _show_rate(self) -> None:
        now, (then, before) = time.monotonic(), self._rate
        counter = int(self.device["ArrayCounter_RBV"])
        if now - then >= 1.0 or counter < before:
            rate = max(0.0, (counter - before) / max(now - then, 1e-3))
            self._rate = (now, counter)
            await self.device.post_changed({"ArrayRate_RBV": rate})


def _both(name: str) -> tuple[str, str]:
    return name, f"{name}_RBV"
