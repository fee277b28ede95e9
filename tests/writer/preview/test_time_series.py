"""Time series of fixed length, and those that go round."""

from writer.preview.time_series import TimeSeries


def series(points: int = 3) -> TimeSeries:
    return TimeSeries(("Total", "Timestamp"), points)


def test_nothing_is_taken_before_the_start():
    s = series()
    assert not s.add({"Total": 1.0}, 0.0)
    assert s.current == 0


def test_fixed_length_ends_when_it_is_full():
    s = series()
    s.start(10.0)
    assert [s.add({"Total": float(n), "Timestamp": 10.0 + n}, 10.0 + n) for n in (1, 2)] == [False, False]
    assert (s.current, s.elapsed) == (2, 2.0)
    assert s.rows()["Total"].tolist() == [1.0, 2.0]
    assert s.add({"Total": 3.0}, 13.0)
    assert (s.acquiring, s.current) == (False, 3)
    assert s.rows()["Total"].tolist() == [1.0, 2.0, 3.0]
    assert not s.add({"Total": 4.0}, 14.0)


def test_what_was_not_computed_is_zero():
    s = series()
    s.start(0.0)
    s.add({"Timestamp": 5.0}, 0.0)
    assert s.rows()["Total"].tolist() == [0.0]


def test_going_on_and_beginning_anew():
    s = series()
    s.start(0.0)
    s.add({"Total": 1.0}, 0.0)
    s.stop()
    s.add({"Total": 9.0}, 0.0)
    s.start(1.0, erase=False)
    s.add({"Total": 2.0}, 1.0)
    assert s.rows()["Total"].tolist() == [1.0, 2.0]
    s.start(2.0)
    assert (s.current, s.rows()["Total"].tolist()) == (0, [])


def test_a_full_series_begins_anew_in_any_case():
    s = series(1)
    s.start(0.0)
    assert s.add({"Total": 1.0}, 0.0)
    s.start(1.0, erase=False)
    assert s.add({"Total": 2.0}, 1.0)
    assert s.rows()["Total"].tolist() == [2.0]


def test_a_circular_buffer_shows_the_oldest_first():
    s = series()
    s.circular = True
    s.start(0.0)
    for n in (1, 2, 3, 4):
        assert not s.add({"Total": float(n)}, float(n))
    assert s.rows()["Total"].tolist() == [2.0, 3.0, 4.0]
    assert (s.acquiring, s.current) == (True, 1)


def test_another_length_begins_anew():
    s = series()
    s.start(0.0)
    s.add({"Total": 1.0}, 0.0)
    s.resize(2)
    assert (s.current, s.rows()["Total"].tolist()) == (0, [])
