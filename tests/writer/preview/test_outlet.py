"""The worker's outlet and the preview process's socket: what is on the way between them, and when."""

import numpy as np
import pytest
import zmq

from layouts.stream import codecs
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec
from writer.capture_values import PixelFormat
from writer.latest import Latest
from writer.preview import frames
from writer.preview.outlet import INTERVAL, Outlet

WITHIN = 5000
"""Milliseconds."""


class Ends:
    """Both ends of the way, and a clock that is handed on."""

    def __init__(self) -> None:
        self.context = zmq.Context()
        self.poller = zmq.Poller()
        self.outlet = Outlet(self.context, "EIG1")
        self.far = self.context.socket(zmq.ROUTER)
        self.far.set(zmq.LINGER, 0)
        port = self.far.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"
        self.outlet.connect(self.endpoint, self.poller)
        self.identity, *self.hello = self.receive()

    def receive(self) -> list[bytes]:
        assert self.far.poll(WITHIN), "nothing came"
        return self.far.recv_multipart()

    def ask(self) -> None:
        self.far.send_multipart([self.identity, frames.NEXT])
        assert self.poller.poll(WITHIN), "the question did not come"
        self.outlet.hear()

    def given(self) -> int:
        """Number of the frame that comes."""
        _, word, *parts = self.receive()
        assert word == frames.FRAME
        return frames.frame_of(parts)[0].number

    def close(self) -> None:
        self.outlet.close()
        self.far.close(0)
        self.context.term()


@pytest.fixture
def ends():
    both = Ends()
    yield both
    both.close()


def latest(number: int, series: int = 1) -> Latest:
    data = np.full((8, 8), number, np.uint16)
    return Latest(
        series=series,
        frame=number,
        pixels=PixelFormat((8, 8), "uint16", Codec.BSLZ4),
        chunk=memoryview(codecs.compress(data, Codec.BSLZ4)),
        start=0,
        stop=0,
        real=0,
        arrival=1000 + number,
    )


def never() -> Latest:
    raise AssertionError("nobody asked which it is")


def test_it_says_whose_frames_it_has(ends):
    assert ends.hello == [frames.HERE, b"EIG1"]


def test_what_nobody_asks_for_is_not_even_looked_at(ends):
    ends.outlet.offer(never, 0.0)
    assert not ends.far.poll(50)


def test_a_frame_for_each_question_and_the_latest_one(ends):
    ends.ask()
    ends.outlet.offer(lambda: latest(3), 0.0)
    assert ends.given() == 3
    ends.outlet.offer(never, 10.0)
    ends.ask()
    ends.outlet.offer(lambda: latest(9), 20.0)
    assert ends.given() == 9


def test_not_the_same_frame_twice(ends):
    for series, number in ((1, 3), (2, 3)):
        ends.ask()
        ends.outlet.offer(lambda n=number, s=series: latest(n, s), 100.0 * series)
        assert ends.given() == 3
    ends.ask()
    ends.outlet.offer(lambda: latest(3, 2), 300.0)
    assert not ends.far.poll(50)
    ends.outlet.offer(lambda: latest(4, 2), 300.0)
    assert ends.given() == 4


def test_not_more_often_than_it_says_but_for_the_last_of_a_series(ends):
    ends.ask()
    ends.outlet.offer(lambda: latest(0), 0.0)
    assert ends.given() == 0
    ends.ask()
    ends.outlet.offer(never, INTERVAL * 0.9)
    ends.outlet.hurry()
    ends.outlet.offer(lambda: latest(1), INTERVAL * 0.9)
    assert ends.given() == 1


def test_nothing_before_the_first_frame_and_nothing_damaged(ends):
    def damaged() -> Latest:
        raise StreamError("cut short", "payload", "")

    ends.ask()
    ends.outlet.offer(lambda: None, 0.0)
    ends.outlet.offer(damaged, 0.0)
    assert not ends.far.poll(50)
    ends.outlet.offer(lambda: latest(0), 0.0)
    assert ends.given() == 0


def test_who_is_gone_is_not_waited_for(ends):
    ends.ask()
    ends.far.close(0)
    for number in range(100):
        ends.outlet.asked = True
        ends.outlet.offer(lambda n=number: latest(n), float(number))


def test_another_process_gets_the_latest_frame_though_the_one_before_had_it(ends):
    ends.ask()
    ends.outlet.offer(lambda: latest(5), 0.0)
    assert ends.given() == 5
    before = ends.outlet.socket
    ends.outlet.connect(ends.endpoint, ends.poller)
    assert before is not None
    assert before.closed
    ends.identity, *hello = ends.receive()
    assert hello == [frames.HERE, b"EIG1"]
    ends.ask()
    ends.outlet.offer(lambda: latest(5), 1.0)
    assert ends.given() == 5
