"""What went wrong with the writer itself, until somebody clears it: write errors, workers that were lost.

A fault of one capture is no reason to refuse the next: clients of areaDetector capture again when the disk
has room. A beamline that wants somebody to look first says so with ``refuse_after_fault``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from ioc.records import Severity
from ioc.server import Device
from writer.orders import RefusedError

_log = logging.getLogger(__name__)


class Faults:
    """The latest fault of each detector's writer.

    Args:
        refuse: Whether nothing begins before a fault is cleared.
    """

    def __init__(self, *, refuse: bool) -> None:
        self._refuse = refuse
        self._faults: dict[str, str] = {}
        self._views: list[tuple[Device, tuple[str, ...]]] = []

    def show_at(self, device: Device, detectors: Iterable[str]) -> None:
        """Have faults of these detectors shown in ``Fault_RBV`` of some records."""
        self._views.append((device, tuple(detectors)))

    async def note(self, detector: str, why: str) -> None:
        """Something went wrong."""
        _log.error("%s: %s", detector, why)
        self._faults[detector] = why
        await self._show()

    async def clear(self, *detectors: str) -> None:
        """Forget what went wrong with these."""
        for detector in detectors:
            if self._faults.pop(detector, None) is not None:
                _log.info("%s: its fault was cleared", detector)
        await self._show()

    async def put(self, device: Device, detectors: Iterable[str], value: str) -> None:
        """A put of ``ClearFault`` among some records."""
        if value != "Done":
            await self.clear(*detectors)
            await device.post("ClearFault", "Done")

    def check(self, detectors: Iterable[str]) -> None:
        """Refuse to begin, where the beamline is strict.

        Raises:
            RefusedError: A fault was not cleared.
        """
        for detector in detectors if self._refuse else ():
            if detector in self._faults:
                raise RefusedError(
                    f"{detector}: a fault was not cleared ({self._faults[detector]}); put 1 to ClearFault "
                    "when it is mended, or set refuse_after_fault to false in [storage]"
                )

    async def _show(self) -> None:
        for device, detectors in self._views:
            several = len(detectors) > 1
            found = [(name, self._faults[name]) for name in detectors if name in self._faults]
            text = "; ".join(f"{name}: {why}" if several else why for name, why in found)
            if device["Fault_RBV"] != text:
                await device.post("Fault_RBV", text, severity=Severity.MAJOR if text else Severity.NONE)
