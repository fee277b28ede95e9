"""The detector's states: arm, trigger, disarm, cancel, abort, at every moment."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.eiger import (
    Abort,
    Action,
    Arm,
    Cancel,
    Configure,
    Disarm,
    Discard,
    Eiger,
    Event,
    Expose,
    Failed,
    Initialize,
    Produced,
    Pulse,
    Recovered,
    RefusedError,
    SendEnd,
    SendStart,
    State,
    Trigger,
    Truncate,
    step,
)
from sim.eiger_config import ConfigError, EigerConfig, TriggerMode
from sim.readout import READOUTS

CONFIG = EigerConfig(
    readout=READOUTS["EIGER2 1M"], readout_time=1e-7, cutoff=5e6, count_time=0.09, frame_time=0.1, nimages=10
)


class Bench:
    """A detector and all that it has done."""

    def __init__(self, **config: object) -> None:
        self.eiger = Eiger(config=replace(CONFIG, **config))
        self.actions: list[Action] = []
        self.do(Initialize())

    def do(self, event: Event, now: float = 0.0) -> tuple[Action, ...]:
        self.eiger, actions = step(self.eiger, event, now)
        self.actions += actions
        return actions

    def made(self, kind: type[Action]) -> list[Action]:
        return [a for a in self.actions if isinstance(a, kind)]


def armed(**config: object) -> Bench:
    bench = Bench(**config)
    bench.do(Arm())
    return bench


def test_before_initialize_nothing_is_taken():
    eiger = Eiger(config=CONFIG)
    assert eiger.state is State.NA
    for event in (Arm(), Trigger(), Configure(name="nimages", value=3)):
        with pytest.raises(RefusedError, match="not initialized"):
            step(eiger, event, 0.0)
    for event in (Abort(), Cancel(), Disarm(), Pulse(at=0.0), Produced(series=0, frames=1)):
        assert step(eiger, event, 0.0) == (eiger, ())


def test_an_internal_series_from_arm_to_end():
    bench = Bench()
    assert bench.eiger.state is State.IDLE
    assert bench.do(Arm()) == (SendStart(series=1, config=bench.eiger.config),)
    assert bench.eiger.state is State.READY
    (expose,) = bench.do(Trigger(), 100.0)
    assert expose == Expose(series=1, first=0, count=10, at=100.0, period=0.1, count_time=0.09)
    assert bench.eiger.state is State.ACQUIRE
    assert bench.do(Produced(series=1, frames=9), 100.9) == ()
    assert bench.eiger.state is State.ACQUIRE
    assert bench.do(Produced(series=1, frames=10), 101.0) == (SendEnd(series=1),)
    assert bench.eiger.state is State.IDLE
    # The end comes once, whatever is said afterwards.
    for event in (Disarm(), Cancel(), Abort(), Produced(series=1, frames=10)):
        assert bench.do(event, 102.0) == ()


def test_triggers_of_a_series_follow_each_other():
    bench = armed(nimages=3, ntrigger=2)
    bench.do(Trigger(), 1.0)
    with pytest.raises(RefusedError, match="exposing"):
        bench.do(Trigger(), 1.1)
    assert bench.do(Produced(series=1, frames=3), 1.4) == ()
    assert bench.eiger.state is State.READY
    (expose,) = bench.do(Trigger(), 2.0)
    assert (expose.first, expose.at) == (3, 2.0)
    assert bench.do(Produced(series=1, frames=6), 2.4) == (SendEnd(series=1),)


def test_series_count_at_each_arm_and_from_one_after_initialize():
    bench = Bench(nimages=1)
    for number in (1, 2, 3):
        (start,) = bench.do(Arm())
        assert start.series == number
        bench.do(Abort())
    bench.do(Initialize())
    (start,) = bench.do(Arm())
    assert start.series == 1


def test_inte_exposes_as_long_as_each_trigger_says():
    bench = armed(trigger_mode=TriggerMode.INTE, nimages=1, ntrigger=3)
    (expose,) = bench.do(Trigger(count_time=0.5), 1.0)
    assert (expose.count, expose.count_time, expose.period) == (1, 0.5, 0.5 + 1e-7)
    bench.do(Produced(series=1, frames=1), 1.6)
    (expose,) = bench.do(Trigger(), 2.0)
    assert (expose.first, expose.count_time) == (1, 0.09)
    bench.do(Produced(series=1, frames=2), 2.2)
    with pytest.raises(RefusedError, match="too short"):
        bench.do(Trigger(count_time=0.0), 3.0)
    bench.do(Trigger(), 3.0)
    assert bench.do(Produced(series=1, frames=3), 3.2) == (SendEnd(series=1),)


def test_an_exposure_of_its_own_is_for_inte_only():
    with pytest.raises(RefusedError, match="inte only"):
        armed().do(Trigger(count_time=1.0))


def test_exts_begins_at_the_pulse_and_not_when_it_hears_of_it():
    bench = armed(trigger_mode=TriggerMode.EXTS, ntrigger=2)
    with pytest.raises(RefusedError, match="send a pulse"):
        bench.do(Trigger())
    (expose,) = bench.do(Pulse(at=7.25), 7.3)
    assert (expose.at, expose.count) == (7.25, 10)
    assert bench.do(Pulse(at=8.0), 8.0) == ()  # still exposing
    assert bench.eiger.lost_triggers == 1
    # The frames of the first trigger are late in the pipeline: the next trigger is taken all the same.
    (expose,) = bench.do(Pulse(at=8.25), 8.3)
    assert (expose.first, expose.at) == (10, 8.25)
    assert bench.do(Produced(series=1, frames=10), 8.4) == ()
    assert bench.eiger.state is State.ACQUIRE
    assert bench.do(Pulse(at=99.0), 99.0) == ()
    assert bench.do(Produced(series=1, frames=20), 99.1) == (SendEnd(series=1),)


def test_exte_exposes_while_the_gate_is_high():
    bench = armed(trigger_mode=TriggerMode.EXTE, nimages=1, ntrigger=2)
    assert bench.do(Pulse(at=1.0), 1.0) == ()
    assert bench.eiger.lost_triggers == 1
    (expose,) = bench.do(Pulse(at=1.0, width=0.2), 1.3)
    assert (expose.count, expose.count_time) == (1, 0.2)


def test_pulses_mean_nothing_where_nobody_waits():
    assert Bench(trigger_mode=TriggerMode.EXTS).do(Pulse(at=1.0), 1.0) == ()
    assert armed().do(Pulse(at=1.0), 1.0) == ()


def test_config_is_fixed_while_armed():
    bench = armed()
    with pytest.raises(RefusedError, match="while series 1 is armed"):
        bench.do(Configure(name="nimages", value=3))
    bench.do(Abort())
    bench.do(Configure(name="nimages", value=3))
    assert bench.eiger.config.nimages == 3
    with pytest.raises(ConfigError):
        bench.do(Configure(name="nimages", value=0))
    with pytest.raises(RefusedError, match="armed already"):
        armed().do(Arm())


def test_a_series_of_more_than_a_week_is_refused():
    bench = Bench(nimages=10_000_000)
    with pytest.raises(RefusedError, match="a week"):
        bench.do(Arm())
    assert (bench.eiger.state, bench.eiger.series) == (State.IDLE, 0)


@pytest.mark.parametrize("event", [Cancel(), Disarm()])
@pytest.mark.parametrize(
    ("now", "frames"), [(9.0, 0), (10.0, 1), (10.05, 1), (10.095, 1), (10.1, 2), (10.55, 6), (99.0, 10)]
)
def test_cancel_ends_after_the_present_image(event, now, frames):
    bench = armed(trigger_mode=TriggerMode.EXTS)
    bench.do(Pulse(at=10.0), 9.0)
    actions = bench.do(event, now)
    assert actions[0] == Truncate(series=1, frames=frames)
    if frames:
        assert actions[1:] == ()
        assert bench.eiger.state is State.ACQUIRE
        assert bench.do(event, now) == (Truncate(series=1, frames=frames),)
        if frames > 1:
            assert bench.do(Produced(series=1, frames=frames - 1), now) == ()
        assert bench.do(Produced(series=1, frames=frames), now) == (SendEnd(series=1),)
    assert bench.actions[-1] == SendEnd(series=1)
    assert bench.eiger.state is State.IDLE


def test_cancel_between_triggers_ends_at_once():
    bench = armed(nimages=2, ntrigger=5)
    bench.do(Trigger(), 0.0)
    bench.do(Produced(series=1, frames=2), 0.3)
    assert bench.do(Cancel(), 1.0) == (Truncate(series=1, frames=2), SendEnd(series=1))
    bench = armed()
    assert bench.do(Cancel(), 1.0) == (Truncate(series=1, frames=0), SendEnd(series=1))


@pytest.mark.parametrize("event", [Abort(), Initialize()])
@pytest.mark.parametrize("produced", [None, 0, 1, 9])
def test_abort_at_every_point_drops_the_pipeline_and_ends(event, produced):
    bench = armed()
    if produced is not None:
        bench.do(Trigger(), 0.0)
        bench.do(Produced(series=1, frames=produced), 0.1)
    assert bench.do(event, 0.2) == (Discard(series=1), SendEnd(series=1))
    assert bench.eiger.state is State.IDLE
    assert bench.do(Produced(series=1, frames=10), 0.3) == ()
    assert bench.do(Abort(), 0.4) == ()


def test_news_of_an_earlier_series_changes_nothing():
    bench = armed()
    bench.do(Abort())
    bench.do(Arm())
    bench.do(Trigger(), 1.0)
    assert bench.do(Produced(series=1, frames=10), 1.0) == ()
    assert bench.eiger.produced == 0


def test_a_readout_that_dies_leaves_the_detector_in_error_until_it_is_back():
    bench = armed()
    assert bench.do(Failed(message="died")) == ()
    assert (bench.eiger.state, bench.eiger.error) == (State.ERROR, "died")
    with pytest.raises(RefusedError, match="died"):
        bench.do(Arm())
    assert bench.do(Abort()) == ()
    bench.do(Recovered())
    (start,) = bench.do(Arm())
    assert start.series == 2
    assert bench.do(Recovered()) == ()
    assert bench.eiger.state is State.READY


EVENTS = st.one_of(
    st.sampled_from([Arm(), Trigger(), Disarm(), Cancel(), Abort(), Initialize()]),
    st.builds(Pulse, at=st.floats(0, 50), width=st.floats(0, 1)),
    st.builds(Produced, series=st.integers(1, 3), frames=st.integers(0, 12)),
    st.builds(Configure, name=st.just("nimages"), value=st.integers(1, 4)),
)


@settings(max_examples=150)
@given(st.sampled_from(list(TriggerMode)), st.lists(EVENTS, max_size=40))
def test_every_series_starts_once_and_ends_once_and_frames_count_up(mode, events):
    bench = Bench(trigger_mode=mode, nimages=1 if mode.is_enable else 3, ntrigger=2)
    open_series: int | None = None
    frames = 0
    for number, event in enumerate(events):
        try:
            actions = bench.do(event, number * 1.0)
        except (RefusedError, ConfigError):
            continue
        for action in actions:
            match action:
                case SendStart():
                    assert open_series is None
                    open_series, frames = action.series, 0
                case Expose():
                    assert action.series == open_series
                    assert action.first == frames
                    frames += action.count
                    assert frames <= bench.eiger.config.frames
                case SendEnd():
                    assert action.series == open_series
                    open_series = None
                case Discard() | Truncate():
                    assert action.series == open_series
        assert bench.eiger.is_running == (open_series is not None)
