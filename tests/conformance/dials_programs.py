"""DIALS' programs as child processes, each with a time and a memory limit.

A chain that runs in a circle once had dxtbx fill the memory. What only DIALS can read is read by a child of
its own Python, which is not that of our tests.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

_CHILD = Path(__file__).with_name("dials_child.py")


class DialsError(RuntimeError):
    """A DIALS program failed, or ran into its limits; holds the end of what it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one program may take.

    Attributes:
        seconds: Wall time.
        gigabytes: Address space.
    """

    seconds: float = 300.0
    gigabytes: float = 6.0


def available() -> bool:
    """Whether DIALS is installed."""
    return shutil.which("dials.import") is not None


def run(program: str, *arguments: str, folder: Path, limits: Limits | None = None) -> str:
    """Run a DIALS program and return what it printed.

    Raises:
        DialsError: It failed, or took more than its limits.
    """
    limits = limits or Limits()
    # The shell sets the limit and becomes the program: preexec_fn is no friend of threads.
    shell = f'ulimit -v {int(limits.gigabytes * 1e6)}; exec "$@"'
    child = subprocess.Popen(
        ["/bin/sh", "-c", shell, "sh", program, *arguments],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        text, _ = child.communicate(timeout=limits.seconds)
    except BaseException as error:
        os.killpg(child.pid, signal.SIGKILL)
        text, _ = child.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise DialsError(f"{program} took more than {limits.seconds} s:\n{tail(text)}") from None
        raise
    if child.returncode != 0:
        raise DialsError(f"{program} {' '.join(arguments)} ended with {child.returncode}:\n{tail(text)}")
    return text


def _environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HDF5_", "VIRTUAL_ENV"))}
    return kept | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-25:])


def python() -> list[str]:
    """DIALS' own Python, which the first line of its programs names.

    Raises:
        DialsError: There is none.
    """
    found = shutil.which("dials.import")
    if found is None:
        raise DialsError("dials.import is not on the path; install Debian's packages dials and bitshuffle")
    first = Path(found).read_text(encoding="utf-8", errors="replace").splitlines()[0]
    return first.removeprefix("#!").split() if "python" in first else ["dials.python"]


def child(*arguments: str, folder: Path, limits: Limits | None = None) -> str:
    """Run this folder's child script in DIALS' own Python."""
    interpreter = python()
    return run(interpreter[0], *interpreter[1:], str(_CHILD), *arguments, folder=folder, limits=limits)
