"""Packing frames on their way to the files: order, budget, errors, and sums whatever is ready when."""

import errno
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.beamline_pack import Pack
from layouts.stream import codecs, codecs_h5
from layouts.stream.errors import StreamError
from layouts.stream.messages import Codec
from tests.kit.drive import announced
from writer import packing
from writer.capture import Capture
from writer.capture_values import PixelFormat
from writer.in_flight import InFlight
from writer.meta_h5 import PACKED, Row
from writer.packing import Packing
from writer.series import SeriesKey
from writer.timings import Timings
from writer.write_errors import WriteError

CAME = PixelFormat((2, 4), "uint16", Codec.NONE)
SIZE = 16


class Files:
    """Raw files that only remember."""

    def __init__(self, full_at=None):
        self.defers, self.sums, self.times = False, {}, Timings
        self.on_added = lambda _added: None
        self.format, self.written, self.full_at = None, [], full_at

    def start(self, pixels):
        self.format = pixels

    def write(self, place, chunk):
        if self.full_at is not None and len(self.written) >= self.full_at:
            raise WriteError(errno.ENOSPC, "the disk is full")
        self.written.append((place, bytes(chunk)))

    def finish(self, _rows):
        return []


def frame(number):
    return np.full(CAME.shape, number, "<u2").tobytes()


def small(pixels, _dtype, _codec):
    """The first byte, as often as it says and once."""
    return bytes(pixels[:1]) * (pixels[0] + 1)


class Gate:
    """An encoder whose frames get ready when told to."""

    def __init__(self):
        self.open = [threading.Event() for _ in range(64)]
        self.broken = set()

    def __call__(self, pixels, dtype, codec):
        assert self.open[pixels[0]].wait(20)
        if pixels[0] in self.broken:
            raise RuntimeError("the codec is broken")
        return small(pixels, dtype, codec)

    def free(self):
        for each in self.open:
            each.set()


def started(files, **options):
    made = Packing(files, Pack.BSLZ4, **({"threads": 4, "encode": small} | options))
    made.start(CAME)
    return made


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_files_are_told_how_frames_are_packed_and_the_capture_how_they_come():
    files = Files()
    packed = started(files)
    assert packed.format == CAME
    assert packed.stored_as == files.format == CAME._replace(codec=Codec.BSLZ4)
    assert packed.defers
    packed.start(CAME._replace(codec=Codec.LZ4))
    assert packed.stored_as == packed.format
    assert not packed.defers
    packed.write(7, b"as it is")
    assert files.written == [(7, b"as it is")]
    assert packed.settled() == ([], [])
    packed.finish(0)


def test_frames_are_written_in_the_order_they_came_in_whatever_is_ready_first():
    files, gate = Files(), Gate()
    packed = started(files, encode=gate)
    for number in range(4):
        packed.write(number, frame(number))
    for number in (3, 2, 1):
        gate.open[number].set()
    assert packed.settled() == ([], [])
    gate.open[0].set()
    packed.settle()
    landed, lost = packed.settled()
    assert landed == [(number, number + 1) for number in range(4)]
    assert not lost
    assert [place for place, _ in files.written] == [0, 1, 2, 3]
    assert packed.waiting == 0
    packed.finish(4)


def test_when_the_budget_is_spent_the_next_frame_waits_for_the_first():
    files, gate = Files(), Gate()
    packed = started(files, threads=1, budget=2 * SIZE, encode=gate)
    packed.write(0, frame(0))
    packed.write(1, frame(1))
    assert packed.waiting == 2 * SIZE
    third = threading.Thread(target=packed.write, args=(2, frame(2)))
    third.start()
    third.join(0.05)
    assert third.is_alive()
    gate.open[0].set()
    third.join(20)
    assert not third.is_alive()
    assert packed.waiting == 2 * SIZE
    assert [place for place, _ in files.written] == [0]
    gate.free()
    packed.settle()
    packed.finish(3)


def test_a_frame_larger_than_the_budget_is_stored_all_the_same():
    files = Files()
    packed = started(files, threads=1, budget=1)
    for number in range(3):
        packed.write(number, frame(number))
    packed.settle()
    assert [place for place, _ in files.written] == [0, 1, 2]
    packed.finish(3)


def test_a_frame_that_cannot_be_packed_is_lost_and_the_others_are_not():
    files, gate = Files(), Gate()
    gate.broken = {1}
    gate.free()
    packed = started(files, encode=gate)
    for number in range(3):
        packed.write(number, frame(number))
    packed.settle()
    landed, lost = packed.settled()
    assert [each.place for each in landed] == [0, 2]
    assert lost == [1]
    assert "the frame for place 1 could not be packed" in packed.complaint
    assert packed.trouble is None
    packed.finish(3)


