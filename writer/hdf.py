"""The file records of one detector (``HDF1:``): what a client's puts mean, and what the writer shows there.

To clients this is areaDetector's NDFileHDF5. A put of Capture completes when its files are closed and the
master stands; NumCaptured_RBV counts frames that can be read.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

from ioc import names
from ioc.array_values import plane
from ioc.menus import Capture, Capturing, DataType, FileWriteMode, NoYes, WriteStatus
from ioc.records import PutError, Severity
from ioc.server import Server
from ioc.tables.hdf import hdf
from layouts.beamline import Beamline, Detector
from writer import control, filenames, paths
from writer.disk import LocalDisk, ask
from writer.orders import RefusedError, Wish
from writer.steps import Finish
from writer.views import Asker

_log = logging.getLogger(__name__)

_TYPES: Final = {"uint8": DataType.UINT8, "uint16": DataType.UINT16, "uint32": DataType.UINT32}
_BITS: Final = {"uint8": 8, "uint16": 16, "uint32": 32}


class Captures(Protocol):
    """What the coordinator does for a detector's file records."""

    async def capture(self, detector: str, asker: Asker) -> asyncio.Future[Finish]:
        """Begin a capture, or find the one under way; the future is its end."""
        ...

    async def stop_capture(self, detector: str) -> asyncio.Future[Finish] | None:
        """End the capture under way; the future is its end."""
        ...


