"""``python -m writer.record``: a worker by itself, without coordinator and Channel Access.

Takes one series of a detector's stream and leaves raw and meta files and both masters. What the stream does
not say, whatever its header detail, comes from the beamline file: mask, geometry, motors, energy, times.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")

import zmq

from layouts.beamline import Beamline, BeamlineError, Detector, load
from layouts.capture import Acquisition, Outcome
from layouts.nexus.findings import Severity
from writer import control, masters
from writer.control import Done
from writer.keeping import keeping
from writer.offline import described
from writer.receiver import Receiver, high_water_mark
from writer.session import Session

_log = logging.getLogger("writer.record")

_POLL: Final = 20
"""Milliseconds between two looks at the clock."""
_CAPTURE: Final = "record"


def record(
    detector: Detector,
    order: control.Capture,
    *,
    endpoint: str,
    timeout: float,
    on_ready: Callable[[], None] = lambda: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Done:
    """Take one series from a stream.

    Args:
        detector: Of the beamline file.
        order: What to write and where.
        endpoint: Where the detector's PUSH is.
        timeout: Seconds without any frame after which to give up.
        on_ready: Called once files are open and the socket is connecting.
        stopped: Whether to end now.

    Returns:
        What the worker says at the end; its files are closed.
    """
    session = Session(detector.name)
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    slow, fast = detector.spec.shape
    receiver = Receiver(context, endpoint, queue=high_water_mark(slow * fast // 2))
    try:
        session.command(order)
        on_ready()
        heard, seen = time.monotonic(), -1
        while True:
            receiver.socket.poll(_POLL)
            session.take(receiver.receive, time.monotonic_ns() + 1_000_000 * _POLL)
            now = time.monotonic()
            session.tick(now)
            done = _ended(session)
            if done is not None:
                return done
            received = session.status().totals.received
            if received != seen:
                heard, seen = now, received
            if stopped():
                session.close("it was told to stop")
            elif now - heard > timeout:
                session.close(f"nothing came for {timeout:g} s")
    finally:
        receiver.close()
        context.term()


def _ended(session: Session) -> Done | None:
    """The last word, if the series is over; what the worker says meanwhile goes to the log."""
    while session.events:
        event = session.events.popleft()
        if isinstance(event, Done):
            return event
        if isinstance(event, control.SeriesEnded) and event.report.rows and session.is_open:
            session.command(control.Stop(capture=_CAPTURE, drain=False))
        _log.info("%s", event)
    return None


def acquisition(beamline: Beamline, order: control.Capture, done: Done) -> Acquisition:
    """What was taken, as masters want it.

    Args:
        beamline: The description.
        order: Of the capture.
        done: Its end; it has frames.

    Raises:
        ValueError: It has none.
    """
    capture = described(beamline, done.record, has_attributes=order.attributes is not None)
    frame_time = capture.parameters.frame_time or 0.0
    seconds = (capture.parameters.images or capture.rows) * frame_time
    ended = datetime.fromtimestamp(done.record.ended, UTC).astimezone()
    return Acquisition(
        beamline=beamline,
        directory=Path(order.directory),
        name=order.stem,
        detectors=(capture,),
        started=capture.started,
        ended=None if done.outcome is Outcome.ABORTED else ended,
        estimated_end=capture.started + timedelta(seconds=seconds),
        outcome=done.outcome,
        reason=done.reason,
    )


def main(arguments: list[str] | None = None) -> int:
    """Record one series; 0 if it is complete and its masters stand, 1 if not, 2 if it cannot begin."""
    parser = argparse.ArgumentParser(prog="python -m writer.record", description=__doc__)
    parser.add_argument("--beamline", type=Path, help="beamline file; the built-in one unless given")
    parser.add_argument("--detector", required=True, help="name of the detector in the beamline file")
    parser.add_argument("--endpoint", help="of the detector's stream; as in the beamline file unless given")
    parser.add_argument("--out", type=Path, required=True, help="directory of the files; exists")
    parser.add_argument("--name", required=True, help="what the names of the files begin with")
    parser.add_argument("--images", type=int, default=0, help="end after so many frames; 0: with the series")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds of silence before giving up")
    options = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        beamline = load(options.beamline)
        detector = beamline.detector(options.detector)
    except (BeamlineError, KeyError) as error:
        _log.error("%s", error.args[0])
        return 2
    order = control.Capture(
        capture=_CAPTURE,
        directory=str(options.out.absolute()),
        stem=options.name,
        detector=detector.name,
        images_per_file=detector.images_per_file,
        num_capture=max(options.images, 0),
        images=options.images or None,
        stall_timeout=beamline.storage.stall_timeout,
        grace=beamline.storage.grace,
        flush_interval=beamline.storage.flush_interval,
        keeping=keeping(beamline.storage, detector),
    )
    stop: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: stop.append(number))
    endpoint = options.endpoint or detector.stream.endpoint
    done = record(
        detector,
        order,
        endpoint=endpoint,
        timeout=options.timeout,
        on_ready=lambda: print(f"READY record {detector.name} {endpoint}", flush=True),  # noqa: T201
        stopped=lambda: bool(stop),
    )
    counters = done.counters
    _log.info("%s: %d frames stored, %d missing", done.outcome, counters.stored, counters.missing)
    if done.reason:
        _log.warning("%s", done.reason)
    if not done.record.rows:
        _log.error("no master: no frame was stored")
        return 1
    published = masters.publish(acquisition(beamline, order, done))
    for finding in published.findings:
        _log.log(logging.ERROR if finding.severity is Severity.ERROR else logging.INFO, "%s", finding)
    for path in published.paths:
        print(path)  # noqa: T201  what a script wants to know
    return 0 if published.ok and done.outcome is Outcome.COMPLETE else 1


if __name__ == "__main__":
    sys.exit(main())
