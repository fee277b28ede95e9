"""Serve the motors of the built-in beamline alone: what the conformance tests of motors talk to.

Arguments: CA port. Prints READY, ends on SIGTERM.
"""

import asyncio
import signal
import sys

from ioc.server import Server
from layouts.beamline import load
from sim.motors import Motors


async def main(port: int) -> None:
    beamline = load()
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
    asyncio.run(main(int(sys.argv[1])))
