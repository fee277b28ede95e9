"""Where every motor stood for the frames of one detector, from what its monitors and the detector said.

A rotation comes from the plan (the detector's goniometer start and increment), exact for each frame; a motor
at rest from its monitors. A motor that moved with nothing to tie frames to it keeps the value it had at the
start and says so: monitors are never matched to frames by the clock.

One number stays one number: readers look for the axis that changes, so a resting motor's encoder noise must
not look like a scan.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from layouts.beamline import Motor
from layouts.capture import AxisPositions, Origin
from layouts.stream.messages import GoniometerAxis

_SURENESS = (Origin.PLAN, Origin.REST, Origin.MOVING, Origin.CONFIGURED)
_SHORTEST_JUDGED = 0.5
"""Seconds below which a rotation is over before its monitors could contradict the plan."""


@dataclass(slots=True)
class History:
    """What one motor's monitors said, by time.

    Attributes:
        tolerance: Readbacks that differ by no more are the same position, in the motor's units.
    """

    tolerance: float
    _times: list[float] = field(default_factory=list[float])
    _values: list[float] = field(default_factory=list[float])
    _done_times: list[float] = field(default_factory=list[float])
    _done: list[bool] = field(default_factory=list[bool])

    def add(self, time: float, value: float) -> None:
        """Note a readback (RBV); time in seconds since 1970."""
        at = bisect_right(self._times, time)
        self._times.insert(at, time)
        self._values.insert(at, value)

    def add_done(self, time: float, *, done: bool) -> None:
        """Note an edge of DMOV."""
        at = bisect_right(self._done_times, time)
        self._done_times.insert(at, time)
        self._done.insert(at, done)

    @property
    def known(self) -> bool:
        """Whether any readback ever came."""
        return bool(self._times)

    def at(self, time: float) -> float:
        """The readback at a time: the last before it, or the first ever; NaN if there is none."""
        if not self._times:
            return float("nan")
        return self._values[max(0, bisect_right(self._times, time) - 1)]

    def extremes(self, begin: float, end: float) -> tuple[float, float]:
        """Lowest and highest readback between two times, with the one that held at the first."""
        inside = self._values[bisect_left(self._times, begin) : bisect_right(self._times, end)]
        values = [self.at(begin), *inside]
        return min(values), max(values)

    def moved(self, begin: float, end: float) -> bool:
        """Whether it moved between two times: readbacks beyond the tolerance, and DMOV not 1 all along."""
        low, high = self.extremes(begin, end)
        start = self.at(begin)
        if max(high - start, start - low) <= self.tolerance:
            return False
        if not self._done_times:
            return True
        before = bisect_right(self._done_times, begin) - 1
        seen = self._done[max(0, before) : bisect_right(self._done_times, end)]
        return not all(seen)

    def copy(self) -> History:
        """The same as it is now: for a thread, while monitors go on coming."""
        return History(self.tolerance, [*self._times], [*self._values], [*self._done_times], [*self._done])

    def forget(self, before: float) -> None:
        """Drop what no later question needs; the value that held at that time stays."""
        keep = max(0, bisect_right(self._times, before) - 1)
        del self._times[:keep], self._values[:keep]
        keep = max(0, bisect_right(self._done_times, before) - 1)
        del self._done_times[:keep], self._done[:keep]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Frames taken in one go: a series, or what one trigger of it gave.

    Attributes:
        rows: Places they take; spans follow one another without a gap.
        first: Number of the first one in its series.
        begin: Seconds since 1970 when its exposure began.
        end: When the last exposure was over.
        plan: What the detector was told of its goniometer, by SIMPLON's axis.
        opens_series: Whether it is the first of its series.
    """

    rows: int
    first: int = 0
    begin: float
    end: float
    plan: Mapping[str, GoniometerAxis] = field(default_factory=dict[str, GoniometerAxis])
    opens_series: bool = True


@dataclass(frozen=True, slots=True)
class _Place:
    value: float
    increment: float
    origin: Origin


def tolerance(motor: Motor, deadband: float = 0.0) -> float:
    """By how much two readbacks of a motor may differ and be one position: RDBD or the last digit shown."""
    return max(deadband, motor.resolution, 10.0**-motor.precision)


