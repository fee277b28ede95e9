"""Frames that came, as a client counts them."""

from writer.arrivals import Arrivals
from writer.pace import Pace


def test_a_counter_goes_on_from_where_it_was_set():
    arrivals = Arrivals()
    arrivals.reported(5, 0.0)
    assert arrivals.count == 5
    arrivals.count = 100
    arrivals.reported(7, 0.1)
    assert arrivals.count == 102


def test_a_worker_that_was_started_anew_begins_at_nothing():
    arrivals = Arrivals()
    arrivals.reported(50, 0.0)
    arrivals.reported(3, 0.1)
    assert arrivals.count == 53


def test_the_rate_is_taken_over_a_second_and_falls_to_nothing():
    arrivals = Arrivals()
    arrivals.reported(0, 0.0)
    for step in range(1, 11):
        arrivals.reported(20 * step, 0.1 * step)
    assert arrivals.rate == 200
    arrivals.reported(200, 2.5)
    assert arrivals.rate == 0


def test_the_time_of_a_frame_is_the_mean_since_the_report_before():
    pace = Pace()
    pace.worked(3_000_000)
    assert pace.per_frame(3) == 1.0
    assert pace.per_frame(3) == 1.0  # no frame since: as before
    pace.worked(1_000_000)
    assert pace.per_frame(5) == 0.5
