"""``softbeam salvage``: what a writer that died has left, as clean files with a master, and a table of it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from layouts.beamline import Beamline
from softbeam.check import STYLES
from writer.salvage_run import Result
from writer.salvage_run import salvage as bring_back


def salvage(
    path: Path,
    beamline: Beamline,
    *,
    out: Path | None,
    detector: str,
    console: Console | None = None,
) -> int:
    """Bring back what is there, and print what came of it.

    Args:
        path: A directory, or a raw or meta file in it.
        beamline: Describes motors and detectors.
        out: Where the new files go; beside the old ones unless given.
        detector: Name of the detector where no file says it.
        console: Where to print; stdout unless given.

    Returns:
        Exit code: 0 all that could be read is back, 1 errors, 2 there is nothing of that name.
    """
    say = console or Console(highlight=False)
    if not path.exists():
        say.print(f"softbeam salvage: {path}: no such file or directory", style="red", soft_wrap=True)
        return 2
    try:
        result = bring_back(path, beamline, out=out, detector=detector)
    except OSError as error:
        say.print(f"softbeam salvage: {error}; nothing was written", style="red", soft_wrap=True)
        return 1
    if result.captures:
        say.print(_table(result))
    for finding in result.findings:
        say.print(f"   {finding}", style=STYLES[finding.severity], soft_wrap=True)
    for master in result.masters:
        say.print(f"   {master}", style="green", soft_wrap=True)
    return 0 if result.ok else 1


def _table(result: Result) -> Table:
    table = Table(title="brought back", title_justify="left")
    columns = ("capture", "detector", "frames", "missing", "without a row", "rows without frame", "raw files")
    for column in columns:
        table.add_column(column)
    for each in result.captures:
        record = each.record
        table.add_row(
            each.stem if each.made else f"{each.stem} (as it was)",
            record.detector,
            f"{record.rows - len(record.missing)} of {record.rows}",
            str(len(record.missing)),
            str(len(each.found)),
            str(len(each.lost)),
            str(len(record.raw_files)),
        )
    return table
