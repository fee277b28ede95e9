"""One simulated detector's data side as a process: ``python -m sim.emitter --beamline FILE --detector NAME``.

Commands come as JSON lines on stdin, reports go as JSON lines to stdout, the log to stderr, and the stream to
the detector's endpoint. The end of stdin, SIGTERM or the end of the lifeline ends it at once.
"""

from __future__ import annotations

import argparse
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from ioc import lifeline
from layouts.beamline import Beamline, BeamlineError, Detector, load
from sim import commands, reports
from sim.detector import initial_config
from sim.frames import FrameSource, SceneSource
from sim.inbox import Inbox
from sim.outlet import Outlet, OutletError, queue_length
from sim.pacer import Pacer
from sim.reports import Broken, Ready, Report

END_WITHIN = 0.7
"""Seconds after which an emitter that was told to end is ended wherever it is."""

_log = logging.getLogger("sim.emitter")

MakeSource = Callable[[Beamline, Detector], FrameSource]


def main(arguments: list[str] | None = None, make_source: MakeSource = SceneSource) -> int:
    """Run until told to end.

    Args:
        arguments: Of the command line.
        make_source: What gives the frames; the scene unless a test or a benchmark puts something else there.

    Returns:
        Exit code: 0 when told to end, 1 when it could not go on.
    """
    parser = argparse.ArgumentParser(prog="python -m sim.emitter", description=__doc__)
    parser.add_argument("--beamline", type=Path, help="beamline file; the built-in one unless given")
    parser.add_argument("--detector", required=True, help="name of the detector in it")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO,
        format=f"%(asctime)s %(levelname)s emitter {options.detector}: %(message)s",
    )
    inbox = Inbox()
    end = _end_when_told(inbox)
    try:
        beamline = load(options.beamline)
        return _serve(beamline, beamline.detector(options.detector), make_source, inbox, end)
    except (BeamlineError, KeyError, OutletError, ValueError) as error:
        message = str(error.args[0]) if isinstance(error, KeyError) else str(error)
    except BrokenPipeError:
        return 1  # nobody reads our reports any more
    except Exception as error:
        _log.exception("ends")
        message = f"internal error ({error}); see the log"
    _log.error(message)
    _say(Broken(message=message))
    return 1


def _serve(
    beamline: Beamline, detector: Detector, make_source: MakeSource, inbox: Inbox, end: Callable[[], None]
) -> int:
    parse = functools.partial(commands.from_line, base=initial_config(beamline, detector))

    def read() -> None:
        inbox.read(sys.stdin.buffer, parse)
        end()  # the parent has gone

    # Bound before the scene is grown, so that a taken port is told at once and receivers can connect.
    pixels = detector.spec.width * detector.spec.height
    outlet = Outlet(detector.stream.endpoint, messages=queue_length(2 * pixels))
    try:
        source = make_source(beamline, detector)
        pacer = Pacer(
            beamline=beamline, detector=detector, source=source, outlet=outlet, inbox=inbox, report=_say
        )
        threading.Thread(target=read, name="stdin", daemon=True).start()
        _say(Ready(pid=os.getpid(), endpoint=detector.stream.endpoint))
        pacer.run()
    finally:
        outlet.close()
    return 0


def _say(report: Report) -> None:
    sys.stdout.buffer.write(reports.to_line(report))
    sys.stdout.buffer.flush()


def _end_when_told(inbox: Inbox) -> Callable[[], None]:
    def end() -> None:
        inbox.close()
        # Whatever it does: rendering, a full pipe, a library's own thread.
        last = threading.Timer(END_WITHIN, os._exit, (0,))
        last.daemon = True
        last.start()

    signal.signal(signal.SIGTERM, lambda *_: end())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C comes to the simulator, which ends us in order
    lifeline.watch(end)
    return end


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the thread that reads stdin holds its lock, and Python's own end would wait for that
