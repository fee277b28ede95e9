"""NDAttributes at the coordinator: which a capture has, and changes of their PVs on the way to its worker.

PVs are watched from the moment a client's XML names them, so that a capture begins with their values. Changes
go out at once, as the last frame of a capture may be near; where they come without a pause, fifty times a
second.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ioc.circuit import CaError, Reading
from ioc.client import Client
from layouts.attributes import AttributesError, AttributeType, load
from writer import control
from writer.attribute_messages import Attribute, AttributeValue
from writer.attribute_sources import Feed, Wanted, as_set, attribute, merged, value, wanted
from writer.orders import Order
from writer.preview.settings import Settings
from writer.supervisor import WorkerAbsentError
from writer.watch import clock_of

_log = logging.getLogger(__name__)

_RATE: Final = 50.0
"""Messages a second to a worker, at length."""
_BURST: Final = 50
"""Messages that may go at once after quiet."""
_WITHIN: Final = 0.5
"""Seconds that PVs nobody has heard of get to answer before a capture, as ADCore gives them."""

Send = Callable[[str, control.AttributeValues], None]


@dataclass(slots=True)
class _Active:
    """A capture's columns, and what its worker has not been told."""

    columns: dict[str, list[tuple[int, AttributeType]]]
    capture: str = ""
    changes: list[tuple[int, int, AttributeValue]] = field(
        default_factory=list[tuple[int, int, AttributeValue]]
    )
    ends: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    told: set[int] = field(default_factory=set[int])
    credit: float = _BURST
    """Messages that may go at once, at the time of the last."""
    sent: float = 0.0
    waiting: asyncio.TimerHandle | None = None


