"""What the coordinator knows of motors and cameras, by Channel Access: real ones and simulated ones alike.

Names come from the beamline file. A PV that nobody serves is simply not known: the masters then say so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from ioc import names
from ioc.client import Client, Reading
from layouts.beamline import Beamline, Detector
from layouts.stream.messages import GoniometerAxis
from writer.positions import History, tolerance
from writer.steps import CameraState

_log = logging.getLogger(__name__)

_CLOCKS_AGREE: Final = 2.0
"""Seconds within which a server's time stamp is believed; beyond, the time of arrival is taken."""
_ANSWER_WITHIN: Final = 3.0
"""Seconds that PVs which were never seen get to answer."""
_KEPT: Final = 60.0
"""Seconds of history before the earliest capture."""
_AXES: Final = {"omega": "Omega", "chi": "Chi", "kappa": "Kappa", "phi": "Phi", "two_theta": "TwoTheta"}
_NUMBERS: Final = {
    "NumImages_RBV": "images_per_trigger",
    "NumTriggers_RBV": "triggers",
    "AcquireTime_RBV": "count_time",
    "AcquirePeriod_RBV": "frame_time",
    "PhotonEnergy_RBV": "energy",
    "ThresholdEnergy_RBV": "threshold",
    "ArraySizeX_RBV": "width",
    "ArraySizeY_RBV": "height",
}
_TEXTS: Final = {
    "TriggerMode_RBV": "trigger_mode",
    "DataType_RBV": "data_type",
    "StatusMessage_RBV": "message",
    "DetectorState_RBV": "state",
}
_ONE_BY_ONE: Final = ("Internal Enable", "External Enable", "External Gate")
"""Trigger modes in which each trigger gives one frame."""


@dataclass(slots=True)
class Episode:
    """From Acquire to its end, by the camera's own clock, seconds since 1970.

    Attributes:
        series: SequenceId, which is the series' number in the stream; None where the camera does not say.
    """

    begin: float
    end: float | None = None
    series: int | None = None


@dataclass(slots=True)
class Camera:
    """What a camera's PVs say; None and empty where they have not answered.

    Times are in seconds, energies in eV, sizes in pixels.
    """

    connected: bool = False
    state: str = ""
    message: str = ""
    trigger_mode: str = ""
    data_type: str = ""
    images_per_trigger: float | None = None
    triggers: float | None = None
    count_time: float | None = None
    frame_time: float | None = None
    energy: float | None = None
    threshold: float | None = None
    width: float | None = None
    height: float | None = None
    starts: dict[str, float] = field(default_factory=dict[str, float])
    increments: dict[str, float] = field(default_factory=dict[str, float])
    episodes: list[Episode] = field(default_factory=list[Episode])

    @property
    def per_trigger(self) -> int | None:
        """Frames of one trigger."""
        if self.trigger_mode in _ONE_BY_ONE:
            return 1
        return None if self.images_per_trigger is None else int(self.images_per_trigger)

    @property
    def images(self) -> int | None:
        """Frames of one arm, over all triggers; None where it has no end or is not known."""
        if self.per_trigger is None or self.trigger_mode == "Continuous":
            return None
        return self.per_trigger * max(1, int(self.triggers or 1))

    @property
    def may_pause(self) -> bool:
        """Whether a pause of any length between two frames is in order."""
        return self.trigger_mode in (*_ONE_BY_ONE, "Continuous")

    @property
    def plan(self) -> dict[str, GoniometerAxis]:
        """The goniometer as the camera was told, by SIMPLON's names."""
        both = self.starts.keys() & self.increments.keys()
        return {
            axis: GoniometerAxis(self.starts[axis], self.increments[axis]) for axis in _AXES if axis in both
        }

    @property
    def shape(self) -> tuple[int, int] | None:
        """Pixels, (slow, fast)."""
        return (int(self.height), int(self.width)) if self.height and self.width else None

    @property
    def dtype(self) -> Literal["uint8", "uint16", "uint32"] | None:
        """As numpy names it."""
        known: dict[str, Literal["uint8", "uint16", "uint32"]] = {
            "UInt8": "uint8",
            "UInt16": "uint16",
            "UInt32": "uint32",
        }
        return known.get(self.data_type)

    def exposures(self, since: float) -> dict[int, Episode]:
        """When each series was taken, by its number; of those that began after a time."""
        return {e.series: e for e in self.episodes if e.series is not None and e.begin >= since}

    @property
    def last_series(self) -> int | None:
        """Number of the series of its latest Acquire, once it has said so."""
        return self.episodes[-1].series if self.episodes else None

    def take(self, record: str, value: Any, when: float) -> None:
        """Note what one of its PVs says, and since when."""
        if record == "DetectorState_RBV":
            self._note_state(str(value), when)
        if record == "SequenceId":
            if self.episodes and self.episodes[-1].end is None:
                self.episodes[-1].series = int(value)
        elif record in _TEXTS:
            setattr(self, _TEXTS[record], str(value))
        elif record in _NUMBERS:
            setattr(self, _NUMBERS[record], float(value))
        else:
            for axis, word in _AXES.items():
                if record == f"{word}Start_RBV":
                    self.starts[axis] = float(value)
                elif record == f"{word}Incr_RBV":
                    self.increments[axis] = float(value)

    def _note_state(self, state: str, when: float) -> None:
        if state == "Acquire" != self.state:
            self.episodes.append(Episode(when))
        elif self.state == "Acquire" != state and self.episodes:
            self.episodes[-1].end = when


