"""What the emitter is made of, without its process."""

import threading

import numpy as np
import pytest

from layouts.beamline import load
from layouts.stream import codecs
from layouts.stream.messages import Codec, HeaderDetail
from layouts.stream.stream import decode, encoder
from sim import announce, commands, faults, reports
from sim.agenda import Slot
from sim.commands import Exit, Motion, SetFaults
from sim.detector import initial_config
from sim.eiger import Discard, Expose, SendEnd, SendStart, Truncate
from sim.eiger_config import TriggerMode, set_value
from sim.inbox import Inbox
from sim.outlet import BYTE_BUDGET, queue_length
from sim.production import Production
from sim.profile import move, rest
from sim.timeline import Timeline
from sim.track import LISTED, Track

BEAMLINE = load()
DETECTOR = BEAMLINE.detectors[0]
CONFIG = initial_config(BEAMLINE, DETECTOR)


@pytest.mark.parametrize(
    "command",
    [
        SendStart(series=3, config=CONFIG),
        SendStart(series=4, config=set_value(CONFIG, "trigger_mode", TriggerMode.EXTE)[0]),
        Expose(series=3, first=0, count=10, at=1234.56789, period=0.01, count_time=0.0099999),
        Expose(series=3, first=0, count=1, at=1.5, period=1.0, count_time=0.9, live=0.25),
        SendStart(series=5, config=set_value(CONFIG, "extg_mode", "Pump & Probe")[0]),
        SendStart(series=6, config=set_value(CONFIG, "stream_enabled", False)[0]),
        Truncate(series=3, frames=4),
        Discard(series=3),
        SendEnd(series=3),
        Motion(motor="omega", profile=move(1.0, 0.0, 5.0, 1.0, 10.0).to_dict()),
        SetFaults(text="drop 3"),
        Exit(),
    ],
)
def test_commands_survive_the_pipe(command):
    line = commands.to_line(command)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    back = commands.from_line(line, CONFIG)
    if isinstance(command, Motion):
        assert isinstance(back, Motion)
        assert dict(back.profile) == commands.orjson.loads(commands.orjson.dumps(dict(command.profile)))
    else:
        assert back == command


@pytest.mark.parametrize(
    "line", [b"{}", b'{"cmd":"jump"}', b'{"cmd":"end","series":1,"x":2}', b'{"cmd":"end"}']
)
def test_what_is_no_command(line):
    with pytest.raises(ValueError, match="not a command"):
        commands.from_line(line, CONFIG)


@pytest.mark.parametrize(
    "report",
    [
        reports.Ready(pid=3, endpoint="tcp://127.0.0.1:1"),
        reports.Broken(message="why"),
        reports.Progress(series=2, counts=reports.Counts(frames=5, sent=4, dropped=1)),
        reports.Ended(series=2, counts=reports.Counts(), started=True, end=False, truth={"a": [1.0]}),
    ],
)
def test_reports_survive_the_pipe(report):
    assert reports.from_line(reports.to_line(report)) == report


def test_what_is_no_report():
    with pytest.raises(ValueError, match="not a report"):
        reports.from_line(b'{"event":"progress"}')


def test_the_inbox_sees_an_abort_before_its_turn_and_its_own_end():
    inbox = Inbox()
    lines = [commands.to_line(c) for c in (SendStart(series=1, config=CONFIG), Discard(series=1))]
    inbox.read([lines[0], b"nonsense\n", lines[1]], lambda line: commands.from_line(line, CONFIG))
    assert inbox.closed
    assert inbox.discarded(1)
    assert not inbox.discarded(2)
    assert isinstance(inbox.take(), SendStart)
    assert isinstance(inbox.take(), Discard)
    assert inbox.take() is None
    inbox.wait(60.0)  # closed: no wait
    inbox.pause(60.0, 2)


def test_a_series_number_used_again_is_not_aborted():
    inbox = Inbox()
    inbox.put(Discard(series=1))
    inbox.put(SendStart(series=1, config=CONFIG))
    assert not inbox.discarded(1)
    inbox.put(Exit())
    assert inbox.closed


def test_a_pause_ends_with_an_abort():
    inbox = Inbox()
    waiter = threading.Thread(target=inbox.pause, args=(60.0, 7))
    waiter.start()
    inbox.put(Discard(series=7))
    waiter.join(10)
    assert not waiter.is_alive()


def test_the_high_water_mark_is_a_budget_of_bytes():
    assert queue_length(2 * 1028 * 1062) * 2 * 1028 * 1062 <= BYTE_BUDGET
    assert queue_length(10**12) == 8


