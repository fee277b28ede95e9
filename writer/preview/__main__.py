"""``python -m writer.preview``: computes the previews of all detectors of a coordinator, which starts it.

It holds nothing that would be missed, so it ends at once at SIGTERM, and when whoever started it is gone. It
steps back for every other process.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys

# One thread: previews must not take the writer's processors.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

_log = logging.getLogger("writer.preview")
_NICE = 10


def main(arguments: list[str] | None = None) -> int:
    """Run the previews until whoever started them is gone; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m writer.preview", description=__doc__)
    parser.add_argument("--coordinator", required=True, help="endpoint of the coordinator's preview socket")
    parser.add_argument("--host", default="127.0.0.1", help="address at which workers reach this process")
    parser.add_argument("--log", default="INFO", help="level of the log on stderr")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=options.log.upper(),
        format="%(asctime)s preview %(levelname)s %(message)s",
    )
    from writer.preview.loop import PreviewLoop

    with contextlib.suppress(OSError):
        os.nice(_NICE)
    try:
        loop = PreviewLoop(options.coordinator, options.host)
    except OSError as error:
        _log.error("%s", error)
        return 2
    print(f"READY preview {loop.endpoint}", flush=True)  # noqa: T201  what a supervisor waits for
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