def test_nothing_is_written_after_an_error_of_the_disk():
    files = Files(full_at=2)
    packed = started(files)
    for number in range(4):
        packed.write(number, frame(number))
    packed.settle()
    landed, lost = packed.settled()
    assert [each.place for each in landed] == [0, 1]
    assert lost == [2, 3]
    assert packed.trouble.errno == errno.ENOSPC
    with pytest.raises(WriteError):
        packed.write(4, frame(4))
    packed.finish(2)


def test_what_is_not_packed_in_time_is_lost():
    gate = Gate()
    packed = started(Files(), encode=gate)
    for number in range(3):
        packed.write(number, frame(number))
    packed.settle(0.02)
    assert packed.settled() == ([], [0, 1, 2])
    assert packed.waiting == 0
    gate.free()
    packed.finish(0)


def test_a_frame_of_the_wrong_size_is_refused_at_once():
    packed = started(Files())
    with pytest.raises(StreamError, match="15 bytes of pixels where 16 are right"):
        packed.write(0, frame(0)[:-1])
    assert packed.settled() == ([], [])
    packed.finish(0)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("pack", [Pack.BSLZ4, Pack.BSZSTD])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_threads_pack_what_hdf5_unpacks(dtype, pack, native, monkeypatch):
    if not native:
        monkeypatch.setattr(codecs, "_native", lambda: None)
    shape = (33, 65)
    files = Files()
    packed = Packing(files, pack, 4)
    packed.start(PixelFormat(shape, dtype, Codec.NONE))
    arrays = [np.random.default_rng(seed).poisson(2.0, shape).astype(dtype) for seed in range(12)]
    for place, array in enumerate(arrays):
        packed.write(place, memoryview(array.tobytes()))
    packed.settle()
    assert not packed.complaint
    known = codecs.FILTERS[Codec(pack)]
    for (place, chunk), array in zip(files.written, arrays, strict=True):
        np.testing.assert_array_equal(codecs_h5.unpack(chunk, shape, dtype, *known), array, str(place))
    packed.finish(12)


events = st.one_of(
    st.tuples(st.just("frame"), st.integers(0, 11)),
    st.tuples(st.just("frame"), st.integers(0, 11)),
    st.tuples(st.just("ready"), st.integers(0, 11)),
    st.tuples(st.just("land"), st.just(0)),
)


@settings(max_examples=60, deadline=None)
@given(
    course=st.lists(events, max_size=40),
    broken=st.sets(st.integers(0, 11), max_size=3),
    full_at=st.none() | st.integers(0, 11),
)
def test_sums_add_up_and_order_holds_whatever_is_ready_when(course, broken, full_at):
    files, gate = Files(full_at), Gate()
    gate.broken = broken
    packed = started(files, encode=gate, threads=12)
    capture = Capture()
    flight = InFlight(capture)
    capture.start(announced(1, 12), 100.0)
    sent, rows = [], []

    def land():
        landed, lost = packed.settled()
        flight.lost(lost)
        sizes = dict(landed)
        rows.extend(flight.landed(sizes, 100.0, sizes)[0])
        t = capture.tally
        flying = len(capture.flying)
        assert t.received == t.stored + t.duplicate + t.foreign + t.unwanted + t.failed + flying
        assert packed.waiting == SIZE * flying

    for kind, number in course:
        if kind == "frame":
            place, _ = capture.frame(SeriesKey(1), number, CAME, 100.0)
            if place < 0:
                continue
            try:
                packed.write(place, frame(number))
            except WriteError:
                capture.failed()
                continue
            sent.append(place)
            flight.sent(Row(place, 1, number, 0, 0, 0, SIZE, 0).packed, 100.0)
        elif kind == "ready":
            gate.open[number].set()
        land()
    gate.free()
    packed.settle()
    land()
    assert not capture.flying
    written = [place for place, _ in files.written]
    assert written == [place for place in sent if place not in broken][: len(written)]
    assert [PACKED.unpack(row)[0] for row in rows] == written
    assert capture.tally.stored == len(written)
    assert capture.tally.bytes == sum(len(chunk) for _, chunk in files.written)
    assert [Row._make(PACKED.unpack(row)).size for row in rows] == [len(chunk) for _, chunk in files.written]
    packed.finish(12)


def test_the_default_budget_holds_a_frame_of_the_largest_detector():
    assert packing.BUDGET > 4148 * 4362 * 4
