"""Where motors stood: plans, rest, steps, noise, motion without a plan, motors that never answered."""

import math

import numpy as np
import pytest

from layouts import beamline
from layouts.capture import Origin
from layouts.stream.messages import GoniometerAxis
from writer import positions
from writer.positions import History, Span

MX = beamline.load()
MOTORS = MX.motors


def history(*samples, tolerance=1e-4, done=()):
    made = History(tolerance)
    for time, value in samples:
        made.add(time, value)
    for time, flag in done:
        made.add_done(time, done=flag)
    return made


def of(name, histories, spans):
    return positions.positions(MOTORS, histories, spans, MX.goniometer)[name]


def test_a_rotation_is_exactly_what_was_planned():
    spans = [Span(rows=300, begin=100.0, end=103.0, plan={"omega": GoniometerAxis(10.0, 0.1)})]
    omega = of("omega", {"omega": history((90, 9.0), (101, 20.003))}, spans)
    assert omega.origin is Origin.PLAN
    assert omega.increment == 0.1
    assert omega.is_scan
    assert np.array_equal(omega.values, 10.0 + 0.1 * np.arange(300))
    assert omega.readback.tolist() == [9.0]


def test_capture_set_in_mid_series_begins_where_the_plan_is_by_then():
    spans = [Span(rows=2, first=5, begin=100.0, end=103.0, plan={"omega": GoniometerAxis(10.0, 0.5)})]
    assert of("omega", {}, spans).values.tolist() == [12.5, 13.0]


def test_a_start_without_increment_is_no_plan():
    spans = [Span(rows=3, begin=100.0, end=103.0, plan={"two_theta": GoniometerAxis(0.0, 0.0)})]
    arm = of("arm", {"arm": history((1, 50.25))}, spans)
    assert arm.values.tolist() == [50.25]
    assert arm.origin is Origin.REST
    assert not arm.is_scan


def test_no_answer_gives_the_configured_value():
    det_z = of("det_z", {}, [Span(rows=3, begin=1.0, end=2.0)])
    assert det_z.values.tolist() == [120.0]
    assert det_z.origin is Origin.CONFIGURED
    assert math.isnan(det_z.readback[0])
    assert (
        of("det_z", {"det_z": History(1e-4)}, [Span(rows=3, begin=1.0, end=2.0)]).origin is Origin.CONFIGURED
    )


def test_rest_is_the_value_before_the_series_not_the_latest():
    det_z = of("det_z", {"det_z": history((10, 150.0), (60, 200.0))}, [Span(rows=3, begin=20.0, end=30.0)])
    assert det_z.values.tolist() == [150.0]
    assert det_z.origin is Origin.REST


def test_noise_over_many_series_stays_one_number():
    rng = np.random.default_rng(1)
    noisy = history(*[(t, 150.0 + rng.uniform(-5e-5, 5e-5)) for t in range(100)])
    spans = [Span(rows=3, begin=t, end=t + 0.9) for t in range(20)]
    det_z = of("det_z", {"det_z": noisy}, spans)
    assert det_z.values.shape == (1,)
    assert det_z.origin is Origin.REST
    assert det_z.readback.shape == (20,)


def test_noise_beyond_the_deadband_is_no_motion_while_dmov_says_done():
    rng = np.random.default_rng(1)
    noisy = history(*[(t, 150.0 + rng.uniform(-1, 1)) for t in range(100)], done=[(-5, False), (-4, True)])
    det_z = of("det_z", {"det_z": noisy}, [Span(rows=3, begin=t, end=t + 0.9) for t in range(20)])
    assert det_z.values.shape == (1,)
    assert det_z.origin is Origin.REST


def test_steps_between_series_are_per_place():
    x = history(*[(10 * i, 0.1 * i + (1e-5 if i % 2 else 0)) for i in range(20)])
    spans = [Span(rows=3, begin=10 * i + 5, end=10 * i + 8) for i in range(20)]
    sam_x = of("sam_x", {"sam_x": x}, spans)
    assert sam_x.values.shape == (60,)
    assert not sam_x.is_scan
    assert sam_x.origin is Origin.REST
    for i in range(20):
        assert len(set(sam_x.values[3 * i : 3 * i + 3])) == 1
        assert sam_x.values[3 * i] == pytest.approx(0.1 * i, abs=2e-5)


