"""Screens as files: written, never over a file that somebody else made or changed, and how to open them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from softbeam.screens.bob import MADE
from softbeam.screens.generate import OVERVIEW, Screen

SETTINGS = "settings.ini"
"""File of Phoebus' settings beside the displays."""


class ForeignFileError(Exception):
    """A file of that name is there, and is not one that was made here."""


def texts(screens: list[Screen], settings: Mapping[str, str]) -> dict[str, str]:
    """What is to be written, by file name.

    Args:
        screens: Displays.
        settings: Phoebus' settings for the beamline.
    """
    lines = [f"# {MADE}", *(f"{name}={value}" for name, value in settings.items())]
    return {screen.file: screen.text for screen in screens} | {SETTINGS: "\n".join(lines) + "\n"}


def write(directory: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files, all or none.

    Args:
        directory: Made if it is not there.
        files: Texts by name.

    Returns:
        What was written.

    Raises:
        ForeignFileError: A file is in the way that was not made here, or was saved again by an editor.
        OSError: The directory cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    foreign = [name for name in files if not _ours(directory / name)]
    if foreign:
        raise ForeignFileError(
            f"{directory}: {', '.join(foreign)} not made by softbeam screens, or changed since; "
            "move what you want to keep, or name another directory. Nothing was written."
        )
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [directory / name for name in files]


def opening(directory: Path, screens: list[Screen]) -> list[str]:
    """How to open what was written: the overview, and as an example one display alone with its macros."""
    place = directory.resolve()
    one = next(screen for screen in screens if screen.devices[0])
    macros = "&".join(f"{name}={value}" for name, value in one.devices[0].items())
    return [
        "Open them with Phoebus, which must have the servers' addresses:",
        f'  phoebus.sh -settings "{place / SETTINGS}" -resource "{(place / OVERVIEW).as_uri()}"',
        "One display alone needs its macros:",
        f'  -resource "{(place / one.file).as_uri()}?{macros}"',
    ]


def _ours(path: Path) -> bool:
    """Whether a file may be written: it is not there, or the second line says who made it."""
    if not path.exists():
        return True
    with path.open(encoding="utf-8", errors="replace") as file:
        return any(MADE in line for _, line in zip(range(2), file, strict=False))
