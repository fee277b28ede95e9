"""What the writer counts, over HTTP on the loopback interface: Prometheus' text format, and JSON.

Requests are answered in threads of their own, from values that the coordinator leaves there: whoever asks,
however badly, costs it nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ioc.server import Device
from writer import control
from writer.hdf_view import HdfView
from writer.timings import CALLS, Timings

_log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
_PATIENCE: Final = 5.0
"""Seconds that a client gets to say what it wants and to take the answer."""
_ACQUISITION: Final = (
    *("State_RBV", "Message_RBV", "Number_RBV", "Outcome_RBV", "MasterFile_RBV"),
    *("Expected_RBV", "Stored_RBV", "Missing_RBV", "Fault_RBV"),
)
_GROWING: Final = ("received", "stored", "duplicate", "foreign", "unwanted", "failed", "late")
"""Counters that only grow while a worker lives; expected and missing are put right when an abort is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """One detector's writer.

    Attributes:
        connected: Whether its worker is there, and speaks.
        status: The worker's latest; None before the first.
        fault: What went wrong and was not cleared.
    """

    connected: bool
    status: control.Status | None
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How everything stands.

    Attributes:
        acquisition: What the records of ``ACQ:`` show, by their names without ``_RBV``.
        detectors: By name.
    """

    acquisition: Mapping[str, object]
    detectors: Mapping[str, Detector]


def snapshot_of(hdfs: Mapping[str, HdfView], acq: Device) -> Snapshot:
    """How everything stands, by the records; reads only.

    Args:
        hdfs: The file records of each detector, by name.
        acq: The records of ``ACQ:``.
    """
    return Snapshot(
        acquisition={record.removesuffix("_RBV"): acq[record] for record in _ACQUISITION},
        detectors={
            name: Detector(connected=view.is_there, status=view.status, fault=str(view.device["Fault_RBV"]))
            for name, view in hdfs.items()
        },
    )


def as_json(snapshot: Snapshot) -> bytes:
    """A snapshot as one JSON object; durations are seconds."""
    said = {name: _detector(each) for name, each in snapshot.detectors.items()}
    return orjson.dumps({"acquisition": dict(snapshot.acquisition), "detectors": said}, default=str)


def _detector(detector: Detector) -> dict[str, object]:
    said: dict[str, object] = {"connected": detector.connected, "fault": detector.fault}
    status = detector.status
    if status is None:
        return said
    return said | {
        "state": status.state,
        "message": status.message,
        "capture": status.capture,
        "captured": status.captured,
        "series": status.series,
        "counters": asdict(status.counters),
        "totals": asdict(status.totals),
        "backlog": {"frames": status.backlog, "bytes": status.backlog_bytes},
        "queue": status.queue,
        "cpu": status.cpu,
        "timings": _timings(status.timings),
        "storers": [asdict(each) | {"timings": _timings(each.timings)} for each in status.storers],
    }


def _timings(timings: Timings) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for call in CALLS:
        timing = getattr(timings, call)
        found[call] = {
            "count": timing.count,
            "last": timing.last,
            "max": timing.longest,
            "mean": timing.mean,
        }
    return found


class _Collector(Collector):
    """Turns a snapshot into families of metrics whenever they are asked for."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterable[Metric]:
        return families(self._snapshot())


