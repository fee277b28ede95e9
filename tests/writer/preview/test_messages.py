"""Messages of the previews, there and back."""

import numpy as np
import pytest

from layouts.stream import codecs
from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.latest import Latest
from writer.preview import frames, messages
from writer.preview.loop import skipped
from writer.preview.pipeline import Result
from writer.preview.settings import Axis, Plugin, Region, Settings, Statistics


def test_settings_there_and_back():
    settings = Settings(
        roi=Plugin(interval=0.5, again=3),
        statistics=Statistics(cursor=(3, 4), bins=7, low=-1.5),
        region=Region(x=Axis(start=5, reverse=True), scale=2.0, dtype="float32"),
    )
    ask = messages.Ask(detector="EIG1", settings=settings)
    assert messages.decode(messages.encode(ask)) == ask


def test_results_there_and_back():
    arrays = {"Histogram": np.arange(5.0), "ArrayData": np.arange(6, dtype=np.int32).reshape(2, 3)}
    result = Result(
        plugin="stats",
        series=3,
        number=9,
        arrival=5.5,
        shape=(2, 3),
        dtype="uint16",
        values={"Total": 4.0, "NumMasked": 2},
        arrays=arrays,
        took=0.001,
    )
    head, *parts = messages.of_result("EIG1", result, 12)
    message = messages.decode(head)
    assert isinstance(message, messages.Computed)
    assert (message.values, message.skipped, message.number) == (result.values, 12, 9)
    found = messages.arrays_of(message, [bytes(part) for part in parts])
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    assert found["ArrayData"].dtype == np.int32
    with pytest.raises(messages.PreviewError):
        messages.arrays_of(message, [bytes(4)])


def test_what_is_no_message_is_refused():
    for data in (b"", b"{}", b'{"type": "ask"}', b"\xff\x00"):
        with pytest.raises(messages.PreviewError):
            messages.decode(data)
        with pytest.raises(frames.FrameError):
            frames.frame_of([data, b""])
    with pytest.raises(frames.FrameError):
        frames.frame_of([])


def test_frames_there_and_back():
    data = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    latest = Latest(
        series=2,
        frame=7,
        pixels=PixelFormat((64, 64), "uint16", Codec.BSLZ4),
        chunk=codecs.compress(data, Codec.BSLZ4),
        start=0,
        stop=0,
        real=0,
        arrival=1_500_000_000,
    )
    word, *parts = frames.of_latest(latest)
    assert word == frames.FRAME
    head, payload = frames.frame_of(parts)
    assert (head.series, head.number, head.arrival) == (2, 7, 1.5)
    assert np.array_equal(codecs.decompress(payload), data)


@pytest.mark.parametrize(
    ("last", "this", "number"),
    [(None, (1, 50), 0), ((1, 3), (1, 4), 0), ((1, 3), (1, 9), 5), ((1, 9), (2, 2), 2), ((1, 5), (1, 4), 0)],
)
def test_frames_that_were_passed_over(last, this, number):
    assert skipped(last, this) == number
