"""What is read from a real softIoc and from our server: DBR types, short arrays, fields, long strings."""

import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from ioc.fields import fields
from ioc.records import Kind
from ioc.wire import Dbr, Message
from tests.kit.programs import ROOT, free_ports, program
from tests.kit.put_cases import DATABASE, RECORDS, RESET, chars, doubles, strings
from tests.kit.raw_ca import Created, RawClient
from tests.kit.soft_ioc import soft_ioc

pytestmark = pytest.mark.conformance

EXTRA = """
record(longin, "R:longin") { field(PINI, "YES") }
record(bi, "R:bi") { field(ZNAM, "a") field(ONAM, "b") }
record(mbbi, "R:mbbi") { field(ZRST, "a") field(ONST, "b") field(TWST, "c") }

"""
NATIVE = {Kind.DOUBLE: 6, Kind.LONG: 5, Kind.SHORT: 1, Kind.CHAR: 4, Kind.ENUM: 3, Kind.STRING: 0}
SIZES = (40, 2, 4, 2, 1, 4, 8)
VALUE_AT = dict(
    enumerate(
        (
            *(0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 4, 5, 4, 8, 12, 14, 12, 14, 15, 12, 16),
            *(4, 24, 40, 422, 19, 36, 64, 4, 28, 48, 422, 21, 44, 80, 0, 0, 8, 0),
        )
    )
)
"""Where the value begins, by DBR type."""
PADS = {11: 1, 13: 4, 15: 2, 17: 2, 18: 3, 20: 4, 25: 1, 32: 1}
"""Bytes before it that mean nothing."""
STAMPED = range(14, 21)
"""Types with a time, which the two cannot have in common."""
ON_PURPOSE = {"DTYP", "NOBT", "MASK", "ONVL", "TWVL", "LALM", "ALST", "MLST", "PINI", "UDF", "SEVR", "STAT"}
"""Fields with other values here: device support of the simulation, bits of our menus, no first processing."""


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RawClient, RawClient]]:
    directory = tmp_path_factory.mktemp("reads")
    real, ours = free_ports(2)
    with ExitStack() as stack:
        stack.enter_context(soft_ioc(DATABASE + EXTRA, real, directory))
        stack.enter_context(program([ROOT / "tests/kit/serve_put_records.py", str(ours)], directory))
        yield stack.enter_context(connect(real)), stack.enter_context(connect(ours))


def connect(port: int) -> RawClient:
    deadline = time.monotonic() + 20
    while True:
        try:
            return RawClient(port)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def created(client: RawClient, name: str) -> Created:
    channel = client.create(name)
    assert channel is not None, name
    return channel


def seen(message: Message, code: int) -> tuple[int, int, int, bytes]:
    """Command, count, status and bytes, without time and what the protocol leaves open."""
    start, size = VALUE_AT[code], SIZES[code % 7 if code < 35 else 0]
    head, data = bytearray(message.payload[:start]), message.payload[start : start + message.count * size]
    if code in STAMPED:
        head[4:12] = bytes(8)
    head[start - PADS.get(code, 0) :] = bytes(PADS.get(code, 0))
    if size == 40:
        # Behind its NUL a text of a real IOC may have anything.
        data = b"|".join(data[40 * i :][:40].split(b"\0")[0] for i in range(message.count))
        head = head[:8] if code == 37 else head[:4]
    return message.command, message.count, message.p1, bytes(head) + data


@pytest.mark.parametrize("name", ["ao", "aolim", "long", "bo", "mbbo", "string", "char", "dbl", "lng", "ai"])
def test_every_type_is_read_alike(clients: tuple[RawClient, RawClient], name: str) -> None:
    channels = [created(client, f"R:{name}") for client in clients]
    if name != "ai":
        for client, channel in zip(clients, channels, strict=True):
            client.put(channel, *(chars(b"old\0") if name == "char" else RESET[name]))
    for code in (*range(35), 37, 38):
        for count in (0, 1, 3) if name in ("char", "dbl", "lng") else (0, 1):
            if (code == 38 and count != 1) or (name == "bo" and code in (29, 30, 32, 33, 34)):
                continue  # a class name is one text here, and a bo has no limits of the whole type
            real, ours = (
                seen(client.get(channel, code, count), code)
                for client, channel in zip(clients, channels, strict=True)
            )
            if real[2] != 1:
                assert ours[2] == real[2], (code, count)
                continue
            assert ours[:3] == real[:3], (code, count)
            assert ours == real, (code, count)


def test_channels_are_described_alike(clients: tuple[RawClient, RawClient]) -> None:
    for record in RECORDS:
        real, ours = (created(client, f"R:{record.name}") for client in clients)
        assert (ours.native, ours.count) == (real.native, real.count), record.name
        # Inputs of a device cannot be written here; a real one takes what is put until the next reading.
        assert (ours.access, real.access) == (3 if record.writable else 1, 3), record.name
    for name in ("R:nobody", "R:ao.NONE", "R:ao.VAL$", "R:ao.VAL.X"):
        assert [client.create(name) for client in clients] == [None, None], name


