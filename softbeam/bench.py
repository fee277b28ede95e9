"""``softbeam bench``: how fast it is here, beside what is possible here; one question, or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.sizing import Need, frame_bytes
from benchmarks.sizing import model as known_model
from benchmarks.suite import QUESTIONS, run

app = typer.Typer(
    help="Measure the programs beside their limits on this machine; everything, unless a question is named.",
    invoke_without_command=True,
)

Smoke = Annotated[bool, typer.Option("--smoke", help="A short run that only shows that it works.")]
Guard = Annotated[bool, typer.Option("--guard", help="Fail where a ratio is 30 % under the recorded one.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the ratios into this file (.png, .svg).")]
Json = Annotated[Path | None, typer.Option("--json", help="Write all samples into this file.")]


@app.callback()
def everything(
    context: typer.Context,
    smoke: Smoke = False,
    guard: Guard = False,
    plot: Plot = None,
    keep: Json = None,
) -> None:
    """Measure the programs beside their limits on this machine; everything, unless a question is named."""
    if context.invoked_subcommand is None:
        code = _run(list(QUESTIONS), smoke=smoke, guard=guard, plot=plot, keep=keep)
        raise typer.Exit(_ioc(smoke=smoke) or code)


@app.command()
def ioc(smoke: Smoke = False) -> None:
    """Our Channel Access server, beside a bare caproto IOC and a real softIoc."""
    raise typer.Exit(_ioc(smoke=smoke))


Directory = Annotated[Path, typer.Argument(help="On the storage in question; what is written is removed.")]
Model = Annotated[str, typer.Option("--model", help="Detector model, such as 'EIGER2 16M'.")]
Rate = Annotated[float, typer.Option("--rate", help="Frames a second.", min=0.001)]
Bits = Annotated[int, typer.Option("--bits", help="Of a pixel: 8, 16 or 32.", min=8, max=32)]
Ratio = Annotated[
    float, typer.Option("--ratio", help="How many times smaller packed frames are; see the how-to.", min=1.0)
]
Minutes = Annotated[float, typer.Option("--minutes", help="Length of the run to be judged.", min=0.001)]
Seconds = Annotated[float, typer.Option("--seconds", help="How long to write for each figure.", min=0.01)]


@app.command()
def sustain(
    directory: Directory,
    *,
    model: Model = "EIGER2 16M",
    rate: Rate = 133.0,
    bits: Bits = 16,
    ratio: Ratio = 9.0,
    minutes: Minutes = 60.0,
    seconds: Seconds = 20.0,
) -> None:
    """Say whether a storage and this machine take a detector for so long: yes or no, and by what margin."""
    from benchmarks import sustain as run
    from layouts.beamline import load
    from softbeam.ports import own_ports

    need = _need(directory, model=model, rate=rate, bits=bits, ratio=ratio, minutes=minutes)
    raise typer.Exit(run.main(directory, own_ports(load()), need, seconds))


def tune(
    directory: Directory,
    *,
    detector: Annotated[str, typer.Option("--detector", help="Whose lines are wanted.")] = "EIG1",
    model: Model = "EIGER2 16M",
    rate: Rate = 133.0,
    bits: Bits = 16,
    ratio: Ratio = 9.0,
    minutes: Minutes = 60.0,
    seconds: Seconds = 3.0,
) -> None:
    """Try flush intervals, file sizes, workers and fsync on a storage; print lines for the beamline file."""
    from benchmarks import tune as run
    from layouts.beamline import load
    from softbeam.ports import own_ports

    need = _need(directory, model=model, rate=rate, bits=bits, ratio=ratio, minutes=minutes)
    raise typer.Exit(run.main(directory, own_ports(load()), detector, need, seconds))


def _need(directory: Path, *, model: str, rate: float, bits: int, ratio: float, minutes: float) -> Need:
    if not directory.is_dir():
        typer.echo(f"{directory} is no directory; give one on the storage in question", err=True)
        raise typer.Exit(2)
    try:
        size = frame_bytes(known_model(model), bits, ratio)
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    return Need(frame_bytes=size, rate=rate, seconds=60 * minutes)


def _add(name: str, asks: str) -> None:
    def command(smoke: Smoke = False, guard: Guard = False, plot: Plot = None, keep: Json = None) -> None:
        raise typer.Exit(_run([name], smoke=smoke, guard=guard, plot=plot, keep=keep))

    app.command(name, help=asks)(command)


for _name, _question in QUESTIONS.items():
    _add(_name, _question.asks)


def _run(names: Sequence[str], *, smoke: bool, guard: bool, plot: Path | None, keep: Path | None) -> int:
    from layouts.beamline import load
    from softbeam.ports import own_ports

    return run(names, own_ports(load()), smoke=smoke, guard=guard, plot=plot, keep=keep)


def _ioc(*, smoke: bool) -> int:
    from benchmarks.ioc import main as run_ioc

    return run_ioc(smoke=smoke)
