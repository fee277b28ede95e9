"""NDAttributes at the worker: from changes of PVs to a value for each frame. Pure, and vectorised.

A frame has the value that its PV had when the frame was taken, not when it was read from the socket: the
detector's own clock says how long before its arrival that was. Changes come by another way than frames and
may be late, so what was written is remembered for a second and mended.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from layouts.attributes import AttributeType
from writer.attribute_messages import Attribute, AttributeValue

Times = NDArray[np.int64]
"""ns since 1970."""
KEPT: Final = 1_000_000_000
"""ns for which a change may be late."""
_NEVER: Final = np.iinfo(np.int64).max


def fill(value_type: AttributeType) -> float | int | bytes:
    """What stands for a value that nobody knows, and in places without a frame."""
    dtype = np.dtype(value_type)
    if dtype.kind == "S":
        return b""
    if dtype.kind == "f":
        return float("nan")
    return -1 if dtype.kind == "i" else 0


def as_type(value: AttributeValue, value_type: AttributeType) -> float | int | bytes:
    """A value as its column holds it; what does not fit is not known."""
    dtype = np.dtype(value_type)
    try:
        if value is None:
            return fill(value_type)
        if dtype.kind == "S":
            text = value if isinstance(value, str) else f"{value:.15g}"
            return text.encode()[: dtype.itemsize]
        number = float(value)
        if dtype.kind == "f":
            return number
        whole = int(value) if isinstance(value, int) else int(number)
        limits = np.iinfo(dtype)
        return whole if limits.min <= whole <= limits.max else fill(value_type)
    except (ValueError, OverflowError):
        return fill(value_type)


class History:
    """Values of one attribute, each from a time on.

    Args:
        attribute: Which.
    """

    def __init__(self, attribute: Attribute) -> None:
        self._type: Final = attribute.value_type
        self._dtype: Final = np.dtype(attribute.value_type)
        self._times: list[int] = [-_NEVER]
        self._values = [as_type(attribute.value, self._type)]

    def add(self, when: int, value: AttributeValue) -> None:
        """It has another value from a time on."""
        index = bisect_right(self._times, when)
        self._times.insert(index, when)
        self._values.insert(index, as_type(value, self._type))

    def at(self, times: Times) -> NDArray[np.generic]:
        """Values at these times, shape (n,)."""
        if len(self._times) == 1:
            return np.full(times.shape, self._values[0], dtype=self._dtype)
        index = np.searchsorted(np.asarray(self._times), times, side="right") - 1
        return np.asarray(self._values, dtype=self._dtype)[np.maximum(index, 0)]

    def forget(self, before: int) -> None:
        """Nothing before a time is asked for again."""
        index = bisect_right(self._times, before) - 1
        if index > 0:
            del self._times[:index], self._values[:index]


class Clock:
    """When frames were taken, by the clock of this host.

    The exposure's end, by the detector's clock, on the shortest way any frame of its series had to here: what
    a frame waited longer it spent in queues. A stream without times leaves only the arrival.
    """

    def __init__(self) -> None:
        self._series: int | None = None
        self._way = _NEVER
        self._ends: dict[int, int] = {}

    def ended(self, series: int, when: int) -> None:
        """The camera was no longer taking frames of a series at a time."""
        self._ends[series] = when

    def taken(self, series: Times, stop: Times, arrival: Times) -> Times:
        """Of frames in order, all of shape (n,): their series, exposure end by the detector, and arrival."""
        found = np.empty_like(arrival)
        breaks = [0, *(np.flatnonzero(np.diff(series)) + 1).tolist(), series.size]
        for begin, end in itertools.pairwise(breaks):
            number, part = int(series[begin]), slice(begin, end)
            if number != self._series:
                self._series, self._way = number, _NEVER
            way = np.minimum.accumulate(np.minimum(arrival[part] - stop[part], self._way))
            self._way = int(way[-1])
            found[part] = np.where(stop[part] > 0, way + stop[part], arrival[part])
            np.minimum(found[part], self._ends.get(number, _NEVER), out=found[part])
        return found


class _Block(NamedTuple):
    places: NDArray[np.int64]
    series: Times
    taken: Times
    newest: int


class Write(NamedTuple):
    """Values to be written.

    Attributes:
        column: Index of the attribute.
        places: Ascending, shape (n,).
        values: Of its type, shape (n,).
    """

    column: int
    places: NDArray[np.int64]
    values: NDArray[np.generic]


class AttributeBook:
    """All attributes of a capture.

    Args:
        attributes: In order; constants, and what is counted, need no values.
    """

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self._histories = {
            i: History(a) for i, a in enumerate(attributes) if not a.constant and not a.per_frame
        }
        self._clock = Clock()
        self._blocks: deque[_Block] = deque()
        self._late: dict[int, int] = {}
        """Time from which on what was written of an attribute may be wrong."""

    def note(
        self, changes: Iterable[tuple[int, int, AttributeValue]], ends: Iterable[tuple[int, int]] = ()
    ) -> None:
        """Values have changed, or series have ended, as in ``AttributeValues``."""
        for index, when, value in changes:
            history = self._histories.get(index)
            if history is not None:
                history.add(when, value)
                self._late[index] = min(when, self._late.get(index, _NEVER))
        for series, when in ends:
            # What changes together with the end, such as the camera's state, is no value of a frame.
            self._clock.ended(series, when - 1)
            self._clamp(series, when - 1)

    def take(self, places: NDArray[np.int64], series: Times, stop: Times, arrival: Times) -> list[Write]:
        """Frames have come: what to write of them; all of shape (n,), places ascending."""
        if not self._histories:
            return []
        taken = self._clock.taken(series, stop, arrival)
        newest = int(arrival.max())
        self._blocks.append(_Block(places, series, taken, newest))
        while self._blocks[0].newest < newest - KEPT:
            self._blocks.popleft()
        oldest = min(int(block.taken.min()) for block in self._blocks)
        found = [Write(i, places, history.at(taken)) for i, history in self._histories.items()]
        for history in self._histories.values():
            history.forget(oldest - KEPT)
        return found

    def mend(self) -> list[Write]:
        """What was written and has turned out to be otherwise."""
        late, self._late = self._late, {}
        found: list[Write] = []
        for index, since in late.items():
            for block in self._blocks:
                if block.newest < since:  # nearly always: a change is rarely late
                    continue
                wrong = block.taken >= since
                if wrong.any():
                    values = self._histories[index].at(block.taken[wrong])
                    found.append(Write(index, block.places[wrong], values))
        return found

    def _clamp(self, series: int, when: int) -> None:
        """Frames that seemed to be taken after the end were taken before it."""
        for block in self._blocks:
            wrong = (block.series == series) & (block.taken > when)
            if wrong.any():
                block.taken[wrong] = when
                self._late = {i: min(when, self._late.get(i, _NEVER)) for i in self._histories}
