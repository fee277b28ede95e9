"""EPICS' own tools pointed at servers of a test: what a user sees of a PV, and what becomes of a put."""

import subprocess
import time
from collections.abc import Callable

from tests.kit.epics_tools import call, tool
from tests.kit.programs import client_environment


class Tools:
    """caget, caput and cainfo with an environment of their own.

    Args:
        servers: Ports of servers on loopback.
    """

    def __init__(self, *servers: int) -> None:
        self.env = client_environment(*servers)

    def get(self, pv: str) -> str:
        """A value as text; long strings are text too."""
        return call("caget", "-t", "-S", "-w", "5", pv, env=self.env)

    def put(self, pv: str, *value: str, wait: bool = False) -> tuple[int, str]:
        """Put a value; exit code, and what the tool says."""
        long_string = ["-S"] if "DBF_CHAR" in self._info(pv) else []
        words = ["-w", "20", *(["-c"] if wait else []), *long_string, pv, *value]
        done = subprocess.run(
            [tool("caput"), *words], env=self.env, capture_output=True, text=True, timeout=30, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def may(self, pv: str) -> str:
        """Access rights that the server has told."""
        (access,) = [line for line in self._info(pv).splitlines() if "Access:" in line]
        return access.partition("Access:")[2].strip()

    def until(self, pv: str, condition: Callable[[str], bool], within: float = 15.0) -> str:
        """The first value seen of which something holds."""
        deadline = time.monotonic() + within
        while not condition(value := self.get(pv)):
            assert time.monotonic() < deadline, f"{pv} is still {value!r}"
            time.sleep(0.1)
        return value

    def _info(self, pv: str) -> str:
        return call("cainfo", "-w", "5", pv, env=self.env)
