"""aioca against our motors: put completion, edges, and no reply before its time. Argument: prefix."""

import asyncio
import sys

import aioca

PHI = f"{sys.argv[1]}MOT:PHI"


async def value(field: str) -> float:
    return float(await aioca.caget(f"{PHI}.{field}"))


async def main() -> None:
    seen: list[tuple[str, float]] = []
    watched = [
        aioca.camonitor(f"{PHI}.{field}", lambda v, f=field: seen.append((f, float(v))), all_updates=True)
        for field in ("DMOV", "RBV")
    ]
    await aioca.caput(f"{PHI}.VELO", 20.0, wait=True)
    await aioca.caput(PHI, 2.0, wait=True, timeout=10)
    assert (await value("DMOV"), await value("RBV")) == (1.0, 2.0)
    # Two puts that wait: the second turns the motion round, and both end with it, DMOV at 0 all the time.
    seen.clear()
    first = asyncio.create_task(aioca.caput(PHI, 60.0, wait=True, timeout=20))
    await asyncio.sleep(0.4)
    second = asyncio.create_task(aioca.caput(PHI, 0.0, wait=True, timeout=20))
    await asyncio.sleep(0.1)
    assert not first.done()
    await asyncio.gather(first, second)
    assert await value("RBV") == 0.0
    assert [v for f, v in seen if f == "DMOV"] == [0.0, 1.0]
    assert seen[-2:] == [("RBV", 0.0), ("DMOV", 1.0)]
    assert max(v for f, v in seen if f == "RBV") < 60.0
    # A put that does not process the record ends at once, also while it moves; one that does ends with it.
    moving = asyncio.create_task(aioca.caput(PHI, 40.0, wait=True, timeout=20))
    await asyncio.sleep(0.2)
    await aioca.caput(f"{PHI}.TWV", 3.0, wait=True, timeout=5)
    assert not moving.done()
    await aioca.caput(f"{PHI}.STOP", 1, wait=True, timeout=5)
    assert await value("DMOV") == 1.0
    await asyncio.wait_for(moving, 1)
    assert await value("VAL") == await value("RBV")
    # While SPMG is Stop a target is taken and not gone to: the put waits, as the record's does, until Go.
    await aioca.caput(f"{PHI}.SPMG", 0, wait=True, timeout=5)
    fell = asyncio.Event()
    watched.append(aioca.camonitor(f"{PHI}.DMOV", lambda v: None if v else fell.set(), all_updates=True))
    held = asyncio.create_task(aioca.caput(PHI, await value("RBV") + 2.0, wait=True, timeout=20))
    await asyncio.wait_for(fell.wait(), 10)
    await asyncio.sleep(0.2)
    assert not held.done()
    assert await value("MOVN") == 0.0
    await aioca.caput(f"{PHI}.SPMG", 3, wait=True, timeout=10)
    await asyncio.wait_for(held, 1)
    assert (await value("DMOV"), await value("VAL")) == (1.0, await value("RBV"))
    # Puts of no length, quickly one after another: not an edge is lost.
    here = await value("VAL")
    await asyncio.sleep(0.1)
    seen.clear()
    for _ in range(100):
        await aioca.caput(PHI, here, wait=True, timeout=5)
    await asyncio.sleep(0.2)
    assert [v for f, v in seen if f == "DMOV"] == [0.0, 1.0] * 100
    for watch in watched:
        watch.close()
    print("OK")  # noqa: T201


asyncio.run(main())
