"""The coordinator: clients' puts, workers' messages and cameras' states brought to the runs under way.

Everything happens in one loop, one event at a time under one lock; what the machines decide is carried out
here. It never touches a frame.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ioc.client import Client
from ioc.server import Server
from layouts.beamline import Beamline
from writer import control, orders, paths, run, steps
from writer.acknowledge import Acknowledge
from writer.acq import AcqDevice
from writer.acquisition import Phase, Timing
from writer.attribute_sources import feeds
from writer.attribute_watch import AttributeWatch
from writer.disk import LocalDisk, ask
from writer.faults import Faults
from writer.file_requests import FileRequests
from writer.hands import Hands
from writer.hdf import HdfDevice
from writer.held import Held
from writer.known_frames import KnownFrames
from writer.odin import OdinDevice
from writer.orders import Expectation, Holder, Order, RefusedError
from writer.preview.service import Previews
from writer.requests import Preview
from writer.run import Run
from writer.steps import Finish
from writer.supervisor import Supervisor, WorkerAbsentError
from writer.views import Asker, Views
from writer.watch import Watch

_log = logging.getLogger(__name__)

_TICK: Final = 0.2
_FORGET: Final = 10.0
_EXPECTING: Final = ("NumImages_RBV", "NumTriggers_RBV", "TriggerMode_RBV", "DetectorState_RBV")
_FORMAT: Final = ("DataType_RBV", "ArraySizeX_RBV", "ArraySizeY_RBV")
_Item = tuple[str, str, Any]


class Coordinator:
    """Runs acquisitions.

    Args:
        beamline: The description.
        data: Where files go when no client says otherwise.
        server: Gets the records.
        client: Reaches motors and cameras.
        commands: Command line of each detector's worker.
        timing: How long each step may take.
    """

    def __init__(
        self,
        beamline: Beamline,
        data: Path,
        server: Server,
        client: Client,
        commands: Mapping[str, Sequence[str]],
        *,
        timing: Timing | None = None,
    ) -> None:
        self._beamline, self._data, self._client = beamline, data, client
        self._timing = timing or Timing.of(beamline.storage)
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._runs: dict[str, Run] = {}
        self._number = 0
        self._forgot = time.monotonic()
        self.watch = Watch(beamline, client, lambda d, *said: self._push("camera", d, said))
        self.supervisor = Supervisor(
            commands,
            beamline.ca.control,
            on_event=lambda d, message: self._push("worker", d, message),
            on_lost=lambda d, reason: self._push("lost", d, reason),
            on_silent=lambda d, text: self._push("silent", d, text),
        )
        self._frames = KnownFrames(beamline, self.watch)
        self._requests = FileRequests(self.supervisor)
        self._faults = faults = Faults(refuse=beamline.storage.refuse_after_fault)
        self.previews = Previews(server, beamline, connect=self._connect_preview, showing=self._showing)
        self._acknowledge = Acknowledge(beamline, client, self.previews.settled)
        self._hands = Hands(
            beamline, client, self.supervisor, self.watch, tell=self._later, finish=self._finish
        )
        self._held = Held(self._hands.publish)
        requests, held, settings = self._requests, self._held, self.previews.settings
        self.hdfs = {
            d.name: HdfDevice(server, beamline, d, self, requests=requests, held=held, faults=faults)
            for d in beamline.detectors
        }
        self.attributes = AttributeWatch(client, feeds(beamline), self.supervisor.send, settings)
        dls = beamline.detectors if beamline.preset == "dls" else ()
        odins = {d.name: (OdinDevice(server, beamline, d, self, faults),) for d in dls}
        self.views = {name: Views([hdf, *odins.get(name, ())]) for name, hdf in self.hdfs.items()}
        self._shown_fault: dict[str, str] = {}
        self.acq = AcqDevice(server, beamline, self, faults)

    # ------------------------------------------------------------ life

    async def start(self) -> None:
        """Begin: workers, monitors, values at boot.

        Raises:
            OSError: The control socket is taken.
        """
        await self.supervisor.start()
        await self.watch.start()
        await self.attributes.start()
        await self._acknowledge.start()
        await self.previews.start()
        for name, views in self.views.items():
            await views.boot(self._data, *self._frames.at_boot(name))
        await self.acq.boot(self._data)
        self._spawn(self._pump())
        self._spawn(self._clock())

    async def close(self, within: float) -> None:
        """End all runs with what they have, close files, end the workers.

        Args:
            within: Seconds for the runs to end; workers get a little more.
        """
        async with self._lock:
            runs = self._distinct()
            for each in runs:
                await self._tell(each, steps.Quit("the writer was ended"))
        if runs:
            await asyncio.wait([asyncio.shield(each.finished) for each in runs], timeout=within)
        await asyncio.gather(self.supervisor.close(), self.previews.close())
        self._hands.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ------------------------------------------------------------ what the records ask for

    async def capture(self, detector: str, asker: Asker) -> asyncio.Future[Finish]:
        """Begin the capture that a detector's records ask for, or find the one under way.

        Raises:
            RefusedError: It cannot be done.
        """
        async with self._lock:
            if detector in self._runs:
                return self._runs[detector].finished
            await self.watch.answered([detector])
            wish = await asker.request()
            expected = self._frames.expectation(detector)
            order = orders.of_detector(self._beamline, detector, wish, expected)
            run_ = await self._begin(order, {detector: expected}, wish.holder)
        await self._held.free(detector)
        return run_.finished

    async def stop_capture(self, detector: str) -> asyncio.Future[Finish] | None:
        """End a detector's capture with what is still on its way."""
        async with self._lock:
            run_ = self._runs.get(detector)
            if run_ is None:
                return None
            await self._tell(run_, steps.StopCapture(detector))
            return run_.finished

    async def acquire(self) -> asyncio.Future[Finish]:
        """Begin the acquisition that the ACQ records ask for.

        Raises:
            RefusedError: It cannot be done.
        """
        async with self._lock:
            device = self.acq.device
            wanted = orders.parse_detectors(str(device["Detectors"]), self._beamline)
            directory = await paths.require(device, str(device["FilePath"]), self._beamline.storage)
            await self.watch.answered(wanted)
            for name in wanted:
                self._frames.check_camera(name)
            expected = {name: self._frames.expectation(name) for name in wanted}
            order = orders.of_acquisition(self._beamline, directory, str(device["Name"]), wanted, expected)
            run_ = await self._begin(order, expected)
            if (seconds := float(device["Timeout"])) > 0:
                run_.deadline = time.monotonic() + seconds
            return run_.finished

    async def abort(self, reason: str) -> list[asyncio.Future[Finish]]:
        """Abort the acquisition of the ACQ records."""
        async with self._lock:
            runs = [r for r in self._distinct() if r.order.acquire]
            for each in runs:
                await self._tell(each, steps.Abort(reason))
            return [each.finished for each in runs]

    # ------------------------------------------------------------ beginning

    async def _begin(
        self, order: Order, expected: dict[str, Expectation], holder: Holder | None = None
    ) -> Run:
        self._faults.check(order.detectors)
        for name in order.detectors:
            if name in self._runs:
                raise RefusedError(f"{name} is capturing already; wait for its end, or put 0 to its Capture")
            if not self.supervisor.is_ready(name):
                raise RefusedError(f"the worker of {name} is not there; it is being started, try again soon")
        await ask(lambda: orders.check(order, expected, LocalDisk(), self._beamline.storage.reserve))
        stores = {name: self.hdfs[name].stores_attributes for name in order.detectors}
        order, doubts = await self.attributes.dress(order, stores)
        self._number += 1
        sample = str(self.acq.device["SampleName"])
        run_ = run.new(self._number, order, self.watch.cameras, self._timing, sample)
        run_.holder = holder
        for name in order.detectors:
            self._runs[name] = run_
            self._shown_fault.pop(name, None)
            await self.views[name].accept(order.full_names[name], count=not order.acquire)
            if name in doubts:
                await self.hdfs[name].show_doubt(doubts[name])
        if order.acquire:
            await self.acq.accept(run_)
        _log.info("acquisition %d: %s in %s begins", run_.number, order.name, order.directory)
        states = {name: self.watch.cameras[name].state for name in order.detectors}
        run_.notes += doubts.values()
        await self._hands.do(run_, run_.machine.begin(time.monotonic(), states))
        for name in order.detectors:
            self.attributes.begin(name, run_.capture_id(name))
        return run_

    # ------------------------------------------------------------ events

    def _push(self, kind: str, detector: str, payload: Any) -> None:
        self._queue.put_nowait((kind, detector, payload))

    def _later(self, run_: Run, event: steps.Event) -> None:
        self._push("tell", "", (run_, event))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _distinct(self) -> list[Run]:
        return list({id(r): r for r in self._runs.values()}.values())

    async def _pump(self) -> None:
        while True:
            kind, detector, payload = await self._queue.get()
            async with self._lock:
                try:
                    await self._take(kind, detector, payload)
                except Exception:
                    _log.exception("%s of %s could not be taken", kind, detector)

    async def _clock(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            self._push("tick", "", None)

    async def _take(self, kind: str, detector: str, payload: Any) -> None:
        match kind:
            case "worker":
                await self._worker(detector, payload)
            case "lost":
                await self.views[detector].show_worker(there=False)
                await self._acknowledge.showing(detector, on=False)
                self._requests.lost(detector, payload)
                if detector in self._runs:
                    await self._tell(self._runs[detector], steps.Lost(detector, payload))
            case "silent":
                await self.views[detector].show_worker(there=not payload)
            case "camera":
                await self._camera(detector, *payload)
            case "tell":
                run_, event = payload
                await self._tell(run_, event)
            case _:
                await self._tick()

    async def _tick(self) -> None:
        now = time.monotonic()
        for each in self._distinct():
            late = now >= each.deadline
            event = steps.Abort("Timeout of the acquisition") if late else steps.Tick()
            await self._tell(each, event)
        if now - self._forgot > _FORGET:
            self._forgot = now
            self.watch.forget(min([time.time(), *(r.began for r in self._distinct())]))

    async def _worker(self, detector: str, message: control.Event) -> None:
        device = self.views[detector]
        if isinstance(message, control.Hello):
            await device.show_worker(there=True)
            self.hdfs[detector].greet()
            self.previews.worker_is_there(detector)
            return
        if isinstance(message, control.Answer):
            self._requests.answered(message)
            return
        if isinstance(message, control.SeriesPassed):
            self._acknowledge.stored(detector, message.series, message.last_frame)
            return
        run_ = self._runs.get(detector)
        if isinstance(message, control.Status):
            await self._status(detector, message, run_)
        if run_ is None or message.capture != run_.capture_id(detector):
            return
        progress = run_.progress[detector]
        run.note(progress, message)
        if isinstance(message, control.FileAdded):
            self._frames.file_added(detector, message.shape, message.dtype)
            await device.show_format(message.shape, message.dtype)
            self._hands.map(run_, detector)
        if isinstance(message, control.Done):
            self._frames.stored(detector, message.counters)
        await device.show_counters(progress.shown, progress.captured)
        if isinstance(message, control.SeriesEnded):
            self._acknowledge.stored(detector, message.report.series, message.last_frame)
        if (event := run.event_of(detector, message)) is not None:
            await self._tell(run_, event)
        elif run_.order.acquire:
            await self.acq.show(run_)

    async def _status(self, detector: str, status: control.Status, run_: Run | None) -> None:
        if run_ is None or status.capture is not None:
            await self.views[detector].show_status(status)
        await self.hdfs[detector].show_stream(status)
        if run_ is not None:
            await self._acknowledge.queued(detector, status.backlog)
        if (other := self._frames.came(detector, status.latest)) is not None:
            await self.views[detector].show_format(*other)

    async def _camera(self, detector: str, record: str, state: steps.CameraState) -> None:
        camera = self.watch.cameras[detector]
        run_ = self._runs.get(detector)
        if run_ is None:
            if record in _FORMAT and (known := self._frames.camera_said(detector)) is not None:
                await self.views[detector].show_format(*known)
            return
        if record in _EXPECTING:
            with contextlib.suppress(WorkerAbsentError):
                self.supervisor.send(detector, self._frames.told(detector))
        for ended in camera.episodes[-1:]:
            if ended.series is not None and ended.end is not None:
                self.attributes.ended(detector, ended.series, ended.end)
        if record == "DetectorState_RBV":
            await self._tell(run_, state)

    def _connect_preview(self, detector: str, endpoint: str) -> None:
        with contextlib.suppress(WorkerAbsentError):  # it is told when it is there
            self.supervisor.send(detector, Preview(endpoint=endpoint))

    def _showing(self, detector: str) -> None:
        on = self.previews.is_showing(detector) and self.supervisor.is_ready(detector)
        self._spawn(self._acknowledge.showing(detector, on=on))

    # ------------------------------------------------------------ actions

    async def _tell(self, run_: Run, event: steps.Event) -> None:
        before = {d: c.phase for d, c in run_.machine.captures.items()}
        actions = run_.machine.handle(event, time.monotonic())
        for name, capture in run_.machine.captures.items():
            if before[name] is Phase.OPENING and capture.phase is Phase.CAPTURING:
                await self._acknowledge.writing(name, on=True)
                await self.views[name].show_open()
            if capture.fault and self._shown_fault.get(name) != capture.fault:
                self._shown_fault[name] = capture.fault
                await self._faults.note(name, capture.fault)
                await self.views[name].show_error(capture.fault)
        if run_.order.acquire and not run_.is_over:
            await self.acq.show(run_)
        await self._hands.do(run_, actions)

    async def _finish(self, run_: Run, finish: Finish) -> None:
        duration = time.monotonic() - run_.started
        level = logging.WARNING if finish.failed else logging.INFO
        _log.log(level, "acquisition %d: %s; %s", run_.number, finish.outcome, finish.reason or run_.master)
        for name in run_.order.detectors:
            self._runs.pop(name, None)
            self.attributes.release(name)
            capture = run_.machine.captures[name]
            error = capture.fault or (finish.reason if finish.failed and not run_.master else "")
            stored = run_.progress[name].counters.bytes
            self._held.keep(run_)
            await self._acknowledge.writing(name, on=False)
            if run_.progress[name].doubt and not error:
                await self.hdfs[name].show_doubt(run_.progress[name].doubt)
            await self.views[name].show_end(error, run_.master, duration, stored)
        if run_.order.acquire:
            await self.acq.show_end(run_, finish)
        if not run_.finished.done():
            run_.finished.set_result(finish)
