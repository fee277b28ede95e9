"""Statistics of every frame with a real worker: as fast as frames come, out of order, and of lost ones."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from layouts.attributes import AttributeType
from layouts.capture import Outcome
from layouts.raw.names import Meta
from tests.kit.push import Push, pixels
from tests.kit.worker import Worker, check_sums
from writer.attribute_messages import Attribute, PerFrame
from writer.preview.settings import Settings

pytestmark = pytest.mark.system

SUM = Attribute(
    name="sum",
    value_type=AttributeType.FLOAT64,
    source_type="NDAttrSourceParam",
    source="TOTAL",
    per_frame=PerFrame.STATISTIC,
    statistic="Total",
)


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def push(request):
    source = Push(request.param)
    yield source
    source.close()


@pytest.fixture(params=["1", "2"], ids=["alone", "two storers"])
def worker(push, request):
    running = Worker(push.endpoint, options=("--workers", request.param))
    yield running
    running.close()


def sums(directory):
    with h5py.File(directory / "run_meta.h5") as file:
        return file[f"{Meta.ATTRIBUTES}/sum"][()]


def wanted(series, images, without=()):
    found = [np.nan if n in without else float(pixels(series, n).sum()) for n in range(images)]
    return np.array(found)


def test_every_frame_of_a_long_series_has_its_own(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=600, images_per_file=250, attributes=(SUM,), previews=Settings())
    push.series(4, 600)
    done = worker.done()
    assert done.outcome is Outcome.COMPLETE
    check_sums(done.counters)
    assert done.counters.stored == done.counters.received == 600
    assert np.array_equal(sums(tmp_path), wanted(4, 600))


def test_frames_out_of_order_have_theirs_and_one_that_is_missing_has_none(push, worker, tmp_path):
    worker.capture(tmp_path, num_capture=8, attributes=(SUM,), previews=Settings())
    push.start(5, 8)
    for number in (0, 3, 1, 7, 4, 6, 2):
        push.image(5, number)
    push.end(5)
    done = worker.done()
    check_sums(done.counters)
    assert (done.counters.stored, done.counters.missing) == (7, 1)
    assert np.array_equal(sums(tmp_path), wanted(5, 8, without=(5,)), equal_nan=True)
