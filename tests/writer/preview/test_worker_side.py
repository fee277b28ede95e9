"""What a worker tells of series that nobody captures, and which frame it holds for the latest."""

import numpy as np

from layouts.stream import codecs
from layouts.stream.messages import Codec
from tests.layouts.stream import examples
from writer import control
from writer.session import Session


def frame(version: int, number: int) -> list[bytes]:
    data = np.full((8, 8), number % 250, np.uint16)
    payload = codecs.pack(data, Codec.BSLZ4, version=version)
    return examples.encode(examples.image(version, payload, frame=number), version)


def test_a_series_without_a_capture_is_told_of_when_it_has_ended():
    for version in (1, 2):
        session = Session("EIG1")
        session.message(examples.encode(examples.start(version), version))
        for number in (300, 301, 302):
            session.message(frame(version, number))
        assert not session.events
        latest = session.latest
        assert latest is not None
        assert (latest.series, latest.frame) == (7, 302)
        session.message(examples.encode(examples.end(version), version))
        assert list(session.events) == [control.SeriesPassed(series=7, last_frame=302)]


def test_a_series_without_a_frame_has_no_last_one():
    session = Session("EIG1")
    session.message(examples.encode(examples.start(2), 2))
    session.message(examples.encode(examples.end(2), 2))
    assert list(session.events) == [control.SeriesPassed(series=7, last_frame=-1)]


def test_messages_of_it_there_and_back():
    passed = control.SeriesPassed(series=7, last_frame=302)
    assert control.decode(control.encode(passed)) == passed
