"""The acquisition machine: every way from capture to master, with no process, port or sleep."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.capture import Outcome
from writer import steps as s
from writer.acquisition import Acquisition, Phase, Stage, Timing

TIMING = Timing(open=10, grace=4, close=60)


class Rig:
    """Drives a machine and keeps what it asks for."""

    def __init__(self, *detectors, acquire=True):
        self.machine = Acquisition(detectors, acquire, TIMING)
        self.now = 0.0
        self.actions = list(self.machine.begin(self.now))

    def __call__(self, *events, at=None):
        self.now = self.now if at is None else at
        got = [a for e in events for a in self.machine.handle(e, self.now)]
        self.actions += got
        return got

    @property
    def finish(self):
        return next((a for a in self.actions if isinstance(a, s.Finish)), None)


def test_a_whole_acquisition_of_two_detectors():
    rig = Rig("A", "B")
    assert rig.actions == [s.SendCapture("A"), s.SendCapture("B")]
    assert rig(s.Opened("A")) == []
    assert rig(s.Opened("B")) == [s.PutAcquire("A", start=True), s.PutAcquire("B", start=True)]
    assert rig.machine.stage is Stage.RUNNING
    rig(s.CameraState("A", "Acquire"), s.CameraState("B", "Acquire"), s.Started("A", 7), s.Started("B", 3))
    rig(s.SeriesEnded("A", 7, Outcome.COMPLETE), s.Done("A", Outcome.COMPLETE, 300), s.CameraEnded("A"))
    assert rig.machine.stage is Stage.RUNNING
    assert rig(s.SeriesEnded("B", 3, Outcome.COMPLETE), s.CameraEnded("B")) == [s.SendStop("B", drain=True)]
    assert rig(s.Done("B", Outcome.COMPLETE, 100)) == [s.Publish(("A", "B"))]
    assert rig(s.Published()) == [s.Finish(Outcome.COMPLETE, "", failed=False)]
    assert rig(s.Done("A", Outcome.COMPLETE, 1), s.Tick(), s.Abort()) == []


def test_done_before_the_camera_waits_for_the_camera():
    rig = Rig("A")
    rig(s.Opened("A"), s.Started("A", 1), s.SeriesEnded("A", 1, Outcome.COMPLETE))
    assert rig(s.Done("A", Outcome.COMPLETE, 5)) == []
    assert rig(s.CameraEnded("A")) == [s.Publish(("A",))]


def test_a_camera_that_goes_on_after_its_last_frame_is_stopped_and_told_of():
    rig = Rig("A")
    rig(s.Opened("A"), s.Started("A", 1), s.Done("A", Outcome.COMPLETE, 5))
    assert rig(s.Tick(), at=5) == [s.PutAcquire("A", start=False)]
    assert rig(s.CameraEnded("A", "aborted")) == [s.Publish(("A",))]
    rig(s.Published())
    assert rig.finish.outcome is Outcome.INCOMPLETE
    assert "went on after its last frame" in rig.finish.reason


def test_a_detector_in_error_is_incomplete_and_says_why():
    rig = Rig("A")
    rig(s.Opened("A"), s.CameraState("A", "Acquire"), s.Started("A", 7))
    got = rig(s.CameraState("A", "Error", "it burnt"))
    why = "the detector reports an error: it burnt"
    assert got == [s.SendAborted("A", 7, why), s.PutAcquire("A", start=False)]
    rig(s.SeriesEnded("A", 7, Outcome.INCOMPLETE, f"0 of 5: {why}"), s.CameraEnded("A"))
    rig(s.Done("A", Outcome.INCOMPLETE, 5, f"0 of 5: {why}"), s.Published())
    assert rig.finish == s.Finish(Outcome.INCOMPLETE, f"A: {why}; A: 0 of 5: {why}", failed=False)


def test_a_camera_that_goes_in_mid_series_leaves_what_it_owed_missing():
    rig = Rig("A")
    rig(s.Opened("A"), s.CameraState("A", "Acquire"), s.Started("A", 7))
    got = rig(s.CameraEnded("A", "its server has gone"))
    assert got == [s.SendAborted("A", 7, "its server has gone"), s.SendStop("A", drain=False)]


def test_abort_in_a_series_ends_cameras_first_then_the_capture():
    rig = Rig("A", "B")
    rig(s.Opened("A"), s.Opened("B"), s.Started("A", 7))
    assert rig(s.Abort()) == [
        s.PutAcquire("A", start=False),
        s.SendAborted("A", 7),
        s.PutAcquire("B", start=False),
        s.SendAborted("B", None),
    ]
    assert rig(s.SeriesEnded("A", 7, Outcome.ABORTED)) == [s.SendStop("A", drain=True)]
    assert rig(s.CameraEnded("A")) == []
    assert rig(s.CameraEnded("B")) == [s.SendStop("B", drain=True)]
    rig(s.Done("A", Outcome.ABORTED, 12, "the detector aborted"), s.Done("B", Outcome.COMPLETE, 0))
    assert rig.actions[-1] == s.Publish(("A",))
    rig(s.Published())
    assert rig.finish.outcome is Outcome.ABORTED
    assert "aborted by a client" in rig.finish.reason


def test_a_detector_aborted_at_its_own_pvs_aborts_the_acquisition():
    rig = Rig("A", "B")
    rig(s.Opened("A"), s.Opened("B"), s.Started("A", 7), s.CameraState("A", "Acquire"))
    got = rig(s.CameraState("A", "Aborted"))
    assert got[0] == s.SendAborted("A", 7)
    assert s.PutAcquire("B", start=False) in got
    assert rig.machine.aborted == "A was aborted at its own PVs"


def test_a_camera_that_was_aborted_long_ago_is_no_news():
    machine = Acquisition(("A",), acquire=True, timing=TIMING)
    machine.begin(0.0, {"A": "Aborted"})
    machine.handle(s.Opened("A"), 0.0)
    assert machine.handle(s.CameraState("A", "Aborted"), 0.1) == []
    assert not machine.halted


def test_a_capture_of_its_own_goes_on_after_an_aborted_series():
    rig = Rig("A", acquire=False)
    assert rig(s.Opened("A"), s.Started("A", 7), s.CameraState("A", "Aborted")) == [s.SendAborted("A", 7)]
    assert rig(s.SeriesEnded("A", 7, Outcome.ABORTED)) == []
    assert rig(s.CameraState("A", "Acquire"), s.Started("A", 8)) == []
    assert rig(s.StopCapture("A")) == [s.SendStop("A", drain=True)]
    assert rig(s.Done("A", Outcome.ABORTED, 9)) == [s.Publish(("A",))]


def test_waiting_for_a_trigger_has_no_end():
    rig = Rig("A")
    rig(s.Opened("A"), s.Started("A", 7), s.CameraState("A", "Acquire"))
    assert rig(s.Tick(), at=86400) == []
    alone = Rig("A", acquire=False)
    assert alone(s.Opened("A"), s.Tick()) == []
    assert alone(s.Tick(), at=86400) == []


def test_an_end_that_never_comes_is_not_waited_for():
    rig = Rig("A")
    rig(s.Opened("A"), s.Started("A", 7), s.CameraEnded("A"))
    assert rig(s.Tick(), at=3.9) == []
    assert rig(s.Tick(), at=4.0) == [s.SendStop("A", drain=True)]
    assert rig(s.Done("A", Outcome.INCOMPLETE, 3, "frames lost")) == [s.Publish(("A",))]
    assert rig.machine.reason == "A: frames lost"


def test_a_stalled_series_stops_its_camera_and_the_others():
    rig = Rig("A", "B")
    rig(s.Opened("A"), s.Opened("B"), s.Started("A", 7), s.Started("B", 1))
    rig(s.SeriesEnded("A", 7, Outcome.INCOMPLETE, "stalled"))
    got = rig(s.Tick(), at=4)
    assert got == [s.PutAcquire("A", start=False), s.PutAcquire("B", start=False)]
    assert "broken series" in rig.machine.reason


def test_a_camera_that_does_not_answer_is_given_up():
    rig = Rig("A")
    rig(s.Opened("A"), s.Started("A", 7), s.Abort())
    assert rig(s.Tick(), at=4) == [s.SendStop("A", drain=False)]
    assert rig(s.Done("A", Outcome.ABORTED, 1)) == [s.Publish(("A",))]
    assert "did not end its Acquire" in rig.machine.reason


def test_acquire_refused():
    rig = Rig("A", "B")
    rig(s.Opened("A"), s.Opened("B"))
    got = rig(s.CameraEnded("A", "Acquire refused: no beam"))
    assert got == [s.SendStop("A", drain=False), s.PutAcquire("B", start=False)]
    rig(s.CameraEnded("B"), s.Done("A", Outcome.COMPLETE, 0), s.Done("B", Outcome.COMPLETE, 0))
    assert rig.finish == s.Finish(Outcome.INCOMPLETE, "A: Acquire refused: no beam", failed=False)


def test_disk_full_stops_the_run_and_keeps_what_came():
    rig = Rig("A", "B")
    rig(s.Opened("A"), s.Opened("B"), s.Started("A", 7), s.Started("B", 1))
    got = rig(s.Failed("A", "No space left on device"))
    assert got == [s.PutAcquire("A", start=False), s.PutAcquire("B", start=False)]
    rig(s.SeriesEnded("A", 7, Outcome.INCOMPLETE), s.SeriesEnded("B", 1, Outcome.INCOMPLETE))
    rig(s.CameraEnded("A"), s.CameraEnded("B"))
    rig(s.Done("A", Outcome.INCOMPLETE, 100), s.Done("B", Outcome.INCOMPLETE, 50, "cut short"))
    assert rig.actions[-1] == s.Publish(("A", "B"))
    rig(s.Published())
    assert rig.finish.failed
    assert rig.finish.reason == "A: No space left on device; B: cut short"


def test_a_capture_of_its_own_that_fails_stops_the_camera_it_did_not_start():
    rig = Rig("A", acquire=False)
    rig(s.Opened("A"), s.CameraState("A", "Acquire"), s.Started("A", 7))
    got = rig(s.Failed("A", "No space left on device"))
    assert got == [s.PutAcquire("A", start=False), s.SendStop("A", drain=False)]


def test_a_lost_worker_fails_the_capture_but_not_the_other():
    rig = Rig("A", "B")
    rig(s.Opened("A"), s.Opened("B"), s.Started("A", 7), s.Started("B", 1))
    got = rig(s.Lost("A", "the worker was killed by SIGKILL"))
    assert got == [s.PutAcquire("A", start=False), s.PutAcquire("B", start=False)]
    rig(s.CameraEnded("A"), s.CameraEnded("B"), s.SeriesEnded("B", 1, Outcome.ABORTED))
    assert rig(s.Done("B", Outcome.INCOMPLETE, 50)) == [s.Publish(("B",))]
    rig(s.Published())
    assert rig.finish.failed
    assert "SIGKILL" in rig.finish.reason


def test_files_that_cannot_be_opened():
    rig = Rig("A", "B")
    got = rig(s.Opened("B"), s.Failed("A", "Permission denied"))
    assert set(got) == {s.SendStop("A", drain=False), s.SendStop("B", drain=False)}
    rig(s.Done("A", Outcome.INCOMPLETE, 0), s.Done("B", Outcome.COMPLETE, 0))
    assert rig.finish == s.Finish(Outcome.INCOMPLETE, "A: Permission denied", failed=True)


@pytest.mark.parametrize(("event", "step"), [(None, "open"), (s.Opened("A"), "close")])
def test_a_worker_that_does_not_answer_is_replaced(event, step):
    rig = Rig("A", acquire=False)
    if event is not None:
        rig(event, s.StopCapture("A"))
    got = rig(s.Tick(), at=61)
    assert isinstance(got[0], s.RestartWorker)
    assert rig.finish.failed
    assert f"did not {step} its files" in rig.finish.reason
    assert rig.machine.captures["A"].phase is Phase.LOST


def test_master_that_cannot_be_written():
    rig = Rig("A", acquire=False)
    rig(s.Opened("A"), s.StopCapture("A"), s.Done("A", Outcome.COMPLETE, 3), s.Published("disk full"))
    assert rig.finish == s.Finish(Outcome.INCOMPLETE, "disk full", failed=True)


def test_nothing_captured():
    rig = Rig("A", acquire=False)
    rig(s.Opened("A"), s.StopCapture("A"), s.Done("A", Outcome.COMPLETE, 0))
    assert "no frames came" in rig.finish.reason


def test_the_end_of_the_program_waits_for_nobody():
    rig = Rig("A", "B")
    rig(s.Opened("A"), s.Opened("B"), s.Started("A", 7))
    got = rig(s.Quit("the writer was ended"))
    assert s.SendStop("A", drain=False) in got
    assert s.SendStop("B", drain=False) in got
    assert s.PutAcquire("A", start=False) in got
    assert rig(s.Done("A", Outcome.INCOMPLETE, 5), s.Done("B", Outcome.COMPLETE, 0)) == [s.Publish(("A",))]
    rig(s.Published())
    assert rig.finish.outcome is Outcome.ABORTED


def test_stop_twice_and_strangers_do_nothing():
    rig = Rig("A", acquire=False)
    assert rig(s.Opened("Z"), s.Done("Z", Outcome.COMPLETE, 1)) == []
    rig(s.Opened("A"))
    assert len(rig(s.StopCapture("A"), s.StopCapture("A"))) == 1


EVENTS = st.one_of(
    st.builds(s.Opened, st.sampled_from("AB")),
    st.builds(s.Started, st.sampled_from("AB"), st.integers(1, 3)),
    st.builds(s.SeriesEnded, st.sampled_from("AB"), st.integers(1, 3), st.sampled_from(Outcome)),
    st.builds(s.Done, st.sampled_from("AB"), st.sampled_from(Outcome), st.integers(0, 3)),
    st.builds(s.Failed, st.sampled_from("AB"), st.just("no space")),
    st.builds(s.Lost, st.sampled_from("AB"), st.just("killed")),
    st.builds(s.CameraState, st.sampled_from("AB"), st.sampled_from(["Idle", "Acquire", "Aborted", "Error"])),
    st.builds(s.CameraEnded, st.sampled_from("AB"), st.sampled_from(["", "refused"])),
    st.builds(s.StopCapture, st.sampled_from("AB")),
    st.just(s.Abort()),
    st.just(s.Published()),
    st.just(s.Tick()),
)


@settings(max_examples=300)
@given(events=st.lists(EVENTS, max_size=25), acquire=st.booleans())
def test_whatever_happens_an_abort_ends_it_by_the_clock_alone(events, acquire):
    rig = Rig("A", "B", acquire=acquire)
    for i, event in enumerate(events):
        rig(event, at=i * 0.5)
    rig(s.Abort())
    for t in range(100, 500, 5):
        rig(s.Tick(), at=float(t))
    if rig.machine.stage is Stage.PUBLISHING:
        rig(s.Published())
    assert rig.machine.stage is Stage.ENDED
    assert sum(isinstance(a, s.Finish) for a in rig.actions) == 1
    assert sum(isinstance(a, s.Publish) for a in rig.actions) <= 1
    for name in "AB":
        assert sum(a == s.PutAcquire(name, start=True) for a in rig.actions) <= 1
        assert sum(isinstance(a, s.SendStop) and a.detector == name for a in rig.actions) <= 1