def test_positions_at_any_time():
    timeline = Timeline({"omega": 0.0, "det_z": 120.0})
    assert timeline.positions(5.0) == {"omega": 0.0, "det_z": 120.0}
    assert timeline.positions(6.0) is timeline.positions(7.0)
    run = move(10.0, 0.0, 10.0, 5.0, 50.0)
    timeline.add("omega", run)
    assert timeline.positions(9.0)["omega"] == 0.0
    assert timeline.positions(11.0)["omega"] == run.position(11.0)
    assert timeline.positions(100.0)["omega"] == 10.0
    assert timeline.positions(101.0) is timeline.positions(102.0)
    timeline.add("omega", run.stopped(11.0, 50.0))
    assert timeline.positions(10.9)["omega"] == run.position(10.9)
    assert timeline.positions(100.0)["omega"] < 6.0
    timeline.forget(50.0)
    assert timeline.positions(60.0)["omega"] < 6.0
    # What was planned for later gives way to what happened before it.
    timeline.add("det_z", rest(300.0, 500.0))
    timeline.add("det_z", rest(200.0, 400.0))
    assert timeline.positions(301.0)["det_z"] == 400.0


def test_the_track_of_a_rotation():
    track = Track()
    assert track.summary() == {}
    for frame in range(5):
        track.add({"omega": 0.1 * frame, "phi": 3.0}, {"omega": 0.1 * (frame + 1), "phi": 3.0})
    found = track.summary()
    assert found["phi"] == {"value": 3.0}
    assert found["omega"]["first"] == 0.0
    assert found["omega"]["last"] == pytest.approx(0.5)
    assert found["omega"]["increment"] == pytest.approx(0.1)
    assert found["omega"]["deviation"] == pytest.approx(0.0, abs=1e-12)
    assert len(found["omega"]["start"]) == 5
    for frame in range(5, LISTED + 1):
        track.add({"omega": 0.1 * frame, "phi": 3.0}, {"omega": 0.1 * (frame + 1), "phi": 3.0})
    assert "start" not in track.summary()["omega"]


def test_ulids_are_26_characters_in_order_of_time():
    assert announce.ulid(0.0, 0) == "0" * 26
    assert announce.ulid(1709819011.193, 0)[:10] == "01HRCJF83S"
    assert announce.ulid(1.0) < announce.ulid(2.0)


def test_dates_have_milliseconds_and_a_zone():
    date = announce.iso(1709819011.1931)
    assert date[19:24] == ".193+" or date[19:24] == ".193-"
    assert len(date) == 29


@pytest.mark.parametrize("detector", BEAMLINE.detectors, ids=lambda d: d.name)
@pytest.mark.parametrize("detail", list(HeaderDetail))
def test_start_messages_are_read_back(detector, detail):
    config = set_value(initial_config(BEAMLINE, detector), "header_detail", detail)[0]
    config = set_value(config, "header_appendix", "for the writer")[0]
    start = announce.start_message(
        detector,
        config,
        series=12,
        unique_id=announce.ulid(0.0),
        arm_date=announce.iso(0.0),
        flatfield=np.ones(detector.spec.shape, np.float32),
        pixel_mask=np.zeros(detector.spec.shape, np.uint32),
    )
    back = decode([bytes(p) for p in encoder(detector.stream.version).encode_start(start)])
    assert back.series == 12
    assert back.appendix == "for the writer"
    assert dict(back.config) == dict(start.config)
    assert bool(back.flatfield) == (detail is HeaderDetail.ALL)


@pytest.mark.parametrize("version", [1, 2])
def test_times_of_frames_are_the_schedule_s(version):
    start = SendStart(series=5, config=set_value(CONFIG, "count_time", 0.2)[0])
    made = Production(start, version=version, faults=faults.NONE, fault_text="", unique_id=announce.ulid(0.0))
    made.series_date = announce.iso(0.0)
    slot = Slot(frame=7, opens=50.7, closes=50.9, since=0.7, count_time=0.2)
    payload = codecs.pack(np.zeros((4, 6), np.uint32), Codec.BSLZ4, version=version)
    image = decode([bytes(p) for p in encoder(version).encode_image(made.image(slot, payload, 12.0))])
    opens = 12.7 if version == 1 else 0.7
    assert image.start_time.nanoseconds == round(opens * 1e9)
    assert image.stop_time.nanoseconds - image.start_time.nanoseconds == 200_000_000
    dead = (start.config.sub_frames - 1) * 100
    assert start.config.sub_frames == 16
    assert image.real_time.nanoseconds == pytest.approx(200_000_000 - dead, abs=20)
    assert (image.frame, image.series) == (7, 5)


def test_produced_is_sent_and_dropped():
    made = Production(
        SendStart(series=5, config=CONFIG), version=2, faults=faults.NONE, fault_text="", unique_id=""
    )
    made.taken(copies=1, sent=1)
    made.taken(copies=2, sent=1)
    made.taken(copies=1, sent=0)
    made.taken(copies=1, sent=0, frame=3)
    counts = made.counts
    assert (counts.frames, counts.duplicates, counts.sent, counts.dropped) == (4, 1, 2, 3)
    assert counts.produced == counts.sent + counts.dropped == counts.frames + counts.duplicates
    assert made.truth()["lost_by_fault"] == [3]
