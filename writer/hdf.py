"""The file records of one detector (``HDF1:``): what a client's puts mean; ``HdfView`` shows the rest.

To clients this is areaDetector's NDFileHDF5. A put of Capture completes when its files are closed and the
master stands, a put of WriteFile when the file is closed, a put of FlushNow when all that has come can be
read. What cannot be done is a put that fails, with the reason in WriteMessage.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

from ioc import names as pvs
from ioc.menus import Capture, Capturing, FileWriteMode, NoYes
from ioc.records import PutError
from ioc.server import Server
from ioc.tables.hdf import hdf
from layouts.beamline import Beamline, Detector
from layouts.raw import names
from writer import control, filenames, hdf_grid, hdf_settings, paths
from writer.attribute_records import judge
from writer.attribute_sources import feeds
from writer.disk import LocalDisk, ask, make_directories
from writer.faults import Faults
from writer.file_requests import FileRequests
from writer.hdf_view import HdfView
from writer.held import Held
from writer.orders import RefusedError, Wish
from writer.requests import Enable, Singles
from writer.steps import Finish
from writer.views import Asker

_log = logging.getLogger(__name__)

_OF_SINGLES: Final = (
    *("FilePath", "FileName", "FileNumber", "FileTemplate", "CreateDirectory", "TempSuffix"),
    *("AutoIncrement", "AutoSave", "FileWriteMode"),
)
"""Settings that say whether, and under which names, each frame gets a file of its own."""


class Captures(Protocol):
    """What the coordinator does for a detector's file records."""

    async def capture(self, detector: str, asker: Asker) -> asyncio.Future[Finish]:
        """Begin a capture, or find the one under way; the future is its end."""
        ...

    async def stop_capture(self, detector: str) -> asyncio.Future[Finish] | None:
        """End the capture under way; the future is its end."""
        ...


async def put_capture(captures: Captures, detector: str, asker: Asker, value: str) -> None:
    """Begin or end a capture as a put of ``Capture`` asks, and return when it has ended.

    Raises:
        RefusedError: It cannot begin.
        PutError: It has failed; says why.
    """
    if value == Capture.DONE:
        ended = await captures.stop_capture(detector)
        if ended is not None:
            await asyncio.shield(ended)
        return
    ended = await captures.capture(detector, asker)
    finish = await asyncio.shield(ended)
    if finish.failed:
        raise PutError(finish.reason)


