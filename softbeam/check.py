"""``softbeam check``: what a master holds and what is wrong with it, as a table and an exit code."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from layouts.nexus.check_h5 import check as inspect
from layouts.nexus.findings import Report, Severity

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


def check(master: Path, *, deep: bool, console: Console | None = None, brief: bool = False) -> int:
    """Check a master and print what was found.

    Args:
        master: An NXmx or a Dectris-style master.
        deep: Read every frame too.
        console: Where to print; stdout unless given.
        brief: One line, and the findings.

    Returns:
        Exit code: 0 nothing wrong, 1 errors.
    """
    out = console or Console(highlight=False)
    report = inspect(master, deep=deep)
    if not brief and report.rows:
        out.print(_table(report))
    for finding in report.findings:
        out.print(
            f"   {finding}",
            style=_STYLES[finding.severity],
            soft_wrap=True,
        )
    wrong = sum(f.severity is Severity.ERROR for f in report.findings)
    verdict = f"{wrong} errors" if wrong else "no errors"
    out.print(f"   {master.name}: {verdict}", style="red" if wrong else "green", soft_wrap=True)
    return 1 if wrong else 0


def _table(report: Report) -> Table:
    table = Table(title=report.path.name, title_justify="left")
    columns = (
        "entry",
        "detector",
        "frames",
        "stored",
        "files",
        "pixels",
        "scan",
        "mm",
        "beam at",
        "A",
        "outcome",
    )
    for heading in columns:
        table.add_column(heading)
    for row in report.rows:
        table.add_row(
            row.entry,
            row.detector,
            str(row.frames),
            str(row.stored),
            str(row.files),
            f"{'x'.join(map(str, reversed(row.shape)))} {row.dtype}",
            row.scan,
            f"{row.distance:.3f}",
            ", ".join(f"{x:.2f}" for x in row.beam_centre),
            f"{row.wavelength:.5f}",
            row.outcome,
        )
    return table
