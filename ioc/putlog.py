"""The put log: every put of every client as a line of JSON, in files that do not grow for ever.

Mirrors caPutLog, with what is needed to do the puts again: ``softbeam puts`` makes a script of it. A put has
a line when it is taken or refused; one that a client waits for, or that fails later, has another at its end:

    {"begin": "sim", "at": 1760000000.1, "prefix": "SB:"}
    {"put": 1, "at": 1760000005.2, "pv": "SB:MOT:OMEGA.VAL", "value": 10.0, "user": "ann", "host": "ws1",
     "address": "192.0.2.7", "waits": true}
    {"end": 1, "at": 1760000009.9}

Numbers count from 1 after each ``begin``; ``error`` is there where something was refused or failed.
"""

from __future__ import annotations

import json
import logging
import math
import time
from pathlib import Path
from typing import IO, Any, cast

from ioc.puts import Put

_log = logging.getLogger(__name__)

LIMIT = 10_000_000
"""Bytes of a file after which the next one begins."""
KEPT = 5
"""Older files that are kept: FILE.1 is the latest of them."""


class PutLog:
    """Writes puts to a file.

    Args:
        path: The file; lines are added to what is there.
        program: Whose puts.
        prefix: Of its PVs.
        limit: Bytes of a file.

    Raises:
        OSError: The file cannot be written; names it.
    """

    def __init__(self, path: Path, program: str, prefix: str, limit: int = LIMIT) -> None:
        self._path, self._limit = path, limit
        self._failed = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a", encoding="utf-8")
        self._line({"begin": program, "at": round(time.time(), 6), "prefix": prefix})

    def __call__(self, put: Put) -> None:
        """Write a put's line, or that of its end."""
        if put.ended is None:
            self._line(_taken(put))
        elif put.waits or put.error:
            self._line(_ended(put))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _line(self, values: dict[str, Any]) -> None:
        try:
            if self._file.tell() > self._limit:
                self._rotate()
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            # Said once: the beamline goes on without its log, as it does with a full disk.
            if not self._failed:
                _log.error("puts are not logged any more: %s: %s", self._path, error.strerror)
            self._failed = True
        else:
            self._failed = False

    def _rotate(self) -> None:
        self._file.close()
        for number in range(KEPT - 1, 0, -1):
            older = rotated(self._path, number)
            if older.exists():
                older.replace(rotated(self._path, number + 1))
        self._path.replace(rotated(self._path, 1))
        self._file = self._path.open("a", encoding="utf-8")


def put_log_file(directory: Path, program: str) -> Path:
    """File of a program's puts."""
    return directory / f"{program}-puts.jsonl"


def rotated(path: Path, number: int) -> Path:
    """Name of an older file."""
    return path.with_name(f"{path.name}.{number}")


def to_json(value: Any) -> Any:
    """A value as JSON can hold it: numbers that are none are named."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return [to_json(v) for v in cast("list[Any]", value)] if isinstance(value, list) else value


def from_json(value: Any) -> Any:
    """The value again."""
    if isinstance(value, dict):
        return float(cast("dict[str, str]", value)["float"])
    return [from_json(v) for v in cast("list[Any]", value)] if isinstance(value, list) else value


def _taken(put: Put) -> dict[str, Any]:
    values: dict[str, Any] = {
        "put": put.number,
        "at": round(put.at, 6),
        "pv": put.pv,
        "value": to_json(put.value),
        "user": put.client.user,
        "host": put.client.host,
        "address": put.client.address,
    }
    return values | ({"waits": True} if put.waits else {}) | ({} if put.taken else {"error": put.error})


def _ended(put: Put) -> dict[str, Any]:
    values = {"end": put.number, "at": round(put.ended or put.at, 6)}
    return values | ({"error": put.error} if put.error else {})