class HdfDevice(HdfView):
    """One detector's file records.

    Args:
        server: Serves them.
        beamline: The description.
        detector: Whose.
        captures: Does what is asked for.
        requests: Asks the worker for what is no capture.
        held: Has the frames that Capture mode holds.
        faults: Keeps what went wrong.
    """

    def __init__(
        self,
        server: Server,
        beamline: Beamline,
        detector: Detector,
        captures: Captures,
        *,
        requests: FileRequests,
        held: Held,
        faults: Faults,
    ) -> None:
        self._captures, self._requests, self._held = captures, requests, held
        self._compression = detector.stream.compression
        self._storage = beamline.storage
        prefix = pvs.hdf(beamline.prefix, detector.pv, beamline.preset)
        table = hdf(f"{detector.name}.HDF", detector.name)
        super().__init__(server.device(prefix, table, self._put), detector.name, beamline.storage)
        faults.show_at(self.device, [self.detector])
        self._handlers: dict[str, Callable[[Any], Awaitable[None]]] = {
            "Capture": self._put_capture,
            "FilePath": self._put_path,
            "CreateDirectory": self._put_depth,
            "FileTemplate": self._put_template,
            "WriteFile": self._put_write,
            "ReadFile": self._put_read,
            "FreeCapture": self._put_free,
            "FlushNow": self._put_flush,
            "ClearFault": functools.partial(faults.put, self.device, [self.detector]),
            "PreAllocBuffers": self._put_buffers,
            "EnableCallbacks": self._put_enable,
            "QueueSize": self._put_queue,
            "NDAttributesFile": self._put_attributes,
            "NDAttributesMacros": self._put_macros,
            "XMLFileName": self._put_layout,
            "ArrayCounter": self.set_arrays,
            "DroppedArrays": self.set_dropped,
        }
        self._handlers |= {
            name: functools.partial(hdf_grid.put, self.device, name) for name in hdf_grid.RECORDS
        }
        self._feed = feeds(beamline)[detector.name][-1]
        self._revisions = itertools.count(1)
        self._singles = Singles(revision=0, on=False)
        self._trouble = ""
        """What was said last of one of several storers."""
        self._written = 0

    async def boot(self, directory: Path, shape: tuple[int, int], dtype: str) -> None:
        """Values that let a newcomer's first capture work; the size is known before the first frame."""
        await self.device.post("FilePath", filenames.with_slash(str(directory)))
        await self.device.post("FileName", self.detector)
        await self._put_path(self.device["FilePath"])
        await self.device.settle("FileName", self.detector)
        await self.device.settle("FileNumber", await self._free_number())
        await self.device.post("Compression", {"none": "None", "lz4": "LZ4"}.get(self._compression, "BSLZ4"))
        if all(shape):
            await self.show_format(shape, dtype)

    async def _free_number(self) -> int:
        template, path, name = (str(self.device[n]) for n in ("FileTemplate", "FilePath", "FileName"))

        def taken(number: int) -> bool:
            full = Path(filenames.full_name(template, path, name, number))
            return LocalDisk().exists(full) or LocalDisk().exists(full.with_suffix(".nxs"))

        return await ask(lambda: filenames.first_free(1, taken))

    def greet(self) -> None:
        """A worker is there that knows nothing of these records yet."""
        self._requests.tell(self.detector, Enable(enabled=self.device["EnableCallbacks"] == "Enable"))
        self._requests.tell(self.detector, self._singles)

    # ------------------------------------------------------------ what clients put

    async def _put(self, name: str, value: Any) -> None:
        handler = self._handlers.get(name)
        try:
            hdf_settings.check(name, value, str(self.device["NDArrayPort_RBV"]))
            if handler is not None:
                await handler(value)
            else:
                await self.device.settle(name, value)
        except RefusedError as error:
            _log.warning("%s: %s: %s", self.detector, name, error)
            await self.show_error(str(error))
            raise PutError(str(error)) from None
        except PutError as error:
            if name != "Capture":  # how a capture has ended is shown with its end
                await self.show_error(str(error))
            raise
        if name in _OF_SINGLES:
            await self._order_singles()

    async def _put_capture(self, value: str) -> None:
        try:
            await put_capture(self._captures, self.detector, self, value)
        except RefusedError:
            await self.device.post("Capture_RBV", Capturing.DONE)
            raise

    async def _put_path(self, value: str) -> None:
        problem = await paths.settle(self.device, value, self._storage)
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

    async def _put_flush(self, value: str) -> None:
        if value != "Done":
            await self._requests.flush(self.detector)
            await self.device.post("FlushNow", "Done")

    async def _put_enable(self, value: str) -> None:
        await self._requests.have_told(self.detector, Enable(enabled=value == "Enable"))
        await self.device.settle("EnableCallbacks", value)

    async def _put_buffers(self, _value: str) -> None:
        # The workers have no pool, so nothing is to be allocated; who waits for it is told at once.
        await self.device.post("PreAllocBuffers", "Done")

    async def _put_queue(self, value: int) -> None:
        self._requests.queue(self.detector, value)
        await self.set_queue(value)

    async def _put_attributes(self, value: str) -> None:
        macros = str(self.device["NDAttributesMacros"])
        await judge(self.device, self._feed, file=value, macros=macros)
        await self._show_no_problem()

    async def _put_macros(self, value: str) -> None:
        file = str(self.device["NDAttributesFile"])
        await judge(self.device, self._feed, file=file, macros=value)
        await self._show_no_problem()

    async def _put_layout(self, value: str) -> None:
        valid, message = await ask(lambda: hdf_settings.layout(value))
        await self.device.post_changed({"XMLErrorMsg_RBV": message})
        await self.device.post_changed({"XMLValid_RBV": NoYes.YES if valid else NoYes.NO})
        await self.device.settle("XMLFileName", value)

    # ------------------------------------------------------------ single frames, and those that are held

    async def _put_write(self, value: str) -> None:
        if value == "Done":
            return
        await self.device.post("WriteFile_RBV", "Writing")
        try:
            await self._write()
            await self.show_ok()
        finally:
            await self.device.post("WriteFile_RBV", "Done")
        await self.device.post("WriteFile", "Done")

    async def _write(self) -> None:
        mode = self.device["FileWriteMode"]
        if mode == FileWriteMode.STREAM:
            raise RefusedError(
                "in Stream mode Capture writes each frame as it comes; put Single to FileWriteMode for the "
                "latest frame, or Capture for frames that are held"
            )
        if self.device["Capture_RBV"] != Capturing.DONE:
            raise RefusedError("a capture is under way; wait for its end, or put 0 to Capture")
        path = await self._next_name()
        if mode == FileWriteMode.CAPTURE:
            await self.device.post_changed({"MasterFile_RBV": await self._held.write(self.detector, path)})
            return
        await self._requests.write_frame(self.detector, path, str(self.device["TempSuffix"]))
        await self.device.post("NumCaptured_RBV", 1)

    async def _put_read(self, value: str) -> None:
        if value != "Done":
            raise RefusedError("files are not read back; open FullFileName_RBV instead")

    async def _put_free(self, value: str) -> None:
        if value != "Done":
            await self._held.free(self.detector)
            await self.device.post("NumCaptured_RBV", 0)
            await self.device.post("FreeCapture", "Done")

    async def held_name(self) -> Path | None:
        """Capture mode's capture has ended: the name of its file if it is to be written at once."""
        return await self._next_name() if self.device["AutoSave"] == NoYes.YES else None

    async def held_written(self) -> None:
        """The frames that Capture mode held are in their file."""
        await self.device.post("NumCaptured_RBV", 0)

    async def _next_name(self) -> Path:
        path = await self._full_name()
        await self.count_up()
        await self.device.post("FullFileName_RBV", str(path))
        return path

    async def _order_singles(self) -> None:
        """Tell the worker whether each frame is to have a file of its own, and how they are named."""
        device = self.device
        on = device["FileWriteMode"] == FileWriteMode.SINGLE and device["AutoSave"] == NoYes.YES
        if on:
            try:
                await self._full_name()
            except RefusedError as error:
                on = False
                await self.show_error(str(error))
        if not on and not self._singles.on:
            return
        self._singles = Singles(
            revision=next(self._revisions),
            on=on,
            template=str(device["FileTemplate"]),
            directory=str(device["FilePath"]),
            name=str(device["FileName"]),
            number=int(device["FileNumber"]),
            increment=device["AutoIncrement"] == NoYes.YES,
            suffix=str(device["TempSuffix"]),
        )
        self._written = 0
        await self._requests.have_told(self.detector, self._singles)

    async def show_stream(self, status: control.Status) -> None:
        """What a Status says of the stream, of storers in a capture, and of files of single frames."""
        await super().show_stream(status)
        trouble = status.message if status.storers and status.capture is not None else ""
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                await self.show_error(trouble)
            elif status.capture is not None:
                await self.show_ok()
        report = status.singles
        if report is None or report.revision != self._singles.revision or report.written == self._written:
            if report is not None and report.message and report.message != self.device["WriteMessage"]:
                await self.show_error(report.message)
            return
        self._written = report.written
        await self.device.settle("FileNumber", report.number)
        await self.device.post_changed({"NumCaptured_RBV": 1})
        await self.device.post("FullFileName_RBV", report.path)
        await (self.show_error(report.message) if report.message else self.show_ok())

    # ------------------------------------------------------------ what a capture needs

    async def _full_name(self) -> Path:
        """The name that the records make, its directory being there.

        Raises:
            RefusedError: There can be no such file.
        """
        device = self.device
        path = str(device["FilePath"])
        await paths.require(device, path, self._storage)
        try:
            full = filenames.full_name(
                str(device["FileTemplate"]), path, str(device["FileName"]), int(device["FileNumber"])
            )
        except filenames.FileNameError as error:
            raise RefusedError(str(error)) from None
        found = paths.absolute(full)
        if found.parent != paths.absolute(path):
            depth = int(device["CreateDirectory"])
            await ask(lambda: make_directories(str(found.parent), depth, self._storage))
        return found

    async def request(self) -> Wish:
        """What the records ask for.

        Raises:
            RefusedError: They ask for something that cannot be done.
        """
        device = self.device
        mode = device["FileWriteMode"]
        if mode == FileWriteMode.SINGLE:
            raise RefusedError(
                "capture is not supported in Single mode; put Stream to FileWriteMode, or 1 to WriteFile for "
                "the latest frame"
            )
        if device["LazyOpen"] == NoYes.NO and not device["ArraySize_RBV"]:
            raise RefusedError(
                "no frame has come yet, so nobody knows their size; put Yes to LazyOpen, or take one first"
            )
        full = await self._full_name()
        if mode == FileWriteMode.CAPTURE:
            full = full.with_name(names.held_file(self.detector, str(time.time_ns())))
        return Wish(
            full_name=full,
            num_capture=int(device["NumCapture"]),
            lazy=device["LazyOpen"] == NoYes.YES or mode == FileWriteMode.CAPTURE,
            flush_frames=int(device["NumFramesFlush"]),
            temp_suffix="" if mode == FileWriteMode.CAPTURE else str(device["TempSuffix"]),
            holder=self if mode == FileWriteMode.CAPTURE else None,
            grid=hdf_grid.grid(device),
        )
