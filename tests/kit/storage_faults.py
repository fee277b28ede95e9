"""Storage that fails, for one program under test: a small library of our own that is preloaded into it.

Compiled once a session by the C compiler that is there; steered while the program runs, through memory that
both share. The other end is ``storage_faults.c``.
"""

from __future__ import annotations

import json
import mmap
import os
import shutil
import struct
import subprocess
import sys
from enum import IntFlag
from pathlib import Path
from typing import Final

import pytest

from layouts.raw.names import DATA

_SOURCE: Final = Path(__file__).with_name("storage_faults.c")
_RULE: Final = struct.Struct("=6i4q256s")
_STALLED: Final = 16
"""Where ``stalled`` is in the rule."""


class Call(IntFlag):
    """What is done to a file."""

    OPEN = 1
    WRITE = 2
    TRUNCATE = 4
    SYNC = 8


class StorageFaults:
    """The rule that holds for a program.

    Args:
        library: The compiled library.
        directory: Where the shared memory's file goes.
    """

    def __init__(self, library: Path, directory: Path) -> None:
        path = directory / "storage-faults"
        path.write_bytes(bytes(_RULE.size))
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _RULE.size)
        own = {"LD_PRELOAD": str(library), "STORAGE_FAULTS": str(path), "PYTHONFAULTHANDLER": "1"}
        self.environment: Final = os.environ | own
        """Of the program."""

    def count(self, pattern: str) -> None:
        """Let everything pass, and count it."""
        self._set(Call(0), 0, 0, pattern)

    def fail(
        self,
        calls: Call,
        number: int,
        pattern: str,
        *,
        after: int = 0,
        times: int = -1,
        growing: bool = False,
    ) -> None:
        """Let calls fail.

        Args:
            calls: Which.
            number: Their errno.
            pattern: Of the files' paths; ``*`` stands for slashes too.
            after: Bytes that are written well before.
            times: How often; -1 is from then on.
            growing: Only what makes a file longer fails.
        """
        self._set(calls, number, times, pattern, after=after, growing=growing)

    def stall(self, calls: Call, pattern: str, *, after: int = 0) -> None:
        """Hold calls up until ``resume``."""
        self._set(calls, 0, 0, pattern, after=after, stalled=True)

    def resume(self) -> None:
        """Let what is held up go on."""
        self._shared[_STALLED : _STALLED + 4] = bytes(4)

    def heal(self) -> None:
        """Let everything pass."""
        self.count("")

    @property
    def waiting(self) -> int:
        """Calls that are held up now."""
        return self._rule()[5]

    @property
    def written(self) -> int:
        """Bytes written since the rule was made."""
        return self._rule()[7]

    @property
    def failed(self) -> int:
        """Calls that have failed since."""
        return self._rule()[8]

    @property
    def synced(self) -> int:
        """Calls of fsync and fdatasync that went well since."""
        return self._rule()[9]

    def _rule(self) -> tuple:
        return _RULE.unpack(self._shared[:])

    def _set(
        self,
        calls: Call,
        number: int,
        times: int,
        pattern: str,
        *,
        after: int = 0,
        growing: bool = False,
        stalled: bool = False,
    ) -> None:
        self._shared[:] = bytes(_RULE.size)
        self._shared[:] = _RULE.pack(
            calls, number, times, growing, stalled, 0, after, 0, 0, 0, pattern.encode()
        )


def compiled(directory: Path) -> Path:
    """The library; skips the test where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: storage that fails is a C library (apt install gcc)")
    library = directory / "storage_faults.so"
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, _SOURCE, "-ldl"],
        check=True,
        capture_output=True,
        text=True,
    )
    return library


# Which place holds which frame; -1 where none is. In a process of its own: a file that kills its reader
# must not kill the test.
_READER = f"""
import json, sys, h5py, hdf5plugin
def opened(path):
    try:
        return h5py.File(path, locking=False), "plain"
    except OSError:
        return h5py.File(path, swmr=True, locking=False), "swmr"
file, how = opened(sys.argv[1])
data = file["{DATA}"][()]
print(json.dumps([how, [int(f[0, 1]) if int(f[-1, -1]) == 7 else -1 for f in data]]))
"""


def read(path: Path) -> tuple[str, list[int]]:
    """How a raw file opens, and the frame at each of its places."""
    done = subprocess.run(
        [sys.executable, "-c", _READER, str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