def positions(
    motors: Sequence[Motor],
    histories: Mapping[str, History],
    spans: Sequence[Span],
    goniometer: Mapping[str, str],
) -> dict[str, AxisPositions]:
    """Positions of every motor for the frames of one detector.

    Args:
        motors: Of the beamline file.
        histories: By motor name; a motor without one never answered.
        spans: All frames of the capture, in order of places.
        goniometer: Motor behind each SIMPLON axis, from the beamline file.
    """
    axes = {motor: axis for axis, motor in goniometer.items()}
    return {
        motor.name: _axis(motor, histories.get(motor.name), spans, axes.get(motor.name)) for motor in motors
    }


def _axis(motor: Motor, history: History | None, spans: Sequence[Span], axis: str | None) -> AxisPositions:
    known = history if history is not None and history.known else None
    places: list[_Place] = []
    for index, span in enumerate(spans):
        plan = span.plan.get(axis) if axis is not None else None
        if plan is not None and plan.increment != 0.0:
            places.append(_Place(plan.start + span.first * plan.increment, plan.increment, Origin.PLAN))
        elif known is None:
            places.append(_Place(motor.initial, 0.0, Origin.CONFIGURED))
        else:
            origin = Origin.MOVING if known.moved(span.begin, span.end) else Origin.REST
            places.append(_Place(_resting(known, spans, places, index), 0.0, origin))
    readback = np.array([known.at(s.begin) if known else np.nan for s in spans if s.opens_series])
    if not places:
        value = known.at(float("inf")) if known else motor.initial
        places = [_Place(value, 0.0, Origin.REST if known else Origin.CONFIGURED)]
        return AxisPositions(values=np.array([value]), origin=places[0].origin, readback=readback)
    origin = max((p.origin for p in places), key=_SURENESS.index)
    increments = {p.increment for p in places}
    if len(increments) == 1 and (increment := increments.pop()) != 0.0:
        values = np.concatenate([_ramp(p, s.rows) for p, s in zip(places, spans, strict=True)])
        return AxisPositions(values=values, increment=increment, origin=origin, readback=readback)
    if len({p.value for p in places}) == 1 and not any(p.increment for p in places):
        return AxisPositions(values=np.array([places[0].value]), origin=origin, readback=readback)
    values = np.concatenate([_ramp(p, s.rows) for p, s in zip(places, spans, strict=True)])
    return AxisPositions(values=values, origin=origin, readback=readback)


def _resting(history: History, spans: Sequence[Span], before: Sequence[_Place], index: int) -> float:
    """Readback at the start of a span, or the same number as earlier where it is the same position."""
    value = history.at(spans[index].begin)
    if index and not before[-1].increment and not history.moved(spans[index - 1].begin, spans[index].begin):
        return before[-1].value
    earlier = [p.value for p in before if not p.increment and abs(p.value - value) <= history.tolerance]
    return earlier[0] if earlier else value


def _ramp(place: _Place, rows: int) -> NDArray[np.float64]:
    return place.value + place.increment * np.arange(rows, dtype=np.float64)


def doubts(
    motors: Sequence[Motor],
    histories: Mapping[str, History],
    spans: Sequence[Span],
    goniometer: Mapping[str, str],
) -> list[str]:
    """Where plan and monitors contradict each other, one sentence each; the plan is written all the same."""
    found: list[str] = []
    for axis, name in goniometer.items():
        history = histories.get(name)
        motor = next((m for m in motors if m.name == name), None)
        if motor is None or history is None or not history.known:
            continue
        for span in spans:
            plan = span.plan.get(axis)
            if plan is None or plan.increment == 0.0 or span.end - span.begin < _SHORTEST_JUDGED:
                continue
            start = plan.start + span.first * plan.increment
            stop = start + span.rows * plan.increment
            low, high = history.extremes(span.begin, span.end)
            if high - low < abs(stop - start) / 10 or high < min(start, stop) or low > max(start, stop):
                found.append(
                    f"{name}: the detector was told {start:g} to {stop:g} {motor.units}, "
                    f"its monitors said {low:g} to {high:g}"
                )
                break
    return found
