"""The page of behaviour as values: its tables parsed, and what was seen held against them.

The syntax is explained at the end of ``docs/behaviour.md``. Nothing here talks to a server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "behaviour.md"
HEADER = "| client does | monitors, in this order | afterwards | differs | from |"
TOP = ("MOT:", "TRIG:", "ACQ:")
"""Prefixes of the beamline; every other name is one of detector EIG1."""
MOTOR = "SB:MOT:SAM_X"
SEVERITIES = ("NO_ALARM", "MINOR", "MAJOR", "INVALID")
REPLY = "reply"

STEP = re.compile(r"^(?P<pv>\S+) = (?P<value>.*?)(?P<how> !| refused)?$")
ITEM = re.compile(r"^(?P<pv>[\w:.]+) (?P<how>\.\.|~ |< |> )?(?P<value>.*)$")
SPAN = re.compile(r"`([^`]*)`")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a client does.

    Attributes:
        kind: put, forget (a put that nobody waits for), refused (a put that fails) or wait.
        pv: Full name.
        value: What is put or waited for.
    """

    kind: str
    pv: str
    value: str


@dataclass(frozen=True, slots=True)
class Item:
    """A value that is seen.

    Attributes:
        pv: Full name, or ``reply``.
        how: Empty: this value; ``..``: any that end with it; ``~``: a text with it inside; ``<``, ``>``.
        value: As written.
    """

    pv: str
    how: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table."""

    line: int
    before: tuple[Step, ...]
    does: tuple[Step, ...]
    monitors: tuple[tuple[Item, ...], ...]
    afterwards: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A table, what is put before each of its rows, and with which names its beamline is served."""

    title: str
    before: tuple[Step, ...]
    rows: tuple[Row, ...]
    preset: str = "adcore"


@dataclass(slots=True)
class Event:
    """A value that came: as a client would print it, and as a number where it is one."""

    pv: str
    texts: list[str]
    severity: str = "NO_ALARM"
    arrival: int = 0
    """Where it stands among all that came."""


class PageError(ValueError):
    """A line of the page is not in the page's syntax."""


def full(name: str) -> str:
    """Full name of a PV as the page writes it."""
    if name.startswith("."):
        return MOTOR + name
    return f"SB:{name}" if name.startswith(TOP) else f"SB:EIG1:{name}"


def steps(text: str) -> tuple[Step, ...]:
    """Steps of a code span, ``; `` between them."""
    return tuple(_step(part.strip()) for part in text.split(";") if part.strip())


def _step(text: str) -> Step:
    if text.startswith("wait "):
        name, _, value = text.removeprefix("wait ").partition(" ")
        return Step("wait", full(name), value)
    match = STEP.match(f"{text} " if text.endswith(" =") else text)
    if match is None:
        raise PageError(f"{text!r} is no step: PV = value, PV = value !, PV = value refused or wait PV value")
    kind = {None: "put", " !": "forget", " refused": "refused"}[match["how"]]
    return Step(kind, full(match["pv"]), match["value"].strip())


def items(text: str) -> tuple[Item, ...]:
    """Values of a code span, commas between them; a name without a prefix has that of the one before it."""
    found: list[Item] = []
    prefix = ""
    for part in text.split(", "):
        if part == REPLY:
            found.append(Item(REPLY, "", ""))
            continue
        match = ITEM.match(part)
        if match is None:
            raise PageError(f"{part!r} is no value: PV value, PV ..value, PV ~ text, PV < or > number")
        name = match["pv"]
        if name.startswith("."):
            prefix = ""
        elif ":" in name:
            prefix = name[: name.rindex(":") + 1]
        elif not prefix:
            raise PageError(f"{part!r}: a first name needs its prefix")
        else:
            name = prefix + name
        found.append(Item(full(name), (match["how"] or "").strip(), match["value"].strip('"')))
    return tuple(found)


def parse(text: str) -> list[Section]:
    """All sections of a page that have a table.

    Raises:
        PageError: A row that is not in the syntax; says which line.
    """
    sections: list[Section] = []
    title, preset, before, rows = "", "adcore", (), []
    table = False
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.startswith("## "):
                title, preset, before, rows = line.removeprefix("## "), "adcore", (), []
            elif line.startswith("Preset of names: "):
                preset = _spans(line, 1, 1)[0]
            elif line.startswith("Before each row: "):
                before = steps(_spans(line, 1, 1)[0])
            elif line == HEADER:
                table = True
                sections.append(Section(title, before, (), preset))
            elif table and line.startswith("|"):
                if not set(line) <= set("|- "):
                    rows.append(_row(number, line))
                    sections[-1] = Section(title, before, tuple(rows), preset)
            else:
                table = False
        except PageError as error:
            raise PageError(f"line {number}: {error}") from error
    return sections


def _row(number: int, line: str) -> Row:
    cells = line.strip()[1:-1].split("|")
    if len(cells) != 5:
        raise PageError(f"{len(cells)} cells where 5 belong")
    if not cells[4].strip():
        raise PageError("it does not say where it is from")
    *before, does = _spans(cells[0], 1, 2)
    return Row(
        number,
        steps(before[0]) if before else (),
        steps(does),
        tuple(items(span) for span in _spans(cells[1], 0, 4)),
        tuple(item for span in _spans(cells[2], 0, 1) for item in items(span)),
    )


def _spans(cell: str, least: int, most: int) -> list[str]:
    found = SPAN.findall(cell)
    if not least <= len(found) <= most:
        raise PageError(f"{len(found)} code spans where {least} to {most} belong: {cell!r}")
    return found


def fits(item: Item, event: Event) -> bool:
    """Whether a value is the one that an item names."""
    if item.pv != event.pv:
        return False
    if item.pv == REPLY:
        return True
    if item.value in SEVERITIES and item.value not in event.texts:
        return event.severity == item.value
    match item.how:
        case "~":
            return any(item.value in text for text in event.texts)
        case "<" | ">":
            number = float(event.texts[-1])
            return number < float(item.value) if item.how == "<" else number > float(item.value)
        case _:
            return any(_same(item.value, text) for text in event.texts)


def _same(expected: str, found: str) -> bool:
    if expected == found:
        return True
    try:
        one, other = float(expected), float(found)
    except ValueError:
        return False
    return abs(one - other) <= 1e-6 * max(1.0, abs(one))


def merged(events: list[Event], first: dict[str, list[str]]) -> list[Event]:
    """Changes alone: what equals the value before it is left out."""
    last, found = dict(first), []
    for event in events:
        if event.pv == REPLY or last.get(event.pv) != event.texts:
            found.append(event)
        last[event.pv] = event.texts
    return found


def matches(sequence: tuple[Item, ...], events: list[Event]) -> bool:
    """Whether the changes of a sequence's PVs are the sequence, in its order and with nothing else."""
    names = {item.pv for item in sequence}
    return _matches(list(sequence), [event for event in events if event.pv in names], frozenset())


def _matches(sequence: list[Item], events: list[Event], running: frozenset[str]) -> bool:
    """``running``: PVs whose values on the way to the next item of theirs are left out."""
    if not events:
        return not sequence
    event = events[0]
    if sequence and fits(sequence[0], event):
        own = next((later for later in sequence[1:] if later.pv == event.pv), None)
        more = running - {event.pv} if own is None or own.how != ".." else running | {event.pv}
        if _matches(sequence[1:], events[1:], more):
            return True
    ahead = next((item for item in sequence if item.pv == event.pv), None)
    return ahead is not None and ahead.how == ".." and _matches(sequence, events[1:], running)
