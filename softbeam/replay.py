"""``softbeam puts``: put logs as a script that does the puts again, with pyepics and nothing else.

Pure but for the reading of the files. A put whose client waited is done with completion, and what was put
after its end waits for it again; what was put meanwhile does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from ioc.putlog import KEPT, from_json, rotated

_PROGRAM = '''\
#!/usr/bin/env python3
"""{title}

Made by "softbeam puts"; needs pyepics, and the environment that "softbeam env" prints.
Options: --no-delays leaves the pauses out; --timeout SECONDS waits longer for what takes long.
"""

import argparse
import sys
import threading
import time

import epics

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--no-delays", action="store_true", help="put as fast as it goes")
parser.add_argument("--timeout", type=float, default={timeout!r}, help="seconds to wait for a completion")
options = parser.parse_args()
waiting = {{}}


def after(seconds):
    """Let the time pass that lay between two puts."""
    if not options.no_delays:
        time.sleep(seconds)


def put(number, name, value, complete=False):
    """Put a value; with completion, done(number) waits for it."""
    pv = epics.get_pv(name, connect=True, timeout=10)
    if not pv.connected:
        sys.exit(f"{{name}}: nobody serves it; is the beamline up, and EPICS_CA_ADDR_LIST set?")
    if isinstance(value, str) and "char" in pv.type:
        value = [*value.encode(), 0]
    event = waiting[number] = threading.Event()
    pv.put(value, callback=(lambda **_: event.set()) if complete else None)


def done(number):
    """Wait until a put is done."""
    if not waiting[number].wait(options.timeout):
        sys.exit(f"put {{number}} was not done within {{options.timeout:g}} s")


{lines}
epics.ca.pend_io(1.0)
'''
_LONG_PAUSE = 0.0005


class LogError(ValueError):
    """A put log that cannot be read; says where, and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A put, or the end of one.

    Attributes:
        at: Unix time, s.
        number: Of the put, over all files.
        pv: Full name; empty where this is an end.
        value: What was put.
        who: Client, for people.
        waits: Whether its client waited.
        error: Why it was refused, or has failed.
    """

    at: float
    number: int
    pv: str = ""
    value: Any = None
    who: str = ""
    waits: bool = False
    error: str = ""


def read(files: Iterable[Path]) -> list[Entry]:
    """Entries of logs and of their older files, in the order of their time.

    Raises:
        LogError: A line is none of a put log.
        OSError: A file cannot be read.
    """
    found: list[Entry] = []
    count = 0
    for file in files:
        numbers: dict[int, int] = {}
        for where, values in _lines(file):
            if "begin" in values:
                numbers = {}
                continue
            try:
                if "put" in values:
                    count += 1
                    numbers[values["put"]] = count
                    found.append(_put(values, count))
                elif values["end"] in numbers:
                    number = numbers[values["end"]]
                    found.append(Entry(at=values["at"], number=number, error=values.get("error", "")))
            except (KeyError, TypeError) as error:
                raise LogError(f"{where}: no line of a put log ({error} is missing)") from None
    return sorted(found, key=lambda entry: entry.at)


def script(entries: list[Entry], title: str = "Puts of a beamline.", timeout: float = 600.0) -> str:
    """The program that does the puts again.

    Args:
        entries: In the order of their time.
        title: First line of its documentation.
        timeout: Seconds that it waits for a completion, unless told otherwise.
    """
    return _PROGRAM.format(title=title, timeout=timeout, lines="\n".join(_body(entries)))


def main(files: list[Path], out: Path | None) -> str:
    """What ``softbeam puts`` writes or prints.

    Args:
        files: Logs.
        out: Where the program goes; nowhere if nothing.

    Returns:
        What to print: the program itself, or a line about it.

    Raises:
        LogError: A line is none of a put log.
        OSError: A file cannot be read or written.
    """
    entries = read(files)
    puts = [entry for entry in entries if entry.pv]
    when = f"{_time(puts[0].at)} to {_time(puts[-1].at)}" if puts else "none"
    text = script(entries, f"{len(puts)} puts of a beamline, {when}.")
    if out is None:
        return text
    out.write_text(text, encoding="utf-8")
    out.chmod(0o755)
    return f"{out}: {len(puts)} puts, {when}; do them again with: python {out}"


def _body(entries: list[Entry]) -> Iterator[str]:
    waited = {entry.number for entry in entries if entry.waits and not entry.error}
    before: float | None = None
    for entry in entries:
        if entry.pv and entry.error:
            yield f"# refused: {entry.pv} {entry.value!r} of {entry.who}: {_flat(entry.error)}"
            continue
        if entry.pv or entry.number in waited:
            pause = 0.0 if before is None else entry.at - before
            if entry.pv and pause > _LONG_PAUSE:
                yield f"after({pause:.3f})"
            before = entry.at
        if entry.pv:
            complete = ", complete=True" if entry.waits else ""
            yield f"put({entry.number}, {entry.pv!r}, {_literal(entry.value)}{complete})  # {entry.who}"
        elif entry.number in waited:
            said = f"  # it failed: {_flat(entry.error)}" if entry.error else ""
            yield f"done({entry.number}){said}"


def _lines(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    older = (rotated(file, number) for number in range(KEPT, 0, -1))
    for path in (*(p for p in older if p.exists()), file):
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith("\n"):
                    return  # the program was killed while it wrote, or is writing
                where = f"{path}:{number}"
                try:
                    values = json.loads(line)
                except ValueError:
                    raise LogError(f"{where}: not JSON; a file that --put-log has made is right") from None
                if not isinstance(values, dict):
                    raise LogError(f"{where}: no line of a put log")
                yield where, values


def _put(values: dict[str, Any], number: int) -> Entry:
    return Entry(
        at=values["at"],
        number=number,
        pv=values["pv"],
        value=from_json(values["value"]),
        who=f"{values['user']}@{values['host']}",
        waits=values.get("waits", False),
        error=values.get("error", ""),
    )


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_literal(v) for v in cast('list[Any]', value))}]"
    text = repr(value)
    return f'float("{text}")' if text in ("nan", "inf", "-inf") else text


def _flat(text: str) -> str:
    return " ".join(text.split())


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(sep=" ", timespec="seconds")
