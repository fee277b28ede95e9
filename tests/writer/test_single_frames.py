"""Single frames: each in a file of its own, never over another, and the latest kept whatever way it came."""

import errno

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest

from layouts.raw.names import DATA
from layouts.stream.codecs import pack
from layouts.stream.messages import Codec
from tests.layouts.stream import examples
from tests.writer.test_stretch import PAYLOADS, message, start
from writer import control
from writer.frame_file import write_frame
from writer.latest import Recent, of_image
from writer.requests import Enable, Flush, Flushed, FrameWritten, Singles, WriteFrame
from writer.session import Session
from writer.write_errors import WriteError

NS = 1_000_000_000


def latest(codec=Codec.BSLZ4, dtype="uint16", version=2):
    pixels = (np.arange(20 * 30) % 200).astype(dtype).reshape(20, 30)
    return of_image(
        examples.image(version, pack(pixels, codec, version=version)), 1_700_000_000 * NS + 5
    ), pixels


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_a_frame_comes_back_from_its_file(tmp_path, codec, version, dtype):
    frame, pixels = latest(codec, dtype, version)
    write_frame(tmp_path / "one.h5", frame)
    with h5py.File(tmp_path / "one.h5") as file:
        assert file[DATA].dtype == dtype
        assert (file[DATA][0] == pixels).all()
        said = file["entry/instrument/NDAttributes"]
        assert said["NDArrayUniqueId"][0] == frame.frame
        assert said["NDArrayEpicsTSSec"][0] == 1_700_000_000 - 631_152_000
        assert said["NDArrayEpicsTSnSec"][0] == 5
    assert [path.name for path in tmp_path.iterdir()] == ["one.h5"]


def test_nothing_is_written_over_and_nothing_is_left(tmp_path):
    path = tmp_path / "one.h5"
    path.write_text("precious")
    with pytest.raises(WriteError, match="another name") as caught:
        write_frame(path, latest()[0], ".part")
    assert caught.value.errno == errno.EEXIST
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(WriteError):
        write_frame(tmp_path / "no" / "one.h5", latest()[0])


def feed(session, messages):
    waiting = list(messages)
    session.take(lambda: waiting.pop(0) if waiting else None, 2**62)


def opened(tmp_path, **changes):
    session = Session("EIG1")
    order = {"capture": "c", "directory": str(tmp_path), "stem": "run", "detector": "EIG1"} | changes
    session.command(control.Capture(**order))
    return session


def test_the_latest_frame_is_known_with_a_capture_and_without(tmp_path):
    session = Session("EIG1")
    assert session.latest is None
    feed(session, [start(), *(message(n, PAYLOADS[n % 3]) for n in range(4))])
    assert (session.latest.series, session.latest.frame) == (7, 3)
    session = opened(tmp_path)
    feed(session, [start(), *(message(n, PAYLOADS[0]) for n in range(30))])
    assert session.latest.frame == 29
    assert session.latest.start == 29 * 100_000
    assert bytes(session.latest.chunk) == bytes(PAYLOADS[0].data)
    assert session.status().latest.frame == 29


def test_an_order_of_single_frames_counts_them(tmp_path):
    session = Session("EIG1")
    order = Singles(revision=4, template="%s%s_%d.h5", directory=f"{tmp_path}/", name="s", number=8)
    session.command(order)
    feed(session, [start(), *(message(n, PAYLOADS[0]) for n in range(3))])
    report = session.status().singles
    assert (report.revision, report.number, report.written, report.message) == (4, 11, 3, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s_10.h5", "s_8.h5", "s_9.h5"]
    session.command(Singles(revision=5, template="%s%s_%d.h5", directory=f"{tmp_path}/", name="s", number=9))
    feed(session, [message(3, PAYLOADS[0])])
    assert "never overwritten" in session.status().singles.message
    totals = session.status().totals
    assert (totals.received, totals.stored, totals.failed, totals.unwanted) == (4, 3, 1, 0)
    session.command(Singles(revision=6, on=False))
    feed(session, [message(4, PAYLOADS[0])])
    assert session.status().singles is None
    assert session.status().totals.unwanted == 1


def test_requests_are_answered(tmp_path):
    session = Session("EIG1")
    session.command(WriteFrame(token=1, path=str(tmp_path / "a.h5")))
    session.command(Flush(token=2))
    feed(session, [start(), message(0, PAYLOADS[0])])
    session.command(WriteFrame(token=3, path=str(tmp_path / "a.h5")))
    none, flushed, written = session.events
    assert (none.token, "no frame" in none.message) == (1, True)
    assert flushed == Flushed(token=2)
    assert written == FrameWritten(token=3)


def test_frames_that_pass_by_are_unwanted_and_their_series_goes_on(tmp_path):
    session = opened(tmp_path, flush_interval=1000.0)
    feed(session, [start(6), *(message(n, PAYLOADS[0]) for n in range(2))])
    session.command(Enable(enabled=False))
    feed(session, [message(n, PAYLOADS[0]) for n in (2, 3)])
    session.command(Enable(enabled=True))
    feed(session, [message(n, PAYLOADS[0]) for n in (4, 5)])
    session.close("the test is over")
    done = session.events[-1]
    assert (done.counters.stored, done.counters.unwanted, done.record.missing) == (4, 2, (2, 3))
    assert session.status().passed == 2


@pytest.mark.parametrize(("every", "flushes"), [(0, 0), (1, 20), (4, 5), (7, 2), (100, 0)])
def test_a_flush_after_so_many_frames(tmp_path, every, flushes):
    session = opened(tmp_path, flush_interval=1000.0, flush_frames=every)
    feed(session, [start(), *(message(n, PAYLOADS[0]) for n in range(20))])
    status = session.status()
    assert status.flushes == flushes
    assert status.backlog == 20 - flushes * every
    assert status.captured == flushes * every
    session.command(Flush(token=1))
    assert session.status().captured == 20
    session.close("the test is over")


def test_recent_knows_nothing_at_first():
    assert Recent().latest is None
    assert Recent().report is None
