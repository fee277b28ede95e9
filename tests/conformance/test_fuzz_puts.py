"""Malformed puts to every PV: each is answered, nothing breaks, and the beamline takes data afterwards."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterable
from pathlib import Path

import pytest

from ioc.records import Record
from layouts.scan import Sweep
from softbeam.pvs import DeviceTable
from tests.kit.fuzz import allowed, malformed
from tests.kit.put_cases import RawPut, chars, doubles, enums
from tests.kit.walk import NORMAL, Walk, alike, as_put, beamline_of, walk

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(300)]

PUTFAIL, NO_WRITE = 160, 376
PATIENCE = 0.1
"""Seconds before a put is taken for one that goes on; all are answered in the end."""
READONLY_CASES = ("a text that is no number", "no element", "300 random bytes")
BIG = 10_000_000
KEPT = {
    *("NumImages", "NumExposures", "NumTriggers", "PhotonEnergy", "Wavelength", "Threshold2Energy"),
    *("TriggerStartDelay", "ArrayCounter", "FilePath", "FWNamePattern", "MaxArrayRate"),
}
"""Setpoints that keep what was put, as the driver's do; the readback is what was taken (decision 12)."""

MOVES = {"AcquireBusy", "VAL", "DVAL", "RVAL", "RLV"}
"""Setpoints that change by themselves: the end of an acquisition, a motor that is stopped."""

SETTINGS = (
    "DIR",
    "SREV",
    "UREV",
    "MRES",
    "ERES",
    "OFF",
    "DHLM",
    "DLLM",
    "VMAX",
    "VBAS",
    "VELO",
    "ACCL",
    "CNEN",
)
"""Fields of a motor that change others, or that others change."""


class Fuzz:
    """One walk over a beamline's PVs."""

    def __init__(self, walk: Walk, seed: int) -> None:
        self.walk = walk
        self.chance = random.Random(seed)
        self.wrong: list[str] = []

    def device(self, device: DeviceTable, names: Iterable[str] | None = None) -> None:
        """Put to all PVs of a device, or to some."""
        first = {name: self.walk.now(device.prefix + name).value for name in device.records}
        for name in device.records if names is None else names:
            record = device.records[name]
            if record.writable:
                self._writable(device, record)
            else:
                self._readonly(device, record)
        if device.title.startswith("motor"):
            _motor_as_before(self.walk, device, first)

    def _writable(self, device: DeviceTable, record: Record) -> None:
        name, walker = device.prefix + record.name, self.walk.of(device)
        first, patience = walker.now[name].value, PATIENCE
        for case, raw in malformed(record, self.chance):
            old = walker.now[name].value
            answer = walker.answer(walker.put(name, raw), patience)
            if answer is None:
                patience = 0.01
                continue
            walker.echo()
            new, what = walker.now[name].value, f"{name}: {case}"
            if answer.status == NORMAL:
                if why := allowed(record, raw, old, new):
                    self.wrong.append(f"{what}: {old!r} became {new!r}: {why}")
            elif answer.status != PUTFAIL or not answer.text:
                self.wrong.append(f"{what}: {answer}")
            elif not alike(old, new) and record.name not in MOVES:
                self.wrong.append(f"{what}: refused, but {old!r} became {new!r}")
        self._back(device, record, first)

    def _back(self, device: DeviceTable, record: Record, first: object) -> None:
        """Stop what was begun, and set things back: each PV is put to on its own."""
        name = device.prefix + record.name
        if device.title.startswith("motor") and record.name not in ("DISP", "DISA", "DISV", "CNEN"):
            self.walk.set(f"{device.prefix}STOP", doubles(1))
        if not alike(self.walk.now(name).value, first):
            walker = self.walk.find(name)
            walker.answer(walker.put(name, as_put(record, first)), PATIENCE)
            walker.echo()

    def _readonly(self, device: DeviceTable, record: Record) -> None:
        name, walker = device.prefix + record.name, self.walk.of(device)
        puts = [raw for case, raw in malformed(record, self.chance) if case in READONLY_CASES]
        for put in [walker.put(name, raw) for raw in puts]:
            answer = walker.answer(put, 5)
            if answer is None or answer.status != NO_WRITE:
                self.wrong.append(f"{name} is read-only: {answer}")


def _motor_as_before(walk: Walk, device: DeviceTable, first: dict[str, object]) -> None:
    """Put settings that follow each other again, and tell the controller its place: it may be far away."""
    for _ in range(2):
        for name in SETTINGS:
            if not alike(walk.now(device.prefix + name).value, first[name]):
                walk.put(device.prefix + name, as_put(device.records[name], first[name]))
    walk.set(f"{device.prefix}STOP", doubles(1))
    still = f"{device.prefix}DMOV"
    assert walk.pump_until(lambda: walk.now(still).value == 1, 10), f"{device.title} does not stop"
    for name, value in (("SET", 1), ("FOFF", 1), ("DVAL", first["DVAL"]), ("SET", 0), ("FOFF", 0)):
        walk.set(device.prefix + name, as_put(device.records[name], value))
    changed = [n for n in (*SETTINGS, "DVAL") if not alike(walk.now(device.prefix + n).value, first[n])]
    assert not changed, (device.title, [(n, first[n], walk.now(device.prefix + n)) for n in changed])


