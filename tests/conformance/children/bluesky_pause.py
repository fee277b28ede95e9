"""Runs of bluesky that are interrupted, with the devices that ``softbeam devices`` has written.

Arguments: ophyd or ophyd-async. In the working directory is ``beamline_devices.py``. Each run is a scan of
omega in three points; at one of them it is interrupted while the detector exposes. What the documents point
to is looked up in the file: the position that was stored with each frame has to be that of the event.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import h5py
import hdf5plugin  # noqa: F401
import numpy as np
from bluesky import RunEngine
from bluesky.suspenders import SuspendBoolHigh
from bluesky.utils import RunEngineInterrupted

FLAVOUR = sys.argv[1]
EXPOSURE = 0.5
POSITIONS = [10.0, 11.0, 12.0]
ENGINE = RunEngine({}, call_returns_result=False)
sys.path.insert(0, str(Path.cwd()))

if FLAVOUR == "ophyd":
    from bluesky_ophyd import Side
else:
    from bluesky_ophyd_async import Side

SIDE = Side(ENGINE, EXPOSURE)


class Documents:
    """Of one run."""

    def __init__(self) -> None:
        self.all: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, name: str, doc: dict[str, Any]) -> None:
        self.all.append((name, doc))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [doc for name, doc in self.all if name == kind]


def interrupted(how: str, at: int) -> Iterator[Any]:
    """A scan that is interrupted once, while the detector exposes at the point ``at``."""
    done = []

    def one(detectors: list[Any], step: dict[Any, float], pos_cache: dict[Any, Any]) -> Iterator[Any]:
        yield from bps.checkpoint()
        yield from bps.move_per_step(step, pos_cache)
        (value,) = step.values()
        if POSITIONS.index(value) == at and not done:
            done.append(how)
            threading.Thread(target=interrupt, args=(how,), daemon=True).start()
        yield from bps.trigger_and_read([*detectors, *step])

    return bp.scan([SIDE.detector], SIDE.omega, POSITIONS[0], POSITIONS[-1], len(POSITIONS), per_step=one)


def interrupt(how: str) -> None:
    """What a user or the beam does, as soon as the detector exposes."""
    while not SIDE.is_exposing():
        time.sleep(0.005)
    if how == "suspend":
        SIDE.beam_lost.put(1)
        time.sleep(0.2)
        SIDE.beam_lost.put(0)
    elif how != "no":
        ENGINE.request_pause(defer=how == "defer")


def run(how: str, at: int = 1, then: str = "resume") -> dict[str, Any]:
    """One run, interrupted and gone on with; what its documents say of the file."""
    documents, error = Documents(), ""
    try:
        ENGINE(interrupted(how, at), documents)
    except RunEngineInterrupted:
        if then == "by hand":
            SIDE.abort_exposure()
        if then == "later":
            while SIDE.is_exposing() or SIDE.captured() < taken_by(at):
                time.sleep(0.02)
        try:
            getattr(ENGINE, "resume" if then in ("by hand", "later") else then)()
        except Exception as caught:
            error = type(caught).__name__
            if ENGINE.state == "paused":
                ENGINE.abort()
    if then == "halt":
        ENGINE(bps.unstage(SIDE.detector))
    return {"error": error, "clean": SIDE.is_idle(), **looked_up(documents)}


def taken_by(at: int) -> int:
    """Rows when the exposure of this point is over."""
    return (at + 1) * SIDE.frames


def looked_up(documents: Documents) -> dict[str, Any]:
    """Rows of the file that the events point to, and whether they are those of the events' positions."""
    events = documents.of("event")
    rows = SIDE.rows(documents)
    right, length = True, 0
    for path in SIDE.files(documents):
        with h5py.File(Path(urlsplit(path).path)) as file:
            length = len(file["/entry/data/data"])
            column = file["/entry/instrument/NDAttributes"][SIDE.column][()]
        right = all(
            stop <= length and np.allclose(column[start:stop], event["data"]["omega"], atol=0.01)
            for (start, stop), event in zip(rows, events, strict=True)
        )
    return {"events": len(events), "pointed": rows, "length": length, "right": right}


def main() -> None:
    ENGINE.install_suspender(SuspendBoolHigh(SIDE.beam_lost))
    told = {
        "undisturbed": run("no"),
        "pause": run("pause"),
        "pause in first": run("pause", at=0),
        "deferred": run("defer"),
        "suspended": run("suspend"),
    }
    for then in ("stop", "abort", "halt"):
        told[then] = run("pause", then=then)
        told[f"after {then}"] = run("no")
    told["by hand"] = run("pause", then="by hand")
    told["after by hand"] = run("no")
    SIDE.make_stock()
    told["stock"] = run("pause")
    told["stock, later"] = run("pause", then="later")
    told["after stock"] = run("no")
    print("RESULT", json.dumps(told))  # noqa: T201


main()
