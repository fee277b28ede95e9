"""Frames dealt to storers: whatever is acknowledged, in whatever order, and whoever dies, the sums hold."""

from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.capture import Outcome
from layouts.raw.mapping import Mapping
from tests.kit.drive import PIXELS, announced
from writer.capture import Capture
from writer.in_flight import InFlight
from writer.meta_h5 import Row
from writer.series import SeriesKey
from writer.stripes.ledger import Account, Ledger

SIZE = 10


class Fan:
    """A capture over a ledger, with storers that only count."""

    def __init__(self, workers, *, block=1, num_capture=0):
        self.capture = Capture(num_capture=num_capture)
        self.flight = InFlight(self.capture)
        self.ledger = Ledger(Mapping(workers=workers, block=block), budget=1000)
        self.now = 100.0
        self.rows: list[int] = []

    def start(self, series, images):
        self.capture.start(announced(series, images), self.now)

    def frame(self, series, number):
        place, _ = self.capture.frame(SeriesKey(series), number, PIXELS, self.now)
        if place < 0:
            return
        account = self.ledger.accounts[self.ledger.mapping.index(place)[0]]
        if account.gone:
            self.capture.failed()
            return
        account.send(place, SIZE)
        self.flight.sent(Row(place, series, number, 0, 0, 0, SIZE, 0).packed, self.now)

    def land(self):
        landed, lost = self.ledger.settled()
        self.flight.lost(lost)
        rows, _ = self.flight.landed(landed, self.now)
        self.rows += [int.from_bytes(row[:8], "little") for row in rows]

    def acknowledge(self, rank, taken, flushed):
        account = self.ledger.accounts[rank]
        self.ledger.take(rank, account.taken + taken, min(account.flushed + flushed, account.sent))
        self.land()

    def die(self, rank):
        self.ledger.end(rank, "killed")
        self.land()

    def settle(self):
        for rank, account in enumerate(self.ledger.accounts):
            self.ledger.take(rank, account.sent, account.sent)
        self.land()

    def check(self):
        t, flying = self.capture.tally, len(self.capture.flying)
        assert t.received == t.stored + t.duplicate + t.foreign + t.unwanted + t.failed + flying
        assert flying == self.ledger.in_flight
        assert t.bytes == SIZE * t.stored
        for account in self.ledger.accounts:
            assert 0 <= account.flushed <= account.taken <= account.sent or account.gone
            assert account.queue >= 0
        if self.capture.series is None:
            assert not flying
            assert t.expected == t.stored + t.missing


events = st.one_of(
    st.tuples(st.just("frame"), st.integers(0, 11)),
    st.tuples(st.just("frame"), st.integers(0, 11)),
    st.tuples(st.just("acknowledge"), st.integers(0, 2), st.integers(0, 5), st.integers(0, 5)),
    st.tuples(st.just("die"), st.integers(0, 2)),
    st.tuples(st.just("end")),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 3.0])),
)


@settings(max_examples=200, deadline=None)
@given(workers=st.integers(1, 3), block=st.integers(1, 4), course=st.lists(events, max_size=50))
def test_sums_add_up_whatever_is_acknowledged_lost_or_sent_twice(workers, block, course):
    fan = Fan(workers, block=block)
    fan.start(1, 12)
    for kind, *details in course:
        if kind == "frame":
            fan.frame(1, details[0])
        elif kind == "acknowledge" and details[0] < workers:
            fan.acknowledge(*details)
        elif kind == "die" and details[0] < workers:
            fan.die(details[0])
        elif kind == "end":
            fan.capture.end(SeriesKey(1), fan.now)
        elif kind == "wait":
            fan.now += details[0]
            over = fan.capture.tick(fan.now)
            assert not (over and fan.capture.flying)
        fan.check()
    fan.settle()
    fan.capture.stop(fan.now, drain=False)
    fan.check()
    finished = fan.capture.finished
    assert sorted([*fan.rows, *finished.missing]) == list(range(finished.rows))


def test_a_series_whose_last_frame_is_in_flight_is_not_over():
    fan = Fan(2)
    fan.start(1, 3)
    for number in range(3):
        fan.frame(1, number)
    fan.capture.end(SeriesKey(1), fan.now)
    fan.now += 100.0
    fan.capture.tick(fan.now)
    assert fan.flight.are_all
    assert fan.capture.series is not None
    fan.acknowledge(0, 2, 2)
    assert fan.capture.series is not None
    fan.acknowledge(1, 1, 1)
    assert fan.capture.series is None
    assert fan.capture.ended[-1].outcome is Outcome.COMPLETE


def test_a_frame_that_comes_again_while_it_is_in_flight_is_a_duplicate():
    fan = Fan(2)
    fan.start(1, 3)
    fan.frame(1, 0)
    fan.frame(1, 0)
    assert fan.capture.tally.duplicate == 1
    fan.die(0)
    fan.frame(1, 0)  # it was lost, and its storer with it
    assert fan.capture.tally.failed == 2


def test_a_storer_may_have_its_share_of_bytes_on_their_way_and_one_frame_however_large():
    account = Account(25)
    assert account.has_room(1000)
    account.send(0, 10)
    assert account.has_room(15)
    assert not account.has_room(16)
    account.send(1, 15)
    account.take(1)
    assert account.queue == 15
    assert account.flush(1) == [0]


def test_a_flush_is_asked_for_once_behind_each_frame():
    ledger = Ledger(Mapping(workers=2), 100)
    assert ledger.to_flush() == []
    ledger.accounts[1].send(1, 5)
    assert ledger.unasked == 1
    assert ledger.to_flush() == [1]
    assert ledger.to_flush() == []
    assert ledger.in_flight == 1
