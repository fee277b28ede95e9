"""The detector as a state machine: what it does at each command, trigger and report.

Mirrors the ``detector/api/1.8.0/command`` and ``status/state`` tasks of the SIMPLON API. Pure: a detector,
an event and the time in, a detector and actions out; nothing here owns a clock or a socket. A series is
armed, takes its triggers, and ends exactly once: by itself when complete, or by disarm, cancel, abort or
initialize.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sim.eiger_config import SERIES_MAX, EigerConfig, GateMode, TriggerMode, set_value

GATE_READOUT = 2e-3
"""Seconds that the readout of a gated image takes; gates within them are lost."""


class RefusedError(ValueError):
    """A command that the detector does not take in its present state; nothing has changed."""


class State(StrEnum):
    """States as SIMPLON names them."""

    NA = "na"
    IDLE = "idle"
    READY = "ready"
    ACQUIRE = "acquire"
    ERROR = "error"


# --- events -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialize:
    """Command: begin anew; ends a series that runs, and series count from 1 again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configure:
    """A config value is set."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Command: begin a series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Command: expose now; in inte it may say for how many seconds."""

    count_time: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """Edge on the external trigger input.

    Attributes:
        at: Time of the rising edge; it may lie a little in the past, when news of it came late.
        width: Seconds until the falling edge: the exposure in exte and extg, of no meaning in exts.
    """

    at: float
    width: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disarm:
    """Command: end the series, after the present image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Command: end the series after the present image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Command: end the series at once and drop what is in the pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """Report: so many frames of the series have left the pipeline, sent or dropped."""

    series: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Report: the readout has died."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Report: the readout is back; series go on counting."""


Event = (
    Initialize | Configure | Arm | Trigger | Pulse | Disarm | Cancel | Abort | Produced | Failed | Recovered
)

# --- actions ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SendStart:
    """Send the start message of a series."""

    series: int
    config: EigerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Expose:
    """Take ``count`` frames, the first numbered ``first`` and begun at time ``at``.

    Frame ``first + k`` is exposed from ``at + k * period`` for ``count_time`` seconds.

    Attributes:
        live: Seconds in which it counts, where the shutter opens and closes several times within them.
    """

    series: int
    first: int
    count: int
    at: float
    period: float
    count_time: float
    live: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate:
    """Take no frames of the series beyond the first ``frames``."""

    series: int
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Discard:
    """Drop all frames of the series that have not been sent."""

    series: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendEnd:
    """Send the end message of a series."""

    series: int


