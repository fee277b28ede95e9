"""One section of the page of behaviour, done with aioca. Arguments: page, title, folder for files.

Prints a line of JSON for each row: what was seen, and what of it is not as the page says.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aioca import (
    DBE_VALUE,
    DBR_CHAR_STR,
    FORMAT_CTRL,
    FORMAT_TIME,
    CANothing,
    Subscription,
    caget,
    camonitor,
    caput,
)

from tests.kit.behaviour import REPLY, SEVERITIES, Event, Item, Row, Step, fits, matches, merged, parse

DEADLINE = 8.0
PATIENCE = 20.0
CHAR, ENUM = 4, 3


ARRIVALS = itertools.count()


def stamped(watch: Subscription) -> None:
    """Number the values of a subscription as libca hands them over.

    aioca calls back for all that waits of one PV before it looks at the next, not the wire's order.
    """
    convert: Any = watch.dbr_to_value

    def number(raw_dbr: Any, dbrcode_in: Any, count: Any) -> Any:
        value = convert(raw_dbr, dbrcode_in, count)
        value.arrival = next(ARRIVALS)
        return value

    watch.dbr_to_value = number


class Names:
    """What is known of PVs: the words of an enum, and which are text."""

    def __init__(self) -> None:
        self.words: dict[str, list[str]] = {}
        self.kind: dict[str, Any] = {}

    async def learn(self, pvs: Iterable[str]) -> None:
        new = [pv for pv in dict.fromkeys(pvs) if pv not in self.kind and pv != REPLY]
        for pv, value in zip(new, await caget(new, format=FORMAT_CTRL, timeout=PATIENCE), strict=True):
            text = value.datatype == CHAR and (value.element_count > 1)
            self.kind[pv] = DBR_CHAR_STR if text else None
            self.words[pv] = list(value.enums) if value.datatype == ENUM else []

    def event(self, pv: str, value) -> Event:
        words = self.words[pv]
        index = getattr(value, "datatype", None) == ENUM
        texts = [words[int(value)], str(int(value))] if index else [str(value)]
        if getattr(value, "shape", ()) and self.kind[pv] is None:
            texts = [f"{len(value)} values"]
        return Event(pv, texts, SEVERITIES[getattr(value, "severity", 0)])


async def value_of(names: Names, pv: str) -> Event:
    kind = names.kind[pv]
    return names.event(pv, await caget(pv, datatype=kind, format=FORMAT_TIME, timeout=PATIENCE))


async def put(names: Names, step: Step) -> None:
    kind, words = names.kind[step.pv], names.words[step.pv]
    value: object = step.value
    if kind is None and step.value in words:
        value = words.index(step.value)
    elif kind is None:
        try:
            value = float(step.value)
        except ValueError:
            value = step.value
    wait = step.kind != "forget"
    try:
        await caput(step.pv, value, datatype=kind, wait=wait, timeout=PATIENCE)
    except CANothing as error:
        if step.kind != "refused" or "timed out" in str(error).lower():
            raise
    else:
        assert step.kind != "refused", f"{step.pv} = {step.value} was not refused"


async def until(names: Names, step: Step) -> None:
    reached = asyncio.Event()
    item = Item(step.pv, ">" if step.value.startswith("> ") else "", step.value.removeprefix("> "))

    def look(value) -> None:
        if fits(item, names.event(step.pv, value)):
            reached.set()

    watch = camonitor(
        step.pv, look, datatype=names.kind[step.pv], format=FORMAT_TIME, events=DBE_VALUE, all_updates=True
    )
    try:
        await asyncio.wait_for(reached.wait(), PATIENCE)
    finally:
        watch.close()


async def do(names: Names, steps: Iterable[Step]) -> None:
    for step in steps:
        try:
            await (until(names, step) if step.kind == "wait" else put(names, step))
        except (CANothing, AssertionError, TimeoutError) as error:
            raise RuntimeError(f"{step.kind} {step.pv} {step.value!r}: {error!r}") from error


async def row(names: Names, before: tuple[Step, ...], what: Row) -> dict[str, object]:
    watched = list(dict.fromkeys(i.pv for sequence in what.monitors for i in sequence if i.pv != REPLY))
    await names.learn([s.pv for s in (*before, *what.before, *what.does)])
    await names.learn([*watched, *(i.pv for i in what.afterwards)])
    events: list[Event] = []
    try:
        await do(names, (*before, *what.before))
    except RuntimeError as error:
        return {"line": what.line, "wrong": f"before the row: {error}", "seen": []}
    first: dict[str, list[str]] = {}
    ready = asyncio.Event()

    def seen(pv: str, value) -> None:
        event = names.event(pv, value)
        if pv in first:
            event.arrival = value.arrival
            events.append(event)
        else:
            first[pv] = event.texts
            if len(first) == len(watched):
                ready.set()

    watches = [
        camonitor(
            pv,
            lambda value, pv=pv: seen(pv, value),
            datatype=names.kind[pv],
            format=FORMAT_TIME,
            events=DBE_VALUE,
            all_updates=True,
        )
        for pv in watched
    ]
    try:
        if watched:
            await asyncio.wait_for(ready.wait(), PATIENCE)
        for watch in watches:
            stamped(watch)
        wrong = ""
        try:
            await do(names, what.does)
        except RuntimeError as error:
            wrong = f"{error}; "
        events.append(Event(REPLY, [REPLY], arrival=next(ARRIVALS)))
        return {"line": what.line, **await settled(names, what, events, first, wrong)}
    finally:
        for watch in watches:
            watch.close()


async def settled(
    names: Names, what: Row, events: list[Event], first: dict[str, list[str]], wrong: str
) -> dict[str, object]:
    """Wait until all is as the page says, or until it is too late."""
    deadline = time.monotonic() + (0.0 if wrong else DEADLINE)
    while True:
        found = [await value_of(names, item.pv) for item in what.afterwards]
        changes = merged(sorted(events, key=lambda event: event.arrival), first)
        bad = [
            f"{item.pv} is {event.texts} {event.severity}, not {item.how} {item.value}"
            for item, event in zip(what.afterwards, found, strict=True)
            if not fits(item, event)
        ]
        bad += ["another sequence"] * (not all(matches(sequence, changes) for sequence in what.monitors))
        if not (bad or wrong) or time.monotonic() > deadline:
            seen = [f"{e.pv} {e.texts[0]}" for e in changes]
            return {"wrong": wrong + "; ".join(bad), "seen": seen}
        await asyncio.sleep(0.05)


async def main(page: str, title: str) -> None:
    (section,) = [section for section in parse(page) if section.title == title]
    names = Names()
    for what in section.rows:
        print(json.dumps(await row(names, section.before, what)), flush=True)  # noqa: T201


asyncio.run(main(Path(sys.argv[1]).read_text().replace("{folder}", sys.argv[3]), sys.argv[2]))
