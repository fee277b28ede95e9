"""``python -m writer.storer``: one of several processes that store the frames of one detector.

The fan, the detector's worker, starts it; or anyone does, on any host that sees the same directories. It is
told what to do by the fan. It ends, with its files closed, at SIGTERM or SIGINT, when the fan says so, and
when whoever started it is gone.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

_log = logging.getLogger("writer.storer")


def main(arguments: list[str] | None = None) -> int:
    """Run a storer until it is told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m writer.storer", description=__doc__)
    parser.add_argument("--fan", required=True, help="endpoint of the fan, such as tcp://127.0.0.1:9300")
    parser.add_argument("--rank", type=int, required=True, help="which of the detector's storers, from 0")
    parser.add_argument("--log", default="INFO", help="level of the log on stderr")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=options.log.upper(),
        format=f"%(asctime)s storer {options.rank} %(levelname)s %(message)s",
    )
    from writer.stripes.storer_loop import StorerLoop

    try:
        loop = StorerLoop(options.fan, options.rank)
    except OSError as error:
        _log.error("%s", error.strerror or error)
        return 2
    print(f"READY storer {options.rank} {options.fan}", flush=True)  # noqa: T201  what a supervisor waits for
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
