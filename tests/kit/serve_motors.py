"""Serve the motors of a beamline alone: what the conformance tests of motors talk to.

Arguments: CA port, beamline file (the built-in one unless given). Prints READY, ends on SIGTERM.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

from ioc.server import Server
from layouts.beamline import load
from sim.motors import Motors


async def main(port: int, file: Path | None = None) -> None:
    beamline = load(file)
    server = Server(port=port)
    motors = Motors(beamline, server)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await server.start()
    print("READY", beamline.prefix, flush=True)  # noqa: T201
    await stop.wait()
    await motors.close()
    await server.close()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(int(sys.argv[1]), *map(Path, sys.argv[2:])))
