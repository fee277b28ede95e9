"""PVs that show what stock caproto does and ours does not, served by either.

Arguments: ``stock`` or ``ours``, and the CA port. Prints READY, ends on SIGTERM. A put to Burst posts 5000
values of Counter, one to Move posts Moving and then completes, one to Bad fails.
"""

import asyncio
import logging
import os
import signal
import sys

BURST = 5000


async def stock(port: int, stop: asyncio.Event) -> None:
    os.environ["EPICS_CA_SERVER_PORT"] = str(port)
    logging.getLogger("caproto").setLevel(logging.CRITICAL)
    import caproto as ca
    from caproto.asyncio.server import start_server

    counter, moving = ca.ChannelInteger(value=0), ca.ChannelInteger(value=0)

    class Burst(ca.ChannelInteger):
        async def verify_value(self, data):
            for value in range(1, BURST + 1):
                await counter.write(value)
            return data

    class Move(ca.ChannelInteger):
        async def verify_value(self, data):
            await moving.write(data)
            return data

    class Bad(ca.ChannelInteger):
        async def verify_value(self, data):
            raise ValueError("seven is right")

    channels = {
        "F:Counter": counter,
        "F:Moving": moving,
        "F:Burst": Burst(value=0),
        "F:Move": Move(value=0),
        "F:Bad": Bad(value=0),
        "F:Text": ca.ChannelChar(value="abc", max_length=256, string_encoding="utf-8"),
    }

    async def ready(_: object) -> None:
        print("READY", flush=True)  # noqa: T201

    server = asyncio.ensure_future(start_server(channels, interfaces=["127.0.0.1"], startup_hook=ready))
    await stop.wait()
    server.cancel()


async def ours(port: int, stop: asyncio.Event) -> None:
    from ioc.records import Kind, PutError, PvClass, Record
    from ioc.server import Server

    long = {"kind": Kind.LONG, "pv_class": PvClass.ACTS}
    names = ("Counter", "Moving", "Burst", "Move", "Bad")
    text = Record(name="Text", kind=Kind.TEXT, length=256, initial="abc", pv_class=PvClass.ECHOES)
    server = Server(port=port)

    async def put(name: str, value: int) -> None:
        if name == "Burst":
            for number in range(1, BURST + 1):
                await device.post("Counter", number)
        elif name == "Move":
            await device.post("Moving", value)
        elif name == "Bad":
            raise PutError("seven is right")

    device = server.device("F:", (*(Record(name=name, **long) for name in names), text), put)
    await server.start()
    print("READY", flush=True)  # noqa: T201
    await stop.wait()
    await server.close()


async def main() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await {"stock": stock, "ours": ours}[sys.argv[1]](int(sys.argv[2]), stop)


if __name__ == "__main__":
    asyncio.run(main())
