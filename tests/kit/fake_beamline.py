"""Cameras and motors that do what a test tells them, in its own loop, and a real writer beside them."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from ioc import names
from ioc.client import Client
from ioc.records import Kind, PutError, PvClass, Record
from ioc.server import Server
from ioc.tables.cam import cam, truth
from layouts.beamline import Beamline, Preset, load
from softbeam.ports import own_ports
from tests.kit.programs import Program, program
from tests.kit.push import Push

MOTOR = (
    Record(name="RBV", kind=Kind.DOUBLE),
    Record(name="DMOV", kind=Kind.SHORT, initial=1),
    Record(name="RDBD", kind=Kind.DOUBLE, initial=0.0),
    Record(name="VAL", kind=Kind.DOUBLE, pv_class=PvClass.ACTS),
)


@dataclass
class Plan:
    """What the next Acquire of a camera does.

    Attributes:
        images: Frames of the series; NumImages unless given.
        skip: Frames that are lost.
        stop_after: Frames after which it sends nothing more and hangs until it is aborted.
        gap: Seconds between frames.
        end: Whether the end message is sent.
        refuse: Reason why Acquire is refused.
        silent: Seconds from the end message until it says how the series has ended.
    """

    images: int | None = None
    skip: tuple[int, ...] = ()
    stop_after: int | None = None
    gap: float = 0.0
    end: bool = True
    refuse: str = ""
    silent: float = 0.0


class FakeCamera:
    """A camera over a PUSH socket: as much of an Eiger as the coordinator sees."""

    def __init__(self, server: Server, beamline: Beamline, detector: str, push: Push) -> None:
        own = beamline.detector(detector)
        self.push, self.plan, self.series = push, Plan(), 0
        self.parameters: dict[str, object] = {}
        self.sent = asyncio.Event()
        self.device = server.device(
            names.cam(beamline.prefix, own.pv, beamline.preset), cam(own.spec.generation, detector), self._put
        )
        self.truth = server.device(names.sim(beamline.prefix, own.pv), truth())
        push.socket.set(zmq.SNDTIMEO, 1000)
        self._abort = asyncio.Event()
        self._busy: asyncio.Future[None] | None = None

    async def close(self) -> None:
        """End what it is doing; its socket is used by nobody then."""
        self._abort.set()
        if self._busy is not None:
            await asyncio.shield(self._busy)

    async def _send(self, what, *arguments, **more) -> None:
        with contextlib.suppress(zmq.Again):
            await asyncio.to_thread(what, *arguments, **more)

    async def boot(self) -> None:
        slow, fast = self.push.shape
        await self.device.post_all(
            {"ArraySizeX_RBV": fast, "ArraySizeY_RBV": slow, "DataType": "UInt16", "DataType_RBV": "UInt16"}
        )
        await self.device.settle("AcquirePeriod", 0.01)
        await self.device.settle("AcquireTime", 0.009)

    async def _put(self, name, value):
        if name != "Acquire":
            await self.device.settle(name, value)
        elif value == "Done":
            self._abort.set()
            if self._busy is not None:
                await asyncio.shield(self._busy)
        elif self._busy is None:
            if self.plan.refuse:
                plan, self.plan = self.plan, Plan()
                await self.device.post("StatusMessage_RBV", plan.refuse)
                raise PutError(plan.refuse)
            await self._series()
        else:
            await asyncio.shield(self._busy)

    async def _series(self) -> None:
        plan, self.series = self.plan, self.series + 1
        self._abort.clear()
        self._busy = asyncio.get_running_loop().create_future()
        try:
            await self._run(plan)
        finally:
            busy, self._busy = self._busy, None
            busy.set_result(None)

    async def _run(self, plan: Plan) -> None:
        await self.device.post("DetectorState_RBV", "Acquire")
        await self.device.post("Acquire_RBV", "Acquiring")
        images = int(self.device["NumImages"])
        number = self.series
        await self.device.post("SequenceId", number)
        said = {"images": images} | self.parameters
        await self._send(self.push.start, number, **said)
        for frame in range(plan.images or images):
            if frame == plan.stop_after:
                self.sent.set()
                await self._abort.wait()
            if self._abort.is_set():
                break
            if frame not in plan.skip:
                await self._send(self.push.image, number, frame)
            if plan.gap:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._abort.wait(), plan.gap)
        if plan.end:
            await self._send(self.push.end, number)
        await asyncio.sleep(plan.silent)
        state = "Aborted" if self._abort.is_set() else "Idle"
        await self.truth.post("Truth_RBV", f'{{"series": {number}, "seed": 7}}')
        await self.device.post("DetectorState_RBV", state)
        await self.device.post("Acquire_RBV", "Done")
        await self.device.post("Acquire", "Done")
        self.plan = Plan()


class FakeMotors:
    """Motors that are where they are put."""

    def __init__(self, server: Server, beamline: Beamline) -> None:
        self.devices = {}
        for motor in beamline.motors:
            prefix = names.motor(beamline.prefix, motor.pv) + "."
            self.devices[motor.name] = server.device(prefix, MOTOR, self._mover(motor.name))
        self._initial = {m.name: m.initial for m in beamline.motors}

    def _mover(self, name):
        async def put(record, value):
            await self.move(name, value)

        return put

    async def boot(self) -> None:
        for name, value in self._initial.items():
            await self.devices[name].post("RBV", value)

    async def move(self, name: str, value: float) -> None:
        device = self.devices[name]
        await device.post("DMOV", 0)
        await device.post("RBV", value)
        await device.post("DMOV", 1)


@dataclass
class FakeBeamline:
    """Everything of one test."""

    beamline: Beamline
    directory: Path
    client: Client
    cameras: dict[str, FakeCamera]
    motors: FakeMotors
    writer: Program
    states: dict[str, list[object]] = field(default_factory=dict)

    def hdf(self, detector: str, record: str) -> str:
        pv = self.beamline.detector(detector).pv
        return names.hdf(self.beamline.prefix, pv, self.beamline.preset) + record

    def cam(self, detector: str, record: str) -> str:
        pv = self.beamline.detector(detector).pv
        return names.cam(self.beamline.prefix, pv, self.beamline.preset) + record

    def odin(self, detector: str, record: str) -> str:
        return names.odin(self.beamline.prefix, self.beamline.detector(detector).pv) + record

    def node(self, detector: str, number: int, record: str) -> str:
        return names.odin_node(self.beamline.prefix, self.beamline.detector(detector).pv, number) + record

    def acq(self, record: str) -> str:
        return names.acq(self.beamline.prefix) + record

    async def put(self, pv: str, value: object) -> None:
        await self.client.put(pv, value, wait=True, timeout=30.0)

    async def get(self, pv: str) -> object:
        return await self.client.get(pv, 5.0)

    async def watch(self, pv: str) -> list[object]:
        """Every value of a PV from now on."""
        seen = self.states[pv] = []
        await self.client.subscribe(pv, lambda reading: seen.append(reading.value))
        return seen

    async def until(self, pv: str, condition: Callable[[object], bool]) -> object:
        """The first value of a PV of which something holds."""
        found = asyncio.get_running_loop().create_future()

        def look(reading):
            if reading.connected and not found.done() and condition(reading.value):
                found.set_result(reading.value)

        end = await self.client.subscribe(pv, look)
        try:
            return await asyncio.wait_for(found, 20.0)
        finally:
            end()

    async def setup(self, *, name: str = "run", images: int = 10, detectors: str = "EIG1") -> None:
        """What a client puts before Start."""
        await self.put(self.acq("Name"), name)
        await self.put(self.acq("Detectors"), detectors)
        for detector in detectors.split(","):
            await self.put(self.cam(detector, "NumImages"), images)

    async def acquire(self, **setup) -> str:
        """A whole acquisition; returns its outcome."""
        await self.setup(**setup)
        with contextlib.suppress(Exception):
            await self.put(self.acq("Start"), 1)
        return str(await self.get(self.acq("Outcome_RBV")))


def small_beamline(pushes: dict[str, Push], **storage: object) -> Beamline:
    """The built-in beamline on ports of its own, its detectors behind these sockets, impatient."""
    beamline = own_ports(load())
    values = beamline.model_dump(mode="json")
    values["storage"] |= {"stall_timeout": 0.6, "grace": 0.4, "reserve": 0} | storage
    for detector in values["detectors"]:
        detector["stream"]["endpoint"] = pushes[detector["name"]].endpoint
    return Beamline.model_validate(values)


@contextlib.asynccontextmanager
async def fake_beamline(
    directory: Path,
    *,
    images_per_file: int | None = None,
    workers: int = 1,
    motors: bool = True,
    preset: str = "adcore",
    environment: Mapping[str, str] | None = None,
    metrics_port: int = 0,
    main: Mapping[str, object] | None = None,
    **storage: object,
) -> AsyncIterator[FakeBeamline]:
    """Cameras, motors and a real writer, for one test; ``main`` are keys of the first detector."""
    pushes = {name: Push(2) for name in ("EIG1", "EIG2")}
    beamline = small_beamline(pushes, **storage).model_copy(update={"preset": Preset(preset)})
    said = beamline.ca.model_copy(update={"metrics_port": metrics_port})
    beamline = beamline.model_copy(update={"ca": said})
    if images_per_file is not None or workers > 1 or main:
        values = beamline.model_dump(mode="json")
        for detector in values["detectors"]:
            if images_per_file is not None:
                detector["images_per_file"] = images_per_file
        values["detectors"][0] |= {"workers": workers, "frames_per_block": 2 if workers > 1 else 1}
        values["detectors"][0] |= main or {}
        beamline = Beamline.model_validate(values)
    file = directory / "beamline.json"
    file.write_text(beamline.model_dump_json())
    server = Server(port=beamline.ca.sim_port)
    cameras = {name: FakeCamera(server, beamline, name, push) for name, push in pushes.items()}
    moving = FakeMotors(server, beamline if motors else beamline.model_copy(update={"motors": ()}))
    client = Client([f"127.0.0.1:{beamline.ca.sim_port}", f"127.0.0.1:{beamline.ca.writer_port}"])
    await server.start()
    for camera in cameras.values():
        await camera.boot()
    await moving.boot()
    command = ["-m", "writer", "--beamline", file, "--data", directory / "data"]
    running = program(command, directory, env=environment or os.environ)
    writer = await asyncio.to_thread(running.__enter__)
    rig = FakeBeamline(beamline, directory, client, cameras, moving, writer)
    try:
        for detector in pushes:
            await rig.until(rig.hdf(detector, "Connected_RBV"), lambda v: v == "Yes")
        yield rig
    except BaseException as error:
        error.add_note(writer.said())
        raise
    finally:
        for camera in cameras.values():
            await camera.close()
        await client.close()
        await asyncio.to_thread(running.__exit__, None, None, None)
        await server.close()
        for push in pushes.values():
            push.close()
