"""A camera's shutter records: who is told to move, and when it is there.

Mirrors ADDriver::setShutter. In mode None nothing moves; a shutter behind EPICS PV is told by
ShutterControlEPICS; the detector's output needs no telling. ShutterStatus follows when the delay is over.
"""

from __future__ import annotations

import asyncio
from typing import Any

from ioc.menus import ShutterMode
from ioc.records import Severity
from ioc.server import Device


def told(mode: ShutterMode, *, to_open: bool) -> dict[str, Any]:
    """What changes at once when the shutter is to move."""
    if mode is not ShutterMode.EPICS_PV:
        return {}
    return {
        "ShutterControlEPICS": "Open" if to_open else "Closed",
        "ShutterOpenEPICS": float(to_open),
        "ShutterCloseEPICS": float(to_open),
    }


def arrived(mode: ShutterMode, *, is_open: bool) -> dict[str, str]:
    """What changes when it is there."""
    where = "Open" if is_open else "Closed"
    match mode:
        case ShutterMode.NONE:
            return {}
        case ShutterMode.EPICS_PV:
            return {"ShutterStatusEPICS_RBV": where, "ShutterStatus_RBV": where}
        case ShutterMode.DETECTOR_OUTPUT:
            return {"ShutterStatus_RBV": where}


class Shutter:
    """The shutter of one camera."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._is_open = False

    async def move(self, *, to_open: bool) -> None:
        """Open or close it; returns when it is there."""
        mode, self._is_open = ShutterMode(self._device["ShutterMode"]), to_open
        await self._device.settle("ShutterControl", "Open" if to_open else "Close")
        for name, value in told(mode, to_open=to_open).items():
            await self._device.post(name, value)
        if mode is not ShutterMode.NONE:
            await asyncio.sleep(
                max(0.0, float(self._device[f"Shutter{'Open' if to_open else 'Close'}Delay"]))
            )
        severity = Severity.MINOR if to_open else Severity.NONE
        for name, value in arrived(mode, is_open=to_open).items():
            await self._device.post(name, value, severity=severity)

    async def expose(self, *, to_open: bool) -> None:
        """The same for a trigger: nothing at all where there is no shutter, or where it is there already."""
        if self._device["ShutterMode"] != ShutterMode.NONE and to_open != self._is_open:
            await self.move(to_open=to_open)
