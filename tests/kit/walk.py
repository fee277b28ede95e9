"""A whole beamline that is up, with a walker of each of its servers: every PV watched, any put sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ioc.records import Kind, Record
from layouts.beamline import Beamline, load, parse
from softbeam.pvs import DeviceTable, devices
from tests.kit.beamline import Running, running
from tests.kit.put_cases import RawPut, chars, doubles, enums, longs, strings
from tests.kit.raw_ca import NORMAL, Answer
from tests.kit.walker import Seen, Walker, alike

_OF_SIMULATOR = ("motor", "trigger", "detector", "truth", "health of the sim")


@dataclass(frozen=True)
class Walk:
    """Every PV of a beamline.

    Attributes:
        up: The beamline.
        devices: Its tables.
        walkers: By server, the simulator's first.
    """

    up: Running
    devices: list[DeviceTable]
    walkers: tuple[Walker, Walker]

    def once_each(self) -> list[DeviceTable]:
        """The first device of each table."""
        found = {tuple(device.records): device for device in reversed(self.devices)}
        return list(reversed(found.values()))

    def of(self, device: DeviceTable) -> Walker:
        """The walker that knows a device."""
        return self.walkers[0 if device.title.startswith(_OF_SIMULATOR) else 1]

    def find(self, name: str) -> Walker:
        """The walker that knows a PV."""
        (walker,) = (w for w in self.walkers if name in w.channels)
        return walker

    def now(self, name: str) -> Seen:
        """What a PV shows."""
        return self.find(name).now[name]

    def put(self, name: str, raw: RawPut, timeout: float = 20.0) -> Answer:
        """Put with completion, and wait for it."""
        walker = self.find(name)
        answer = walker.answer(walker.put(name, raw), timeout)
        assert answer is not None, f"{name}: no answer within {timeout} s"
        return answer

    def set(self, name: str, raw: RawPut) -> None:
        """Put what is known to be right."""
        answer = self.put(name, raw)
        assert answer.status == NORMAL, f"{name}: {answer}"

    def pump(self, timeout: float) -> None:
        """Take what comes of both servers, for a time."""
        self.pump_until(lambda: False, timeout)

    def pump_until(self, true: Callable[[], object], timeout: float) -> bool:
        """Take what comes of both servers until something is true; says whether it is."""
        end = time.monotonic() + timeout
        while not true() and time.monotonic() < end:
            for walker in self.walkers:
                walker.pump(0.005)
        return bool(true())

    def settled(self) -> None:
        """Wait until all that was put before is done, and told."""
        for _ in range(2):  # the second answer comes behind what the first has set going
            for walker in self.walkers:
                walker.echo()
            self.pump(0.06)


def beamline_of(preset: str) -> Beamline:
    """The built-in beamline with a preset of suffixes."""
    if preset == load().preset:
        return load()
    return parse(json.dumps(load().model_dump(mode="json") | {"preset": preset}), preset)


@contextmanager
def walk(beamline: Beamline, folder: Path) -> Iterator[Walk]:
    """A beamline that is up and whose every PV is watched, until the block ends."""
    with running(beamline, folder) as up:
        ca, tables = up.beamline.ca, devices(up.beamline)
        with Walker(ca.sim_port) as sim, Walker(ca.writer_port) as writer:
            found = Walk(up, tables, (sim, writer))
            for walker in found.walkers:
                walker.watch(d.prefix + name for d in tables if found.of(d) is walker for name in d.records)
            yield found


def as_put(record: Record, value: object) -> RawPut:
    """The put that gives a record a value which it has shown."""
    match record.kind, value:
        case Kind.TEXT, bytes():
            return chars(value + b"\0")
        case Kind.STRING, str():
            return strings(value)
        case Kind.ENUM, int():
            return enums(value)
        case Kind.DOUBLE | Kind.FLOAT, float():
            return doubles(value)
        case Kind.DOUBLES, list():
            return doubles(*value)
        case Kind.LONGS, list():
            return longs(*value)
        case _, int():
            return longs(value)
        case _:
            raise AssertionError(f"{record.name}: {value!r} is no {record.kind.value}")


__all__ = ["NORMAL", "Walk", "alike", "as_put", "beamline_of", "walk"]
