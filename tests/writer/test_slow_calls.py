"""Limits of calls of the disk: what is over them is named, with what it took; no limit, no word."""

from dataclasses import replace

from layouts.beamline_storage import Storage
from writer import control
from writer.reports import StorerReport
from writer.slow_calls import limits_of, slow_calls
from writer.timings import Timing, Timings

STATUS = control.Status(
    detector="EIG1",
    state=control.WorkerState.WRITING,
    timings=Timings(
        create=Timing().add(0.004),
        write=Timing().add(0.001).add(0.009),
        flush=Timing().add(0.012).add(0.002),
    ),
)


def test_no_limit_means_no_word():
    assert limits_of(Storage()) == {}
    assert slow_calls({}, STATUS) == {}


def test_the_longest_flush_and_the_mean_write_are_looked_at():
    limits = limits_of(Storage(limit_write=6, limit_flush=10, limit_create=5, limit_close=0.001))
    found = slow_calls(limits, STATUS)
    assert set(found) == {"flush"}
    assert "12 ms" in found["flush"]
    assert "10 ms" in found["flush"]
    assert set(slow_calls(limits | {"write": 4.9}, STATUS)) == {"flush", "write"}


def test_the_slow_one_of_several_storers_is_named():
    storers = tuple(
        StorerReport(rank=rank, alive=True, timings=Timings(close=Timing().add(took)))
        for rank, took in enumerate((0.001, 0.02, 0.003))
    )
    found = slow_calls({"close": 10.0}, replace(STATUS, storers=storers))
    assert found["close"].startswith("storer 1: ")
