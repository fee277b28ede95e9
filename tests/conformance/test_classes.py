"""Each PV is of the class it declares: nobody writes what is read-only, what echoes touches nothing else.

What acts does something beside its readback: ``EFFECTS`` has those whose effect other PVs show at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from ioc.records import Kind, PvClass, Record
from softbeam.pvs import devices
from tests.kit.class_cases import EFFECTS, ONLY_ECHO, PUT_BY_CLIENTS
from tests.kit.class_shown import SHOWN_BY
from tests.kit.programs import ROOT
from tests.kit.put_cases import RawPut, chars, doubles, enums, longs, strings
from tests.kit.walk import Walk, alike, as_put, beamline_of, walk

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(120)]

NO_WRITE, WRITE_BIT = 376, 2
ALONGSIDE = (".STUP",)
"""Changes with puts that process a motor record, whatever they put."""


@pytest.fixture(scope="module", params=["adcore", "dls"])
def walking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with walk(beamline_of(request.param), tmp_path_factory.mktemp("classes")) as found:
        # Values that only come with the first worker, and with the clock, are there.
        found.pump(3.0)
        yield found


def other(record: Record, now: Any) -> RawPut:
    """A good value that is not the one it has."""
    room = not (record.limited and record.clamp) or now + 1 <= record.high
    match record.kind:
        case Kind.ENUM:
            return enums((now + 1) % len(record.choices))
        case Kind.DOUBLE | Kind.FLOAT:
            return doubles(now + 1 if room else record.low)
        case Kind.LONG | Kind.SHORT | Kind.CHAR:
            return longs(now + 1 if room else now - 1)
        case Kind.STRING:
            return strings("other")
        case Kind.TEXT:
            return chars(b"other\0")
        case Kind.DOUBLES | Kind.LONGS:
            return doubles(1, 2)


def test_nobody_writes_what_is_read_only(walking: Walk) -> None:
    for device in walking.devices:
        walker = walking.of(device)
        readonly = {device.prefix + n: r for n, r in device.records.items() if not r.writable}
        puts = {name: walker.put(name, doubles(1.0)) for name in readonly}
        for name, put in puts.items():
            assert not walker.channels[name].access & WRITE_BIT, name
            answer = walker.answer(put, 10)
            assert answer is not None, name
            assert answer.status == NO_WRITE, (name, answer)
    for device in walking.devices:
        for name, record in device.records.items():
            assert not record.writable or walking.of(device).channels[device.prefix + name].access & WRITE_BIT


def test_what_echoes_changes_itself_and_its_readback_alone(walking: Walk) -> None:
    walking.settled()
    for walker in walking.walkers:
        walker.changes.clear()
    first: dict[str, RawPut] = {}
    meant: Counter[str] = Counter()
    for device in walking.once_each():
        for name, record in device.records.items():
            full = device.prefix + name
            if record.pv_class is PvClass.ECHOES and len(record.choices) != 1:
                now = walking.now(full).value
                first[full] = as_put(record, now)
                walking.set(full, other(record, now))
                meant.update([full, f"{full}_RBV"] if record.readback else [full])
    walking.settled()
    walking.pump(0.5)
    changed = Counter(name for walker in walking.walkers for name, _ in walker.changes if not _moves(name))
    for full, raw in first.items():
        walking.set(full, raw)
    assert changed == meant


def _moves(name: str) -> bool:
    """Whether a PV changes by itself: health of the programs, climate of a detector."""
    return ":IOC:" in name or name.endswith(
        ("TemperatureActual", "Temp0_RBV", "Humid0_RBV", ":ArrayRate_RBV", *ALONGSIDE)
    )


def test_what_acts_is_seen_by_others(walking: Walk) -> None:
    wrong: list[str] = []
    for device in walking.once_each():
        for name, effect in EFFECTS.get(device.title.split(" of ")[0].split(" ")[0], {}).items():
            record, full = device.records[name], device.prefix + name
            assert record.pv_class is PvClass.ACTS, full
            walking.settled()
            first = walking.now(full).value
            for walker in walking.walkers:
                walker.changes.clear()
            walking.put(full, other(record, first))
            told = device.prefix + effect

            def changed(told: str = told) -> bool:
                return any(n == told for walker in walking.walkers for n, _ in walker.changes)

            if not walking.pump_until(changed, 3):
                wrong.append(f"{full} does not change {told}")
            if not alike(walking.now(full).value, first):
                walking.put(full, as_put(record, first))
    assert not wrong


@pytest.mark.parametrize("client", PUT_BY_CLIENTS)
def test_what_clients_put_does_more_than_echo(client: str) -> None:
    preset = "dls" if client == "dodal" else "adcore"
    table = {d.prefix + n: r for d in devices(beamline_of(preset)) for n, r in d.records.items()}
    echoing = {n for n in PUT_BY_CLIENTS[client] if table[n].pv_class is not PvClass.ACTS}
    reasons = {n for n in echoing if n.rpartition(":")[2] in ONLY_ECHO}
    assert echoing == reasons


@pytest.mark.parametrize("preset", ["adcore", "dls"])
def test_every_acting_record_is_in_one_of_the_tables(preset: str) -> None:
    for device in devices(beamline_of(preset)):
        kind = device.title.split(" ")[0]
        listed = Counter(list(EFFECTS.get(kind, {})))
        for names in SHOWN_BY.get(kind, {}).values():
            listed.update(names.split())
        acting = {name for name, record in device.records.items() if record.pv_class is PvClass.ACTS}
        assert acting <= set(listed), f"{device.title}: say how it is shown what these do"
        assert max(listed.values(), default=1) == 1, "a record is in one table"


@pytest.mark.parametrize("test", sorted({test for tests in SHOWN_BY.values() for test in tests}))
def test_the_tests_that_show_effects_are_there(test: str) -> None:
    file, _, name = test.partition("::")
    text = (ROOT / "tests" / file).read_text()
    assert f"def {name}(" in text
    for tests in SHOWN_BY.values():
        for record in tests.get(test, "").split():
            assert record.rpartition(":")[2] in text, f"{test} has nothing of {record}"
