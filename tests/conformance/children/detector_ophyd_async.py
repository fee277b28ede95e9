"""ophyd-async's detector, statistics and motor in one RunEngine. Arguments: prefix, directory, rounds.

Each round counts, scans and flies; every document that points into a file is followed there.
"""

import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import bluesky.preprocessors as bpp
import h5py
import hdf5plugin  # noqa: F401
import numpy as np
from bluesky import RunEngine
from ophyd_async.core import (
    AutoIncrementFilenameProvider,
    DetectorTrigger,
    StaticPathProvider,
    TriggerInfo,
    init_devices,
)
from ophyd_async.epics.adcore import (
    ADWriterFactory,
    NDAttributeDataType,
    NDAttributeParam,
    NDAttributePv,
    NDAttributePvDbrType,
    NDStatsIO,
    PluginSignalDataLogic,
    setup_ndattributes,
    setup_ndstats_sum,
)
from ophyd_async.epics.adsimdetector import SimDetector
from ophyd_async.epics.motor import Motor

PREFIX, DIRECTORY, ROUNDS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
FRAMES = 10


class Documents:
    """What a run has told, and whether the files say the same."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.resources: dict[str, dict] = {}
        self.rows: dict[str, int] = {}

    def __call__(self, name: str, doc: dict) -> None:
        if name == "event":
            self.events.append(doc["data"])
        elif name == "stream_resource":
            self.resources[doc["uid"]] = doc
        elif name == "stream_datum":
            self.rows[doc["stream_resource"]] = doc["indices"]["stop"]

    def arrays(self) -> dict[str, np.ndarray]:
        """What the resources' files hold, by data key; as many rows as were told of."""
        found = {}
        for uid, resource in self.resources.items():
            path = Path(urlsplit(resource["uri"]).path)
            with h5py.File(path, swmr=True) as file:
                data = file[resource["parameters"]["dataset"]][()]
            rows = self.rows[uid] * resource["parameters"].get("frames_per_event", 1)
            assert len(data) >= rows, (resource, len(data), rows)
            found[resource["data_key"]] = data
        return found


def main() -> None:
    engine = RunEngine({}, call_returns_result=False)
    provider = StaticPathProvider(AutoIncrementFilenameProvider(base_filename="async"), DIRECTORY)
    with init_devices():
        phi = Motor(f"{PREFIX}MOT:PHI", name="phi")
        stats = NDStatsIO(f"{PREFIX}EIG1:Stats1:")
        detector = SimDetector(
            f"{PREFIX}EIG1:", ADWriterFactory.hdf(provider), plugins={"stats": stats}, name="eiger"
        )
    detector.add_detector_logics(PluginSignalDataLogic(detector.driver, stats.total))
    engine(
        bps.mv(phi.velocity, 60.0, detector.driver.acquire_time, 0.02, detector.driver.acquire_period, 0.02)
    )
    engine(
        setup_ndattributes(
            detector.driver,
            [
                NDAttributePv("phi_position", phi.user_readback, NDAttributePvDbrType.DBR_DOUBLE, "of phi"),
                NDAttributeParam("exposure", "ACQ_TIME", NDAttributeDataType.DOUBLE, description="asked for"),
            ],
        )
    )
    engine(setup_ndstats_sum(detector))
    told = [
        [count(engine, detector), scan(engine, detector, phi, number), fly(engine, detector)]
        for number in range(ROUNDS)
    ]
    print("RESULT", json.dumps(told))  # noqa: T201


def count(engine: RunEngine, detector: SimDetector) -> int:
    engine(bps.mv(detector.driver.acquire_time, 0.02, detector.driver.acquire_period, 0.02))
    seen = Documents()
    engine(bp.count([detector], 3), seen)
    arrays = seen.arrays()
    assert len(arrays["eiger"]) == 3
    assert np.allclose(arrays["exposure"][:3], 0.02)
    totals = [event["eiger-stats-total"] for event in seen.events]
    assert totals == sums_beside(arrays, 3)
    return len(seen.events)


def sums_beside(arrays: dict[str, np.ndarray], rows: int) -> list[float]:
    """The sum of each frame as its attribute has it, which is the sum of its pixels."""
    sums = [float(good(frame).sum()) for frame in arrays["eiger"][:rows]]
    assert arrays["eiger-sum"].dtype == "<f8"
    assert arrays["eiger-sum"][:rows].tolist() == sums, (arrays["eiger-sum"], sums)
    return sums


def good(frame: np.ndarray) -> np.ndarray:
    """Pixels that count something: the two highest values mark those that do not."""
    return frame[frame < np.iinfo(frame.dtype).max - 1].astype(np.int64)


def scan(engine: RunEngine, detector: SimDetector, phi: Motor, number: int) -> int:
    seen = Documents()
    start = number % 5
    engine(bp.scan([detector], phi, start, start + 2.0, 3), seen)
    arrays = seen.arrays()
    assert len(arrays["eiger"]) == 3
    assert np.allclose(arrays["phi_position"][:3], [start, start + 1.0, start + 2.0]), arrays["phi_position"]
    sums_beside(arrays, 3)
    return len(seen.events)


def fly(engine: RunEngine, detector: SimDetector) -> int:
    seen = Documents()

    @bpp.stage_decorator([detector])
    @bpp.run_decorator()
    def plan():
        info = TriggerInfo(
            number_of_events=FRAMES, livetime=0.01, deadtime=0.002, trigger=DetectorTrigger.INTERNAL
        )
        yield from bps.prepare(detector, info, wait=True)
        yield from bps.declare_stream(detector, name="main")
        yield from bps.kickoff(detector, wait=True)
        yield from bps.complete(detector, group="done")
        finished = False
        while not finished:
            finished = yield from bps.wait("done", timeout=0.2, error_on_timeout=False)
            finished = finished is None or bool(finished)
            yield from bps.collect(detector, name="main")

    engine(plan(), seen)
    arrays = seen.arrays()
    (rows,) = {seen.rows[uid] for uid, r in seen.resources.items() if r["data_key"] == "eiger"}
    assert rows == FRAMES
    assert len(arrays["eiger"]) == FRAMES
    assert len(set(sums_beside(arrays, FRAMES))) > 1
    assert len({frame.tobytes() for frame in arrays["eiger"]}) == FRAMES
    return rows


main()
