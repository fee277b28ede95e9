"""A bare caproto IOC with the benchmark's PVs, as caproto ships: says READY, ends on SIGTERM.

The one place outside the room ``ioc`` that imports caproto: it is what ours is measured beside.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from typing import Any

import caproto as ca
from caproto.asyncio.server import start_server

from benchmarks.ioc_records import PREFIX, records
from ioc.records import Kind, Record


def channel(record: Record) -> Any:
    """A record as caproto's own channel."""
    match record.kind:
        case Kind.ENUM:
            return ca.ChannelEnum(value=record.choices[0], enum_strings=record.choices)
        case Kind.STRING:
            return ca.ChannelString(value="")
        case Kind.TEXT:
            text = str(record.default) or " "
            return ca.ChannelChar(value=text, max_length=record.length)
        case Kind.DOUBLE | Kind.FLOAT:
            return ca.ChannelDouble(value=0.0, units=record.units, precision=record.precision)
        case Kind.DOUBLES | Kind.LONGS:
            made = ca.ChannelDouble if record.kind is Kind.DOUBLES else ca.ChannelInteger
            return made(value=record.default or [0], max_length=record.length)
        case _:
            return ca.ChannelInteger(value=0, units=record.units)


async def serve() -> None:
    """Serve until told to end; address and port come from the environment, as with any caproto IOC."""
    channels = {PREFIX + record.name: channel(record) for record in records()}
    server = asyncio.ensure_future(start_server(channels, interfaces=["127.0.0.1"], startup_hook=_ready))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.cancel)
    await asyncio.wait([server])


async def _ready(_: Any) -> None:
    sys.stdout.write("READY\n")
    sys.stdout.flush()


def main() -> None:
    """Entry point of the process."""
    # Its warnings of high load would cost it time.
    logging.getLogger("caproto").setLevel(logging.CRITICAL)
    asyncio.run(serve())


if __name__ == "__main__":
    main()
