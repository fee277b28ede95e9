"""What the writer shows in a detector's file records (``HDF1:``).

Counters go up to the last frame; both edges of Capture_RBV are posted whatever happens in between.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from ioc.array_values import plane
from ioc.menus import Capture, Capturing, DataType, FileWriteMode, NoYes, OffOn, WriteStatus
from ioc.records import Severity
from ioc.server import Device
from layouts.beamline_storage import Storage
from layouts.raw import names
from layouts.stream.messages import Codec
from writer import control
from writer.arrivals import Arrivals
from writer.call_view import CallView
from writer.frame_file import EPICS_EPOCH
from writer.reports import FrameReport
from writer.slow_calls import limits_of

_TYPES: Final = {"uint8": DataType.UINT8, "uint16": DataType.UINT16, "uint32": DataType.UINT32}
_BITS: Final = {"uint8": 8, "uint16": 16, "uint32": 32}
_CODECS: Final = {Codec.NONE: "", Codec.LZ4: "lz4", Codec.BSLZ4: "bslz4"}
_NS: Final = 1_000_000_000


class HdfView:
    """Shows captures and the stream in a detector's file records.

    Args:
        device: The records.
        detector: Whose they are.
        storage: Says how long calls of the disk may take.
    """

    def __init__(self, device: Device, detector: str, storage: Storage) -> None:
        self.device = device
        self.detector = detector
        self.status: control.Status | None = None
        """The worker's latest."""
        self.is_there = False
        """Whether the worker is, and speaks."""
        self._calls = CallView(device, detector, limits_of(storage))
        self._arrivals = Arrivals()
        self._idle = 0
        """Frames that nobody wanted before the present capture."""
        self._has_queue = False
        """Whether QueueSize is what a client has asked for, or what the worker has said."""
        self._lost = 0
        self._lost_before = 0
        """Frames lost in captures before the present one, since a client last set the count."""

    # ------------------------------------------------------------ a capture

    async def accept(self, full_name: Path, *, count: bool) -> None:
        """Show that a capture has been accepted: names and counters, before any frame."""
        held = names.is_held(full_name.name)
        if count and not held:
            await self.count_up()
        await self.device.post_changed({"MasterFile_RBV": ""})
        await self.device.post("FullFileName_RBV", "" if held else str(full_name))
        self._lost_before, self._lost = self._lost_before + self._lost, 0
        await self.show_counters(control.Counters(), 0)
        await self.device.post_changed({"SWMRCbCounter_RBV": 0})
        await self.show_ok()

    async def count_up(self) -> None:
        """A file name was made: the next one has the next number, if it is to have."""
        if self.device["AutoIncrement"] == NoYes.YES:
            await self.device.settle("FileNumber", int(self.device["FileNumber"]) + 1)

    async def show_ok(self) -> None:
        """No error."""
        await self.device.post("WriteStatus", WriteStatus.OK, severity=Severity.NONE)
        await self.device.post_changed({"WriteMessage": ""})

    async def show_error(self, message: str) -> None:
        """An error of writing, with its reason."""
        await self.device.post("WriteMessage", message)
        await self.device.post("WriteStatus", WriteStatus.ERROR, severity=Severity.MAJOR)

    async def show_doubt(self, message: str) -> None:
        """A capture goes on, but not all is as its client may think."""
        await self.device.post("WriteMessage", message)

    @property
    def stores_attributes(self) -> bool:
        """Whether NDAttributes are to be stored at all."""
        return bool(self.device["StoreAttr"] == NoYes.YES)

    async def show_open(self) -> None:
        """The worker is live, its files open."""
        device = self.device
        await device.post_changed({"Capture": Capture.CAPTURE})
        if device["FileWriteMode"] != FileWriteMode.CAPTURE:
            await device.post_changed({"WriteFile_RBV": "Writing"})
        if device["SWMRMode"] == OffOn.ON:
            await device.post("SWMRActive_RBV", "Active")
        await device.post("Capture_RBV", Capturing.CAPTURING)

    async def show_counters(self, counters: control.Counters, captured: int) -> None:
        """Where the capture is."""
        self._lost = counters.missing + counters.failed
        dropped = self._lost_before + self._lost
        await self.device.post_changed(
            {
                "NumReceived_RBV": counters.received,
                "NumUnwanted_RBV": counters.unwanted,
                "NumExpected_RBV": counters.expected,
                "NumStored_RBV": counters.stored,
                "NumMissing_RBV": counters.missing,
                "NumDuplicate_RBV": counters.duplicate,
                "NumForeign_RBV": counters.foreign,
                "NumFailed_RBV": counters.failed,
                "DroppedArrays": dropped,
                "DroppedArrays_RBV": dropped,
                "NumCaptured_RBV": captured,
            }
        )

    async def show_status(self, status: control.Status) -> None:
        """What only a worker's Status says of a capture: among it the frames that came since."""
        idle = status.totals.unwanted - status.counters.unwanted
        if status.capture is not None or idle < self._idle:
            self._idle = idle
        await self.device.post_changed(
            {
                "NumReceived_RBV": status.counters.received + idle - self._idle,
                "NumUnwanted_RBV": status.counters.unwanted + idle - self._idle,
                "SWMRCbCounter_RBV": status.flushes,
            }
        )
        if status.series is not None:
            await self.device.post_changed({"SeriesId_RBV": status.series})

    async def show_end(self, error: str, master: str, duration: float, stored_bytes: int) -> None:
        """The capture is over: both edges are posted, whatever happened before."""
        device = self.device
        await device.post_changed(
            {
                "RunTime": duration,
                "IOSpeed": 8 * stored_bytes / 1e6 / max(duration, 1e-3),
                "MasterFile_RBV": master,
                "SWMRActive_RBV": "Off",
                "WriteFile_RBV": "Done",
            }
        )
        if error:
            await self.show_error(error)
        await device.post("Capture_RBV", Capturing.DONE)
        await device.post("Capture", Capture.DONE)

    # ------------------------------------------------------------ the stream

    async def show_stream(self, status: control.Status) -> None:
        """What a Status says of the stream, whether or not a capture is open."""
        self._arrivals.reported(status.totals.received - status.passed, time.monotonic())
        count = self._arrivals.count
        values: dict[str, object] = {"ArrayCounter": count, "ArrayCounter_RBV": count}
        values |= {"ArrayRate_RBV": self._arrivals.rate, "ExecutionTime_RBV": status.execution}
        if status.latest is not None:
            values |= _of_frame(status.latest)
        await self.device.post_changed(values)
        await self._show_queue(status)
        await self._calls.show(status)
        self.status = status

    async def _show_queue(self, status: control.Status) -> None:
        if not status.queue:
            return
        used, size = status.backlog, status.queue
        if not self._has_queue:
            await self.set_queue(size)
        severity = Severity.NONE if used < 0.75 * size else Severity.MINOR if used < size else Severity.MAJOR
        if self.device["QueueUse"] != used:
            await self.device.post("QueueUse", used, severity=severity)
        await self.device.post_changed({"QueueFree": max(0, size - used)})

    async def show_format(self, shape: tuple[int, int], dtype: str) -> None:
        """Size and type of the frames to come."""
        slow, fast = shape
        await self.device.post_changed(plane(fast, slow, _BITS[dtype]))
        for name in ("DataType", "DataType_RBV"):
            await self.device.post_changed({name: _TYPES[dtype]})

    async def show_worker(self, *, there: bool) -> None:
        """Whether the worker is there."""
        self.is_there = there
        severity = Severity.NONE if there else Severity.MAJOR
        await self.device.post("Connected_RBV", NoYes.YES if there else NoYes.NO, severity=severity)

    # ------------------------------------------------------------ counters that clients set

    async def set_arrays(self, value: int) -> None:
        """ArrayCounter goes on from here."""
        self._arrivals.count = value
        await self.device.settle("ArrayCounter", value)

    async def set_queue(self, frames: int) -> None:
        """QueueSize is this, and its warnings follow."""
        self._has_queue = True
        await self.device.settle("QueueSize", frames)
        await self.device.post_changed(
            {"QueueFreeLow": 0.25 * frames, "QueueUseHIGH": 0.75 * frames, "QueueUseHIHI": frames}
        )

    async def set_dropped(self, value: int) -> None:
        """DroppedArrays goes on from here."""
        self._lost_before = value - self._lost
        await self.device.settle("DroppedArrays", value)


def _of_frame(frame: FrameReport) -> dict[str, object]:
    nanoseconds = round(frame.arrival * _NS)
    return {
        "TimeStamp_RBV": frame.arrival - EPICS_EPOCH,
        "EpicsTSSec_RBV": nanoseconds // _NS - EPICS_EPOCH,
        "EpicsTSNsec_RBV": nanoseconds % _NS,
        "CompressedSize_RBV": frame.size,
        "Codec_RBV": _CODECS[frame.codec],
        "UniqueId_RBV": frame.frame,
    }
