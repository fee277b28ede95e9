"""The same puts, however wrong, to a real softIoc and to our server: same status, same value, same alarm."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from ioc.wire import Dbr
from tests.kit.programs import ROOT, free_ports, program
from tests.kit.put_cases import CASES, DATABASE, DIFFERENCES, REFUSED, RESET, doubles
from tests.kit.raw_ca import Answer, Created, RawClient
from tests.kit.soft_ioc import soft_ioc

pytestmark = pytest.mark.conformance

PUTFAIL, BADTYPE = 160, 114
WRITE, INVALID = 2, 3


@dataclass
class Pair:
    """A client of each server, with a channel of each record."""

    real: RawClient
    ours: RawClient

    def __post_init__(self) -> None:
        self.channels: dict[str, tuple[Created, Created]] = {}

    def both(self, name: str) -> tuple[Created, Created]:
        if name not in self.channels:
            one, other = self.real.create(f"R:{name}"), self.ours.create(f"R:{name}")
            assert one is not None
            assert other is not None
            self.channels[name] = one, other
        return self.channels[name]


def connect(port: int) -> RawClient:
    deadline = time.monotonic() + 20
    while True:
        try:
            return RawClient(port)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("puts")
    real, ours = free_ports(2)
    with ExitStack() as stack:
        stack.enter_context(soft_ioc(DATABASE, real, directory))
        stack.enter_context(program([ROOT / "tests/kit/serve_put_records.py", str(ours)], directory))
        yield Pair(stack.enter_context(connect(real)), stack.enter_context(connect(ours)))


def outcome(client: RawClient, channel: Created, name: str, case: str) -> tuple[int, bytes, int, int]:
    client.put(channel, *RESET[name])
    answer: Answer = client.put(channel, *CASES[name][case])
    value, severity, status = client.state(channel)
    if channel.native == Dbr.STRING:
        value = value.split(b"\0", 1)[0]
    if name == "char":
        value = value.split(b"\0", 1)[0] if len(value) > 1 else value
    return answer.status, value, severity, status


ALL = [(name, case) for name, cases in CASES.items() for case in cases]


@pytest.mark.parametrize(("name", "case"), ALL, ids=[f"{name}: {case}" for name, case in ALL])
def test_a_put_has_the_same_outcome(pair: Pair, name: str, case: str) -> None:
    real, ours = pair.both(name)
    expected = outcome(pair.real, real, name, case)
    found = outcome(pair.ours, ours, name, case)
    if (name, case) in DIFFERENCES:
        assert found != expected, "no difference any more; take it from the table"
    else:
        assert found == expected


@pytest.mark.parametrize(("name", "case"), REFUSED, ids=[f"{name}: {case}" for name, case in REFUSED])
def test_what_epics_would_keep_and_we_cannot_use_is_refused_and_seen(
    pair: Pair, name: str, case: str
) -> None:
    _, ours = pair.both(name)
    pair.ours.put(ours, *RESET[name])
    before, severity, _ = pair.ours.state(ours)
    assert severity == 0
    answer = pair.ours.put(ours, *CASES[name][case])
    assert answer.status == PUTFAIL
    assert name in answer.text
    assert pair.ours.state(ours) == (before, INVALID, WRITE)
    assert pair.ours.put(ours, *RESET[name]).status == 1
    assert pair.ours.state(ours) == (before, 0, 0)


@pytest.mark.parametrize(
    ("name", "case"),
    [
        *(("ao", "text 'abc'"), ("long", "text 'abc'"), ("mbbo", "text 'Sometimes'")),
        *(("char", "text 'hello'"), ("dbl", "text 'hello'")),
    ],
)
def test_a_put_that_nobody_waits_for_fails_aloud_as_well(pair: Pair, name: str, case: str) -> None:
    real, ours = pair.both(name)
    expected = pair.real.put_and_forget(real, *CASES[name][case])
    found = pair.ours.put_and_forget(ours, *CASES[name][case])
    assert found.status == expected.status == PUTFAIL
    # A real IOC says the record's name and no more.
    assert expected.text == f"R:{name}"
    assert found.text.startswith(f"{name}: ")
    assert "Python" not in found.text


def test_a_type_that_does_not_exist_ends_the_connection(pair: Pair) -> None:
    for port_of in (pair.real, pair.ours):
        with RawClient(port_of.port) as client:
            channel = client.create("R:ao")
            assert channel is not None
            assert client.put(channel, 99, 1, bytes(8)).status == BADTYPE
            with pytest.raises((AssertionError, OSError)):
                client.state(channel)


def test_a_hundred_puts_in_one_packet_are_done_in_order(pair: Pair) -> None:
    _, ours = pair.both("dbl")
    answers = pair.ours.put_many(ours, [CASES["dbl"]["one"], CASES["dbl"]["longs"]] * 50)
    assert [answer.status for answer in answers] == [1] * 100
    assert pair.ours.state(ours)[0] == doubles(1, 2)[2]
