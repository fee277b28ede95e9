"""The command people type. Each command imports what it needs when it runs, so that help comes at once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from softbeam import bench

if TYPE_CHECKING:
    from layouts.beamline import Beamline

app = typer.Typer(
    help="A beamline made of software: soft IOCs, detectors, file writer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(bench.app, name="bench")
app.command()(bench.tune)

BeamlineFile = Annotated[
    Path | None,
    typer.Option(
        "--beamline", "-b", envvar="SOFTBEAM_BEAMLINE", help="Beamline file; the built-in one if not given."
    ),
]


class Flavour(StrEnum):
    """Whose devices."""

    OPHYD = "ophyd"
    OPHYD_ASYNC = "ophyd-async"


def _load(path: Path | None) -> Beamline:
    from layouts.beamline import BeamlineError, load

    try:
        return load(path)
    except BeamlineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _file(path: Path | None) -> Path:
    from layouts.beamline import default_file

    return path or default_file()


@app.command()
def up(
    beamline: BeamlineFile = None,
    data: Annotated[Path | None, typer.Option(help="Where files go when no client says otherwise.")] = None,
    interfaces: Annotated[
        list[str] | None,
        typer.Option(help="Address to serve Channel Access on, may be repeated; loopback unless given."),
    ] = None,
    put_log: Annotated[Path | None, typer.Option(help="Directory where every put is logged.")] = None,
    autosave: Annotated[
        Path | None, typer.Option(help="Directory where settings are kept over a restart.")
    ] = None,
) -> None:
    """Run simulator and writer on this machine until Ctrl-C."""
    from softbeam.up import Wishes
    from softbeam.up import up as run

    b = _load(beamline)
    addresses = [word for text in interfaces or [] for word in text.replace(",", " ").split()]
    code = run(
        b,
        _file(beamline),
        data or b.storage.directory,
        Wishes(interfaces=addresses, put_log=put_log, autosave=autosave),
        say=typer.echo,
        tell=lambda line: typer.echo(line, err=True),
    )
    raise typer.Exit(code)


@app.command()
def puts(
    logs: Annotated[list[Path], typer.Argument(help="Files that --put-log has made.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the script goes; printed if not given.")
    ] = None,
) -> None:
    """Make a pyepics script of put logs, which does the puts again."""
    from softbeam.replay import LogError
    from softbeam.replay import main as run

    try:
        typer.echo(run(logs, out), nl=out is not None)
    except (LogError, OSError) as error:
        typer.echo(f"softbeam puts: {error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def env(beamline: BeamlineFile = None) -> None:
    """Print what a client needs: eval "$(softbeam env)"."""
    from softbeam.env import lines

    for line in lines(_load(beamline)):
        typer.echo(line)


@app.command()
def pvs(
    beamline: BeamlineFile = None,
    pattern: Annotated[str, typer.Argument(help="Only PVs whose names contain this.")] = "",
) -> None:
    """List every PV with its type, class and meaning."""
    from softbeam.pvs import table

    for line in table(_load(beamline), pattern):
        typer.echo(line)


@app.command()
def screens(
    directory: Annotated[Path, typer.Argument(help="Where the displays go.")],
    beamline: BeamlineFile = None,
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="Draw each as a PNG too, with live values if the beamline is up."),
    ] = False,
) -> None:
    """Write Phoebus displays of every PV."""
    from softbeam.screens.command import run

    raise typer.Exit(run(_load(beamline), directory, pictures=pictures, say=typer.echo))


@app.command()
def devices(
    beamline: BeamlineFile = None,
    flavour: Annotated[Flavour, typer.Option(help="Whose classes.")] = Flavour.OPHYD,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the module goes; printed if not given.")
    ] = None,
) -> None:
    """Write a Python module of ophyd or ophyd-async devices of the beamline."""
    from softbeam.devices import NameClashError, module

    try:
        text = module(_load(beamline), flavour.value)
        if out is not None:
            out.write_text(text, encoding="utf-8")
    except (NameClashError, OSError) as error:
        typer.echo(f"softbeam devices: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(text if out is None else f"wrote {out}", nl=out is not None)


@app.command("beamline")
def show_beamline(
    file: Annotated[Path | None, typer.Argument(help="Beamline file to check.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema for editors.")] = False,
) -> None:
    """Check a beamline file, or print the built-in one to start from."""
    import json

    from layouts.beamline import Beamline, default_text

    if schema:
        typer.echo(json.dumps(Beamline.model_json_schema(), indent=2))
    elif file is None:
        typer.echo(default_text(), nl=False)
    else:
        b = _load(file)
        typer.echo(f"{file}: {b.name}, {len(b.motors)} motors, {len(b.detectors)} detectors, no errors")


@app.command()
def check(
    master: Annotated[Path, typer.Argument(help="NAME.nxs or NAME_DET_master.h5")],
    deep: Annotated[bool, typer.Option("--deep", help="Read every frame.")] = False,
) -> None:
    """Check a master: frames, gaps, links, chains, units, masks."""
    from softbeam.check import check as run

    raise typer.Exit(run(master, deep=deep))


@app.command()
def follow(
    file: Annotated[Path, typer.Argument(help="STEM_meta.h5, or another file of the capture.")],
    timeout: Annotated[
        float | None, typer.Option(help="Seconds without a new frame after which to give up.")
    ] = None,
) -> None:
    """Print a line for each frame as soon as it can be read, until the capture has ended."""
    from softbeam.follow import follow as run

    code = run(file, timeout=timeout, say=typer.echo, tell=lambda line: typer.echo(line, err=True))
    raise typer.Exit(code)


@app.command()
def salvage(
    path: Annotated[Path, typer.Argument(help="A directory, or a raw or meta file in it.")],
    beamline: BeamlineFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the new files go; beside the old ones.")
    ] = None,
    detector: Annotated[str, typer.Option(help="Of frames of which no file says it.")] = "",
) -> None:
    """Bring back what a writer that died has left: clean files, and a master."""
    from softbeam.salvage import salvage as run

    raise typer.Exit(run(path, _load(beamline), out=out, detector=detector))


scan_app = typer.Typer(
    help="Measure as a control script would, through Channel Access.", no_args_is_help=True
)
app.add_typer(scan_app, name="scan")


@scan_app.command()
def rotation(
    images: Annotated[int, typer.Option(help="Frames of the main detector.")] = 180,
    increment: Annotated[float, typer.Option(help="Degrees from frame to frame.")] = 0.5,
    frame_time: Annotated[float, typer.Option(help="Seconds from frame to frame.")] = 0.05,
    start: Annotated[float, typer.Option(help="Degrees at the start of frame 0.")] = 0.0,
    axis: Annotated[str, typer.Option(help="Motor that turns.")] = "omega",
    detector: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME or NAME=FRAMES over the same sweep; the first is the main one; all if not given."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="Stem of the files.")] = "rotation",
    directory: Annotated[Path, typer.Option("--directory", "-d", help="Where the files go.")] = Path("data"),
    count_time: Annotated[
        float | None, typer.Option(help="Seconds of exposure; the frame time if not given.")
    ] = None,
    beamline: BeamlineFile = None,
) -> None:
    """Turn an axis at constant speed while the detectors take frames."""
    from softbeam.scan_command import run_rotation

    b = _load(beamline)
    raise typer.Exit(
        run_rotation(
            b,
            images=images,
            increment=increment,
            frame_time=frame_time,
            start=start,
            axis=axis,
            detectors=detector or [d.name for d in b.detectors],
            name=name,
            directory=directory,
            count_time=count_time,
        )
    )


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where everything goes.")] = Path("demo"),
    images: Annotated[int, typer.Option(help="Frames of the main detector.")] = 180,
) -> None:
    """All of it: a two-detector rotation, both masters, a check, pictures, and what was measured."""
    from softbeam.demo import demo as run

    raise typer.Exit(run(out, images=images))


def main() -> None:
    """Entry point of the ``softbeam`` command."""
    app()


if __name__ == "__main__":
    main()