class AttributeWatch:
    """Watches the PVs of all detectors' attributes.

    Args:
        client: Finds them.
        feeds: By detector, whatever records ask for attributes; of two with one name the later counts.
        send: Takes messages to a detector's worker.
        settings: Tells how a detector's statistics are computed.
    """

    def __init__(
        self,
        client: Client,
        feeds: Mapping[str, Sequence[Feed]],
        send: Send,
        settings: Callable[[str], Settings],
    ) -> None:
        self._client, self._feeds, self._send, self._settings = client, feeds, send, settings
        self._readings: dict[str, Reading] = {}
        self._known: set[str] = set()
        self._asked: set[str] = set()
        self._heard = asyncio.Event()
        self._active: dict[str, _Active] = {}

    async def start(self) -> None:
        """Watch what is asked for, so that a capture need not wait for what is asked."""
        for feeds in self._feeds.values():
            for feed in feeds:
                for record in ("NDAttributesFile", "NDAttributesMacros"):
                    await self._watch(feed.prefix + record)

    async def dress(self, order: Order, stores: Mapping[str, bool]) -> tuple[Order, dict[str, str]]:
        """Give an order the attributes of its captures.

        Args:
            order: Is about to begin.
            stores: By detector, whether attributes are wanted at all (``StoreAttr``).

        Returns:
            The order, and what is wrong with some attributes, in words by detector.
        """
        captures, doubts = dict(order.captures), dict[str, str]()
        for name, capture in order.captures.items():
            if not stores[name]:
                captures[name] = replace(capture, attributes=None)
                continue
            settings = self._settings(name)
            columns, problems = await self.prepare(name, settings)
            looks = any(column.statistic for column in columns)
            captures[name] = replace(capture, attributes=columns, previews=settings if looks else None)
            if problems:
                doubts[name] = "; ".join(problems)
                _log.warning("%s: %s", name, doubts[name])
        return replace(order, captures=captures), doubts

    async def prepare(
        self, detector: str, settings: Settings
    ) -> tuple[tuple[Attribute, ...], tuple[str, ...]]:
        """The attributes of a detector's next capture, with their values now.

        From here on changes are kept for ``begin``.

        Returns:
            Columns, and what is wrong with some, in words.
        """
        lists, problems = await self._asked_for(detector)
        found = [as_set(one, settings) for one in merged(lists)]
        for pv in {one.pv for one in found if one.pv}:
            await self._watch(pv)
        await self._wait({one.pv for one in found if one.pv})
        columns = tuple(attribute(one, self._readings.get(one.pv)) for one in found)
        where: dict[str, list[tuple[int, AttributeType]]] = {}
        for index, (one, column) in enumerate(zip(found, columns, strict=True)):
            if one.pv and not one.per_frame:
                where.setdefault(one.pv, []).append((index, column.value_type))
        self._active[detector] = _Active(where)
        problems += [f"attribute {one.source.name}: {one.problem}" for one in found if one.problem]
        problems += [f"attribute {one.source.name}: {one.doubt}" for one in found if one.doubt]
        problems += [
            f"attribute {one.source.name}: {one.pv} does not answer, its values are not known"
            for one in found
            if one.pv and not self._answers(one.pv)
        ]
        return columns, tuple(problems)

    def begin(self, detector: str, capture: str) -> None:
        """The worker has been told of the capture: send what has changed since ``prepare``, and then all."""
        active = self._active.get(detector)
        if active is not None:
            active.capture = capture
            self._later(detector, active)

    def ended(self, detector: str, series: int, when: float) -> None:
        """The camera has no longer been taking frames of a series since a time, seconds since 1970."""
        active = self._active.get(detector)
        if active is not None and series not in active.told:
            active.told.add(series)
            active.ends.append((series, int(when * 1e9)))
            self._later(detector, active)

    def release(self, detector: str) -> None:
        """The capture is over."""
        active = self._active.pop(detector, None)
        if active is not None and active.waiting is not None:
            active.waiting.cancel()

    # ------------------------------------------------------------ inside

    async def _asked_for(self, detector: str) -> tuple[list[list[Wanted]], list[str]]:
        lists: list[list[Wanted]] = []
        problems: list[str] = []
        for feed in self._feeds[detector]:
            text, macros = await asyncio.gather(
                self._text(f"{feed.prefix}NDAttributesFile"), self._text(f"{feed.prefix}NDAttributesMacros")
            )
            try:
                sources = await asyncio.to_thread(load, text, macros)
            except AttributesError as error:
                problems.append(f"no attributes of {feed.prefix}: {error}")
            else:
                lists.append(wanted(sources, feed))
        return lists, problems

    async def _text(self, pv: str) -> str:
        """What a record says now: a monitor of the put before may still be on its way."""
        if not self._answers(pv):
            return ""
        with contextlib.suppress(CaError):
            return str(await self._client.get(pv, _WITHIN))
        return ""

    def _answers(self, pv: str) -> bool:
        reading = self._readings.get(pv)
        return reading is not None and reading.connected

    async def _watch(self, pv: str) -> None:
        if pv not in self._known:
            self._known.add(pv)
            await self._client.subscribe(pv, self._take)

    async def _wait(self, pvs: Iterable[str]) -> None:
        """For those that were never waited for; one that was silent is not waited for again."""
        fresh = {pv for pv in pvs if pv not in self._asked}
        self._asked |= fresh
        deadline = time.monotonic() + _WITHIN
        while any(not self._answers(pv) for pv in fresh) and (left := deadline - time.monotonic()) > 0:
            self._heard.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heard.wait(), left)

    def _take(self, reading: Reading) -> None:
        self._readings[reading.name] = reading
        self._heard.set()
        when = int(clock_of(reading) * 1e9) if reading.connected else time.time_ns()
        for detector, active in self._active.items():
            for index, kind in active.columns.get(reading.name, ()):
                active.changes.append((index, when, value(reading, kind)))
                self._later(detector, active)

    def _later(self, detector: str, active: _Active) -> None:
        """Send after this turn of the loop, or when there is credit; what comes until then goes too."""
        if not active.capture or active.waiting is not None:
            return
        now = time.monotonic()
        active.credit = min(_BURST, active.credit + (now - active.sent) * _RATE)
        active.sent = now
        delay = max(0.0, (1.0 - active.credit) / _RATE)
        active.waiting = asyncio.get_running_loop().call_later(delay, self._flush, detector, active)

    def _flush(self, detector: str, active: _Active) -> None:
        active.waiting = None
        if active.changes or active.ends:
            active.credit -= 1.0
            changes, ends = tuple(active.changes), tuple(active.ends)
            active.changes.clear()
            active.ends.clear()
            message = control.AttributeValues(capture=active.capture, changes=changes, ends=ends)
            with contextlib.suppress(WorkerAbsentError):  # its capture ends as lost
                self._send(detector, message)
