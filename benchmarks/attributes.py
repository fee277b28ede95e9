"""What does an NDAttribute cost the worker?

Processor time of writing the meta file's columns, a flush at a time, with 0, 5 and 20 attributes against none
of them at all: ``python -m benchmarks.attributes``. Numbers change with every flush, as of motors that move.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.machine import facts
from layouts.attributes import AttributeType
from writer.attribute_messages import Attribute, AttributeValues
from writer.meta_h5 import MetaFile, Row

FLUSHES: Final = 200
REPEATS: Final = 3
_BEGAN: Final = 1_700_000_000_000_000_000
_PERIOD: Final = 1_000_000


def spent(count: int | None, rows: int, kind: AttributeType = AttributeType.FLOAT64) -> float:
    """Processor seconds of one flush of so many rows.

    Args:
        count: Attributes beside the four that every file has; None for none at all.
        rows: Frames since the flush before, taken every millisecond.
        kind: Type of the attributes.
    """
    asked = None
    if count is not None:
        asked = [
            Attribute(name=f"a{i}", value_type=kind, source_type="NDAttrSourceEPICSPV", source="A", value=1.0)
            for i in range(count)
        ]
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        meta = MetaFile(Path(folder) / "run_meta.h5", {}, asked)
        meta.plan(rows * FLUSHES)
        for flush in range(FLUSHES):
            first = rows * flush
            times = [_PERIOD * place for place in range(first, first + rows)]
            packed = [
                Row(first + i, 1, first + i, t, t + _PERIOD, _PERIOD, 1000, _BEGAN + t).packed
                for i, t in enumerate(times)
            ]
            changes = tuple((i, _BEGAN + times[-1], float(flush)) for i in range(count or 0))
            meta.note(AttributeValues(capture="c", changes=changes))
            begin = time.process_time()
            meta.write(packed)
            total += time.process_time() - begin
        meta.finish(rows * FLUSHES)
    return total / FLUSHES


def table() -> str:
    """Microseconds of each attribute for each frame, at several rates."""
    lines = ["frames a flush  attributes  type     ms a flush  us per attribute and frame"]
    for rows in (8, 80, 800):
        none = min(spent(None, rows) for _ in range(REPEATS))
        own = min(spent(0, rows) for _ in range(REPEATS))
        lines.append(f"{rows:>14}        none           {1e3 * none:>10.3f}")
        lines.append(
            f"{rows:>14}  {'its own 4':>10}           {1e3 * own:>10.3f}  {1e6 * (own - none) / rows / 4:.3f}"
        )
        for count in (5, 20):
            for kind in (AttributeType.FLOAT64, AttributeType.STRING):
                took = min(spent(count, rows, kind) for _ in range(REPEATS))
                each = 1e6 * (took - own) / rows / count
                lines.append(f"{rows:>14}  {count:>10}  {kind.name:<7}  {1e3 * took:>10.3f}  {each:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write("\n".join(f"{name}: {fact}" for name, fact in facts().items()) + "\n" + table() + "\n")
