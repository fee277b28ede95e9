"""The small parts of a camera: pool, counters, climate, shutter, and the wait for the writer."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc.menus import ShutterMode
from ioc.server import Server
from ioc.tables.cam import truth
from sim.array_count import ArrayCount, epics_time
from sim.climate import WORKING_POINT, climate
from sim.plugins import Plugins, is_stored
from sim.pool import MEGABYTE, Pool
from sim.shutter import arrived, told
from sim.truth import LONGEST, as_text


@given(st.lists(st.tuples(st.sampled_from(["using", "with_at_least", "emptied"]), st.integers(0, 99))))
def test_a_pool_has_what_is_in_use_and_what_it_was_given(steps):
    pool = Pool()
    for what, number in steps:
        pool = pool.emptied() if what == "emptied" else getattr(pool, what)(number)
        values = pool.values(MEGABYTE)
        assert values["PoolAllocBuffers"] == values["PoolUsedBuffers"] + values["PoolFreeBuffers"]
        assert values["PoolFreeBuffers"] >= 0
        assert values["PoolUsedMem"] == values["PoolAllocBuffers"]
        if what == "emptied":
            assert values["PoolFreeBuffers"] == 0


def test_arrays_are_counted_over_series_until_the_counter_is_set():
    count = ArrayCount().with_frames(5).of_next_series().with_frames(3)
    assert (count.total, count.frames) == (8, 3)
    values = count.counted_from(100).with_frames(4).values(1_000_000_000.25)
    assert values["ArrayCounter_RBV"] == 101
    assert values["UniqueId_RBV"] == 100
    assert values["NumImagesCounter_RBV"] == 4


def test_times_of_arrays_count_from_1990():
    found = epics_time(631_152_000 + 10.5)
    assert found == {"TimeStamp_RBV": 10.5, "EpicsTSSec_RBV": 10, "EpicsTSNsec_RBV": 500_000_000}


@given(st.floats(0, 1e9))
def test_the_climate_wanders_a_little(seconds):
    temperature, humidity = climate("EIG1", seconds)
    assert abs(temperature - WORKING_POINT) < 0.5
    assert 9 < humidity < 11
    assert climate("EIG1", seconds) == (temperature, humidity)


def test_only_a_shutter_that_is_there_is_told_and_arrives():
    assert told(ShutterMode.NONE, to_open=True) == arrived(ShutterMode.NONE, is_open=True) == {}
    assert told(ShutterMode.EPICS_PV, to_open=True)["ShutterControlEPICS"] == "Open"
    assert arrived(ShutterMode.EPICS_PV, is_open=False)["ShutterStatusEPICS_RBV"] == "Closed"
    assert told(ShutterMode.DETECTOR_OUTPUT, to_open=True) == {}
    assert arrived(ShutterMode.DETECTOR_OUTPUT, is_open=True) == {"ShutterStatus_RBV": "Open"}


@pytest.mark.parametrize(
    ("writing", "stored", "series", "over"),
    [("No", 0, 5, True), ("Yes", 4, 5, False), ("Yes", 5, 5, True), ("Yes", 9, 5, True), ("Yes", 0, 0, True)],
)
def test_when_there_is_nothing_to_wait_for(writing, stored, series, over):
    assert is_stored({"Writing": writing, "Stored": stored}, series) == over


def waiting(puts, within=5.0, release=False):
    async def do():
        plugins = Plugins(Server(port=0).device("X:", truth()))
        await plugins.put("Writing", "Yes")
        wait = asyncio.create_task(plugins.stored(3, within))
        await asyncio.sleep(0)
        for name, value in puts:
            assert not wait.done()
            await plugins.put(name, value)
            await asyncio.sleep(0)
        if release:
            plugins.release()
        return await wait, plugins.pool

    return asyncio.run(do())


def test_the_writer_s_word_ends_the_wait():
    assert waiting([("Queued", 7), ("Stored", 2), ("Queued", 0), ("Stored", 3)]) == ("", Pool(0, 7))
    assert waiting([("Writing", "No")])[0] == ""


def test_a_writer_that_does_not_answer_is_named():
    assert "did not answer for series 3" in waiting([], within=0.01)[0]


def test_a_client_may_end_the_wait():
    assert "ended by a put" in waiting([], release=True)[0]


def test_a_long_truth_goes_without_single_frames():
    motors = {"omega": {"first": 1.0, "start": [0.1] * 20_000, "stop": [0.2] * 20_000}}
    text = as_text({"series": 3, "motors": motors})
    assert len(text) < LONGEST
    assert '"first": 1.0' in text
    assert "start" in as_text({"motors": {"omega": {"start": [1.0]}}})
