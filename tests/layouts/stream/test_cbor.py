"""The CBOR walker and encoder against cbor2, and against damage."""

import contextlib
import math

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.stream import cbor
from layouts.stream.cbor import Tagged
from layouts.stream.errors import StreamError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=30)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=8), inner, max_size=5)
        | st.builds(Tagged, st.sampled_from([40, 64, 69, 56500]), inner)
    ),
    max_leaves=12,
)


def nested(levels):
    return b"\x81" * levels + b"\x00"


@settings(max_examples=150)
@given(VALUES)
def test_what_is_written_is_read(value):
    assert cbor.owned(cbor.decode(cbor.encode(value))) == value


@settings(max_examples=150)
@given(SCALARS | st.lists(SCALARS, max_size=30))
def test_cbor2_reads_what_we_write_and_we_what_it_writes(value):
    assert cbor2.loads(cbor.encode(value)) == value
    assert cbor.owned(cbor.decode(cbor2.dumps(value))) == value


@settings(max_examples=150)
@given(st.floats() | st.floats(width=16) | st.floats(width=32))
def test_floats_take_the_shortest_form(value):
    written = cbor.encode(value)
    assert written == cbor2.dumps(value, canonical=True)
    read = cbor.decode(written)
    assert read == value or (math.isnan(read) and math.isnan(value))


def test_byte_strings_are_views_of_the_message():
    message = cbor.encode({"a": b"x" * 100})
    view = cbor.decode(message)["a"]
    assert isinstance(view, memoryview)
    assert view.obj is message


def test_the_order_of_keys_is_kept():
    assert list(cbor.decode(cbor.encode({"b": 1, "a": 2, "c": 3}))) == ["b", "a", "c"]


def test_self_described_messages_are_read_as_well():
    assert cbor.decode(cbor.SELF_DESCRIBED_BYTES + b"\x07") == 7


@settings(max_examples=100)
@given(VALUES, st.data())
def test_no_message_cut_short_is_read(value, data):
    message = cbor.encode([value, "end"])
    cut = data.draw(st.integers(0, len(message) - 1))
    with pytest.raises(StreamError):
        cbor.decode(message[:cut])


@settings(max_examples=300)
@given(st.binary(max_size=60))
def test_noise_is_read_or_refused(noise):
    with contextlib.suppress(StreamError):
        cbor.decode(noise)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (b"", "cut short"),
        (b"\x00\x00", "follow"),
        (b"\x5f\x41a\xff", "indefinite"),
        (b"\x9f\xff", "indefinite"),
        (b"\xbf\xff", "indefinite"),
        (b"\xff", "31"),
        (b"\x1c", "reserved"),
        (b"\xf7", "simple value 23"),
        (b"\xf8\x20", "simple value 24"),
        (b"\x62\xff\xff", "UTF-8"),
        (b"\xa1\x80\x00", "key"),
        (b"\xa1\xf5\x00", "key"),
        (b"\xa2\x61a\x00\x61a\x01", "twice"),
        (b"\x9b" + b"\xff" * 8, "announced"),
        (b"\xbb" + b"\xff" * 8, "announced"),
        (b"\x5b" + b"\xff" * 8, "announced"),
        (b"\x7b" + b"\x7f" * 8, "announced"),
        (nested(1000), "nested"),
        (b"\xc1" * 100_000 + b"\x00", "nested"),
        (b"\xa1\x00" * 1000, "nested"),
    ],
)
def test_damage_is_refused_in_words(message, what):
    with pytest.raises(StreamError, match=what):
        cbor.decode(message)


def test_depth_of_a_start_message_is_allowed():
    assert cbor.decode(nested(cbor.MAX_DEPTH))


@pytest.mark.parametrize("value", [2**64, -(2**64) - 1, {1, 2}, {"a": object()}, {"a": [b"", 1j]}])
def test_what_has_no_form_is_refused(value):
    with pytest.raises(StreamError):
        cbor.encode(value)
