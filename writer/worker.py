"""``python -m writer.worker``: takes one detector's stream and writes it, as the coordinator says.

Where a detector has several workers this one is the fan before them: it deals frames to as many storers,
``python -m writer.storer``, which write them.

The same command runs on any host. It is told what to do on the control socket; it ends, within a second and
with its files closed, at SIGTERM or SIGINT, at Shutdown, and when whoever started it is gone.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

# One worker is one thread beside ZeroMQ's: bitshuffle's OpenMP would take a processor from its neighbours.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_log = logging.getLogger("writer.worker")


def main(arguments: list[str] | None = None) -> int:
    """Run a worker until it is told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m writer.worker", description=__doc__)
    parser.add_argument("--beamline", type=Path, help="beamline file; the built-in one unless given")
    parser.add_argument("--detector", required=True, help="name of the detector in the beamline file")
    parser.add_argument("--control", help="endpoint of the coordinator; ca.control of the file unless given")
    parser.add_argument("--endpoint", help="of the detector's stream; as in the beamline file unless given")
    parser.add_argument("--queue", type=int, help="frames that may wait; what 1 GiB holds unless given")
    parser.add_argument("--workers", type=int, help="processes that store; as in the beamline file")
    parser.add_argument("--storers", help="endpoint for storers that others start; as in the beamline file")
    parser.add_argument("--credits", type=int, default=1 << 30, help="bytes on their way to storers")
    parser.add_argument("--log", default="INFO", help="level of the log on stderr")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=options.log.upper(),
        format=f"%(asctime)s worker {options.detector} %(levelname)s %(message)s",
    )
    from layouts.beamline import BeamlineError, load
    from writer.worker_loop import WorkerLoop

    try:
        beamline = load(options.beamline)
        detector = beamline.detector(options.detector)
        said = {"workers": options.workers, "storers": options.storers}
        detector = detector.model_copy(update={k: v for k, v in said.items() if v is not None})
        loop = WorkerLoop(
            detector,
            control_endpoint=options.control or beamline.ca.control,
            stream_endpoint=options.endpoint or detector.stream.endpoint,
            queue=options.queue,
            budget=options.credits,
            level=options.log,
        )
    except (BeamlineError, KeyError, OSError) as error:
        _log.error("%s", error.args[0] if isinstance(error, KeyError) else error)
        return 2
    print(f"READY worker {detector.name} {loop.endpoint}", flush=True)  # noqa: T201  what a supervisor waits for
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
