"""``softbeam bench``: how fast it is here, beside what is possible here; one question, or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

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
