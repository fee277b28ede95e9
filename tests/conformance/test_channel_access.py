"""Our Channel Access client against a real IOC."""

import asyncio
from pathlib import Path

import pytest

from ioc.client import Client, PutFailedError, Reading
from tests.kit.programs import free_ports
from tests.kit.soft_ioc import soft_ioc

pytestmark = pytest.mark.conformance

DATABASE = """
record(ao, "R:ao") { field(VAL, "1.5") field(EGU, "s") field(PINI, "YES") }
record(longout, "R:long") { field(DRVH, "10") field(DRVL, "0") }
record(mbbo, "R:mbbo") { field(ZRST, "Single") field(ONST, "Multiple") field(PINI, "YES") }
record(waveform, "R:text") { field(FTVL, "CHAR") field(NELM, "256") }
record(waveform, "R:doubles") { field(FTVL, "DOUBLE") field(NELM, "20000") }
record(stringout, "R:string") { field(VAL, "EIGER2") field(PINI, "YES") }
record(calc, "R:count") { field(CALC, "VAL+1") field(SCAN, ".1 second") }
"""


def test_our_client_reads_and_writes_a_real_ioc(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with soft_ioc(DATABASE, port, tmp_path):
        asyncio.run(_talk(port))


async def _talk(port: int) -> None:
    client = Client([f"127.0.0.1:{port}"])
    names = ["R:ao", "R:long", "R:mbbo", "R:text", "R:doubles", "R:string", "R:count"]
    seen: list[Reading] = []
    enough = asyncio.Event()

    def count(reading: Reading) -> None:
        seen.append(reading)
        if len(seen) > 5:
            enough.set()

    try:
        assert await client.connect(names, timeout=10) == set()
        assert await client.get("R:ao") == 1.5
        await client.put("R:ao", 2.5, wait=True)
        assert await client.get("R:ao") == 2.5
        await client.put("R:long", 50, wait=True)
        assert await client.get("R:long") == 10
        await client.put("R:mbbo", "Multiple", wait=True)
        assert await client.get("R:mbbo") == "Multiple"
        with pytest.raises(PutFailedError, match="menu"):
            await client.put("R:mbbo", "Sometimes")
        await client.put("R:text", "/data/" + "x" * 100, wait=True)
        assert await client.get("R:text") == "/data/" + "x" * 100
        await client.put("R:doubles", [0.5] * 20_000, wait=True)
        assert await client.get("R:doubles") == [0.5] * 20_000
        assert await client.get("R:string") == "EIGER2"
        assert await client.get("R:ao.EGU") == "s"
        await client.subscribe("R:count", count)
        await asyncio.wait_for(enough.wait(), 5)
        values = [reading.value for reading in seen]
        assert values == sorted(values)  # type: ignore[type-var]
        assert seen[-1].timestamp - seen[1].timestamp == pytest.approx(0.4, abs=0.3)
    finally:
        await client.close()
