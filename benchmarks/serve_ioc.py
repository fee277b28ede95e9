"""Our server with the benchmark's PVs, as a process: says READY, ends on SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys

from benchmarks.ioc_records import PREFIX, records
from ioc.server import Server


async def serve(port: int) -> None:
    """Serve until told to end."""
    server = Server(port=port)
    server.device(PREFIX, records())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await server.start()
    sys.stdout.write("READY\n")
    sys.stdout.flush()
    await stop.wait()
    await server.close()


def main() -> None:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
