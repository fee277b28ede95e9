"""The hot path reads what the walker reads, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.stream import codecs, v2
from layouts.stream.frames import Frames
from layouts.stream.messages import SENT, Codec, Image, Rational
from tests.layouts.stream import examples, strategies

FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
NUMBERS = st.integers(24, 2**63) | st.sampled_from([24, 255, 256, 2**16 - 1, 2**16, 2**32 - 1, 2**32])


def learned(message):
    frames = Frames()
    frames.learn([memoryview(message)], v2.decode([message]))
    return frames


def image(codec=Codec.BSLZ4, dtype="uint16", **changes):
    payload = codecs.pack(examples.pixels().astype(dtype).repeat(9, axis=1), codec)
    ticks = {key: Rational(10**6, 50_000_000) for key in ("start_time", "stop_time", "real_time")}
    return replace(examples.image(2, payload, **ticks), **({"frame": 1000} | changes))


def agrees(frame, message):
    """Whether a frame is what the walker makes of its message."""
    walked = v2.decode([message])
    assert isinstance(walked, Image)
    form, number, start, stop, real, data = frame
    payload = walked.payloads[0]
    return (form, number, start, stop, real, data.tobytes()) == (
        (walked.series, walked.unique_id, payload.shape, payload.dtype, payload.codec),
        walked.frame,
        walked.start_time.nanoseconds,
        walked.stop_time.nanoseconds,
        walked.real_time.nanoseconds,
        bytes(payload.data),
    )


@FEW
@given(strategies.images(2))
def test_whatever_was_learned_is_read_as_the_walker_reads_it(sent):
    (message,) = examples.encode(sent, 2)
    frame = learned(message).read([memoryview(message)])
    if frame is None:
        numbers = (sent.frame, sent.start_time[0], sent.stop_time[0], sent.real_time[0])
        is_small = min(*numbers, len(sent.payloads[0].data)) < 24
        assert is_small or len(sent.payloads) > 1 or sent.appendix is not None
    else:
        assert agrees(frame, message)


@pytest.mark.parametrize("codec", SENT)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_the_next_frame_is_read_without_a_copy(dtype, codec):
    (first,) = examples.encode(image(codec, dtype), 2)
    (second,) = examples.encode(image(codec, dtype, frame=1001), 2)
    frame = learned(first).read([memoryview(second)])
    assert frame is not None
    assert agrees(frame, second)
    assert frame[-1].obj is second


@FEW
@given(st.data())
def test_nothing_is_read_that_the_walker_refuses(data):
    """Bytes changed, taken out, put in or cut off."""
    (message,) = examples.encode(image(data.draw(st.sampled_from(SENT))), 2)
    frames = learned(message)
    damaged = bytearray(message)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        length = data.draw(st.integers(0, 2))
        damaged[place : place + length] = data.draw(st.binary(max_size=2))
    del damaged[len(damaged) - data.draw(st.integers(0, 3)) :]
    frame = frames.read([memoryview(bytes(damaged))])
    if frame is not None:
        assert agrees(frame, bytes(damaged))


@FEW
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=8))
def test_frames_of_one_form_have_the_same_object(numbers):
    frames, forms = Frames(), set()
    for number, start, stop, real in numbers:
        sent = replace(
            image(),
            frame=number,
            start_time=Rational(start, 3),
            stop_time=Rational(stop, 50_000_000),
            real_time=Rational(real, 1_000_000_000),
        )
        (message,) = examples.encode(sent, 2)
        frame = frames.read([memoryview(message)])
        if frame is None:
            frames.learn([memoryview(message)], v2.decode([message]))
            frame = frames.read([memoryview(message)])
        assert frame is not None
        assert agrees(frame, message)
        forms.add(id(frame[0]))
    assert len(forms) <= 1


def test_another_series_has_another_form():
    (first,) = examples.encode(image(), 2)
    (second,) = examples.encode(image(series=77), 2)
    frames = learned(first)
    assert frames.read([memoryview(second)]) is None
    frames.learn([memoryview(second)], v2.decode([second]))
    one, other = frames.read([memoryview(first)]), frames.read([memoryview(second)])
    assert one is not None
    assert other is not None
    assert one[0] != other[0]
