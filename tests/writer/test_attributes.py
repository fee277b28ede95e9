"""NDAttributes at the worker: which value belongs to which frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.attributes import AttributeType
from writer.attribute_messages import Attribute
from writer.attributes import AttributeBook, Clock, as_type, fill

MS = 1_000_000


def ns(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def attribute(**changes) -> Attribute:
    return Attribute(
        **{
            "name": "x",
            "value_type": AttributeType.FLOAT64,
            "source_type": "NDAttrSourceEPICSPV",
            "source": "SB:X",
            "value": 1.0,
        }
        | changes
    )


def book_of(*attributes: Attribute) -> AttributeBook:
    return AttributeBook(attributes or (attribute(),))


def take(book: AttributeBook, first: int, arrivals: np.ndarray, *, series: int = 1, stop=None):
    count = arrivals.size
    stops = np.zeros(count, np.int64) if stop is None else stop
    return book.take(np.arange(first, first + count), np.full(count, series), stops, arrivals)


def test_a_frame_has_the_last_value_before_it():
    book = book_of()
    book.note([(0, 15, 2.0), (0, 25, 3.0)])
    (write,) = take(book, 0, ns(10, 20, 25, 30))
    assert (write.column, write.places.tolist(), write.values.tolist()) == (0, [0, 1, 2, 3], [1, 2, 3, 3])


def test_a_late_change_mends_what_was_written():
    book = book_of(attribute(), attribute(name="y", value=7.0))
    take(book, 0, ns(10, 20, 30))
    book.note([(0, 15, 2.0)])
    (mended,) = book.mend()
    assert (mended.column, mended.places.tolist(), mended.values.tolist()) == (0, [1, 2], [2, 2])
    assert book.mend() == []


def test_a_change_after_all_frames_mends_nothing():
    book = book_of()
    take(book, 0, ns(10, 20))
    book.note([(0, 21, 2.0)])
    assert book.mend() == []
    assert take(book, 2, ns(30))[0].values.tolist() == [2]


def test_what_is_a_second_old_is_settled():
    book = book_of()
    take(book, 0, ns(10 * MS))
    take(book, 1, ns(2000 * MS))
    book.note([(0, 5 * MS, 2.0)])
    assert [w.places.tolist() for w in book.mend()] == [[1]]


def test_constants_need_no_values():
    assert take(book_of(attribute(constant=True)), 0, ns(1)) == []


def test_frames_that_waited_in_a_queue_were_taken_when_the_detector_says():
    clock = Clock()
    stop = ns(10, 20, 30, 40) * MS
    arrival = ns(1011, 1900, 1901, 1041) * MS
    # The first came on the shortest way: 1 ms after its exposure's end at 1010.
    taken = clock.taken(ns(1, 1, 1, 1), stop, arrival)
    assert (taken // MS).tolist() == [1011, 1021, 1031, 1041]


def test_a_stream_without_times_leaves_the_arrival():
    assert Clock().taken(ns(1, 1), ns(0, 0), ns(5, 9)).tolist() == [5, 9]


def test_each_series_has_its_own_clock():
    clock = Clock()
    assert clock.taken(ns(1, 2, 2), ns(50, 10, 20), ns(60, 1010, 1500)).tolist() == [60, 1010, 1020]


def test_no_frame_was_taken_after_its_series_ended():
    book = book_of()
    # The worker was busy: the only frame of a point came when the motor was on its way to the next.
    take(book, 0, ns(100 * MS), stop=ns(10 * MS))
    book.note([(0, 60 * MS, 2.0)], ends=[(1, 50 * MS)])
    (mended,) = book.mend()
    assert mended.values.tolist() == [1]
    book.note([], ends=[(2, 150 * MS)])
    assert take(book, 1, ns(200 * MS), series=2, stop=ns(10 * MS))[0].values.tolist() == [2]


def test_what_changes_with_the_end_of_a_series_is_no_value_of_its_frames():
    book = book_of()
    take(book, 0, ns(100 * MS))
    book.note([(0, 50 * MS, 2.0)], ends=[(1, 50 * MS)])
    assert book.mend()[0].values.tolist() == [1]


def test_an_end_told_for_a_series_that_is_long_settled_changes_nothing():
    book = book_of()
    take(book, 0, ns(10))
    take(book, 1, ns(3000 * MS), series=2)
    book.note([], ends=[(1, 1)])
    assert book.mend() == []


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        (None, AttributeType.INT32, -1),
        (None, AttributeType.STRING, b""),
        (None, AttributeType.UINT32, 0),
        (2.7, AttributeType.INT32, 2),
        ("2.5", AttributeType.FLOAT64, 2.5),
        (2.5, AttributeType.STRING, b"2.5"),
        (3, AttributeType.STRING, b"3"),
        (70000, AttributeType.INT16, -1),
        (2**53 + 1, AttributeType.INT64, 2**53 + 1),
        ("no number", AttributeType.INT32, -1),
        ("a" * 300, AttributeType.STRING, b"a" * 256),
        (float("inf"), AttributeType.INT32, -1),
    ],
)
def test_a_value_fits_its_column_or_is_not_known(value, kind, stored):
    assert as_type(value, kind) == stored


def test_unknown_numbers_are_nan():
    assert np.isnan(as_type(None, AttributeType.FLOAT32))
    assert np.isnan(as_type("x", AttributeType.FLOAT64))
    assert np.isnan(fill(AttributeType.FLOAT64))


@given(
    frames=st.lists(st.integers(0, 900), min_size=1, max_size=40).map(sorted),
    changes=st.dictionaries(st.integers(0, 900), st.integers(0, 5), max_size=20),
    cuts=st.lists(st.integers(0, 40), max_size=4).map(sorted),
    order=st.randoms(use_true_random=False),
)
def test_whenever_changes_come_the_end_is_the_same(frames, changes, cuts, order):
    """Blocks and changes in any order, within a second: at last every frame has its value."""
    book, column = book_of(attribute(value=-1.0)), np.zeros(len(frames))
    waiting = list(changes.items())
    order.shuffle(waiting)
    begin = 0

    def store(writes):
        for write in writes:
            column[write.places] = write.values

    for end in [*[min(cut, len(frames)) for cut in cuts], len(frames)]:
        book.note([(0, when, float(value)) for when, value in waiting[:2]])
        del waiting[:2]
        store(book.mend())
        if end > begin:
            store(take(book, begin, ns(*frames[begin:end])))
            begin = end
    book.note([(0, when, float(value)) for when, value in waiting])
    store(book.mend())
    for frame, stored in zip(frames, column, strict=True):
        before = [when for when in changes if when <= frame]
        assert stored == (changes[max(before)] if before else -1.0)
