"""Serve the records of put_cases.py, each an echo. Arguments: CA port. Prints READY, ends on SIGTERM."""

import asyncio
import signal
import sys

from ioc.server import Server
from tests.kit.put_cases import RECORDS


async def main(port: int) -> None:
    server = Server(port=port)
    server.device("R:", RECORDS)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await server.start()
    print("READY", flush=True)  # noqa: T201
    await stop.wait()
    await server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
