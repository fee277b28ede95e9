"""A worker alone: frames of a real detector whose header says little or nothing make a whole master."""

import subprocess
import sys
import threading
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest

from layouts.beamline import default_text
from layouts.stream.messages import End, HeaderDetail, Image, Start
from layouts.stream.stream import decode, encoder
from tests import recordings
from tests.kit.push import Push, unique

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]


@pytest.fixture
def beamline(tmp_path):
    path = tmp_path / "beamline.toml"
    path.write_text(default_text().replace('"EIGER2 1M"', '"EIGER 1M"'))
    return path


def run(tmp_path, beamline, messages, *more, timeout="5"):
    """Send messages to a recorder; its exit code and what it printed."""
    push = Push()
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "writer.record", "--beamline", str(beamline), "--detector", "EIG1"]
    command += ["--endpoint", push.endpoint, "--out", str(out), "--name", "real", "--timeout", timeout, *more]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline().startswith("READY record EIG1")
        sender = threading.Thread(target=lambda: [push.send(parts) for parts in messages])
        sender.start()
        said, log = process.communicate(timeout=60)
        sender.join()
    finally:
        process.kill()
        process.wait()
        push.close()
    return process.returncode, said.split(), log


def with_detail(messages, version, detail):
    """A recorded series with another header detail, and with an end message."""
    values = [decode(parts) for parts in messages]
    start = next(value for value in values if isinstance(value, Start))
    words = {} if version == 1 and detail is HeaderDetail.NONE else start.config
    if version == 1 and words:
        images = sum(isinstance(value, Image) for value in values)
        words = {**words, "nimages": images, "ntrigger": 1}
    encode = encoder(version)
    said = Start(version=version, series=start.series, unique_id=start.unique_id, detail=detail, config=words)
    yield encode.encode_start(said)
    for parts, value in zip(messages, values, strict=True):
        if isinstance(value, Image):
            yield parts
    yield encode.encode_end(End(series=start.series, unique_id=start.unique_id))


@pytest.mark.parametrize("detail", [HeaderDetail.NONE, HeaderDetail.BASIC])
@pytest.mark.parametrize("version", [1, 2])
def test_frames_of_a_real_detector(tmp_path, beamline, version, detail):
    messages = recordings.load(version)
    images = [value for value in map(decode, messages) if isinstance(value, Image)]
    code, paths, log = run(
        tmp_path, beamline, list(with_detail(messages, version, detail)), "--images", str(len(images))
    )
    assert code == 0, log
    nxs = next(path for path in paths if path.endswith(".nxs"))
    with h5py.File(nxs) as file:
        entry = file[next(name for name in file if name.startswith("entry"))]
        data = entry["data/data"]
        assert data.shape[0] == len(images)
        sums = data[()].sum(axis=(1, 2), dtype=np.uint64)
        assert (sums > 0).all()
        detector = next(
            group for group in entry["instrument"].values() if group.attrs.get("NX_class") == b"NXdetector"
        )
        assert detector["pixel_mask"].shape == data.shape[1:]
        assert (detector["pixel_mask"][()] & 1).any()
    from layouts.stream.codecs import decompress

    with h5py.File(nxs) as file:
        entry = file[next(name for name in file if name.startswith("entry"))]
        for image in images[:3]:
            expected = decompress(image.payloads[0])
            np.testing.assert_array_equal(entry["data/data"][image.frame], expected)


def test_nothing_comes(tmp_path, beamline):
    code, paths, log = run(tmp_path, beamline, [], timeout="0.5")
    assert code == 1
    assert paths == []
    assert "no frame was stored" in log


def test_half_of_it_comes(tmp_path, beamline):
    push = Push(shape=(1065, 1030))
    encode = push.encoder
    said = push.parameters(4)
    from layouts.stream.parameters import config_v2

    messages = [
        encode.encode_start(
            Start(version=2, series=1, unique_id=unique(1), detail=HeaderDetail.BASIC, config=config_v2(said))
        ),
        push.image_parts(1, 0),
        push.image_parts(1, 2),
        encode.encode_end(End(series=1, unique_id=unique(1))),
    ]
    push.close()
    code, paths, log = run(tmp_path, beamline, messages)
    assert code == 1
    assert "2 of 4 frames" in log
    with h5py.File(next(path for path in paths if path.endswith(".nxs"))) as file:
        data = file[next(name for name in file if name.startswith("entry"))]["data/data"]
        assert data.shape[0] == 4
        assert (data[1] == 65535).all()
        assert data[2, 0, 1] == 2
