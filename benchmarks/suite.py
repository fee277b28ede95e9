"""The benchmarks by name, run one after another: shown, kept as JSON, drawn, and held to recorded ratios."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Console

from benchmarks.processes import BenchmarkError
from benchmarks.report import WIDTH, Finding, draw, show

if TYPE_CHECKING:
    from layouts.beamline import Beamline

RECORDED: Final = Path(__file__).with_name("recorded.json")
"""Medians of ratios that were reached once, by benchmark, case and ratio."""
ALLOWED: Final = 0.7
"""Of a recorded ratio: less than that is a loss, and no noise."""
REPEATS: Final = 7
SMOKE_REPEATS: Final = 3
SMOKE_SIZES: Final = {10_000: 5_000, 100_000: 2_000, 500_000: 500}


class Question(NamedTuple):
    """A benchmark."""

    asks: str
    find: Callable[[Beamline, bool], Sequence[Finding]]
    """Takes a beamline on free ports, and whether a short run is enough."""


def _limits(beamline: Beamline, smoke: bool) -> Sequence[Finding]:
    from benchmarks import limits

    sizes = {100_000: 500} if smoke else limits.SIZES
    return [limits.main(beamline, repeats=1 if smoke else REPEATS, sizes=sizes)]


def _writer(beamline: Beamline, smoke: bool) -> Sequence[Finding]:
    from benchmarks import writer

    sizes, repeats = (SMOKE_SIZES, SMOKE_REPEATS) if smoke else (writer.SIZES, REPEATS)
    return [
        writer.alone(repeats=repeats, sizes=sizes),
        writer.socket(beamline, repeats=repeats, sizes=sizes),
    ]


def _chain(beamline: Beamline, smoke: bool) -> Sequence[Finding]:
    from benchmarks import writer

    if smoke:
        return [writer.chain(beamline, repeats=SMOKE_REPEATS, frames=1000)]
    return [writer.chain(beamline, repeats=REPEATS)]


def _codecs(_beamline: Beamline, smoke: bool) -> Sequence[Finding]:
    from benchmarks import codecs

    return [codecs.main(repeats=1, frames=2) if smoke else codecs.main(repeats=REPEATS)]


def _stitch(beamline: Beamline, smoke: bool) -> Sequence[Finding]:
    from benchmarks import stitch

    return [stitch.main(beamline, repeats=1, files=(1, 10)) if smoke else stitch.main(beamline, repeats=3)]


def _emitter(beamline: Beamline, smoke: bool) -> Sequence[Finding]:
    from benchmarks import emitter

    if smoke:
        return [emitter.main(beamline, repeats=1, sizes={500_000: 200})]
    return [emitter.main(beamline, repeats=REPEATS)]


def _lag(beamline: Beamline, smoke: bool) -> Sequence[Finding]:
    from benchmarks import lag

    return [lag.main(beamline, {200.0: 100}) if smoke else lag.main(beamline)]


QUESTIONS: Final[Mapping[str, Question]] = {
    "limits": Question("What memory, file system and ZeroMQ can do here.", _limits),
    "writer": Question(
        "The worker alone and behind a socket, beside pwrite and bare direct chunk writing.", _writer
    ),
    "chain": Question("Recorded and rendered frames from socket to file, beside a bare loop.", _chain),
    "codecs": Question("Packing and unpacking, beside HDF5's own filters.", _codecs),
    "stitch": Question("From the last frame to readable masters, by number of raw files.", _stitch),
    "emitter": Question("The simulated detector's sending, beside a bare PUSH loop.", _emitter),
    "lag": Question("How soon another process can read a frame, at several rates.", _lag),
}


def run(
    names: Sequence[str],
    beamline: Beamline,
    *,
    smoke: bool = False,
    guard: bool = False,
    plot: Path | None = None,
    keep: Path | None = None,
) -> int:
    """Run benchmarks.

    Args:
        names: Keys of ``QUESTIONS``.
        beamline: On ports that are free.
        smoke: A short run: shows that everything works.
        guard: Fail where a ratio is under 0.7 of the recorded one.
        plot: Draw the ratios into this file.
        keep: Write all findings into this file as JSON.

    Returns:
        Exit code; 0 if every byte was where it should be, and no guarded ratio was lost.
    """
    console = Console(highlight=False, width=WIDTH)
    findings: list[Finding] = []
    for name in names:
        try:
            for finding in QUESTIONS[name].find(beamline, smoke):
                show(finding, console)
                findings.append(finding)
        except BenchmarkError as error:
            console.print(f"{name}: {error}")
            return 1
    if keep is not None:
        keep.write_text(json.dumps([f.as_json() for f in findings], indent=1) + "\n", encoding="utf-8")
    if plot is not None:
        draw(findings, plot)
    lost = losses(findings, json.loads(RECORDED.read_text(encoding="utf-8"))) if guard else []
    for loss in lost:
        console.print(f"lost: {loss}")
    return 1 if lost else 0


def losses(
    findings: Sequence[Finding], recorded: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> list[str]:
    """Ratios that are under 0.7 of the recorded ones, each with both; what was not run is not lost."""
    found: list[str] = []
    for finding in findings:
        known = recorded.get(finding.name, {})
        for result in finding.results:
            for name, least in known.get(result.case, {}).items():
                value = result.ratios[name].median
                if value < ALLOWED * least:
                    found.append(
                        f"{finding.name}, {result.case}: {name} is {value:.2f}, {least:.2f} was recorded"
                    )
    return found
