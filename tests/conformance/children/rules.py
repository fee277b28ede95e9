"""The rules that clients rely on, with pyepics or aioca. Arguments: prefix of the beamline, package."""

import asyncio
import sys
import time

import aioca
import epics

PREFIX, PACKAGE = sys.argv[1:]
CAM, HDF = f"{PREFIX}EIG1:cam1:", f"{PREFIX}EIG1:HDF1:"
PATIENCE = 30


def put(name: str, value: object) -> None:
    assert epics.caput(name, value, wait=True, timeout=PATIENCE) == 1, name


def until(name: str, value: object, **how: object) -> None:
    end = time.monotonic() + PATIENCE
    while epics.caget(name, timeout=PATIENCE, **how) != value:
        assert time.monotonic() < end, f"{name} is {epics.caget(name, **how)!r}, not {value!r}"
        time.sleep(0.02)


def completion() -> None:
    put(f"{CAM}NumImages", 5)
    put(f"{CAM}AcquireTime", 0.05)
    put(f"{CAM}AcquirePeriod", 0.05)
    acquire = epics.PV(f"{CAM}Acquire")
    assert acquire.put(1, wait=True, timeout=PATIENCE) == 1
    assert epics.caget(f"{CAM}Acquire_RBV", as_string=True) == "Done"
    assert epics.caget(f"{CAM}NumImagesCounter_RBV") == 5
    # Without waiting it is there before the frames are.
    put(f"{CAM}NumImages", 200)
    acquire.put(1)
    until(f"{CAM}Acquire_RBV", "Acquiring", as_string=True)
    put(f"{CAM}Acquire", 0)
    until(f"{CAM}Acquire_RBV", "Done", as_string=True)
    put(f"{CAM}NumImages", 1)


def readbacks() -> None:
    for name, value in ((f"{CAM}NumImages", 7), (f"{HDF}FileName", "a name"), (f"{HDF}FileName", "")):
        put(name, value)
        until(f"{name}_RBV", value, as_string=isinstance(value, str))
    put(f"{CAM}NumImages", 1)


def enums() -> None:
    mode = epics.PV(f"{CAM}TriggerMode")
    assert mode.wait_for_connection(PATIENCE)
    assert mode.get_ctrlvars()["enum_strs"][:2] == ("Internal Series", "Internal Enable")
    for value, text in ((2, "External Series"), ("Internal Series", "Internal Series")):
        assert mode.put(value, wait=True, timeout=PATIENCE) == 1
        until(f"{CAM}TriggerMode_RBV", text, as_string=True)


def classes() -> None:
    """A device of attributes, and the record's own class."""
    camera = epics.Device(CAM, attrs=("AcquireTime", "AcquireTime_RBV", "Acquire", "ArrayCounter_RBV"))
    assert camera.put("AcquireTime", 0.02, wait=True, timeout=PATIENCE) == 1
    until(f"{CAM}AcquireTime_RBV", 0.02)
    assert camera.get("AcquireTime_RBV") == 0.02
    motor = epics.Motor(f"{PREFIX}MOT:SAM_X")
    assert motor.move(0.2, wait=True, timeout=PATIENCE) == 0
    assert (motor.get_position(readback=True), motor.DMOV) == (0.2, 1)
    assert motor.move(1e6, wait=True, timeout=PATIENCE) < 0


async def with_aioca() -> None:
    seen: asyncio.Queue[str] = asyncio.Queue()
    monitor = aioca.camonitor(
        f"{CAM}Acquire_RBV",
        lambda value: seen.put_nowait(str(value)),
        datatype=aioca.DBR_STRING,
        all_updates=True,
    )
    assert await asyncio.wait_for(seen.get(), PATIENCE) == "Done"
    await aioca.caput(f"{CAM}NumImages", 1, wait=True, timeout=PATIENCE)
    for _ in range(3):
        await aioca.caput(f"{CAM}Acquire", 1, wait=True, timeout=PATIENCE)
    edges = [await asyncio.wait_for(seen.get(), PATIENCE) for _ in range(6)]
    assert edges == ["Acquiring", "Done"] * 3
    monitor.close()
    sizes = await aioca.caget([f"{HDF}ArraySize{i}_RBV" for i in (0, 1)], timeout=PATIENCE)
    assert [int(size) for size in sizes] == [1028, 1062]


def main() -> None:
    # Each has a libca of its own, so each has a process of its own.
    if PACKAGE == "aioca":
        asyncio.run(with_aioca())
    else:
        for rule in (completion, readbacks, enums, classes):
            rule()
    print("OK")  # noqa: T201


main()
