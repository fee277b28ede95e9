"""What a run keeps of a worker's messages."""

from dataclasses import replace

from layouts.capture import Outcome
from layouts.stream.messages import SeriesParameters
from writer import control, run
from writer.reports import Counters, SeriesReport


def started(series: int, row: int, planned: int | None) -> control.Started:
    return control.Started(
        capture="c", series=series, row=row, planned=planned, parameters=SeriesParameters(), arrival=1.0
    )


def test_a_series_is_expected_from_its_start_message_on():
    progress = run.Progress()
    run.note(progress, started(1, 0, 10))
    assert progress.shown == Counters(expected=10)
    # It ended early: what it gave back is expected no longer.
    report = SeriesReport(series=1, row=0, rows=4, stored=4, outcome=Outcome.ABORTED, began=1.0, ended=2.0)
    counters = Counters(received=4, stored=4, expected=4)
    run.note(progress, control.SeriesEnded(capture="c", report=report, counters=counters))
    assert progress.shown == counters
    run.note(progress, started(2, 4, None))
    assert progress.shown == counters
    run.note(progress, started(3, 4, 6))
    assert progress.shown == replace(counters, expected=10)
