"""What a person at a terminal does to a simulator, for tests."""

import asyncio
import json
from contextlib import asynccontextmanager

from ioc.client import Client

CAM, SIM = "SB:EIG1:cam1:", "SB:EIG1:SIM:"


class Hands:
    """What a person at a terminal does."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def put(self, name, value):
        await self.client.put(name, value, wait=True, timeout=60.0)

    async def get(self, name):
        return await self.client.get(name, timeout=5.0)

    async def set(self, prefix, **values):
        for name, value in values.items():
            await self.put(prefix + name, value)

    async def until(self, name, value, within=20.0):
        reached = asyncio.Event()
        right = value if callable(value) else (lambda found: found == value)
        off = await self.client.subscribe(name, lambda r: reached.set() if right(r.value) else None)
        try:
            await asyncio.wait_for(reached.wait(), within)
        finally:
            off()

    async def truth(self):
        return json.loads(await self.get(SIM + "Truth_RBV"))


@asynccontextmanager
async def hands(sim):
    client = Client([sim.address])
    try:
        yield Hands(client)
    finally:
        await client.close()


async def internal(h, images=3, time=0.01, prefix=CAM, **more):
    await h.set(
        prefix,
        TriggerMode="Internal Series",
        ManualTrigger="Disable",
        NumImages=images,
        NumTriggers=1,
        AcquireTime=time,
        AcquirePeriod=time,
        **more,
    )
