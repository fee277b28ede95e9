"""``softbeam scan``: the rotation on a terminal, with a bar for each detector."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from ioc.client import CaError, Client
from layouts.beamline import Beamline
from layouts.scan import ScanError, Sweep
from softbeam.rotation import Plan, Progress, Result, Rotation, plan_rotation


def run_rotation(
    beamline: Beamline,
    *,
    images: int,
    increment: float,
    frame_time: float,
    start: float,
    axis: str,
    detectors: list[str],
    name: str,
    directory: Path,
    count_time: float | None,
) -> int:
    """Do a rotation and say how it went.

    Returns:
        Exit code: 0 complete, 1 aborted, incomplete or failed, 2 cannot be done.
    """
    console = Console()
    try:
        sweep = Sweep(start=start, increment=increment, images=images, frame_time=frame_time)
        plan = plan_rotation(
            beamline,
            sweep,
            axis=axis,
            detectors=detectors,
            count_time=count_time,
            directory=directory,
            name=name,
        )
        result = asyncio.run(measure(beamline, plan, console))
    except (ScanError, CaError) as error:
        console.print(f"softbeam scan: {error}", style="red", highlight=False, soft_wrap=True)
        return 2
    except (asyncio.CancelledError, KeyboardInterrupt):
        console.print("softbeam scan: interrupted; everything was stopped", style="red")
        return 1
    console.print(
        f"{result.outcome}: {result.stored} stored, {result.missing} missing; {result.message}",
        soft_wrap=True,
    )
    console.print(f"{result.master}", soft_wrap=True)
    return 0 if result.outcome == "complete" else 1


async def measure(beamline: Beamline, plan: Plan, console: Console) -> Result:
    """Do the rotation with live bars; Ctrl-C stops it in order.

    Raises:
        ScanError: It could not be done.
    """
    ca = beamline.ca
    client = Client([f"{ca.interface}:{ca.sim_port}", f"{ca.interface}:{ca.writer_port}"])
    task = asyncio.ensure_future(_with_bars(Rotation(beamline, client, plan), plan, console))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    finally:
        await client.close()


async def _with_bars(rotation: Rotation, plan: Plan, console: Console) -> Result:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console) as bars:
        tasks = {
            d: bars.add_task(f"  {d}", total=sweep.images, state="setting up")
            for d, sweep in plan.sweeps.items()
        }

        def show(progress: Progress) -> None:
            for detector, stored in progress.stored.items():
                bars.update(tasks[detector], completed=stored, state=progress.state)

        return await rotation.run(show)
