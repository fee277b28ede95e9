"""What puts mean, and Channel Access on the wire, without a socket."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc import menus, names, wire
from ioc.records import Kind, PutError, PvClass, Record, Value, expand
from ioc.tables import acq, cam, hdf, motor, trigger
from ioc.values import cut, decode, encode, same, same_choice
from ioc.wire import Command, Dbr, Message

TABLES = {
    "acq": acq.acq(),
    "cam": cam.cam(),
    "truth": cam.truth(),
    "hdf": hdf.hdf(),
    "motor": motor.motor("deg"),
    "trigger": trigger.trigger(("omega",)),
}
MODE = Record(name="ImageMode", kind=Kind.ENUM, menu=menus.ImageMode)
FLAG = Record(name="Acquire", kind=Kind.ENUM, menu=menus.Acquire, rtype="busy")
TEXT = Record(name="FilePath", kind=Kind.TEXT, length=16)
COUNT = Record(name="NumImages", kind=Kind.LONG, low=1, high=100)
TIME = Record(name="AcquireTime", kind=Kind.DOUBLE)


@pytest.mark.parametrize(
    ("record", "raw", "value"),
    [
        (MODE, [1], "Multiple"),
        (MODE, "Continuous", "Continuous"),
        (MODE, "2", "Continuous"),
        (MODE, " 1", "Multiple"),
        (MODE, "2.9", "Continuous"),
        (MODE, b"\1", "Multiple"),
        (MODE, [65537], "Multiple"),
        (MODE, [float("nan")], "Single"),
        (FLAG, " 1 ", "Acquire"),
        (TEXT, b"", ""),
        (TEXT, b"\0", ""),
        (TEXT, b"/data\0rest", "/data"),
        (TEXT, "/data", "/data"),
        (TEXT, [47.0, 100.0, 0.0], "/d"),
        (TEXT, ["47", "100"], "/d"),
        (TEXT, b"x" * 16, "x" * 16),
        (TEXT, b"x" * 100, "x" * 16),
        (TEXT, "é" * 10, "é" * 8),
        (TEXT, b"x" + "é".encode() * 8, "x" + "é" * 7),
        (COUNT, "7", 7),
        (COUNT, [7.9], 7),
        (COUNT, [1e6], 100),
        (COUNT, [-5], 1),
        (COUNT, [1e10], 1),
        (COUNT, [float("inf")], 1),
        (COUNT, "", 1),
        (COUNT, "7.9 s", 7),
        (COUNT, b"123\0", 49),
        (Record(name="N", kind=Kind.LONG), [float("nan")], -(2**31)),
        (Record(name="N", kind=Kind.SHORT), [70000], 4464),
        (Record(name="N", kind=Kind.CHAR), [-1], 255),
        (TIME, "0x10", 16.0),
        (TIME, "inf", float("inf")),
        (TIME, [float("-inf")], float("-inf")),
        (TIME, "0.5", 0.5),
        (Record(name="Name", kind=Kind.STRING), "omega", "omega"),
        (Record(name="Name", kind=Kind.STRING), "x" * 41, "x" * 39),
        (Record(name="Name", kind=Kind.STRING), [1.5], "1.500000"),
        (Record(name="Name", kind=Kind.STRING), [7], "7"),
        (Record(name="A", kind=Kind.LONGS, length=3), [1, 2, 3, 4], [1, 2, 3]),
        (Record(name="A", kind=Kind.LONGS, length=3), [1.9, float("nan")], [1, -(2**31)]),
        (Record(name="A", kind=Kind.DOUBLES, length=3), [], []),
        (Record(name="A", kind=Kind.DOUBLES, length=3), b"\1\2", [1.0, 2.0]),
        (Record(name="A", kind=Kind.LONGS, length=3), ["1", "2"], [1, 2]),
        (Record(name="A", kind=Kind.DOUBLES, length=3), [1.5], [1.5]),
    ],
)
def test_what_a_put_means(record: Record, raw: object, value: Value) -> None:
    assert decode(record, raw) == value  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "raw"),
    [
        (MODE, [3]),
        (MODE, [-1]),
        (MODE, "Sometimes"),
        (MODE, "3"),
        (MODE, "single"),
        (MODE, ""),
        (MODE, []),
        (FLAG, "1x"),
        (TEXT, b"\xff\xfe"),
        (TEXT, ["/data"]),
        (TEXT, ["300"]),
        (COUNT, "many"),
        (COUNT, " "),
        (COUNT, "99999999999"),
        (COUNT, "nan"),
        (TIME, "1e999"),
        (Record(name="Name", kind=Kind.STRING), "\udcff"),
        (Record(name="A", kind=Kind.LONGS, length=3), ["1", "two"]),
        (Record(name="A", kind=Kind.LONGS, length=3), [""]),
    ],
)
def test_what_no_put_can_mean_is_refused_by_name(record: Record, raw: object) -> None:
    with pytest.raises(PutError, match=record.name):
        decode(record, raw)  # type: ignore[arg-type]


@given(st.sampled_from(sorted(TABLES)), st.data())
@settings(max_examples=300, deadline=None)
def test_any_put_to_any_record_gives_its_kind_or_is_refused(table: str, data: st.DataObject) -> None:
    records = expand(TABLES[table])
    record = records[data.draw(st.sampled_from(sorted(records)))]
    raw = data.draw(
        st.one_of(st.text(max_size=50), st.binary(max_size=50), st.lists(st.floats(), max_size=12))
    )
    try:
        value = decode(record, raw)
    except PutError:
        return
    assert same(encode(record, value), value) or value != value


@given(st.text(max_size=60), st.integers(2, 40))
def test_a_cut_text_fits_and_is_still_text(text: str, size: int) -> None:
    kept = cut(text, size)
    assert len(kept.encode("utf-8", "replace")) < size or kept == text
    assert text.startswith(kept)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_every_record_is_whole(table: str) -> None:
    for name, record in expand(TABLES[table]).items():
        assert encode(record, record.default) == record.default, name
        assert record.doc, name
        assert len(name) < 50
        assert record.pv_class in PvClass


def test_two_records_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="AcquireTime"):
        expand((TIME, TIME))
    with pytest.raises(ValueError, match="menu"):
        expand((Record(name="Mode", kind=Kind.ENUM),))


def test_a_readback_has_its_own_words() -> None:
    records = expand(TABLES["cam"])
    said = same_choice(records["Acquire"], menus.Acquire.ACQUIRE, records["Acquire_RBV"])
    assert said is menus.Acquiring.ACQUIRING


@pytest.mark.parametrize(
    ("preset", "camera", "writer"),
    [("adcore", "SB:EIG1:cam1:", "SB:EIG1:HDF1:"), ("dls", "SB:EIG1:CAM:", "SB:EIG1:HDF5:")],
)
def test_names(preset: str, camera: str, writer: str) -> None:
    assert names.cam("SB:", "EIG1", preset) == camera
    assert names.hdf("SB:", "EIG1", preset) == writer
    assert names.truth("SB:", "EIG1") == "SB:EIG1:SIM:Truth_RBV"
    with pytest.raises(ValueError, match="preset"):
        names.cam("SB:", "EIG1", "none")


@given(
    st.lists(
        st.builds(
            Message,
            st.integers(0, 27),
            st.integers(0, 40),
            st.integers(0, 70_000),
            st.integers(0, 2**32 - 1),
            st.integers(0, 2**32 - 1),
            st.integers(0, 9000).map(lambda n: bytes(8 * n)),
        ),
        max_size=4,
    ),
    st.integers(1, 60),
)
@settings(max_examples=50, deadline=None)
def test_messages_come_back_however_the_bytes_are_cut(messages: list[Message], size: int) -> None:
    data = b"".join(message.encode() for message in messages)
    buffer, seen = bytearray(), []
    for start in range(0, len(data), size * 100):
        buffer += data[start : start + size * 100]
        seen += list(wire.split(buffer))
    assert seen == messages
    assert not buffer


@pytest.mark.parametrize(
    ("native", "value", "array"),
    [
        (Dbr.DOUBLE, 1.5, False),
        (Dbr.LONG, -7, False),
        (Dbr.INT, 3, False),
        (Dbr.ENUM, 2, False),
        (Dbr.STRING, "omega", False),
        (Dbr.CHAR, "/data/é", True),
        (Dbr.CHAR, "", True),
        (Dbr.DOUBLE, [1.0, 2.0], True),
        (Dbr.STRING, ["a", "b"], True),
    ],
)
def test_values_on_the_wire(native: Dbr, value: object, array: bool) -> None:
    count, payload = wire.encode_value(native, value)
    pad = {Dbr.INT: 2, Dbr.ENUM: 2, Dbr.CHAR: 3, Dbr.DOUBLE: 4}.get(native, 0)
    head = struct.pack(">hhII", 11, 2, 1_000_000_000, 500_000_000) + bytes(pad)
    message = Message(Command.EVENT_ADD, native + 14, count, 1, 9, head + payload)
    timed = wire.decode_timed(message, array=array)
    expected = value.encode() if native is Dbr.CHAR and isinstance(value, str) else value
    assert (timed.value, timed.status, timed.severity) == (expected, 11, 2)
    assert timed.timestamp == 1_631_152_000.5


def test_a_short_reply_is_no_value() -> None:
    with pytest.raises(ValueError, match="bytes"):
        wire.decode_timed(Message(Command.EVENT_ADD, 20, 4, 1, 9, bytes(24)), array=True)


def test_searches_fit_into_datagrams() -> None:
    wanted = {cid: f"SB:EIG1:cam1:SomeLongName{cid}" for cid in range(200)}
    datagrams = list(wire.searches(wanted))
    assert all(len(datagram) <= 1024 for datagram in datagrams)
    asked = [m for d in datagrams for m in wire.split(bytearray(d)) if m.command == Command.SEARCH]
    assert [m.p1 for m in asked] == list(wanted)
