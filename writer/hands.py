"""What the machines decide, carried out: commands to workers, puts to cameras, masters, maps."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from ioc import names
from ioc.client import CaError, Client
from layouts.beamline import Beamline
from layouts.raw.mapping import Mapping
from layouts.raw.names import meta_file
from writer import control, grid_h5, held, map_file, orders, publishing, steps
from writer.disk import in_thread
from writer.orders import RefusedError
from writer.ownership import ownership
from writer.publishing import Result
from writer.run import Run
from writer.supervisor import Supervisor, WorkerAbsentError
from writer.watch import Watch

_log = logging.getLogger(__name__)

_FOR_EVER: Final = 30 * 86400.0
"""Seconds that a put of Acquire may take to complete: a scan may wait for its trigger for days."""
_STOP_WITHIN: Final = 5.0
_TRUTH_WITHIN: Final = 1.0


class Hands:
    """Carries out actions.

    Args:
        beamline: The description.
        client: Reaches the cameras.
        supervisor: Reaches the workers.
        watch: Knows the cameras and the motors.
        tell: Takes events that come of it, for a later turn of the loop.
        finish: Called when a run is over.
    """

    def __init__(
        self,
        beamline: Beamline,
        client: Client,
        supervisor: Supervisor,
        watch: Watch,
        *,
        tell: Callable[[Run, steps.Event], None],
        finish: Callable[[Run, steps.Finish], Awaitable[None]],
    ) -> None:
        self._beamline, self._client = beamline, client
        self.supervisor, self.watch = supervisor, watch
        self._tell, self._finish = tell, finish
        self._tasks: set[asyncio.Task[None]] = set()
        self._mapped: set[Path] = set()
        """Maps that are ours, and may be made anew."""

    def close(self) -> None:
        """Drop what is still waiting for a camera."""
        for task in list(self._tasks):
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def do(self, run_: Run, actions: list[steps.Action]) -> None:
        """Carry out what a machine asks for, in order."""
        for action in actions:
            match action:
                case steps.SendCapture(name):
                    capture = orders.named(run_.order.captures[name], run_.capture_id(name))
                    self._send(run_, name, capture)
                case steps.SendStop(name, drain):
                    self._send(run_, name, control.Stop(capture=run_.capture_id(name), drain=drain))
                case steps.SendAborted(name, series, fault):
                    self._send(run_, name, control.Aborted(series=series, fault=fault))
                case steps.PutAcquire(name, start):
                    self._spawn(self._put_acquire(run_, name, start=start))
                case steps.RestartWorker(name, reason):
                    self.supervisor.restart(name, reason)
                case steps.Publish(detectors):
                    self._spawn(self._publish(run_, detectors))
                case steps.Finish():
                    await self._finish(run_, action)

    def _send(self, run_: Run, detector: str, command: control.Command) -> None:
        try:
            self.supervisor.send(detector, command)
        except WorkerAbsentError as error:
            self._tell(run_, steps.Lost(detector, str(error)))

    async def _put_acquire(self, run_: Run, detector: str, *, start: bool) -> None:
        prefix = self.watch.camera_prefix(self._beamline.detector(detector))
        error = ""
        try:
            await self._client.put(
                f"{prefix}Acquire", int(start), wait=start, timeout=_FOR_EVER if start else _STOP_WITHIN
            )
        except CaError as problem:
            why = self.watch.cameras[detector].message
            error = f"Acquire failed: {problem}" + (f" ({why})" if why and why not in str(problem) else "")
            _log.warning("%s: %s", detector, error)
        if start:
            self._tell(run_, steps.CameraEnded(detector, error))

    def map(self, run_: Run, detector: str) -> None:
        """Make the map anew over the raw files there are, where the capture has more than one."""
        order, progress = run_.order, run_.progress[detector]
        if order.is_single(detector) or progress.shape is None:
            return
        path, capture = order.full_names[detector], order.captures[detector]
        parts = sorted(progress.parts.values(), key=lambda part: part.row)
        record, planned = progress.record, order.planned[detector]
        mapping = Mapping(
            rows_per_file=capture.images_per_file,
            workers=self._beamline.detector(detector).workers,
            block=capture.frames_per_block,
        )
        rows = planned or map_file.reach(parts, mapping)
        live = orders.suffixed(path, capture.temp_suffix)
        if record is None:
            path = live
        else:
            rows = record.rows
            parts, mapping = map_file.parts_of(record), map_file.mapping_of(record)
        meta = None if capture.attributes is None else Path(capture.directory) / meta_file(capture.stem)
        grid = order.grids.get(detector)
        try:
            if path not in self._mapped and os.path.lexists(path):
                raise FileExistsError(errno.EEXIST, "something else has this name and is not written over")
            if grid is not None:
                content = grid_h5.Content(
                    grid=grid,
                    parts=parts,
                    mapping=mapping,
                    shape=progress.shape,
                    dtype=progress.dtype,
                    meta=meta,
                    closed=record is not None,
                )
                progress.doubt = "; ".join(grid_h5.publish(path, content))
            else:
                tree = map_file.tree(
                    path.parent,
                    parts,
                    rows=rows,
                    shape=progress.shape,
                    dtype=progress.dtype,
                    meta=meta,
                    mapping=mapping,
                    follow=record is None and (mapping.workers > 1 or not planned),
                )
                map_file.publish(path, tree)
            self._mapped.add(path)
            ownership(self._beamline.storage).give(path)
            if path != live:
                live.unlink(missing_ok=True)
        except OSError as error:
            _log.error("%s: the map over the raw files could not be written: %s", path, error)

    async def _publish(self, run_: Run, detectors: tuple[str, ...]) -> None:
        error = ""
        try:
            path = None if run_.holder is None else await run_.holder.held_name()
            if run_.holder is None or path is not None:
                error = (await self.publish(run_, detectors, path)).error
        except RefusedError as problem:
            error = str(problem)
        except OSError as problem:
            error = problem.strerror or str(problem)
        self._tell(run_, steps.Published(error))

    async def publish(self, run_: Run, detectors: tuple[str, ...], path: Path | None = None) -> Result:
        """Make the masters of a run.

        Args:
            run_: Its workers are done.
            detectors: Those that gave frames.
            path: Of the file of frames that were held until now.

        Raises:
            RefusedError: Something has the name of that file.
            WriteError: It cannot have it.
        """
        if path is not None and run_.holder is not None:
            await in_thread(lambda: held.write(run_, path))
            await run_.holder.held_written()
            run_.holder = None
        for name in detectors:
            await in_thread(lambda name=name: self.map(run_, name))
        truths = await self._truths(detectors)
        histories = {name: h.copy() for name, h in self.watch.histories.items()}
        found = await in_thread(
            lambda: publishing.publish(run_, self._beamline, detectors, histories, truths)
        )
        run_.master = found.master
        run_.notes += found.notes
        return found

    async def _truths(self, detectors: tuple[str, ...]) -> dict[str, str]:
        found: dict[str, str] = {}
        if not self._beamline.simulation.truth:
            return found
        for name in detectors:
            pv = names.truth(self._beamline.prefix, self._beamline.detector(name).pv)
            with contextlib.suppress(CaError):
                found[name] = str(await self._client.get(pv, _TRUTH_WITHIN))
        return found
