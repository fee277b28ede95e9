"""The records of an acquisition over all detectors (``ACQ:``): what puts mean, and what is shown there."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any, Final, Protocol

from ioc import names
from ioc.menus import AcqState
from ioc.records import PutError, Severity
from ioc.server import Server
from ioc.tables.acq import acq
from layouts.beamline import Beamline
from layouts.capture import Outcome
from writer import filenames, orders, paths
from writer.acquisition import Stage
from writer.faults import Faults
from writer.orders import RefusedError
from writer.run import Run
from writer.steps import Finish

_log = logging.getLogger(__name__)

_STATES: Final = {
    Stage.OPENING: AcqState.CAPTURING,
    Stage.RUNNING: AcqState.ACQUIRING,
    Stage.FINISHING: AcqState.FINISHING,
    Stage.PUBLISHING: AcqState.FINISHING,
}
_WORDS: Final = {
    Stage.OPENING: "opening files",
    Stage.RUNNING: "acquiring",
    Stage.FINISHING: "ending the series and closing files",
    Stage.PUBLISHING: "writing the masters",
}


class Acquisitions(Protocol):
    """What the coordinator does for these records."""

    async def acquire(self) -> asyncio.Future[Finish]:
        """Begin an acquisition; the future is its end."""
        ...

    async def abort(self, reason: str) -> list[asyncio.Future[Finish]]:
        """End everything that is under way; the futures are its ends."""
        ...


class AcqDevice:
    """The records, and what a put of each does."""

    def __init__(
        self, server: Server, beamline: Beamline, acquisitions: Acquisitions, faults: Faults
    ) -> None:
        """Serve them.

        Args:
            server: Serves them.
            beamline: The description.
            acquisitions: Does what is asked for.
            faults: Keeps what went wrong.
        """
        self._beamline = beamline
        self._acquisitions = acquisitions
        self.device = server.device(names.acq(beamline.prefix), acq(), self._put)
        self._faults = faults
        self._all = tuple(d.name for d in beamline.detectors)
        faults.show_at(self.device, self._all)
        self._busy = False

    async def boot(self, directory: Path) -> None:
        """Values at boot."""
        await self.device.post("FilePath", filenames.with_slash(str(directory)))
        await paths.settle(self.device, str(self.device["FilePath"]), self._beamline.storage)
        await self.device.settle("SampleName", self._beamline.sample.name)
        await self.device.settle("Detectors", ",".join(d.name for d in self._beamline.detectors))
        await self.device.post("Message_RBV", "ready")

    async def _put(self, name: str, value: Any) -> None:
        match name:
            case "Start" if value == "Start":
                await self._start()
            case "Abort" if value == "Abort":
                await self._abort()
            case "FilePath" | "CreateDirectory":
                await self.device.settle(name, value)
                problem = await paths.settle(
                    self.device, str(self.device["FilePath"]), self._beamline.storage
                )
                await self._say(problem)
            case "Detectors":
                await self.device.settle(name, value)
                await self._check_detectors(value)
            case "ClearFault":
                await self._faults.put(self.device, self._all, value)
            case "Start" | "Abort":
                pass
            case _:
                await self.device.settle(name, value)

    async def _check_detectors(self, value: str) -> None:
        try:
            orders.parse_detectors(value, self._beamline)
        except RefusedError as error:
            await self._say(str(error))
        else:
            await self._say("")

    async def _say(self, problem: str) -> None:
        if self._busy:
            return
        severity = Severity.MINOR if problem else Severity.NONE
        await self.device.post("Message_RBV", problem or "ready", severity=severity)

    async def _start(self) -> None:
        if self._busy:
            raise PutError("an acquisition is under way; wait for its end, or put Abort")
        self._busy = True
        try:
            await self.device.post("State_RBV", AcqState.CAPTURING, severity=Severity.NONE)
            await self.device.post("Message_RBV", _WORDS[Stage.OPENING], severity=Severity.NONE)
            ended = await self._acquisitions.acquire()
        except RefusedError as error:
            self._busy = False
            _log.warning("acquisition refused: %s", error)
            # Nothing of the acquisition before may be taken for this one's.
            await self._clear()
            await self.device.post("Message_RBV", f"refused: {error}", severity=Severity.MAJOR)
            await self.device.post("State_RBV", AcqState.FAILED, severity=Severity.MAJOR)
            raise PutError(str(error)) from None
        except BaseException:
            self._busy = False
            raise
        finish = await asyncio.shield(ended)
        if finish.failed:
            raise PutError(finish.reason)

    async def _abort(self) -> None:
        ends = await self._acquisitions.abort("aborted by a client")
        if ends:
            await asyncio.wait([asyncio.shield(end) for end in ends])
        await self.device.post("Abort", "Done")

    # ------------------------------------------------------------ what the writer shows

    async def accept(self, run: Run) -> None:
        """An acquisition has begun."""
        await self.device.post("Number_RBV", run.number)
        await self._clear(sum(run.order.planned.values()))

    async def _clear(self, expected: int = 0) -> None:
        await self.device.post_all(
            {
                "Expected_RBV": expected,
                "Stored_RBV": 0,
                "Missing_RBV": 0,
                "Progress_RBV": 0.0,
                "Elapsed_RBV": 0.0,
                "Outcome_RBV": "",
                "MasterFile_RBV": "",
            }
        )

    async def show(self, run: Run) -> None:
        """Where the acquisition is."""
        expected = run.expected
        values: dict[str, object] = {
            "Expected_RBV": expected,
            "Stored_RBV": run.stored,
            "Missing_RBV": run.missing,
            "Progress_RBV": round(100.0 * min(1.0, (run.stored + run.missing) / expected), 1)
            if expected
            else 0,
            "Elapsed_RBV": round(time.monotonic() - run.started, 1),
        }
        await self.device.post_changed(values)
        if run.machine.stage in _STATES:
            word = _WORDS[run.machine.stage]
            reason = run.machine.reason
            await self.device.post_changed({"Message_RBV": f"{word}; {reason}" if reason else word})
            await self.device.post_changed({"State_RBV": _STATES[run.machine.stage]})

    async def show_end(self, run: Run, finish: Finish) -> None:
        """The acquisition is over; the state is the last word."""
        await self.show(run)
        bad = finish.failed or finish.outcome is not Outcome.COMPLETE
        state = {Outcome.ABORTED: AcqState.ABORTED}.get(finish.outcome, AcqState.DONE)
        state = AcqState.FAILED if finish.failed else state
        message = "; ".join(
            [f"{finish.outcome}: {finish.reason}" if finish.reason else finish.outcome, *run.notes]
        )
        await self.device.post("MasterFile_RBV", run.master)
        await self.device.post("Outcome_RBV", finish.outcome)
        severity = Severity.MAJOR if finish.failed else Severity.MINOR if bad else Severity.NONE
        await self.device.post("Message_RBV", message, severity=severity)
        self._busy = False
        await self.device.post("Start", "Done")
        await self.device.post("State_RBV", state, severity=severity)