class HdfDevice:
    """One detector's file records.

    Args:
        server: Serves them.
        beamline: The description.
        detector: Whose.
        captures: Does what is asked for.
    """

    def __init__(self, server: Server, beamline: Beamline, detector: Detector, captures: Captures) -> None:
        self.detector = detector.name
        self._captures = captures
        self._flush = beamline.storage.flush_interval
        prefix = names.hdf(beamline.prefix, detector.pv, beamline.preset)
        table = hdf(f"{detector.name}.HDF", detector.name)
        self.device = server.device(prefix, table, self._put)
        self._handlers: dict[str, Callable[[Any], Awaitable[None]]] = {
            "Capture": self._put_capture,
            "FilePath": self._put_path,
            "CreateDirectory": self._put_depth,
            "FileTemplate": self._put_template,
            "WriteFile": self._not_offered,
            "ReadFile": self._not_offered,
            "FlushNow": self._put_flush,
        }
        self._rate = (time.monotonic(), 0)
        self._idle = 0
        """Frames that nobody wanted before the present capture."""

    async def boot(self, directory: Path, shape: tuple[int, int], dtype: str) -> None:
        """Values that let a newcomer's first capture work; the size is known before the first frame."""
        await self.device.post("FilePath", filenames.with_slash(str(directory)))
        await self.device.post("FileName", self.detector)
        await self._put_path(self.device["FilePath"])
        await self.device.settle("FileName", self.detector)
        await self.device.settle("FileNumber", await self._free_number())
        await self.show_format(shape, dtype)

    async def _free_number(self) -> int:
        template, path, name = (str(self.device[n]) for n in ("FileTemplate", "FilePath", "FileName"))

        def taken(number: int) -> bool:
            full = Path(filenames.full_name(template, path, name, number))
            return LocalDisk().exists(full) or LocalDisk().exists(full.with_suffix(".nxs"))

        return await ask(lambda: filenames.first_free(1, taken))

    # ------------------------------------------------------------ what clients put

    async def _put(self, name: str, value: Any) -> None:
        handler = self._handlers.get(name)
        if handler is not None:
            await handler(value)
        else:
            await self.device.settle(name, value)

    async def _put_capture(self, value: str) -> None:
        if value == Capture.DONE:
            ended = await self._captures.stop_capture(self.detector)
            if ended is not None:
                await asyncio.shield(ended)
            return
        try:
            ended = await self._captures.capture(self.detector, self)
        except RefusedError as error:
            _log.warning("%s: capture refused: %s", self.detector, error)
            await self.show_error(str(error))
            await self.device.post("Capture_RBV", Capturing.DONE)
            raise PutError(str(error)) from None
        finish = await asyncio.shield(ended)
        if finish.failed:
            raise PutError(finish.reason)

    async def _put_path(self, value: str) -> None:
        problem = await paths.settle(self.device, value)
        await (self.show_error(problem) if problem else self._show_no_problem())

    async def _show_no_problem(self) -> None:
        """A setting is right now; what a capture has to say is not covered by it."""
        if self.device["Capture_RBV"] == Capturing.DONE:
            await self.show_ok()

    async def _put_depth(self, value: int) -> None:
        await self.device.settle("CreateDirectory", value)
        await self._put_path(str(self.device["FilePath"]))

    async def _put_template(self, value: str) -> None:
        await self.device.settle("FileTemplate", value)
        try:
            filenames.full_name(value, "/", "name", 1)
        except filenames.FileNameError as error:
            # Clients restore an empty template and wait for it: it is shown, and refused when it is used.
            await self.show_error(str(error))
        else:
            await self._show_no_problem()

    async def _put_flush(self, _value: str) -> None:
        # Workers flush by time: what has arrived by now is readable one interval later.
        await asyncio.sleep(self._flush + control.STATUS_INTERVAL)
        await self.device.post("FlushNow", "Done")

    async def _not_offered(self, _value: str) -> None:
        text = "single frames are not written by request; set FileWriteMode to Stream and Capture to 1"
        await self.show_error(text)
        raise PutError(text)

    # ------------------------------------------------------------ what a capture needs

    async def request(self) -> Wish:
        """What the records ask for.

        Raises:
            RefusedError: They ask for something that cannot be done.
        """
        device = self.device
        if device["EnableCallbacks"] == "Disable":
            raise RefusedError("EnableCallbacks is Disable, so no frame would be taken; put Enable")
        if device["FileWriteMode"] != FileWriteMode.STREAM:
            raise RefusedError(
                f"FileWriteMode {device['FileWriteMode']} holds frames back; put Stream, which writes each "
                "frame as it comes"
            )
        await paths.require(device, str(device["FilePath"]))
        name, template = str(device["FileName"]), str(device["FileTemplate"])
        number = int(device["FileNumber"])
        try:
            full = filenames.full_name(template, str(device["FilePath"]), name, number)
        except filenames.FileNameError as error:
            raise RefusedError(str(error)) from None
        return Wish(
            full_name=paths.absolute(full),
            num_capture=int(device["NumCapture"]),
            lazy=device["LazyOpen"] == NoYes.YES,
        )

    async def accept(self, full_name: Path, *, count: bool) -> None:
        """Show that a capture has been accepted: names and counters, before any frame."""
        if count and self.device["AutoIncrement"] == NoYes.YES:
            await self.device.settle("FileNumber", int(self.device["FileNumber"]) + 1)
        await self.device.post_changed({"MasterFile_RBV": ""})
        await self.device.post("FullFileName_RBV", str(full_name))
        await self.show_counters(control.Counters(), 0)
        await self.show_ok()

    # ------------------------------------------------------------ what the writer shows

    async def show_ok(self) -> None:
        """No error."""
        await self.device.post("WriteStatus", WriteStatus.OK, severity=Severity.NONE)
        await self.device.post_changed({"WriteMessage": ""})

    async def show_error(self, message: str) -> None:
        """An error of writing, with its reason."""
        await self.device.post("WriteMessage", message)
        await self.device.post("WriteStatus", WriteStatus.ERROR, severity=Severity.MAJOR)

    async def show_format(self, shape: tuple[int, int], dtype: str) -> None:
        """Size and type of the frames to come."""
        slow, fast = shape
        await self.device.post_changed(plane(fast, slow, _BITS[dtype]))
        for name in ("DataType", "DataType_RBV"):
            await self.device.post_changed({name: _TYPES[dtype]})

    async def show_open(self) -> None:
        """The worker is live, its files open."""
        await self.device.post_changed({"Capture": Capture.CAPTURE})
        await self.device.post("SWMRActive_RBV", "Active")
        await self.device.post("Capture_RBV", Capturing.CAPTURING)

    async def show_counters(self, counters: control.Counters, captured: int) -> None:
        """Where the capture is."""
        now, (then, before) = time.monotonic(), self._rate
        if now - then >= 1.0 or counters.stored < before:
            rate = max(0.0, (counters.stored - before) / max(1e-3, now - then))
            self._rate = (now, counters.stored)
            await self.device.post_changed({"ArrayRate_RBV": rate})
        lost = counters.missing + counters.failed
        await self.device.post_changed(
            {
                "ArrayCounter": counters.stored,
                "ArrayCounter_RBV": counters.stored,
                "NumReceived_RBV": counters.received,
                "NumUnwanted_RBV": counters.unwanted,
                "NumExpected_RBV": counters.expected,
                "NumStored_RBV": counters.stored,
                "NumMissing_RBV": counters.missing,
                "NumDuplicate_RBV": counters.duplicate,
                "NumForeign_RBV": counters.foreign,
                "NumFailed_RBV": counters.failed,
                "DroppedArrays": lost,
                "DroppedArrays_RBV": lost,
                "NumCaptured_RBV": captured,
            }
        )

    async def show_status(self, status: control.Status) -> None:
        """What only a worker's Status says: among it the frames that came since the last capture."""
        idle = status.totals.unwanted - status.counters.unwanted
        if status.capture is not None or idle < self._idle:
            self._idle = idle
        await self.device.post_changed(
            {
                "NumReceived_RBV": status.counters.received + idle - self._idle,
                "NumUnwanted_RBV": status.counters.unwanted + idle - self._idle,
                "UniqueId_RBV": max(0, status.last_frame),
            }
        )
        if status.series is not None:
            await self.device.post_changed({"SeriesId_RBV": status.series})

    async def show_worker(self, *, there: bool) -> None:
        """Whether the worker is there."""
        severity = Severity.NONE if there else Severity.MAJOR
        await self.device.post("Connected_RBV", NoYes.YES if there else NoYes.NO, severity=severity)

    async def show_end(self, error: str, master: str, duration: float, stored_bytes: int) -> None:
        """The capture is over: both edges are posted, whatever happened before."""
        device = self.device
        await device.post_changed(
            {
                "RunTime": duration,
                "IOSpeed": stored_bytes / 1e6 / max(duration, 1e-3),
                "MasterFile_RBV": master,
                "SWMRActive_RBV": "Off",
            }
        )
        if error:
            await self.show_error(error)
        await device.post("Capture_RBV", Capturing.DONE)
        await device.post("Capture", Capture.DONE)
