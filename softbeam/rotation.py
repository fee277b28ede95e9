"""A rotation as a control script does it: motors, detectors, trigger and ``ACQ:`` through Channel Access.

The order is a beamline's: detectors are told the plan and armed for an external series, the writer captures,
the axis gets up to speed, and the trigger fires where frame 0 begins.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ioc import names
from ioc.client import CaError, Client, NoAnswerError, PvValue
from ioc.menus import AcqState, Armed, TriggerMode
from layouts import geometry
from layouts.beamline import Beamline
from layouts.scan import Run, ScanError, Sweep, check_run, run_up

PUT_TIMEOUT = 10.0
"""Seconds a set-up put may take."""
ARM_TIMEOUT = 30.0
"""Seconds from Start until every detector is armed."""
FINISH_TIMEOUT = 60.0
"""Seconds from the end of the motion until the master is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be measured.

    Attributes:
        axis: Motor that turns.
        sweeps: One for each detector, the main one first; all over the same angles.
        count_time: Seconds of exposure of the main detector; the frame time less the readout unless given.
        directory: Where the files go, absolute.
        name: Stem of their names.
    """

    axis: str
    sweeps: dict[str, Sweep]
    count_time: float | None
    directory: Path
    name: str

    @property
    def main(self) -> Sweep:
        """The sweep of the main detector."""
        return next(iter(self.sweeps.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where an acquisition is."""

    state: str
    stored: dict[str, int]
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an acquisition ended."""

    state: str
    outcome: str
    message: str
    master: Path
    stored: int
    missing: int


class Rotation:
    """One rotation, from set-up to master."""

    def __init__(self, beamline: Beamline, client: Client, plan: Plan) -> None:
        self._beamline, self._client, self._plan = beamline, client, plan
        self._acq = names.acq(beamline.prefix)
        self._trigger = names.trigger(beamline.prefix, beamline.simulation.trigger_pv)
        self._axis = names.motor(beamline.prefix, beamline.motor(plan.axis).pv)

    def _cam(self, detector: str) -> str:
        return names.cam(self._beamline.prefix, self._beamline.detector(detector).pv, self._beamline.preset)

    def _hdf(self, detector: str) -> str:
        return names.hdf(self._beamline.prefix, self._beamline.detector(detector).pv, self._beamline.preset)

    async def run(self, report: Callable[[Progress], None]) -> Result:
        """Do it; on any failure or cancellation everything is stopped and the axis gets its speed back.

        Raises:
            ScanError: It cannot be done, or was not; says what, where and the remedy.
        """
        await self._connect()
        run, speed = await self._checked_run()
        try:
            await self._set_up(run)
            return await self._acquire(run, report)
        except BaseException:
            await self._stop_axis()
            raise
        finally:
            with contextlib.suppress(CaError):
                await self._client.put(f"{self._trigger}Arm", 0)
                await self._client.put(f"{self._axis}.VELO", speed, wait=True, timeout=PUT_TIMEOUT)

    async def _connect(self) -> None:
        wanted = [f"{self._axis}.RBV", f"{self._acq}State_RBV", f"{self._trigger}Arm"]
        wanted += [f"{self._cam(d)}Acquire" for d in self._plan.sweeps]
        wanted += [f"{self._hdf(d)}NumCaptured_RBV" for d in self._plan.sweeps]
        missing = await self._client.connect(wanted, PUT_TIMEOUT)
        if missing:
            ca = self._beamline.ca
            raise ScanError(
                f"no answer from {', '.join(sorted(missing))} at {ca.interface}:{ca.sim_port} and "
                f":{ca.writer_port}; start them with: softbeam up"
            )

    async def _checked_run(self) -> tuple[Run, float]:
        low, high, accl, speed, fastest = [
            await self._number(f"{self._axis}.{field}") for field in ("LLM", "HLM", "ACCL", "VELO", "VMAX")
        ]
        run = run_up(self._plan.main, accl)
        check_run(run, low=low, high=high, fastest=max(fastest, speed), axis=self._plan.axis)
        return run, speed

    async def _number(self, name: str) -> float:
        value = await self._client.get(name)
        if not isinstance(value, int | float):
            raise ScanError(f"{name}: {value!r} is no number; is this the PV of such a device?")
        return float(value)

    async def _put(self, name: str, value: PvValue) -> None:
        try:
            await self._client.put(name, value, wait=True, timeout=PUT_TIMEOUT)
        except CaError as error:
            raise ScanError(f"{name}: {value!r} was not taken: {error}") from error

    async def _set_up(self, run: Run) -> None:
        try:
            await self._client.put(f"{self._axis}.VAL", run.begin, wait=True, timeout=600)
        except CaError:
            raise ScanError(
                f"{self._axis}: did not reach {run.begin:g} in 10 minutes; look at its alarm"
            ) from None
        await self._put(f"{self._axis}.VELO", run.velocity)
        positions = await self._positions()
        for detector, sweep in self._plan.sweeps.items():
            await self._set_up_detector(detector, sweep, positions)
        await self._put(f"{self._trigger}Motor", self._plan.axis)
        await self._put(f"{self._trigger}Position", self._plan.main.start)
        await self._put(f"{self._acq}FilePath", str(self._plan.directory))
        await self._put(f"{self._acq}Name", self._plan.name)
        await self._put(f"{self._acq}Detectors", ",".join(self._plan.sweeps))

    async def _positions(self) -> dict[str, float]:
        prefix = self._beamline.prefix
        return {m.name: await self._number(f"{names.motor(prefix, m.pv)}.RBV") for m in self._beamline.motors}

    async def _set_up_detector(self, detector: str, sweep: Sweep, positions: dict[str, float]) -> None:
        cam, spec = self._cam(detector), self._beamline.detector(detector)
        panel = geometry.panel(self._beamline, spec, positions)
        count_time = sweep.frame_time - spec.spec.readout_time
        if self._plan.count_time is not None:
            count_time = min(
                count_time, self._plan.count_time * sweep.frame_time / self._plan.main.frame_time
            )
        values: dict[str, PvValue] = {
            "ImageMode": "Multiple",
            "TriggerMode": TriggerMode.EXTERNAL_SERIES,
            "NumImages": sweep.images,
            "NumTriggers": 1,
            "AcquireTime": count_time,
            "AcquirePeriod": sweep.frame_time,
            "PhotonEnergy": positions[self._beamline.beam.energy],
            "BeamX": panel.beam_centre[0],
            "BeamY": panel.beam_centre[1],
            "DetDist": panel.distance * 1e-3,
        }
        words = {"omega": "Omega", "chi": "Chi", "kappa": "Kappa", "phi": "Phi", "two_theta": "TwoTheta"}
        for axis, motor in self._beamline.goniometer.items():
            turning = motor == self._plan.axis
            values[f"{words[axis]}Start"] = sweep.start if turning else positions[motor]
            values[f"{words[axis]}Incr"] = sweep.increment if turning else 0.0
        for name, value in values.items():
            await self._put(f"{cam}{name}", value)

    async def _acquire(self, run: Run, report: Callable[[Progress], None]) -> Result:
        motion = abs(run.end - run.begin) / run.velocity + PUT_TIMEOUT
        # The put completes when the acquisition is over, and fails at once where it is refused.
        acquisition = asyncio.create_task(
            self._client.put(f"{self._acq}Start", 1, wait=True, timeout=ARM_TIMEOUT + motion + FINISH_TIMEOUT)
        )
        try:
            await self._armed(acquisition)
            await self._put(f"{self._trigger}Arm", 1)
            await self._turn(run, motion, acquisition, report)
        except BaseException:
            await self._stop_axis()  # what moves stops first: the end of an acquisition may take seconds
            if not acquisition.done():
                with contextlib.suppress(CaError):
                    await self._client.put(f"{self._acq}Abort", 1, wait=True, timeout=PUT_TIMEOUT)
            raise
        finally:
            acquisition.cancel()
        return await self._result(str(await self._client.get(f"{self._acq}State_RBV")))

    async def _stop_axis(self) -> None:
        with contextlib.suppress(CaError):
            await self._client.put(f"{self._axis}.STOP", 1)

    async def _armed(self, acquisition: asyncio.Task[None]) -> None:
        deadline = asyncio.get_running_loop().time() + ARM_TIMEOUT
        while True:
            armed = [await self._client.get(f"{self._cam(d)}Armed") for d in self._plan.sweeps]
            state = await self._client.get(f"{self._acq}State_RBV")
            if acquisition.done():
                raise ScanError(f"not started: {await self._client.get(f'{self._acq}Message_RBV')}")
            if state == AcqState.ACQUIRING and all(a == Armed.ARMED for a in armed):
                return
            if asyncio.get_running_loop().time() > deadline:
                raise ScanError(
                    f"detectors not armed within {ARM_TIMEOUT:g} s; look at their StatusMessage_RBV"
                )
            await asyncio.sleep(0.02)

    async def _turn(
        self, run: Run, motion: float, acquisition: asyncio.Task[None], report: Callable[[Progress], None]
    ) -> None:
        move = asyncio.create_task(
            self._client.put(f"{self._axis}.VAL", run.end, wait=True, timeout=motion + PUT_TIMEOUT)
        )
        try:
            while not acquisition.done():
                report(await self._progress())
                await asyncio.wait({acquisition}, timeout=0.1)
            if isinstance(error := acquisition.exception(), NoAnswerError):
                message = await self._client.get(f"{self._acq}Message_RBV")
                raise ScanError(f"not finished {FINISH_TIMEOUT:g} s after the motion: {message}") from error
            report(await self._progress())
            await move
        finally:
            move.cancel()

    async def _progress(self) -> Progress:
        stored = {d: int(await self._number(f"{self._hdf(d)}NumCaptured_RBV")) for d in self._plan.sweeps}
        state, message = [await self._client.get(f"{self._acq}{n}_RBV") for n in ("State", "Message")]
        return Progress(state=str(state), stored=stored, message=str(message))

    async def _result(self, state: str) -> Result:
        values = {
            name: await self._client.get(f"{self._acq}{name}_RBV")
            for name in ("Outcome", "Message", "MasterFile")
        }
        return Result(
            state=state,
            outcome=str(values["Outcome"]),
            message=str(values["Message"]),
            master=Path(str(values["MasterFile"])),
            stored=int(await self._number(f"{self._acq}Stored_RBV")),
            missing=int(await self._number(f"{self._acq}Missing_RBV")),
        )


def plan_rotation(
    beamline: Beamline,
    sweep: Sweep,
    *,
    axis: str,
    detectors: list[str],
    count_time: float | None,
    directory: Path,
    name: str,
) -> Plan:
    """A plan from what a user types.

    Args:
        beamline: The description.
        sweep: What the main detector sees.
        axis: Motor that turns.
        detectors: NAME, or NAME=FRAMES for another number of frames over the same angles.
        count_time: Exposure of the main detector in seconds.
        directory: Where files go.
        name: Stem of their names.

    Raises:
        ScanError: A name or a number is wrong.
    """
    if axis not in beamline.goniometer.values():
        known = ", ".join(beamline.goniometer.values())
        raise ScanError(f"axis: {axis!r} is no goniometer axis of {beamline.name}; there are {known}")
    sweeps: dict[str, Sweep] = {}
    for text in detectors:
        detector, _, frames = text.partition("=")
        if detector not in [d.name for d in beamline.detectors]:
            known = ", ".join(d.name for d in beamline.detectors)
            raise ScanError(f"detector: no {detector!r} at {beamline.name}; there are {known}")
        if frames and not frames.isdigit():
            raise ScanError(f"detector: {text!r} has no number of frames; right is {detector}=100")
        sweeps[detector] = sweep.over(int(frames)) if frames else sweep
    return Plan(axis=axis, sweeps=sweeps, count_time=count_time, directory=directory.resolve(), name=name)