def test_coming_back_gives_the_same_number():
    x = history((0, 1.0), (10, 2.0), (20, 1.00004))
    spans = [Span(rows=2, begin=t, end=t + 1) for t in (5, 15, 25)]
    assert of("sam_x", {"sam_x": x}, spans).values.tolist() == [1, 1, 2, 2, 1, 1]


def test_motion_during_frames_without_a_plan_says_so():
    moving = history((0, 10.0), (21, 11.0), (22, 12.0), done=[(0, True), (20.5, False)])
    det_z = of("det_z", {"det_z": moving}, [Span(rows=5, begin=20.0, end=30.0)])
    assert det_z.origin is Origin.MOVING
    assert det_z.values.tolist() == [10.0]


def test_several_sweeps_with_one_increment():
    spans = [
        Span(rows=2, begin=0.0, end=1.0, plan={"omega": GoniometerAxis(0.0, 0.5)}),
        Span(rows=2, begin=9.0, end=10.0, plan={"omega": GoniometerAxis(180.0, 0.5)}),
    ]
    omega = of("omega", {}, spans)
    assert omega.values.tolist() == [0.0, 0.5, 180.0, 180.5]
    assert omega.increment == 0.5


def test_differing_increments_are_no_single_scan():
    spans = [
        Span(rows=2, begin=0.0, end=1.0, plan={"omega": GoniometerAxis(0.0, 0.5)}),
        Span(rows=2, begin=9.0, end=10.0, plan={"omega": GoniometerAxis(180.0, 0.25)}),
    ]
    omega = of("omega", {}, spans)
    assert omega.values.tolist() == [0.0, 0.5, 180.0, 180.25]
    assert omega.increment == 0.0


def test_triggers_of_one_series_are_places_of_their_own():
    x = history((0, 1.0), (10, 2.0))
    spans = [Span(rows=2, begin=5, end=6), Span(rows=2, first=2, begin=15, end=16, opens_series=False)]
    sam_x = of("sam_x", {"sam_x": x}, spans)
    assert sam_x.values.tolist() == [1, 1, 2, 2]
    assert sam_x.readback.tolist() == [1.0]


def test_no_frames_at_all_still_says_where_motors_are():
    assert of("det_z", {"det_z": history((0, 99.0))}, []).values.tolist() == [99.0]
    assert of("det_z", {}, []).origin is Origin.CONFIGURED


def test_forgetting_keeps_what_holds():
    x = history((0, 1.0), (10, 2.0), (20, 3.0), done=[(0, True), (9, False), (10, True)])
    x.forget(15)
    assert x.at(15) == 2.0
    assert x.at(0) == 2.0
    assert not x.moved(15, 19)


def test_late_monitors_are_put_in_order():
    x = history((10, 2.0), (0, 1.0))
    assert x.at(5) == 1.0


def test_plan_and_monitors_that_disagree_are_told():
    spans = [Span(rows=300, begin=100.0, end=103.0, plan={"omega": GoniometerAxis(10.0, 0.1)})]
    asleep = {"omega": history((90, 9.0))}
    turning = {"omega": history(*[(100 + 0.1 * i, 10.0 + i) for i in range(30)])}
    assert "told 10 to 40 deg" in positions.doubts(MOTORS, asleep, spans, MX.goniometer)[0]
    assert positions.doubts(MOTORS, turning, spans, MX.goniometer) == []
    assert positions.doubts(MOTORS, {}, spans, MX.goniometer) == []


def test_tolerance_is_the_deadband_or_the_last_digit():
    assert positions.tolerance(MX.motor("omega")) == pytest.approx(1e-4)
    assert positions.tolerance(MX.motor("omega"), 0.01) == 0.01