Action = SendStart | Expose | Truncate | Discard | SendEnd
Step = tuple["Eiger", tuple[Action, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Eiger:
    """One detector.

    Attributes:
        config: Its values; fixed while a series runs.
        state: As SIMPLON names it.
        series: Number of the last series armed; 0 before the first.
        triggers: Triggers the series has taken.
        lost_triggers: Pulses of the series that came while none could be taken.
        total: Frames the series is to have; less than planned once it is cancelled.
        produced: Frames of it that have left the pipeline.
        last: The exposures of its last trigger.
        gates: Gates so far of the image under way, in extg.
        error: Why it is in the error state.
    """

    config: EigerConfig
    state: State = State.NA
    series: int = 0
    triggers: int = 0
    lost_triggers: int = 0
    total: int = 0
    produced: int = 0
    last: Expose | None = None
    gates: tuple[Pulse, ...] = ()
    error: str = ""

    @property
    def is_running(self) -> bool:
        """Whether a series is armed."""
        return self.state in (State.READY, State.ACQUIRE)

    @property
    def scheduled(self) -> int:
        """Frames of the series that its triggers have begun so far."""
        return min(self.total, self.last.first + self.last.count if self.last else 0)

    @property
    def busy_until(self) -> float:
        """When the next trigger can be taken."""
        return self.last.at + self.last.count * self.last.period if self.last else -math.inf


def step(eiger: Eiger, event: Event, now: float) -> Step:
    """What the detector does.

    Args:
        eiger: As it is.
        event: What happens.
        now: The time in seconds, on the clock of all exposures.

    Returns:
        The detector as it is then, and what is to be done, in order.

    Raises:
        RefusedError: A command that does not fit the state.
        ConfigError: A value that the detector does not take.
    """
    match event:
        case Configure() | Arm() | Trigger():
            return _command(eiger, event, now)
        case Pulse():
            return _pulse(eiger, event)
        case Produced():
            return _produced(eiger, event)
        case Disarm() | Cancel():
            return _cancel(eiger, now)
        case Abort():
            return _end(eiger, discard=True)
        case Initialize() | Failed() | Recovered():
            return _condition(eiger, event)


def _condition(eiger: Eiger, event: Initialize | Failed | Recovered) -> Step:
    match event:
        case Initialize():
            ended, actions = _end(eiger, discard=True)
            return Eiger(config=ended.config, state=State.IDLE), actions
        case Failed(message=message):
            return replace(eiger, state=State.ERROR, error=message), ()
        case Recovered():
            broken = eiger.state is State.ERROR
            return (replace(eiger, state=State.IDLE, error="") if broken else eiger), ()


def _command(eiger: Eiger, event: Configure | Arm | Trigger, now: float) -> Step:
    if eiger.state is State.NA:
        raise RefusedError("the detector is not initialized; initialize it first")
    if eiger.state is State.ERROR and not isinstance(event, Configure):
        raise RefusedError(f"the detector is in error ({eiger.error}); initialize it first")
    match event:
        case Configure(name=name, value=value):
            if eiger.is_running:
                raise RefusedError(f"{name} cannot change while series {eiger.series} is armed; disarm first")
            return replace(eiger, config=set_value(eiger.config, name, value)[0]), ()
        case Arm():
            return _arm(eiger)
        case Trigger(count_time=count_time):
            return _trigger(eiger, count_time, now)


def _arm(eiger: Eiger) -> Step:
    if eiger.is_running:
        raise RefusedError(f"series {eiger.series} is armed already; disarm or abort it first")
    config = eiger.config
    seconds = config.frames * config.frame_time
    if seconds > SERIES_MAX:
        raise RefusedError(
            f"{config.frames} frames of {config.frame_time:g} s take {seconds:.0f} s; "
            f"a series lasts a week ({SERIES_MAX:.0f} s) at most: ask for fewer or shorter frames"
        )
    armed = Eiger(config=config, state=State.READY, series=eiger.series + 1, total=config.frames)
    return armed, (SendStart(series=armed.series, config=config),)


def _trigger(eiger: Eiger, count_time: float | None, now: float) -> Step:
    mode = eiger.config.trigger_mode
    if mode.is_external:
        raise RefusedError(f"the trigger command means nothing in trigger mode {mode}; send a pulse")
    if eiger.state is not State.READY:
        doing = "exposing" if eiger.state is State.ACQUIRE else "not armed"
        raise RefusedError(f"the detector is {doing}; a trigger is taken when it is ready")
    if count_time is not None and mode is not TriggerMode.INTE:
        raise RefusedError(f"a trigger has an exposure of its own in trigger mode inte only, not in {mode}")
    if count_time is not None and count_time < eiger.config.readout.count_time_min:
        raise RefusedError(f"an exposure of {count_time:g} s is too short")
    return _expose(eiger, now, count_time)


def _pulse(eiger: Eiger, pulse: Pulse) -> Step:
    mode = eiger.config.trigger_mode
    if not eiger.is_running or not mode.is_external:
        return eiger, ()
    taken = eiger.scheduled < eiger.total and pulse.at >= eiger.busy_until - 1e-9
    if mode is not TriggerMode.EXTS and pulse.width < eiger.config.readout.count_time_min:
        taken = False
    if not taken:
        return replace(eiger, lost_triggers=eiger.lost_triggers + 1), ()
    if mode is TriggerMode.EXTG:
        return _gate(eiger, pulse)
    return _expose(eiger, pulse.at, pulse.width if mode is TriggerMode.EXTE else None)


def _gate(eiger: Eiger, pulse: Pulse) -> Step:
    """A gate of an image, or of a pair; the readout follows the last one."""
    config = eiger.config
    gates = (*eiger.gates, pulse)
    pair = config.extg_mode is GateMode.PUMP_PROBE
    if len(gates) < config.nexpi * (2 if pair else 1):
        return replace(eiger, state=State.ACQUIRE, triggers=eiger.triggers + 1, gates=gates), ()
    counters = (gates[0::2], gates[1::2]) if pair else (gates,)
    over = gates[-1].at + gates[-1].width + GATE_READOUT
    images: list[Expose] = []
    for number, counted in enumerate(counters[: eiger.total - eiger.scheduled]):
        at, last = counted[0].at, counted[-1]
        images.append(
            Expose(
                series=eiger.series,
                first=eiger.scheduled + number,
                count=1,
                at=at,
                period=over - at,
                count_time=last.at + last.width - at,
                live=sum(gate.width for gate in counted),
            )
        )
    read = replace(eiger, state=State.ACQUIRE, triggers=eiger.triggers + 1, gates=(), last=images[-1])
    return read, tuple(images)


def _expose(eiger: Eiger, at: float, count_time: float | None) -> Step:
    config = eiger.config
    period = config.frame_time if count_time is None else count_time + config.readout_time
    expose = Expose(
        series=eiger.series,
        first=eiger.scheduled,
        count=config.frames_per_trigger,
        at=at if config.trigger_mode.is_enable else at + config.trigger_start_delay,
        period=period,
        count_time=config.count_time if count_time is None else count_time,
    )
    return replace(eiger, state=State.ACQUIRE, triggers=eiger.triggers + 1, last=expose), (expose,)


def _produced(eiger: Eiger, report: Produced) -> Step:
    if not eiger.is_running or report.series != eiger.series:
        return eiger, ()
    eiger = replace(eiger, produced=max(eiger.produced, report.frames))
    if eiger.produced >= eiger.total:
        return _end(eiger, discard=False)
    waits = eiger.produced >= eiger.scheduled and not eiger.gates
    return (replace(eiger, state=State.READY) if waits else eiger), ()


def _cancel(eiger: Eiger, now: float) -> Step:
    if not eiger.is_running:
        return eiger, ()
    frames = eiger.scheduled
    if eiger.last is not None:
        begun = math.floor((now - eiger.last.at) / eiger.last.period + 1e-9) + 1
        frames = min(frames, eiger.last.first + max(0, begun))
    frames = max(frames, eiger.produced)
    cancelled = replace(eiger, total=frames)
    actions = (Truncate(series=eiger.series, frames=frames),)
    if cancelled.produced < frames:
        return cancelled, actions
    ended, more = _end(cancelled, discard=False)
    return ended, actions + more


def _end(eiger: Eiger, *, discard: bool) -> Step:
    if not eiger.is_running:
        return eiger, ()
    end = SendEnd(series=eiger.series)
    actions = (Discard(series=eiger.series), end) if discard else (end,)
    return replace(eiger, state=State.IDLE, gates=()), actions
