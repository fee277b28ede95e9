"""What the writer shows of its calls of the disk in a detector's records: durations, and what was slow."""

from __future__ import annotations

import logging
from typing import Final

from ioc.records import Severity
from ioc.server import Device
from ioc.tables.hdf import CALLS
from writer import control
from writer.slow_calls import slow_calls

_log = logging.getLogger(__name__)

_REMEDY: Final = "is the disk busy, full, or behind a slow network?"


class CallView:
    """Shows durations, and warns once a capture of each kind of call that is over its limit.

    Args:
        device: The file records.
        detector: Whose they are, for the log.
        limits: Milliseconds, by kind of call.
    """

    def __init__(self, device: Device, detector: str, limits: dict[str, float]) -> None:
        self._device, self._detector, self._limits = device, detector, limits
        self._capture: str | None = None
        self._slow: dict[str, str] = {}

    async def show(self, status: control.Status) -> None:
        """What a Status says of the capture under way, or of the last one."""
        values: dict[str, object] = {
            "NumLate_RBV": status.counters.late,
            "StoredBytes_RBV": float(status.counters.bytes),
            "BacklogBytes_RBV": float(status.backlog_bytes),
        }
        for call, name in CALLS.items():
            timing = getattr(status.timings, call)
            values[f"{name}Count_RBV"] = timing.count
            values[f"{name}Last_RBV"] = 1e3 * timing.last
            values[f"{name}Max_RBV"] = 1e3 * timing.longest
            values[f"{name}Mean_RBV"] = 1e3 * timing.mean
        await self._device.post_changed(values)
        if self._limits:
            await self._judge(status)

    async def _judge(self, status: control.Status) -> None:
        if status.capture is not None and status.capture != self._capture:
            self._capture, self._slow = status.capture, {}
        for call, sentence in slow_calls(self._limits, status).items():
            if call not in self._slow:
                self._slow[call] = sentence
                _log.warning("%s: %s; %s", self._detector, sentence, _REMEDY)
        text = "; ".join([*self._slow.values(), _REMEDY] if self._slow else [])
        if self._device["SlowCalls_RBV"] != text:
            severity = Severity.MINOR if text else Severity.NONE
            await self._device.post("SlowCalls_RBV", text, severity=severity)
