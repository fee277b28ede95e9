"""Every PV of the beamline is put what no client should put: answered, settled, and all programs alive."""

import math
import re
import struct
import time

import pytest

from ioc.records import Kind, Record
from layouts.beamline import load
from softbeam.pvs import devices
from tests.kit.beamline import Running, running
from tests.kit.put_cases import RawPut, chars, doubles, enums, longs, strings
from tests.kit.raw_ca import Created, RawClient

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

ANSWERS = {1, 160, 376}
"""Normal, ECA_PUTFAIL, ECA_NOWTACCESS."""
ALL: dict[str, RawPut] = {
    **{f"double {v}": doubles(v) for v in (math.nan, math.inf, -math.inf, 1e300, -1e300)},
    "least long": longs(-(2**31)),
    "greatest enum": enums(65535),
    "text": strings("Sometimes"),
    "text of 40": strings("x" * 40),
    "binary text": strings(b"\xff\xfe\x01"),
    "no text": strings(),
    "no double": doubles(),
    "1000 doubles": doubles(*range(1000)),
    "binary": chars(bytes(range(128, 256))),
    "time double": (20, 1, bytes(16) + struct.pack(">d", 4.0)),
    "short of a double": (6, 2, struct.pack(">d", 4.0)),
}
LONG = chars(b"q" * 10_000_000)
NEAREST = ("PhotonEnergy", "Wavelength", "ThresholdEnergy", "Threshold1Energy", "Threshold2Energy")
"""The detector takes the nearest it can, which the readback says; the setpoint stays, as with ADEiger."""
ARRAYS = (Kind.TEXT, Kind.DOUBLES, Kind.LONGS)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    with running(load(), tmp_path_factory.mktemp("malformed")) as up:
        yield up


def records(up: Running) -> dict[str, Record]:
    return {
        device.prefix + record.name: record
        for device in devices(up.beamline)
        for record in device.records.values()
    }


def clients(up: Running) -> list[RawClient]:
    ca = up.beamline.ca
    return [RawClient(port, timeout=30.0) for port in (ca.sim_port, ca.writer_port)]


def found(servers: list[RawClient], name: str) -> tuple[RawClient, Created]:
    for client in servers:
        channel = client.create(name)
        if channel is not None:
            return client, channel
    raise AssertionError(f"nobody serves {name}")


def text(client: RawClient, channel: Created) -> bytes:
    return client.get(channel, 0).payload.split(b"\0", 1)[0]


def test_whatever_is_put_is_answered_and_readbacks_settle(up: Running) -> None:
    table, servers = records(up), clients(up)
    try:
        for name, record in table.items():
            client, channel = found(servers, name)
            cases = ALL | ({"10 MB": LONG} if record.kind in ARRAYS and record.writable else {})
            for case, put in cases.items():
                answer = client.put_and_forget(channel, *put)
                assert answer.status in ANSWERS, (name, case)
                assert "internal error" not in answer.text, (name, case, answer.text)
                if not record.writable:
                    assert answer.status == 376, (name, case)
                    break
            assert client.get(channel, channel.native).p1 == 1, name
        unsettled = still_apart(up, servers, table)
        assert not unsettled, "\n".join(unsettled)
        for program in ("SIM", "WRITER"):
            client, channel = found(servers, f"{up.beamline.prefix}IOC:{program}:HEARTBEAT")
            before = text(client, channel)
            deadline = time.monotonic() + 10
            while text(client, channel) == before:
                assert time.monotonic() < deadline, f"{program} has no heartbeat"
                time.sleep(0.1)
    finally:
        for client in servers:
            client.__exit__()
    bugs = [line for line in up.log.splitlines() if re.search(r"internal error|Error:|exception", line)]
    assert not bugs, "\n".join(bugs)[:4000]


def still_apart(
    up: Running, servers: list[RawClient], table: dict[str, Record], patience: float = 20.0
) -> list[str]:
    """Setpoints whose readbacks say something else, and go on doing so."""
    pairs = []
    for name, record in table.items():
        if name.rpartition(":")[2] in NEAREST or not record.readback or record.readback_menu is not None:
            continue
        if record.writable:
            pairs.append((name, *found(servers, name), *found(servers, f"{name}_RBV")))
    deadline = time.monotonic() + patience
    while True:
        apart = [
            f"{name}: {text(one, put)!r}, readback {text(other, read)!r}"
            for name, one, put, other, read in pairs
            if text(one, put) != text(other, read)
        ]
        if not apart or time.monotonic() > deadline:
            return apart
        time.sleep(0.5)
