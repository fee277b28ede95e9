"""Serve the record tables of a detector with nothing behind them: to see that clients connect.

Arguments: CA port. Prints READY, ends on SIGTERM.
"""

import asyncio
import signal
import sys

from ioc import names
from ioc.server import Server
from ioc.tables.acq import acq
from ioc.tables.cam import cam
from ioc.tables.hdf import hdf


async def main(port: int) -> None:
    server = Server(port=port)
    server.device(names.cam("SB:", "EIG1"), cam())
    server.device(names.hdf("SB:", "EIG1"), hdf())
    server.device(names.acq("SB:"), acq())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await server.start()
    print("READY", flush=True)  # noqa: T201
    await stop.wait()
    await server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
