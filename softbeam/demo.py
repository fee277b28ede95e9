"""``softbeam demo``: the main job from nothing to files, with everything that happened and what it cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console

from ioc.client import CaError
from layouts.beamline import Beamline, load
from layouts.scan import ScanError, Sweep
from softbeam.check import check
from softbeam.env import exports
from softbeam.ports import own_ports
from softbeam.programs import ProgramError, Programs, start_beamline
from softbeam.rotation import Result, plan_rotation
from softbeam.scan_command import measure
from softbeam.up import START_WITHIN

INCREMENT = 0.5
"""Degrees from frame to frame of the main detector."""
FRAME_TIME = 0.01
"""Seconds from frame to frame of the main detector."""


def demo(out: Path, *, images: int) -> int:
    """Run a two-detector rotation on programs of its own and look at what it left.

    Args:
        out: Directory of everything; each run gets a folder of its own in it.
        images: Frames of the main detector; the second takes half as many over the same sweep.

    Returns:
        Exit code: 0 if all frames are there and the check found nothing wrong.
    """
    console = Console(highlight=False)
    directory = _new_folder(out)
    beamline = own_ports(load())
    file = directory / "beamline.json"
    file.write_text(beamline.model_dump_json(indent=2), encoding="utf-8")
    try:
        result = _measure(console, beamline, file, directory, images)
    except (ProgramError, ScanError, CaError) as error:
        console.print(f"demo: {error}", style="red", soft_wrap=True)
        console.print((directory / "softbeam.log").read_text(encoding="utf-8")[-3000:], soft_wrap=True)
        return 1
    console.print(f"   {result.outcome}: {result.stored} frames stored, {result.missing} missing")
    if not result.master.is_file():
        console.print(f"demo: no master: {result.message}", style="red", soft_wrap=True)
        return 1
    with _stage(console, "checking the master"):
        code = check(result.master, deep=True, console=console)
    with _stage(console, "checking the Dectris masters"):
        for master in sorted(directory.glob("*_master.h5")):
            code = max(code, check(master, deep=False, console=console, brief=True))
    with _stage(console, "drawing"):
        from softbeam.pictures import draw

        pictures = draw(result.master, directory)
    _tell_measured(console, directory, result.master)
    _list(console, directory, pictures)
    return code if result.outcome == "complete" and result.missing == 0 else 1


def _measure(console: Console, beamline: Beamline, file: Path, directory: Path, images: int) -> Result:
    with ExitStack() as stack:
        log = stack.enter_context((directory / "softbeam.log").open("w", encoding="utf-8"))
        # Its clients look at its own ports: a beamline that runs here under the same names is none of its.
        programs = stack.enter_context(Programs(log, exports(beamline)))
        with _stage(console, "starting simulator and writer"):
            start_beamline(programs, file, directory)
            programs.wait_ready(START_WITHIN)
        main, *others = [d.name for d in beamline.detectors]
        plan = plan_rotation(
            beamline,
            Sweep(start=0.0, increment=INCREMENT, images=images, frame_time=FRAME_TIME),
            axis="omega",
            detectors=[main, *(f"{name}={max(1, images // 2)}" for name in others)],
            count_time=None,
            directory=directory,
            name="demo",
        )
        sweep = plan.main
        what = f"rotating omega {sweep.start:g} to {sweep.end:g} deg, {1 / sweep.frame_time:g} frames/s"
        with _stage(console, what):
            result = asyncio.run(measure(beamline, plan, console))
        with _stage(console, "ending simulator and writer"):
            programs.stop()
    return result


def _new_folder(out: Path) -> Path:
    """A folder that is not there yet: the writer overwrites nothing, so a second run needs its own."""
    for number in range(1, 10000):
        directory = out.resolve() / f"run{number}"
        try:
            directory.mkdir(parents=True)
        except FileExistsError:
            continue
        return directory
    raise ScanError(f"{out}: holds 9999 runs; remove some")


@contextmanager
def _stage(console: Console, what: str) -> Iterator[None]:
    console.print(f"== {what}")
    began = time.monotonic()
    yield
    console.print(f"   {time.monotonic() - began:.1f} s")


def _tell_measured(console: Console, directory: Path, master: Path) -> None:
    from softbeam.frames_h5 import read_measured

    console.print("== measured")
    each = [one for path in sorted(directory.glob("*_meta.h5")) if (one := read_measured(path)).seconds]
    for one in each:
        size, rate = one.size / one.frames / 1e3, (one.frames - 1) / one.seconds
        console.print(f"   {one.name}: {one.frames} frames of {size:.0f} kB on average, {rate:.0f} frames/s")
    if each:
        late = master.stat().st_mtime - max(one.last for one in each)
        console.print(f"   from the last frame to the master: {late:.2f} s")


def _list(console: Console, directory: Path, pictures: list[Path]) -> None:
    console.print(f"== in {directory}", soft_wrap=True)
    for path in sorted(directory.iterdir()):
        size = path.stat().st_size
        note = "  <- look at it" if path in pictures else ""
        console.print(f"   {path.name:<28} {size / 1e6:9.2f} MB{note}", soft_wrap=True)
