"""What ``bluesky_pause`` needs of the ophyd-async devices: one frame a point."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

import beamline_devices as devices
import bluesky.plan_stubs as bps
from ophyd import Signal


class Side:
    """Devices, and what documents of theirs say."""

    column = "eig1_omega"
    frames = 1
    omega = devices.omega
    detector = devices.eig1
    beam_lost = Signal(name="beam_lost", value=0)

    def __init__(self, engine: Any, exposure: float) -> None:
        self.engine = engine
        driver = self.detector.driver
        engine(devices.prepare_beamline())
        engine(bps.mv(driver.acquire_time, exposure, driver.acquire_period, exposure))

    def is_exposing(self) -> bool:
        return bool(self._do(self.detector.driver.acquire.get_value()))

    def _do(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.engine.loop).result(20)

    def captured(self) -> int:
        return self._do(self.detector.hdf.num_captured.get_value())

    def abort_exposure(self) -> None:
        async def put() -> None:
            await self.detector.driver.acquire.set(False)

        self._do(put())

    def is_idle(self) -> bool:
        """Whether detector and writer come to rest."""
        deadline = time.monotonic() + 10
        while any(
            self._do(signal.get_value())
            for signal in (self.detector.driver.acquire, self.detector.hdf.capture)
        ):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def make_stock(self) -> None:
        """Leave the detector without what is ours."""
        for name in ("collect_asset_docs", "trigger", "stage"):
            delattr(devices.Eiger, name)
        devices.Eiger.resume = devices.Eiger.pause  # which does nothing; bluesky has seen that there is one

    def files(self, documents: Any) -> list[str]:
        return [r["uri"] for r in documents.of("stream_resource") if r["data_key"] == "eig1"]

    def rows(self, documents: Any) -> list[tuple[int, int]]:
        """First row, and the one behind the last, of each event."""
        ours = {r["uid"] for r in documents.of("stream_resource") if r["data_key"] == "eig1"}
        found = {
            d["seq_nums"]["start"]: (d["indices"]["start"], d["indices"]["stop"])
            for d in documents.of("stream_datum")
            if d["stream_resource"] in ours
        }
        return [found[event["seq_num"]] for event in documents.of("event")]