@pytest.mark.parametrize(
    ("preset", "seed"),
    [
        pytest.param("adcore", 20),
        pytest.param("adcore", None, marks=pytest.mark.slow),
        pytest.param("dls", None, marks=pytest.mark.slow),
    ],
)
def test_every_put_is_answered_and_nothing_breaks(tmp_path: Path, preset: str, seed: int | None) -> None:
    chosen = secrets.randbits(32) if seed is None else seed
    print(f"seed {chosen}")  # noqa: T201 (shown by pytest where the test fails)
    with walk(beamline_of(preset), tmp_path) as walking:
        fuzz = Fuzz(walking, chosen)
        once = walking.once_each()
        for device in walking.devices:
            if device in once or (seed is None and not device.title.startswith("motor")):
                fuzz.device(device)
            elif device.title.startswith("motor"):
                fuzz.device(device, ("VAL", "DVAL", "VELO", "EGU", "DIR", "RBV"))
        _too_long(walking)
        assert not fuzz.wrong, "\n".join(fuzz.wrong)
        _come_to_rest(walking)
        _pairs_are_settled(walking)
        _lives(walking)


def _too_long(walk: Walk) -> None:
    """10 MB to a PV of each kind."""
    cam = next(d for d in walk.devices if d.title.startswith("detector"))
    hdf = next(d for d in walk.devices if d.title.startswith("file writer"))
    names = ("TriggerMode", "AcquireTime", "NumImages", "NDAttributesFile", "Model_RBV")
    text: RawPut = chars(b"q" * BIG)
    for device, name in [*((cam, name) for name in names), (hdf, "FileName"), (hdf, "TempSuffix")]:
        full, record = device.prefix + name, device.records[name]
        first = walk.now(full).value
        answer = walk.put(full, text)
        assert answer.status in (NORMAL, PUTFAIL, NO_WRITE), (full, answer)
        walk.settled()
        assert not allowed(record, text, first, walk.now(full).value), full
        if record.writable:
            walk.put(full, as_put(record, first))


def _come_to_rest(walk: Walk) -> None:
    """Every command is ended, and with it every put that still waited."""
    for device in walk.devices:
        if device.title.startswith("motor"):
            for field in ("DISP", "DISA"):
                walk.set(f"{device.prefix}{field}", doubles(0))
            for field, value in (("CNEN", 1), ("SPMG", 3), ("STOP", 1)):
                walk.find(device.prefix + field).put(device.prefix + field, doubles(value))
        for command in ("Acquire", "Capture"):
            record = device.records.get(command)
            if record is not None and record.writable:
                walk.put(f"{device.prefix}{command}", enums(0))

    def waiting() -> set[str]:
        return set[str]().union(*(walker.unanswered() for walker in walk.walkers))

    assert walk.pump_until(lambda: not waiting(), 30), waiting()


def _pairs_are_settled(walk: Walk) -> None:
    pairs = [
        (device.prefix + name, f"{device.prefix}{name}_RBV")
        for device in walk.devices
        for name, record in device.records.items()
        if record.readback and name not in KEPT
    ]

    def apart() -> list[tuple[str, object, object]]:
        seen = ((one, walk.now(one), walk.now(other).value) for one, other in pairs)
        return [(n, one.value, v) for n, one, v in seen if not alike(one.value, v) and not one.severity]

    walk.pump_until(lambda: not apart(), 5)
    assert not apart()


def _lives(walk: Walk) -> None:
    """Both servers live, no process has ended but by Restart, and a rotation with all detectors is whole."""
    beats = [n for w in walk.walkers for n in w.channels if n.endswith(":HEARTBEAT")]
    assert len(beats) == 2
    before = [walk.now(name).value for name in beats]
    assert walk.pump_until(lambda: all(walk.now(n).value != b for n, b in zip(beats, before, strict=True)), 5)
    log = walk.up.log
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:5000]
    ended = re.findall(r".*(?: by itself|was ended by).*", log)
    assert all("emitter" in line and line.endswith("exit code -9") for line in ended), ended
    sweep = Sweep(start=0.0, increment=0.1, images=6, frame_time=0.02)
    result = walk.up.rotate("after", sweep, [d.name for d in walk.up.beamline.detectors])
    assert (result.outcome, result.missing) == ("complete", 0), (result, walk.up.log[-3000:])
    assert result.stored == 6 * len(walk.up.beamline.detectors)
