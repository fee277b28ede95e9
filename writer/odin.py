"""Odin's records of one detector (``OD:``, ``OD:FAN:``, ``OD:META:``, ``OD1:`` ...): its writer's other face.

Mirrors what Diamond's clients rely on: FileName names the acquisition everywhere and makes META active, the
fan is ready when the start message has come, and every node says whether it writes. Where one worker stands
behind them, node 1 has its counters, and the other nodes share its presence and write nothing; where several
do, the nodes are the first four of them, and node 1 has what was dropped or never came to any.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from ioc import names
from ioc.menus import Capture, Capturing, WriteStatus
from ioc.records import PutError, Severity
from ioc.server import Server
from ioc.tables import odin
from layouts.beamline import Beamline, Detector
from layouts.raw import names as files
from writer import control, filenames, paths
from writer.faults import Faults
from writer.hdf import Captures, put_capture
from writer.orders import RefusedError, Wish

_log = logging.getLogger(__name__)

_SEEN: Final = 1.0
"""Seconds that StartTimeout stays up: clients read it back to see that their put has arrived."""
_TYPES: Final = {"uint8": "UInt8", "uint16": "UInt16", "uint32": "UInt32"}

Handler = Callable[[Any], Awaitable[None]]


class OdinDevice:
    """One detector's Odin records: they ask for captures, and show them.

    Args:
        server: Serves them.
        beamline: The description.
        detector: Whose.
        captures: Does what is asked for.
        faults: Keeps what went wrong.
    """

    def __init__(
        self, server: Server, beamline: Beamline, detector: Detector, captures: Captures, faults: Faults
    ) -> None:
        self.detector = detector.name
        self._captures, self._faults = captures, faults
        self._endpoint = detector.stream.endpoint
        self._images_per_file = detector.images_per_file
        self._workers = detector.workers
        self._storage = beamline.storage
        prefix = names.odin(beamline.prefix, detector.pv)
        self.device = server.device(prefix, odin.odin(f"{detector.name}.OD", detector.name), self._put)
        self.fan = server.device(f"{prefix}FAN:", odin.fan(), self._put_fan)
        self.meta = server.device(f"{prefix}META:", odin.meta(), self._put_meta)
        self.nodes = [
            server.device(names.odin_node(beamline.prefix, detector.pv, n), odin.node(), self._put_node)
            for n in range(1, odin.NODES + 1)
        ]
        self._handlers: dict[str, Handler] = {
            "Capture": self._put_capture,
            "FilePath": self._put_path,
            "CreateDirectory": self._put_depth,
            "FileName": self._put_name,
            "DataType": self._put_type,
            "StartTimeout": self._start_timer,
            "StartCloseTimeout": self._start_timer,
        }
        self._asked = False
        """Whether the capture was asked for here."""
        self._unjudged = False
        """Whether the capture is one that was asked for here, and no frame of it has come."""
        self._promised = self._type = ""
        """Type of the frames: as a client has put it, if one has, and as they come."""
        self._open = False
        self._series: int | None = None
        """Whose start message the fan has shown last."""
        self._before = 0
        """Frames that had come in the capture by then."""
        self._received = 0
        self._heard = 0.0
        """When the last frame was counted, monotonic s."""
        self._timer: asyncio.Task[None] | None = None

    # ------------------------------------------------------------ what clients put

    async def _put(self, name: str, value: Any) -> None:
        handler = self._handlers.get(name)
        await (handler(value) if handler is not None else self.device.settle(name, value))

    async def _put_fan(self, name: str, value: Any) -> None:
        await self.fan.settle(name, value)

    async def _put_meta(self, name: str, value: Any) -> None:
        if name != "Stop":
            await self.meta.settle(name, value)
        elif value == "Stop":
            ended = await self._captures.stop_capture(self.detector)
            if ended is not None:
                await asyncio.shield(ended)
            # Stop stays as it was put, as a bo does: clients read it back to see that it has arrived.
            await self.meta.post("AcquisitionActive_RBV", "Inactive")

    async def _put_node(self, _name: str, value: Any) -> None:
        if value:  # of whichever node: one worker stands behind them all
            await self._faults.clear(self.detector)
            for node in self.nodes:
                await node.post_changed({"FPErrorMessage_RBV": ""})
                await node.post("FPErrorState_RBV", "No Errors", severity=Severity.NONE)

    async def _put_path(self, value: str) -> None:
        problem = await paths.settle(self.device, value, self._storage)
        for device, name in ((self.meta, "FilePath"), (self.device, "FP:FilePath")):
            await device.settle(name, value)
        await self._show_message(problem)

    async def _put_depth(self, value: int) -> None:
        await self.device.settle("CreateDirectory", value)
        await self._put_path(str(self.device["FilePath"]))

    async def _put_name(self, value: str) -> None:
        """The name of files and acquisition: everyone who is to know it is told."""
        for device, name in (
            (self.meta, "FileName"),
            (self.fan, "AcquisitionID"),
            (self.meta, "AcquisitionID"),
            (self.device, "AcquisitionID"),
            (self.device, "FP:FileName"),
            (self.device, "FileName"),
        ):
            await device.settle(name, value)
        await self.meta.post("Acquisitions_RBV", value)
        if not self._open:
            await self.meta.post("AcquisitionActive_RBV", "Active" if value else "Inactive")

    async def _put_type(self, value: str) -> None:
        self._promised = value
        await self.device.settle("DataType", value)

    async def _put_capture(self, value: str) -> None:
        try:
            await put_capture(self._captures, self.detector, self, value)
        except RefusedError as error:
            _log.warning("%s: capture refused: %s", self.detector, error)
            await self.show_error(str(error))
            await self.device.post("Capture_RBV", Capturing.DONE)
            raise PutError(str(error)) from None

    async def _start_timer(self, value: str) -> None:
        if value in ("Done", Capture.DONE):
            self._stop_timer()
            return
        self._stop_timer()
        self._timer = asyncio.create_task(self._run_timer(), name=f"close timer of {self.detector}")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _run_timer(self) -> None:
        began = time.monotonic()
        await self._show_timer(active=self._open)
        try:
            while self._open:
                patience = int(self.device["CloseFileTimeout"]) / 1000.0
                left = max(began, self._heard) + patience - time.monotonic()
                if left <= 0:
                    _log.info("%s: no frame for %g s: the capture is ended", self.detector, patience)
                    ended = await self._captures.stop_capture(self.detector)
                    if ended is not None:
                        await asyncio.shield(ended)
                    break
                await asyncio.sleep(min(left, 0.1))
            await asyncio.sleep(max(0.0, began + _SEEN - time.monotonic()))
        finally:
            with contextlib.suppress(asyncio.CancelledError):
                await self._show_timer(active=False)
                await self.device.post_changed({"StartTimeout": "Done", "StartCloseTimeout": "Done"})

    async def _show_timer(self, *, active: bool) -> None:
        state = "Timeout Active" if active else "Done"
        for device in (self.device, self.nodes[0]):
            await device.post_changed({"TimeoutActive_RBV": state})

    # ------------------------------------------------------------ what a capture needs

    async def request(self) -> Wish:
        """What the records ask for.

        Raises:
            RefusedError: They ask for something that cannot be done.
        """
        device, name = self.device, str(self.device["FileName"])
        if not name or name != Path(name).name or name in (".", ".."):
            raise RefusedError(
                f"FileName {name!r} cannot begin the names of files; put a word such as run_1, "
                "without slashes"
            )
        size = (int(device["ImageHeight"]), int(device["ImageWidth"]))
        shape = (int(device["ArraySize1_RBV"]), int(device["ArraySize0_RBV"]))
        if size != shape:
            raise RefusedError(
                f"ImageHeight x ImageWidth are {size[0]} x {size[1]}, the detector's frames are "
                f"{shape[0]} x {shape[1]}; put what the detector has"
            )
        directory = await paths.require(device, str(device["FilePath"]), self._storage)
        number = int(device["NumCapture"])
        per_file = int(device["BlockSize"]) * int(device["BlocksPerFile"])
        several = self._workers > 1 or 0 < per_file < number
        self._asked = True
        return Wish(
            full_name=directory / (f"{name}.h5" if several else files.raw_file(name, 1)),
            num_capture=number,
            stem=name,
            images_per_file=per_file,
        )

    # ------------------------------------------------------------ what the writer shows

    async def boot(self, directory: Path, shape: tuple[int, int], dtype: str) -> None:
        """Values before the first client comes; FileName is the client's to say."""
        host, _, port = self._endpoint.rpartition(":")
        await self.fan.post_all({"EigerAddress_RBV": host.removeprefix("tcp://"), "EigerPort_RBV": port})
        for number, node in enumerate(self.nodes):
            await node.post("ProcessRank_RBV", number)
        await self.device.post("FilePath", filenames.with_slash(str(directory)))
        await self._put_path(str(self.device["FilePath"]))
        await self.device.settle("ImageHeight", shape[0])
        await self.device.settle("ImageWidth", shape[1])
        await self.device.settle("DataType", _TYPES[dtype])
        await self.device.settle("BlocksPerFile", self._images_per_file)
        await self.show_format(shape, dtype)

    async def accept(self, full_name: Path, *, count: bool) -> None:  # noqa: ARG002 (Odin has no file number)
        """A capture has been accepted: names and counters, before any frame."""
        self._stop_timer()
        stem = str(self.device["FileName"]) if self._asked else full_name.stem
        self._unjudged, self._asked = self._asked, False
        await self.device.post("FullFileName_RBV", str(full_name))
        await self.nodes[0].post("FullFileName_RBV", str(full_name)[:255])
        await self.nodes[0].post("NumCapture_RBV", int(self.device["NumCapture"]))
        await self.meta.post("OutputFile_RBV", str(full_name.parent / files.meta_file(stem)))
        await self.show_counters(control.Counters(), 0)
        await self._put_node("", 1)
        await self._show_message("")

    async def show_error(self, message: str) -> None:
        """An error of writing, with its reason, where clients of Odin look for it."""
        await self._show_message(message)
        await self.nodes[0].post("FPErrorMessage_RBV", message)
        await self.nodes[0].post("FPErrorState_RBV", "Error", severity=Severity.MAJOR)

    async def _show_message(self, message: str) -> None:
        bad = bool(message)
        await self.device.post_changed({"WriteMessage": message})
        await self.device.post(
            "WriteStatus",
            WriteStatus.ERROR if bad else WriteStatus.OK,
            severity=Severity.MAJOR if bad else Severity.NONE,
        )

    async def show_format(self, shape: tuple[int, int], dtype: str) -> None:
        """Size of the frames to come; DataType stays as it was put."""
        self._type = _TYPES[dtype]
        sizes = {"ArraySize0_RBV": shape[1], "ArraySize1_RBV": shape[0]}
        await self.device.post_changed(sizes | {"ArraySizeX_RBV": shape[1], "ArraySizeY_RBV": shape[0]})

    async def show_open(self) -> None:
        """The worker is live, its files open."""
        self._open, self._received, self._heard = True, 0, time.monotonic()
        await self.meta.post("AcquisitionActive_RBV", "Active")
        for device in (self.meta, *self.nodes):
            await device.post("Writing_RBV", "Writing")
        await self.device.post_changed({"Capture": Capture.CAPTURE})
        await self.device.post("Capture_RBV", Capturing.CAPTURING)

    async def show_counters(self, counters: control.Counters, captured: int) -> None:
        """Where the capture is."""
        if counters.received != self._received:
            self._received, self._heard = counters.received, time.monotonic()
        if counters.received:
            await self._judge_type()
        mine = {
            "FramesReceived_RBV": counters.received,
            "FramesReleased_RBV": counters.received,
            "NumCaptured_RBV": captured,
        }
        others = {
            "FramesDropped_RBV": counters.failed + counters.foreign,
            "FramesTimedOut_RBV": counters.missing,
            "NumExpected_RBV": counters.expected,
        }
        await self.nodes[0].post_changed(others | mine if self._workers == 1 else others)
        await self.fan.post_changed({"FramesSent_RBV": counters.received})
        await self.meta.post_changed({"FramesWritten_RBV": counters.stored})
        await self.device.post_changed({"NumCaptured_RBV": captured})

    async def _judge_type(self) -> None:
        """Say with the first frame that it is of another type; Odin drops such frames."""
        first, self._unjudged = self._unjudged, False
        if first and self._promised and self._promised != self._type:
            await self.show_error(
                f"DataType is {self._promised} and frames are {self._type}: they are stored as they come; "
                f"put {self._type}"
            )

    async def _show_storers(self, status: control.Status) -> None:
        """Each of several storers is a node, as far as there are nodes."""
        for node, storer in zip(self.nodes, status.storers, strict=False):
            there = int(storer.alive)
            await node.post_changed(
                {
                    "FRProcessConnected_RBV": there,
                    "FPProcessConnected_RBV": there,
                    "FramesReceived_RBV": storer.stored,
                    "FramesReleased_RBV": storer.stored,
                    "NumCaptured_RBV": storer.stored,
                }
            )

    async def show_status(self, status: control.Status) -> None:
        """Where the stream is, as eigerfan says it; no state of a series is left out, however short it is."""
        await self._show_storers(status)
        await self.fan.post_changed({"CurrentFrame_RBV": max(0, status.last_frame)})
        if status.connected and status.series is not None and status.series != self._series:
            self._series, self._before = status.series, status.counters.received
            await self.fan.post_changed({"CurrentSeries_RBV": status.series})
            await self._show_fan(odin.FAN_READY)
        if not status.connected or self._series is None:
            await self._show_fan("WAITING_STREAM")
            return
        came = status.latest is not None and status.latest.series == self._series
        if came and self.fan["State_RBV"] != "DSTR_END":
            await self._show_fan("DSTR_IMAGE")
        if status.state not in (control.WorkerState.WRITING, control.WorkerState.FAILED):
            await self._show_fan("DSTR_END")

    async def _show_fan(self, state: str) -> None:
        ready = float(state == odin.FAN_READY)
        await self.fan.post_changed({"State_RBV": state, "StateReady_RBV": ready})

    async def show_worker(self, *, there: bool) -> None:
        """Whether the worker is there, and with it fan, meta writer and nodes."""
        present = int(there)
        for node in self.nodes:
            await node.post_changed({"FRProcessConnected_RBV": present, "FPProcessConnected_RBV": present})
        await self.meta.post_changed(
            {"ProcessConnected_RBV": present, "ActiveProcessors_RBV": present * odin.NODES}
        )
        await self.fan.post_changed(
            {
                "ProcessConnected_RBV": present,
                "ConsumersConnected_RBV": present * odin.NODES,
                "AllConsumersConnected_RBV": float(present),
            }
        )

    async def show_end(self, error: str, master: str, duration: float, stored_bytes: int) -> None:  # noqa: ARG002 (Odin shows none of it)
        """The capture is over: both edges are posted, whatever happened before."""
        self._open = False
        if error:
            await self.show_error(error)
        if self.fan["State_RBV"] == odin.FAN_READY and self._received > self._before:
            await self._show_fan("DSTR_IMAGE")
        await self._show_fan("WAITING_STREAM" if self._series is None else "DSTR_END")
        for device in (*self.nodes, self.meta):
            await device.post("Writing_RBV", "Done")
        await self.meta.post("AcquisitionActive_RBV", "Inactive")
        await self.device.post("Capture_RBV", Capturing.DONE)
        await self.device.post("Capture", Capture.DONE)