def camera_records() -> list[str]:
    """Records of a camera that are watched."""
    axes = [f"{word}{what}_RBV" for word in _AXES.values() for what in ("Start", "Incr")]
    return [*_TEXTS, *_NUMBERS, "SequenceId", *axes]


class Watch:
    """Monitors of everything the coordinator needs to know.

    Args:
        beamline: The description.
        client: Finds the PVs.
        on_camera: Called with the detector's name, the record that changed, and the state with it: a camera
            that is armed again at once has another by the time that it is heard of.
    """

    def __init__(
        self,
        beamline: Beamline,
        client: Client,
        on_camera: Callable[[str, str, CameraState], None],
    ) -> None:
        self._beamline, self._client, self._on_camera = beamline, client, on_camera
        self.cameras = {d.name: Camera() for d in beamline.detectors}
        self.histories = {m.name: History(tolerance(m)) for m in beamline.motors}
        self.motor_connected = {m.name: False for m in beamline.motors}
        self._given_up: set[str] = set()
        self._answer = asyncio.Event()

    async def start(self) -> None:
        """Subscribe; PVs that are not there yet are found when they come."""
        prefix = self._beamline.prefix
        for motor in self._beamline.motors:
            record = names.motor(prefix, motor.pv)
            for field_name in ("RBV", "DMOV", "RDBD"):
                await self._client.subscribe(f"{record}.{field_name}", self._motor(motor.name, field_name))
        for detector in self._beamline.detectors:
            for record in camera_records():
                await self._client.subscribe(
                    self.camera_prefix(detector) + record, self._camera(detector.name, record)
                )

    def camera_prefix(self, detector: Detector) -> str:
        """What stands before the records of a detector's camera."""
        return names.cam(self._beamline.prefix, detector.pv, self._beamline.preset)

    async def answered(self, detectors: Iterable[str], within: float = _ANSWER_WITHIN) -> None:
        """Wait for the motors, and for the cameras of some detectors, as far as they have not answered yet.

        A beamline that has just been started needs a moment to be found. What is not found in time is not
        waited for again until it has been there.

        Args:
            detectors: Names.
            within: Seconds at most.
        """
        cameras = list(detectors)
        deadline = time.monotonic() + within

        def silent() -> set[str]:
            found = {name for name, there in self.motor_connected.items() if not there}
            return found | {name for name in cameras if not self.cameras[name].connected}

        self._given_up &= silent()
        if silent() - self._given_up:
            self._client.search_again()
        while silent() - self._given_up and (left := deadline - time.monotonic()) > 0:
            self._answer.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._answer.wait(), left)
        self._given_up |= silent()

    def absent(self) -> list[str]:
        """Motors and cameras that do not answer, in words."""
        motors = [name for name, there in self.motor_connected.items() if not there]
        return motors + [name for name, camera in self.cameras.items() if not camera.connected]

    def forget(self, before: float) -> None:
        """Drop what is older than a minute before a time, seconds since 1970."""
        for history in self.histories.values():
            history.forget(before - _KEPT)
        for camera in self.cameras.values():
            camera.episodes = [e for e in camera.episodes if e.end is None or e.end >= before - _KEPT]

    def _motor(self, name: str, record: str) -> Callable[[Reading], None]:
        history = self.histories[name]
        motor = self._beamline.motor(name)

        def take(reading: Reading) -> None:
            if record == "RBV":
                self.motor_connected[name] = reading.connected
                self._answer.set()
            if not reading.connected or not isinstance(reading.value, int | float):
                return
            when = clock_of(reading)
            if record == "RBV":
                history.add(when, float(reading.value))
            elif record == "DMOV":
                history.add_done(when, done=bool(reading.value))
            else:
                history.tolerance = tolerance(motor, float(reading.value))

        return take

    def _camera(self, name: str, record: str) -> Callable[[Reading], None]:
        camera = self.cameras[name]

        def take(reading: Reading) -> None:
            if record == "DetectorState_RBV":
                camera.connected = reading.connected
                self._answer.set()
            if reading.connected and reading.value is not None:
                camera.take(record, reading.value, clock_of(reading))
            said = CameraState(name, camera.state, camera.message, camera.last_series)
            self._on_camera(name, record, said)

        return take


def clock_of(reading: Reading) -> float:
    """When a PV took its value, seconds since 1970: by its server's clock if that can be believed."""
    now = time.time()
    return reading.timestamp if abs(reading.timestamp - now) < _CLOCKS_AGREE else now
