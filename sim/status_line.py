"""StatusMessage_RBV of a camera: what it does, and over it what it has just refused.

A refusal stays to be read until the next put that is taken; then the line says again what the camera does.
"""

from __future__ import annotations

from ioc.records import Severity
from ioc.server import Device

RECORD = "StatusMessage_RBV"


class StatusLine:
    """The line of one camera."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._doing = ("", Severity.NONE)
        self._covered = False

    async def say(self, message: str, severity: Severity = Severity.NONE) -> None:
        """Tell what the camera does, or what went wrong."""
        self._doing, self._covered = (message, severity), False
        await self._device.post(RECORD, message, severity=severity)

    async def note(self, message: str) -> None:
        """Tell what became of a put that was not taken, or not as it came."""
        self._covered = True
        await self._device.post(RECORD, message, severity=Severity.MINOR)

    async def settle(self) -> None:
        """A put was taken as it came: an older note goes."""
        if self._covered:
            await self.say(*self._doing)
