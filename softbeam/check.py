"""``softbeam check``: what a master holds and what is wrong with it, as a table and an exit code."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from layouts.nexus.check_h5 import check as inspect
from layouts.nexus.findings import Report, Severity

STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
"""How findings are printed."""


def check(master: Path, *, deep: bool, console: Console | None = None, brief: bool = False) -> int:
    """Check a master and print what was found.

    Args:
        master: An NXmx or a Dectris-style master.
        deep: Read every frame too.
        console: Where to print; stdout unless given.
        brief: One line, and the findings.

    Returns:
        Exit code: 0 nothing wrong, 1 errors, 2 no file of that name.
    """
    out = console or Console(highlight=False)
    if not master.is_file():
        out.print(f"softbeam check: {master}: no such file; name a master", style="red", soft_wrap=True)
        return 2
    report = inspect(master, deep=deep)
    if not brief and report.rows:
        out.print(_table(report))
    for finding in report.findings:
        out.print(
            f"   {finding}",
            style=STYLES[finding.severity],
            soft_wrap=True,
        )
    wrong = sum(f.severity is Severity.ERROR for f in report.findings)
    verdict = f"{wrong} errors" if wrong else "no errors"
    out.print(f"   {master.name}: {verdict}", style="red" if wrong else "green", soft_wrap=True)
    return 1 if wrong else 0


def _table(report: Report) -> Table:
    table = Table(title=report.path.name, title_justify="left")
    table.add_column("entry")
    for row in report.rows:
        table.add_column(row.entry)
    table.add_row("detector", *(row.detector for row in report.rows))
    table.add_row("frames", *(f"{row.stored} of {row.frames}" for row in report.rows))
    table.add_row("raw files", *(str(row.files) for row in report.rows))
    table.add_row("pixels", *(f"{'x'.join(map(str, row.shape[::-1]))} {row.dtype}" for row in report.rows))
    table.add_row("scan", *(row.scan for row in report.rows))
    table.add_row("distance", *(f"{row.distance:.3f} mm" for row in report.rows))
    table.add_row("beam at pixel", *(", ".join(f"{x:.2f}" for x in row.beam_centre) for row in report.rows))
    table.add_row("wavelength", *(f"{row.wavelength:.5f} A" for row in report.rows))
    table.add_row("outcome", *(row.outcome for row in report.rows))
    return table
