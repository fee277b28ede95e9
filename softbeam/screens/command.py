"""``softbeam screens``: write the screens of a beamline, and pictures of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from layouts.beamline import Beamline
from softbeam.env import exports, phoebus
from softbeam.screens.files import ForeignFileError, opening, texts, write
from softbeam.screens.generate import Screen, screens


def run(beamline: Beamline, directory: Path, *, pictures: bool, say: Callable[[str], object]) -> int:
    """Write the screens.

    Args:
        beamline: The description.
        directory: Where they go.
        pictures: Whether to draw each of them too.
        say: Takes each line of what is told.

    Returns:
        The exit code: 1 where nothing could be written.
    """
    made = screens(beamline)
    try:
        written = write(directory, texts(made, phoebus(beamline)))
    except (ForeignFileError, OSError) as error:
        say(f"softbeam screens: {error}")
        return 1
    for path in written:
        say(str(path))
    if pictures:
        for path in _draw(beamline, directory, made, say):
            say(str(path))
    for line in opening(directory, made):
        say(line)
    return 0


def _draw(
    beamline: Beamline, directory: Path, made: list[Screen], say: Callable[[str], object]
) -> list[Path]:
    """A picture of each display, of the first device that it is for."""
    from softbeam.screens.picture import draw
    from softbeam.screens.readings import at_boot, live
    from softbeam.screens.tree import read

    names = {pv for s in made for node in read(s.text, s.devices[0]).walk() for pv in node.pvs}
    readings = live(beamline, names, exports(beamline)["EPICS_CA_ADDR_LIST"].split())
    if readings is None:
        say("No server answers: the pictures have the values at boot.")
        readings = at_boot(beamline)
    paths: list[Path] = []
    for screen in made:
        paths.append(directory / f"{Path(screen.file).stem}.png")
        draw(screen.text, paths[-1], screen.devices[0], readings)
    return paths