def families(snapshot: Snapshot) -> list[Metric]:
    """A snapshot as Prometheus has it; ``capture`` metrics are of the capture under way, or the last one."""
    one, kind = ["detector"], ["detector", "kind"]
    storer, call = ["detector", "storer"], ["detector", "storer", "call"]
    up = GaugeMetricFamily("softbeam_worker_up", "Whether the worker is there, and speaks.", labels=one)
    fault = GaugeMetricFamily("softbeam_fault", "Whether a fault of the writer was not cleared.", labels=one)
    is_open = GaugeMetricFamily("softbeam_capture_open", "Whether a capture is open.", labels=one)
    cpu = CounterMetricFamily("softbeam_worker_cpu_seconds", "Processor time of the worker.", labels=one)
    frames = CounterMetricFamily("softbeam_frames", "Frames of the worker's life.", labels=kind)
    stored = CounterMetricFamily("softbeam_stored_bytes", "Bytes stored in the worker's life.", labels=one)
    capture = GaugeMetricFamily("softbeam_capture_frames", "Frames of the capture.", labels=kind)
    size = GaugeMetricFamily("softbeam_capture_bytes", "Bytes stored in the capture.", labels=one)
    waiting = GaugeMetricFamily("softbeam_backlog_frames", "Frames that readers cannot see yet.", labels=one)
    backlog = GaugeMetricFamily("softbeam_backlog_bytes", "Bytes that readers cannot see yet.", labels=one)
    alive = GaugeMetricFamily("softbeam_storer_up", "Whether a storer is there, and speaks.", labels=storer)
    calls = GaugeMetricFamily("softbeam_capture_calls", "Calls of the disk in the capture.", labels=call)
    took = GaugeMetricFamily(
        "softbeam_capture_call_seconds", "Duration of calls of the disk in the capture.", labels=[*call, "of"]
    )
    for name, each in snapshot.detectors.items():
        up.add_metric([name], each.connected)
        fault.add_metric([name], bool(each.fault))
        status = each.status
        if status is None:
            continue
        is_open.add_metric([name], status.capture is not None)
        cpu.add_metric([name], status.cpu)
        for counter in _GROWING:
            frames.add_metric([name, counter], getattr(status.totals, counter))
        stored.add_metric([name], status.totals.bytes)
        for counter, value in asdict(status.counters).items():
            if counter != "bytes":
                capture.add_metric([name, counter], value)
        size.add_metric([name], status.counters.bytes)
        waiting.add_metric([name], status.backlog)
        backlog.add_metric([name], status.backlog_bytes)
        for rank in status.storers:
            alive.add_metric([name, str(rank.rank)], rank.alive)
        timed = [("", status.timings), *((str(s.rank), s.timings) for s in status.storers)]
        for whose, timings in timed:
            for of_call, values in _timings(timings).items():
                calls.add_metric([name, whose, of_call], values.pop("count"))
                for of, seconds in values.items():
                    took.add_metric([name, whose, of_call, of], seconds)
    return [up, fault, is_open, cpu, frames, stored, capture, size, waiting, backlog, alive, calls, took]


class _Server(ThreadingHTTPServer):
    """Answers from snapshots; nothing of a client's end is worth a word."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, pages: Mapping[str, tuple[str, Callable[[], bytes]]]) -> None:
        self.pages = pages
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  (of socketserver)
        _log.debug("a request of %s came to nothing", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Answer one request."""
        server = self.server
        page = server.pages.get(self.path.partition("?")[0]) if isinstance(server, _Server) else None
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND, "there are /metrics and /status.json")
            return
        kind, make = page
        body = make()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the name in http.server)
        _log.debug(format, *args)


class MetricsServer:
    """Serves snapshots until it is closed.

    Args:
        port: On the loopback interface.
        snapshot: Called in threads of this server; must only read.

    Raises:
        OSError: The port is taken; says what would be right.
    """

    def __init__(self, port: int, snapshot: Callable[[], Snapshot]) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(snapshot))
        pages = {
            "/metrics": (CONTENT_TYPE_LATEST, lambda: generate_latest(registry)),
            "/status.json": ("application/json", lambda: as_json(snapshot())),
        }
        try:
            self._server = _Server(port, pages)
        except OSError as error:
            raise OSError(
                error.errno,
                f"metrics at {HOST}:{port}: {error.strerror}; end the program that has the port, or give "
                "ca.metrics_port in the beamline file one of its own",
            ) from None
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it serves."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """End serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(1.0)
