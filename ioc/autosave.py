"""Autosave: settings that clients have changed, kept in a file and put again when the program starts.

Mirrors synApps autosave, with two differences. Only what was changed is kept, so a beamline file that is
edited still has its say in everything else. And the file has the order of the changes: a restart puts them in
that order, through the same handlers as a client's puts, so that linked values end as they were.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ioc.putlog import from_json, to_json
from ioc.records import Value

_log = logging.getLogger(__name__)

PREVIOUS = ".previous"
"""Suffix of the file as it stood when the program began."""


class AutosaveError(ValueError):
    """A file that holds no settings; says what is wrong."""


class Changes:
    """Which settings have been changed since the program was made, and in what order. Pure.

    Args:
        values: Of every setting, before anything was changed.
    """

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = dict(values)
        self._order: dict[str, None] = {}
        self._put: set[str] = set()

    def put(self, name: str) -> None:
        """A PV was put; does nothing if it is no setting."""
        if name in self._values:
            self._last(name)
            self._put.add(name)

    def see(self, values: Mapping[str, Value]) -> None:
        """Take the values of now: what has changed without a put followed the puts before."""
        for name, value in values.items():
            if value != self._values[name]:
                self._values[name] = value
                if name not in self._put:
                    self._last(name)
        self._put.clear()

    def values(self) -> dict[str, Value]:
        """What is to be kept, in the order of the changes."""
        return {name: self._values[name] for name in self._order}

    def _last(self, name: str) -> None:
        self._order.pop(name, None)
        self._order[name] = None


def to_text(values: Mapping[str, Value], program: str) -> str:
    """What a file holds."""
    kept = {name: to_json(value) for name, value in values.items()}
    return json.dumps({"program": program, "settings": kept}, indent=1, ensure_ascii=False) + "\n"


def from_text(text: str) -> dict[str, Any]:
    """Settings by PV, in their order.

    Raises:
        AutosaveError: The text is not of a file of ours.
    """
    try:
        kept = json.loads(text)["settings"]
        return {str(name): from_json(value) for name, value in kept.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AutosaveError(f"no settings: {error}") from None


class File:
    """Where a program's settings are kept.

    Args:
        directory: Is made if it is not there.
        program: Whose.

    Raises:
        OSError: The directory cannot be made.
    """

    def __init__(self, directory: Path, program: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / f"{program}-settings.json"
        self._program = program

    def load(self) -> dict[str, Any]:
        """Settings of the file; none if there is none, or if it cannot be read, which is logged.

        A file that holds no settings is set aside; one that does is copied before it is written again.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
            values = from_text(text)
            shutil.copy2(self.path, self.path.with_name(self.path.name + PREVIOUS))
        except FileNotFoundError:
            return {}
        except (AutosaveError, UnicodeDecodeError) as error:
            aside = self.path.with_name(f"{self.path.name}.corrupt-{int(time.time())}")
            self.path.replace(aside)
            _log.error("%s: %s; it is %s now, and settings begin anew", self.path, error, aside.name)
            return {}
        except OSError as error:
            _log.error("%s cannot be read (%s); settings begin anew", self.path, error.strerror)
            return {}
        return values

    def save(self, values: Mapping[str, Value]) -> None:
        """Write the settings: all of them or, where that fails, none.

        Raises:
            OSError: They cannot be written; the file is as it was.
        """
        new = self.path.with_name(self.path.name + ".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(to_text(values, self._program))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
