"""What the writer counts, over HTTP: it agrees with its records, and no client disturbs it."""

import asyncio
import json
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.kit.masters import run
from tests.kit.programs import free_ports
from writer.metrics import MetricsServer, Snapshot

pytestmark = pytest.mark.system

IMAGES = 12
RECORDS = {
    "received": "NumReceived_RBV",
    "stored": "NumStored_RBV",
    "missing": "NumMissing_RBV",
    "failed": "NumFailed_RBV",
    "unwanted": "NumUnwanted_RBV",
    "late": "NumLate_RBV",
    "expected": "NumExpected_RBV",
}


def page(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=10) as answer:
        return answer.read().decode()


def metrics(port):
    """Value of each sample, by its name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page(port, "metrics"))
        for sample in family.samples
    }


def of(found, name, **labels):
    return found[name, *sorted({"detector": "EIG1", **labels}.items())]


def be_rude(port):
    """Clients that leave, that talk nonsense, and that ask for what is not there."""
    for words in (b"", b"GET /metrics HTTP/1.1\r\n\r\n", b"\x00\xff" * 400 + b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), 5) as rude:
            rude.sendall(words)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        page(port, "elsewhere")


@pytest.mark.parametrize("workers", [1, 2])
def test_counters_and_durations_agree_with_the_records(tmp_path, workers):
    (port,) = free_ports(1)

    async def work(rig):
        silent = socket.create_connection(("127.0.0.1", port), 5)
        await asyncio.to_thread(be_rude, port)
        assert await rig.acquire(name="counted", images=IMAGES) == "complete"
        closed = await rig.until(rig.hdf("EIG1", "CloseCount_RBV"), lambda v: v == workers)
        assert await rig.until(rig.hdf("EIG1", "WriteCount_RBV"), lambda v: v == IMAGES)
        found = await asyncio.to_thread(metrics, port)
        said = json.loads(await asyncio.to_thread(page, port, "status.json"))
        silent.close()
        own = said["detectors"]["EIG1"]
        for kind, record in RECORDS.items():
            value = await rig.get(rig.hdf("EIG1", record))
            assert of(found, "softbeam_capture_frames", kind=kind) == value == own["counters"][kind]
        assert of(found, "softbeam_frames_total", kind="stored") == IMAGES
        stored = await rig.get(rig.hdf("EIG1", "StoredBytes_RBV"))
        assert of(found, "softbeam_capture_bytes") == stored == own["counters"]["bytes"] > 0
        assert of(found, "softbeam_stored_bytes_total") == stored
        assert of(found, "softbeam_worker_up") == 1
        assert of(found, "softbeam_fault") == of(found, "softbeam_capture_open") == 0
        assert of(found, "softbeam_capture_calls", storer="", call="close") == closed
        for call in ("create", "write", "flush", "close"):
            mean = 1e3 * of(found, "softbeam_capture_call_seconds", storer="", call=call, of="mean")
            assert mean == pytest.approx(await rig.get(rig.hdf("EIG1", f"{call.title()}Mean_RBV")))
            assert 0 < mean <= 1e3 * own["timings"][call]["max"] * (1 + 1e-9)
        ranks = [str(rank) for rank in range(workers)] if workers > 1 else []
        assert [str(each["rank"]) for each in own["storers"]] == ranks
        writes = [of(found, "softbeam_capture_calls", storer=rank, call="write") for rank in ranks]
        assert not ranks or (sum(writes) == IMAGES and min(writes) > 0)
        assert said["acquisition"]["Outcome"] == "complete"
        assert said["acquisition"]["Stored"] == IMAGES
        # Nobody was disturbed.
        assert await rig.acquire(name="after", images=3) == "complete"

    run(work, tmp_path, workers=workers, metrics_port=port)


def test_a_port_that_is_taken_is_told_with_the_remedy():
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="metrics_port"):
        MetricsServer(other.getsockname()[1], lambda: Snapshot(acquisition={}, detectors={}))
