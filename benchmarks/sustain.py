"""Can this storage take that detector, for that long? Measured with the worker's own files, then judged.

``benchmarks.storage`` writes frames of the wanted size until the page cache cannot hide the disk any more,
``benchmarks.limits`` says what receiving costs, ``benchmarks.sizing`` judges.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import pool as pools
from benchmarks import storage
from benchmarks.limits import receive
from benchmarks.machine import facts
from benchmarks.report import WIDTH
from benchmarks.sizing import Ability, Need, answers
from layouts.beamline import Beamline

_LEAST_FRAME = 4096
"""Bytes: smaller ones are all head."""


def ability(folder: Path, beamline: Beamline, frame_bytes: int, seconds: float) -> Ability:
    """Measure a storage and this machine for frames of a size.

    Args:
        folder: On the storage; whatever is written there is removed.
        beamline: On ports that are free.
        frame_bytes: Of packed frames.
        seconds: How long to write.
    """
    pool = pools.random(max(frame_bytes, _LEAST_FRAME))
    stands_on = storage.file_system(folder)
    with tempfile.TemporaryDirectory(prefix=".softbeam-sustain-", dir=folder) as name:
        written = storage.write(Path(name), pool, seconds)
        saved = pool.save(Path(name) / "pool")
        received = receive(beamline, saved, min(5000, max(50, int(5e8 / frame_bytes))))
    return Ability(
        disk=written.disk,
        cache=0.0 if stands_on.volatile else storage.page_cache(),
        free=float(stands_on.free),
        write_us=written.cpu_us,
        receive_us=received.cpu,
        processors=os.cpu_count() or 1,
        volatile=stands_on.volatile,
    )


def main(folder: Path, beamline: Beamline, need: Need, seconds: float) -> int:
    """Measure, judge and say so.

    Args:
        folder: On the storage in question.
        beamline: On ports that are free.
        need: What the detector sends.
        seconds: How long to write.

    Returns:
        Exit code: 0 for yes, 1 for no.
    """
    console = Console(highlight=False, width=WIDTH)
    stands_on = storage.file_system(folder)
    measured = ability(folder, beamline, need.frame_bytes, seconds)
    judged = answers(need, measured)
    ok = all(answer.ok for answer in judged)
    console.print(
        f"{need.rate:g} frames/s of {need.frame_bytes / 1e6:.3g} MB for {need.seconds:g} s on {folder} "
        f"({stands_on.kind} at {stands_on.mount}):"
    )
    table = Table()
    for heading in ("what", "needed", "there", "left over", ""):
        table.add_column(heading, justify="right" if heading in ("needed", "there", "left over") else "left")
    for answer in judged:
        table.add_row(
            answer.what,
            answer.needed,
            answer.there,
            f"{answer.margin:.0%}",
            ("yes" if answer.ok else "NO") + (f"; {answer.advice}" if answer.advice else ""),
        )
    console.print(table)
    least = min(judged, key=lambda answer: answer.margin)
    console.print(
        f"YES, with {least.margin:.0%} of {least.what} left over"
        if ok
        else f"NO: {least.what} is short, {least.needed} of {least.there} with a fifth to be left over"
    )
    told = {"need": asdict(need), "ability": asdict(measured), "ok": ok}
    told["margins"] = {answer.what: answer.margin for answer in judged}
    console.print(json.dumps({"machine": facts(), **told}), soft_wrap=True)
    return 0 if ok else 1
