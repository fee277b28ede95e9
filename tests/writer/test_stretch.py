"""Frames stored in stretches end up as one by one: same files, same counts, whatever comes between."""

import logging
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.raw.names import DATA, Column
from layouts.stream import codecs, stream
from layouts.stream.messages import Codec, Rational
from tests.layouts.stream import examples
from writer import control, meta_h5
from writer.session import Session

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
FRAMES = 40
SIZES = [codecs.pack(np.full((8, 900), value, np.uint16), Codec.BSLZ4) for value in range(3)]
NOISE = codecs.pack(np.random.default_rng(1).integers(0, 60000, (8, 900)).astype(np.uint16), Codec.BSLZ4)
OTHER = codecs.pack(np.ones((8, 900), np.uint32), Codec.BSLZ4)
CUT = replace(SIZES[0], data=bytes(SIZES[0].data[:-9]))
PAYLOADS = [*SIZES, NOISE]


def message(number, payload, series=7, **changes):
    image = replace(
        examples.image(2, payload),
        series=series,
        frame=number,
        start_time=Rational(5000 * number, 50_000_000),
        stop_time=Rational(5000 * number + 4000, 50_000_000),
        real_time=Rational(4000, 50_000_000),
        **changes,
    )
    return [memoryview(part) for part in examples.encode(image, 2)]


def start(images=None):
    config = {"image_size_x": 900, "image_size_y": 8, "image_dtype": "uint16"}
    config |= {} if images is None else {"number_of_images": images}
    return [memoryview(p) for p in examples.encode(replace(examples.start(2), series=7, config=config), 2)]


def damaged(number):
    return [memoryview(bytes(message(number, SIZES[0])[0])[:-1])]


def disordered(numbers, swaps):
    numbers = list(numbers)
    for one, other in swaps:
        numbers[one], numbers[other] = numbers[other], numbers[one]
    return numbers


PLACES = st.integers(0, FRAMES - 1)
COURSES = st.builds(
    lambda swaps, sizes, extra: (disordered(range(FRAMES), swaps), sizes, extra),
    st.lists(st.tuples(PLACES, PLACES), max_size=3),
    st.lists(st.integers(0, len(PAYLOADS) - 1), min_size=FRAMES, max_size=FRAMES),
    st.lists(
        st.tuples(PLACES, st.sampled_from(["again", "damaged", "cut", "other", "series", "lost"])), max_size=4
    ),
)


def stream_of(numbers, sizes, extra):
    parts = [start(FRAMES)]
    for number, size in zip(numbers, sizes, strict=True):
        what = {kind for place, kind in extra if place == number}
        if "lost" not in what:
            parts.append(message(number, PAYLOADS[size]))
        if "again" in what:
            parts.append(message(number, PAYLOADS[size]))
        if "damaged" in what:
            parts.append(damaged(number))
        if "cut" in what:
            parts.append(message(number, CUT))
        if "other" in what:
            parts.append(message(number, OTHER))
        if "series" in what:
            parts.append(message(number, SIZES[0], series=8))
    return [*parts, [memoryview(p) for p in examples.encode(examples.end(2), 2)]]


def run(folder, parts, *, images_per_file, one_by_one):
    session = Session("EIG1")
    folder.mkdir()
    order = control.Capture(
        capture="c",
        directory=str(folder),
        stem="s",
        detector="EIG1",
        num_capture=0,
        images_per_file=images_per_file,
        flush_interval=1000.0,  # a flush ends a stretch, and on a slow machine its time may come
    )
    session.command(order)
    waiting = iter(parts)
    if one_by_one:
        for each in waiting:
            session.message(each)
    else:
        session.take(lambda: next(waiting, None), time.monotonic_ns() + 10**11)
    session.command(control.Stop(capture="c", drain=False))
    (done,) = [event for event in session.events if isinstance(event, control.Done)]
    chunks = {}
    for report in done.record.raw_files:
        with h5py.File(report.path) as file:
            data = file[DATA]
            assert isinstance(data, h5py.Dataset)
            chunks[Path(report.path).name] = [
                data.id.read_direct_chunk((row, 0, 0))[1]
                if data.id.get_chunk_info_by_coord((row, 0, 0)).size
                else None
                for row in range(len(data))
            ]
    columns = meta_h5.read_columns(Path(done.record.meta_file))
    arrival = columns.pop(Column.ARRIVAL)
    assert ((arrival > 0) == (columns[Column.STORED] == 1)).all()
    lists = {column: values.tolist() for column, values in columns.items()}
    return done.counters, done.outcome, done.record.missing, chunks, lists


@FEW
@given(COURSES, st.sampled_from([0, 7]))
def test_in_stretches_or_one_by_one(course, images_per_file):
    logging.disable(logging.ERROR)
    try:
        parts = stream_of(*course)
        with tempfile.TemporaryDirectory() as folder:
            got = [
                run(Path(folder, name), parts, images_per_file=images_per_file, one_by_one=name == "one")
                for name in ("one", "many")
            ]
    finally:
        logging.disable(logging.NOTSET)
    assert got[0] == got[1]


def test_frames_in_order_need_no_second_look(tmp_path, monkeypatch):
    looked = []
    decode = stream.decode
    monkeypatch.setattr("writer.session.decode", lambda parts: looked.append(parts) or decode(parts))
    parts = [start(1000), *(message(number, SIZES[0]) for number in range(1000))]
    counters, *_ = run(tmp_path / "a", parts, images_per_file=0, one_by_one=False)
    assert counters.stored == counters.received == 1000
    # The start message, numbers and times that CBOR writes in fewer bytes, and the last frame.
    assert len(looked) < 40


def test_a_disk_that_refuses_one_frame_of_a_stretch(tmp_path, monkeypatch):
    parts = [start(1000), *(message(number, SIZES[0]) for number in range(500))]
    session = Session("EIG1")
    session.command(control.Capture(capture="c", directory=str(tmp_path), stem="s", detector="EIG1"))
    waiting = iter(parts[:400])
    session.take(lambda: next(waiting, None), time.monotonic_ns() + 10**11)
    raw = session._open._files.raw
    write, count = raw._write, iter(range(1000))

    def refuse(place, chunk):
        if next(count) >= 30:
            raise OSError(28, "No space left on device")
        write(place, chunk)

    monkeypatch.setattr(raw, "_write", refuse)
    monkeypatch.setattr(raw, "renew", lambda: None)
    waiting = iter(parts[400:])
    session.take(lambda: next(waiting, None), time.monotonic_ns() + 10**11)
    session.command(control.Stop(capture="c", drain=False))
    (done,) = [event for event in session.events if isinstance(event, control.Done)]
    assert done.counters.received == 500
    assert done.counters.stored == 399 + 30
    assert done.counters.failed == 500 - 399 - 30
    assert "space" in done.reason


@pytest.mark.parametrize("ticks", [2**63, 2**64 - 1])
def test_times_beyond_all_bounds_end_no_worker(tmp_path, ticks):
    session = Session("EIG1")
    session.command(control.Capture(capture="c", directory=str(tmp_path), stem="s", detector="EIG1"))
    session.message(start(3))
    session.message(message(0, SIZES[0]))
    image = examples.image(2, SIZES[0], start_time=Rational(ticks, 1))
    session.message([memoryview(p) for p in examples.encode(replace(image, series=7, frame=1), 2)])
    session.tick(time.monotonic() + 1)
    session.command(control.Stop(capture="c", drain=False))
    assert [event.counters.stored for event in session.events if isinstance(event, control.Done)] == [2]
