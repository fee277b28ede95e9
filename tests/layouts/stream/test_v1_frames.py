"""The hot path of version 1 reads what the careful reader reads, and nothing else."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.stream import codecs, v1
from layouts.stream.errors import StreamError
from layouts.stream.frames import Frames
from layouts.stream.messages import Codec, Image, Rational
from tests import recordings
from tests.layouts.stream import examples, strategies

FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
NUMBERS = st.integers(0, 10**18)
READABLE = (Codec.BSLZ4, Codec.NONE)
"""lz4 has no frame in version 1: a chunk must be made of it first."""


def views(parts):
    return [memoryview(bytes(part)) for part in parts]


def learned(parts):
    frames = Frames()
    frames.learn(views(parts), v1.decode(parts))
    return frames


def image(codec=Codec.BSLZ4, dtype="uint16", **changes):
    pixels = examples.pixels().astype(dtype).repeat(9, axis=1)
    ticks = {key: Rational(10**6, 1_000_000_000) for key in ("start_time", "stop_time", "real_time")}
    sent = examples.image(1, codecs.pack(pixels, codec, version=1), **ticks)
    return replace(sent, **({"frame": 1000} | changes))


def agrees(frame, parts):
    """Whether a frame is what the careful reader makes of its message."""
    read = v1.decode(parts)
    assert isinstance(read, Image)
    form, number, start, stop, real, data = frame
    payload = read.payloads[0]
    return (form, number, start, stop, real, bytes(data)) == (
        (read.series, None, payload.shape, payload.dtype, payload.codec),
        read.frame,
        read.start_time.nanoseconds,
        read.stop_time.nanoseconds,
        read.real_time.nanoseconds,
        bytes(payload.data),
    )


@FEW
@given(strategies.images(1))
def test_whatever_was_learned_is_read_as_the_careful_reader_reads_it(sent):
    parts = examples.encode(sent, 1)
    frame = learned(parts).read(views(parts))
    if frame is None:
        assert sent.payloads[0].codec is Codec.LZ4 or sent.appendix is not None
    else:
        assert agrees(frame, parts)


@FEW
@given(st.sampled_from(READABLE), st.lists(NUMBERS, min_size=4, max_size=4))
def test_the_next_frame_is_read_without_a_copy_whatever_its_numbers(codec, numbers):
    number, *times = numbers
    ticks = [Rational(each, 1_000_000_000) for each in times]
    later = image(codec, frame=number, start_time=ticks[0], stop_time=ticks[1], real_time=ticks[2])
    parts = views(examples.encode(later, 1))
    frame = learned(examples.encode(image(codec), 1)).read(parts)
    assert frame is not None
    assert agrees(frame, parts)
    assert frame[-1].obj is parts[2].obj


@FEW
@given(st.data())
def test_nothing_is_read_that_the_careful_reader_refuses(data):
    """Bytes of a text changed, taken out or put in; pixels cut; parts gone."""
    parts = [bytes(part) for part in examples.encode(image(), 1)]
    frames = learned(parts)
    which = data.draw(st.integers(0, 3))
    text = bytearray(parts[which])
    at = data.draw(st.integers(0, len(text) - 1))
    match data.draw(st.sampled_from(["change", "out", "in", "cut"])):
        case "change":
            text[at] = data.draw(st.integers(0, 255))
        case "out":
            del text[at]
        case "in":
            text.insert(at, data.draw(st.integers(0, 255)))
        case _:
            del text[at:]
    parts[which] = bytes(text)
    frame = frames.read(views(parts))
    try:
        v1.decode(parts)
    except StreamError:
        assert frame is None
    else:
        assert frame is None or agrees(frame, parts)


def test_spaces_and_the_order_of_keys_are_those_of_the_sender():
    parts = [bytes(part) for part in examples.encode(image(), 1)]
    parts[0] = b'{ "series" : 7, "frame" : 3 , "htype":"dimage-1.0"}'
    parts[3] = b'{"stop_time": 5,\n "real_time":4, "htype":"dconfig-1.0", "start_time": 1}'
    frames = learned(parts)
    parts[0] = parts[0].replace(b" 3 ", b" 44 ")
    parts[3] = re.sub(rb"\d,", b"88,", parts[3], count=1)
    frame = frames.read(views(parts))
    assert frame is not None
    assert agrees(frame, parts)
    assert frame[1:5] == (44, 1, 88, 4)


def test_frames_of_one_form_have_the_same_object_and_another_series_another():
    frames = learned(examples.encode(image(), 1))
    one, two = (frames.read(views(examples.encode(image(frame=n), 1))) for n in (5, 123456))
    assert one is not None
    assert two is not None
    assert one[0] is two[0]
    other = examples.encode(image(series=one[0].series + 1), 1)
    assert frames.read(views(other)) is None
    assert frames.learn(views(other), v1.decode(other)) != one[0]


def test_making_layouts_ends_where_each_message_is_written_in_a_way_of_its_own():
    frames = Frames()
    learned_forms = []
    for n in range(100):
        parts = [bytes(part) for part in examples.encode(image(), 1)]
        parts[0] = parts[0].replace(b"{", b'{"note":"' + str(n).encode() + b'",', 1)
        learned_forms.append(frames.learn(views(parts), v1.decode(parts)))
    assert learned_forms[0] is not None
    assert learned_forms[-1] is None


@pytest.mark.parametrize("version", [1, 2])
def test_recorded_frames_are_read_by_what_was_learned_of_the_first(version):
    from layouts.stream.stream import decode

    messages = [views(parts) for parts in recordings.load(version)]
    images = [(parts, read) for parts in messages if isinstance(read := decode(parts), Image)]
    frames = Frames()
    fast = 0
    for parts, read in images:
        frame = frames.read(parts)
        if frame is None:
            frames.learn(parts, read)
            continue
        fast += 1
        assert frame[1] == read.frame
        assert frame[2:5] == (
            read.start_time.nanoseconds,
            read.stop_time.nanoseconds,
            read.real_time.nanoseconds,
        )
        assert bytes(frame[5]) == bytes(read.payloads[0].data)
    if version == 1:
        assert fast == len(images) - 1