@pytest.mark.parametrize(
    "record", [r for r in RECORDS if r.name not in ("aolim", "longlim")], ids=lambda record: record.name
)
def test_fields_have_types_menus_and_values(clients: tuple[RawClient, RawClient], record) -> None:
    real, ours = clients
    for name, field in fields(record, f"R:{record.name}").items():
        one, other = created(real, f"R:{record.name}.{name}"), created(ours, f"R:{record.name}.{name}")
        assert (other.native, other.count) == (one.native, one.count), name
        assert other.native == NATIVE[field.kind]
        if name in ON_PURPOSE:
            continue
        if other.native == Dbr.ENUM:
            assert ours.get(other, 24).payload[4:] == real.get(one, 24).payload[4:], name
        texts = [client.get(ch, 0).payload.split(b"\0")[0] for client, ch in ((real, one), (ours, other))]
        assert texts[0] == texts[1], name


def test_fields_that_cannot_be_written_say_so(clients: tuple[RawClient, RawClient]) -> None:
    for name in ("NAME", "SEVR", "STAT"):
        for client in clients:
            channel = created(client, f"R:ao.{name}")
            assert channel.access == 1, name
            assert client.put(channel, *strings("x")).status == 376
    for client in clients:
        assert client.put(created(client, "R:ao.RTYP"), *strings("x")).status in (160, 376)


def test_units_precision_and_limits_of_displays_can_be_written(
    clients: tuple[RawClient, RawClient],
) -> None:
    controls = []
    for client in clients:
        for field, put in {
            "EGU": strings("furlong"),
            "PREC": doubles(2),
            "HOPR": doubles(7),
            "LOPR": doubles(-7),
            "DESC": strings("How far"),
        }.items():
            assert client.put(created(client, f"R:ao.{field}"), *put).status == 1
        value = created(client, "R:ao")
        client.put(value, *doubles(1.236))
        assert client.get(value, 0).payload.split(b"\0")[0] == b"1.24"
        assert client.get(created(client, "R:ao.DESC"), 0).payload.split(b"\0")[0] == b"How far"
        controls.append(client.get(value, 34).payload)
        for field, put in {"EGU": strings(""), "PREC": doubles(3), "DESC": strings("")}.items():
            client.put(created(client, f"R:ao.{field}"), *put)
    precision, units, high, low = 4, 8, 16, 24
    assert [c[precision : precision + 2] for c in controls] == [struct.pack(">h", 2)] * 2
    assert [c[units : units + 8] for c in controls] == [b"furlong\0"] * 2
    assert [c[high : low + 8] for c in controls] == [struct.pack(">dd", 7, -7)] * 2


def test_alarm_fields_follow_the_alarm(clients: tuple[RawClient, RawClient]) -> None:
    for client in clients:
        value = created(client, "R:ao")
        texts = {}
        for put in (doubles(float("nan")), doubles(1.5)):
            client.put(value, *put)
            found = [client.get(created(client, f"R:ao.{f}"), 0).payload for f in ("SEVR", "STAT", "UDF")]
            texts[put] = [payload.split(b"\0")[0] for payload in found]
        assert list(texts.values()) == [[b"INVALID", b"UDF", b"1"], [b"NO_ALARM", b"NO_ALARM", b"0"]]


@pytest.mark.parametrize("name", ["R:string.VAL$", "R:ao.DESC$"])
def test_long_strings(clients: tuple[RawClient, RawClient], name: str) -> None:
    found = []
    for client in clients:
        channel = created(client, name)
        assert channel.native == Dbr.CHAR
        assert client.put(channel, 4, 6, b"hello\0").status == 1
        read = client.get(channel, 4).payload.split(b"\0")[0]
        found.append((channel.count, channel.access, read))
    assert found[0] == found[1] == (found[0][0], 3, b"hello")


def test_a_text_is_a_long_string_here_too(clients: tuple[RawClient, RawClient]) -> None:
    real, ours = clients
    assert real.create("R:char.VAL$") is None
    channel = created(ours, "R:char.VAL$")
    assert ours.put(channel, 4, 3, b"abc").status == 1
    assert ours.get(channel, 4).payload[:4] == b"abc\0"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("R:dbl[1:2]", [20.0, 30.0]),
        ('R:dbl.{"arr":{"s":0,"i":2}}', [10.0, 30.0]),
        ("R:dbl.VAL[-1]", [40.0]),
    ],
)
def test_array_filters(clients: tuple[RawClient, RawClient], name: str, values: list[float]) -> None:
    name = name.replace("dbl[", "dbl.[")
    for client in clients:
        client.put(created(client, "R:dbl"), *doubles(10, 20, 30, 40))
        reply = client.get(created(client, name), 6)
        assert list(struct.unpack(f">{reply.count}d", reply.payload[: 8 * reply.count])) == values
