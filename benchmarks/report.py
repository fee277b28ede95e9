"""What a benchmark found, for people and for programs: a table, a line of JSON, a picture."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import facts
from benchmarks.rounds import Ratio, Samples

WIDTH = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One case of a benchmark.

    Attributes:
        case: What was varied, such as "10 kB".
        samples: By contender.
        ratios: By what they are called, such as "pwrite/worker".
        bars: What ours must reach, of some of the ratios.
        more: Other figures, by what they are called with their unit.
    """

    case: str
    samples: Samples = field(default_factory=Samples)
    ratios: Mapping[str, Ratio] = field(default_factory=dict[str, Ratio])
    bars: Mapping[str, float] = field(default_factory=dict[str, float])
    more: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one benchmark has found.

    Attributes:
        name: As the command knows it.
        title: One line.
        results: Case by case; all with the same contenders and ratios.
        notes: What the reader must know to read it right.
    """

    name: str
    title: str
    results: Sequence[Result]
    notes: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """For programs; the keys are those of ``Result``."""
        return {
            "name": self.name,
            "machine": facts(),
            "results": [
                {
                    "case": r.case,
                    "samples": {
                        name: [{"cpu_us": s.cpu, "per_s": s.rate} for s in each]
                        for name, each in r.samples.items()
                    },
                    "ratios": {
                        name: {"median": x.median, "low": x.low, "high": x.high} | _bar(r, name)
                        for name, x in r.ratios.items()
                    },
                    "more": dict(r.more),
                }
                for r in self.results
            ],
        }


def _bar(result: Result, name: str) -> dict[str, float]:
    return {"bar": result.bars[name]} if name in result.bars else {}


def show(finding: Finding, console: Console | None = None) -> None:
    """Print the table, the machine's facts, and the line of JSON."""
    console = console or Console(highlight=False, width=WIDTH)
    table = Table(title=finding.title, title_justify="left")
    table.add_column("case", no_wrap=True)
    table.add_column("what", no_wrap=True)
    for heading in ("us a frame", "frames/s", "ratio (least-most)", "bar", "value"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in finding.results:
        rows = list(_rows(result))
        for number, row in enumerate(rows, 1):
            case = result.case if number == 1 else ""
            table.add_row(case, *row, end_section=number == len(rows))
    console.print(table)
    for note in finding.notes:
        console.print(note)
    console.print(", ".join(f"{name} {value}" for name, value in facts().items()), soft_wrap=True)
    console.print(json.dumps(finding.as_json()), soft_wrap=True)


def _rows(result: Result) -> Iterator[tuple[str, ...]]:
    for name, each in result.samples.items():
        rate = statistics.median(s.rate for s in each)
        cpu = f"{statistics.median(s.cpu for s in each):.1f}"
        yield name, cpu, f"{rate:.0f}" if rate else "", "", "", ""
    for name, value in result.ratios.items():
        bar = f"{result.bars[name]:g}" if name in result.bars else ""
        yield name, "", "", str(value), bar, ""
    for name, figure in result.more.items():
        yield name, "", "", "", "", f"{figure:.4g}"


def draw(findings: Sequence[Finding], path: Path) -> None:
    """Draw the ratios of all cases with their spread and the bar; needs matplotlib (extra ``plot``)."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [f for f in findings if any(r.ratios for r in f.results)]
    if not shown:
        return
    figure, axes = plt.subplots(len(shown), 1, figsize=(9, 3.2 * len(shown)), squeeze=False)
    for ax, finding in zip(axes[:, 0], shown, strict=True):
        cases = [r.case for r in finding.results]
        for name in finding.results[0].ratios:
            values = [r.ratios[name] for r in finding.results]
            middle = [v.median for v in values]
            low = [v.median - v.low for v in values]
            high = [v.high - v.median for v in values]
            (line, *_) = ax.errorbar(cases, middle, yerr=[low, high], marker="o", capsize=3, label=name)
            bars = [(r.case, r.bars[name]) for r in finding.results if name in r.bars]
            if bars:
                ax.plot(
                    *zip(*bars, strict=True), "_", markersize=22, color=line.get_color(), label=f"{name}: bar"
                )
        ax.axhline(1.0, color="0.7", linewidth=0.8)
        ax.set_ylim(0, 2)
        ax.set_title(finding.title, fontsize=10)
        ax.legend(fontsize=8, loc="upper left")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
